//! The pages of a beacon, which other processes may read at any time.
#![allow(unsafe_code, reason = "maps memory that is shared with other processes")]

use std::{
    fs::File,
    io,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU64, Ordering, fence},
};

use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
    io::Errno,
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

use super::layout::{LOCK, NAME, SIZE};
use crate::capture::limit::file_size_limit;

/// A memfd of a fixed size and its pages, gone on drop.
pub(super) struct Memory {
    words: NonNull<AtomicU64>,
    /// Shows them to others. Not inherited by the programs that the process starts.
    #[cfg_attr(not(test), allow(dead_code, reason = "open for others"))]
    file: File,
}

// SAFETY: atomics at an address that stays for the value's life, whatever the thread.
unsafe impl Send for Memory {}

impl Memory {
    /// New pages, full of zeros.
    pub(super) fn new() -> io::Result<Self> {
        // Beyond its limit for a file, making a memfd as large would end the process by SIGXFSZ.
        if file_size_limit().is_some_and(|limit| limit.get() < SIZE as u64) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let file = create()?;
        file.set_len(SIZE as u64)?;
        // Nobody can take the pages away under us, or under those who read.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at an address that the kernel chooses, of a file that can no longer shrink.
        let start = unsafe { mmap(ptr::null_mut(), SIZE, access, MapFlags::SHARED, &file, 0) }?;
        let words = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { words, file })
    }

    #[cfg(test)]
    pub(super) fn as_file(&self) -> &File {
        &self.file
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is as long, begins at a page, and lives as long as `self`; any bits are a word.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr(), SIZE / size_of::<u64>()) }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.words()[at / size_of::<u64>()]
    }

    /// Writes whole words, each with the place where it goes, for readers to see all of them or none. One writer at a time.
    pub(super) fn write(&self, parts: &[(usize, &[u8])]) {
        let lock = self.word(LOCK);
        let before = lock.load(Ordering::Relaxed);
        lock.store(before.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        for &(at, part) in parts {
            let (chunks, _) = part.as_chunks();
            for (word, chunk) in self.words()[at / size_of::<u64>()..].iter().zip(chunks) {
                word.store(u64::from_le_bytes(*chunk), Ordering::Relaxed);
            }
        }
        lock.store(before.wrapping_add(2), Ordering::Release);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the whole mapping of `new`, of which no reference outlives `self`.
        let _ = unsafe { munmap(self.words.as_ptr().cast(), SIZE) };
    }
}

fn create() -> Result<File, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let made = match memfd_create(NAME, flags | MemfdFlags::NOEXEC_SEAL) {
        // Before Linux 6.3.
        Err(Errno::INVAL) => memfd_create(NAME, flags),
        made => made,
    };
    made.map(File::from)
}
