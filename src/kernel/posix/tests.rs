use std::time::Duration;

use super::*;
use crate::kernel::fds::Access;

/// A name that no other test has, and which is gone when the test ends.
struct Name(String, fn(&str) -> Result<()>);

impl Name {
    fn new(what: &str, unlink: fn(&str) -> Result<()>) -> Name {
        Name(format!("/ipcsh-test-{what}-{}", std::process::id()), unlink)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = self.1(&self.0);
    }
}

#[test]
fn a_queue_gives_the_highest_priority_first() {
    let name = Name::new("mq", mq::unlink);
    let shape = mq::Attributes {
        maxmsg: 2,
        msgsize: 8,
        curmsgs: 0,
    };
    let queue = mq::create(&name.0, 0o640, Some(shape)).unwrap();
    assert_eq!(mq::create(&name.0, 0o600, None).unwrap_err(), Errno::EEXIST);
    assert_eq!(fstat(&queue).unwrap().st_mode & 0o777, 0o640);
    mq::send(&queue, b"low", 1, Patience::Forever).unwrap();
    mq::send(&queue, b"\0\xff", 7, Patience::Forever).unwrap();
    let full = |patience| mq::send(&queue, b"x", 0, patience);
    assert_eq!(full(Patience::Never), Err(Errno::EAGAIN));
    let soon = Patience::For(Duration::from_millis(5));
    assert_eq!(full(soon), Err(Errno::ETIMEDOUT));
    assert_eq!(
        mq::send(&queue, b"123456789", 0, Patience::Never),
        Err(Errno::EMSGSIZE)
    );
    assert_eq!(mq::attributes(&queue).unwrap().curmsgs, 2);
    assert_eq!(
        mq::receive(&queue, 7, Patience::Never),
        Err(Errno::EMSGSIZE)
    );
    let next = |patience| mq::receive(&queue, 8, patience);
    assert_eq!(next(Patience::Never), Ok((b"\0\xff".to_vec(), 7)));
    assert_eq!(next(soon), Ok((b"low".to_vec(), 1)));
    assert_eq!(next(Patience::Never), Err(Errno::EAGAIN));
    assert!(!crate::kernel::fds::is_nonblocking(&queue).unwrap());
    let reader = mq::open(&name.0, Access::Read).unwrap();
    assert_eq!(
        mq::send(&reader, b"x", 0, Patience::Never),
        Err(Errno::EBADF)
    );
    mq::unlink(&name.0).unwrap();
    assert_eq!(mq::open(&name.0, Access::Read).unwrap_err(), Errno::ENOENT);
    // It lives on for who has it open.
    mq::send(&queue, b"still", 0, Patience::Never).unwrap();
}

#[test]
fn a_segment_is_a_file_that_can_be_resized_and_mapped() {
    let name = Name::new("shm", shm::unlink);
    let segment = shm::create(&name.0, 10, 0o600).unwrap();
    assert_eq!(shm::create(&name.0, 1, 0o600).unwrap_err(), Errno::EEXIST);
    segment.write(8, b"\0\xff").unwrap();
    assert_eq!(segment.write(8, b"\0\xff\0"), Err(Errno::EFAULT));
    assert_eq!(segment.write(usize::MAX, b"x"), Err(Errno::EFAULT));
    let witness = std::fs::read(shm::path(&name.0)).unwrap();
    assert_eq!(witness, b"\0\0\0\0\0\0\0\0\0\xff");
    segment.resize(4).unwrap();
    let mut data = [0; 5];
    assert_eq!(segment.read(0, &mut data), Err(Errno::EFAULT));
    assert_eq!(segment.resize(u64::MAX), Err(Errno::EINVAL));
    let mapped = segment.map().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|l| l.contains(&name.0)).unwrap();
    assert!(line.starts_with(&format!("{:x}-", mapped.addr())), "{line}");
    let reader = shm::open(&name.0, true).unwrap();
    assert_eq!(reader.write(0, b"x"), Err(Errno::EACCES));
    // A size that no file may have leaves nothing.
    let large = Name::new("large", shm::unlink);
    assert_eq!(
        shm::create(&large.0, u64::MAX, 0o600).unwrap_err(),
        Errno::EINVAL
    );
    assert!(!shm::path(&large.0).exists());
}

#[test]
fn a_semaphore_is_made_whole_and_counts() {
    let name = Name::new("sem", sem::unlink);
    sem::create(&name.0, 1, 0o600).unwrap();
    assert_eq!(sem::create(&name.0, 1, 0o600), Err(Errno::EEXIST));
    let semaphore = sem::open(&name.0).unwrap();
    assert_eq!(semaphore.value(), Ok(1));
    semaphore.wait(Patience::Forever).unwrap();
    assert_eq!(semaphore.wait(Patience::Never), Err(Errno::EAGAIN));
    let soon = Patience::For(Duration::from_millis(5));
    assert_eq!(semaphore.wait(soon), Err(Errno::ETIMEDOUT));
    semaphore.post().unwrap();
    semaphore.post().unwrap();
    let file = std::fs::File::open(sem::path(&name.0)).unwrap();
    if cfg!(target_env = "gnu") {
        let told = sem::contents(&file).unwrap();
        assert_eq!((told.value, told.waiters), (2, 0));
    }
    let most = Name::new("most", sem::unlink);
    sem::create(&most.0, sem::VALUE_MAX, 0o600).unwrap();
    let full = sem::open(&most.0).unwrap();
    assert_eq!(full.post(), Err(Errno::EOVERFLOW));
    let more = Name::new("more", sem::unlink);
    assert_eq!(
        sem::create(&more.0, sem::VALUE_MAX + 1, 0o600),
        Err(Errno::EINVAL)
    );
    assert_eq!(sem::open(&more.0).unwrap_err(), Errno::ENOENT);
    let long = format!("/{}", "x".repeat(252));
    assert_eq!(sem::create(&long, 1, 0o600), Err(Errno::ENAMETOOLONG));
}

#[test]
fn what_is_no_segment_or_semaphore_is_refused_and_never_waited_at() {
    // Of a FIFO without a writer, of a link to it, of a directory and of a file that is too short.
    let name = Name::new("other", |_| Ok(()));
    let rwx = Mode::S_IRWXU;
    for file in [shm::path(&name.0), sem::path(&name.0)] {
        let link = |to: &Path| std::os::unix::fs::symlink(to, &file).map_err(|_| Errno::EIO);
        let dir = || nix::unistd::mkdir(&file, rwx);
        let kinds: [(&dyn Fn() -> Result<()>, Errno); 3] = [
            (&|| nix::unistd::mkfifo(&file, rwx), Errno::EINVAL),
            (&|| link(Path::new("/dev/zero")), Errno::ELOOP),
            (&dir, Errno::EISDIR),
        ];
        for (make, errno) in kinds {
            make().unwrap();
            let told = [
                regular(&file, false).err(),
                shm::open(&name.0, true).err(),
                sem::open(&name.0).err(),
            ];
            let _ = std::fs::remove_file(&file).or_else(|_| std::fs::remove_dir(&file));
            // Only one of the two has this file.
            let refused = |told: &Option<Errno>| matches!(told, Some(e) if [errno, Errno::EINVAL, Errno::ENOENT].contains(e));
            assert!(told.iter().all(refused), "{file:?}: {told:?}");
            assert_ne!(told[0], Some(Errno::ENOENT));
            assert_ne!(
                (told[1], told[2]),
                (Some(Errno::ENOENT), Some(Errno::ENOENT))
            );
        }
    }
    let file = sem::path(&name.0);
    // Too short, and of no value that there is: the C library would end this process.
    for bytes in [vec![0; size_of::<libc::sem_t>() - 1], vec![0xd5; 64]] {
        std::fs::write(&file, bytes).unwrap();
        let none = sem::open(&name.0).map(drop);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(none, Err(Errno::EINVAL));
    }
}
