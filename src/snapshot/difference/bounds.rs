//! What a collection's owner, or its members, say themselves of how many there may be, and for how long. Only snapshots with numeric
//! values tell.

use super::{
    record::{Unit, Work},
    side::Side,
};
use crate::snapshot::{EdgeType, NodeType};

/// Names that say how many entries there may be, in an object that has the collection...
const CAPACITY: [&str; 13] = [
    "max",
    "cap",
    "limit",
    "capacity",
    "maxsize",
    "maxentries",
    "maxitems",
    "maxkeys",
    "maxelements",
    "maxlength",
    "maxcount",
    "cachesize",
    "maxcachesize",
];
/// ... and those of them that mean it beside other variables as well.
const CAPACITY_IN_SCOPE: [&str; 8] =
    ["capacity", "maxsize", "maxentries", "maxitems", "maxkeys", "maxelements", "cachesize", "maxcachesize"];
/// Names that say for how long an entry may stay.
const LIFETIME: [&str; 14] = [
    "ttl",
    "stdttl",
    "defaultttl",
    "ttlms",
    "maxage",
    "originalmaxage",
    "lifetime",
    "timetolive",
    "expire",
    "expires",
    "expiry",
    "expiresin",
    "expiresafter",
    "expireafter",
];
/// Names that say when an entry has to go.
const DEADLINE: [&str; 11] = [
    "expire",
    "expires",
    "expiry",
    "expiresat",
    "expireat",
    "expirationtime",
    "validuntil",
    "deadline",
    "exp",
    "t",
    "ttl",
];
/// Where an object keeps what it was made with.
const OPTIONS: [&str; 4] = ["options", "opts", "config", "settings"];
/// A lifetime below this is in seconds, as nothing is kept for less than a second.
const LEAST_MS: f64 = 1_000.0;
/// A lifetime above this is none: eleven days, or a date in seconds.
const MOST_MS: f64 = 1e9;
/// This one is in seconds always (node-cache).
const IN_SECONDS: &str = "stdttl";
/// Seconds since the Unix epoch, from 2001 to 2286.
const EPOCH: std::ops::Range<f64> = 1e9..1e10;
/// What is this large is no capacity, but another word for none.
const ENDLESS: f64 = 2_147_483_647.0;
/// The storage of an array: two words, and one for each place.
const ARRAY_START: u64 = 2;
const WORD: u64 = 8;
/// So many of the oldest members are asked.
const ASKED: usize = 20;

/// What is said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    /// How many entries there may be.
    pub(super) capacity: Option<u64>,
    /// For how many seconds from the last snapshot on the members that the first one saw may still be there.
    pub(super) due_in: Option<f64>,
}

impl Bounds {
    /// `members`: those of the last snapshot, oldest first.
    pub(super) fn of(
        side: &Side<'_>,
        collection: u32,
        members: &[u32],
        population: u64,
        work: &Work,
    ) -> Self {
        let Some(owner) = side.ways.last_edge(collection).map(|edge| side.graph().source(edge)) else {
            return Self::default();
        };
        let mut numbers = numbers(side, owner);
        for options in parts(side, owner, |name| OPTIONS.contains(&name)) {
            numbers.extend(self::numbers(side, options));
        }
        let names: &[&str] = if side.graph().is_context(owner) { &CAPACITY_IN_SCOPE } else { &CAPACITY };
        let capacity = numbers
            .iter()
            .filter(|(name, value)| names.contains(&name.as_str()) && *value < ENDLESS)
            .map(|&(_, value)| value as u64)
            .filter(|&capacity| capacity >= population)
            .min();
        Self { capacity, due_in: due_in(side, &numbers, members, work) }
    }
}

/// How many places an array has that was made with all of them: its storage is as large as before, though it has more members than
/// storage that V8 enlarges as needed (by a half, and 16) could have taken. What is minified has no names to go by, but this it has.
pub(super) fn slots_ahead(before: (&Side<'_>, u32, u64), after: (&Side<'_>, u32, u64)) -> Option<u64> {
    let [then, now] = [before, after].map(|(side, array, _)| {
        let graph = side.graph();
        let elements = graph.named(array, b"elements").filter(|_| side.name(array) == b"Array")?;
        Some((graph.self_size(elements) / WORD).saturating_sub(ARRAY_START))
    });
    let slots = now.filter(|_| then == now)?;
    let enlarged = before.2 + before.2 / 2 + 16;
    (after.2 > enlarged && slots >= after.2).then_some(slots)
}

fn due_in(side: &Side<'_>, of_owner: &[(String, f64)], members: &[u32], work: &Work) -> Option<f64> {
    let (first, last) = work.done.first().zip(work.done.last()).filter(|_| work.unit == Unit::Seconds)?;
    let of_members: Vec<Vec<(String, f64)>> = members
        .iter()
        .take(ASKED)
        .map(|&member| {
            let mut numbers = numbers(side, member);
            for part in parts(side, member, |_| true).into_iter().take(ASKED) {
                numbers.extend(self::numbers(side, part));
            }
            numbers
        })
        .collect();
    let all = || of_owner.iter().chain(of_members.iter().flatten());
    let lifetime = all()
        .filter(|(name, _)| LIFETIME.contains(&name.as_str()))
        .map(|(name, value)| if *value < LEAST_MS || name == IN_SECONDS { value * 1e3 } else { *value })
        .filter(|value| (LEAST_MS..MOST_MS).contains(value))
        .max_by(f64::total_cmp);
    // The oldest members are the first that have to go.
    let deadline = of_members
        .iter()
        .flatten()
        .filter(|(name, _)| DEADLINE.contains(&name.as_str()))
        .flat_map(|&(_, value)| [value, value / 1e3])
        .filter(|seconds| EPOCH.contains(seconds))
        .min_by(f64::total_cmp);
    let by_lifetime = lifetime.map(|lifetime| lifetime / 1e3 - (last - first));
    let by_deadline = deadline.map(|deadline| deadline - last);
    by_lifetime.into_iter().chain(by_deadline).filter(|&due_in| due_in > 0.0).max_by(f64::total_cmp)
}

/// The numbers that an object or a scope has by name; the names in lower case, without what only joins words.
fn numbers(side: &Side<'_>, owner: u32) -> Vec<(String, f64)> {
    let graph = side.graph();
    named_targets(side, owner)
        .filter(|&(_, target)| graph.node_type(target) == NodeType::Number)
        .filter_map(|(name, target)| {
            let value = graph.named(target, b"value")?;
            let value: f64 = graph.strings().get(graph.name(value)).parse().ok()?;
            Some((name, value))
        })
        .collect()
}

/// The objects that an object has under names that are `wanted`.
fn parts(side: &Side<'_>, owner: u32, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
    let graph = side.graph();
    named_targets(side, owner)
        .filter(|(name, target)| graph.node_type(*target) == NodeType::Object && wanted(name))
        .map(|(_, target)| target)
        .collect()
}

fn named_targets<'a>(side: &'a Side<'_>, owner: u32) -> impl Iterator<Item = (String, u32)> + 'a {
    let graph = side.graph();
    graph.edges(owner).filter_map(move |edge| {
        let name = match graph.edge_type(edge) {
            EdgeType::Property | EdgeType::Context => graph.edge_name(edge),
            EdgeType::Hidden => side.ways.variable(graph, edge)?,
            _ => return None,
        };
        let name = plain(&graph.strings().get(name));
        (name != "proto").then(|| (name, graph.target(edge)))
    })
}

/// A name without what says how it is written: `_maxAge`, `MAX_AGE` and `<symbol #maxAge>` are one.
fn plain(name: &str) -> String {
    let name = name.strip_prefix("<symbol ").and_then(|name| name.strip_suffix('>')).unwrap_or(name);
    name.trim_start_matches(['#', '_']).to_lowercase().replace('_', "")
}
