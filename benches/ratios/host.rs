//! What is run: ipcsh, the references in C, and many queues for as long as they are needed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

/// Says that this process has an IPC namespace of its own.
const ISOLATED: &str = "IPCSH_BENCH_ISOLATED";

/// Runs this program again in an IPC namespace of its own, so that nothing else on the host
/// counts or is counted, and where it may in a PID namespace too: what looks at every
/// process then sees only ours. `None` where it already has one, or cannot have one.
pub fn isolated() -> Option<ExitCode> {
    if std::env::var_os(ISOLATED).is_some() {
        return None;
    }
    let me = std::env::current_exe().ok()?;
    let user = ["--user", "--map-root-user", "--ipc"];
    let processes = ["--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"];
    for how in [&processes[..], &["--ipc"], &user] {
        let may = Command::new("unshare").args(how).arg("true").output();
        if may.is_ok_and(|ran| ran.status.success()) {
            let mut again = Command::new("unshare");
            again.args(how).arg(me).args(std::env::args_os().skip(1));
            let status = again.env(ISOLATED, "1").status().ok()?;
            return Some(ExitCode::from(status.code().unwrap_or(1) as u8));
        }
    }
    println!("no IPC namespace of its own: objects of others count");
    None
}

/// A program with its arguments, to be run and timed.
#[derive(Debug)]
pub struct Program(Command);

impl Program {
    pub fn new(path: &str) -> Program {
        Program(Command::new(path))
    }

    pub fn args(mut self, args: &[&str]) -> Program {
        self.0.args(args);
        self
    }

    /// The same, with all its processes on one core.
    pub fn on_one_core(self) -> Program {
        let mut pinned = Command::new("taskset");
        pinned.args(["-c", "0"]).arg(self.0.get_program());
        pinned.args(self.0.get_args());
        Program(pinned)
    }

    /// Runs it with its output thrown away; how long it took.
    pub fn seconds(mut self) -> f64 {
        self.0.stdin(Stdio::null()).stdout(Stdio::null());
        let begun = Instant::now();
        let status = self.0.status();
        let seconds = begun.elapsed().as_secs_f64();
        assert!(
            status.as_ref().is_ok_and(|s| s.success()),
            "{:?}: {status:?}",
            self.0
        );
        seconds
    }

    /// What it writes.
    pub fn output(mut self) -> String {
        match self.0.stdin(Stdio::null()).output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(e) => panic!("{:?}: {e}", self.0),
        }
    }
}

/// A directory with what is needed, removed at the end.
#[derive(Debug)]
pub struct Host {
    directory: tempfile::TempDir,
}

impl Host {
    /// Builds the references; the error says why that cannot be. ipcsh is copied, as it is
    /// installed: what the linker has just written lies in memory in small pieces, and
    /// starts slower.
    pub fn new() -> Result<Host, String> {
        let directory = tempfile::tempdir().map_err(|e| e.to_string())?;
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/ratios/reference.c");
        let host = Host { directory };
        let built = Command::new("cc")
            .args(["-O2", "-o"])
            .args([host.path("reference").as_os_str(), source.as_ref()])
            .status();
        let copied = std::fs::copy(env!("CARGO_BIN_EXE_ipcsh"), host.path("ipcsh"));
        copied.map_err(|e| format!("ipcsh: {e}"))?;
        match built {
            Ok(status) if status.success() => Ok(host),
            Ok(status) => Err(format!("cc: {status}")),
            Err(e) => Err(format!("cc: {e}")),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file; its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the temporary directory can be written");
        path.to_string_lossy().into_owned()
    }

    pub fn ipcsh(&self, args: &[&str]) -> Program {
        Program::new(&self.path("ipcsh").to_string_lossy()).args(args)
    }

    pub fn reference(&self, what: &str, with: &str) -> Program {
        Program::new(&self.path("reference").to_string_lossy()).args(&[what, with])
    }

    /// Whether a program is there.
    pub fn has(&self, program: &str) -> bool {
        let mut asked = Command::new(program);
        let asked = asked.arg("--version").stdout(Stdio::null());
        asked.stderr(Stdio::null()).status().is_ok()
    }

    /// How many processes ipcsh starts; `None` where strace is not there to tell.
    pub fn processes_of(&self, args: &[&str]) -> Option<usize> {
        let log = self.file("strace", "");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-e", "trace=process", "-o", &log]);
        strace.arg(env!("CARGO_BIN_EXE_ipcsh")).args(args);
        let ran = strace.stdout(Stdio::null()).status();
        ran.ok().filter(|status| status.success())?;
        let log = std::fs::read_to_string(log).ok()?;
        let starts = ["clone(", "clone3(", "fork("];
        let is_start = |line: &&str| starts.iter().any(|call| line.contains(call));
        Some(log.lines().filter(is_start).count())
    }

    /// Makes queues, which are there until the guard is dropped or this process is gone.
    pub fn queues(&self, count: usize) -> Result<Kept, String> {
        let queues = self.keep("queues", count)?;
        match queues.id {
            ..0 => Err(format!("{count} queues cannot be made: see msgmni")),
            _ => Ok(queues),
        }
    }

    /// Starts processes with eight descriptors each, which wait until the guard is dropped.
    pub fn processes(&self, count: usize) -> Result<Kept, String> {
        self.keep("processes", count)
    }

    fn keep(&self, what: &str, count: usize) -> Result<Kept, String> {
        let mut maker = Command::new(self.path("reference"))
            .args([what, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut line = String::new();
        if let Some(output) = maker.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(|e| e.to_string())?;
        }
        let id = line.trim().parse().unwrap_or(-1);
        Ok(Kept { maker, id })
    }
}

/// What another process keeps.
#[derive(Debug)]
pub struct Kept {
    maker: Child,
    /// Of queues, the last one's id.
    pub id: i32,
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Its standard input ends, and so does what it keeps.
        drop(self.maker.stdin.take());
        let _ = self.maker.wait();
    }
}
