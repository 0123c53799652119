//! Processes and threads, their states, ages and owners: proc(5).

pub mod signals;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use crate::kernel::Errno;
use crate::kernel::process::{boot_time, kill};

// Flags in `flags` of proc_pid_stat(5), from the kernel's `sched.h`: of a kernel thread, of one that ends,
// and of one that a signal ends.
const PF_KTHREAD: u64 = 0x0020_0000;
const PF_EXITING: u64 = 0x4;
const PF_SIGNALED: u64 = 0x400;

/// What proc_pid_stat(5) says of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadStat {
    /// `R` running, `S` interruptible sleep, `D` uninterruptible, `T` stopped, `Z` zombie…
    pub state: char,
    /// The command's name, at most 15 bytes, chosen by the process itself: any bytes.
    pub comm: String,
    /// The parent's pid.
    pub ppid: i32,
    /// `PF_…` of the kernel's `sched.h`.
    pub flags: u64,
    /// Time in user mode, in clock ticks.
    pub utime: u64,
    /// Time in kernel mode, in clock ticks.
    pub stime: u64,
    /// When it started, in clock ticks since boot.
    pub starttime: u64,
}

impl ThreadStat {
    /// Whether it is a thread of the kernel's own: it makes no system calls.
    pub fn is_kernel_thread(&self) -> bool {
        self.flags & PF_KTHREAD != 0
    }

    /// Whether it is about to end, or has ended: it will not come back from the kernel.
    pub fn is_ending(&self) -> bool {
        self.is_dead() || self.flags & (PF_EXITING | PF_SIGNALED) != 0
    }

    /// Whether it has ended and only waits to be reaped.
    pub fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// The stat line of one thread; for a process, of its main thread (`tid` is `pid`).
pub fn thread_stat(pid: i32, tid: i32) -> io::Result<ThreadStat> {
    let bytes = read_record(format!("/proc/{pid}/task/{tid}/stat"))?;
    parse_stat(&bytes).ok_or_else(|| malformed("stat"))
}

/// The name may hold blanks, parentheses and newlines: it ends at the last `)`.
fn parse_stat(bytes: &[u8]) -> Option<ThreadStat> {
    let open = bytes.iter().position(|&b| b == b'(')?;
    let close = bytes.iter().rposition(|&b| b == b')')?;
    let comm = String::from_utf8_lossy(bytes.get(open + 1..close)?).into_owned();
    let rest = std::str::from_utf8(bytes.get(close + 1..)?).ok()?;
    // Fields are numbered in proc_pid_stat(5) from 1; the state is field 3.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    Some(ThreadStat {
        state: field(3)?.chars().next()?,
        comm,
        ppid: field(4)?.parse().ok()?,
        flags: field(9)?.parse().ok()?,
        utime: field(14)?.parse().ok()?,
        stime: field(15)?.parse().ok()?,
        starttime: field(22)?.parse().ok()?,
    })
}

/// How often a thread has got a processor: two equal counts say that it has not run in between.
/// The third number of `/proc/PID/task/TID/schedstat`, which costs a quarter of the status; where the
/// kernel does not count so, how often it has left one, by its own will (`voluntary_ctxt_switches`) or
/// not: proc_pid_status(5).
pub fn switches(pid: i32, tid: i32) -> io::Result<u64> {
    let counted = read_record(format!("/proc/{pid}/task/{tid}/schedstat"));
    if let Some(times @ 1..) = counted.ok().and_then(|bytes| parse_schedstat(&bytes)) {
        return Ok(times);
    }
    let status = read_record(format!("/proc/{pid}/task/{tid}/status"))?;
    parse_switches(&status).ok_or_else(|| malformed("status"))
}

fn parse_schedstat(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.split_ascii_whitespace().nth(2)?.parse().ok()
}

fn parse_switches(status: &[u8]) -> Option<u64> {
    let voluntary = status_number(status, b"voluntary_ctxt_switches:")?;
    Some(voluntary.wrapping_add(status_number(status, b"nonvoluntary_ctxt_switches:")?))
}

/// The first number behind a key at the start of a line. The kernel escapes newlines in
/// the one line a process chooses (`Name:`), so none of it can pass for a key.
fn status_number(status: &[u8], key: &[u8]) -> Option<u64> {
    numbers_of(status, key)?.next()
}

fn numbers_of<'a>(status: &'a [u8], key: &[u8]) -> Option<impl Iterator<Item = u64> + 'a> {
    let line = status
        .split(|&b| b == b'\n')
        .find_map(|line| line.strip_prefix(key))?;
    let line = std::str::from_utf8(line).ok()?;
    Some(line.split_ascii_whitespace().map_while(|n| n.parse().ok()))
}

/// The command's name (`comm`), at most 15 bytes. `None` when the process is gone or may
/// not be seen. The process chooses it: escape it before it reaches a terminal.
pub fn command(pid: i32) -> Option<String> {
    let bytes = read_record(format!("/proc/{pid}/comm")).ok()?;
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// The effective user id, as `ps` shows it. Not the owner of /proc/PID, which is root for
/// a process that may not be dumped.
pub fn uid(pid: i32) -> Option<u32> {
    let status = read_record(format!("/proc/{pid}/status")).ok()?;
    parse_uid(&status)
}

fn parse_uid(status: &[u8]) -> Option<u32> {
    // Real, effective, saved, file system.
    let effective = numbers_of(status, b"Uid:")?.nth(1)?;
    u32::try_from(effective).ok()
}

/// The inode that names the IPC namespace of a process, namespaces(7): System V ids and
/// POSIX queue names mean the same only where these are equal. Needs ptrace access.
pub fn ipc_namespace(pid: i32) -> Option<u64> {
    let namespace = fs::metadata(format!("/proc/{pid}/ns/ipc")).ok()?;
    Some(namespace.ino())
}

/// Whether our user numbers are the host's, and not those of a user namespace with numbers of its
/// own: user_namespaces(7).
pub fn is_of_the_host() -> bool {
    let map = read_record("/proc/self/uid_map").unwrap_or_default();
    let map = String::from_utf8_lossy(&map);
    map.split_ascii_whitespace().eq(["0", "0", "4294967295"])
}

/// A thread that lives in a process whose first one has ended: pthread_exit(3) in `main`. By the
/// process's number /proc shows nothing of what it has then, and by this thread's all of it.
pub fn survivor(pid: i32) -> Option<i32> {
    let lives = |tid: &i32| thread_stat(pid, *tid).is_ok_and(|stat| !stat.is_dead());
    threads(pid).ok()?.filter(|tid| *tid != pid).find(lives)
}

/// Whether we are in the first pid namespace, so that every process has a number here:
/// pid_namespaces(7).
pub fn sees_all_pids() -> bool {
    // PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h.
    const FIRST: u64 = 0xEFFF_FFFC;
    fs::metadata("/proc/self/ns/pid").is_ok_and(|meta| meta.ino() == FIRST)
}

/// Whether /proc leaves out processes that are there (`hidepid`, proc(5)): the first one always is.
pub fn are_hidden() -> bool {
    fs::metadata("/proc/1").is_err_and(|e| e.kind() == io::ErrorKind::NotFound) && exists(1)
}

/// Whether a process has this pid, shown in /proc or not: kill(2) with signal 0, which is not sent.
pub fn exists(pid: i32) -> bool {
    pid > 0 && kill(pid, 0) != Err(Errno::ESRCH)
}

/// Whether there is a /proc, through which processes are seen.
pub fn is_mounted() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// Whether a process may not be looked into: one that has ended may.
pub fn is_barred(pid: i32) -> bool {
    let looked = fs::metadata(format!("/proc/{pid}/ns/ipc"));
    looked.is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied)
}

/// Whether we may look into every process of the host: `CAP_SYS_PTRACE`. Root of a container may not.
pub fn may_look_into_all() -> bool {
    const CAP_SYS_PTRACE: u32 = 19;
    is_capable(CAP_SYS_PTRACE)
}

/// Whether we may go beyond limits of the host: `CAP_SYS_RESOURCE`.
pub fn may_exceed_limits() -> bool {
    const CAP_SYS_RESOURCE: u32 = 24;
    is_capable(CAP_SYS_RESOURCE)
}

/// Whether we have a capability on the host: capabilities(7).
fn is_capable(capability: u32) -> bool {
    let status = read_record("/proc/self/status").unwrap_or_default();
    let mut lines = status.split(|b| *b == b'\n');
    let effective = lines.find_map(|line| {
        let digits = std::str::from_utf8(line.strip_prefix(b"CapEff:")?).ok()?;
        u64::from_str_radix(digits.trim(), 16).ok()
    });
    effective.is_some_and(|all| all >> capability & 1 != 0) && is_of_the_host()
}

/// Every process that can be seen, in the kernel's order. Some may be gone by the time
/// they are looked at.
pub fn pids() -> impl Iterator<Item = i32> {
    numeric_entries(Path::new("/proc")).into_iter().flatten()
}

/// The threads of a process; the main one has the process's own number. Most have no other, which the
/// directory's count of links tells at a quarter of the cost of reading it.
pub fn threads(pid: i32) -> io::Result<impl Iterator<Item = i32>> {
    const ALONE: u64 = 3;
    let directory = format!("/proc/{pid}/task");
    let (one, others) = match fs::metadata(&directory)?.nlink() {
        ALONE => (Some(pid), None),
        _ => (None, Some(numeric_entries(Path::new(&directory))?)),
    };
    Ok(one.into_iter().chain(others.into_iter().flatten()))
}

fn numeric_entries(dir: &Path) -> io::Result<impl Iterator<Item = i32> + use<>> {
    let entries = fs::read_dir(dir)?;
    Ok(entries
        .map_while(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// When a process started, in seconds since the epoch, to within a tick.
fn start_of(stat: &ThreadStat) -> Option<f64> {
    Some(boot_time().ok()? + stat.starttime as f64 / ticks_per_second() as f64)
}

/// `sysconf(_SC_CLK_TCK)`, from where the C library has it too: the auxiliary vector,
/// getauxval(3). It is 100 on every architecture of today.
fn ticks_per_second() -> u64 {
    static TICKS: OnceLock<u64> = OnceLock::new();
    *TICKS.get_or_init(|| {
        let auxv = read_file("/proc/self/auxv").unwrap_or_default();
        let words: Vec<u64> = auxv
            .chunks_exact(8)
            .filter_map(|word| Some(u64::from_ne_bytes(word.try_into().ok()?)))
            .collect();
        let found = words
            .chunks_exact(2)
            .find(|pair| pair[0] == libc::AT_CLKTCK);
        found.map_or(100, |pair| pair[1]).max(1)
    })
}

/// The process that an object names as the last to have operated on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastOperator {
    /// Its pid, as the object has it: `lspid`, `lrpid`, `lpid`, `cpid`, `sempid`.
    pub pid: i32,
    /// Its command, where the process that has this pid now may be it.
    pub comm: Option<String>,
    /// Whether the process that has this pid now is the one that operated.
    pub certainty: Certainty,
}

/// Whether a pid that an object remembers still means the same process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// No process has this pid, or only a zombie, none of whose threads is left.
    Gone,
    /// The process that has it now started after the operation: it is another one.
    Recycled,
    /// The process that has it now was there when the operation was made.
    Alive,
    /// A process has it, and /proc does not show it to us (`hidepid`, proc(5)).
    Hidden,
}

/// How much later than the operation a start must be to tell two processes apart: times
/// of operations and of the boot are whole seconds, and the clock may have been slewed.
const CLEARLY_AFTER: f64 = 2.0;

/// Whether a process has started after an operation. One that was made before the boot, as it seems, was
/// made by a clock that has been set since, and nothing follows from its time.
fn is_after(start: f64, operation: i64) -> bool {
    let operation = operation as f64 + CLEARLY_AFTER;
    start > operation && boot_time().is_ok_and(|boot| operation > boot)
}

/// Who `pid` is, which an object remembers for an operation made at `when_epoch_secs`.
/// `None` for pid 0: nobody yet, or somebody outside this pid namespace.
pub fn last_operator(pid: i32, when_epoch_secs: i64) -> Option<LastOperator> {
    if pid <= 0 {
        return None;
    }
    let (comm, certainty) = match thread_stat(pid, pid) {
        Ok(stat) if stat.is_dead() && survivor(pid).is_none() => (Some(stat.comm), Certainty::Gone),
        Ok(stat) => match start_of(&stat) {
            Some(start) if is_after(start, when_epoch_secs) => (None, Certainty::Recycled),
            _ => (Some(stat.comm), Certainty::Alive),
        },
        Err(_) if exists(pid) => (None, Certainty::Hidden),
        Err(_) => (None, Certainty::Gone),
    };
    Some(LastOperator {
        pid,
        comm,
        certainty,
    })
}

/// Reads a file of /proc whole. Nearly all fit into the first read, and as their size is
/// never known beforehand (it is always 0), `take` keeps std from asking for it.
pub(super) fn read_file(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    read_all(&File::open(path)?)
}

/// As [`read_file`], of one that is open.
pub(super) fn read_all(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4096);
    file.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file of /proc that the kernel writes in one piece: what fits into the first read is all of
/// it.
pub(super) fn read_record(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    const ROOM: usize = 4096;
    let mut file = File::open(path)?;
    let mut bytes = vec![0; ROOM];
    let got = file.read(&mut bytes)?;
    bytes.truncate(got);
    if got == ROOM {
        file.take(u64::MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}

#[cfg(test)]
mod tests;
