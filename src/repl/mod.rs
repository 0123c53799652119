//! The prompt: the only user of rustyline.
//!
//! The main thread reads lines and runs programs, and only it starts actors: their death
//! signal is tied to the thread that starts them. A second thread watches the actors while
//! a line is typed, a third prints above the line. The engine is locked by whoever uses it.

mod complete;
mod confirm;
mod helper;
mod hint;
mod notices;
mod paths;
mod plain;
mod prompt;
mod reading;
mod screen;
mod session;
mod statement;

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, CompletionType, Config, Editor, EventHandler, KeyEvent};

use crate::data::{Event, Sink};
use crate::exec::{Engine, Flow};
use crate::kernel::terminal::Saved;
use crate::kernel::{cloexec, signal};
use crate::script::Exit;
use crate::view::Style;
use helper::{Leaving, Typed, Typing, locked};
use notices::{Bell, Board};
use prompt::LivePrompt;
use screen::Show;
use session::Session;

pub use plain::plain;

/// How the prompt is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Whether colours are used.
    pub style: Style,
    /// Whether events are shown as NDJSON.
    pub json: bool,
    /// Whether `init.ipc` is run first.
    pub init: bool,
}

/// How many entries the history holds; rustyline's own default is 100.
const HISTORY: usize = 10_000;

/// What leaves the terminal as rustyline found it, beside its settings: no marks around
/// pasted text.
const NO_PASTE_MARKS: &[u8] = b"\x1b[?2004l\n";

type Lines = Editor<Typing, FileHistory>;

/// Runs the prompt until the user leaves, or a signal ends it.
///
/// # Errors
/// The terminal cannot be used.
pub fn run(engine: Engine, setup: Setup) -> Result<Exit, ReadlineError> {
    let saved = Saved::save().ok();
    let show = Show {
        style: setup.style,
        json: setup.json,
    };
    let mut session = Session::new(engine, show);
    let board = Arc::new(Board::default());
    let mut editor = editor(&session, &board)?;
    let mut history = History::open(&mut editor, &mut session);
    let printer = editor.create_external_printer()?;
    // rustyline leaves the printer's descriptors open for every child.
    let _ = cloexec::close_on_exec_all();
    let printed = Arc::clone(&board);
    std::thread::spawn(move || notices::print(printer, &printed));
    let (bell, ear) = Bell::pair()?;
    let blocked = Arc::new(AtomicUsize::new(0));
    watch(&session, ear, &board, &blocked, saved);

    greet(&mut session, history.is_new);
    let begun = match setup.init {
        true => session.init(),
        false => None,
    };
    let ended = match begun {
        Some(exit) => Ok(exit),
        None => converse(
            &mut session,
            &mut editor,
            &mut history,
            bell,
            &board,
            &blocked,
        ),
    };
    for notice in board.take() {
        let _ = session.screen.out.write_all(notice.as_bytes());
    }
    session.end();
    ended
}

fn editor(session: &Session, board: &Arc<Board>) -> Result<Lines, ReadlineError> {
    let style = session.screen.show.style;
    let colours = match style.is_coloured() {
        // The style has asked the environment; rustyline would ask it again.
        true => ColorMode::Forced,
        false => ColorMode::Disabled,
    };
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .color_mode(colours)
        .build();
    let mut editor: Lines = Editor::with_config(config)?;
    let leaving = EventHandler::Conditional(Box::new(Leaving));
    editor.bind_sequence(KeyEvent::ctrl('C'), leaving);
    editor.set_helper(Some(Typing {
        engine: Arc::clone(&session.engine),
        style,
        board: Arc::clone(board),
        typed: RefCell::default(),
        reading: RefCell::default(),
    }));
    Ok(editor)
}

/// Line after line, until the session ends.
fn converse(
    session: &mut Session,
    editor: &mut Lines,
    history: &mut History,
    mut bell: Bell,
    board: &Arc<Board>,
    blocked: &Arc<AtomicUsize>,
) -> Result<Exit, ReadlineError> {
    let style = session.screen.show.style;
    locked(&session.engine).ask = Some(confirm::ask);
    let mut kept = Typed::default();
    loop {
        bell.ring();
        let counts = locked(&session.engine).counts();
        let prompt = LivePrompt::new(counts, Arc::clone(blocked), Arc::clone(board), style);
        let read = editor.readline_with_initial(&prompt, std::mem::take(&mut kept).split());
        // The terminal is ours again: what was not printed above the line goes below it.
        for notice in board.take() {
            session.screen.out.write_all(notice.as_bytes())?;
        }
        let typed = editor.helper().map(|h| h.typed.take()).unwrap_or_default();
        let exit = match read {
            Ok(line) => {
                history.keep(editor, &line, session);
                session.run(&line)
            }
            Err(ReadlineError::Interrupted) => match typed.is_empty() {
                true => session.interrupted(),
                false => None,
            },
            Err(ReadlineError::Io(e)) if e.kind() == io::ErrorKind::InvalidData => {
                session.screen.say("what is not UTF-8 was left out")?;
                kept = typed;
                None
            }
            Err(ReadlineError::Eof) => Some(left(session)),
            Err(ReadlineError::Signal(_)) => None,
            // A terminal that hangs up cannot be read, and the signal is on its way.
            Err(e) => match left(session) {
                Exit::Signal(signo) => Some(Exit::Signal(signo)),
                _ => return Err(e),
            },
        };
        if let Some(exit) = exit {
            return Ok(exit);
        }
    }
}

/// There is no next line: because the user leaves, or because the terminal is gone.
fn left(session: &mut Session) -> Exit {
    let mut engine = locked(&session.engine);
    match engine.pump(&mut session.screen) {
        Err(Flow::Signal(signo)) => Exit::Signal(signo),
        _ => Exit::Passed,
    }
}

/// What a newcomer should know, in a line; the first time, in two.
fn greet(session: &mut Session, first: bool) {
    if session.screen.show.json {
        return;
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ = session.screen.say(format!(
        "ipcsh {version}: type help, or just try: msgq send 1 \"hi\""
    ));
    if first {
        let _ = session
            .screen
            .say("Tab completes; Ctrl-D leaves, and removes what was created here");
    }
}

/// Starts the thread that watches the actors. A signal that ends the session while a line
/// is typed is dealt with there: the main thread sits in `readline`.
fn watch(
    session: &Session,
    ear: std::os::unix::net::UnixStream,
    board: &Arc<Board>,
    blocked: &Arc<AtomicUsize>,
    saved: Option<Saved>,
) {
    let (engine, show) = (Arc::clone(&session.engine), session.screen.show);
    let (board, blocked) = (Arc::clone(board), Arc::clone(blocked));
    std::thread::spawn(move || {
        let Some(signo) = notices::watch(&engine, ear, &board, &blocked, show) else {
            return;
        };
        if let Some(saved) = saved {
            let _ = saved.restore();
        }
        let mut session = Session {
            engine,
            screen: screen::Screen::new(io::stdout(), show),
        };
        let _ = session.screen.out.write_all(NO_PASTE_MARKS);
        for notice in board.take() {
            let _ = session.screen.out.write_all(notice.as_bytes());
        }
        session.end();
        let _ = signal::raise_default(signo);
    });
}

/// The history's file. Each entry is written when it is made: a session may end at any
/// moment, and another may be writing too.
struct History {
    path: Option<PathBuf>,
    /// Whether there was none.
    is_new: bool,
}

impl History {
    fn open(editor: &mut Lines, session: &mut Session) -> History {
        let path = match paths::history() {
            Ok(path) => path,
            Err(e) => {
                warn(session, &e);
                None
            }
        };
        let is_new = path.as_ref().is_some_and(|path| !path.exists());
        let mut history = History { path, is_new };
        if let Some(path) = history.path.as_ref().filter(|_| !is_new)
            && let Err(e) = editor.load_history(path)
        {
            warn(session, &format_args!("{}: {e}", path.display()));
            history.path = None;
        }
        history
    }

    fn keep(&mut self, editor: &mut Lines, line: &str, session: &mut Session) {
        let added = editor.add_history_entry(line);
        if let (Ok(true), Some(path)) = (added, &self.path)
            && let Err(e) = editor.append_history(path)
        {
            warn(session, &format_args!("{}: {e}", path.display()));
            // Once is enough.
            self.path = None;
        }
    }
}

fn warn(session: &mut Session, e: &dyn std::fmt::Display) {
    let text = format!("the history is not kept: {e}");
    let _ = session.screen.event(&Event::Warning(text));
}
