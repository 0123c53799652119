//! `ipcsh`: the command line. Arguments become a mode, and what happened an exit code.
#![cfg_attr(all(target_env = "gnu", not(test)), no_main)]

mod cli;

use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::Context;
use clap::CommandFactory;
use ipcsh::data::{Nowhere, Sink};
use ipcsh::exec::{self, Interpreter, Mode};
use ipcsh::kernel::signal::{self, SignalFd};
use ipcsh::kernel::{entry, terminal};
use ipcsh::lang::Known;
use ipcsh::script::{self, Exit, Input, ReadError, Report, Setup};
use ipcsh::session::janitor;
use ipcsh::view::{Json, OneShot, Style, Transcript, is_dumb, mistake, printable};
use ipcsh::{actor, commands, repl};

use cli::Cli;

/// What may end a session from outside; each is waited for beside everything else.
const SIGNALS: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

ipcsh::entry!(start);

/// Gives the exit code.
fn start() -> u8 {
    let mut args = std::env::args_os().skip(1);
    let first = args.next();
    match first.as_deref().and_then(|a| a.to_str()) {
        Some(actor::ARGUMENT) => {
            let name = args.next().unwrap_or_default();
            return child(actor::serve(&name.to_string_lossy(), |ledger, holds| {
                Interpreter::new(commands::verbs(), ledger, holds)
            }));
        }
        Some(exec::INSIDE) => return child(exec::serve_inside(commands::commands())),
        Some(janitor::ARGUMENT) => {
            return child(janitor::run(args, exec::end_left).map_err(io::Error::from));
        }
        _ => {}
    }
    // Whoever started this may have ignored it, and then nobody could wait for a child.
    let _ = signal::default(libc::SIGCHLD);
    // So that a file that may not grow so large (`ulimit -f`) is an error, and not the end.
    let _ = signal::ignore(libc::SIGXFSZ);
    if entry::output_was_closed() {
        complain((None, None), "standard output is closed", false);
        return code(Exit::Environment);
    }
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(e) => return misused(&e),
    };
    let json = cli.json;
    match run(cli) {
        Ok(exit) => code(exit),
        Err(e) => {
            complain((None, None), &format!("{e:#}"), json);
            code(Exit::Environment)
        }
    }
}

/// Arguments that cannot be understood, or that only ask for help.
fn misused(e: &clap::Error) -> u8 {
    if !e.use_stderr() || !std::env::args_os().any(|arg| arg == "--json") {
        e.exit();
    }
    let text = e.render().to_string();
    let (message, help) = text.split_once('\n').unwrap_or((&text, ""));
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let help = Some(help.trim()).filter(|help| !help.is_empty());
    let _ = Json::new(io::stdout()).error((None, None), message, help);
    code(Exit::Syntax)
}

/// An error that belongs to no step: an object for `--json`, a line otherwise. With the
/// file and the line it is about.
fn complain((file, line): (Option<&str>, Option<usize>), message: &str, json: bool) {
    // Where nobody reads it, there is the exit status.
    match (json, file) {
        (true, _) => {
            let _ = Json::new(io::stdout()).error((file, line), message, None);
        }
        (false, Some(file)) => script::complain(&format!("{}: {message}", printable(file))),
        (false, None) => script::complain(message),
    }
}

/// A process of ours that was started by hand, or lost its shell.
fn child(served: io::Result<()>) -> u8 {
    match served {
        Ok(()) => 0,
        Err(e) => {
            eprintln!("ipcsh: this argument is for ipcsh's own processes: {e}");
            2
        }
    }
}

fn code(exit: Exit) -> u8 {
    match exit {
        Exit::Passed => 0,
        Exit::Failed => 1,
        Exit::Syntax => 2,
        Exit::Environment => 3,
        Exit::Skipped => 77,
        // Who waits for this process should see what ended it.
        Exit::Signal(signo) => {
            let _ = signal::raise_default(signo);
            128_u8.saturating_add(signo as u8)
        }
        Exit::BrokenPipe => {
            let _ = signal::raise_default(libc::SIGPIPE);
            141
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    if let Some(shell) = cli.completions {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "ipcsh", &mut text);
        return match io::stdout().write_all(&text) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::BrokenPipe),
            written => written
                .context("the output cannot be written")
                .map(|()| Exit::Passed),
        };
    }
    let inputs = cli.inputs();
    let at_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    // Who wants a text to be checked wants nothing to be run.
    if inputs.is_empty() && at_terminal && !cli.check {
        return prompt(&cli);
    }
    let inputs = match inputs.is_empty() {
        true => vec![Input::Stdin],
        false => inputs,
    };
    let one_shot = matches!(inputs.as_slice(), [Input::Commands(_)]);
    let mode = match one_shot {
        true => Mode::OneShot,
        false => Mode::Script,
    };
    let setup = setup(&cli, mode);
    let errors = Style::new(cli.colours(), io::stderr().is_terminal());
    // Everything is read before anything runs: a mistake in the last file is found first.
    let mut programs = Vec::new();
    for input in &inputs {
        match setup.read(input, commands::commands()) {
            Ok(read) => programs.push(read),
            Err(e) => return Ok(unreadable(&e, cli.json, errors)),
        }
    }
    if cli.check {
        return Ok(Exit::Passed);
    }
    let mut exits = Vec::new();
    for program in &programs {
        let signals = signals()?;
        let mut engine = setup.engine(commands::commands(), Some(signals));
        let mut sink = sink(&cli, one_shot, errors);
        let exit = script::run(&mut engine, program, &mut *sink);
        exits.push(exit);
        if matches!(exit, Exit::Signal(_) | Exit::BrokenPipe) {
            break;
        }
    }
    // The process ends here, and a long program takes longer to free than to print.
    std::mem::forget(programs);
    // A skipped script counts as passed, unless every script was skipped.
    match exits.iter().all(|e| *e == Exit::Skipped) {
        true => Ok(Exit::Skipped),
        false => Ok(exits
            .into_iter()
            .filter(|e| *e != Exit::Skipped)
            .max()
            .unwrap_or(Exit::Passed)),
    }
}

/// What may end this session. What its parent has it ignore, as nohup(1) and the background of a script
/// do, stays ignored.
fn signals() -> anyhow::Result<SignalFd> {
    let noticed = |signo: &i32| !signal::is_ignored(*signo).unwrap_or(false);
    let signals: Vec<i32> = SIGNALS.into_iter().filter(noticed).collect();
    SignalFd::new(&signals).context("signalfd")
}

/// How a session is set up by the command line.
fn setup(cli: &Cli, mode: Mode) -> Setup {
    let mut options = script::options(mode, cli.keep, cli.timeout);
    // Asking standard input makes its buffer, which most runs have no use for.
    let screen = io::stdout().is_terminal() && io::stdin().is_terminal() && !is_dumb();
    // A transcript is written line by line, and so is JSON.
    options.redraws = screen && mode != Mode::Script && !cli.json;
    options.captures |= cli.json;
    options.colours = Style::new(cli.colours(), true).is_coloured();
    Setup {
        options,
        defines: cli.define.clone(),
    }
}

/// Where events go: JSON, the result alone, or a transcript.
fn sink(cli: &Cli, one_shot: bool, errors: Style) -> Box<dyn Sink> {
    let out = BufWriter::with_capacity(64 << 10, io::stdout());
    let style = Style::new(cli.colours(), io::stdout().is_terminal());
    let together = io::stdout().is_terminal() && io::stderr().is_terminal();
    if cli.json {
        return Box::new(Json::new(out));
    }
    if one_shot {
        let width = terminal::window_size().ok().map(|size| size.columns);
        let shown = OneShot::new(out, io::stderr(), style, width);
        return Box::new(Report::new(shown, io::stderr(), errors, together));
    }
    Box::new(Report::new(
        Transcript::new(out, style),
        io::stderr(),
        errors,
        together,
    ))
}

/// A program that cannot be read: nothing has run.
fn unreadable(e: &ReadError, json: bool, style: Style) -> Exit {
    match e {
        ReadError::Syntax(diagnostic) if json => {
            let _ = Json::new(io::stdout()).mistake(diagnostic);
        }
        ReadError::Syntax(diagnostic) => {
            let _ = writeln!(io::stderr(), "{}", mistake(diagnostic, style));
        }
        ReadError::Io { name, error } => complain((Some(name), None), &error.to_string(), json),
        ReadError::Utf8 { name, at, line } => {
            let message = format!("byte {at} (line {line}) is not valid UTF-8");
            complain((Some(name), Some(*line)), &message, json);
        }
    }
    match e {
        ReadError::Io { .. } => Exit::Environment,
        ReadError::Utf8 { .. } | ReadError::Syntax(_) => Exit::Syntax,
    }
}

/// The prompt.
fn prompt(cli: &Cli) -> anyhow::Result<Exit> {
    // Ctrl-\ ends what runs in the foreground, as at any shell's prompt.
    signal::ignore(libc::SIGQUIT).context("sigaction")?;
    let setup = setup(cli, Mode::Prompt);
    let signals = signals()?;
    let mut engine = setup.engine(commands::commands(), Some(signals));
    for program in setup.given(&mut Known::default(), commands::commands())? {
        // Nothing but `let` of a value.
        let _ = engine.run(&program, &mut Nowhere);
    }
    let setup = repl::Setup {
        style: Style::new(cli.colours(), true),
        json: cli.json,
        init: !cli.no_init,
    };
    if is_dumb() {
        return Ok(repl::plain(engine, setup)?);
    }
    Ok(repl::run(engine, setup)?)
}
