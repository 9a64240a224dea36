use std::os::unix::fs::FileExt;

use super::*;
use crate::{
    capture::{
        CaptureError, Captured, Mode,
        beacon::{Record, SIZE, decode},
    },
    measure::{Bytes, Millis},
};

fn signal() -> Signal {
    Signal { number: 12, name: "SIGUSR2".into(), handler: 4711 }
}

/// What others read.
fn shown(board: &Board) -> Record {
    let memory = board.memory.as_ref().expect("lit");
    let mut bytes = vec![0; SIZE];
    memory.as_file().read_exact_at(&mut bytes, 0).expect("readable");
    decode(&bytes).expect("a beacon")
}

fn captured(file: &str) -> Outcome {
    let (pause, bytes) = (Millis::from_millis(1.5), Bytes::from_bytes(10));
    let mode = Mode::Fork;
    Ok(Captured { file: file.into(), bytes, nodes: 3, mode, pause, duration: pause, redacted: false })
}

#[test]
fn who_joined_before_it_was_lit_is_shown() {
    let mut board = Board::new();
    board.join(0, Path::new("/dumps"));
    board.join(7, Path::new("/elsewhere"));
    board.light(signal()).expect("lit");
    let record = shown(&board);
    assert_eq!(record.threads.iter().map(|thread| thread.thread_id).collect::<Vec<_>>(), [0, 7]);
    let identity = &record.identity;
    assert_eq!((identity.pid, identity.signal, identity.handler), (process::id(), 12, 4711));
    assert_eq!((identity.dir.as_path(), identity.open), (Path::new("/dumps"), true));
    board.set_dir(0, Path::new("/moved"));
    assert_eq!(shown(&board).identity.dir, Path::new("/moved"));
}

#[test]
fn a_request_goes_its_way() {
    let mut board = Board::new();
    board.light(signal()).expect("lit");
    board.join(0, Path::new("/dumps"));
    board.request(0);
    assert_eq!(shown(&board).threads[0].stage, Stage::Requested);
    board.update(0, Stage::Writing, 5, 9);
    // A second signal meanwhile.
    board.request(0);
    let thread = shown(&board).threads[0];
    assert_eq!((thread.stage, thread.done, thread.total), (Stage::Writing, 5, 9));
    board.answer(0, &captured("/dumps/a"));
    board.answer(0, &Err(CaptureError::Busy));
    let mut record = shown(&board);
    assert_eq!(record.threads[0].stage, Stage::Idle);
    record.answers.sort_by_key(|answer| answer.sequence);
    let [file, error] = record.answers.as_slice() else { panic!("{record:?}") };
    let written = Written { file: "/dumps/a".into(), bytes: 10, nodes: 3, pause_micros: 1_500 };
    assert_eq!(file.result, Ok(written));
    assert!(matches!(&error.result, Err((code, _)) if code == "ERR_LEAKGUARD_BUSY"));
}

#[test]
fn a_row_that_is_used_again_is_another_thread() {
    let mut board = Board::new();
    board.light(signal()).expect("lit");
    board.join(3, Path::new("/"));
    let before = shown(&board).threads[0].serial;
    board.leave(3);
    assert_eq!(shown(&board).threads, []);
    board.join(3, Path::new("/"));
    assert_ne!(shown(&board).threads[0].serial, before);
}

#[test]
fn threads_beyond_the_rows_are_counted() {
    let mut board = Board::new();
    board.light(signal()).expect("lit");
    for thread_id in 0..MAX_THREADS as u32 + 2 {
        board.join(thread_id, Path::new("/"));
    }
    let record = shown(&board);
    assert_eq!((record.threads.len(), record.identity.unlisted), (MAX_THREADS, 2));
    board.leave(MAX_THREADS as u32);
    board.request(MAX_THREADS as u32 + 1);
    assert_eq!(shown(&board).identity.unlisted, 1);
}

#[test]
fn who_has_it_open_sees_that_it_was_put_out() {
    let mut board = Board::new();
    board.light(signal()).expect("lit");
    let file = board.memory.as_ref().expect("lit").as_file().try_clone().expect("a descriptor");
    board.put_out();
    let mut bytes = vec![0; SIZE];
    file.read_exact_at(&mut bytes, 0).expect("readable");
    assert!(!decode(&bytes).expect("a beacon").identity.open);
    assert!(file.set_len(0).is_err(), "it is sealed");
}
