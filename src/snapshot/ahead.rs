use std::{
    io::{self, Read},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

const BLOCK: u64 = 1 << 16;
/// So many blocks wait at most.
const WAITING: usize = 8;

/// Reads on a thread of its own, a little ahead of the reader: for what takes long to read, such as what is packed. The thread ends with the
/// input, or soon after the reader is dropped.
#[derive(Debug)]
pub struct ReadAhead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
}

impl ReadAhead {
    /// Begins to read. Fails where no thread can be had.
    pub fn new(reader: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, blocks) = sync_channel(WAITING);
        thread::Builder::new().name("leakguard-read".into()).spawn(move || send_blocks(reader, &sender))?;
        Ok(Self { blocks, block: Vec::new(), at: 0 })
    }
}

fn send_blocks(mut reader: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = Vec::with_capacity(BLOCK as usize);
        let outcome = reader.by_ref().take(BLOCK).read_to_end(&mut block);
        let is_over = outcome.is_err() || block.is_empty();
        // What came before an error is whole.
        if sender.send(Ok(block)).is_err() {
            return;
        }
        if is_over {
            let _ = outcome.map_err(|error| sender.send(Err(error)));
            return;
        }
    }
}

impl Read for ReadAhead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.block.len() {
            let Ok(block) = self.blocks.recv() else { return Ok(0) };
            self.block = block?;
            self.at = 0;
        }
        let length = into.len().min(self.block.len() - self.at);
        into[..length].copy_from_slice(&self.block[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_over_all_and_then_the_error() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        let bytes: Vec<u8> = (0..1_000_003_u32).map(|number| number as u8).collect();
        for length in [0, 1, BLOCK as usize, bytes.len()] {
            let expected = bytes[..length].to_vec();
            let mut read = Vec::new();
            ReadAhead::new(io::Cursor::new(expected.clone())).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, expected);
            let broken = io::Cursor::new(expected.clone()).chain(Broken);
            let mut read = Vec::new();
            let error = ReadAhead::new(broken).unwrap().read_to_end(&mut read).unwrap_err();
            assert_eq!((read, error.kind()), (expected, io::ErrorKind::UnexpectedEof));
        }
    }
}
