//! The mappings of a process, asked one by one: `PROCMAP_QUERY` of proc_pid_maps(5), Linux 6.11.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd;

use super::{Errno, Result};

/// A `struct procmap_query` of linux/fs.h.
#[repr(C)]
#[derive(Default)]
struct Query {
    size: u64,
    query_flags: u64,
    query_addr: u64,
    vma_start: u64,
    vma_end: u64,
    vma_flags: u64,
    vma_page_size: u64,
    vma_offset: u64,
    inode: u64,
    dev_major: u32,
    dev_minor: u32,
    vma_name_size: u32,
    build_id_size: u32,
    vma_name_addr: u64,
    build_id_addr: u64,
}

/// `PROCMAP_QUERY_VMA_SHARED`, `…_COVERING_OR_NEXT_VMA`, `…_FILE_BACKED_VMA`.
const SHARED_FILES: u64 = 0x08 | 0x10 | 0x20;

/// Whether a process shares any memory with others through a file, a segment of System V too; `maps`
/// is its `/proc/PID/maps`. `ENOTTY` of a kernel that does not know the question.
pub fn shares(maps: &File) -> Result<bool> {
    let mut query = Query {
        size: size_of::<Query>() as u64,
        query_flags: SHARED_FILES,
        ..Query::default()
    };
    let request = libc::_IOWR::<Query>(u32::from(b'f'), 17);
    // SAFETY: reads and fills `query`, whose size it is told, and no buffer for names.
    let found = unsafe { libc::ioctl(maps.as_raw_fd(), request, &raw mut query) };
    match Errno::result(found) {
        Ok(_) => Ok(true),
        Err(Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}
