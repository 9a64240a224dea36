//! A snapshot that V8 takes in this process, on the isolate's thread; it is serialized on ours.

use std::{fs::File, path::Path, sync::Arc};

use super::{
    CaptureError, Member, Packing,
    limit::file_size_limit,
    packing::pack,
    progress::{Phase, Progress},
};
use crate::{
    measure::Millis,
    native::give_back,
    v8::{HeapSnapshot, Numerics, SnapshotError, forget_ids},
};

/// Fills `file`, which is to be called `path`, and tells for how long the isolate's thread was blocked.
pub(super) fn write(
    member: &Arc<Member>,
    packing: Packing,
    (path, file): (&Path, &File),
    progress: &Arc<Progress>,
) -> Result<Millis, CaptureError> {
    progress.enter(Phase::Collecting);
    let (keeper, seen) = (Arc::clone(member), Arc::clone(progress));
    let (taken, mut pause) = member.visit(progress, move |isolate| {
        let taken = HeapSnapshot::take(isolate, Numerics::Hidden, &mut |done, total| seen.built(done, total));
        match taken {
            Ok(snapshot) => {
                seen.set_nodes(snapshot.nodes());
                keeper.at_desk(|desk| desk.snapshot = Some(snapshot));
                Ok(())
            }
            Err(error) => {
                forget_ids(isolate);
                Err(error)
            }
        }
    })?;
    taken.map_err(|error| match error {
        SnapshotError::Aborted => CaptureError::Aborted,
        _ => CaptureError::Unavailable,
    })?;
    progress.enter(Phase::Writing);
    let packed = member.at_desk(|desk| {
        let snapshot = desk.snapshot.as_ref()?;
        Some(pack(snapshot, packing, file, file_size_limit(), progress))
    });
    // Also after an abort, which `visit` would take for a reason not to come.
    let keeper = Arc::clone(member);
    let fresh = Arc::new(Progress::new().map_err(CaptureError::Thread)?);
    let forgotten = member.visit(&fresh, move |isolate| {
        if let Some(snapshot) = keeper.at_desk(|desk| desk.snapshot.take()).flatten() {
            snapshot.forget(isolate);
        }
    });
    give_back();
    if let Ok(((), forgetting)) = forgotten {
        pause += forgetting;
    }
    match packed.flatten() {
        Some(packed) => packed.map(|()| pause).map_err(|error| CaptureError::of_packing(error, path)),
        None => Err(CaptureError::Aborted),
    }
}
