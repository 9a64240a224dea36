use rustc_hash::{FxHashMap, FxHashSet};

use super::{identity::Identity, side::hash, witness::Witness};

/// The oldest are so many of a hundred, and no fewer than this.
const OLDEST_PART: usize = 10;
const OLDEST: usize = 5;
/// A text that so many members have in a later snapshot still tells one from the others.
const MOST_ALIKE: u32 = 2;

/// Where fewer members than this part can be told from each other, their order counts...
const MANY: f64 = 0.3;
/// ... if they are of so many kinds, none of which has more than this part, and this part of them is where it was.
const KINDS: usize = 5;
const COMMONEST: f64 = 0.5;
const IN_PLACE: f64 = 0.9;

/// How many of the members that a collection had are still there later.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Turnover {
    /// What part of the members can be told from each other; the others say nothing. 0..1.
    pub(super) identifiable: f64,
    /// What part of those is still there. 0..1; none if none can be told.
    pub(super) survival: Option<f64>,
    /// What part of the oldest ones is. 0..1.
    pub(super) oldest: Option<f64>,
    /// By member, whether it is known to be still there.
    pub(super) survived: Vec<bool>,
}

/// Compares members of one snapshot, oldest first, with all that there are in a later one. Of the former only each `step`th is there.
pub(super) fn turnover(
    before: &[Identity],
    step: usize,
    after: impl Iterator<Item = Identity>,
    witness: Witness,
) -> Turnover {
    let fates: Vec<Option<bool>> = match witness {
        Witness::Ids => fates_by_id(before, after),
        Witness::Contents => fates_by_content(before, step, after),
        Witness::Nothing => vec![None; before.len()],
    };
    let part = |fates: &[Option<bool>]| {
        let known = fates.iter().flatten().count();
        (known > 0).then(|| fates.iter().flatten().filter(|&&stayed| stayed).count() as f64 / known as f64)
    };
    let oldest = (before.len() / OLDEST_PART).max(OLDEST).min(before.len());
    Turnover {
        identifiable: fates.iter().flatten().count() as f64 / before.len().max(1) as f64,
        survival: part(&fates),
        oldest: part(&fates[..oldest]),
        survived: fates.into_iter().map(|fate| fate == Some(true)).collect(),
    }
}

fn fates_by_id(before: &[Identity], after: impl Iterator<Item = Identity>) -> Vec<Option<bool>> {
    let present: FxHashSet<u32> = after.map(|identity| identity.id).collect();
    let fate = |identity: &Identity| (identity.id != 0).then(|| present.contains(&identity.id));
    before.iter().map(fate).collect()
}

/// A member is known by its key, if that is unique; otherwise by the texts in it that no other member has, half of which have to
/// be there again.
fn fates_by_content(
    before: &[Identity],
    step: usize,
    after: impl Iterator<Item = Identity>,
) -> Vec<Option<bool>> {
    let keys = counts(before.iter().filter_map(|identity| identity.key));
    let tokens = counts(before.iter().flat_map(|identity| identity.tokens.iter().copied()));
    // Of what comes later only what was there before is remembered.
    let (mut later_keys, mut later_tokens) = (FxHashSet::default(), FxHashMap::default());
    let mut in_place = InPlace::new(before, step);
    for identity in after {
        in_place.next(&identity);
        later_keys.extend(identity.key.filter(|key| keys.contains_key(key)));
        for token in identity.tokens.into_iter().filter(|token| tokens.contains_key(token)) {
            *later_tokens.entry(token).or_insert(0_u32) += 1;
        }
    }
    let fate = |identity: &Identity| {
        if let Some(key) = identity.key.filter(|key| keys.get(key) == Some(&1)) {
            return Some(later_keys.contains(&key));
        }
        // What many have later was not the member's own; it only seems so where not all are looked at.
        let later = |token: &u64| later_tokens.get(token).copied().unwrap_or(0);
        let is_own = |token: &&u64| tokens.get(token) == Some(&1) && later(token) <= MOST_ALIKE;
        let own: Vec<&u64> = identity.tokens.iter().filter(is_own).collect();
        let there = own.iter().filter(|token| later(token) > 0).count();
        (!own.is_empty()).then(|| there * 2 >= own.len())
    };
    let fates: Vec<Option<bool>> = before.iter().map(fate).collect();
    let known = fates.iter().flatten().count();
    let gone = fates.iter().flatten().filter(|&&stayed| !stayed).count();
    let tells = known as f64 >= before.len() as f64 * MANY || gone as f64 > known as f64 * (1.0 - IN_PLACE);
    if tells { fates } else { in_place.fates().unwrap_or(fates) }
}

/// Members that have nothing of their own may still be known by their order: where nearly all are in the places they had, nobody was
/// removed before them.
struct InPlace<'a> {
    before: &'a [Identity],
    step: usize,
    at: usize,
    same: Vec<bool>,
}

impl<'a> InPlace<'a> {
    fn new(before: &'a [Identity], step: usize) -> Self {
        Self { before, step, at: 0, same: Vec::with_capacity(before.len()) }
    }

    /// The next one in the later snapshot.
    fn next(&mut self, identity: &Identity) {
        if self.at.is_multiple_of(self.step)
            && let Some(before) = self.before.get(self.at / self.step)
        {
            self.same.push(!before.tokens.is_empty() && before.tokens == identity.tokens);
        }
        self.at += 1;
    }

    /// Whether each is still there; none where they are too much alike, or not in order.
    fn fates(mut self) -> Option<Vec<Option<bool>>> {
        let kinds = counts(self.before.iter().map(|identity| hash(&identity.tokens)));
        let commonest = kinds.values().copied().max().unwrap_or(0);
        let in_place = self.same.iter().filter(|&&same| same).count();
        let all = self.before.len() as f64;
        // Of what is shifted so many are in place by chance as are of the commonest kind, at most.
        let tells = kinds.len() >= KINDS
            && f64::from(commonest) <= all * COMMONEST
            && in_place as f64 >= all * IN_PLACE;
        self.same.resize(self.before.len(), false);
        tells.then(|| self.same.into_iter().map(Some).collect())
    }
}

fn counts(hashes: impl Iterator<Item = u64>) -> FxHashMap<u64, u32> {
    let mut counts = FxHashMap::default();
    hashes.for_each(|hash| *counts.entry(hash).or_insert(0) += 1);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u32, key: Option<u64>, tokens: &[u64]) -> Identity {
        Identity { id, key, tokens: tokens.to_vec() }
    }

    #[test]
    fn a_key_says_more_than_what_is_in_a_member() {
        let before: Vec<Identity> = (0..10).map(|n| member(0, Some(n), &[100 + n])).collect();
        let after: Vec<Identity> = (5..20).map(|n| member(0, Some(n), &[900 + n])).collect();
        let turnover = turnover(&before, 1, after.iter().cloned(), Witness::Contents);
        assert_eq!((turnover.identifiable, turnover.survival, turnover.oldest), (1.0, Some(0.5), Some(0.0)));
    }

    #[test]
    fn members_without_keys_are_known_by_half_of_what_is_in_them() {
        let before = [member(0, None, &[1, 2, 3]), member(0, None, &[4, 5, 3]), member(0, None, &[3])];
        let after = [member(0, None, &[1, 2, 9]), member(0, None, &[4, 7, 8])];
        let turnover = turnover(&before, 1, after.iter().cloned(), Witness::Contents);
        // What all have tells nothing, and the third has nothing else.
        assert!((turnover.identifiable - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(turnover.survived, [true, true, false]);
    }

    #[test]
    fn members_alike_are_known_by_their_order() {
        // Three at a time have the same time, as what is made in one millisecond.
        let made = |range: std::ops::Range<u64>| -> Vec<Identity> {
            range.map(|number| member(0, None, &[number / 3])).collect()
        };
        let order = |before: std::ops::Range<u64>, after: std::ops::Range<u64>| {
            let before: Vec<Identity> = made(before).into_iter().step_by(2).collect();
            turnover(&before, 2, made(after).into_iter(), Witness::Contents)
        };
        let kept = order(0..300, 0..900);
        assert_eq!((kept.identifiable, kept.survival), (1.0, Some(1.0)));
        // What was removed at the front has moved all others: nothing is known.
        assert_eq!(order(0..300, 60..900).survived, vec![false; 150]);
        // All alike.
        let alike: Vec<Identity> = (0..300).map(|_| member(0, None, &[1])).collect();
        let unknown = turnover(&alike, 1, alike.iter().cloned(), Witness::Contents);
        assert_eq!(unknown.identifiable, 0.0);
    }

    #[test]
    fn ids_tell_all_where_they_match() {
        let before: Vec<Identity> = (1..=4).map(|id| member(id, None, &[])).collect();
        let after: Vec<Identity> = (3..=9).map(|id| member(id, None, &[])).collect();
        assert_eq!(
            turnover(&before, 1, after.iter().cloned(), Witness::Ids).survived,
            [false, false, true, true]
        );
        assert_eq!(turnover(&before, 1, after.iter().cloned(), Witness::Contents).identifiable, 0.0);
    }
}
