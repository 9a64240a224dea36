use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Unpacks what is packed with gzip or zstd, and hands through what is not; tells whether it was. Goes by the first bytes, not by
/// names.
pub fn unpack<'a>(reader: impl Read + Send + 'a) -> io::Result<(Box<dyn Read + Send + 'a>, bool)> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let start = reader.fill_buf()?;
    if start.starts_with(GZIP) {
        return Ok((Box::new(MultiGzDecoder::new(reader)), true));
    }
    if start.starts_with(ZSTD) {
        return Ok((Box::new(Frames(Some(Frame::Between(reader)))), true));
    }
    Ok((Box::new(reader), false))
}

/// A zstd file is one frame behind the other.
struct Frames<R: BufRead>(Option<Frame<R>>);

enum Frame<R: BufRead> {
    Within(Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
    Between(R),
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.take() {
                None => return Ok(0),
                Some(Frame::Between(mut reader)) => {
                    if reader.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder = StreamingDecoder::new(reader).map_err(io::Error::other)?;
                    self.0 = Some(Frame::Within(Box::new(decoder)));
                }
                Some(Frame::Within(mut decoder)) => {
                    let read = decoder.read(into)?;
                    self.0 = Some(if read == 0 && !into.is_empty() {
                        Frame::Between(decoder.into_inner())
                    } else {
                        Frame::Within(decoder)
                    });
                    if read > 0 || into.is_empty() {
                        return Ok(read);
                    }
                }
            }
        }
    }
}
