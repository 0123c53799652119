//! A session at the prompt, however its lines are read: programs, Ctrl-C, the end.

use std::io::{self, Stdout, Write};
use std::sync::{Arc, Mutex};

use super::helper::{NAME, locked};
use super::paths;
use super::screen::{Failures, Screen, Show};
use crate::data::{Event, Sink};
use crate::exec::{Engine, Finished, Flow};
use crate::lang::{Known, Source, parse};
use crate::script::{self, Exit};

/// The engine, and where its events are shown.
pub(super) struct Session {
    pub engine: Arc<Mutex<Engine>>,
    pub screen: Screen<Stdout>,
}

impl Session {
    pub fn new(engine: Engine, show: Show) -> Session {
        Session {
            engine: Arc::new(Mutex::new(engine)),
            screen: Screen::new(io::stdout(), show),
        }
    }

    /// Runs what was typed; `Some` where the session ends.
    pub fn run(&mut self, text: &str) -> Option<Exit> {
        let mut engine = locked(&self.engine);
        let source = Arc::new(Source::new(NAME, text));
        let catalog = &engine.commands.catalog;
        let program = match parse(source, catalog, &mut engine.known(), &script::load) {
            Ok(program) => program,
            Err(diagnostic) => {
                let shown = self.screen.mistake(&diagnostic);
                return shown.err().map(|e| script::output_exit(&e));
            }
        };
        let ran = engine.run(&program, &mut self.screen);
        // A signal may have come while a command only looked.
        let pumped = engine.pump(&mut self.screen);
        [ran, pumped]
            .into_iter()
            .find_map(|ran| self.screen.exit_of(ran))
    }

    /// Ctrl-C on an empty line: the step that the prompt was left to wait for is cancelled.
    pub fn interrupted(&mut self) -> Option<Exit> {
        let foreground = locked(&self.engine).foreground();
        match foreground {
            // As if it had been typed, so that a saved session can be run again.
            Some(name) => {
                let text = format!("cancel {name}");
                let said = self.screen.say(&*text);
                said.err()
                    .map(|e| script::output_exit(&e))
                    .or_else(|| self.run(&text))
            }
            None => {
                let said = self.screen.say("Ctrl-D leaves");
                said.err().map(|e| script::output_exit(&e))
            }
        }
    }

    /// Runs the first program, quietly unless it fails.
    pub fn init(&mut self) -> Option<Exit> {
        let path = paths::init()?;
        let mut engine = locked(&self.engine);
        let known = Known {
            prompt: false,
            ..engine.known()
        };
        let input = script::Input::File(path);
        match script::read(&input, known, engine.commands) {
            Ok(programs) => programs.iter().find_map(|program| {
                let ran = engine.run(program, &mut Failures(&mut self.screen));
                self.screen.exit_of(ran)
            }),
            Err(script::ReadError::Syntax(diagnostic)) => {
                let _ = self.screen.mistake(&diagnostic);
                None
            }
            Err(e) => {
                let _ = self.screen.event(&Event::Warning(e.to_string()));
                None
            }
        }
    }

    /// Ends the session and says what was removed.
    pub fn end(&mut self) {
        let mut engine = locked(&self.engine);
        // Nobody may be there any more.
        engine.ask = None;
        let _ = engine.run_deferred(&mut self.screen);
        let removed = engine.clean_up(&mut self.screen);
        for warning in removed.iter().filter_map(script::left_behind) {
            let _ = self.screen.event(&Event::Warning(warning));
        }
        if let Some(summary) = (Finished { removed }).summary() {
            let _ = self.screen.say(summary);
        }
        let _ = self.screen.flush();
    }
}

impl<W: Write> Screen<W> {
    /// What a program's end means at the prompt: most of them, nothing.
    fn exit_of(&mut self, ran: Result<(), Flow>) -> Option<Exit> {
        match ran {
            Ok(()) | Err(Flow::Failed | Flow::Environment) => None,
            Err(Flow::Skipped(why)) => {
                let said = self.say(format!("skipped: {why}"));
                said.err().map(|e| script::output_exit(&e))
            }
            Err(Flow::Quit) => Some(Exit::Passed),
            Err(Flow::Signal(signo)) => Some(Exit::Signal(signo)),
            Err(Flow::Output(e)) => Some(script::output_exit(&e)),
        }
    }
}
