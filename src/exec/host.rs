//! `!command`: programs of the host.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Engine, Flow, Mode, Ran};
use crate::data::{Cell, Event, Failure, FailureKind, Outcome, Sink};
use crate::kernel::process::{self, Child, Ended, SpawnSpec, Stream, signal_name};
use crate::lang::{Host, Piece, Source};

/// How often a running command is asked for output and for its end.
const TICK: Duration = Duration::from_millis(5);

/// A `!command &`.
#[derive(Debug)]
pub(super) struct Job {
    child: Child,
    output: Output,
}

/// What a command writes: kept in memory rather than in a pipe, which a grandchild that
/// stays would hold open for ever.
#[derive(Debug)]
struct Output {
    file: File,
    shown: u64,
}

impl Output {
    fn new() -> Result<Output, Failure> {
        let fd =
            nix::sys::memfd::memfd_create("ipcsh-output", nix::sys::memfd::MFdFlags::MFD_CLOEXEC)
                .map_err(|e| Failure::environment(format!("no memory for the output: {e}")))?;
        Ok(Output {
            file: File::from(fd),
            shown: 0,
        })
    }

    /// What was written since this was last asked. `whole`: also a last line without its
    /// newline.
    fn fresh(&mut self, whole: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        // The child writes at the offset that both share: read without moving it.
        let end = self.file.metadata().map_or(0, |m| m.len());
        let mut reader = &self.file;
        let Ok(position) = reader.stream_position() else {
            return bytes;
        };
        if reader.seek(SeekFrom::Start(self.shown)).is_ok() {
            let _ = reader
                .take(end - self.shown.min(end))
                .read_to_end(&mut bytes);
            let _ = (&self.file).seek(SeekFrom::Start(position.max(end)));
        }
        if !whole {
            let lines = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            bytes.truncate(lines);
        }
        self.shown += bytes.len() as u64;
        bytes
    }
}

impl Engine {
    pub(super) fn host(&mut self, source: &Arc<Source>, host: &Host, sink: &mut dyn Sink) -> Ran {
        sink.flush()?;
        let command = self
            .env
            .template(&host.command)
            .map_err(|e| self.fail_at(source, host.text, e.into(), sink))?;
        let captured = host.bind.is_some() || host.background || self.options.mode == Mode::Script;
        let started = Output::new().and_then(|output| {
            let child = self.start_host(command, captured.then_some(&output))?;
            Ok(Job { child, output })
        });
        let mut job = match started {
            Ok(job) => job,
            Err(e) => return Err(self.fail_at(source, host.text, e, sink)),
        };
        let text = host.text.of(&source.text).to_string();
        let mut event = Event::Step {
            actor: None,
            source: text.clone(),
            claimed: host.claim_text.map(|c| c.of(&source.text).to_string()),
            file: source.name.clone(),
            line: source.line(host.text.start),
            result: Ok(Outcome::ok()),
            after: None,
            passed: true,
        };
        if host.background {
            self.jobs.push(job);
            self.record(text);
            sink.event(&event)?;
            return Ok(());
        }
        let show = captured && host.bind.is_none();
        let mut shown = Vec::new();
        let ended = loop {
            if let Ok(Some(ended)) = job.child.try_wait() {
                break ended;
            }
            self.wait_for_child(&job.child)?;
            if self.interrupted {
                let _ = job.child.kill(libc::SIGINT);
            }
        };
        shown.extend(job.output.fresh(true));
        let outcome = match ended {
            Ended::Exited(0) => Outcome::ok(),
            Ended::Exited(status) => Outcome::ok().field("exit", status),
            Ended::Signaled(signo) => {
                let name = signal_name(signo).map_or_else(|| signo.to_string(), |n| n.to_string());
                Outcome::ok().field("signal", Cell::Text(name))
            }
        };
        let (result, passed) = self.judge_host(host, outcome);
        if let Some(name) = &host.bind {
            let mut bytes = shown.clone();
            if bytes.ends_with(b"\n") {
                bytes.pop();
            }
            self.bind(name, Outcome::value(Cell::Data(bytes)));
        }
        let line = match (&result, passed) {
            (Ok(outcome), true) if outcome.fields.is_empty() => text,
            (Ok(outcome), _) => format!("{text} => {outcome}"),
            (Err(_), _) => text,
        };
        self.record(line);
        if let Event::Step {
            result: r,
            passed: p,
            ..
        } = &mut event
        {
            *r = result;
            *p = passed;
        }
        sink.event(&event)?;
        if show && !shown.is_empty() {
            sink.event(&Event::Text(String::from_utf8_lossy(&shown).into_owned()))?;
        }
        if passed {
            return Ok(());
        }
        self.show_stands(sink)?;
        Err(Flow::Failed)
    }

    fn judge_host(&self, host: &Host, outcome: Outcome) -> (crate::data::StepResult, bool) {
        let clean = outcome.fields.is_empty();
        let how = outcome.to_string();
        // `ok` is an exit status of 0, and that alone; `exit=0` may be written too.
        let comparable = if clean {
            outcome.clone().field("exit", 0)
        } else {
            outcome.clone()
        };
        let passed = match &host.claim {
            None | Some(crate::lang::Claim::Ok) => clean,
            Some(claim) => claim.accepts(&Ok(comparable), &self.env).unwrap_or(false),
        };
        if passed {
            return (Ok(outcome), true);
        }
        let failure = Failure::new(
            FailureKind::Mismatch,
            format!("the command ended with {how}"),
        );
        (Err(failure), false)
    }

    fn start_host(&self, command: Vec<u8>, output: Option<&Output>) -> Result<Child, Failure> {
        if command.contains(&0) {
            return Err(Failure::refused("a command cannot hold a NUL byte"));
        }
        let stream = || output.map_or(Stream::Inherit, |o| Stream::Fd(o.file.as_fd()));
        let interactive = self.options.mode == Mode::Prompt;
        process::spawn(&SpawnSpec {
            program: PathBuf::from("/bin/sh"),
            args: vec!["-c".into(), std::ffi::OsString::from_vec(command)],
            env: self.environment_of_commands(),
            stdin: if interactive {
                Stream::Inherit
            } else {
                Stream::Null
            },
            stdout: stream(),
            stderr: stream(),
            death_signal: Some(libc::SIGTERM),
            ..SpawnSpec::default()
        })
        .map_err(|e| Failure::environment(format!("/bin/sh cannot be started: {e}")))
    }

    /// The variables, as a command of the host sees them: `$v`, `$m_type`.
    fn environment_of_commands(&self) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        let mut environment = Vec::new();
        let mut add = |name: String, value: &Cell| {
            let bytes = match value {
                Cell::Data(bytes) => bytes.clone(),
                other => other.to_string().into_bytes(),
            };
            if !bytes.contains(&0) {
                environment.push((name.into(), std::ffi::OsString::from_vec(bytes)));
            }
        };
        for (name, outcome) in self.env.iter() {
            if let Some(value) = &outcome.value {
                add(name.to_string(), value);
            }
            for field in outcome.fields.iter().chain(&outcome.remarks) {
                add(format!("{name}_{}", field.name), &field.value);
            }
        }
        environment
    }

    fn wait_for_child(&mut self, child: &Child) -> Ran {
        use nix::poll::{PollFd, PollFlags};
        let mut fds = [PollFd::new(child.pidfd(), PollFlags::POLLIN)];
        let _ = crate::kernel::poll::poll(&mut fds, Some(TICK));
        self.wait(Duration::ZERO)?;
        Ok(())
    }

    /// Whether a command exits with 0; what it writes is not shown.
    pub(super) fn host_succeeds(&mut self, command: &[Piece]) -> Result<bool, Failure> {
        let command = self.env.template(command)?;
        let output = Output::new()?;
        let child = self.start_host(command, Some(&output))?;
        let ended = child
            .wait()
            .map_err(|e| Failure::environment(e.to_string()))?;
        Ok(ended == Ended::Exited(0))
    }

    /// Ends what still runs, and shows what it wrote.
    pub(super) fn end_jobs(&mut self, sink: &mut dyn Sink) {
        for mut job in self.jobs.drain(..) {
            let _ = job.child.kill(libc::SIGTERM);
            let _ = job.child.wait();
            let written = job.output.fresh(true);
            if !written.is_empty() {
                let text = String::from_utf8_lossy(&written).into_owned();
                let _ = sink.event(&Event::Text(text));
            }
        }
    }

    /// Forgets the background commands that have ended.
    pub(super) fn reap_jobs(&mut self, sink: &mut dyn Sink) -> Ran {
        for job in &mut self.jobs {
            let written = job.output.fresh(false);
            if !written.is_empty() {
                sink.event(&Event::Text(String::from_utf8_lossy(&written).into_owned()))?;
            }
        }
        self.jobs
            .retain(|job| matches!(job.child.try_wait(), Ok(None)));
        Ok(())
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
