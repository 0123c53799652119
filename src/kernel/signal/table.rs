//! All signals: their numbers, names, and what they do by themselves (signal(7)).

use std::borrow::Cow;
use std::ffi::c_int;

/// What a signal does where it is neither caught nor ignored (signal(7), "Term" and the like).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DefaultAction {
    /// Ends the process.
    Term,
    /// Ends the process and dumps core.
    Core,
    /// Stops the process.
    Stop,
    /// Lets a stopped process go on.
    Cont,
    /// Nothing.
    Ign,
}

/// A signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Its number on this architecture.
    pub number: i32,
    /// Its name without `SIG`.
    pub name: Cow<'static, str>,
    /// What it does by itself.
    pub action: DefaultAction,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

use DefaultAction::{Cont, Core, Ign, Stop, Term};

/// The signals that have a name of their own.
const NAMED: [(c_int, &str, DefaultAction, &str); 31] = [
    (
        libc::SIGHUP,
        "HUP",
        Term,
        "the terminal hung up, or read the configuration again",
    ),
    (
        libc::SIGINT,
        "INT",
        Term,
        "interrupted from the keyboard, Ctrl-C",
    ),
    (
        libc::SIGQUIT,
        "QUIT",
        Core,
        "quit from the keyboard, Ctrl-\\",
    ),
    (libc::SIGILL, "ILL", Core, "illegal instruction"),
    (libc::SIGTRAP, "TRAP", Core, "a breakpoint or a trace trap"),
    (libc::SIGABRT, "ABRT", Core, "abort(3)"),
    (
        libc::SIGBUS,
        "BUS",
        Core,
        "bad memory access: behind the end of a mapped file",
    ),
    (
        libc::SIGFPE,
        "FPE",
        Core,
        "erroneous arithmetic, such as a division by 0",
    ),
    (
        libc::SIGKILL,
        "KILL",
        Term,
        "ends it for certain: cannot be caught, blocked or ignored",
    ),
    (libc::SIGUSR1, "USR1", Term, "for the program's own use"),
    (libc::SIGSEGV, "SEGV", Core, "invalid memory reference"),
    (libc::SIGUSR2, "USR2", Term, "for the program's own use"),
    (
        libc::SIGPIPE,
        "PIPE",
        Term,
        "wrote to a pipe or socket that nobody reads",
    ),
    (
        libc::SIGALRM,
        "ALRM",
        Term,
        "a timer of alarm(2) or setitimer(2)",
    ),
    (libc::SIGTERM, "TERM", Term, "asked to end"),
    (
        libc::SIGSTKFLT,
        "STKFLT",
        Term,
        "a coprocessor's stack fault, not used",
    ),
    (
        libc::SIGCHLD,
        "CHLD",
        Ign,
        "a child has ended, stopped or gone on",
    ),
    (libc::SIGCONT, "CONT", Cont, "go on if stopped"),
    (
        libc::SIGSTOP,
        "STOP",
        Stop,
        "stops it for certain: cannot be caught, blocked or ignored",
    ),
    (
        libc::SIGTSTP,
        "TSTP",
        Stop,
        "stopped from the keyboard, Ctrl-Z",
    ),
    (
        libc::SIGTTIN,
        "TTIN",
        Stop,
        "read from the terminal in the background",
    ),
    (
        libc::SIGTTOU,
        "TTOU",
        Stop,
        "wrote to the terminal in the background",
    ),
    (libc::SIGURG, "URG", Ign, "urgent data on a socket"),
    (
        libc::SIGXCPU,
        "XCPU",
        Core,
        "the limit of processor time is exceeded, setrlimit(2)",
    ),
    (
        libc::SIGXFSZ,
        "XFSZ",
        Core,
        "the limit of a file's size is exceeded, setrlimit(2)",
    ),
    (
        libc::SIGVTALRM,
        "VTALRM",
        Term,
        "a timer of setitimer(2) in its own processor time",
    ),
    (
        libc::SIGPROF,
        "PROF",
        Term,
        "a profiling timer of setitimer(2)",
    ),
    (
        libc::SIGWINCH,
        "WINCH",
        Ign,
        "the terminal's size has changed",
    ),
    (
        libc::SIGIO,
        "IO",
        Term,
        "a descriptor is ready, fcntl(2) F_SETOWN",
    ),
    (libc::SIGPWR, "PWR", Term, "the power fails"),
    (
        libc::SIGSYS,
        "SYS",
        Core,
        "a bad system call, or one that seccomp(2) forbids",
    ),
];

/// Other names for them.
const ALIASES: [(c_int, &str); 3] = [
    (libc::SIGIO, "POLL"),
    (libc::SIGABRT, "IOT"),
    (libc::SIGCHLD, "CLD"),
];

/// What all of `RTMIN` to `RTMAX` mean.
const REAL_TIME: &str = "real-time: queued, in order, with a value";

/// Every signal, by number. The two that the C library keeps for itself are not among them.
pub fn signals() -> impl Iterator<Item = Signal> {
    let mut named = NAMED;
    named.sort_unstable_by_key(|signal| signal.0);
    let named = named
        .into_iter()
        .map(|(number, name, action, meaning)| Signal {
            number,
            name: Cow::Borrowed(name),
            action,
            meaning,
        });
    let real_time = (libc::SIGRTMIN()..=libc::SIGRTMAX()).filter_map(|number| {
        Some(Signal {
            number,
            name: signal_name(number)?,
            action: Term,
            meaning: REAL_TIME,
        })
    });
    named.chain(real_time)
}

/// The name of a signal without `SIG`: `KILL`, `RTMIN+3`, `RTMAX-1`; `None` for a number that is none,
/// and for the two that the C library keeps for itself.
pub fn signal_name(signo: i32) -> Option<Cow<'static, str>> {
    if let Some((_, name, ..)) = NAMED.iter().find(|(number, ..)| *number == signo) {
        return Some(Cow::Borrowed(name));
    }
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    match signo {
        _ if signo == first => Some("RTMIN".into()),
        _ if signo == last => Some("RTMAX".into()),
        _ if signo < first || signo > last => None,
        _ if signo - first <= last - signo => Some(format!("RTMIN+{}", signo - first).into()),
        _ => Some(format!("RTMAX-{}", last - signo).into()),
    }
}

/// The number of a signal by its name, with or without `SIG`: the reverse of [`signal_name`].
pub fn signal_number(name: &str) -> Option<i32> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let known = NAMED.iter().map(|(number, name, ..)| (*number, *name));
    let named = known.chain(ALIASES).find(|(_, known)| *known == name);
    if let Some((number, _)) = named {
        return Some(number);
    }
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(""), _) => first,
        (_, Some("")) => last,
        (Some(more), _) => first.checked_add(distance(more.strip_prefix('+')?)?)?,
        (_, Some(less)) => last.checked_sub(distance(less.strip_prefix('-')?)?)?,
        _ => return None,
    };
    (first..=last).contains(&number).then_some(number)
}

/// Digits alone: `parse` would take a sign too.
fn distance(digits: &str) -> Option<i32> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse::<u8>().ok())?.map(i32::from)
}

/// The number of a signal as a person writes it: `USR1`, `SIGUSR1`, `10`, `RTMIN+1`, `RTMAX-2`. `None`
/// for what is no signal, for 0, and for the numbers that have no name.
pub fn signal_named(word: &str) -> Option<i32> {
    let number = distance(word).or_else(|| signal_number(word))?;
    signal_name(number).map(|_| number)
}

/// Every way in which [`signal_named`] knows a signal, but for `SIG` before a name.
pub fn spellings() -> Vec<String> {
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    let more = (1..=last - first).map(|n| format!("RTMIN+{n}"));
    let less = (1..=last - first).map(|n| format!("RTMAX-{n}"));
    let mut all: Vec<String> = signals()
        .flat_map(|signal| [signal.name.into_owned(), signal.number.to_string()])
        .chain(ALIASES.iter().map(|(_, name)| name.to_string()))
        .chain(more.chain(less))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
