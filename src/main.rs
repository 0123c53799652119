//! `ipcsh`: the command line.

use ipcsh::{
    actor, commands,
    data::Event,
    exec::{Interpreter, Mode, Sink},
    kernel, script,
    session::janitor,
};
use std::io::Write;
use std::process::ExitCode;

struct Raw(std::io::BufWriter<std::io::Stdout>);
impl Sink for Raw {
    fn event(&mut self, e: &Event) -> std::io::Result<()> {
        match e {
            Event::Step {
                source,
                result: Ok(o),
                after,
                ..
            } => writeln!(
                self.0,
                "{source} => {o} # {} {:?} {:?}",
                o.remarks_text(),
                o.notes,
                after
            ),
            Event::Step {
                source,
                result: Err(o),
                passed,
                ..
            } => writeln!(self.0, "{source} => {} # {passed} {}", o.symbol(), o),
            e => writeln!(self.0, "# {e:?}"),
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some(actor::ARGUMENT) => {
            let name = args.next().unwrap_or_default();
            return match actor::serve(&name, |ledger| Interpreter::new(commands::verbs(), ledger)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(e) => {
                    eprintln!("{e}");
                    ExitCode::FAILURE
                }
            };
        }
        Some(janitor::ARGUMENT) => {
            let _ = janitor::run();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let commands = commands::commands();
    let input = match std::env::args().nth(1).as_deref() {
        Some("-c") => script::Input::Commands(std::env::args().skip(2).collect()),
        Some(f) => script::Input::File(f.into()),
        None => script::Input::Stdin,
    };
    let setup = script::Setup {
        options: script::options(Mode::Script, false, None),
        defines: vec![],
    };
    let programs = match script::read(&input, &setup, commands) {
        Ok(p) => p,
        Err(script::ReadError::Syntax(d)) => {
            eprintln!(
                "{d} [{}] {:?} {:?}",
                d.label,
                d.span.of(&d.source.text),
                d.help
            );
            return ExitCode::from(2);
        }
        Err(e) => {
            eprintln!("{e}");
            return ExitCode::from(3);
        }
    };
    let signals = kernel::signal::SignalFd::new(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP]).ok();
    let mut engine = setup.engine(commands, signals);
    let exit = script::run(
        &mut engine,
        &programs,
        &mut Raw(std::io::BufWriter::new(std::io::stdout())),
    );
    eprintln!("{exit:?}");
    ExitCode::SUCCESS
}
