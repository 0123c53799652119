//! A program of the host that runs: its processes, and what they write.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use super::slot::signal_text;
use super::waiting::Patience;
use crate::data::Failure;
use crate::inspect::process::{pids, thread_stat, threads};
use crate::kernel::poll::{self, PollFd, PollFlags};
use crate::kernel::process::{Child, Ended, kill, pidfd_open, pidfd_send_signal, process_group};
use crate::kernel::{Errno, fds};
use crate::session::{Entry, Left};

/// How long what is asked to end has for it, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// So many bytes are kept of what a command writes.
const MOST: u64 = 64 << 20;

/// Why a command that writes more is ended.
pub(super) fn flooded() -> Failure {
    let meaning = format!(
        "a command was ended: it had written more than {} MiB",
        MOST >> 20
    );
    Failure::refused(meaning).help("What is longer goes into a file: `!command > FILE`")
}

/// A `!command` that was started.
#[derive(Debug)]
pub(super) struct Job {
    pub child: Child,
    pub output: Output,
    /// Where it leads a process group: what runs in the background.
    pub group: Option<Group>,
    /// Where the ledger has it.
    pub entry: Option<Entry>,
    /// What its end is told under, where that is told: where it failed, or was awaited.
    pub label: Option<String>,
    /// Whether the session ends only after it: a program of a pipeline.
    pub awaited: bool,
}

/// A process group by its leader, and when that was started: a number may be given anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub pid: i32,
    pub started: u64,
}

impl Group {
    /// Whether any process of it is left. The number cannot belong to another process as
    /// long as one is.
    fn is_left(&self) -> bool {
        match thread_stat(self.pid, self.pid) {
            Ok(leader) if leader.starttime != self.started => false,
            Ok(leader) if !leader.is_dead() => true,
            // Those that have ended count for the kernel, as long as nobody has waited for
            // them, and in a container there may be nobody who does.
            _ => kill(-self.pid, 0) != Err(Errno::ESRCH) && self.has_living(),
        }
    }

    fn has_living(&self) -> bool {
        pids().any(|pid| {
            process_group(pid) == Ok(self.pid) && thread_stat(pid, pid).is_ok_and(|s| !s.is_dead())
        })
    }

    fn signal(&self, signo: i32) {
        if self.is_left() {
            let _ = kill(-self.pid, signo);
        }
    }
}

impl Job {
    /// Whether nothing of it runs any more, so that nothing more is written.
    pub fn is_over(&self) -> bool {
        // Waiting for the leader takes it out of its group.
        !matches!(self.child.try_wait(), Ok(None)) && !self.group.is_some_and(|g| g.is_left())
    }

    /// Whether it ended with an exit status of 0.
    pub fn ended_well(&self) -> bool {
        self.child.wait() == Ok(Ended::Exited(0))
    }

    /// `ended with exit=1`, once it has ended.
    pub fn how_it_ended(&self) -> Option<String> {
        let ended = self.child.wait().ok()?;
        Some(match ended {
            Ended::Exited(status) => format!("ended with exit={status}"),
            Ended::Signaled(signo) => format!("was killed by {}", signal_text(signo)),
        })
    }
}

/// Kills commands in the background that write more than is kept.
pub(super) fn stop_floods(jobs: &[Job]) {
    for job in jobs.iter().filter(|job| job.output.is_too_long()) {
        if let Some(group) = &job.group {
            group.signal(libc::SIGKILL);
        }
    }
}

/// Asks commands in the background to end, and kills what does not.
pub(super) fn end<'j>(jobs: impl IntoIterator<Item = &'j Job>) {
    let jobs: Vec<&Job> = jobs.into_iter().collect();
    let signal = |job: &&Job, signo| {
        if let Some(group) = &job.group {
            group.signal(signo);
        }
    };
    end_all(&jobs, |job| job.is_over(), signal);
}

/// Ends a command in the foreground, which shares our group, with all that it started.
pub(super) fn end_tree(job: &Job) {
    // Once it has been waited for, its number may be another's.
    if job.is_over() {
        return;
    }
    end_all(&tree_of(job.child.pid()), has_ended, hit);
    let _ = job.child.try_wait();
}

/// A process and all that it has started, each of them stopped.
fn tree_of(root: i32) -> Vec<OwnedFd> {
    let mut tree = Vec::new();
    let mut found = vec![root];
    while !found.is_empty() {
        let mut parents = Vec::new();
        for pid in found.drain(..) {
            let Ok(pidfd) = pidfd_open(pid) else { continue };
            let _ = pidfd_send_signal(&pidfd, libc::SIGSTOP);
            parents.push(pid);
            tree.push(pidfd);
        }
        parents.iter().for_each(|pid| settle(*pid));
        if !parents.is_empty() {
            let is_child =
                |pid: &i32| thread_stat(*pid, *pid).is_ok_and(|s| parents.contains(&s.ppid));
            found.extend(pids().filter(is_child));
        }
    }
    tree
}

/// Waits until a process that was told to stop runs no more: then its children are those that it has.
/// A fork that it is in goes on, as only what kills ends one (`copy_process` of the kernel).
fn settle(pid: i32) {
    let runs = |tid| thread_stat(pid, tid).is_ok_and(|s| s.state == 'R');
    let begun = Instant::now();
    let mut patience = Patience::new();
    while threads(pid).is_ok_and(|mut all| all.any(runs)) && begun.elapsed() < GRACE {
        std::thread::sleep(patience.next());
    }
}

fn has_ended(process: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    poll::poll(&mut fds, Some(Duration::ZERO)) != Ok(0)
}

fn hit(process: &OwnedFd, signo: i32) {
    let _ = pidfd_send_signal(process, signo);
}

/// Ends the processes that a shell left behind when it was killed.
pub fn end_left(left: impl IntoIterator<Item = Left>) {
    let (mut groups, mut trees) = (Vec::new(), Vec::new());
    for Left {
        pid,
        started,
        leads,
    } in left
    {
        let now = thread_stat(pid, pid).map(|s| s.starttime);
        let started = match (started, &now) {
            (0, Ok(now)) => *now,
            (started, _) => started,
        };
        if leads {
            groups.push(Group { pid, started });
        } else if now.is_ok_and(|now| now == started) {
            trees.extend(tree_of(pid));
        }
    }
    end_all(&trees, has_ended, hit);
    end_all(&groups, |g| !g.is_left(), Group::signal);
}

fn end_all<T>(all: &[T], is_over: impl Fn(&T) -> bool, signal: impl Fn(&T, i32)) {
    for signo in [libc::SIGTERM, libc::SIGKILL] {
        for one in all.iter().filter(|one| !is_over(one)) {
            signal(one, signo);
            // What is stopped hears nothing else.
            signal(one, libc::SIGCONT);
        }
        let begun = Instant::now();
        let mut patience = Patience::new();
        while !all.iter().all(&is_over) {
            if begun.elapsed() >= GRACE {
                break;
            }
            std::thread::sleep(patience.next());
        }
    }
}

/// What a command writes: kept in memory rather than in a pipe, which a grandchild that
/// stays would hold open for ever.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    /// How much of it has been given.
    shown: u64,
    /// How much of it has been searched for the end of a line.
    searched: u64,
}

impl Output {
    pub fn new() -> std::result::Result<Output, Failure> {
        let unusable = |e| Failure::environment(format!("no memory for the output: {e}"));
        let fd = fds::memory("ipcsh-output").map_err(unusable)?;
        Ok(Output {
            file: File::from(fd),
            shown: 0,
            searched: 0,
        })
    }

    /// Where to write.
    pub fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Whether it holds more than is kept.
    pub fn is_too_long(&self) -> bool {
        self.file.metadata().is_ok_and(|m| m.len() > MOST)
    }

    /// What was written since this was last asked. `whole`: also a last line without its
    /// newline.
    pub fn fresh(&mut self, whole: bool) -> Vec<u8> {
        let end = self.file.metadata().map_or(0, |m| m.len()).min(MOST);
        if end < self.shown {
            // Who opened it again has emptied it.
            (self.shown, self.searched) = (0, 0);
        }
        let mut end = end;
        if !whole {
            // Where no line has ended so far is not looked at again.
            let from = self.searched.max(self.shown);
            let newline = self.read(from, end).iter().rposition(|b| *b == b'\n');
            self.searched = end;
            end = newline.map_or(self.shown, |i| from + i as u64 + 1);
        }
        let bytes = self.read(self.shown, end);
        self.shown += bytes.len() as u64;
        bytes
    }

    /// The bytes from one place up to another; none where they cannot be read.
    fn read(&self, from: u64, end: u64) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(from)).unwrap_or(0)];
        match self.file.read_exact_at(&mut bytes, from) {
            Ok(()) => bytes,
            Err(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn each_line_of_an_output_is_given_once_and_the_last_when_it_is_whole() {
        let mut output = Output::new().unwrap();
        let mut writer = output.file.try_clone().unwrap();
        let mut given = Vec::new();
        for part in ["a\nb", "c\n", "", "d\ne"] {
            writer.write_all(part.as_bytes()).unwrap();
            given.push(String::from_utf8(output.fresh(false)).unwrap());
        }
        assert_eq!(given, ["a\n", "bc\n", "", "d\n"]);
        assert_eq!(output.fresh(true), b"e");
        assert_eq!(output.fresh(true), b"");
    }

    #[test]
    fn an_output_that_was_opened_again_goes_on_from_there() {
        let mut output = Output::new().unwrap();
        let mut writer = output.file.try_clone().unwrap();
        writer.write_all(b"a long line\n").unwrap();
        assert_eq!(output.fresh(false), b"a long line\n");
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
        std::fs::write(path, "b\n").unwrap();
        writer.write_all(b"c\n").unwrap();
        assert_eq!(output.fresh(true), b"b\nc\n");
    }
}
