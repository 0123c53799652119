//! The prompt: the only user of rustyline.
//!
//! The main thread reads lines and runs programs, and only it starts actors: their death
//! signal is tied to the thread that starts them. A second thread watches the actors while
//! a line is typed, a third prints above the line. The engine is locked by whoever uses it.

mod complete;
mod helper;
mod notices;
mod paths;

use std::cell::Cell;
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor, Prompt};

use crate::data::{Event, Sink};
use crate::exec::{Engine, Flow};
use crate::kernel::cloexec;
use crate::kernel::terminal::{self, Saved};
use crate::lang::{Source, parse};
use crate::script::{self, Exit};
use crate::view::{Style, lines, mistake};
use helper::{Typing, locked};
use notices::Bell;

/// How the prompt is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Whether colours are used.
    pub style: Style,
    /// Whether `init.ipc` is run first.
    pub init: bool,
}

const HISTORY: usize = 10_000;

/// Events, printed as they come.
struct Screen {
    style: Style,
}

impl Sink for Screen {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let width = terminal::window_size().ok().map(|s| s.columns);
        let text = lines(event, self.style, width);
        match text.is_empty() {
            true => Ok(()),
            false => writeln!(io::stdout(), "{text}"),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// The prompt's texts, one for each number of blocked actors, all of one width, so that a
/// notice may change it under a half-typed line.
struct LivePrompt {
    texts: Vec<(String, String)>,
    blocked: Arc<AtomicUsize>,
}

impl LivePrompt {
    fn new(actors: usize, blocked: Arc<AtomicUsize>, style: Style) -> LivePrompt {
        let digits = actors.to_string().len();
        let plural = if actors == 1 { "" } else { "s" };
        let texts = (0..=actors)
            .map(|n| {
                let raw = match actors {
                    0 => "ipcsh> ".to_string(),
                    _ => format!("ipcsh [{actors} actor{plural}, {n:digits$} blocked]> "),
                };
                let styled = match n {
                    0 => style.strong(&raw),
                    _ => style.waiting(&raw),
                };
                (raw, styled)
            })
            .collect();
        LivePrompt { texts, blocked }
    }

    fn now(&self) -> &(String, String) {
        let blocked = self.blocked.load(Ordering::Relaxed);
        &self.texts[blocked.min(self.texts.len() - 1)]
    }
}

impl Prompt for LivePrompt {
    fn raw(&self) -> &str {
        &self.now().0
    }

    fn styled(&self) -> &str {
        &self.now().1
    }
}

/// Runs the prompt until the user leaves, or a signal ends it.
///
/// # Errors
/// The terminal cannot be used.
pub fn run(engine: Engine, setup: Setup) -> Result<Exit, ReadlineError> {
    let saved = Saved::save();
    let engine = Arc::new(Mutex::new(engine));
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor: Editor<Typing, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Typing {
        engine: Arc::clone(&engine),
        style: setup.style,
        empty: Cell::new(true),
    }));
    let history = open_history(&mut editor);
    let printer = editor.create_external_printer()?;
    // rustyline leaves the printer's descriptors open for every child.
    let _ = cloexec::close_on_exec_all();
    let (to, from) = mpsc::channel();
    std::thread::spawn(move || notices::print(printer, &from));
    let (mut bell, ear) = Bell::pair()?;
    let blocked = Arc::new(AtomicUsize::new(0));
    watch(&engine, ear, to, &blocked, setup.style, saved.ok());

    writeln!(
        io::stdout(),
        "ipcsh {}: type `help`, or just try: msgq send 1 \"hi\"",
        env!("CARGO_PKG_VERSION")
    )?;
    let mut screen = Screen { style: setup.style };
    if setup.init {
        run_init(&engine, &mut screen);
    }
    let exit = loop {
        bell.ring();
        let actors = locked(&engine).counts();
        blocked.store(actors.1, Ordering::Relaxed);
        let prompt = LivePrompt::new(actors.0, Arc::clone(&blocked), setup.style);
        match editor.readline(&prompt) {
            Ok(line) => {
                let _ = editor.add_history_entry(&line);
                match run_line(&engine, &line, &mut screen) {
                    Some(exit) => break exit,
                    None => continue,
                }
            }
            Err(ReadlineError::Interrupted) => {
                let empty = editor.helper().is_none_or(|h| h.empty.replace(true));
                interrupted(&engine, empty, &mut screen)?;
            }
            Err(ReadlineError::Eof) => break Exit::Passed,
            Err(ReadlineError::Signal(_)) => {}
            Err(e) => {
                end(&engine, &mut screen);
                return Err(e);
            }
        }
    };
    if let Some(path) = history {
        let _ = editor.save_history(&path);
    }
    end(&engine, &mut screen);
    Ok(exit)
}

fn open_history(editor: &mut Editor<Typing, FileHistory>) -> Option<std::path::PathBuf> {
    match paths::history() {
        Ok(path) => {
            let path = path?;
            // There is none the first time.
            let _ = editor.load_history(&path);
            Some(path)
        }
        Err(e) => {
            let _ = writeln!(io::stderr(), "ipcsh: the history will not be kept: {e}");
            None
        }
    }
}

/// Starts the thread that watches the actors. A signal that ends the session while a line
/// is typed is dealt with there: the main thread sits in `readline`.
fn watch(
    engine: &Arc<Mutex<Engine>>,
    ear: std::os::unix::net::UnixStream,
    to: mpsc::Sender<String>,
    blocked: &Arc<AtomicUsize>,
    style: Style,
    saved: Option<Saved>,
) {
    let engine = Arc::clone(engine);
    let blocked = Arc::clone(blocked);
    std::thread::spawn(move || {
        if let Some(signo) = notices::watch(&engine, ear, &to, &blocked, style) {
            if let Some(saved) = saved {
                let _ = saved.restore();
            }
            let _ = writeln!(io::stdout());
            end(&engine, &mut Screen { style });
            let _ = crate::kernel::signal::raise_default(signo);
        }
    });
}

/// Runs what was typed; `Some` where the session ends.
fn run_line(engine: &Mutex<Engine>, line: &str, screen: &mut Screen) -> Option<Exit> {
    let mut engine = locked(engine);
    let source = Arc::new(Source::new("<prompt>", line));
    let catalog = &engine.commands.catalog;
    let program = match parse(source, catalog, &mut engine.known(), &script::load) {
        Ok(program) => program,
        Err(diagnostic) => {
            let _ = writeln!(io::stdout(), "{}", mistake(&diagnostic, screen.style));
            return None;
        }
    };
    let ran = engine.run(&program, screen);
    match ran.and_then(|()| engine.pump(screen)) {
        Ok(()) | Err(Flow::Failed | Flow::Environment) => None,
        Err(Flow::Skipped(why)) => {
            let _ = screen.event(&Event::Note(why));
            None
        }
        Err(Flow::Quit) => Some(Exit::Passed),
        Err(Flow::Signal(signo)) => Some(Exit::Signal(signo)),
        Err(Flow::Output(_)) => Some(Exit::BrokenPipe),
    }
}

/// Ctrl-C: a line that was being typed is dropped; on an empty one, the step that the
/// prompt was left to wait for is cancelled.
fn interrupted(engine: &Mutex<Engine>, empty: bool, screen: &mut Screen) -> io::Result<()> {
    if !empty {
        return Ok(());
    }
    let mut engine = locked(engine);
    let Some(name) = engine.foreground() else {
        return writeln!(io::stdout(), "Ctrl-D leaves");
    };
    match engine.cancel(&name) {
        Ok(()) => {
            engine.journal.push(format!("cancel {name}"));
            let _ = engine.pump(screen);
            Ok(())
        }
        Err(failure) => writeln!(io::stdout(), "{failure}"),
    }
}

fn run_init(engine: &Mutex<Engine>, screen: &mut Screen) {
    let Some(path) = paths::init() else {
        return;
    };
    let setup = script::Setup {
        options: locked(engine).options.clone(),
        defines: Vec::new(),
    };
    let input = script::Input::File(path.to_string_lossy().into_owned());
    let mut engine = locked(engine);
    match script::read(&input, &setup, engine.commands) {
        Ok(programs) => {
            for program in &programs {
                // Quietly, unless it fails.
                if engine.run(program, &mut Failures(screen)).is_err() {
                    break;
                }
            }
        }
        Err(script::ReadError::Syntax(diagnostic)) => {
            let _ = writeln!(io::stdout(), "{}", mistake(&diagnostic, screen.style));
        }
        Err(e) => {
            let _ = writeln!(io::stdout(), "{e}");
        }
    }
}

/// Only what fails.
struct Failures<'a>(&'a mut Screen);

impl Sink for Failures<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Step {
                passed: false,
                source,
                file,
                line,
                ..
            } => {
                writeln!(io::stdout(), "{file}:{line}: {source}")?;
                self.0.event(event)
            }
            Event::Warning(_) => self.0.event(event),
            _ => Ok(()),
        }
    }
}

/// Ends the session and says what was removed.
fn end(engine: &Mutex<Engine>, screen: &mut Screen) {
    let mut engine = locked(engine);
    let _ = engine.run_deferred(screen);
    let finished = crate::exec::Finished {
        removed: engine.clean_up(screen),
    };
    if let Some(summary) = finished.summary() {
        let _ = writeln!(io::stdout(), "{summary}");
    }
}

/// The prompt of a terminal that cannot move its cursor: lines in, lines out, no escapes.
pub fn plain(engine: Engine) -> Exit {
    let engine = Mutex::new(engine);
    let mut screen = Screen {
        style: Style::PLAIN,
    };
    let mut text = String::new();
    let exit = loop {
        let _ = write!(io::stdout(), "ipcsh> ").and_then(|()| io::stdout().flush());
        text.clear();
        match io::stdin().lock().read_line(&mut text) {
            Ok(0) => break Exit::Passed,
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                let _ = writeln!(io::stdout(), "this line is not valid UTF-8");
            }
            Err(_) => break Exit::Environment,
            Ok(_) => {
                if let Some(exit) = run_line(&engine, &text, &mut screen) {
                    break exit;
                }
            }
        }
    };
    end(&engine, &mut screen);
    exit
}
