//! A world to try verbs in: lines of the language, run directly, in this process.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::{ALL, Args, Run, Sight, Verb, World};
use crate::data::{Failure, Family, Outcome, Reply, StepResult};
use crate::kernel::{process, witness};
use crate::lang::{
    Action, Catalog, Env, Known, Marker, Program, Source, StatementKind, Step, Words, Work, parse,
};
use crate::session::{Holds, Ledger};

/// A world, its variables, and what the parser knows. What was created in it is removed
/// when it goes.
pub(super) struct Bench {
    pub world: World,
    pub env: Env,
    known: Known,
    catalog: Catalog,
}

/// Every verb, in the order of the catalog.
fn verbs() -> impl Iterator<Item = &'static Verb> {
    ALL.iter().flat_map(|mechanism| mechanism.verbs).copied()
}

impl Bench {
    pub fn new() -> Bench {
        let words = || Words {
            errnos: verbs()
                .flat_map(|verb| verb.signature.errnos)
                .map(|(symbol, _)| *symbol)
                .collect(),
            fields: super::all_fields(),
            signals: crate::kernel::signal::spellings(),
            ..Words::default()
        };
        let catalog = Catalog::new(verbs().map(|verb| &verb.signature).collect(), words);
        Bench {
            world: World::new(Ledger::create().unwrap(), Holds::create().unwrap()),
            env: Env::default(),
            known: Known::default(),
            catalog,
        }
    }

    fn parse(&mut self, text: &str) -> Result<Program, String> {
        let source = Arc::new(Source::new("test", text));
        let loader = &|_: &Path, _: &Source| Err("there are no files here".to_string());
        parse(source, &self.catalog, &mut self.known, loader)
            .map_err(|d| format!("{text}: {}: {}", d.message, d.label))
    }

    /// A line that is no program, and what is said of it.
    #[track_caller]
    pub fn refuses(&mut self, line: &str, why: &str) {
        match self.parse(line) {
            Ok(_) => panic!("{line} is read"),
            Err(said) => assert!(said.contains(why), "{said}"),
        }
    }

    /// Runs one line that is one step.
    pub fn run(&mut self, line: &str) -> StepResult {
        let program = self.parse(line).unwrap();
        let [statement] = program.statements.as_slice() else {
            panic!("{line}: one statement is expected");
        };
        match &statement.kind {
            StatementKind::Step(step) => self.work(&step.work),
            other => panic!("{line}: {other:?}"),
        }
    }

    /// Runs one line that only looks, as the shell does.
    pub fn look(&mut self, line: &str) -> Result<Reply, Failure> {
        let program = self.parse(line).unwrap();
        let [statement] = program.statements.as_slice() else {
            panic!("{line}: one statement is expected");
        };
        let StatementKind::Step(step) = &statement.kind else {
            panic!("{line}: {:?}", statement.kind);
        };
        let Action::Call(call) = &step.work.action else {
            panic!("{line}: {:?}", step.work);
        };
        let verb = verbs().nth(usize::from(call.command)).unwrap();
        let args = Args {
            signature: &verb.signature,
            given: &call.args,
            env: &self.env,
            seen: true,
        };
        let Run::Shell(run) = verb.run else {
            panic!("{} does not run in the shell", verb.signature.name);
        };
        let actors = HashMap::new();
        run(&Sight::new(&self.world.names, &self.env, &actors), &args)
    }

    fn work(&mut self, work: &Work) -> StepResult {
        let Action::Call(call) = &work.action else {
            panic!("{work:?}");
        };
        let verb = verbs().nth(usize::from(call.command)).unwrap();
        let args = Args {
            signature: &verb.signature,
            given: &call.args,
            env: &self.env,
            seen: true,
        };
        let (Run::Actor(run) | Run::Through(_, run)) = verb.run else {
            panic!("{} does not run in an actor", verb.signature.name);
        };
        let outcome = run(&mut self.world, &args)?;
        if let Some(name) = &work.bind {
            self.env.bind(name, outcome.clone());
        }
        Ok(outcome)
    }

    /// Runs a line that must succeed.
    #[track_caller]
    pub fn ok(&mut self, line: &str) -> Outcome {
        self.run(line).unwrap_or_else(|f| panic!("{line}: {f}"))
    }

    /// Runs a line that must fail with this errno, or `error`.
    #[track_caller]
    pub fn fails(&mut self, line: &str, symbol: &str) -> Failure {
        match self.run(line) {
            Ok(outcome) => panic!("{line}: {outcome}, and {symbol} is expected"),
            Err(failure) => {
                assert_eq!(failure.symbol(), symbol, "{line}: {failure}");
                failure
            }
        }
    }

    /// Runs a line and gives what is written after `=>`.
    #[track_caller]
    pub fn shows(&mut self, line: &str, outcome: &str) {
        assert_eq!(self.ok(line).to_string(), outcome, "{line}");
    }

    /// The id behind a name of any family.
    #[track_caller]
    pub fn id(&self, name: &str) -> i32 {
        let mut found = Family::ALL
            .into_iter()
            .filter_map(|family| self.world.names.get(family, name));
        found
            .next()
            .unwrap_or_else(|| panic!("no {name}"))
            .object
            .id()
            .unwrap()
    }

    /// Runs a program of steps, each against its claim. `false` where it takes more than
    /// one process, or the shell.
    fn example(&mut self, text: &str) -> Result<bool, String> {
        let program = match self.parse(text) {
            // The shell's own commands are not in this catalog.
            Err(message)
                if message.contains("unknown command")
                    || message.contains("`pipe` has no verb") =>
            {
                return Ok(false);
            }
            // `$WORK` is the shell's to make.
            Ok(_) if text.contains("$WORK") => return Ok(false),
            parsed => parsed?,
        };
        let mut steps = Vec::new();
        for statement in &program.statements {
            match &statement.kind {
                StatementKind::Step(step) if alone(step) => steps.push(step),
                _ => return Ok(false),
            }
        }
        for step in steps {
            let result = self.work(&step.work);
            let accepted = match &step.work.claim {
                Some(claim) => claim.accepts(&result, &self.env).unwrap(),
                None => result.is_ok(),
            };
            if !accepted {
                return Err(format!("{text}: {}: {result:?}", step.text.of(text)));
            }
        }
        Ok(true)
    }
}

fn alone(step: &Step) -> bool {
    step.actor.is_none() && !step.in_shell && step.marker == Marker::None
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.world.attachments.clear();
        self.world.mappings.clear();
        self.world.ledger.sweep();
    }
}

/// Whether this test goes on: `true` for an ordinary user. For root the test is run
/// again by itself, as nobody; `name` is its full name.
pub(super) fn as_ordinary_user(name: &str) -> bool {
    if process::geteuid() != 0 {
        return true;
    }
    again_as_nobody(name, "");
    false
}

/// What [`again_as_nobody`] was given, in the test that it runs.
pub(super) fn handed_over() -> Option<String> {
    std::env::var(HANDED_OVER).ok()
}

const HANDED_OVER: &str = "IPCSH_TEST_HANDED_OVER";

/// Runs one test again, by itself, as nobody.
pub(super) fn again_as_nobody(name: &str, handed_over: &str) {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let program = std::env::current_exe().unwrap();
    let run = std::process::Command::new(program)
        .args([name, "--exact", "--nocapture"])
        .env(HANDED_OVER, handed_over)
        .current_dir("/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output();
    match run {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "as nobody: {text}");
            assert!(text.contains("1 passed"), "there is no test {name}: {text}");
        }
        Err(error) => eprintln!("skipped {name}: nobody cannot run this test: {error}"),
    }
}

/// Whether this thread has an IPC namespace of its own now, so that a test may lower its
/// limits: root may have one.
pub(super) fn in_own_namespace() -> bool {
    match witness::own_ipc_namespace() {
        Ok(()) => true,
        Err(errno) => {
            eprintln!("skipped: no IPC namespace of its own for this thread: {errno}");
            false
        }
    }
}

#[test]
fn examples_of_one_process_run() {
    for verb in verbs() {
        let signature = &verb.signature;
        assert!(!signature.examples.is_empty(), "{}", signature.name);
        for example in signature.examples {
            // Again where it fails: what another test forks at the moment has our descriptors too, so
            // that the last of an end is not the last.
            let run = || Bench::new().example(example.script);
            let ran = (0..100).map(|_| run()).find(Result::is_ok);
            ran.unwrap_or_else(run).unwrap();
        }
    }
}

#[test]
fn signatures_are_complete() {
    for verb in verbs() {
        let signature = &verb.signature;
        let what = signature.name;
        assert!(!signature.summary.ends_with('.'), "{what}");
        assert!(!signature.notes.contains("  "), "{what}: two spaces");
        for param in signature.params {
            assert!(!param.help.is_empty(), "{what} {}", param.name);
            assert!(!param.help.ends_with('.'), "{what} {}", param.name);
        }
        let mut symbols: Vec<&str> = signature.errnos.iter().map(|(s, _)| *s).collect();
        symbols.sort_unstable();
        assert!(symbols.is_sorted_by(|a, b| a < b), "{what}: an errno twice");
        for (symbol, meaning) in signature.errnos {
            assert!(
                !meaning.is_empty() && !meaning.ends_with('.'),
                "{what} {symbol}"
            );
        }
    }
}
