use proptest::prelude::*;

use super::*;

/// The bytes of a beacon that says this.
fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    for (at, word) in head() {
        put(at, &word.to_le_bytes());
    }
    put(IDENTITY_AT, &encode_identity(&record.identity));
    for (row, thread) in record.threads.iter().enumerate() {
        put(thread_at(row), &encode_thread(thread));
    }
    for answer in &record.answers {
        put(answer_at(answer.sequence), &encode_answer(answer));
    }
    bytes
}

fn identity() -> Identity {
    Identity {
        open: true,
        pid: 4711,
        start_time: 99,
        handler: 0x7f00_0000_1234,
        signal: 12,
        signal_name: "SIGUSR2".into(),
        version: "0.1.0".into(),
        dir: "/var/dümps".into(),
        unlisted: 3,
    }
}

#[test]
fn what_is_written_is_read() {
    let written = Written { file: "/d/a.heapsnapshot".into(), bytes: 10, nodes: 2, pause_micros: 1_500 };
    let record = Record {
        identity: identity(),
        threads: vec![
            Thread { serial: 1, thread_id: 0, stage: Stage::Building, done: 5, total: 9 },
            Thread { serial: 2, thread_id: 7, stage: Stage::Idle, done: 0, total: 0 },
        ],
        answers: vec![
            Answer { sequence: 1, serial: 1, result: Ok(written) },
            Answer { sequence: 2, serial: 2, result: Err(("ERR_X".into(), "a word".into())) },
        ],
    };
    let mut read = decode(&encode(&record)).expect("a beacon");
    read.answers.sort_by_key(|answer| answer.sequence);
    assert_eq!(read, record);
}

#[test]
fn the_parts_are_as_long_as_their_places() {
    assert_eq!(encode_identity(&identity()).len(), IDENTITY_SIZE);
    assert_eq!(encode_thread(&Thread::default()).len(), THREAD_SIZE);
    let long = Err(("x".repeat(500), "y".repeat(9_000)));
    assert_eq!(encode_answer(&Answer { sequence: 1, serial: 1, result: long }).len(), ANSWER_SIZE);
    assert_eq!(SIZE % 8, 0);
}

#[test]
fn other_bytes_are_refused() {
    let good = encode(&Record { identity: identity(), ..Record::default() });
    assert_eq!(decode(&[]), Err(RecordError::Foreign));
    assert_eq!(decode(&vec![0; SIZE]), Err(RecordError::Foreign));
    assert_eq!(decode(&good[..SIZE - 8]), Err(RecordError::Damaged));
    let mut newer = good.clone();
    newer[LAYOUT_AT] = 2;
    assert_eq!(decode(&newer), Err(RecordError::Layout(2)));
    let mut unknown_stage = good;
    unknown_stage[thread_at(0) + 16] = 99;
    assert_eq!(decode(&unknown_stage), Err(RecordError::Damaged));
}

proptest! {
    #[test]
    fn any_change_is_answered(at in 0..SIZE, bits: u64) {
        let mut bytes = encode(&Record { identity: identity(), ..Record::default() });
        for (byte, change) in bytes[at..].iter_mut().zip(bits.to_le_bytes()) {
            *byte ^= change;
        }
        let _ = decode(&bytes);
    }
}
