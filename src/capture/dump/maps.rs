//! `/proc/PID/maps` (proc_pid_maps(5)). Pure.

/// The file whose code stands at this address; none where no file's code does.
pub(super) fn code_at(maps: &str, address: u64) -> Option<&str> {
    maps.lines().find_map(|line| {
        let mapping = Mapping::parse(line)?;
        let within = (mapping.start..mapping.end).contains(&address);
        (within && mapping.executable && mapping.file.starts_with('/')).then_some(mapping.file)
    })
}

/// Whether a file is mapped whose name is one of leakguard's addon.
pub(super) fn has_addon(maps: &str) -> bool {
    maps.lines().filter_map(Mapping::parse).any(|mapping| {
        let name = name_of(mapping.file);
        name.starts_with("leakguard") && name.ends_with(".node")
    })
}

/// The last part of a path, without what the kernel says of a file that was removed since.
pub(super) fn name_of(file: &str) -> &str {
    let file = file.strip_suffix(" (deleted)").unwrap_or(file);
    file.rsplit_once('/').map_or(file, |(_, name)| name)
}

struct Mapping<'a> {
    start: u64,
    end: u64,
    executable: bool,
    /// Empty where no file is mapped.
    file: &'a str,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        // address perms offset dev inode, and after some blanks the file, whose name may have blanks.
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let executable = fields.next()?.as_bytes().get(2) == Some(&b'x');
        Some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            executable,
            file: fields.nth(3).unwrap_or_default().trim_start(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::capture::dump) const MAPS: &str = "\
00400000-00401000 r--p 00000000 00:1f 11                                 /usr/bin/node
7f0000000000-7f0000001000 r--p 00000000 00:1f 12                         /a b/leakguard.linux-x64-gnu.node
7f0000001000-7f0000002000 r-xp 00001000 00:1f 12                         /a b/leakguard.linux-x64-gnu.node
7f0000002000-7f0000003000 r-xp 00000000 00:00 0
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
";

    #[test]
    fn code_is_in_an_executable_mapping_of_a_file() {
        let addon = Some("/a b/leakguard.linux-x64-gnu.node");
        for (address, file) in [
            (0x7f00_0000_1000, addon),
            (0x7f00_0000_1fff, addon),
            (0x7f00_0000_0800, None),
            (0x7f00_0000_2000, None),
            (0x7ffd_0000_0000, None),
            (0, None),
        ] {
            assert_eq!(code_at(MAPS, address), file, "{address:x}");
        }
    }

    #[test]
    fn the_addon_is_known_by_its_name() {
        assert!(has_addon(MAPS));
        assert!(has_addon(
            "00400000-00401000 r--p 00000000 00:1f 11 /x/leakguard.linux-x64-gnu.node (deleted)\n"
        ));
        assert!(!has_addon(&MAPS.replace("leakguard.", "other.")));
        assert!(!has_addon("00400000-00401000 r--p 00000000 00:1f 11 /leakguard/other.node\n"));
    }

    #[test]
    fn this_code_is_found() {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("there");
        assert!(code_at(&maps, this_code_is_found as *const () as u64).is_some());
        assert_eq!(code_at(&maps, (&raw const maps) as u64), None);
    }
}
