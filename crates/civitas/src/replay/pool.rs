//! One feeder, several workers, and a channel between them that holds little.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;

use super::progress::Progress;

/// A batch is handed on when it has so many items or bytes.
const ITEMS: usize = 64;
const BYTES: usize = 1 << 20;
/// How often the progress is drawn.
const TICK: Duration = Duration::from_millis(250);

type Batch<I> = Vec<(u64, I)>;

/// Where the feeder puts what it reads. Waits while the workers are behind.
pub struct Feed<'p, I> {
    sender: SyncSender<Batch<I>>,
    batch: Batch<I>,
    weight: usize,
    next: u64,
    /// What the feeder tells the person who waits.
    pub progress: &'p Progress,
}

impl<I> Feed<'_, I> {
    /// Hands an item on; it gets the next number. An error means that nobody takes any more.
    pub fn push(&mut self, item: I, weight: usize) -> anyhow::Result<()> {
        self.batch.push((self.next, item));
        self.next += 1;
        self.weight += weight;
        if self.batch.len() >= ITEMS || self.weight >= BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.weight = 0;
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(ITEMS));
        self.sender.send(batch).map_err(|_| anyhow!("the workers ended early"))
    }
}

/// Runs `feed` on one thread and `work` on `jobs` others, each with a tally of its own; the tallies merged.
pub fn run<I, T>(
    jobs: usize,
    progress: &Progress,
    feed: impl FnOnce(&mut Feed<'_, I>) -> anyhow::Result<()> + Send,
    work: impl Fn(u64, I, &mut T) + Sync,
    merge: impl Fn(&mut T, T),
) -> anyhow::Result<T>
where
    I: Send,
    T: Default + Send,
{
    let jobs = jobs.max(1);
    let (sender, receiver) = mpsc::sync_channel::<Batch<I>>(jobs * 2);
    let receiver = Arc::new(Mutex::new(receiver));
    let (working, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                // Each worker has its own hold on the channel: when the last one is gone, the feeder notices.
                let (receiver, working) = (Arc::clone(&receiver), working.clone());
                let work = &work;
                scope.spawn(move || {
                    let _working = working;
                    let mut tally = T::default();
                    while let Some(batch) = take(&receiver) {
                        for (number, item) in batch {
                            work(number, item, &mut tally);
                        }
                    }
                    tally
                })
            })
            .collect();
        drop((receiver, working));
        let feeder = scope.spawn(move || {
            let mut to = Feed { sender, batch: Vec::with_capacity(ITEMS), weight: 0, next: 0, progress };
            feed(&mut to).and_then(|()| to.flush())
        });
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
            progress.draw();
        }
        progress.clear();
        // All are joined before anything is said: a thread that nobody joined would panic in the scope's place.
        let end = feeder.join();
        let tallies: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        let mut whole = T::default();
        for tally in tallies {
            merge(&mut whole, tally.map_err(|_| anyhow!("judging an event panicked"))?);
        }
        end.map_err(|_| anyhow!("reading the sources panicked"))?.map(|()| whole)
    })
}

fn take<I>(receiver: &Mutex<Receiver<Batch<I>>>) -> Option<Batch<I>> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// One worker per core.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn everything_is_worked_on_once_and_errors_of_the_feeder_are_kept() {
        let progress = Progress::hidden();
        let feed = |to: &mut Feed<'_, u64>| (0..1000).try_for_each(|item| to.push(item, 1));
        let sum =
            run(3, &progress, feed, |_, item, sum: &mut u64| *sum += item, |whole, part| *whole += part);
        assert_eq!(sum.unwrap(), 499_500);
        let failing = |_: &mut Feed<'_, u64>| Err(anyhow!("no such file"));
        let failed = run(1, &progress, failing, |_, _, _: &mut u64| {}, |_, _| {});
        assert_eq!(failed.unwrap_err().to_string(), "no such file");
    }

    #[test]
    fn the_feeder_waits_for_the_workers() {
        let (begun, worked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let most = AtomicUsize::new(0);
        let feed = |to: &mut Feed<'_, ()>| {
            for _ in 0..5000 {
                let ahead = begun.fetch_add(1, Ordering::SeqCst) + 1 - worked.load(Ordering::SeqCst);
                most.fetch_max(ahead, Ordering::SeqCst);
                to.push((), 1)?;
            }
            Ok(())
        };
        let work = |_, (), (): &mut ()| {
            worked.fetch_add(1, Ordering::SeqCst);
        };
        run(2, &Progress::hidden(), feed, work, |(), ()| {}).unwrap();
        // Four batches in the channel, two being worked on, one being filled.
        assert!(most.load(Ordering::SeqCst) <= 7 * ITEMS + 1, "{most:?}");
    }

    #[test]
    fn a_worker_that_panics_ends_the_run() {
        let feed = |to: &mut Feed<'_, u64>| (0..100_000).try_for_each(|item| to.push(item, 1));
        let work = |_, item: u64, (): &mut ()| assert!(item < 10, "a bad item");
        let failed = run(2, &Progress::hidden(), feed, work, |(), ()| {});
        assert!(failed.unwrap_err().to_string().contains("panicked"));
    }
}
