use serde::{Deserialize, Serialize};

/// What has grown between snapshots of one process, and who keeps it. Lists by snapshot begin with the oldest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The snapshots.
    pub snapshots: Vec<Totals>,
    /// Whether a thing has the same id in all of them; forked children number afresh.
    pub ids_match: bool,
    /// What keeps the growth and does not let go: the likeliest first.
    pub suspects: Vec<Container>,
    /// What has grown, too, but is no suspect.
    pub others: Vec<Container>,
    /// Classes whose number has grown, the largest growth in bytes first.
    pub classes: Vec<ClassGrowth>,
    /// What V8 has come to know of the program: code, shapes, feedback. It grows while a program warms up.
    pub noise: Vec<ClassGrowth>,
}

/// A snapshot as a whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// The number of nodes.
    pub nodes: u32,
    /// The number of edges.
    pub edges: u32,
    /// Everything together, in bytes.
    pub total_size: u64,
    /// How much work was done until then, in `Work`'s unit; only differences count.
    pub work: f64,
}

/// What the growth is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Requests or whatever the caller has counted.
    Work,
    /// Seconds.
    Seconds,
    /// Nothing is known of the work: snapshots stand for equal amounts.
    Snapshots,
}

/// How much work was done until each snapshot.
#[derive(Clone, Debug)]
pub struct Work {
    /// In this unit.
    pub unit: Unit,
    /// By snapshot, rising.
    pub done: Vec<f64>,
}

/// What is to be thought of something that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Its members stay.
    Confirmed,
    /// It grows with the work, and its members cannot be told from each other.
    Probable,
    /// Nothing was removed yet, but it says itself how much it may hold.
    Filling,
    /// Nothing was removed yet, but nothing had to be: it says itself for how long its members may stay.
    Expiring,
    /// Members come and go.
    Healthy,
}

impl Verdict {
    /// Whether someone should look at it.
    pub const fn is_suspect(self) -> bool {
        matches!(self, Self::Confirmed | Self::Probable)
    }
}

/// What holds things, and what these are to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerKind {
    /// A Map.
    Map,
    /// A Set.
    Set,
    /// An Array.
    Array,
    /// An object used as a dictionary.
    Object,
    /// The listeners of an event.
    #[serde(rename = "listeners")]
    Listeners,
    /// Timers that wait.
    #[serde(rename = "timers")]
    Timers,
    /// Things each of which keeps the one before.
    #[serde(rename = "chain")]
    Chain,
    /// Promises that nobody settles, with those who wait.
    #[serde(rename = "promises")]
    Promises,
    /// Things that hang in one place without a collection.
    #[serde(rename = "things")]
    Things,
}

/// Something that grows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// V8's id of it in the last snapshot.
    pub id: u32,
    /// The way to it, in words; `*` stands for any entry.
    pub path: String,
    /// What it is.
    pub kind: ContainerKind,
    /// The class of most of its newest members.
    pub class_name: String,
    /// The callback, or the function that waits, of a member, with its place.
    pub function: Option<String>,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// By snapshot, how many members it has.
    pub populations: Vec<u64>,
    /// By snapshot, what they keep, in bytes.
    pub bytes: Vec<u64>,
    /// What they keep more in the last snapshot than in the first, in bytes.
    pub growth: u64,
    /// Members gained per unit of work.
    pub rate: f64,
    /// Of the members in the first snapshot so many are gone in the last one, by those that can be told from each other; none where
    /// too few can.
    pub removed: Option<u64>,
    /// What it says itself it may hold.
    pub capacity: Option<u64>,
    /// For how many seconds from the last snapshot on the members that the first one saw may stay, by what they or their owner say.
    pub due_in: Option<f64>,
    /// All this in a sentence.
    pub reason: String,
}

/// The things of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassGrowth {
    /// Its name.
    pub name: String,
    /// By snapshot, how many.
    pub counts: Vec<u64>,
    /// By snapshot, their own sizes together, in bytes.
    pub shallow_sizes: Vec<u64>,
}
