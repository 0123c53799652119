//! `watch`: a table that is drawn again and again in its place.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::data::{Cell, Failure, Reply, Sink, Table};
use crate::exec::{Builtin, Engine, Interrupted};
use crate::kernel::terminal::{self, RawInput, WindowSize};
use crate::lang::{Arg, Call, Example, Form, Kind, Need, Param, Signature};
use crate::mechanism::Args;
use crate::view::{Choice, Style, cut, printable, write_table};

const EVERY: Duration = Duration::from_secs(1);

pub(super) static WATCH: Builtin = Builtin {
    signature: Signature {
        name: "watch",
        summary: "run a command that looks again and again, drawn in its place; any key ends it",
        params: &[
            Param::required(
                "command",
                Kind::Command,
                "a command that shows a table: ipcs, msgq, actors",
            ),
            Param {
                name: "every",
                form: Form::Positional,
                kind: Kind::Choice(&["every"]),
                need: Need::Optional,
                help: "stands before the interval",
            },
            Param::optional(
                "interval",
                Kind::Duration,
                "how long between two looks; 1s where it is left out",
            ),
        ],
        notes: "A cell that changed is marked with `*`. A row that is gone is counted below its table once. \
                In a script, with --json and where the output is not a terminal, the command is run once.",
        examples: &[Example {
            script: "watch ipcs",
            shows: "in a script: one look",
        }],
        ..Signature::NEW
    },
    run: watch,
};

fn watch(engine: &mut Engine, args: &Args, sink: &mut dyn Sink) -> Result<Reply, Failure> {
    let Some(Arg::Command(call, text)) = args.get("command") else {
        return Ok(Reply::default());
    };
    let every = args.duration("interval")?.unwrap_or(EVERY);
    if every < Duration::from_millis(20) {
        return Err(Failure::refused("the interval is 20ms at least"));
    }
    if !engine.options.redraws {
        return look(engine, call, sink);
    }
    let colours = match engine.options.colours {
        true => Choice::Always,
        false => Choice::Never,
    };
    let keys = RawInput::new(false).map_err(unusable)?;
    let mut screen = Screen::open(Style::new(colours, true))?;
    let heading = format!(
        "watch {text} every {}   any key ends it",
        Cell::Elapsed(every)
    );
    loop {
        let begun = Instant::now();
        let reply = look(engine, call, sink)?;
        loop {
            let size = terminal::window_size().ok();
            screen.draw(&heading, &reply, size).map_err(written)?;
            match pause(engine, &keys, begun, every, size)? {
                Paused::Over => break,
                Paused::Resized => {}
                Paused::Ended => return Ok(Reply::default()),
            }
        }
        screen.remember(&reply);
    }
}

/// How a pause between two looks ended.
enum Paused {
    /// It is time to look again.
    Over,
    /// The terminal has another size.
    Resized,
    /// By a key, Ctrl-C, or a signal.
    Ended,
}

/// No descriptor tells of a new size, and the signal may have come before the wait: it is
/// asked for so often.
const RESIZE: Duration = Duration::from_millis(100);

fn pause(
    engine: &mut Engine,
    keys: &RawInput,
    begun: Instant,
    every: Duration,
    size: Option<WindowSize>,
) -> Result<Paused, Failure> {
    loop {
        // One from outside: Ctrl-C is a key like others here.
        if engine.is_interrupted() {
            return Ok(Paused::Ended);
        }
        if terminal::window_size().ok() != size {
            return Ok(Paused::Resized);
        }
        let left = every.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(Paused::Over);
        }
        match engine.wait_for_input(keys.as_fd(), left.min(RESIZE)) {
            Ok(false) => {}
            Ok(true) => return keys.take_key().map(|_| Paused::Ended).map_err(unusable),
            // What ends the session is raised again at its end.
            Err(_) => return Ok(Paused::Ended),
        }
    }
}

fn look(engine: &mut Engine, call: &Call, sink: &mut dyn Sink) -> Result<Reply, Failure> {
    match engine.shell_call(call, sink) {
        Ok(reply) => Ok(reply),
        Err(Interrupted::Failed(failure)) => Err(failure),
        Err(Interrupted::Flow(_)) => Err(Failure::refused("the session ends")),
    }
}

fn unusable(e: crate::kernel::Errno) -> Failure {
    Failure::environment(format!("the terminal cannot be used: {}", e.desc()))
}

fn written(e: io::Error) -> Failure {
    Failure::environment(format!("the screen cannot be written: {e}"))
}

/// The alternate screen, left again whatever happens, and what it showed last.
struct Screen {
    style: Style,
    last: HashMap<(&'static str, String), Vec<Cell>>,
}

impl Screen {
    fn open(style: Style) -> Result<Screen, Failure> {
        // The alternate screen, without a cursor.
        write!(io::stdout(), "\x1b[?1049h\x1b[?25l").map_err(written)?;
        Ok(Screen {
            style,
            last: HashMap::new(),
        })
    }

    fn draw(&self, heading: &str, reply: &Reply, size: Option<WindowSize>) -> io::Result<()> {
        let width = size.map(|s| s.columns.saturating_sub(1)).filter(|n| *n > 0);
        let heading = self.style.aside(&printable(heading).replace('\n', " "));
        let mut frame = format!("{heading}\n\n").into_bytes();
        for table in &reply.tables {
            let changed = |row: usize, column: usize| self.changed(table, row, column);
            write_table(&mut frame, table, self.style, width, &changed)?;
            let now: Vec<_> = table.rows().map(|row| key(table, row).1).collect();
            let gone = self.last.keys();
            let gone = gone.filter(|(kind, id)| *kind == table.kind && !now.contains(id));
            let gone: Vec<&str> = gone.map(|(_, id)| id.as_str()).collect();
            if !gone.is_empty() {
                let gone = format!("gone: {}", gone.join(", "));
                writeln!(frame, "{}", self.style.aside(&gone))?;
            }
        }
        if let Some(text) = &reply.text {
            frame.extend_from_slice(text.as_bytes());
        }
        show(&String::from_utf8_lossy(&frame), size)
    }

    /// What the next look is compared with.
    fn remember(&mut self, reply: &Reply) {
        let tables = reply.tables.iter();
        let rows = tables.flat_map(|table| table.rows().map(|row| (key(table, row), row.to_vec())));
        self.last = rows.collect();
    }

    /// Whether a cell differs from the last look; a row that is new does not.
    fn changed(&self, table: &Table, row: usize, column: usize) -> bool {
        let Some(row) = table.rows().nth(row) else {
            return false;
        };
        match self.last.get(&key(table, row)) {
            Some(last) => last.get(column) != row.get(column),
            None => false,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = write!(io::stdout(), "\x1b[?25h\x1b[?1049l");
        let _ = io::stdout().flush();
    }
}

/// What a row is known by from one look to the next.
fn key(table: &Table, row: &[Cell]) -> (&'static str, String) {
    let id = table
        .columns
        .iter()
        .position(|c| c.name == "id")
        .or_else(|| table.columns.iter().position(|c| c.name == "name"))
        .unwrap_or(0);
    (
        table.kind,
        row.get(id).map_or(String::new(), Cell::to_string),
    )
}

/// Writes a frame over the last one, cut to the screen: no line is cleared before its text
/// is there, so nothing flickers, and nothing scrolls.
fn show(frame: &str, size: Option<WindowSize>) -> io::Result<()> {
    // A terminal that does not know its size says 0.
    let known = |n: Option<u16>| match n {
        None | Some(0) => usize::MAX,
        Some(n) => usize::from(n),
    };
    // To clear the rest of a full line would clear its last letter.
    let columns = known(size.map(|s| s.columns)) - 1;
    let rows = known(size.map(|s| s.rows));
    let lines: Vec<&str> = frame.lines().collect();
    let fits = lines.len() <= rows;
    let room = if fits { lines.len() } else { rows - 1 };
    let mut out = String::from("\x1b[H");
    for (i, line) in lines[..room].iter().enumerate() {
        // Nothing follows the last line of the screen, which would scroll it.
        out.push_str(if i == 0 { "" } else { "\r\n" });
        out.push_str(&cut(line, columns));
        out.push_str("\x1b[K");
    }
    if !fits {
        let more = format!("… {} more lines", lines.len() - room);
        out.push_str(if room == 0 { "" } else { "\r\n" });
        out.push_str(&cut(&more, columns));
        out.push_str("\x1b[K");
    }
    out.push_str("\x1b[J");
    let mut stdout = io::stdout().lock();
    stdout.write_all(out.as_bytes())?;
    stdout.flush()
}
