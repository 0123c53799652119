//! The command line's arguments.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Parser, ValueEnum, ValueHint};
use clap_complete::Shell;
use ipcsh::script::Input;
use ipcsh::view::Choice;

/// The shell for inter-process communication on Linux
#[derive(Debug, Default, PartialEq, Parser)]
#[command(
    version,
    about,
    after_help = "Without arguments at a terminal: the prompt. `help` there, or `ipcsh -c help`, lists the commands.\n\
                  Exit status: 0 passed, 1 a step failed, 2 usage or syntax (nothing was run), 3 the environment, 77 skipped."
)]
pub struct Cli {
    /// Scripts to run; `-` is standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub files: Vec<OsString>,

    /// Run a command and print its result alone; may be repeated, in one session. What happens
    /// beside it, such as an object made because there was none, is said on standard error
    #[arg(short = 'c', value_name = "COMMAND", conflicts_with = "files")]
    pub command: Vec<String>,

    /// Bind a variable: a number, a size, a duration, or else text
    #[arg(short = 'D', value_name = "NAME=VALUE", value_parser = definition)]
    pub define: Vec<(String, String)>,

    /// Print NDJSON: one object an outcome, an event, a row, a mistake or an error
    #[arg(long)]
    pub json: bool,

    /// Let created objects stay when the session ends
    #[arg(long)]
    pub keep: bool,

    /// Use colours; on a terminal where nothing is said
    #[arg(long, value_name = "WHEN")]
    color: Option<When>,

    /// Parse and check only
    #[arg(long)]
    pub check: bool,

    /// How long a step may stay blocked: 500ms, 10s (the first setting of `timeout step`)
    #[arg(long, value_name = "DUR", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Do not run ~/.config/ipcsh/init.ipc at the prompt
    #[arg(long)]
    pub no_init: bool,

    /// Print completions for a shell
    #[arg(long, value_name = "SHELL")]
    pub completions: Option<Shell>,
}

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum When {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<When> for Choice {
    fn from(when: When) -> Choice {
        match when {
            When::Auto => Choice::Auto,
            When::Always => Choice::Always,
            When::Never => Choice::Never,
        }
    }
}

impl Cli {
    /// Reads the arguments. To build and search the table of options is a tenth of what a short command
    /// takes, and most have none that needs it.
    ///
    /// # Errors
    /// They cannot be understood, or ask for help.
    pub fn read() -> Result<Cli, clap::Error> {
        match Cli::plain(std::env::args_os().skip(1)) {
            Some(cli) => Ok(cli),
            None => Cli::try_parse(),
        }
    }

    /// What there is to run, where nothing else is said.
    fn plain(mut args: impl Iterator<Item = OsString>) -> Option<Cli> {
        let mut cli = Cli::default();
        while let Some(arg) = args.next() {
            let is_command = arg == "-c";
            let word = if is_command { args.next()? } else { arg };
            let is_option = word.as_encoded_bytes().starts_with(b"-");
            if is_option && (is_command || word != "-") {
                return None;
            }
            match is_command {
                true => cli.command.push(word.into_string().ok()?),
                false => cli.files.push(word),
            }
        }
        let both = !cli.files.is_empty() && !cli.command.is_empty();
        (!both).then_some(cli)
    }

    /// When colours are used.
    pub fn colours(&self) -> Choice {
        self.color.unwrap_or(When::Auto).into()
    }

    /// What is to be run, in order: commands, or files.
    pub fn inputs(&self) -> Vec<Input> {
        if !self.command.is_empty() {
            return vec![Input::Commands(self.command.clone())];
        }
        let input = |file: &OsString| match file == "-" {
            true => Input::Stdin,
            false => Input::File(file.into()),
        };
        self.files.iter().map(input).collect()
    }
}

fn definition(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if ipcsh::lang::is_variable(name) => Ok((name.into(), value.into())),
        _ => Err("expected NAME=VALUE, with a name of letters, digits and `_`".into()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    ipcsh::lang::duration(text).ok_or_else(|| "expected a duration such as 500ms or 10s".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<OsString> {
        std::iter::once("ipcsh")
            .chain(words.iter().copied())
            .map(OsString::from)
            .collect()
    }

    /// What is read without the table of options is what would be read with it.
    #[test]
    fn plain_arguments_mean_what_they_mean_to_clap() {
        let plain: [&[&str]; 7] = [
            &[],
            &["a.ipc", "b.ipc"],
            &["-"],
            &[""],
            &["-c", "ipcs"],
            &["-c", "sem p", "-c", "sem v", "-c", ""],
            &["-c", "x -- y"],
        ];
        for words in plain {
            let args = args(words);
            let read = Cli::plain(args.clone().into_iter().skip(1));
            assert_eq!(read, Cli::try_parse_from(args).ok(), "{words:?}");
            assert!(read.is_some(), "{words:?}");
        }
        let others: [&[&str]; 9] = [
            &["--json", "-c", "ipcs"],
            &["-cipcs"],
            &["-c=ipcs"],
            &["-c"],
            &["-c", "-x"],
            &["-c", "-"],
            &["-c", "ipcs", "a.ipc"],
            &["-", "-c", "ipcs"],
            &["--", "-a"],
        ];
        for words in others {
            assert_eq!(
                Cli::plain(args(words).into_iter().skip(1)),
                None,
                "{words:?}"
            );
        }
    }
}
