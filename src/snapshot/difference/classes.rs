use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::record::ClassGrowth;
use crate::snapshot::Heap;

/// What V8 knows of the program.
const NOISE: [&str; 3] = ["(compiled code)", "(system)", "(object shape)"];
/// Smaller growth is not worth a line.
const LEAST_GROWTH: u64 = 4096;

/// The classes that have grown, and the noise that has. Classes of one name count as one.
pub(super) fn growing(heaps: &[Heap]) -> (Vec<ClassGrowth>, Vec<ClassGrowth>) {
    let mut classes: FxHashMap<&str, ClassGrowth> = FxHashMap::default();
    for (number, heap) in heaps.iter().enumerate() {
        for class in heap.classes() {
            let growth = classes.entry(&class.name).or_insert_with(|| ClassGrowth {
                name: class.name.clone(),
                counts: vec![0; heaps.len()],
                shallow_sizes: vec![0; heaps.len()],
            });
            growth.counts[number] += class.count;
            growth.shallow_sizes[number] += class.shallow_size;
        }
    }
    let mut growing: Vec<ClassGrowth> =
        classes.into_values().filter(|class| gained(class) >= LEAST_GROWTH).collect();
    growing.sort_by(|one, other| {
        Reverse(gained(one)).cmp(&Reverse(gained(other))).then_with(|| one.name.cmp(&other.name))
    });
    growing.into_iter().partition(|class| !NOISE.contains(&class.name.as_str()))
}

fn gained(class: &ClassGrowth) -> u64 {
    let ends = class.shallow_sizes.first().zip(class.shallow_sizes.last());
    ends.map_or(0, |(first, last)| last.saturating_sub(*first))
}
