//! The witnesses: Python's fstat, and `flags:` of fdinfo.

use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::*;
use crate::inspect::witness::{Witness, ordinary_user, run, skip};

const ALL: Ask = Ask {
    access: true,
    files: true,
};

const HOLDER: &str = "
import os, socket, sys
os.mkfifo('fifo')
r, w = os.pipe()
s = socket.socket(socket.AF_UNIX)
f = os.open('fifo', os.O_RDWR)
os.rename('fifo', 'renamed')
fr = os.open('renamed', os.O_RDONLY)
d = os.open('gone', os.O_CREAT | os.O_WRONLY); os.unlink('gone')
e = os.eventfd(0)
p = os.open('renamed', os.O_PATH)
ino = lambda fd: os.fstat(fd).st_ino
print(r, w, ino(r), s.fileno(), ino(s.fileno()), f, fr, d, e, p, os.fstat(f).st_dev, ino(f), flush=True)
sys.stdin.readline()
";

/// Python with descriptors of all sorts, and the numbers that it says of them.
fn holder(dir: &Path) -> Option<(Witness, Vec<u64>)> {
    let started = Witness::start_in(dir, "python3", &["-c", HOLDER]);
    let Some(mut python) = started else {
        skip("there is no python3");
        return None;
    };
    let line = python.line().unwrap();
    let numbers = line.split(' ').map(|word| word.parse().unwrap());
    Some((python, numbers.collect()))
}

#[test]
fn descriptors_are_what_python_says() {
    let dir = tempfile::tempdir().unwrap();
    let Some((python, n)) = holder(dir.path()) else {
        return;
    };
    let &[r, w, pipe, s, socket, f, fr, d, e, p, dev, ino] = &n[..] else {
        panic!("{n:?}");
    };
    let all = of(python.pid(), ALL).unwrap();
    let at = |fd: u64| all.iter().find(|d| u64::try_from(d.fd) == Ok(fd)).unwrap();
    assert_eq!(at(r).what, What::Pipe { ino: pipe });
    assert_eq!(at(w).what, What::Pipe { ino: pipe });
    assert_eq!(at(s).what, What::Socket { ino: socket });
    let access = |fd| at(fd).access.unwrap();
    assert_eq!((access(r), access(w)), (Access::Read, Access::Write));
    assert_eq!((access(f), access(fr)), (Access::ReadWrite, Access::Read));
    assert_eq!((access(d), access(p)), (Access::Write, Access::Neither));
    assert_eq!(at(e).what, What::Other("anon_inode:[eventfd]".into()));
    for fd in [f, fr, p] {
        let What::File { path, file } = &at(fd).what else {
            panic!("{:?}", at(fd));
        };
        assert_eq!(*path, dir.path().canonicalize().unwrap().join("renamed"));
        let file = file.unwrap();
        assert!(file.is_fifo());
        assert_eq!((file.dev, file.ino), (dev, ino));
    }
    let What::File { path, file } = &at(d).what else {
        panic!("{:?}", at(d));
    };
    assert!(path.to_string_lossy().ends_with("/gone (deleted)"));
    assert!(!file.unwrap().is_fifo());
    for descriptor in &all {
        assert_eq!(descriptor.access, fdinfo(descriptor), "{descriptor:?}");
    }

    let found = scan([python.pid()], Ask::default(), |what| {
        *what == What::Pipe { ino: pipe }
    });
    assert_eq!((found.processes, found.unreadable), (1, 0));
    let found: Vec<_> = found.descriptors.iter().map(|d| (d.fd, d.access)).collect();
    assert_eq!(found, [(r as i32, None), (w as i32, None)]);
}

/// What fdinfo says that a descriptor is open for.
fn fdinfo(descriptor: &Descriptor) -> Option<Access> {
    let path = format!("/proc/{}/fdinfo/{}", descriptor.pid, descriptor.fd);
    let info = std::fs::read_to_string(path).ok()?;
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    Some(Access::of_flags(i32::from_str_radix(flags.trim(), 8).ok()?))
}

#[test]
fn all_processes_are_looked_at() {
    let Some(mut sleeper) = Witness::start("cat", &[]) else {
        return skip("there is no cat");
    };
    // While it starts it opens its libraries: what it answers, it answers when that is over.
    sleeper.say(b"started\n");
    assert_eq!(sleeper.line().as_deref(), Some("started"));
    let scan = scan(process::pids(), ALL, |_| true);
    let ours = std::process::id() as i32;
    for pid in [ours, sleeper.pid()] {
        assert!(scan.descriptors.iter().any(|d| d.pid == pid));
    }
    let mut pids: Vec<i32> = scan.descriptors.iter().map(|d| d.pid).collect();
    pids.dedup();
    assert!(scan.processes >= pids.len());
    for descriptor in scan.descriptors.iter().filter(|d| d.pid == sleeper.pid()) {
        assert_eq!(descriptor.access, fdinfo(descriptor));
        let path = format!("/proc/{}/fd/{}", descriptor.pid, descriptor.fd);
        let stat = std::fs::metadata(&path).unwrap();
        match &descriptor.what {
            What::Pipe { ino } => assert_eq!(*ino, stat.ino()),
            What::File { path, file: None } => assert!(is_device(path), "{path:?}"),
            What::File {
                file: Some(file), ..
            } => {
                assert_eq!(
                    (file.dev, file.ino, file.mode),
                    (stat.dev(), stat.ino(), stat.mode())
                );
            }
            _ => {}
        }
    }
}

#[test]
fn unreadable_processes_are_counted() {
    // Root's, and for root too out of reach where it has capabilities that we lack.
    let denied = std::fs::read_dir("/proc/1/fd").and_then(|mut fds| match fds.next() {
        Some(fd) => std::fs::read_link(fd?.path()),
        None => Err(std::io::ErrorKind::PermissionDenied.into()),
    });
    let denied = denied.is_err();
    if ordinary_user() {
        assert!(denied);
    }
    let first = scan([1], ALL, |_| true);
    assert_eq!(
        (first.processes, first.unreadable),
        if denied { (0, 1) } else { (1, 0) }
    );
    assert_eq!(first.descriptors.is_empty(), denied);
    assert_eq!(of(1, ALL).err(), denied.then_some(Errno::EACCES));
    // Kernel threads have none, and nobody may look: they are not counted.
    let kernel_thread = process::pids()
        .find(|&pid| process::thread_stat(pid, pid).is_ok_and(|stat| stat.is_kernel_thread()));
    match kernel_thread {
        Some(pid) => assert_eq!(scan([pid], ALL, |_| true).unreadable, 0),
        None => skip("no kernel thread is to be seen"),
    }
}

#[test]
fn who_is_gone_is_not_unreadable() {
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    let pid = gone.id() as i32;
    let zombie = || process::thread_stat(pid, pid).is_ok_and(|stat| stat.is_dead());
    crate::inspect::witness::until("ended", || zombie().then_some(()));
    assert_eq!(scan([pid], ALL, |_| true).unreadable, 0, "a zombie");
    gone.wait().unwrap();
    let scan = scan([pid, -1, i32::MAX], ALL, |_| true);
    assert_eq!(scan, Scan::default());
    assert_eq!(of(i32::MAX, ALL), Err(Errno::ENOENT));
}

#[test]
fn links_are_understood() {
    let what = |link: &str| What::of_link(link.as_bytes());
    assert_eq!(what("pipe:[7]"), What::Pipe { ino: 7 });
    assert_eq!(what("socket:[8]"), What::Socket { ino: 8 });
    for other in [
        "pipe:[x]",
        "pipe:[7",
        "net:[1]",
        "",
        "anon_inode:[eventpoll]",
    ] {
        assert_eq!(what(other), What::Other(other.into()));
    }
    let path = PathBuf::from("/a/pipe:[7]");
    assert_eq!(what("/a/pipe:[7]"), What::File { path, file: None });
}

/// `cargo test --release --lib -- --ignored --nocapture eighteen_thousand`
#[test]
#[ignore = "it measures"]
fn eighteen_thousand_descriptors() {
    let open = "
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
fds = [os.pipe() for _ in range(600)]
fds = [os.open('/etc/passwd', 0) for _ in range(600)]
print('open', flush=True)
sys.stdin.readline()
";
    let open = open.replacen("fds = [os.pipe", "pipes = [os.pipe", 1);
    let mut holders: Vec<Witness> = (0..10)
        .filter_map(|_| Witness::start("python3", &["-c", &open]))
        .collect();
    for holder in &mut holders {
        assert_eq!(holder.line().as_deref(), Some("open"));
    }
    let median = |mut run: Box<dyn FnMut()>| {
        let mut times: Vec<f64> = (0..15)
            .map(|_| {
                let start = std::time::Instant::now();
                run();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[7]
    };
    let total = scan(process::pids(), Ask::default(), |_| true)
        .descriptors
        .len();
    let none = Ask::default();
    let access = Ask {
        access: true,
        ..none
    };
    let files = Ask {
        files: true,
        ..none
    };
    let report = [
        (
            "counting links",
            median(Box::new(move || {
                drop(scan(process::pids(), none, |_| false))
            })),
        ),
        (
            "keeping all",
            median(Box::new(move || {
                drop(scan(process::pids(), none, |_| true))
            })),
        ),
        (
            "with access",
            median(Box::new(move || {
                drop(scan(process::pids(), access, |_| true))
            })),
        ),
        (
            "with files",
            median(Box::new(move || {
                drop(scan(process::pids(), files, |_| true))
            })),
        ),
        (
            "with both",
            median(Box::new(move || drop(scan(process::pids(), ALL, |_| true)))),
        ),
        (
            "access by fdinfo",
            median(Box::new(move || {
                let all = scan(process::pids(), none, |_| true).descriptors;
                assert!(all.iter().filter_map(fdinfo).count() > 0);
            })),
        ),
    ];
    eprintln!("{total} descriptors, medians of 15");
    for (what, ms) in report {
        eprintln!("{what:>18} {ms:7.1} ms");
    }
    for (program, args) in [("lsof", &["-n", "-w"][..]), ("lsfd", &[]), ("ss", &["-xp"])] {
        let ms = median(Box::new(move || drop(run(program, args))));
        eprintln!("{program:>18} {ms:7.1} ms");
    }
    let stdin = std::io::stdin().as_raw_fd();
    assert!(of(std::process::id() as i32, none).is_ok_and(|all| all.iter().any(|d| d.fd == stdin)));
}
