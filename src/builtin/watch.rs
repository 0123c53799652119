//! `watch`: a table that is drawn again and again in its place.

mod order;
mod panel;
mod past;
mod rows;
mod screen;
mod told;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::data::{Cell, Failure, FailureKind, Reply, Sink};
use crate::exec::{Builtin, Engine, Interrupted};
use crate::kernel::terminal::{self, RawInput, WindowSize};
use crate::lang::{Arg, Example, Form, Kind, Need, Param, Refusal, Rule, Signature, Term};
use crate::mechanism::Args;
use crate::view::{Choice, Style};
use order::Order;
use screen::Screen;

const EVERY: Duration = Duration::from_secs(1);

/// The shortest interval: a look takes its time too.
const SHORTEST: Duration = Duration::from_millis(20);
const TOO_SHORT: &str = "the interval is 20ms at least";

pub(super) static WATCH: Builtin = Builtin {
    signature: Signature {
        name: "watch",
        summary: "run a command that looks again and again, drawn in its place, with rates and sorted by any column",
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
                "how long between two looks, 20ms at least; 1s where it is left out",
            ),
            Param::option(
                "sort",
                Kind::Order,
                "the column that the rows are sorted by; behind a minus, the largest first",
            ),
        ],
        rules: &[
            Rule::With("every", &["interval"]),
            Rule::With("interval", &["every"]),
        ],
        refuses: Some(|given| match given.term("interval")? {
            (at, Term::Duration(every)) if *every < SHORTEST => {
                Some(Refusal::new(at, TOO_SHORT, "expected 20ms or more"))
            }
            _ => None,
        }),
        lasts: true,
        notes: "`<` and `>` sort by the column before and behind, `r` reverses, any other key ends it.\n\
                A row that is new is marked with `+`, one that is gone stays for a moment with `-`, a cell \
                that changed with `*`. What does not fit on the screen is counted.\n\
                `qnum/s` and the like: how much more there is a second. The kernel does not count messages, so \
                it is what came less what went: `seen` says `sent` and `received` where the object's times \
                have changed.\n\
                `seen` says for how long a queue was `full` or somebody waited (`waits`, `blocked`), at every \
                look. With `≥` it was so at the first look, and may have been long before.\n\
                In a script, with --json and where the output is not a terminal, the command is run once.",
        examples: &[Example {
            script: "msgq create jobs\nwatch ipcs -q sort=-qnum every 2s",
            shows: "in a script: one look, the fullest queues first",
        }],
        ..Signature::NEW
    },
    run: watch,
};

fn watch(engine: &mut Engine, args: &Args, sink: &mut dyn Sink) -> Result<Reply, Interrupted> {
    let Some(Arg::Command(call, text)) = args.get("command") else {
        return Ok(Reply::default());
    };
    let every = args.duration("interval")?.unwrap_or(EVERY);
    if every < SHORTEST {
        return Err(Failure::refused(TOO_SHORT).into());
    }
    let order = args.text("sort")?;
    let order = order.map_or(Order::default(), |word| Order::written(&word));
    let begun = Instant::now();
    if !engine.options.redraws {
        let mut reply = engine.shell_call(call, sink)?;
        order.check(text, &reply.tables, true)?;
        reply.tables.iter_mut().for_each(|table| order.sort(table));
        return Ok(reply);
    }
    let reply = seen(engine.shell_call(call, sink))?;
    order.check(text, &reply.tables, false)?;
    let colours = match engine.options.colours {
        true => Choice::Always,
        false => Choice::Never,
    };
    let keys = RawInput::new(false).map_err(unusable)?;
    let heading = format!("watch {text} every {}", Cell::Elapsed(every));
    let mut screen = Screen::open(Style::new(colours, true), heading, order)?;
    let mut pending = Some((reply, begun));
    loop {
        let (reply, begun) = match pending.take() {
            Some(first) => first,
            None => {
                let begun = Instant::now();
                (seen(engine.shell_call(call, sink))?, begun)
            }
        };
        screen.take(reply, begun);
        loop {
            let size = terminal::window_size().ok();
            let actors = engine.actors_by_pid();
            screen.draw(size, &engine.sight(&actors))?;
            match pause(engine, &keys, begun, every, size)? {
                Paused::Over => break,
                Paused::Resized => {}
                Paused::Key(_) if !screen.has_tables() => return Ok(Reply::default()),
                Paused::Key(b'>') => screen.sort_by_next(false),
                Paused::Key(b'<') => screen.sort_by_next(true),
                Paused::Key(b'r') => screen.order.descending = !screen.order.descending,
                Paused::Key(_) | Paused::Ended => return Ok(Reply::default()),
            }
        }
    }
}

/// How a pause between two looks ended.
enum Paused {
    /// It is time to look again.
    Over,
    /// The terminal has another size.
    Resized,
    /// By a key.
    Key(u8),
    /// By a signal, or because nobody types there any more.
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
        let left = every.saturating_sub(begun.elapsed());
        // Asked once at least: a look may take longer than the interval.
        match engine.wait_for_input(keys.as_fd(), left.min(RESIZE)) {
            Ok(false) => {}
            Ok(true) => {
                let key = keys.take_key().map_err(unusable)?;
                return Ok(key.map_or(Paused::Ended, Paused::Key));
            }
            // What ends the session is raised again at its end.
            Err(_) => return Ok(Paused::Ended),
        }
        if terminal::window_size().ok() != size {
            return Ok(Paused::Resized);
        }
        if every <= begun.elapsed() {
            return Ok(Paused::Over);
        }
    }
}

/// What the kernel refuses is what there is to be seen: an empty queue may have a message at
/// the next look.
fn seen(look: Result<Reply, Interrupted>) -> Result<Reply, Interrupted> {
    match look {
        Err(Interrupted::Failed(failure)) if failure.kind == FailureKind::Errno => {
            Ok(failure.to_string().into())
        }
        look => look,
    }
}

fn unusable(e: crate::kernel::Errno) -> Failure {
    Failure::environment(format!("the terminal cannot be used: {}", e.desc()))
}

#[cfg(test)]
mod tests;
