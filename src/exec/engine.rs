//! The engine: a session's actors, names and variables, and the programs that use them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::data::{Event, Family, Object, Outcome, Reply, Sink};
use crate::inspect::process::thread_stat;
use crate::kernel::signal::SignalFd;
use crate::lang::{Catalog, Known, Program, Signature, Source, Statement, StatementKind};
use crate::mechanism::Args;
use crate::session::janitor::Janitor;
use crate::session::{Binding, Ledger, Names};

use super::confirm::Ask;
use super::inside::Visit;
use super::interpret::Verbs;
use super::job::Job;
use super::news::{Log, Touched};
use super::shell_steps::Interrupted;
use super::show::as_comment;
use super::slot::Slot;

/// The default actor.
pub(super) const ME: &str = "me";

/// A command of the shell itself.
#[derive(Debug)]
pub struct Builtin {
    /// What it looks like.
    pub signature: Signature,
    /// What it does.
    pub run: fn(&mut Engine, &Args, &mut dyn Sink) -> Result<Reply, Interrupted>,
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
    /// Whether standard output is a screen, on which a table may be redrawn in its place.
    pub redraws: bool,
    /// Whether that is done in colours.
    pub colours: bool,
    /// Whether what programs write is part of what is shown, a transcript or JSON. They have our own
    /// standard output otherwise.
    pub captures: bool,
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
    /// Who is asked before what others use is removed; nobody, in a script.
    pub ask: Option<Ask>,
    pub(super) slots: Vec<Slot>,
    pub(super) log: Log,
    pub(super) ledger: Option<Ledger>,
    pub(super) janitor: Option<Janitor>,
    /// Whether it was killed, and no other could be started.
    pub(super) unattended: bool,
    pub(super) signals: Option<SignalFd>,
    /// When everything that can have something to say was last looked at; `None`: it is to
    /// be looked at before the next step.
    pub(super) glanced: Option<Instant>,
    /// Whether actors have been heard of whom nobody waited for.
    pub(super) heard: bool,
    /// The cycle of waits that was told last: its actors and the numbers of their steps.
    pub(super) told_cycle: Vec<(i32, u64)>,
    /// The objects that actors have removed, the last ones, each with the actor.
    pub(super) removers: VecDeque<(Family, Object, String)>,
    pub(super) interrupted: bool,
    /// The signal that ends the session, once it has come.
    pub(super) ending: Option<i32>,
    /// Whether it was told where that was.
    pub(super) told_ending: bool,
    pub(super) deferred: Vec<(Arc<Source>, Statement)>,
    pub(super) jobs: Vec<Job>,
    /// For whom this looks from inside other namespaces.
    pub(super) visit: Option<Visit>,
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
            ask: None,
            slots: Vec::new(),
            log: Log::default(),
            ledger: None,
            janitor: None,
            unattended: false,
            signals,
            glanced: None,
            heard: false,
            told_cycle: Vec::new(),
            removers: VecDeque::new(),
            interrupted: false,
            ending: None,
            told_ending: false,
            deferred: Vec::new(),
            jobs: Vec::new(),
            visit: None,
            finished: false,
        }
    }

    /// What a program typed now may rest on.
    pub fn known(&self) -> Known {
        Known {
            variables: self.env.iter().map(|(name, _)| name.to_string()).collect(),
            actors: self.live().map(|s| s.actor.name.clone()).collect(),
            pending: self
                .live()
                .filter(|s| s.pending().is_some())
                .map(|s| s.actor.name.clone())
                .collect::<HashSet<_>>(),
            ended: self
                .slots
                .iter()
                .filter(|s| s.told.is_some())
                .map(|s| s.actor.name.clone())
                .collect(),
            spawned: self.spawned,
            prompt: self.options.mode == Mode::Prompt,
            foreground: self.foreground(),
            ..Known::default()
        }
    }

    /// How many actors there are, and how many of them are blocked in a pending step.
    pub fn counts(&self) -> (usize, usize) {
        // One that computes is pending, and not blocked.
        let sleeps = |pid| thread_stat(pid, pid).is_ok_and(|stat| stat.state != 'R');
        let pending = self.live().filter(|s| s.unended().is_some());
        let blocked = pending.filter(|s| sleeps(s.actor.pid()));
        (self.live().count(), blocked.count())
    }

    /// The actors' names, by their process.
    pub fn actors_by_pid(&self) -> HashMap<i32, String> {
        let named = self.live().map(|s| (s.actor.pid(), s.actor.name.clone()));
        let strangers = self.visit.iter().flat_map(|v| v.actors.clone());
        named.chain(strangers).collect()
    }

    /// The actors that are not gone.
    pub(super) fn live(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|s| !s.actor.is_gone())
    }

    /// Binds a variable, here and in every actor.
    pub fn bind(&mut self, name: &str, outcome: Outcome) {
        Arc::make_mut(&mut self.env).bind(name, outcome);
        self.log.touch(None, Touched::Variable(name.to_string()));
    }

    /// Names an object, here and in every actor.
    pub(super) fn bind_name(&mut self, family: Family, name: &str, binding: Binding) {
        self.names.bind(family, name, binding);
        for change in self.names.take_changes() {
            self.log.touch(None, Touched::of(&change));
        }
    }

    /// Runs a program.
    ///
    /// # Errors
    /// Why it ended before its end.
    pub fn run(&mut self, program: &Program, sink: &mut dyn Sink) -> Ran {
        if program.uses_work {
            self.ensure_work()
                .map_err(|e| self.fail_nowhere(&e, sink))?;
        }
        self.glanced = None;
        self.note_blocked();
        let mut at = 0;
        let ran = self.statements_from(&mut at, &program.source, &program.statements, sink);
        if self.options.mode == Mode::Prompt && matches!(ran, Err(Flow::Failed | Flow::Environment))
        {
            self.tell_rest(program, at, sink)?;
        }
        // At the end, not at the beginning: a Ctrl-C that comes before the first step is
        // meant for this program.
        self.interrupted = false;
        sink.flush()?;
        ran
    }

    /// Says what of a program was not run, since what stands before it failed: a script ends there and
    /// its writer knows it, and who types may not.
    fn tell_rest(&self, program: &Program, failed: usize, sink: &mut dyn Sink) -> Ran {
        let rest = program.statements.get(failed + 1..).unwrap_or_default();
        let (Some(first), text) = (rest.first(), &program.source.text) else {
            return Ok(());
        };
        let first = first.span.of(text).lines().next().unwrap_or_default();
        let more = match rest.len() {
            1 => String::new(),
            n => format!(" and {} behind it", n - 1),
        };
        sink.event(&Event::Note(format!("not run: {first}{more}")))?;
        Ok(())
    }

    pub(super) fn statements(
        &mut self,
        source: &Arc<Source>,
        statements: &[Statement],
        sink: &mut dyn Sink,
    ) -> Ran {
        self.statements_from(&mut 0, source, statements, sink)
    }

    /// The same; says which was the last that was begun.
    fn statements_from(
        &mut self,
        place: &mut usize,
        source: &Arc<Source>,
        statements: &[Statement],
        sink: &mut dyn Sink,
    ) -> Ran {
        let mut at = 0;
        while at < statements.len() {
            *place = at;
            self.glance()?;
            self.tell_caught(sink)?;
            self.reap_jobs(sink)?;
            let confirmed = match &statements[at].kind {
                StatementKind::Step(step) => self
                    .confirm(&statements[at], step)
                    .map_err(|e| self.fail_at(source, step.text, e, sink))?,
                _ => None,
            };
            let batch = self.batch(&statements[at..]);
            if let Some(statement) = confirmed {
                // Only at the prompt, where each step goes alone.
                match batch {
                    0 => self.statement(source, &statement, sink)?,
                    _ => drop(self.run_batch(source, &[statement], sink)?),
                }
                self.glanced = None;
                at += 1;
            } else if batch > 0 {
                at += self.run_batch(source, &statements[at..at + batch], sink)?;
            } else {
                let statement = &statements[at];
                if let Err(flow) = self.statement(source, statement, sink) {
                    return Err(self.ended_at(flow, source, statement.span, sink));
                }
                // It may have sent a signal or ended an actor, and then it has by now.
                self.glanced = None;
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
                self.record(statement.span.of(&source.text).to_string());
                self.elsewhere(source, statement.span, sink)
            }
            StatementKind::TimeoutStep(duration) => {
                self.options.step_timeout = *duration;
                self.quiet_step(source, statement.span, sink)
            }
            StatementKind::Repeat { count, body } => {
                let count = self
                    .env
                    .times(count)
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
                // Its steps are recorded one by one.
                self.record(as_comment(statement.span.of(&source.text)));
                self.elsewhere(source, statement.span, sink)?;
                // It is a script.
                let ask = self.ask.take();
                let ran = self.statements(&program.source, &program.statements, sink);
                self.ask = ask;
                ran
            }
            StatementKind::Host(host) => self.host(source, host, sink),
            StatementKind::Look { name, subject } => {
                self.look(source, statement.span, name, subject, sink)
            }
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
}
