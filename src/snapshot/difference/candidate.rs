use std::{cmp::Reverse, hash::Hash};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    bounds::{Bounds, slots_ahead},
    census::{Census, census},
    identity::Identity,
    record::{Container, ContainerKind, Work},
    side::Side,
    trie::{TOP, Trie},
    turnover::{Turnover, turnover},
    verdict::Course,
    witness::Witness,
    wording,
};
use crate::snapshot::{
    Cancelled, ROOT,
    members::{Key, Member, members},
};

/// What gains less than so many members, or bytes, or a smaller part of what it had or of the heap's growth, is not looked at.
const LEAST_MEMBERS: u64 = 4;
const LEAST_BYTES: u64 = 20_000;
const LEAST_PART: f64 = 0.05;
/// The number of holders may change by this part, or by so many.
const STABLE_PART: f64 = 0.1;
const STABLE: u64 = 2;
/// So many of each sort are examined, the largest growth first.
const MOST_CANDIDATES: usize = 8;
/// Of more members than these a sample is followed.
const MOST_MEMBERS: usize = 40_000;
/// The class of members is taken from so many of the newest.
const NEWEST: usize = 50;
/// Growth in Node's own objects, and what nothing holds alone, counts less.
const NODES_OWN: f64 = 0.3;
const SHARED: f64 = 0.1;

/// Something that grows: who holds it, and its members in every snapshot.
struct Candidate {
    /// In the last snapshot.
    holder: u32,
    /// The same collection in the first one, if it is a collection.
    holder_before: Option<u32>,
    path: Vec<String>,
    kind: ContainerKind,
    populations: Vec<u64>,
    bytes: Vec<u64>,
    members: Vec<Vec<Member>>,
    rank: f64,
}

/// What grows, examined: the likeliest first.
pub(super) fn containers(
    sides: &[Side<'_>],
    work: &Work,
    witness: Witness,
    goes_on: &dyn Fn() -> Result<(), Cancelled>,
) -> Result<Vec<Container>, Cancelled> {
    let Some(last) = sides.last() else { return Ok(Vec::new()) };
    let mut candidates = growing_collections(sides);
    goes_on()?;
    candidates.extend(growing_places(sides, &candidates));
    candidates.sort_by(|one, other| other.rank.total_cmp(&one.rank));
    let examined = |candidate| goes_on().map(|()| examine(candidate, sides, last, work, witness));
    candidates.into_iter().map(examined).collect()
}

fn examine(
    candidate: Candidate,
    sides: &[Side<'_>],
    last: &Side<'_>,
    work: &Work,
    witness: Witness,
) -> Container {
    let looked_at: Vec<(usize, Vec<Identity>)> = sides
        .iter()
        .zip(&candidate.members)
        .map(|(side, members)| {
            let step = (members.len() / MOST_MEMBERS).max(1);
            (step, members.iter().step_by(step).map(|member| Identity::of(side, member)).collect())
        })
        .collect();
    let between = |before: usize, after: usize| {
        let later = candidate.members[after].iter().map(|member| Identity::of(&sides[after], member));
        let (step, before) = &looked_at[before];
        turnover(before, *step, later, witness)
    };
    let steps: Vec<Turnover> = (1..sides.len()).map(|after| between(after - 1, after)).collect();
    let whole = match &steps[..] {
        [only] => only.clone(),
        _ => between(0, sides.len() - 1),
    };
    let newest = candidate.members.last().map_or(&[][..], Vec::as_slice);
    let values: Vec<u32> = newest.iter().rev().filter_map(|member| member.value).take(NEWEST).collect();
    let oldest: Vec<u32> = newest.iter().filter_map(|member| member.value).take(NEWEST).collect();
    let ends = |list: &[u64]| (list[0], list[list.len() - 1]);
    let (first, now) = ends(&candidate.populations);
    let mut bounds = Bounds::of(last, candidate.holder, &oldest, now, work);
    if let Some(before) = candidate.holder_before {
        let slots = slots_ahead((&sides[0], before, first), (last, candidate.holder, now));
        bounds.capacity = bounds.capacity.or(slots);
    }
    let course = Course {
        populations: &candidate.populations,
        work: &work.done,
        steps: &steps,
        whole: &whole,
        bounds,
    };
    let (bytes, bytes_now) = ends(&candidate.bytes);
    let mut container = Container {
        id: last.graph().id(candidate.holder),
        path: candidate.path.join(" › "),
        kind: candidate.kind,
        class_name: most_frequent(values.iter().map(|&value| wording::class_name(last, value)))
            .unwrap_or_default(),
        function: values.iter().find_map(|&value| wording::function(last, value)),
        verdict: course.verdict(),
        growth: bytes_now.saturating_sub(bytes),
        rate: (now - first) as f64 / (work.done[work.done.len() - 1] - work.done[0]),
        removed: whole
            .survival
            .filter(|_| course.is_identifiable())
            .map(|survival| ((1.0 - survival) * first as f64).round() as u64),
        capacity: bounds.capacity,
        due_in: bounds.due_in,
        populations: candidate.populations,
        bytes: candidate.bytes,
        reason: String::new(),
    };
    let keeping = values.iter().filter(|&&value| wording::keeps_store(last, value)).count();
    container.reason = wording::reason(&container, keeping * 2 > values.len(), work.unit);
    container
}

fn most_frequent<T: Eq + Hash + Ord>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: FxHashMap<T, usize> = FxHashMap::default();
    items.for_each(|item| *counts.entry(item).or_default() += 1);
    // Of those that are equally frequent the first one, so that the answer is always the same.
    counts.into_iter().max_by(|one, other| one.1.cmp(&other.1).then(other.0.cmp(&one.0))).map(|most| most.0)
}

/// Whether all rises from snapshot to snapshot, and by enough.
fn grows(populations: &[u64], bytes: &[u64], sides: &[Side<'_>]) -> bool {
    let size = |side: Option<&Side<'_>>| side.map_or(0, |side| side.heap.retained_size(ROOT));
    let heap_growth = size(sides.last()).saturating_sub(size(sides.first()));
    let ends = |list: &[u64]| list[list.len() - 1].saturating_sub(list[0]);
    let (gained, growth) = (ends(populations), ends(bytes));
    populations.windows(2).all(|pair| pair[0] < pair[1])
        && gained >= LEAST_MEMBERS
        && gained as f64 >= populations[0] as f64 * LEAST_PART
        && growth >= LEAST_BYTES
        && growth as f64 >= heap_growth as f64 * LEAST_PART
}

/// Whether there have not come so many holders that what they hold grows with them.
fn is_stable(holders: &[u64]) -> bool {
    let (first, most) = (holders[0], holders.iter().copied().max().unwrap_or(0));
    most <= 1 || most.saturating_sub(first) as f64 <= (most as f64 * STABLE_PART).max(STABLE as f64)
}

fn rank(growth: u64, path: &[String], is_held: bool) -> f64 {
    let is_nodes = path.iter().any(|step| step.contains("node:"));
    let weight = if is_nodes { NODES_OWN } else { 1.0 } * if is_held { 1.0 } else { SHARED };
    growth as f64 * weight
}

fn growing_collections(sides: &[Side<'_>]) -> Vec<Candidate> {
    let counts: Vec<Census> = sides.iter().map(census).collect();
    let (Some(last), Some(census)) = (sides.last(), counts.last()) else { return Vec::new() };
    let mut grown: Vec<(u64, u64)> = census
        .keys()
        .filter_map(|place| {
            let of = |what: fn(&super::census::Group) -> u64| -> Vec<u64> {
                counts.iter().map(|census| census.get(place).map_or(0, what)).collect()
            };
            let (populations, bytes) = (of(|group| group.population), of(|group| group.bytes));
            let is_candidate = grows(&populations, &bytes, sides) && is_stable(&of(|group| group.instances));
            is_candidate.then(|| (bytes[bytes.len() - 1].saturating_sub(bytes[0]), *place))
        })
        .collect();
    grown.sort_unstable_by_key(|&(growth, place)| (Reverse(growth), place));
    grown.truncate(MOST_CANDIDATES);
    grown
        .into_iter()
        .map(|(growth, place)| {
            let groups: Vec<_> = counts.iter().map(|census| census.get(&place)).collect();
            let members = sides.iter().zip(&groups).map(|(side, group)| {
                let nodes = group.map_or(&[][..], |group| &group.nodes);
                nodes.iter().flat_map(|&node| members(side.graph(), node)).collect()
            });
            let holder = census[&place].largest;
            let path = wording::place(last, holder, census[&place].instances > 1);
            Candidate {
                holder,
                holder_before: groups.first().copied().flatten().map(|group| group.largest),
                kind: wording::collection_kind(last, holder),
                rank: rank(growth, &path, true),
                path,
                populations: groups.iter().map(|group| group.map_or(0, |group| group.population)).collect(),
                bytes: groups.iter().map(|group| group.map_or(0, |group| group.bytes)).collect(),
                members: members.collect(),
            }
        })
        .collect()
}

/// What grows in one place of the dominator trees without being in one of the collections.
fn growing_places(sides: &[Side<'_>], collections: &[Candidate]) -> Vec<Candidate> {
    let trie = Trie::new(sides);
    let Some(last) = sides.last() else { return Vec::new() };
    let mut known = Known::new(last, collections);
    let mut grown: Vec<(u64, u32)> = (1..trie.nodes.len() as u32)
        .filter_map(|place| {
            let node = &trie.nodes[place as usize];
            let populations: Vec<u64> = node.totals.iter().map(|total| total.count).collect();
            let bytes: Vec<u64> = node.totals.iter().map(|total| total.retained).collect();
            let holders: Vec<u64> =
                trie.nodes[node.parent as usize].totals.iter().map(|total| total.count).collect();
            let example = node.totals[sides.len() - 1].example;
            let is_candidate = grows(&populations, &bytes, sides)
                && !holders.contains(&0)
                && is_stable(&holders)
                && !last.is_noise(example);
            is_candidate.then(|| (bytes[bytes.len() - 1].saturating_sub(bytes[0]), place))
        })
        .collect();
    grown.sort_unstable_by_key(|&(growth, place)| (Reverse(growth), place));
    let mut candidates = Vec::new();
    for (growth, place) in grown {
        if candidates.len() == MOST_CANDIDATES {
            break;
        }
        let nodes = |side: usize| -> Vec<u32> {
            let places = trie.places[side].iter();
            (0_u32..).zip(places).filter(|(_, at)| **at == place).map(|(node, _)| node).collect()
        };
        let newest = nodes(sides.len() - 1);
        if known.has_most(&newest) {
            continue;
        }
        let node = &trie.nodes[place as usize];
        let holder = most_frequent(newest.iter().map(|&member| last.heap.dominator(member))).unwrap_or(ROOT);
        let is_its = |&member: &u32| last.heap.dominator(member) == holder;
        let example = newest.into_iter().rfind(is_its).unwrap_or(ROOT);
        let is_held = node.parent != TOP || holder != ROOT;
        let path = match node.is_chain {
            true => wording::head_place(last, example),
            false => wording::held_place(last, is_held.then_some(holder), example),
        };
        let as_members = |node| Member { key: None, value: Some(node) };
        let candidate = Candidate {
            holder: if is_held { holder } else { example },
            holder_before: None,
            kind: wording::held_kind(last, example, node.is_chain),
            rank: rank(growth, &path, is_held),
            path,
            populations: node.totals.iter().map(|total| total.count).collect(),
            bytes: node.totals.iter().map(|total| total.retained).collect(),
            members: (0..sides.len()).map(|side| nodes(side).into_iter().map(as_members).collect()).collect(),
        };
        // What its members share with others grows with them.
        known.add_members(&candidate);
        candidates.push(candidate);
    }
    candidates
}

/// What belongs to growth that was found already.
struct Known<'a> {
    last: &'a Side<'a>,
    collections: Vec<u32>,
    /// Members, and what these refer to.
    near: FxHashSet<u32>,
}

impl<'a> Known<'a> {
    fn new(last: &'a Side<'a>, collections: &[Candidate]) -> Self {
        let holders = collections.iter().map(|candidate| candidate.holder).collect();
        let mut known = Self { last, collections: holders, near: FxHashSet::default() };
        collections.iter().for_each(|candidate| known.add_members(candidate));
        known
    }

    fn add_members(&mut self, candidate: &Candidate) {
        let graph = self.last.graph();
        for member in candidate.members.last().into_iter().flatten() {
            let key = match member.key {
                Some(Key::Node(key)) => Some(key),
                _ => None,
            };
            for node in [key, member.value].into_iter().flatten() {
                self.near.insert(node);
                self.near.extend(graph.edges(node).map(|edge| graph.target(edge)));
            }
        }
    }

    /// Whether most of the nodes belong to it.
    fn has_most(&self, nodes: &[u32]) -> bool {
        let is_known = |&&node: &&u32| {
            self.near.contains(&node)
                || self.collections.iter().any(|&holder| self.last.tree.dominates(holder, node))
        };
        nodes.iter().filter(is_known).count() * 2 > nodes.len()
    }
}
