use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// How soon a waiting thread looks whether it was given up.
const LOOK: Duration = Duration::from_millis(50);

static TAKEN: Mutex<bool> = Mutex::new(false);
static FREED: Condvar = Condvar::new();

/// The right to write a snapshot, given back on drop. At most one of the process is written at a time: each takes some
/// 350 bytes a node while it is.
#[derive(Debug)]
pub struct Turn(());

impl Turn {
    /// The right, unless someone has it.
    pub fn take() -> Option<Self> {
        let mut taken = TAKEN.lock();
        // Not made unless it is taken: its end gives the right back.
        (!std::mem::replace(&mut *taken, true)).then(|| Self(()))
    }

    /// Waits for the right; none once it is `given_up`.
    pub fn wait(given_up: impl Fn() -> bool) -> Option<Self> {
        let mut taken = TAKEN.lock();
        while *taken {
            if given_up() {
                return None;
            }
            FREED.wait_for(&mut taken, LOOK);
        }
        *taken = true;
        Some(Self(()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TAKEN.lock() = false;
        FREED.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        thread,
    };

    use super::*;

    /// One test, as there is one right in the process.
    #[test]
    fn there_is_one_turn_at_a_time() {
        let turn = Turn::take();
        assert!(turn.is_some());
        assert!(Turn::take().is_none());
        assert!(Turn::wait(|| true).is_none());
        drop(turn);

        let busy = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let turn = Turn::wait(|| false);
                    assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0);
                    thread::sleep(Duration::from_millis(2));
                    busy.fetch_sub(1, Ordering::SeqCst);
                    drop(turn);
                });
            }
        });
        assert!(Turn::take().is_some());
    }
}
