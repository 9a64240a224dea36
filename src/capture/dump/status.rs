//! `/proc/PID/status` and `/proc/PID/stat` (proc_pid_status(5), proc_pid_stat(5)). Pure.

/// What the kernel says of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// `R`, `S`, `D`, `T` (stopped), `t` (stopped by a debugger), `Z` or `X` (ended).
    pub(super) state: char,
    /// The process that the thread belongs to.
    pub(super) tgid: u32,
    /// The parent.
    pub(super) parent: u32,
    /// Its id as it sees it itself.
    pub(super) inner_pid: u32,
    /// Whose it is, effectively.
    pub(super) uid: u32,
    /// The signals that have a handler: bit 0 is signal 1.
    pub(super) caught: u64,
}

impl Status {
    /// None where a field is missing or is none.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let tgid = field("Tgid")?.parse().ok()?;
        Some(Self {
            state: field("State")?.chars().next()?,
            tgid,
            parent: field("PPid")?.parse().ok()?,
            // The innermost namespace comes last; without namespaces there is no such line.
            inner_pid: match field("NSpid") {
                Some(pids) => pids.split_whitespace().last()?.parse().ok()?,
                None => tgid,
            },
            uid: field("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
            caught: u64::from_str_radix(field("SigCgt")?, 16).ok()?,
        })
    }

    /// Whether the signal has a handler.
    pub(super) fn catches(&self, signal: i32) -> bool {
        matches!(signal, 1..=64) && self.caught & 1 << (signal - 1) != 0
    }
}

/// When the process of this `/proc/PID/stat` was started, in clock ticks since the machine was.
pub(in crate::capture) fn start_time(stat: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(stat);
    // The name in parentheses may contain anything; field 3 stands behind it.
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::capture::dump) const STATUS: &str = "Name:\tnode\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t815\n\
        Ngid:\t0\nPid:\t815\nPPid:\t800\nTracerPid:\t0\nUid:\t1000\t1001\t1002\t1003\nNSpid:\t815\t4711\n\
        SigBlk:\t0000000000000000\nSigIgn:\t0000000001001000\nSigCgt:\t0000000188004e02\n";

    #[test]
    fn the_fields_are_read() {
        let status = Status::parse(STATUS.as_bytes()).expect("whole");
        let expected =
            Status { state: 'S', tgid: 815, parent: 800, inner_pid: 4711, uid: 1001, caught: 0x1_8800_4e02 };
        assert_eq!(status, expected);
    }

    #[test]
    fn a_signal_is_a_bit() {
        let status = Status::parse(STATUS.as_bytes()).expect("whole");
        let caught: Vec<_> = (-1..=70).filter(|&signal| status.catches(signal)).collect();
        assert_eq!(caught, [2, 10, 11, 12, 15, 28, 32, 33]);
    }

    #[test]
    fn what_is_missing_makes_a_doubt() {
        for name in ["State", "Tgid", "PPid", "Uid", "SigCgt"] {
            let text = STATUS.replace(&format!("{name}:"), "Other:");
            assert_eq!(Status::parse(text.as_bytes()), None, "{name}");
        }
        let text = STATUS.replace("815\t4711", "815\tx");
        assert_eq!(Status::parse(text.as_bytes()), None);
        assert_eq!(Status::parse(&[]), None);
    }

    #[test]
    fn the_start_is_told_whatever_the_name() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
        for name in ["node", "a) S 1 2", "", "\u{fffd} ("] {
            assert_eq!(start_time(format!("815 ({name}) {rest}\n").as_bytes()), Some(4242), "{name}");
        }
        assert_eq!(start_time(b"815 (node) S 1"), None);
    }

    #[test]
    fn this_process_has_both() {
        let read = |name| std::fs::read(format!("/proc/self/{name}")).expect("there");
        assert_eq!(Status::parse(&read("status")).map(|status| status.tgid), Some(std::process::id()));
        assert!(start_time(&read("stat")).is_some_and(|ticks| ticks > 0));
    }
}
