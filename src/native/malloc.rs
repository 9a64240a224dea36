use once_cell::sync::Lazy;

use crate::measure::Bytes;

/// What glibc's allocator says of itself (`mallinfo2(3)`), over all of its arenas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MallocAccounting {
    /// Handed out to the program, large mapped blocks included.
    pub in_use: Bytes,
    /// Held in free blocks.
    pub free: Bytes,
    /// Handed out in blocks that are mapped one by one.
    pub mapped: Bytes,
}

/// glibc has `mallinfo2` from 2.33 on; the older `mallinfo` counts in 32 bits and is worse than nothing.
static MALLINFO2: Lazy<Option<unsafe extern "C" fn() -> libc::mallinfo2>> = Lazy::new(|| {
    // SAFETY: the name is NUL-terminated, and dlsym only reads it.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"mallinfo2".as_ptr()) };
    // SAFETY: a null pointer becomes `None`; any other is glibc's function of this name and signature.
    unsafe { std::mem::transmute(address) }
});

impl MallocAccounting {
    /// Reads it now. It walks every free chunk under the arenas' locks: 170 ms with a million of them, hence
    /// never on a JavaScript thread. `None` where the C library does not offer it.
    pub fn read() -> Option<Self> {
        let mallinfo2 = (*MALLINFO2)?;
        // SAFETY: takes nothing and may be called from any thread.
        let info = unsafe { mallinfo2() };
        Some(Self {
            in_use: Bytes::from_bytes((info.uordblks + info.hblkhd) as u64),
            free: Bytes::from_bytes(info.fordblks as u64),
            mapped: Bytes::from_bytes(info.hblkhd as u64),
        })
    }
}

/// Gives free memory back to the system (`malloc_trim(3)`). As slow as [`MallocAccounting::read`]: never on a
/// JavaScript thread.
pub fn give_back() {
    // SAFETY: may be called from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_block_is_seen_while_it_lives() {
        let Some(before) = MallocAccounting::read() else { return };
        let block = vec![1_u8; 64 << 20];
        let during = MallocAccounting::read().expect("it was there a moment ago");
        assert!(during.in_use.get() >= before.in_use.get() + block.len() as u64 / 2);
    }
}
