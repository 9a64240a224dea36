use super::{
    super::{maps::tests::MAPS, status::tests::STATUS},
    *,
};
use crate::capture::beacon::{self, Beacon, Identity};

/// The process of `STATUS` and `MAPS`, and what it says.
fn armed() -> (Record, Evidence) {
    let identity = Identity {
        open: true,
        pid: 4711,
        start_time: 99,
        handler: 0x7f00_0000_1234,
        signal: 12,
        signal_name: "SIGUSR2".into(),
        ..Identity::default()
    };
    let status = Status::parse(STATUS.as_bytes()).expect("whole");
    let evidence = Evidence { status, start_time: 99, maps: MAPS.into() };
    (Record { identity, ..Record::default() }, evidence)
}

#[test]
fn a_process_that_agrees_with_its_beacon_is_armed() {
    let (record, evidence) = armed();
    assert!(check(815, &record, &evidence).is_ok());
}

#[test]
fn each_contradiction_is_a_refusal() {
    type Change = fn(&mut Record, &mut Evidence);
    let changes: [(&str, Change); 7] = [
        ("a fork", |_, evidence| evidence.status.inner_pid = 4712),
        ("the id of another namespace", |record, _| record.identity.pid = 815),
        ("another process with the same id", |_, evidence| evidence.start_time = 100),
        ("stopped", |record, _| record.identity.open = false),
        ("the addon is gone", |_, evidence| evidence.maps = String::new()),
        ("nobody handles the signal", |_, evidence| evidence.status.caught = 0),
        ("a signal that nobody can handle", |record, _| record.identity.signal = 9),
    ];
    for (what, change) in changes {
        let (mut record, mut evidence) = armed();
        change(&mut record, &mut evidence);
        assert!(check(815, &record, &evidence).is_err(), "{what}");
    }
}

#[test]
fn a_process_whose_id_was_taken_by_another_is_told_as_such() {
    let (record, mut evidence) = armed();
    evidence.start_time += 1;
    let refusal = check(815, &record, &evidence).expect_err("another one");
    assert!(matches!(refusal, Refusal::Copy { pid: 815, other: 4711 }), "{refusal}");
}

#[test]
fn nobody_is_found_where_nobody_is() {
    for pid in [0, u32::MAX, 1 << 30] {
        assert!(matches!(Armed::prove(pid), Err(Refusal::NoProcess(_))), "{pid}");
    }
}

#[test]
fn a_thread_is_no_process() {
    let (tell, told) = std::sync::mpsc::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        tell.send(own_thread_id()).expect("heard");
        let _ = ended.recv();
    });
    let id = told.recv().expect("told");
    let refusal = Armed::prove(id).expect_err("a thread");
    let own = process::id();
    assert!(matches!(refusal, Refusal::Thread { process, .. } if process == own), "{refusal}");
    drop(end);
    thread.join().expect("ended");
}

#[test]
fn a_beacon_alone_is_no_proof_and_is_never_read_in_between() {
    let own = process::id();
    let handler = own_thread_id as *const () as usize;
    // Nobody handles it in the tests.
    let signal = beacon::Signal { number: libc::SIGUSR2, name: "SIGUSR2".into(), handler };
    beacon::joined(0, Path::new("/dumps"));
    let lit = Beacon::light(signal).expect("lit");
    let refusal = Armed::prove(own).expect_err("no handler");
    assert!(matches!(refusal, Refusal::NotCaught { .. }), "{refusal}");

    let beacons = BeaconFile::find_all(Path::new("/proc/self/fd")).expect("ours");
    let shown =
        |beacon: &BeaconFile| beacon.read().is_ok_and(|record| record.identity.handler == handler as u64);
    let beacon = beacons.into_iter().find(shown).expect("shown");
    let ended = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // As long as a path may be, to take long to write.
            for letter in ["a", "b"].into_iter().cycle() {
                beacon::moved(0, Path::new(&letter.repeat(4096)));
                if ended.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                // Faster than any snapshot, and slow enough for readings to succeed.
                std::thread::sleep(Duration::from_micros(100));
            }
        });
        let dirs: Vec<_> = (0..500).map(|_| beacon.read().map(|record| record.identity.dir)).collect();
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        let whole = ["/dumps".into(), "a".repeat(4096), "b".repeat(4096)].map(|dir| Ok(PathBuf::from(dir)));
        assert!(dirs.iter().all(|dir| whole.contains(dir)), "half of one, half of another");
        assert!(whole[1..].iter().all(|dir| dirs.contains(dir)));
    });
    drop(lit);
    assert!(!beacon.is_held());
    assert!(!beacon.read().expect("open").identity.open);
    assert!(Armed::prove(own).is_err());
    beacon::left(0);
}

fn own_thread_id() -> u32 {
    let link = fs::read_link("/proc/thread-self").expect("there");
    link.file_name().and_then(|name| name.to_str()?.parse().ok()).expect("a number")
}
