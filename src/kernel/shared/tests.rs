//! The witnesses: a second map of the same memory, the file behind it, `/proc/self/maps`.

use std::os::unix::fs::FileExt;

use super::*;
use crate::kernel::witness::pipe;

#[test]
fn what_one_map_writes_the_other_and_the_file_show() {
    let a = SharedMemory::create("ipcsh-test", 70_001).unwrap();
    let b = SharedMemory::from_fd(a.fd().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!((a.len(), b.len(), a.words().len()), (70_001, 70_001, 8750));

    a.words()[2].store(0x0102_0304_0506_0708, Ordering::Release);
    assert_eq!(b.words()[2].load(Ordering::Acquire), 0x0102_0304_0506_0708);
    let data: Vec<u8> = (0..65_536).map(|i| (i % 251) as u8).collect();
    a.copy_in(4001, &data).unwrap();
    assert!(b.copy_out(4001, data.len()).unwrap() == data);

    let file = std::fs::File::from(a.fd().try_clone_to_owned().unwrap());
    let mut seen = vec![0; data.len()];
    file.read_exact_at(&mut seen, 4001).unwrap();
    assert!(seen == data);
    assert_eq!(file.metadata().unwrap().len(), 70_001);
    assert!(file.set_len(10).is_err(), "sealed");
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.contains("rw-s") && maps.contains("/memfd:ipcsh-test"));
}

#[test]
fn bounds_and_strangers_are_refused() {
    let memory = SharedMemory::create("ipcsh-bounds", 10).unwrap();
    assert_eq!(memory.copy_in(8, b"abc"), Err(Errno::EFAULT));
    assert_eq!(memory.copy_in(7, b"abc"), Ok(()));
    assert_eq!(memory.copy_out(7, 3).as_deref(), Ok(b"abc".as_slice()));
    assert_eq!(memory.copy_out(usize::MAX, 2), Err(Errno::EFAULT));
    assert_eq!(memory.copy_out(0, usize::MAX), Err(Errno::EFAULT));
    assert_eq!(
        SharedMemory::create("ipcsh-empty", 0).map(drop),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        SharedMemory::from_fd(pipe().0).map(drop),
        Err(Errno::EINVAL)
    );
    let plain = memfd_create(
        "ipcsh-plain",
        MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING,
    )
    .unwrap();
    assert_eq!(SharedMemory::from_fd(plain).map(drop), Err(Errno::EPERM));
}
