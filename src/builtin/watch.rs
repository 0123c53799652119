//! `watch`: a table that is drawn again and again in its place.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::data::{Cell, Failure, Reply, Sink, Table};
use crate::exec::{Builtin, Engine, Interrupted};
use crate::kernel::terminal::{self, RawInput};
use crate::lang::{Arg, Call, Example, Form, Kind, Need, Param, Signature};
use crate::mechanism::Args;
use crate::view::{Choice, Style, write_table};

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
                Where the output is not a terminal, the command is run once.",
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
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return look(engine, call, sink);
    }
    let unusable = |e: crate::kernel::Errno| {
        Failure::environment(format!("the terminal cannot be used: {}", e.desc()))
    };
    let keys = RawInput::new(true).map_err(unusable)?;
    let mut screen = Screen::open()?;
    loop {
        let begun = Instant::now();
        let reply = look(engine, call, sink)?;
        screen.draw(text, every, &reply).map_err(written)?;
        while begun.elapsed() < every {
            let left = every.saturating_sub(begun.elapsed());
            if keys.read_byte(Some(left)).map_err(unusable)?.is_some() || engine.is_interrupted() {
                return Ok(Reply::default());
            }
        }
    }
}

fn look(engine: &mut Engine, call: &Call, sink: &mut dyn Sink) -> Result<Reply, Failure> {
    match engine.shell_call(call, sink) {
        Ok(reply) if reply.tables.is_empty() && reply.text.is_none() => Err(Failure::refused(
            "this command shows nothing that could be watched",
        )
        .help("Watch one that shows a table: ipcs, msgq, actors, limits")),
        Ok(reply) => Ok(reply),
        Err(Interrupted::Failed(failure)) => Err(failure),
        Err(Interrupted::Flow(_)) => Err(Failure::refused("the session ends")),
    }
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
    fn open() -> Result<Screen, Failure> {
        // The alternate screen, without a cursor.
        write!(io::stdout(), "\x1b[?1049h\x1b[?25l").map_err(written)?;
        Ok(Screen {
            style: Style::new(Choice::Auto, true),
            last: HashMap::new(),
        })
    }

    fn draw(&mut self, text: &str, every: Duration, reply: &Reply) -> io::Result<()> {
        let size = terminal::window_size().ok();
        let width = size.map(|s| s.columns);
        let heading = format!(
            "watch {text} every {}   any key ends it",
            Cell::Elapsed(every)
        );
        let mut frame = format!("{}\n\n", self.style.aside(&heading)).into_bytes();
        let mut now = HashMap::new();
        for table in &reply.tables {
            let changed = |row: usize, column: usize| self.changed(table, row, column);
            write_table(&mut frame, table, self.style, width, &changed)?;
            let rows: Vec<_> = table
                .rows()
                .map(|row| (key(table, row), row.to_vec()))
                .collect();
            let gone = self.last.keys().filter(|(kind, id)| {
                *kind == table.kind && !rows.iter().any(|((_, i), _)| i == id)
            });
            let gone: Vec<&str> = gone.map(|(_, id)| id.as_str()).collect();
            if !gone.is_empty() {
                writeln!(
                    frame,
                    "{}",
                    self.style.aside(&format!("gone: {}", gone.join(", ")))
                )?;
            }
            now.extend(rows);
        }
        if let Some(text) = &reply.text {
            frame.extend_from_slice(text.as_bytes());
        }
        self.last = now;
        show(&frame, size.map(|s| usize::from(s.rows)))
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

/// Writes a frame over the last one: no line is cleared before its text is there, so
/// nothing flickers.
fn show(frame: &[u8], rows: Option<usize>) -> io::Result<()> {
    let mut out = b"\x1b[H".to_vec();
    let lines: Vec<&[u8]> = frame.split(|b| *b == b'\n').collect();
    let room = rows.unwrap_or(usize::MAX).saturating_sub(1).max(1);
    for line in lines.iter().take(room) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\x1b[K\r\n");
    }
    if lines.len() > room {
        out.extend_from_slice(format!("… {} more lines", lines.len() - room).as_bytes());
    }
    out.extend_from_slice(b"\x1b[J");
    let mut stdout = io::stdout().lock();
    stdout.write_all(&out)?;
    stdout.flush()
}
