//! Copying to and from memory that other processes change at the same time.
//!
//! No reference to the bytes is ever made: each access is a relaxed atomic, so a concurrent writer
//! can only make the copy old or new, never undefined. An aligned run of 1, 2, 4 or 8 bytes is one
//! access and cannot tear; a longer one is copied in words.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// An integer as wide as `A`, loaded in one access.
macro_rules! load {
    ($atomic:ty, $at:expr) => {{
        let at = $at.cast::<$atomic>();
        debug_assert!(at.is_aligned());
        // SAFETY: the caller vouches for the mapping and `at` is aligned; a relaxed load of at most
        // a word is allowed on read-only memory (std::sync::atomic).
        unsafe { (*at).load(Relaxed) }
    }};
}

/// An integer as wide as `A`, stored in one access.
macro_rules! store {
    ($atomic:ty, $at:expr, $value:expr) => {{
        let at = $at.cast::<$atomic>();
        debug_assert!(at.is_aligned());
        // SAFETY: the caller vouches for a writable mapping and `at` is aligned.
        unsafe { (*at).store($value, Relaxed) }
    }};
}

/// Whether `at` may be accessed as one integer of `width` bytes.
fn is_one_access(at: *const u8, width: usize) -> bool {
    matches!(width, 1 | 2 | 4 | 8) && at.addr().is_multiple_of(width)
}

/// Reads one integer of `width` bytes, native-endian, in a single access; `None` if that cannot be
/// done for this width and alignment.
///
/// # Safety
/// `from` to `from + width` must be mapped readable during the call, and changed by others, if at
/// all, atomically or from outside this process.
pub(super) unsafe fn load(from: *const u8, width: usize) -> Option<u64> {
    if !is_one_access(from, width) {
        return None;
    }
    Some(match width {
        1 => load!(AtomicU8, from).into(),
        2 => load!(AtomicU16, from).into(),
        4 => load!(AtomicU32, from).into(),
        _ => load!(AtomicU64, from),
    })
}

/// Writes the low `width` bytes of `value`, native-endian, in a single access; `None`, and nothing
/// written, if that cannot be done for this width and alignment.
///
/// # Safety
/// `to` to `to + width` must be mapped writable during the call, and accessed by others, if at all,
/// atomically or from outside this process.
pub(super) unsafe fn store(to: *mut u8, width: usize, value: u64) -> Option<()> {
    if !is_one_access(to, width) {
        return None;
    }
    match width {
        1 => store!(AtomicU8, to, value as u8),
        2 => store!(AtomicU16, to, value as u16),
        4 => store!(AtomicU32, to, value as u32),
        _ => store!(AtomicU64, to, value),
    }
    Some(())
}

/// Copies `to.len()` bytes from shared memory at `from`.
///
/// # Safety
/// As for [`load`], for the whole length.
pub(super) unsafe fn copy_out(from: *const u8, to: &mut [u8]) {
    if to.len() < 8 && is_one_access(from, to.len()) {
        match to.len() {
            1 => to[0] = load!(AtomicU8, from),
            2 => to.copy_from_slice(&load!(AtomicU16, from).to_ne_bytes()),
            _ => to.copy_from_slice(&load!(AtomicU32, from).to_ne_bytes()),
        }
        return;
    }
    let head = from.align_offset(8).min(to.len());
    let (to_head, rest) = to.split_at_mut(head);
    let (to_words, to_tail) = rest.as_chunks_mut::<8>();
    let words = from.wrapping_add(head);
    let tail = words.wrapping_add(to_words.len() * 8);
    for (i, byte) in to_head.iter_mut().enumerate() {
        *byte = load!(AtomicU8, from.wrapping_add(i));
    }
    for (i, word) in to_words.iter_mut().enumerate() {
        *word = load!(AtomicU64, words.wrapping_add(i * 8)).to_ne_bytes();
    }
    for (i, byte) in to_tail.iter_mut().enumerate() {
        *byte = load!(AtomicU8, tail.wrapping_add(i));
    }
}

/// Copies `from` to shared memory at `to`.
///
/// # Safety
/// As for [`store`], for the whole length.
pub(super) unsafe fn copy_in(to: *mut u8, from: &[u8]) {
    if is_one_access(to, from.len()) {
        match *from {
            [a] => return store!(AtomicU8, to, a),
            [a, b] => return store!(AtomicU16, to, u16::from_ne_bytes([a, b])),
            [a, b, c, d] => return store!(AtomicU32, to, u32::from_ne_bytes([a, b, c, d])),
            _ => {}
        }
    }
    let head = to.align_offset(8).min(from.len());
    let (from_head, rest) = from.split_at(head);
    let (from_words, from_tail) = rest.as_chunks::<8>();
    let words = to.wrapping_add(head);
    let tail = words.wrapping_add(from_words.len() * 8);
    for (i, byte) in from_head.iter().enumerate() {
        store!(AtomicU8, to.wrapping_add(i), *byte);
    }
    for (i, word) in from_words.iter().enumerate() {
        store!(
            AtomicU64,
            words.wrapping_add(i * 8),
            u64::from_ne_bytes(*word)
        );
    }
    for (i, byte) in from_tail.iter().enumerate() {
        store!(AtomicU8, tail.wrapping_add(i), *byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_and_length_copies_exactly_its_bytes() {
        let mut arena = [0u64; 8];
        let base = arena.as_mut_ptr().cast::<u8>();
        for offset in 0..10 {
            for len in 0..40 {
                let data: Vec<u8> = (0..len).map(|i| (offset * 40 + i) as u8 | 1).collect();
                let mut all = [0u8; 64];
                // SAFETY: 64 bytes of our own, and offset + len stays below 50.
                unsafe {
                    copy_in(base, &[0; 64]);
                    copy_in(base.add(offset), &data);
                    copy_out(base, &mut all);
                }
                assert_eq!(all[offset..offset + len], data);
                assert!(
                    all[..offset]
                        .iter()
                        .chain(&all[offset + len..])
                        .all(|&b| b == 0)
                );
                let mut back = vec![0; len];
                // SAFETY: as above.
                unsafe { copy_out(base.add(offset), &mut back) };
                assert_eq!(back, data);
            }
        }
    }

    #[test]
    fn one_access_needs_alignment_and_a_width() {
        let mut arena = [0u64; 2];
        let base = arena.as_mut_ptr().cast::<u8>();
        // SAFETY: at most 12 of our own 16 bytes.
        unsafe {
            assert_eq!(store(base, 4, 0x1_0000_0007), Some(()));
            assert_eq!(load(base, 4), Some(7));
            assert_eq!(load(base, 8), Some(7));
            assert_eq!(load(base.add(4), 8), None);
            assert_eq!(load(base, 3), None);
            assert_eq!(store(base.add(1), 2, 1), None);
        }
    }
}
