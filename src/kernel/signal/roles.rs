//! The parts that a second process plays in the tests of signals and pipes.

use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::time::Duration;

use super::trap::{self, Disposition};
use super::*;
use crate::kernel::process::{SpawnSpec, Stream, spawn};
use crate::kernel::shared::SharedMemory;
use crate::kernel::witness::{DEADLINE, Second, number, python, raise, role_spec, say};
use crate::kernel::{fifo, inherit, pipe, poll};

/// Where a process in the part `trap` finds the memory and the pipe.
const MEMORY_FD: i32 = 3;
const PIPE_FD: i32 = 4;

/// The part of these words; whether there is one.
pub fn play(words: &[&str]) -> bool {
    match *words {
        // Does something with a signal, and reads from a pipe that stays empty, for ever.
        ["trap", signo, to] => {
            install();
            let to = match to {
                "restart" => Disposition::Catch { restart: true },
                "catch" => Disposition::Catch { restart: false },
                "ignore" => Disposition::Ignore,
                _ => Disposition::Default,
            };
            let before = trap::set(number(signo), to).unwrap();
            assert_eq!(trap::get(number(signo)), Ok(to));
            say(format_args!("{before:?}"));
            let (read, _write) = pipe::create().unwrap();
            loop {
                let result = pipe::read(&read, 1);
                say(format_args!("{result:?}"));
            }
        }
        // Is signalled until its pipe is full, with errno in use.
        ["errno", signo] => {
            install();
            let catch = Disposition::Catch { restart: false };
            trap::set(number(signo), catch).unwrap();
            for _ in 0..200 {
                Errno::set_raw(77);
                raise(number(signo));
                assert_eq!(Errno::last_raw(), 77);
            }
            say(format_args!("done"));
        }
        ["fault"] => {
            install();
            let catch = Disposition::Catch { restart: false };
            trap::set(libc::SIGSEGV, catch).unwrap();
            raise(libc::SIGSEGV);
            say(format_args!("lives"));
            // SAFETY: nothing is mapped there: the kernel ends this process.
            unsafe { std::ptr::without_provenance::<u8>(8).read_volatile() };
        }
        // Starts over in another part, with the signal blocked in the first thread too.
        ["blocking", signo, ref part @ ..] => {
            let signo = number(signo);
            let spec = role_spec(part);
            let mut command = std::process::Command::new(spec.program);
            command.args(spec.args).envs(spec.env);
            // SAFETY: it only changes the signal mask.
            unsafe { command.pre_exec(move || Ok(block(&[signo])?)) };
            panic!("{}", command.exec());
        }
        ["signalfd", signo] => {
            let fd = SignalFd::new(&[number(signo)]).unwrap();
            assert_eq!(fd.read(), Ok(None));
            say(format_args!("ready"));
            let mut fds = [poll::PollFd::new(fd.as_fd(), poll::PollFlags::POLLIN)];
            assert_eq!(poll::poll(&mut fds, Some(DEADLINE)), Ok(1));
            let info = fd.read().unwrap().unwrap();
            say(format_args!(
                "{} {} {} {}",
                info.signo, info.pid, info.uid, info.value
            ));
        }
        // Waits for a signal of a set.
        ["sigwait", signo, millis] => {
            install_cancel_handler(CANCEL_SIGNAL).unwrap();
            block(&[number(signo)]).unwrap();
            say(format_args!("ready"));
            let set = SignalSet::of(&[number(signo)]).unwrap();
            let limit = millis.parse().ok().map(Duration::from_millis);
            say(format_args!("{:?}", wait(set, limit)));
        }
        // Writes to a pipe that nobody reads, with SIGPIPE at its default.
        ["sigpipe", how] => {
            default(libc::SIGPIPE).unwrap();
            let (read, write) = pipe::create().unwrap();
            drop(read);
            let result = match how {
                "write" => pipe::write(&write, b"x"),
                _ => pipe::try_write(&write, b"x"),
            };
            let (pending, blocked) = (pending().unwrap(), blocked().unwrap());
            say(format_args!("{result:?} {pending:?} {blocked:?}"));
        }
        // Starts a program that loses its reader, itself ignoring and blocking what that brings.
        ["pipeline"] => {
            ignore(libc::SIGPIPE).unwrap();
            block(&[libc::SIGPIPE]).unwrap();
            let (read, write) = pipe::create().unwrap();
            let yes = spawn(&SpawnSpec {
                program: "yes".into(),
                stdout: Stream::Fd(write.as_fd()),
                ..SpawnSpec::default()
            });
            drop(read);
            say(format_args!("{:?}", yes.unwrap().wait().unwrap()));
        }
        ["mkfifo", umask, mode, path] => {
            let bits = |word: &str| number(word).cast_unsigned();
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_retain(bits(umask)));
            let made = fifo::create(path.as_ref(), bits(mode));
            say(format_args!("{made:?}"));
        }
        _ => return false,
    }
    true
}

fn install() {
    let memory = SharedMemory::from_fd(inherit::inherited(MEMORY_FD).unwrap()).unwrap();
    let memory: &'static SharedMemory = Box::leak(Box::new(memory));
    trap::install_sink(memory.words(), inherit::inherited(PIPE_FD).unwrap()).unwrap();
}

/// A second process that counts what it catches in our memory.
pub struct Trapper {
    pub second: Second,
    pub memory: SharedMemory,
    /// `None` once nobody reads.
    pub records: Option<std::os::fd::OwnedFd>,
}

impl Trapper {
    pub fn start(words: &[&str]) -> Trapper {
        let memory = SharedMemory::create("ipcsh-counts", trap::COUNT_WORDS * 8).unwrap();
        let (read, write) = pipe::create().unwrap();
        // A page: 128 records.
        assert_eq!(pipe::set_capacity(&write, 4096), Ok(4096));
        let mut spec = role_spec(words);
        spec.inherit = vec![(memory.fd(), MEMORY_FD), (write.as_fd(), PIPE_FD)];
        let second = Second::start(spec);
        Trapper {
            second,
            memory,
            records: Some(read),
        }
    }

    pub fn pid(&self) -> i32 {
        self.second.child.pid()
    }

    pub fn counts(&self) -> trap::Counts<'_> {
        trap::Counts::new(self.memory.words()).unwrap()
    }

    pub fn caught(&self) -> Vec<trap::Caught> {
        trap::caught(self.records.as_ref().unwrap()).unwrap()
    }
}

/// Python, which takes all signals of a number with the C library's own structure: signal, code,
/// sender, user and value.
pub fn taker(signo: i32) -> Option<Second> {
    let mut taker = python(&format!(
        "import ctypes, os, signal, struct\n\
         signal.pthread_sigmask(signal.SIG_BLOCK, [{signo}])\n\
         libc = ctypes.CDLL(None)\n\
         wanted = ctypes.create_string_buffer(128)\n\
         libc.sigaddset(wanted, {signo})\n\
         print(':ready', flush=True)\n\
         while True:\n\
        \x20 info = ctypes.create_string_buffer(128)\n\
        \x20 libc.sigwaitinfo(wanted, info)\n\
        \x20 print(':%d %d %d %d %d' % struct.unpack_from('i4xi4xiIi', info), flush=True)\n"
    ))?;
    assert_eq!(taker.said(), "ready");
    Some(taker)
}
