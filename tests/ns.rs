//! Other namespaces are listed and looked into; who is in them is the witness.

mod harness;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use harness::{Ran, has, program, run, until};
use nix::unistd::geteuid;
use serde_json::Value;

/// What every one of them has: a queue with a message, and somebody who waits there for another; a
/// set; a POSIX queue; a `/dev/shm` of its own with a segment; an abstract socket.
const CODE: &str = "
import ctypes, os, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
rt = libc if hasattr(libc, 'mq_open') else ctypes.CDLL('librt.so.1')
def read(path): return open(path).read()
def words(path): return ' '.join(read(path).split())
assert os.system('mount -t tmpfs none /dev/shm && mount --make-rshared /') == 0
q = libc.msgget(KEY, 0o1600)
s = libc.semget(KEY, 2, 0o1600)
assert q >= 0 and s >= 0
libc.msgsnd(q, (7).to_bytes(8, 'little') + b'hello', 5, 0)
open('/dev/shm/NAME', 'w').write('x' * 99)
m = rt.mq_open(b'/NAME', os.O_CREAT | os.O_RDWR, 0o600, None)
x = socket.socket(socket.AF_UNIX); x.bind('\\0NAME'); x.listen(3)
try: open('/proc/sys/kernel/msgmax', 'w').write('4321')
except OSError: pass
room = ctypes.create_string_buffer(100)
threading.Thread(target=lambda: libc.msgrcv(q, room, 90, 99, 0), daemon=True).start()
print(q, flush=True)
for line in sys.stdin: print(eval(line), flush=True)
";

/// A process in namespaces of its own.
struct Elsewhere {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Its pid, as we see it.
    pid: u32,
    name: String,
    key: u32,
    queue: String,
}

impl Elsewhere {
    /// Starts one. `None` where that may not be done, which is said.
    fn new(wrapper: &[&str], options: &[&str]) -> Option<Elsewhere> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if !has("unshare") || !has("python3") {
            return None;
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let key = 0x6000_0000 | (std::process::id() & 0xffff) << 8 | number;
        let name = format!("ipcsh-ns-{}-{number}", std::process::id());
        let code = CODE.replace("KEY", &key.to_string()).replace("NAME", &name);
        let mut words = wrapper.to_vec();
        words.extend(["unshare", "--ipc", "--net", "--mount"]);
        if !geteuid().is_root() || !wrapper.is_empty() {
            words.extend(["--user", "--map-root-user"]);
        }
        words.extend(options);
        words.extend(["python3", "-c", &code]);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let mut queue = String::new();
        answers.read_line(&mut queue).unwrap();
        if queue.is_empty() {
            let mut why = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut why)
                .unwrap();
            child.wait().unwrap();
            eprintln!("skipped: {}", why.trim());
            return None;
        }
        let forked = options.contains(&"--fork");
        Some(Elsewhere {
            pid: if forked {
                child_of(child.id())
            } else {
                child.id()
            },
            asks: child.stdin.take().unwrap(),
            answers,
            child,
            name,
            key,
            queue: queue.trim().to_string(),
        })
    }

    /// What a Python expression comes to in there.
    fn ask(&mut self, expression: &str) -> String {
        writeln!(self.asks, "{expression}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().to_string()
    }

    /// A command, looking from in there.
    fn looks(&self, command: &str) -> String {
        format!("{command} --ns {}", self.pid)
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // With a pid namespace of its own, all in it end with its first process.
        let _ = ipcsh::kernel::process::kill(self.pid as i32, libc::SIGKILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn child_of(parent: u32) -> u32 {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.contains(&format!("\nPPid:\t{parent}\n"))
    };
    pids.find(is_child).unwrap()
}

/// What a command shows: its events.
#[track_caller]
fn events(ran: Ran) -> Vec<Value> {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let events = ran.out.lines().map(|l| serde_json::from_str(l).unwrap());
    events.collect()
}

/// The rows of this kind that a command shows.
#[track_caller]
fn rows(command: &str, kind: &str) -> Vec<Value> {
    let mut all = events(run(&["--json", "-c", command], b""));
    all.retain(|e| e["kind"] == kind);
    all
}

/// What is in there is seen from inside, and not from here.
#[track_caller]
fn is_seen(elsewhere: &mut Elsewhere, all: impl Fn(&str) -> Vec<Value>) {
    let (key, name) = (elsewhere.key, elsewhere.name.clone());
    let id: i64 = elsewhere.queue.parse().unwrap();
    let inside = all(&elsewhere.looks("ipcs -A"));
    let here = all("ipcs -A");
    let find = |rows: &[Value], kind: &str, field: &str, value: &Value| {
        let is_it = |e: &&Value| e["kind"] == kind && e[field] == *value;
        rows.iter().find(is_it).cloned()
    };
    let text = Value::String;
    for (kind, field, value) in [
        ("msgq", "key", Value::from(key)),
        ("sem", "key", Value::from(key)),
        ("msgq", "name", text(format!("/{name}"))),
        ("shm", "name", text(format!("/{name}"))),
        ("sock", "address", text(format!("@{name}"))),
    ] {
        assert!(
            find(&inside, kind, field, &value).is_some(),
            "{kind}: {inside:#?}"
        );
        assert_eq!(find(&here, kind, field, &value), None, "{kind}");
    }
    let queue = find(&inside, "msgq", "key", &key.into()).unwrap();
    assert_eq!(
        (&queue["id"], &queue["qnum"], &queue["cbytes"]),
        (&id.into(), &1.into(), &5.into())
    );
    assert_eq!(queue["lspid"], elsewhere.pid, "in the pids of here");
    let segment = find(&inside, "shm", "name", &format!("/{name}").into()).unwrap();
    assert_eq!(segment["size"], 99);
}

#[test]
fn what_is_in_other_namespaces_is_seen_from_inside() {
    let Some(mut there) = Elsewhere::new(&[], &[]) else {
        return;
    };
    // All mounts in there are shared, so that one that is made in a copy would come back.
    let objects =
        "words('/proc/sysvipc/msg'), words('/proc/sysvipc/sem'), read('/proc/self/mountinfo')";
    let told = there.ask(objects);
    assert!(told.contains("shared:"), "{told}");
    is_seen(&mut there, |command| {
        events(run(&["--json", "-c", command], b""))
    });
    let queue = format!("msgq.id:{}", there.queue);
    let ran = run(&["-c", &there.looks(&format!("peek {queue}"))], b"");
    assert_eq!(
        (ran.out.as_str(), ran.code),
        ("type=7 \"hello\"\n", Some(0)),
        "{ran:?}"
    );
    // Nothing in there has changed.
    assert_eq!(there.ask(objects), told);
}

#[test]
fn every_command_that_looks_can_look_from_inside() {
    let Some(mut there) = Elsewhere::new(&[], &[]) else {
        return;
    };
    let (pid, id) = (there.pid, there.queue.clone());
    let mut waits = Vec::new();
    let call = format!("msgrcv id:{id} type 99");
    until("the receiver waits", || {
        waits = rows(&there.looks("why"), "why");
        waits.iter().any(|w| w["call"] == call.as_str())
    });
    // Nobody else is in there: not this shell, its helper, or who waits on the host.
    assert!(waits.iter().all(|w| w["pid"] == pid), "{waits:#?}");
    let who = rows(&there.looks(&format!("who msgq.id:{id}")), "who");
    assert!(
        who.iter().any(|w| w["how"] == "waiting" && w["pid"] == pid),
        "{who:#?}"
    );
    let msgmax: i64 = there
        .ask("words('/proc/sys/kernel/msgmax')")
        .parse()
        .unwrap();
    let limits = rows(&there.looks("limits"), "limit");
    let limit = limits.iter().find(|l| l["name"] == "msgmax").unwrap();
    assert_eq!(limit["value"], msgmax);
    let graph = run(&["-c", &there.looks("graph")], b"");
    assert!(graph.out.contains(&format!("{pid} python3")), "{graph:?}");
    let metrics = run(&["-c", &there.looks("metrics")], b"");
    let line = format!("ipc_msgq_messages{{id=\"{id}\",key=\"0x{:08x}\"", there.key);
    assert!(metrics.out.contains(&line), "{metrics:?}");
    let info = rows(&there.looks(&format!("msgq info id:{id}")), "msgq.info");
    assert!(
        info.iter().any(|i| i["field"] == "qnum" && i["value"] == 1),
        "{info:#?}"
    );
    let watched = run(
        &["-c", &format!("watch {} every 1s", there.looks("ipcs -q"))],
        b"",
    );
    assert!(
        watched.out.contains(&format!("0x{:08x}", there.key)),
        "{watched:?}"
    );
    let sockets = rows(&there.looks("sock ls"), "sock");
    assert_eq!(sockets.len(), 1, "{sockets:#?}");
    // What it says may be claimed and computed as ever.
    let script = format!(
        "let pid = {pid}\nmsgq create jobs\nlet seen = peek msgq.id:{id} --ns $pid\n\
         expect $seen == \"hello\"\nipcs --ns $pid => ok\n\
         msgq info jobs --ns $pid => error\nmsgq info id:{id} --ns $((pid + 0)) => ok"
    );
    harness::passes(&script);
}

#[test]
fn the_proc_of_another_pid_namespace_is_not_taken_for_ours() {
    let Some(mut there) = Elsewhere::new(&[], &["--pid", "--fork", "--mount-proc"]) else {
        return;
    };
    assert_eq!(there.ask("os.getpid()"), "1");
    is_seen(&mut there, |command| {
        events(run(&["--json", "-c", command], b""))
    });
    let who = rows(&there.looks(&format!("who msgq.id:{}", there.queue)), "who");
    let sender = who.iter().find(|w| w["how"] == "sent last").unwrap();
    assert_eq!(
        (&sender["pid"], &sender["command"]),
        (&there.pid.into(), &"python3".into())
    );
}

const AS_NOBODY: [&str; 4] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
];

/// The program under test as nobody; `None` where that may not be done, which is said.
fn as_nobody(arguments: &[&str]) -> Option<Ran> {
    if !geteuid().is_root() {
        eprintln!("skipped: not root");
        return None;
    }
    let output = Command::new(AS_NOBODY[0])
        .args(&AS_NOBODY[1..])
        .arg(program())
        .args(arguments)
        .current_dir("/")
        .output();
    match output {
        Ok(output) if output.status.code() != Some(126) => Some(output.into()),
        Ok(output) => {
            eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(e) => {
            eprintln!("skipped: setpriv: {e}");
            None
        }
    }
}

#[test]
fn who_made_a_user_namespace_needs_no_root() {
    if as_nobody(&["--version"]).is_none() {
        return;
    }
    for options in [&[][..], &["--pid", "--fork", "--mount-proc"]] {
        let Some(mut there) = Elsewhere::new(&AS_NOBODY, options) else {
            return;
        };
        is_seen(&mut there, |command| {
            events(as_nobody(&["--json", "-c", command]).unwrap())
        });
    }
}

#[test]
fn what_keeps_it_from_looking_is_said() {
    // Who is in ours sees what we see.
    let look = format!("ipcs --ns {}", std::process::id());
    let own = run(&["-c", "msgq create mine", "-c", &look], b"");
    assert_eq!(own.code, Some(0), "{own:?}");
    assert!(own.out.lines().any(|l| l.starts_with("mine ")), "{own:?}");
    let none = run(&["-c", "ipcs --ns 2147483647"], b"");
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(
        none.err
            .contains("pidfd_open(2147483647) = ESRCH: there is no process"),
        "{none:?}"
    );
    harness::passes("ipcs --ns 2147483647 => ESRCH");
    for (command, caret) in [
        ("ipcs --ns 0", "from 1 to"),
        ("ipcs --ns", "needs a value"),
        ("ipcs --ns x", "a process"),
    ] {
        let ran = run(&["-c", command], b"");
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(caret), "{ran:?}");
    }
    let Some(there) = Elsewhere::new(&[], &[]) else {
        return;
    };
    if let Some(ran) = as_nobody(&["-c", &there.looks("ipcs")]) {
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.err.contains("= EACCES: process"), "{ran:?}");
    }
}

/// A cat(1) that waits, in the namespaces that these words make. `None` where that may not be done.
fn waiting(words: &[&str]) -> Option<Child> {
    let child = Command::new(words[0])
        .args(&words[1..])
        .arg("cat")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.ok()?;
    let comm = format!("/proc/{}/comm", child.id());
    let mut ended = None;
    until("cat runs", || {
        ended = child.try_wait().unwrap();
        ended.is_some() || std::fs::read_to_string(&comm).is_ok_and(|comm| comm == "cat\n")
    });
    if let Some(status) = ended {
        eprintln!("skipped: {words:?}: {status}");
        return None;
    }
    Some(child)
}

#[test]
fn who_may_not_join_is_told_the_call() {
    if as_nobody(&["--version"]).is_none() {
        return;
    }
    for (made, call) in [
        (&["unshare", "--ipc"][..], "setns(pid PID, ipc) = EPERM: "),
        (
            &["unshare", "--ipc", "--mount"],
            "open_tree(/proc) = EPERM: ",
        ),
    ] {
        let words = [made, &AS_NOBODY].concat();
        let Some(mut cat) = waiting(&words) else {
            return;
        };
        let ran = as_nobody(&["-c", &format!("ipcs --ns {}", cat.id())]).unwrap();
        cat.kill().unwrap();
        cat.wait().unwrap();
        assert_eq!(ran.code, Some(3), "{ran:?}");
        let call = call.replace("PID", &cat.id().to_string());
        assert!(ran.err.contains(&call), "{ran:?}");
        assert!(ran.err.contains("takes CAP_SYS_ADMIN"), "{ran:?}");
    }
}

#[test]
fn names_count_where_they_mean_the_same() {
    let made: &[&str] = match geteuid().is_root() {
        true => &["unshare", "--net"],
        false => &["unshare", "--user", "--map-root-user", "--net"],
    };
    let Some(mut cat) = waiting(made) else {
        return;
    };
    let pid = cat.id();
    harness::passes(&format!(
        "msgq create jobs\nmsgq send jobs 1 \"hi\"\nmsgq create /ipcsh-{pid}\nshm create seg 64\n\
         peek jobs --ns {pid} => \"hi\"\nmsgq info jobs --ns {pid}\nmsgq info --ns {pid}\n\
         shm info --ns {pid}\nmsgq info /ipcsh-{pid} --ns {pid}"
    ));
    cat.kill().unwrap();
    cat.wait().unwrap();
}

#[test]
fn namespaces_are_those_of_lsns() {
    let Some(there) = Elsewhere::new(&[], &[]) else {
        return;
    };
    let all = rows("ns", "ns");
    for kind in ["ipc", "mnt", "net"] {
        let link = std::fs::read_link(format!("/proc/{}/ns/{kind}", there.pid)).unwrap();
        let link = link.to_string_lossy().into_owned();
        let of = |e: &&Value| link == format!("{kind}:[{}]", e["id"]);
        let found = all
            .iter()
            .find(of)
            .unwrap_or_else(|| panic!("{link}: {all:#?}"));
        assert_eq!(found["type"], kind);
        assert_eq!(
            (&found["pid"], &found["processes"]),
            (&there.pid.into(), &1.into())
        );
        assert_eq!(
            (&found["command"], &found["ours"]),
            (&"python3".into(), &Value::Null)
        );
        let of_type = |e: &&Value| e["type"] == kind && e["ours"] == "yes";
        assert_eq!(all.iter().filter(of_type).count(), 1);
    }
    let only = rows("ns net", "ns");
    assert!(
        only.iter()
            .all(|e| e["type"] != "ipc" && e["type"] != "mnt"),
        "{only:#?}"
    );
    if !has("lsns") {
        return;
    }
    // It gives up where a process ends while it looks, as they do here all the time.
    let mut told = String::new();
    until("a whole list of lsns", || {
        let mut lsns = Command::new("lsns");
        let ran = lsns.args(["-n", "-r", "-o", "NS,TYPE,NPROCS,PID"]).output();
        let ran = ran.unwrap();
        told = String::from_utf8(ran.stdout).unwrap();
        ran.status.success() && !told.is_empty()
    });
    for row in all.iter().filter(|row| row["pid"] == there.pid) {
        let (id, kind) = (&row["id"], row["type"].as_str().unwrap());
        let line = format!("{id} {kind} 1 {}", there.pid);
        assert!(told.lines().any(|l| l == line), "{line}: {told}");
    }
}

/// A control group, which is removed with it.
struct Group(Vec<std::path::PathBuf>);

impl Group {
    fn new(names: &[&str]) -> std::io::Result<Group> {
        let mounts = std::fs::read_to_string("/proc/self/mounts")?;
        let mount = mounts.lines().find_map(|line| {
            let mut words = line.split(' ').skip(1);
            let path = words.next()?;
            (words.next()? == "cgroup2").then_some(path)
        });
        let mut path = std::path::PathBuf::from(mount.ok_or(std::io::ErrorKind::NotFound)?);
        let mut group = Group(Vec::new());
        for name in names {
            path.push(name);
            std::fs::create_dir(&path)?;
            group.0.push(path.clone());
        }
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            let _ = std::fs::remove_dir(path);
        }
    }
}

#[test]
fn a_container_is_told_by_its_control_group() {
    let own = format!("ipcsh-{}", std::process::id());
    let id = format!("{:012x}{:052x}", std::process::id(), 1);
    let group = match Group::new(&[&own, "docker", &id]) {
        Ok(group) => group,
        Err(e) => {
            eprintln!("skipped: no control group: {e}");
            return;
        }
    };
    let Some(there) = Elsewhere::new(&[], &[]) else {
        return;
    };
    let procs = group.0.last().unwrap().join("cgroup.procs");
    if let Err(e) = std::fs::write(procs, there.pid.to_string()) {
        eprintln!("skipped: no control group: {e}");
        return;
    }
    let all = rows("ns ipc", "ns");
    let found = all.iter().find(|e| e["pid"] == there.pid);
    let container = format!("docker:{}", &id[..12]);
    assert_eq!(found.unwrap()["container"], serde_json::json!([container]));
}

#[test]
fn a_namespace_without_a_process_is_listed_by_its_mount() {
    let name = format!("ipcsh-{}", std::process::id());
    let ip = |verb: &str| Command::new("ip").args(["netns", verb, &name]).output();
    match ip("add") {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
            return;
        }
        Err(e) => {
            eprintln!("skipped: ip: {e}");
            return;
        }
    }
    let all = rows("ns net", "ns");
    ip("delete").unwrap();
    let path = format!("/run/netns/{name}");
    let found = all.iter().find(|e| e["path"] == path.as_str());
    let found = found.unwrap_or_else(|| panic!("{all:#?}"));
    assert_eq!(
        (&found["processes"], &found["pid"]),
        (&0.into(), &Value::Null)
    );
}

#[test]
fn doctor_examines_and_cleans_in_there_and_not_here() {
    let Some(mut there) = Elsewhere::new(&[], &[]) else {
        return;
    };
    let key = there.key + 0x0100_0000;
    let child = format!(
        "os.system(\"python3 -c 'import ctypes; ctypes.CDLL(None).shmget({key}, 4096, 0o1600)'\")"
    );
    assert_eq!(there.ask(&child), "0");
    let id = there.ask(&format!("libc.shmget({key}, 0, 0)"));
    let label = format!("shm.id:{id}");
    let ran = run(&["--json", "-c", &there.looks("doctor")], b"");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let findings = ran
        .out
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap());
    let findings: Vec<Value> = findings.filter(|e| e["kind"] == "finding").collect();
    let found = findings.iter().find(|f| f["object"] == label.as_str());
    let found = found.unwrap_or_else(|| panic!("{findings:#?}"));
    let mend = format!("!nsenter -t {} -i ipcsh -c 'shm rm id:{id}'", there.pid);
    assert_eq!(found["mend"], mend, "what is typed here must not hit ours");
    let only = format!("doctor --clean key={key}");
    let dry = rows(&there.looks(&format!("{only} --dry-run")), "cleaned");
    assert_eq!(
        (dry.len(), &dry[0]["result"]),
        (1, &"would be removed".into())
    );
    assert_eq!(there.ask(&format!("libc.shmget({key}, 0, 0)")), id);
    // Here there is none of this key.
    assert!(rows(&only, "cleaned").is_empty());
    assert_eq!(there.ask(&format!("libc.shmget({key}, 0, 0)")), id);
    let cleaned = rows(&there.looks(&only), "cleaned");
    assert_eq!(
        (cleaned.len(), &cleaned[0]["result"]),
        (1, &"removed".into())
    );
    assert_eq!(there.ask(&format!("libc.shmget({key}, 0, 0)")), "-1");
}
