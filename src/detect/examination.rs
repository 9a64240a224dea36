use crate::measure::Millis;

/// A suspicion is looked into at the fast pace for this long; then the detector rests before it does so again.
const EXAMINATION: Millis = Millis::from_millis(5.0 * 60e3);
/// The first rest; each further one is twice as long.
const FIRST_REST: Millis = Millis::from_millis(5.0 * 60e3);
/// The longest rest.
const LONGEST_REST: Millis = Millis::from_millis(60.0 * 60e3);

/// Keeps a steady app with a tiny growth from being examined again and again.
#[derive(Debug)]
pub(super) struct Examination {
    since: Option<Millis>,
    rest_until: Millis,
    next_rest: Millis,
}

impl Default for Examination {
    fn default() -> Self {
        Self { since: None, rest_until: Millis::ZERO, next_rest: FIRST_REST }
    }
}

impl Examination {
    /// Whether it is under way.
    pub(super) const fn is_under_way(&self) -> bool {
        self.since.is_some()
    }

    pub(super) fn note(&mut self, now: Millis, interesting: bool, has_verdict: bool) {
        if has_verdict {
            let since = interesting.then_some(now);
            *self = Self { since, rest_until: Millis::ZERO, next_rest: FIRST_REST };
        } else if !interesting {
            self.since = None;
        } else if let Some(since) = self.since {
            if now.since(since) > EXAMINATION {
                self.since = None;
                self.rest_until = Millis::from_millis(now.get() + self.next_rest.get());
                self.next_rest = Millis::from_millis((self.next_rest.get() * 2.0).min(LONGEST_REST.get()));
            }
        } else if now >= self.rest_until {
            self.since = Some(now);
        }
    }
}
