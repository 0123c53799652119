//! Signals, held against bash, Python and /proc/PID/status.

mod harness;
mod terminal;

use std::process::{Child, Command};

use harness::{has, passes, run, script};
use terminal::Terminal;

/// A process that is not of any session.
struct Other(Child);

impl Other {
    fn start() -> Other {
        let sleeps = Command::new("sleep").arg("1000").spawn();
        Other(sleeps.unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn names_and_numbers_are_those_of_bash() {
    if !has("bash") {
        return;
    }
    let mut text = String::new();
    for number in (1..=64).filter(|n| !(32..34).contains(n)) {
        let bash = Command::new("bash")
            .args(["-c", &format!("kill -l {number}")])
            .output()
            .unwrap();
        let name = String::from_utf8_lossy(&bash.stdout).trim().to_string();
        assert!(!name.is_empty(), "{number}");
        text.push_str(&format!(
            "kill -l {number} => \"{name}\"\nkill -l {name} => {number}\nkill -l SIG{name} => {number}\n"
        ));
    }
    passes(&text);
}

#[test]
fn who_is_caught_is_told_with_the_sender_and_the_value() {
    // The sh that a command runs in is no actor; kill is a builtin of it.
    let ran = passes(
        "b: trap USR1 RTMIN+1\n!echo $$ > $WORK/pid; kill -USR1 ${b.pid}\nlet from = !cat $WORK/pid\n\
         expect actor.b.signals.USR1 == 1 within 30s\nexpect actor.b.signals.USR2 == 0\n\
         kill -RTMIN+1 b value=-7\nexpect actor.b.signals.RTMIN+1 == 1 within 30s\necho $from ${me.pid}",
    );
    let said = ran
        .out
        .lines()
        .find_map(|l| l.strip_prefix("# ")?.split_once(' '));
    let pids = ran
        .out
        .lines()
        .rfind(|l| l.starts_with("# ") && !l.contains("caught"));
    assert!(said.is_some(), "{}", ran.out);
    let (sh, me) = pids.unwrap()[2..].split_once(' ').unwrap();
    let uid = ipcsh::kernel::process::geteuid();
    for line in [
        format!("# b caught SIGUSR1 from pid {sh}, uid {uid}"),
        format!("# b caught SIGRTMIN+1 from me (pid {me}, uid {uid}), value -7"),
    ] {
        assert!(ran.out.lines().any(|l| l == line), "{line}\n{}", ran.out);
    }
    // What comes last is told too: in JSON by fields.
    let ran = run(
        &["--json", "-"],
        b"b: trap USR1\nkill -USR1 b value=9\nexpect actor.b.signals.USR1 == 1 within 30s",
    );
    let line = ran.out.lines().find(|l| l.contains("\"kind\":\"caught\""));
    let line = line.unwrap_or_else(|| panic!("{}\n{}", ran.out, ran.err));
    for part in [
        "\"actor\":\"b\"",
        "\"signal\":\"SIGUSR1\"",
        "\"sender\":\"me\"",
        "\"value\":9",
    ] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn python_sends_a_value_and_is_sent_one() {
    if !has("python3") {
        return;
    }
    let sigqueue = "import ctypes, sys, os; os.kill(int(sys.argv[1]), 10); \
        ctypes.CDLL(None).sigqueue(int(sys.argv[1]), 36, ctypes.c_void_p(7))";
    let ran = passes(&format!(
        "b: trap 36 USR1\n!python3 -c '{sigqueue}' ${{b.pid}}\n\
         expect actor.b.signals.36 == 1 within 30s\nexpect actor.b.signals.USR1 == 1 within 30s"
    ));
    let shown =
        |l: &str| l.starts_with("# b caught SIGRTMIN+2 from pid ") && l.ends_with(", value 7");
    assert!(ran.out.lines().any(shown), "{}", ran.out);

    // Python, which is a child of the shell, so of the session, tells what it was sent.
    let wait = "import signal, os; s = {signal.SIGUSR1}; signal.pthread_sigmask(signal.SIG_BLOCK, s); \
        open(os.environ[\"WORK\"] + \"/pid.new\", \"w\").write(str(os.getpid())); \
        os.rename(os.environ[\"WORK\"] + \"/pid.new\", os.environ[\"WORK\"] + \"/pid\"); \
        i = signal.sigwaitinfo(s); print(i.si_signo, i.si_pid, i.si_uid, i.si_code, flush=True)";
    let ran = passes(&format!(
        "!exec python3 -c '{wait}' > $WORK/got &\n!until [ -s $WORK/pid ]; do sleep 0.01; done\n\
         let p = !cat $WORK/pid\nkill -0 $p\nkill -USR1 $p value=5\n\
         !until [ -s $WORK/got ]; do sleep 0.01; done\n!cat $WORK/got; echo ${{me.pid}}"
    ));
    let lines: Vec<&str> = ran.out.lines().rev().take(2).collect();
    let me = lines[0].trim_start_matches("# ");
    let uid = ipcsh::kernel::process::geteuid();
    // SI_QUEUE is -1.
    assert_eq!(lines[1], format!("# 10 {me} {uid} -1"), "{}", ran.out);
}

#[test]
fn what_is_blocked_pending_ignored_and_caught_is_what_proc_says() {
    let look = "!grep -E '^S(ig|hd)[A-Z]' /proc/${b.pid}/status\n";
    let ran = passes(&format!(
        "b: sig block USR1\nb: trap USR2\nb: trap HUP --ignore\nb: trap RTMIN+1 --restart\n{look}\
         kill -USR1 b\n{look}b: sig pending => signals=USR1\nsig info b\n\
         b: trap HUP USR2 RTMIN+1 --default\nb: trap USR1 --ignore\n{look}b: sig pending => ok\n\
         b: sig unblock USR1\n{look}"
    ));
    let masks = |line: &str| -> Vec<u64> {
        let lines = ran
            .out
            .lines()
            .filter_map(|l| l.strip_prefix("# ")?.strip_prefix(line));
        lines
            .map(|mask| u64::from_str_radix(mask.trim(), 16).unwrap())
            .collect()
    };
    // kill(2) leaves it with the process, who sends to a thread with that.
    let pending: Vec<u64> = masks("SigPnd:")
        .iter()
        .zip(masks("ShdPnd:"))
        .map(|(a, b)| a | b)
        .collect();
    let bit = |signo: i32| 1u64 << (signo - 1);
    let (usr1, usr2) = (bit(libc::SIGUSR1), bit(libc::SIGUSR2));
    // To ignore a signal drops it.
    assert_eq!(pending, [0, usr1, 0, 0], "{}", ran.out);
    assert_eq!(masks("SigBlk:"), [usr1, usr1, usr1, 0], "{}", ran.out);
    let caught = usr2 | bit(libc::SIGRTMIN() + 1);
    let found: Vec<u64> = masks("SigCgt:").iter().map(|m| m & caught).collect();
    assert_eq!(found, [caught, caught, 0, 0], "{}", ran.out);
    let ignored = usr1 | bit(libc::SIGHUP);
    let found: Vec<u64> = masks("SigIgn:").iter().map(|m| m & ignored).collect();
    let hup = bit(libc::SIGHUP);
    assert_eq!(found, [hup, hup, usr1, usr1], "{}", ran.out);
    for row in [
        "# pending  USR1\n",
        "# blocked  USR1\n",
        "# ignored  HUP",
        "# no signal is pending\n",
    ] {
        assert!(ran.out.contains(row), "{row}\n{}", ran.out);
    }
}

#[test]
fn standard_signals_coalesce_and_real_time_ones_queue_in_order() {
    // Sent from outside, all of them, before one is taken.
    passes(
        "b: sig block USR1 RTMIN+1 RTMIN\n\
         !for i in 1 2 3 4 5; do kill -USR1 ${b.pid}; kill -35 ${b.pid}; done\n\
         kill -RTMIN+1 b value=1\nkill -RTMIN b value=2\nkill -RTMIN+1 b value=3\n\
         b: sig wait RTMIN RTMIN+1 => signal=RTMIN value=2\n\
         repeat 5 { b: sig wait RTMIN+1 => signal=RTMIN+1 }\n\
         b: sig wait RTMIN+1 => value=1\nb: sig wait RTMIN+1 => value=3\n\
         b: sig wait RTMIN+1 timeout=1ms => EAGAIN\n\
         b: sig wait USR1 => signal=USR1\nb: sig wait USR1 timeout=1ms => EAGAIN",
    );
    let ran = passes(
        "b: sig block USR1 RTMIN\nb: trap USR1 RTMIN\nrepeat 5 { kill -USR1 b }\n\
         kill -RTMIN b value=1\nkill -RTMIN b value=2\nkill -RTMIN b value=3\n\
         expect actor.b.signals.RTMIN == 0\nb: sig unblock USR1 RTMIN\n\
         expect actor.b.signals.USR1 == 1 within 30s\nexpect actor.b.signals.RTMIN == 3 within 30s",
    );
    let values: Vec<&str> = ran
        .out
        .lines()
        .filter(|l| l.contains("caught SIGRTMIN"))
        .filter_map(|l| l.rsplit(' ').next())
        .collect();
    assert_eq!(values, ["1", "2", "3"], "{}", ran.out);
}

#[test]
fn a_blocked_call_is_interrupted_or_goes_on_as_the_trap_says() {
    // System V's calls are never restarted, whatever the trap says.
    for (setup, blocked, goes_on) in [
        ("pipe create p", "pipe read p", true),
        ("mkfifo $WORK/f", "fifo open $WORK/f r", true),
        ("sock listen $WORK/s name=l", "sock accept l", true),
        ("msgq create q", "msgq recv q", false),
        ("sem create s 0", "sem p s", false),
    ] {
        let call = blocked.split(' ').next().unwrap();
        let way = match goes_on {
            true => "expect actor.b.signals.USR2 == 1 within 30s\n\
                     expect actor.b.state == blocked within 30s\n!kill -USR1 ${b.pid}\n"
                .to_string(),
            false => String::new(),
        };
        passes(&format!(
            "{setup}\nb: trap USR1\nb: trap USR2 --restart\nb: {blocked} ...\n\
             !kill -USR2 ${{b.pid}}\n{way}b: ... => EINTR\necho {call}"
        ));
    }
}

#[test]
fn who_is_not_of_the_session_is_hit_only_with_force() {
    let mut other = Other::start();
    let pid = other.pid();
    let ran = script(&format!("kill {pid}"));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in ["is not of this session", "Say --force"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    // To ask is no harm, and none is hit where one is guarded.
    passes(&format!(
        "kill -0 {pid}\nb: trap USR1\nkill -USR1 b {pid} => error\nkill -USR1 b\n\
         expect actor.b.signals.USR1 == 1 within 30s"
    ));
    for (target, part) in [
        ("-TERM 1", "pid 1 is the first process"),
        ("0", "every process of the actor's group"),
        ("-KILL -1", "every process that you may signal"),
        ("-TERM -2147483647", "a whole process group"),
    ] {
        let ran = script(&format!("kill {target}"));
        assert_eq!(ran.code, Some(1), "{target}: {}", ran.err);
        assert!(ran.err.contains(part), "{target}: {}", ran.err);
    }
    assert!(other.lives());
    passes(&format!("kill -KILL {pid} --force"));
    let ended = other.0.wait().unwrap();
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(ended.signal(), Some(9));
    // A number that no process has: that of the one that ended may be another's by now.
    let none = i32::MAX;
    passes(&format!(
        "kill {none} --force => ESRCH\nkill {none} => ESRCH\nkill -0 {none} => ESRCH"
    ));
    // What a command of this session is, is of this session.
    passes(
        "!echo $$ > $WORK/pid; exec sleep 1000 &\n!until [ -s $WORK/pid ]; do sleep 0.01; done\n\
         let p = !cat $WORK/pid\nkill $p",
    );
}

#[test]
fn the_prompt_asks_before_it_hits_who_is_not_of_the_session() {
    let mut other = Other::start();
    let pid = other.pid();
    let mut t = Terminal::start(&[]);
    let question = "send the signal all the same? [y/N]";
    for (target, what) in [
        (
            format!("{pid}"),
            format!("process {pid} is not of this session"),
        ),
        ("-TERM 1".into(), "pid 1 is the first process".into()),
        ("0".into(), "0 is every process of the actor's group".into()),
        ("-TERM -1".into(), "-1 is every process that you may".into()),
    ] {
        for no in ["n", "\r", terminal::CTRL_C] {
            t.line(&format!("kill {target}"));
            t.until("the question", |t| t.last() == question);
            assert!(t.screen().contents().contains(&what), "{what}");
            t.type_(no);
            t.until_text("not sent");
            t.until_prompt();
            t.type_("\x0c");
            t.until("a clear screen", |t| t.lines().len() == 1);
        }
    }
    assert!(other.lives());
    // Ours are hit, and anybody is asked for, without a question.
    t.run(
        &format!("b: trap USR1; kill -USR1 b; kill -0 {pid}"),
        "=> ok",
    );
    t.run(&format!("kill -STOP {pid} --force"), "=> ok");
    t.run(&format!("kill -CONT {pid} --force"), "=> ok");
    // In a loop too, and once.
    t.line(&format!("repeat 1 {{ kill -TERM {pid} }}"));
    t.until("the question", |t| t.last() == question);
    t.type_("y");
    t.until_prompt();
    t.until_gone("the end of it", || {
        ipcsh::inspect::process::thread_stat(pid as i32, pid as i32).is_ok_and(|s| s.is_dead())
    });
}

#[test]
fn an_actor_that_was_started_again_is_the_one_that_is_meant() {
    passes(
        "b: trap TERM\nkill -KILL b\nexpect actor.b.state == dead within 30s\n\
         kill b => ESRCH\nkill -0 b => ESRCH\nb: trap TERM\nkill -0 b\nkill b\n\
         expect actor.b.signals.TERM == 1 within 30s",
    );
}

#[test]
fn what_is_no_signal_is_a_mistake_before_anything_runs() {
    for (text, part) in [
        ("kill -USR3 me", "did you mean `USR1`?"),
        ("kill -usr1 me", "did you mean `USR1`?"),
        ("kill -FOO me", "there is no signal `FOO`"),
        ("kill -s FOO me", "there is no signal `FOO`"),
        ("kill -65 me", "there is no signal `65`"),
        ("trap SIGFOO", "there is no signal `SIGFOO`"),
        ("trap 0", "there is no signal `0`"),
        ("trap sigterm", "did you mean `TERM`?"),
        ("sig wait 33", "there is no signal `33`"),
        ("sig block RTMIN+31", "there is no signal `RTMIN+31`"),
        ("sig unblock SIG10", "there is no signal `SIG10`"),
        ("sig ls FOO", "`sig ls` lists them"),
        ("msgq notify /q USR9", "did you mean `USR1`?"),
        ("expect actor.me.signals == 1", "no field `signals`"),
        ("expect actor.me.signals.USR9 == 1", "did you mean `USR1`?"),
        ("kill", "needs the argument TARGET"),
        ("kill -USR1", "needs the argument TARGET"),
        ("kill -s USR2", "needs the argument TARGET"),
        ("kill -USR1 -s USR2", "are not given together"),
    ] {
        for args in [["--", "-"], ["--check", "-"]] {
            let ran = run(&args, format!("echo first\n{text}").as_bytes());
            assert_eq!(ran.code, Some(2), "{text}: {}", ran.err);
            assert!(ran.err.contains(part), "{text}: {}", ran.err);
            assert_eq!(ran.out, "", "{text}");
        }
    }
    // Every spelling that there is, is one.
    passes("trap SIGUSR1 10 USR2 POLL SIGIOT RTMIN RTMIN+29 RTMAX-1 63");
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    for (text, code, part) in [
        ("sig block KILL", 2, "SIGKILL cannot be blocked"),
        ("sig block USR1 STOP", 2, "SIGSTOP cannot be blocked"),
        ("sig wait KILL", 2, "SIGKILL cannot be blocked"),
        ("trap RTMAX", 2, "SIGRTMAX is the shell's own"),
        ("sig wait RTMAX", 2, "SIGRTMAX is the shell's own"),
        ("sig block 64", 2, "SIGRTMAX is the shell's own"),
        ("kill nobody", 2, "`nobody` is neither an actor nor a pid"),
        ("bob: trap USR1\nkill bop", 2, "did you mean `bob`?"),
        (
            "let who = \"bop\"\nbob: trap USR1\nkill $who",
            1,
            "Did you mean `bob`?",
        ),
        (
            "sig info me",
            1,
            "`me` does not run: its first step starts it",
        ),
    ] {
        let ran = script(text);
        assert_eq!(ran.code, Some(code), "{text}: {}", ran.err);
        assert!(ran.err.contains(part), "{text}: {}", ran.err);
    }
    passes(
        "trap KILL => EINVAL\ntrap STOP --ignore => EINVAL\nsig info 2147483647 => ESRCH\n\
         kill -RTMIN 0 value=1 --force => EINVAL",
    );
    passes("sig unblock KILL\nkill -0 me");
}

#[test]
fn help_and_kill_l_say_what_the_signals_are() {
    for topic in ["SIGUSR1", "USR1", "usr1"] {
        let ran = run(&["-c", &format!("help {topic}")], b"");
        assert!(ran.out.contains("SIGUSR1 is signal 10"), "{}", ran.out);
        assert!(ran.out.contains("ends the process"), "{}", ran.out);
    }
    // Commands keep their names.
    let ran = run(&["-c", "help kill"], b"");
    assert!(ran.out.contains("kill [-SIGNAL]"), "{}", ran.out);
    let ran = run(&["-c", "help KILL"], b"");
    assert!(ran.out.contains("SIGKILL is signal 9"), "{}", ran.out);
    assert!(!ran.out.contains("trap KILL"), "{}", ran.out);
    let ran = run(&["-c", "kill -l"], b"");
    assert_eq!(ran.out.lines().count(), 62, "{}", ran.out);
    for line in [
        " 9 KILL       term  ends it for certain",
        "17 CHLD       ign   a child has ended",
        "34 RTMIN      term  real-time",
    ] {
        assert!(ran.out.lines().any(|l| l.starts_with(line)), "{}", ran.out);
    }
}

#[test]
fn a_fault_that_was_sent_ends_an_actor() {
    for signal in ["SEGV", "BUS"] {
        passes(&format!(
            "b: sig wait USR1 ...\nkill -{signal} b\nb: ... => died\nc: sig pending\n\
             kill -{signal} c\nexpect actor.c.state == dead within 5s"
        ));
    }
}

#[test]
fn an_idle_actor_that_is_stopped_is_seen_stopped() {
    passes(
        "spawn q\nkill -STOP q\nexpect actor.q.state == stopped within 5s\nkill -CONT q\n\
         expect actor.q.state == idle within 5s\nq: sig pending => ok",
    );
}

#[test]
fn what_is_made_to_hit_a_process_is_what_is_told() {
    let other = Other::start();
    let mut group = Other::start();
    let ran = script(&format!(
        "kill -0 {}\nkill -99 {} --force",
        other.pid(),
        other.pid()
    ));
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    // A group that there is not; a thread that is no process.
    let ran = script("kill --force -USR1 -2147483647 => ESRCH");
    assert!(
        ran.out.contains("kill(-2147483647, SIGUSR1) = ESRCH"),
        "{}",
        ran.out
    );
    let ran = script("kill --force -USR1 2147483647 => ESRCH");
    let said = "pidfd_send_signal(2147483647, SIGUSR1) = ESRCH";
    assert!(ran.out.contains(said), "{}", ran.out);
    passes(&format!("kill --force -KILL {}", group.pid()));
    assert!(!group.0.wait().unwrap().success());
}

/// A step under its name found one that was about to go, or a new one, as luck would have it.
#[test]
fn who_was_killed_is_gone_when_the_step_has_ended() {
    for signal in ["-9", "-TERM", "-s SEGV"] {
        for _ in 0..5 {
            let ran = passes(&format!(
                "sem create s 1\nc: sem get s\nkill {signal} c\nc: sem get s => 1"
            ));
            assert_eq!(ran.out.matches("started c").count(), 2, "{}", ran.out);
        }
    }
    // Who catches it stays.
    passes("c: trap TERM\nkill c\nexpect actor.c.signals.TERM == 1 within 10s\nc: sig pending");
}

/// What waits for a signal is not ended by it, and so nobody waits for its end: a step that only stands
/// still is given a second here.
#[test]
fn who_sends_what_is_waited_for_does_not_wait() {
    let once = "b: sig wait USR1 RTMIN+1 ...\nkill -USR1 b\nb: ... => signal=USR1\n\
                b: sig wait USR1 RTMIN+1 ...\nkill -RTMIN+1 b value=42\n\
                b: ... => signal=RTMIN+1 value=42\n";
    passes(&format!("timeout step 1s\nspawn b\n{}", once.repeat(3)));
}
