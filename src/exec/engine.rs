//! The engine: a session's actors, names and variables, and the programs that use them.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::actor::{Actor, Report};
use crate::data::{Event, Failure, FailureKind, Outcome, Reply, Sink, Stand};
use crate::kernel::process::Ended;
use crate::kernel::signal::SignalFd;
use crate::lang::{Catalog, Known, Program, Signature, Source, Span, Statement, StatementKind};
use crate::mechanism::Args;
use crate::session::janitor::Janitor;
use crate::session::{Change, Held, Ledger, Names};

use super::host::Job;
use super::interpret::Verbs;

/// The default actor.
pub(super) const ME: &str = "me";

/// A command of the shell itself.
#[derive(Debug)]
pub struct Builtin {
    /// What it looks like.
    pub signature: Signature,
    /// What it does.
    pub run: fn(&mut Engine, &Args, &mut dyn Sink) -> Result<Reply, Failure>,
}

/// Every command there is, by its place in the catalog.
#[derive(Debug)]
pub struct Commands {
    /// Their signatures, for the parser and for help.
    pub catalog: Catalog,
    /// Those of the mechanisms.
    pub verbs: Verbs,
    /// Those of the shell.
    pub builtins: Vec<Option<&'static Builtin>>,
}

/// How programs are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A step that blocks is waited for until its deadline; the first failure ends the
    /// program; what a `!command` prints is part of the transcript.
    Script,
    /// The same, and `!commands` have the terminal.
    OneShot,
    /// A step that blocks stays pending and the prompt comes back.
    Prompt,
}

/// How a session is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// How programs are run.
    pub mode: Mode,
    /// Whether created objects stay when the session ends.
    pub keep: bool,
    /// How long a step may stay blocked.
    pub step_timeout: Duration,
}

/// Why a program ended before its end.
#[derive(Debug)]
pub enum Flow {
    /// A step failed.
    Failed,
    /// The surroundings failed: a process could not be started, a file not be read.
    Environment,
    /// A requirement does not hold.
    Skipped(String),
    /// `quit`.
    Quit,
    /// What was to be shown could not be written.
    Output(io::Error),
    /// A signal ends the session.
    Signal(i32),
}

impl From<io::Error> for Flow {
    fn from(e: io::Error) -> Flow {
        Flow::Output(e)
    }
}

pub(super) type Ran = Result<(), Flow>;

/// An actor and what the session knows of it.
#[derive(Debug)]
pub(super) struct Slot {
    pub actor: Actor,
    /// Its step that is left pending.
    pub pending: Option<Pending>,
    /// How its pending step ended, until somebody asks.
    pub ended: Option<End>,
    /// What it holds of which semaphore: `(set, number)`.
    pub holds: HashMap<(i32, u16), i64>,
    /// The descriptors that it holds, the newest last.
    pub files: Vec<Held>,
    /// How much of the log it knows.
    pub cursor: usize,
    /// Whether its death has been told.
    pub mourned: bool,
}

/// A step that is left pending.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub source: Arc<Source>,
    pub text: Span,
    pub since: Instant,
    /// Whether the script says `...`, so that it must also say how it ends.
    pub claimed: bool,
    /// Whether the prompt waited for it before it came back.
    pub foreground: bool,
}

/// How a step of an actor ended.
#[derive(Debug)]
pub(super) enum End {
    Report(Box<Report>),
    Died(Option<Ended>),
}

/// What every actor is to know.
#[derive(Clone, Debug)]
pub(super) enum Update {
    Name(Change),
    Variable(String, Outcome),
}

/// A session.
#[derive(Debug)]
pub struct Engine {
    /// Every command.
    pub commands: &'static Commands,
    /// The names of its objects.
    pub names: Names,
    /// Its variables.
    pub env: Arc<crate::lang::Env>,
    /// How it is set up.
    pub options: Options,
    /// The session so far, as lines of a script: what `save` writes.
    pub journal: Vec<String>,
    /// Whether `spawn` has been said.
    pub spawned: bool,
    pub(super) slots: Vec<Slot>,
    pub(super) log: Vec<(Option<String>, Update)>,
    pub(super) ledger: Option<Ledger>,
    pub(super) janitor: Option<Janitor>,
    pub(super) signals: Option<SignalFd>,
    pub(super) interrupted: bool,
    /// The signal that ends the session, once it has come.
    pub(super) ending: Option<i32>,
    pub(super) deferred: Vec<(Arc<Source>, Statement)>,
    pub(super) jobs: Vec<Job>,
    pub(super) finished: bool,
}

impl Engine {
    /// A session in which nothing has happened. `signals` gives SIGINT, SIGTERM and
    /// SIGHUP, which are blocked otherwise.
    pub fn new(commands: &'static Commands, options: Options, signals: Option<SignalFd>) -> Engine {
        Engine {
            commands,
            names: Names::default(),
            env: Arc::default(),
            options,
            journal: Vec::new(),
            spawned: false,
            slots: Vec::new(),
            log: Vec::new(),
            ledger: None,
            janitor: None,
            signals,
            interrupted: false,
            ending: None,
            deferred: Vec::new(),
            jobs: Vec::new(),
            finished: false,
        }
    }

    /// What a program typed now may rest on.
    pub fn known(&self) -> Known {
        let live = || self.slots.iter().filter(|s| !s.actor.is_dead());
        Known {
            variables: self.env.iter().map(|(name, _)| name.to_string()).collect(),
            actors: live().map(|s| s.actor.name.clone()).collect(),
            pending: live()
                .filter(|s| s.pending.is_some())
                .map(|s| s.actor.name.clone())
                .collect::<HashSet<_>>(),
            cancelled: HashSet::new(),
            spawned: self.spawned,
        }
    }

    /// How many actors there are, and how many of them have a pending step.
    pub fn counts(&self) -> (usize, usize) {
        let live = || self.slots.iter().filter(|s| !s.actor.is_dead());
        let pending = live().filter(|s| s.pending.is_some() && s.ended.is_none());
        (live().count(), pending.count())
    }

    /// The actors' names, by their process.
    pub fn actors_by_pid(&self) -> HashMap<i32, String> {
        let live = self.slots.iter().filter(|s| !s.actor.is_dead());
        live.map(|s| (s.actor.pid(), s.actor.name.clone()))
            .collect()
    }

    /// Binds a variable, here and in every actor.
    pub fn bind(&mut self, name: &str, outcome: Outcome) {
        Arc::make_mut(&mut self.env).bind(name, outcome.clone());
        self.log
            .push((None, Update::Variable(name.to_string(), outcome)));
    }

    /// Runs a program.
    ///
    /// # Errors
    /// Why it ended before its end.
    pub fn run(&mut self, program: &Program, sink: &mut dyn Sink) -> Ran {
        if program.source.text.contains("WORK") {
            self.ensure_work().map_err(|e| self.environment(e, sink))?;
        }
        let ran = self.statements(&program.source, &program.statements, sink);
        // At the end, not at the beginning: a Ctrl-C that comes before the first step is
        // meant for this program.
        self.interrupted = false;
        sink.flush()?;
        ran
    }

    fn environment(&self, failure: Failure, sink: &mut dyn Sink) -> Flow {
        match sink.event(&Event::Warning(failure.to_string())) {
            Ok(()) => Flow::Environment,
            Err(e) => Flow::Output(e),
        }
    }

    pub(super) fn statements(
        &mut self,
        source: &Arc<Source>,
        statements: &[Statement],
        sink: &mut dyn Sink,
    ) -> Ran {
        let mut at = 0;
        while at < statements.len() {
            self.check_signals()?;
            self.reap_jobs(sink)?;
            let batch = self.batch(&statements[at..]);
            if batch > 0 {
                self.run_batch(source, &statements[at..at + batch], sink)?;
                at += batch;
            } else {
                self.statement(source, &statements[at], sink)?;
                at += 1;
            }
        }
        Ok(())
    }

    fn statement(
        &mut self,
        source: &Arc<Source>,
        statement: &Statement,
        sink: &mut dyn Sink,
    ) -> Ran {
        match &statement.kind {
            StatementKind::Step(step) if step.in_shell => self.shell_step(source, step, sink),
            StatementKind::Step(step) => self.marked_step(source, step, sink),
            StatementKind::Resume(resume) => self.resume(source, resume, sink),
            StatementKind::Expect(expect) => self.expect(source, statement.span, expect, sink),
            StatementKind::Require(require) => self.require(source, require, sink),
            StatementKind::Defer(inner) => {
                self.deferred.push((Arc::clone(source), (**inner).clone()));
                self.elsewhere(source, statement.span, sink)
            }
            StatementKind::TimeoutStep(duration) => {
                self.options.step_timeout = *duration;
                self.quiet_step(source, statement.span, sink)
            }
            StatementKind::Repeat { count, body } => {
                let count = self
                    .env
                    .int(count)
                    .map_err(|e| self.fail_at(source, statement.span, e.into(), sink))?;
                for _ in 0..count {
                    self.statements(source, body, sink)?;
                    if self.interrupted {
                        return Err(Flow::Failed);
                    }
                }
                Ok(())
            }
            StatementKind::Source(program) => {
                self.elsewhere(source, statement.span, sink)?;
                self.statements(&program.source, &program.statements, sink)
            }
            StatementKind::Host(host) => self.host(source, host, sink),
            StatementKind::Let { name, value } => {
                let result = self.env.value(value).map(Outcome::value);
                match result {
                    Ok(outcome) => {
                        self.bind(name, outcome);
                        self.quiet_step(source, statement.span, sink)
                    }
                    Err(e) => Err(self.fail_at(source, statement.span, e.into(), sink)),
                }
            }
        }
    }

    /// A statement whose steps are shown where they run: in a transcript it is a comment,
    /// or they would run twice when that is run.
    fn elsewhere(&mut self, source: &Arc<Source>, span: Span, sink: &mut dyn Sink) -> Ran {
        let text = span.of(&source.text).to_string();
        self.record(text.clone());
        if self.options.mode == Mode::Script {
            sink.event(&Event::Note(text))?;
        }
        Ok(())
    }

    /// A statement that has no outcome to show.
    fn quiet_step(&mut self, source: &Arc<Source>, span: Span, sink: &mut dyn Sink) -> Ran {
        let text = span.of(&source.text);
        self.record(text.to_string());
        sink.event(&Event::Step {
            actor: None,
            source: text.to_string(),
            claimed: None,
            file: source.name.clone(),
            line: source.line(span.start),
            result: Ok(Outcome::ok()),
            after: None,
            passed: true,
        })?;
        Ok(())
    }

    /// Shows a statement as failed.
    pub(super) fn fail_at(
        &mut self,
        source: &Arc<Source>,
        span: Span,
        failure: Failure,
        sink: &mut dyn Sink,
    ) -> Flow {
        let text = span.of(&source.text).to_string();
        self.fail_as(text, source, span, failure, sink)
    }

    /// Shows a failure that belongs to a place, under other words than stand there.
    pub(super) fn fail_as(
        &mut self,
        text: String,
        source: &Arc<Source>,
        span: Span,
        failure: Failure,
        sink: &mut dyn Sink,
    ) -> Flow {
        let environment = failure.kind == FailureKind::Environment;
        let shown = sink
            .event(&Event::Step {
                actor: None,
                source: text,
                claimed: None,
                file: source.name.clone(),
                line: source.line(span.start),
                result: Err(failure),
                after: None,
                passed: false,
            })
            .and_then(|()| self.show_stands(sink));
        match shown {
            Err(e) => Flow::Output(e),
            Ok(()) if environment => Flow::Environment,
            Ok(()) => Flow::Failed,
        }
    }

    /// Adds a line to what `save` writes.
    pub(super) fn record(&mut self, line: String) {
        if self.options.mode == Mode::Prompt {
            // What Ctrl-C ended would not end so again.
            let sign = if self.interrupted { "# " } else { "" };
            self.journal.push(format!("{sign}{line}"));
        }
    }

    /// Where every actor stands, for a failure.
    pub(super) fn show_stands(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        if self.options.mode == Mode::Prompt || self.slots.is_empty() {
            return Ok(());
        }
        let stands: Vec<Stand> = (0..self.slots.len()).map(|slot| self.stand(slot)).collect();
        sink.event(&Event::Stands(stands))
    }

    /// The place of a live actor.
    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        self.slots
            .iter()
            .position(|s| s.actor.name == name && !s.actor.is_dead())
    }

    /// The place of an actor, which is started where it does not live.
    pub(super) fn ensure_actor(
        &mut self,
        name: &str,
        sink: &mut dyn Sink,
    ) -> Result<usize, Failure> {
        if let Some(slot) = self.slot(name) {
            return Ok(slot);
        }
        self.ensure_janitor()?;
        let (Some(ledger), Some(janitor)) = (&self.ledger, &self.janitor) else {
            return Err(Failure::environment("the janitor is gone"));
        };
        let actor = Actor::start(name, ledger, janitor.alive()).map_err(|e| {
            Failure::environment(format!("the actor `{name}` cannot be started: {e}"))
        })?;
        let pid = actor.pid();
        // One that died under this name makes room.
        self.slots.retain(|s| s.actor.name != name);
        self.slots.push(Slot {
            actor,
            pending: None,
            ended: None,
            holds: HashMap::new(),
            files: Vec::new(),
            cursor: usize::MAX,
            mourned: false,
        });
        if self.env.get(name).is_none_or(is_actor) {
            self.bind(name, Outcome::ok().remark("pid", pid));
        }
        if name != ME {
            sink.event(&Event::Note(format!("started {name} (pid {pid})")))
                .map_err(|e| Failure::environment(e.to_string()))?;
        }
        Ok(self.slots.len() - 1)
    }

    fn ensure_ledger(&mut self) -> Result<&Ledger, Failure> {
        if self.ledger.is_none() {
            let ledger = Ledger::create()
                .map_err(|e| Failure::environment(format!("no memory for the ledger: {e}")))?;
            if self.options.keep {
                ledger.keep_all();
            }
            self.ledger = Some(ledger);
        }
        self.ledger
            .as_ref()
            .ok_or_else(|| Failure::environment("there is no ledger"))
    }

    /// The janitor is there before anything can be created; one that was killed is
    /// replaced.
    pub(super) fn ensure_janitor(&mut self) -> Result<(), Failure> {
        self.ensure_ledger()?;
        if self.janitor.as_ref().is_some_and(Janitor::is_running) {
            return Ok(());
        }
        if let Some(ledger) = &self.ledger {
            let janitor = Janitor::start(ledger)
                .map_err(|e| Failure::environment(format!("the janitor cannot be started: {e}")))?;
            self.janitor = Some(janitor);
        }
        Ok(())
    }

    /// Makes `$WORK`, which is removed at the end.
    fn ensure_work(&mut self) -> Result<(), Failure> {
        if self.env.get("WORK").is_some() {
            return Ok(());
        }
        self.ensure_janitor()?;
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        let path = super::finish::make_work(ledger)?;
        let bytes = path.into_os_string().into_encoded_bytes();
        self.bind("WORK", Outcome::value(crate::data::Cell::Data(bytes)));
        Ok(())
    }

    /// The ledger, where anything may have been created.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }
}

/// Whether a variable only names an actor, so that a new actor may take it over.
fn is_actor(outcome: &Outcome) -> bool {
    outcome.value.is_none() && outcome.fields.is_empty() && outcome.get("pid").is_some()
}
