//! `!command`: programs of the host.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::slice::from_mut;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, Mode, Ran};
use super::job::{self, Group, Job, Output};
use super::shell_steps::Interrupted;
use super::show::{Shown, Verdict};
use super::slot::signal_cell;
use crate::data::{Cell, Event, Failure, FailureKind, Outcome, Sink, StepResult};
use crate::inspect::process::thread_stat;
use crate::kernel::process::{self, Child, Ended, SpawnSpec, Stream};
use crate::lang::{EvalError, Host, Piece, Source};
use crate::session::Entry;

/// How often a running command is asked for its end.
const TICK: Duration = Duration::from_millis(5);

/// How long the name and the value of a variable of an environment may be together: with `=` and
/// the NUL behind it that is `MAX_ARG_STRLEN`, execve(2).
const LONGEST: usize = (128 << 10) - 2;

/// What becomes of a command's output, and who waits for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It has our own standard output.
    Foreground,
    /// What it writes is kept, and shown when it has ended.
    Shown,
    /// What it writes is a variable's value; standard error is ours.
    Bound,
    /// Nobody waits; what it writes is shown from time to time.
    Background,
}

/// The standard streams of a command.
pub(super) struct Streams<'fd> {
    pub stdin: Stream<'fd>,
    pub stdout: Stream<'fd>,
    pub stderr: Stream<'fd>,
}

/// A command that was started.
pub(super) struct Started {
    child: Child,
    group: Option<Group>,
    entry: Option<Entry>,
}

impl Started {
    /// The same, with where it writes, and what its end is told under where it is awaited.
    pub fn job(self, output: Output, label: Option<String>) -> Job {
        let Started {
            child,
            group,
            entry,
        } = self;
        Job {
            child,
            output,
            group,
            entry,
            awaited: label.is_some(),
            label,
        }
    }
}

impl Engine {
    pub(super) fn host(&mut self, source: &Arc<Source>, host: &Host, sink: &mut dyn Sink) -> Ran {
        // It sees who is gone as gone.
        self.wait(Duration::ZERO)?;
        self.notices(sink)?;
        let command = self
            .env
            .template(&host.command)
            .map_err(|e| self.fail_at(source, host.text, e.into(), sink))?;
        let how = match (&host.bind, host.background) {
            (_, true) => Kind::Background,
            (Some(_), _) => Kind::Bound,
            (None, _) if self.options.captures => Kind::Shown,
            (None, _) => Kind::Foreground,
        };
        let mut job = self
            .start_host(command, how)
            .map_err(|e| self.fail_at(source, host.text, e, sink))?;
        let text = host.text.of(&source.text);
        let written = host.claim_text.map(|span| span.of(&source.text));
        let shown = Shown {
            claimed: written.zip(host.claim.as_ref()),
            ..Shown::new(source, host.text)
        };
        if host.background {
            let words = format!("{text} &");
            job.label = Some(words.clone());
            self.jobs.push(job);
            self.record(words.clone());
            let shown = Shown {
                words: Some(words),
                ..shown
            };
            sink.event(&shown.event(Ok(Outcome::ok()), true, &self.env))?;
            return Ok(());
        }
        let ended = match self.await_end(from_mut(&mut job), 0) {
            Ok(ended) => ended,
            Err(Interrupted::Flow(flow)) => return Err(flow),
            Err(Interrupted::Failed(e)) => return Err(self.fail(shown, e, sink)),
        };
        let output = job.output.fresh(true);
        let outcome = match ended {
            Ended::Exited(0) => Outcome::ok(),
            Ended::Exited(status) => Outcome::ok().field("exit", status),
            Ended::Signaled(signo) => Outcome::ok().field("signal", signal_cell(signo)),
        };
        let line = match outcome.fields.is_empty() {
            true => text.to_string(),
            false => format!("{text} => {outcome}"),
        };
        let (result, passed) = self
            .judge_host(host, outcome)
            .map_err(|e| self.fail_at(source, host.text, e.into(), sink))?;
        if let Some(name) = &host.bind {
            let mut bytes = output.clone();
            if bytes.ends_with(b"\n") {
                bytes.pop();
            }
            self.bind(name, Outcome::value(Cell::Data(bytes)));
        }
        self.record(line);
        let verdict = Verdict::of(&result, passed);
        sink.event(&shown.event(result, passed, &self.env))?;
        if how == Kind::Shown && !output.is_empty() {
            sink.event(&Event::Text(String::from_utf8_lossy(&output).into_owned()))?;
        }
        self.follow(verdict, sink)
    }

    /// How a command is told to have ended, and whether that is what is claimed of it.
    fn judge_host(&self, host: &Host, outcome: Outcome) -> Result<(StepResult, bool), EvalError> {
        let clean = outcome.fields.is_empty();
        // `ok` is an exit status of 0, and that alone; `exit=0` may be written too.
        let comparable = if clean {
            outcome.clone().field("exit", 0)
        } else {
            outcome.clone()
        };
        let passed = match &host.claim {
            None | Some(crate::lang::Claim::Ok) => clean,
            Some(claim) => claim.accepts(&Ok(comparable), &self.env)?,
        };
        if passed || host.claim.is_some() {
            return Ok((Ok(outcome), passed));
        }
        let text = format!("the command ended with {outcome}");
        Ok((Err(Failure::new(FailureKind::Mismatch, text)), false))
    }

    fn start_host(&mut self, command: Vec<u8>, how: Kind) -> Result<Job, Failure> {
        let background = how == Kind::Background;
        let output = Output::new()?;
        let written = |kept: bool| match kept {
            true => Stream::Fd(output.fd()),
            false => Stream::Inherit,
        };
        let streams = Streams {
            stdin: match self.options.mode {
                Mode::Prompt if !background => Stream::Inherit,
                _ => Stream::Null,
            },
            stdout: written(how != Kind::Foreground),
            stderr: written(!matches!(how, Kind::Foreground | Kind::Bound)),
        };
        let started = self.start_shell(command, streams, background)?;
        Ok(started.job(output, None))
    }

    /// Starts `sh -c`, which ends with the session, however that ends. What runs in the
    /// background leads a process group.
    pub(super) fn start_shell(
        &mut self,
        command: Vec<u8>,
        streams: Streams,
        background: bool,
    ) -> Result<Started, Failure> {
        if command.contains(&0) {
            return Err(Failure::refused("a command cannot hold a NUL byte"));
        }
        let env = self.environment_of_commands(&command)?;
        self.ensure_janitor()?;
        let record = self
            .ledger
            .as_ref()
            .and_then(|l| Some((l, l.job(background)?)));
        let spawned = process::spawn(&SpawnSpec {
            program: PathBuf::from("/bin/sh"),
            args: vec!["-c".into(), OsString::from_vec(command)],
            env,
            stdin: streams.stdin,
            stdout: streams.stdout,
            stderr: streams.stderr,
            // In the foreground it shares our group, and with it the terminal's keys.
            process_group: background,
            // In the foreground the janitor ends it: without its parent it could not be told
            // whose the processes are that it has started.
            death_signal: background.then_some(libc::SIGTERM),
            announce: record.map(|(_, (_, pid))| pid),
            ..SpawnSpec::default()
        });
        let child = spawned.map_err(|e| {
            if let Some((ledger, (entry, _))) = record {
                ledger.forget(entry);
            }
            Failure::environment(format!("/bin/sh cannot be started: {e}"))
        })?;
        let pid = child.pid();
        let started = thread_stat(pid, pid).map_or(0, |s| s.starttime);
        if let Some((ledger, (entry, _))) = record {
            ledger.started(entry, started);
        }
        Ok(Started {
            child,
            group: background.then_some(Group { pid, started }),
            entry: record.map(|(_, (entry, _))| entry),
        })
    }

    /// The variables, as a command of the host sees them: `$v`, `$m_type`. No variable of an
    /// environment can hold a NUL, or be longer than [`LONGEST`].
    ///
    /// # Errors
    /// One that is so is named in the command, which would find it empty.
    fn environment_of_commands(
        &self,
        command: &[u8],
    ) -> Result<Vec<(OsString, OsString)>, Failure> {
        let mut environment = Vec::new();
        let mut lost = None;
        let mut add = |name: String, value: &Cell| {
            let bytes = match value {
                Cell::Data(bytes) | Cell::Name(bytes) => bytes.clone(),
                other => other.to_string().into_bytes(),
            };
            let unfit = if bytes.contains(&0) {
                Some("a NUL byte")
            } else if name.len() + bytes.len() > LONGEST {
                Some("more than 128 KiB")
            } else {
                None
            };
            match unfit {
                None => environment.push((name.into(), OsString::from_vec(bytes))),
                Some(what) if uses(command, &name) => lost = Some((name, what)),
                Some(_) => {}
            }
        };
        for (name, outcome) in self.env.iter() {
            if let Some(value) = &outcome.value {
                add(name.to_string(), value);
            }
            for field in outcome.fields.iter().chain(outcome.remarks()) {
                add(format!("{name}_{}", field.name), &field.value);
            }
        }
        match lost {
            Some((name, what)) => Err(Failure::refused(format!(
                "`{name}` holds {what}, which no variable of a command's environment can"
            ))
            .help(format!(
                "A program reads any bytes: `pipe me | \"od -c\"`, then `pipe write ${name}`"
            ))),
            None => Ok(environment),
        }
    }

    /// Waits for the end of the command at a place, in the foreground; none of them may write too
    /// much. What ends the session, ends it first.
    pub(super) fn await_end(
        &mut self,
        jobs: &mut [Job],
        place: usize,
    ) -> Result<Ended, Interrupted> {
        let ended = self.until_end(jobs, place);
        self.forget_job(&mut jobs[place]);
        // An actor that it has killed is not given the next step.
        self.live().for_each(|slot| slot.actor.await_end());
        ended
    }

    fn until_end(&mut self, jobs: &[Job], place: usize) -> Result<Ended, Interrupted> {
        let job = &jobs[place];
        let mut started = false;
        loop {
            if jobs.iter().any(|job| job.output.is_too_long()) {
                job::end_tree(job);
                return Err(Interrupted::Failed(job::flooded()));
            }
            let ended = job
                .child
                .wait_within(if started { TICK } else { Duration::ZERO })
                .map_err(|e| Failure::environment(e.to_string()))?;
            // What ended the command may have come to us too.
            if let Err(flow) = self.wait(Duration::ZERO) {
                job::end_tree(job);
                return Err(Interrupted::Flow(flow));
            }
            // A Ctrl-C that came before it was there has not reached it; a later one has.
            if !std::mem::replace(&mut started, true) && self.interrupted {
                let _ = job.child.kill(libc::SIGINT);
            }
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    /// Whether a command exits with 0; what it writes is not shown.
    pub(super) fn host_succeeds(&mut self, command: &[Piece]) -> Result<bool, Interrupted> {
        let command = self.env.template(command).map_err(Failure::from)?;
        let mut job = self.start_host(command, Kind::Shown)?;
        let ended = self.await_end(from_mut(&mut job), 0)?;
        match self.interrupted {
            true => Err(Interrupted::Failed(Failure::refused("interrupted"))),
            false => Ok(ended == Ended::Exited(0)),
        }
    }
}

/// Whether a program of this name is found in `PATH`.
pub(super) fn is_program(name: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&path).any(|dir| {
        std::fs::metadata(dir.join(name))
            .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    })
}

/// Whether a shell's command names this variable: `$v`, `${v}`.
fn uses(command: &[u8], name: &str) -> bool {
    let mut behind_dollars = command.split(|b| *b == b'$').skip(1);
    behind_dollars.any(|rest| {
        let rest = rest.strip_prefix(b"{").unwrap_or(rest);
        let end = rest.strip_prefix(name.as_bytes()).map(<[u8]>::first);
        end.is_some_and(|next| !next.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_'))
    })
}
