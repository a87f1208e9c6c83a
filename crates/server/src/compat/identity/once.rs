//! Doing something once for each key, however many ask for it at the same time and in the time after.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// What came of it.
pub(in crate::compat) type Outcome<T> = Result<T, super::Trouble>;

/// Whether an outcome stands for those who ask later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compat) enum Kept {
    /// It does.
    For,
    /// The next one begins anew.
    Not,
}

/// Outcomes by key.
pub(in crate::compat) struct OnceEach<T> {
    stands: SignedDuration,
    most: usize,
    entries: Arc<Mutex<HashMap<[u8; 32], Entry<T>>>>,
}

struct Entry<T> {
    /// Whose it is: others who have the key are not told.
    owner: [u8; 32],
    began: Timestamp,
    outcome: watch::Receiver<Option<T>>,
}

/// The key is somebody else's.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::compat) struct NotYours;

impl<T: Clone + Send + Sync + 'static> OnceEach<T> {
    pub(super) fn new(stands: SignedDuration, most: usize) -> Self {
        Self { stands, most, entries: Arc::default() }
    }

    /// The outcome that stands or is being worked on; with none, this work's, begun now. The work is done to its end
    /// even if nobody waits for it any more.
    pub(in crate::compat) fn begin(
        &self,
        key: [u8; 32],
        owner: [u8; 32],
        now: Timestamp,
        work: impl Future<Output = (T, Kept)> + Send + 'static,
    ) -> Result<Waiting<T>, NotYours> {
        let mut entries = lock(&self.entries);
        if entries.len() >= self.most {
            entries.retain(|_, entry| now.duration_since(entry.began) < self.stands);
        }
        if let Some(entry) = entries.get(&key).filter(|entry| now.duration_since(entry.began) < self.stands) {
            return if entry.owner == owner { Ok(Waiting(entry.outcome.clone())) } else { Err(NotYours) };
        }
        let (sender, outcome) = watch::channel(None);
        entries.insert(key, Entry { owner, began: now, outcome: outcome.clone() });
        drop(entries);
        let entries = Arc::clone(&self.entries);
        tokio::spawn(async move {
            // If the work panics, whoever waits is told by the channel's end, and the next one begins anew.
            let forget = Forget { entries, key, armed: true };
            let (outcome, kept) = work.await;
            forget.unless(kept == Kept::For);
            let _ = sender.send(Some(outcome));
        });
        Ok(Waiting(outcome))
    }

    /// The outcome that stands, if there is one.
    pub(in crate::compat) fn known(&self, key: [u8; 32], now: Timestamp) -> Option<T> {
        let entries = lock(&self.entries);
        let entry = entries.get(&key).filter(|entry| now.duration_since(entry.began) < self.stands)?;
        let outcome = entry.outcome.borrow();
        outcome.clone()
    }
}

/// Somebody waits for an outcome.
pub(in crate::compat) struct Waiting<T>(watch::Receiver<Option<T>>);

impl<T: Clone> Waiting<T> {
    /// The outcome; none if the work broke down.
    pub(in crate::compat) async fn outcome(mut self) -> Option<T> {
        let outcome = self.0.wait_for(Option::is_some).await.ok()?;
        outcome.clone()
    }
}

struct Forget<T> {
    entries: Arc<Mutex<HashMap<[u8; 32], Entry<T>>>>,
    key: [u8; 32],
    armed: bool,
}

impl<T> Forget<T> {
    fn unless(mut self, stands: bool) {
        self.armed = !stands;
    }
}

impl<T> Drop for Forget<T> {
    fn drop(&mut self) {
        if self.armed {
            lock(&self.entries).remove(&self.key);
        }
    }
}

fn lock<T>(entries: &Mutex<HashMap<[u8; 32], Entry<T>>>) -> MutexGuard<'_, HashMap<[u8; 32], Entry<T>>> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const KEY: [u8; 32] = [1; 32];
    const ME: [u8; 32] = [2; 32];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn once() -> OnceEach<u32> {
        OnceEach::new(SignedDuration::from_mins(1), 10)
    }

    #[tokio::test]
    async fn those_who_ask_meanwhile_and_afterwards_get_the_same_outcome() {
        let (once, counted) = (once(), Arc::new(AtomicU32::new(0)));
        let ask = |second| {
            let counted = Arc::clone(&counted);
            let work = async move { (counted.fetch_add(1, Ordering::SeqCst) + 1, Kept::For) };
            once.begin(KEY, ME, at(second), work).map(Waiting::outcome)
        };
        let (first, second) = (ask(0).unwrap(), ask(1).unwrap());
        assert_eq!((second.await, first.await), (Some(1), Some(1)));
        assert_eq!(ask(59).unwrap().await, Some(1));
        assert_eq!(once.known(KEY, at(59)), Some(1));
        assert_eq!(once.known(KEY, at(60)), None);
        assert_eq!(ask(60).unwrap().await, Some(2), "its time is over");
        let other = once.begin(KEY, [3; 32], at(61), async { (9, Kept::For) });
        assert!(other.is_err_and(|error| error == NotYours));
    }

    #[tokio::test]
    async fn what_does_not_stand_or_breaks_down_is_begun_anew() {
        let once = once();
        let ask =
            |outcome| once.begin(KEY, ME, at(0), async move { (outcome, Kept::Not) }).unwrap().outcome();
        assert_eq!(ask(1).await, Some(1));
        assert_eq!(ask(2).await, Some(2));
        let broken = once.begin(KEY, ME, at(0), async { panic!("a fault") }).unwrap();
        assert_eq!(broken.outcome().await, None);
        let forgotten = || async { once.known(KEY, at(0)).is_none() };
        assert!(forgotten().await);
        assert_eq!(ask(3).await, Some(3));
    }
}
