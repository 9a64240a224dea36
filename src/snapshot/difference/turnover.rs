use rustc_hash::{FxHashMap, FxHashSet};

use super::{identity::Identity, witness::Witness};

/// The oldest are so many of a hundred, and no fewer than this.
const OLDEST_PART: usize = 10;
const OLDEST: usize = 5;
/// A text that so many members have in a later snapshot still tells one from the others.
const MOST_ALIKE: u32 = 2;

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

/// Compares members of one snapshot, oldest first, with all that there are in a later one.
pub(super) fn turnover(
    before: &[Identity],
    after: impl Iterator<Item = Identity>,
    witness: Witness,
) -> Turnover {
    let fates: Vec<Option<bool>> = match witness {
        Witness::Ids => fates_by_id(before, after),
        Witness::Contents => fates_by_content(before, after),
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
fn fates_by_content(before: &[Identity], after: impl Iterator<Item = Identity>) -> Vec<Option<bool>> {
    let keys = counts(before.iter().filter_map(|identity| identity.key));
    let tokens = counts(before.iter().flat_map(|identity| identity.tokens.iter().copied()));
    // Of what comes later only what was there before is remembered.
    let (mut later_keys, mut later_tokens) = (FxHashSet::default(), FxHashMap::default());
    for identity in after {
        later_keys.extend(identity.key.filter(|key| keys.contains_key(key)));
        for token in identity.tokens.into_iter().filter(|token| tokens.contains_key(token)) {
            *later_tokens.entry(token).or_insert(0_u32) += 1;
        }
    }
    let fate = |identity: &Identity| {
        if let Some(key) = identity.key.filter(|key| keys.get(key) == Some(&1)) {
            return Some(later_keys.contains(&key));
        }
        let own: Vec<&u64> = identity.tokens.iter().filter(|token| tokens.get(token) == Some(&1)).collect();
        let is_there = |token: &&&u64| later_tokens.get(**token).is_some_and(|&count| count <= MOST_ALIKE);
        (!own.is_empty()).then(|| own.iter().filter(is_there).count() * 2 >= own.len())
    };
    before.iter().map(fate).collect()
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
        let turnover = turnover(&before, after.iter().cloned(), Witness::Contents);
        assert_eq!((turnover.identifiable, turnover.survival, turnover.oldest), (1.0, Some(0.5), Some(0.0)));
    }

    #[test]
    fn members_without_keys_are_known_by_half_of_what_is_in_them() {
        let before = [member(0, None, &[1, 2, 3]), member(0, None, &[4, 5, 3]), member(0, None, &[3])];
        let after = [member(0, None, &[1, 2, 9]), member(0, None, &[4, 7, 8])];
        let turnover = turnover(&before, after.iter().cloned(), Witness::Contents);
        // What all have tells nothing, and the third has nothing else.
        assert!((turnover.identifiable - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(turnover.survived, [true, true, false]);
    }

    #[test]
    fn ids_tell_all_where_they_match() {
        let before: Vec<Identity> = (1..=4).map(|id| member(id, None, &[])).collect();
        let after: Vec<Identity> = (3..=9).map(|id| member(id, None, &[])).collect();
        assert_eq!(
            turnover(&before, after.iter().cloned(), Witness::Ids).survived,
            [false, false, true, true]
        );
        assert_eq!(turnover(&before, after.iter().cloned(), Witness::Contents).identifiable, 0.0);
    }
}
