//! Where things stand in a beacon: words of eight bytes, little-endian, and texts with their length before them. Pure.
#![forbid(unsafe_code)]

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::{Answer, Identity, Record, Stage, Thread, Written};

/// The memfd's name.
pub(in crate::capture) const NAME: &str = "leakguard-beacon";
const MAGIC: u64 = u64::from_le_bytes(*b"lkguard\n");
/// Raised with every change of what follows.
const LAYOUT: u64 = 1;

/// A Linux path is shorter than this (`PATH_MAX`).
const PATH: usize = 4096;
const NAME_TEXT: usize = 64;
/// More threads than this have no row. A process with as many isolates is rare, and a row takes 40 bytes.
pub(super) const MAX_THREADS: usize = 128;
/// Answers that are kept. Who follows looks many times a second; a page is only taken when it is first used.
pub(super) const MAX_ANSWERS: usize = 32;

const MAGIC_AT: usize = 0;
const LAYOUT_AT: usize = 8;
/// Odd while something is written; another one after that.
pub(in crate::capture) const LOCK: usize = 16;
pub(super) const IDENTITY_AT: usize = 64;
const IDENTITY_SIZE: usize = 6 * 8 + 2 * (8 + NAME_TEXT) + 8 + PATH;
const THREADS_AT: usize = IDENTITY_AT + IDENTITY_SIZE;
const THREAD_SIZE: usize = 5 * 8;
const ANSWERS_AT: usize = THREADS_AT + MAX_THREADS * THREAD_SIZE;
const ANSWER_SIZE: usize = 6 * 8 + 8 + NAME_TEXT + 8 + PATH;
/// Bytes of a beacon.
pub(in crate::capture) const SIZE: usize = ANSWERS_AT + MAX_ANSWERS * ANSWER_SIZE;

/// Why bytes are no beacon of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// They begin otherwise.
    #[error("it is no beacon of leakguard, or one that is being made")]
    Foreign,
    /// Another version of leakguard wrote them.
    #[error("it was written by another version of leakguard (layout {0}); use the command of that one")]
    Layout(u64),
    /// They contradict themselves.
    #[error("it is damaged")]
    Damaged,
}

/// The beginning, written last: it says that there is a beacon.
pub(super) fn head() -> [(usize, u64); 2] {
    [(LAYOUT_AT, LAYOUT), (MAGIC_AT, MAGIC)]
}

/// Where the row of a thread stands.
pub(super) const fn thread_at(row: usize) -> usize {
    THREADS_AT + row * THREAD_SIZE
}

/// Where an answer stands: the new ones take the places of the oldest.
pub(super) const fn answer_at(sequence: u64) -> usize {
    ANSWERS_AT + (sequence % MAX_ANSWERS as u64) as usize * ANSWER_SIZE
}

pub(super) fn encode_identity(identity: &Identity) -> Vec<u8> {
    let mut to = Encoder(Vec::with_capacity(IDENTITY_SIZE));
    to.number(u64::from(identity.open));
    to.number(identity.pid.into());
    to.number(identity.start_time);
    to.number(identity.handler);
    to.number(u64::try_from(identity.signal).unwrap_or(0));
    to.number(identity.unlisted);
    to.text(identity.signal_name.as_bytes(), NAME_TEXT);
    to.text(identity.version.as_bytes(), NAME_TEXT);
    to.text(bytes_of(&identity.dir), PATH);
    to.0
}

pub(super) fn encode_thread(thread: &Thread) -> Vec<u8> {
    let mut to = Encoder(Vec::with_capacity(THREAD_SIZE));
    to.number(thread.serial);
    to.number(thread.thread_id.into());
    to.number(thread.stage as u64);
    to.number(thread.done);
    to.number(thread.total);
    to.0
}

pub(super) fn encode_answer(answer: &Answer) -> Vec<u8> {
    let mut to = Encoder(Vec::with_capacity(ANSWER_SIZE));
    let nothing = Written::default();
    let written = answer.result.as_ref().unwrap_or(&nothing);
    to.number(answer.sequence);
    to.number(answer.serial);
    to.number(u64::from(answer.result.is_err()));
    to.number(written.bytes);
    to.number(written.nodes);
    to.number(written.pause_micros);
    match &answer.result {
        Ok(Written { file, .. }) => {
            to.text(b"", NAME_TEXT);
            to.text(bytes_of(file), PATH);
        }
        Err((code, message)) => {
            to.text(code.as_bytes(), NAME_TEXT);
            to.text(message.as_bytes(), PATH);
        }
    }
    to.0
}

/// Reads a beacon. Whatever the bytes are, it answers.
pub(in crate::capture) fn decode(bytes: &[u8]) -> Result<Record, RecordError> {
    if word(bytes, MAGIC_AT) != Some(MAGIC) {
        return Err(RecordError::Foreign);
    }
    match word(bytes, LAYOUT_AT) {
        Some(LAYOUT) => {}
        found => return Err(RecordError::Layout(found.unwrap_or(0))),
    }
    if bytes.len() != SIZE {
        return Err(RecordError::Damaged);
    }
    whole(bytes).ok_or(RecordError::Damaged)
}

fn whole(bytes: &[u8]) -> Option<Record> {
    let identity = decode_identity(Decoder(bytes.get(IDENTITY_AT..)?))?;
    let mut threads = Vec::new();
    for row in 0..MAX_THREADS {
        threads.push(decode_thread(Decoder(bytes.get(thread_at(row)..)?))?);
    }
    threads.retain(|thread| thread.serial != 0);
    let mut answers = Vec::new();
    for place in 0..MAX_ANSWERS {
        answers.push(decode_answer(Decoder(bytes.get(answer_at(place as u64)..)?))?);
    }
    answers.retain(|answer| answer.sequence != 0);
    Some(Record { identity, threads, answers })
}

fn decode_identity(mut from: Decoder<'_>) -> Option<Identity> {
    Some(Identity {
        open: from.number()? == 1,
        pid: from.number()?.try_into().ok()?,
        start_time: from.number()?,
        handler: from.number()?,
        signal: from.number()?.try_into().ok()?,
        unlisted: from.number()?,
        signal_name: from.words(NAME_TEXT)?,
        version: from.words(NAME_TEXT)?,
        dir: from.path()?,
    })
}

fn decode_thread(mut from: Decoder<'_>) -> Option<Thread> {
    Some(Thread {
        serial: from.number()?,
        thread_id: from.number()?.try_into().ok()?,
        stage: Stage::ALL.get(usize::try_from(from.number()?).ok()?).copied()?,
        done: from.number()?,
        total: from.number()?,
    })
}

fn decode_answer(mut from: Decoder<'_>) -> Option<Answer> {
    let (sequence, serial, failed) = (from.number()?, from.number()?, from.number()? == 1);
    let (bytes, nodes, pause_micros) = (from.number()?, from.number()?, from.number()?);
    let code = from.words(NAME_TEXT)?;
    let result = if failed {
        Err((code, from.words(PATH)?))
    } else {
        Ok(Written { file: from.path()?, bytes, nodes, pause_micros })
    };
    Some(Answer { sequence, serial, result })
}

fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Decoder(bytes.get(at..)?).number()
}

struct Encoder(Vec<u8>);

impl Encoder {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// What does not fit is left out.
    fn text(&mut self, text: &[u8], capacity: usize) {
        let text = &text[..text.len().min(capacity)];
        self.number(text.len() as u64);
        self.0.extend_from_slice(text);
        self.0.resize(self.0.len() + capacity - text.len(), 0);
    }
}

struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    fn number(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*word))
    }

    fn text(&mut self, capacity: usize) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(capacity)?;
        self.0 = rest;
        text.get(..length)
    }

    fn words(&mut self, capacity: usize) -> Option<String> {
        Some(String::from_utf8_lossy(self.text(capacity)?).into_owned())
    }

    fn path(&mut self) -> Option<PathBuf> {
        Some(Path::new(OsStr::from_bytes(self.text(PATH)?)).to_owned())
    }
}

#[cfg(test)]
mod tests;
