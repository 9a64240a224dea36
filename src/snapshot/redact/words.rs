use rustc_hash::FxHashSet;

/// Longer ones are no names.
const MAX_NAME: usize = 64;
/// Shorter words are in every language and in every key.
const LONG: usize = 3;

/// The words that the names of code consist of: `readableHighWaterMark` has four.
///
/// V8 throws away what it knows of code that has not run for a while, so that nobody vouches for a name that code has put there. One that is
/// made of words that other code uses says nothing that the code does not say.
#[derive(Debug, Default)]
pub(super) struct Words(FxHashSet<Vec<u8>>);

impl Words {
    /// Learns the words of a name; texts that are none teach nothing.
    pub(super) fn learn(&mut self, name: &[u8]) {
        if is_name(name) {
            self.0.extend(words(name).map(<[u8]>::to_ascii_lowercase));
        }
    }

    /// Whether a name consists of known words, of which not more than one is short.
    pub(super) fn know(&self, name: &[u8]) -> bool {
        let (mut short, mut long) = (0, 0);
        is_name(name)
            && words(name).all(|word| {
                *if word.len() < LONG { &mut short } else { &mut long } += 1;
                self.0.contains(&word.to_ascii_lowercase())
            })
            && short <= 1
            && long >= 1
    }
}

fn is_name(text: &[u8]) -> bool {
    let is_part =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'.' | b'-');
    !text.is_empty() && text.len() <= MAX_NAME && text.iter().all(is_part)
}

/// `parseHTTPHeader_v2` has `parse`, `HTTP`, `Header` and `v2`.
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|byte| !byte.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).flat_map(|part| {
        let begins = |at: usize| {
            let is_upper = |at: usize| part.get(at).is_some_and(u8::is_ascii_uppercase);
            at > 0
                && is_upper(at)
                && (!is_upper(at - 1) || part.get(at + 1).is_some_and(u8::is_ascii_lowercase))
        };
        let mut start = 0;
        (1..=part.len())
            .filter(move |&at| at == part.len() || begins(at))
            .map(move |at| &part[std::mem::replace(&mut start, at)..at])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(name: &str) -> Vec<&str> {
        words(name.as_bytes()).map(|word| std::str::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn names_are_split_as_they_are_written() {
        assert_eq!(split("parseHTTPHeader_v2"), ["parse", "HTTP", "Header", "v2"]);
        assert_eq!(split("MAX_SAFE_INTEGER"), ["MAX", "SAFE", "INTEGER"]);
        assert_eq!(split("x-request-id"), ["x", "request", "id"]);
        assert_eq!(split("#private$"), ["private"]);
        assert_eq!(split("toJSON"), ["to", "JSON"]);
    }

    #[test]
    fn names_of_known_words_are_known() {
        let mut words = Words::default();
        for name in ["parseHeader", "requestId", "onClose", "two words", "x"] {
            words.learn(name.as_bytes());
        }
        for known in ["headerParse", "closeId", "request", "CLOSE_REQUEST"] {
            assert!(words.know(known.as_bytes()), "{known}");
        }
        for unknown in ["", "id", "x", "onId", "onIdClose", "alice", "parse7", "two", "header value"] {
            assert!(!words.know(unknown.as_bytes()), "{unknown}");
        }
    }
}
