//! Why an id's process shows no beacon, in words that help.

use std::fs;

use super::{
    Refusal,
    maps::{has_addon, name_of},
    proof::folder_of,
    status::Status,
};

/// Node's own option for snapshots by signal, which goes before ours.
const NODES_OWN: &str = "--heapsnapshot-signal";
/// A process tree deeper than this is no development set-up.
const MAX_DEPTH: usize = 10;

/// What was found out about a process; the texts are as `/proc` has them.
#[derive(Debug, Default)]
struct Findings {
    program: String,
    addon: bool,
    arguments: Vec<String>,
    node_options: String,
    leakguard_options: String,
    nodemon: Option<u32>,
}

/// The refusal of a process without a beacon; an error where even that cannot be found out.
pub(super) fn why_no_beacon(pid: u32, status: &Status) -> Result<Refusal, Refusal> {
    let folder = folder_of(pid);
    let read = |name| match fs::read(folder.join(name)) {
        // The kernel's own threads have no memory of their own.
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(Vec::new()),
        read => read.map_err(|source| {
            let owner = format!(" of user {}", status.uid);
            Refusal::Hidden { pid, owner, source }
        }),
    };
    let maps = String::from_utf8_lossy(&read("maps")?).into_owned();
    let environment = words(&read("environ")?);
    let variable = |name: &str| {
        let value = environment.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    };
    // A kernel thread has no program.
    let program = fs::read_link(folder.join("exe")).unwrap_or_default();
    Ok(judge(
        pid,
        &Findings {
            program: name_of(&program.to_string_lossy()).to_owned(),
            addon: has_addon(&maps),
            arguments: words(&read("cmdline")?),
            node_options: variable("NODE_OPTIONS"),
            leakguard_options: variable("LEAKGUARD_OPTIONS"),
            nodemon: nodemon_above(status.parent),
        },
    ))
}

fn judge(pid: u32, findings: &Findings) -> Refusal {
    let flag = |name: &str| {
        let own = findings.arguments.iter().map(String::as_str);
        own.chain(findings.node_options.split_whitespace()).any(|word| word.starts_with(name))
    };
    if !findings.addon {
        let what = match findings.program.as_str() {
            "" => String::new(),
            program => format!(" ({program})"),
        };
        let hint = if ["--no-addons", "--permission", "--experimental-permission"]
            .iter()
            .any(|name| flag(name))
        {
            ", or runs it without its addon (--no-addons, --permission), and then nobody can see it from outside"
        } else {
            ""
        };
        return Refusal::NotLoaded { pid, what, hint: hint.into() };
    }
    let options = &findings.leakguard_options;
    let why = if options.split(',').any(|option| matches!(option.trim(), "off" | "dumpSignal=none")) {
        format!("its environment has LEAKGUARD_OPTIONS={options}; start it without that")
    } else if let Some(nodemon) = findings.nodemon {
        format!("nodemon (pid {nodemon}) restarts it with SIGUSR2; start it without nodemon")
    } else if flag(NODES_OWN) {
        format!(
            "Node itself writes snapshots on a signal ({NODES_OWN}); give leakguard another one (`dumpSignal`)"
        )
    } else {
        "its `dumpSignal` is 'none', leakguard was stopped, or only a Worker has loaded it; have the main thread load \
         it (`node --require leakguard APP.js`) and leave `dumpSignal` at a signal"
            .into()
    };
    Refusal::NotArmed { pid, why }
}

/// The words of a list in `/proc`, each with a zero behind it.
fn words(text: &[u8]) -> Vec<String> {
    let texts = text.split(|&byte| byte == 0).filter(|word| !word.is_empty());
    texts.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn nodemon_above(mut pid: u32) -> Option<u32> {
    for _ in 0..MAX_DEPTH {
        let folder = folder_of(pid);
        let arguments = words(&fs::read(folder.join("cmdline")).ok()?);
        if arguments.iter().take(3).any(|word| matches!(name_of(word), "nodemon" | "nodemon.js")) {
            return Some(pid);
        }
        pid = Status::parse(&fs::read(folder.join("status")).ok()?)?.parent;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded() -> Findings {
        Findings { program: "node".into(), addon: true, ..Findings::default() }
    }

    #[test]
    fn what_is_missing_is_said() {
        let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        for (findings, code, part) in [
            (Findings { program: "python3".into(), ..Findings::default() }, "NOT_ARMED", "(python3)"),
            (
                Findings { arguments: list(&["node", "--permission", "a.js"]), ..Findings::default() },
                "NOT_ARMED",
                "--no-addons",
            ),
            (
                Findings { leakguard_options: "dir=/x,dumpSignal=none".into(), ..loaded() },
                "NOT_ARMED",
                "LEAKGUARD_OPTIONS=dir=/x,dumpSignal=none",
            ),
            (Findings { leakguard_options: "off".into(), ..loaded() }, "NOT_ARMED", "LEAKGUARD_OPTIONS=off"),
            (Findings { nodemon: Some(7), ..loaded() }, "NOT_ARMED", "nodemon (pid 7)"),
            (
                Findings { node_options: "--x --heapsnapshot-signal=SIGUSR2".into(), ..loaded() },
                "NOT_ARMED",
                "--heapsnapshot-signal",
            ),
            (loaded(), "NOT_ARMED", "only a Worker has loaded it"),
        ] {
            let refusal = judge(815, &findings);
            let message = refusal.to_string();
            assert_eq!(refusal.code(), format!("ERR_LEAKGUARD_{code}"));
            assert!(message.contains("815") && message.contains(part), "{message}");
            assert!(
                message.contains("start it")
                    || message.contains("--require leakguard")
                    || message.contains("dumpSignal")
            );
        }
    }

    #[test]
    fn words_end_with_a_zero() {
        assert_eq!(words(b"node\0\0a b\0"), ["node", "a b"]);
        assert!(words(b"").is_empty());
    }
}
