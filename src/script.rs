//! Programs from files, standard input and `-c`.

mod report;

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::data::{Event, quote};
use crate::exec::{Commands, Engine, Flow, Mode, Options, Sink};
use crate::kernel::signal::SignalFd;
use crate::lang::{
    Diagnostic, Known, Program, Source, Term, constant, parse, read_limited, read_regular,
};
use crate::session::Removed;

pub use report::Report;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All passed.
    Passed,
    /// Every script was skipped.
    Skipped,
    /// A step failed or an expectation did not hold.
    Failed,
    /// The surroundings failed.
    Environment,
    /// Usage or syntax: nothing was run.
    Syntax,
    /// A signal ended the session.
    Signal(i32),
    /// Nobody reads the output any more.
    BrokenPipe,
}

/// Where a program comes from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// `-c` arguments: one session.
    Commands(Vec<String>),
}

/// Why a program cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened or read.
    #[error("{name}: {error}")]
    Io {
        /// The file.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// It is not UTF-8.
    #[error("{name}: byte {at} (line {line}) is not valid UTF-8")]
    Utf8 {
        /// The file.
        name: String,
        /// Where.
        at: usize,
        /// On which line.
        line: usize,
    },
    /// The text holds a mistake.
    #[error(transparent)]
    Syntax(Box<Diagnostic>),
}

/// How programs are run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How.
    pub options: Options,
    /// `-D name=value`.
    pub defines: Vec<(String, String)>,
}

impl Setup {
    /// What `-D` gives, as the program that it is short for: its transcript runs without `-D`.
    ///
    /// # Errors
    /// As of [`read`].
    pub fn given(
        &self,
        known: &mut Known,
        commands: &'static Commands,
    ) -> Result<Vec<Program>, ReadError> {
        if self.defines.is_empty() {
            return Ok(Vec::new());
        }
        let lets = self.defines.iter();
        let lets = lets.map(|(name, value)| format!("let {name} = {}\n", written(value)));
        let source = Source::new("-D", lets.collect::<String>());
        let program = parse(Arc::new(source), &commands.catalog, known, &load);
        Ok(vec![program.map_err(ReadError::Syntax)?])
    }

    /// What `-D` gives, and a program behind it.
    ///
    /// # Errors
    /// As of [`read`].
    pub fn read(
        &self,
        input: &Input,
        commands: &'static Commands,
    ) -> Result<Vec<Program>, ReadError> {
        let mut known = Known::default();
        let mut programs = self.given(&mut known, commands)?;
        programs.extend(read(input, known, commands)?);
        Ok(programs)
    }

    /// A session.
    pub fn engine(&self, commands: &'static Commands, signals: Option<SignalFd>) -> Engine {
        Engine::new(commands, self.options.clone(), signals)
    }
}

/// The value of a variable of `-D` in a script: a number or a duration as it is, and text otherwise.
fn written(value: &str) -> Cow<'_, str> {
    match constant(value) {
        Some(Term::Int(_) | Term::Duration(_)) => value.into(),
        _ => quote(value.as_bytes()).into(),
    }
}

/// Reads and checks a program; nothing is run.
///
/// # Errors
/// It cannot be read, or holds a mistake.
pub fn read(
    input: &Input,
    mut known: Known,
    commands: &'static Commands,
) -> Result<Vec<Program>, ReadError> {
    let mut programs = Vec::new();
    let sources = match input {
        Input::File(path) => vec![file_of(path, File::open(path).and_then(read_limited))?],
        Input::Stdin => {
            let name = "<stdin>";
            let text = text_of(name, read_limited(io::stdin().lock()))?;
            vec![Source::new(name, text)]
        }
        Input::Commands(texts) => {
            let name = |number: usize| match texts.len() {
                1 => "-c".to_string(),
                _ => format!("-c {number}"),
            };
            let texts = texts.iter().zip(1..);
            let named = texts.map(|(text, number)| Source::new(name(number), text.as_str()));
            named.collect()
        }
    };
    for source in sources {
        let program = parse(Arc::new(source), &commands.catalog, &mut known, &load)
            .map_err(ReadError::Syntax)?;
        programs.push(program);
    }
    Ok(programs)
}

fn file_of(path: &Path, bytes: io::Result<Vec<u8>>) -> Result<Source, ReadError> {
    let text = text_of(&path.to_string_lossy(), bytes)?;
    Ok(Source::of_file(path, text))
}

fn text_of(name: &str, bytes: io::Result<Vec<u8>>) -> Result<String, ReadError> {
    let bytes = bytes.map_err(|error| ReadError::Io {
        name: name.to_string(),
        error,
    })?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        ReadError::Utf8 {
            name: name.to_string(),
            at,
            line,
        }
    })
}

/// Reads a sourced file, as seen from the file that names it.
pub fn load(path: &Path, from: &Source) -> Result<Source, String> {
    let base = from.path.as_deref().and_then(Path::parent);
    let full = base.unwrap_or(Path::new("")).join(path);
    file_of(&full, read_regular(&full)).map_err(|e| match e {
        ReadError::Io { error, .. } => error.to_string(),
        other => other.to_string(),
    })
}

/// Runs programs in one session, to its end.
pub fn run(engine: &mut Engine, programs: &[Program], sink: &mut dyn Sink) -> Exit {
    let mut exit = Exit::Passed;
    // What keeps the output from being written, first seen.
    let mut lost = None;
    for program in programs {
        let ran = engine.run(program, sink);
        let quits = matches!(ran, Err(Flow::Quit));
        exit = ended(ran, sink, &mut lost);
        if quits || exit != Exit::Passed {
            break;
        }
    }
    // Of a script that failed, what is still pending is no news.
    let concluded = match exit {
        Exit::Passed => engine.conclude(sink),
        _ => engine.run_deferred(sink),
    };
    let last = ended(concluded, sink, &mut lost);
    for warning in engine.clean_up(sink).iter().filter_map(left_behind) {
        let _ = sink.event(&Event::Warning(warning));
    }
    let flushed = sink.flush();
    let lost = lost.or(flushed.err());
    let written = lost.as_ref().map_or(Exit::Passed, output_exit);
    if let Some(e) = lost.filter(|_| written == Exit::Environment) {
        complain(&format!("the output cannot be written: {e}"));
    }
    match engine.ending() {
        Some(signo) => Exit::Signal(signo),
        None => exit.max(last).max(written),
    }
}

/// What is to be said of an object that could not be removed.
pub(crate) fn left_behind(removed: &Removed) -> Option<String> {
    let error = removed.error?;
    Some(format!(
        "the {} {} is left behind: {}",
        removed.kind.object(),
        removed.object,
        error.desc()
    ))
}

fn ended(ran: Result<(), Flow>, sink: &mut dyn Sink, lost: &mut Option<io::Error>) -> Exit {
    match ran {
        Ok(()) | Err(Flow::Quit) => Exit::Passed,
        Err(Flow::Failed) => Exit::Failed,
        Err(Flow::Environment) => Exit::Environment,
        Err(Flow::Skipped(why)) => {
            let _ = sink.event(&Event::Note(format!("skipped: {why}")));
            Exit::Skipped
        }
        Err(Flow::Signal(signo)) => Exit::Signal(signo),
        Err(Flow::Output(e)) => {
            let exit = output_exit(&e);
            lost.get_or_insert(e);
            exit
        }
    }
}

/// A line on standard error, where there is nothing else to write on.
pub fn complain(text: &str) {
    use io::Write;
    let _ = writeln!(io::stderr(), "ipcsh: {text}");
}

/// What an output that cannot be written means.
pub(crate) fn output_exit(e: &io::Error) -> Exit {
    match e.kind() {
        io::ErrorKind::BrokenPipe => Exit::BrokenPipe,
        _ => Exit::Environment,
    }
}

/// How long a step may stay blocked where nothing else is said.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// The options of a script.
pub fn options(mode: Mode, keep: bool, step_timeout: Option<Duration>) -> Options {
    Options {
        mode,
        keep,
        step_timeout: step_timeout.unwrap_or(STEP_TIMEOUT),
        redraws: false,
        colours: false,
        captures: mode == Mode::Script,
    }
}
