//! Triggers that arrive together share a transaction.
//!
//! Two hundred registrars who click in the same moment are answered by a handful of commits: whatever has come in
//! while the last transaction ran goes into the next one.

use std::{sync::Weak, time::Duration};

use civitas_journal::JournalError;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{Answer, Engine, IngestError, decide::Decided, engine::Inner, ingest::Intake};

/// The most events in one transaction.
const BATCH: usize = 128;
/// How many may wait before callers wait to be queued.
const WAITING: usize = 4096;

type Reply = Result<Answer, IngestError>;

/// An event that waits for its transaction.
struct Waiting {
    intake: (Intake, Decided),
    until: Instant,
    reply: oneshot::Sender<Reply>,
}

/// Where triggers queue.
pub(crate) struct Gatherer(mpsc::Sender<Waiting>);

impl Gatherer {
    /// A queue, and the receiving end for [`Gatherer::run`].
    pub(crate) fn new() -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Gatherer(sender), Queue(receiver))
    }

    /// Waits for the event's transaction.
    pub(crate) async fn take(&self, intake: (Intake, Decided), patience: Duration) -> Reply {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { intake, until: Instant::now() + patience, reply };
        let gone = || IngestError::Journal(JournalError::Interrupted);
        match tokio::time::timeout(patience, self.0.send(waiting)).await {
            Ok(sent) => sent.map_err(|_| gone())?,
            Err(_) => return Err(too_late()),
        }
        answer.await.map_err(|_| gone())?
    }
}

/// The receiving end.
pub(crate) struct Queue(mpsc::Receiver<Waiting>);

impl Queue {
    /// Records what waits, batch by batch, until the engine is dropped.
    pub(crate) async fn run(mut self, engine: Weak<Inner>) {
        let mut taken = Vec::with_capacity(BATCH);
        while self.0.recv_many(&mut taken, BATCH).await > 0 {
            let Some(engine) = engine.upgrade().map(Engine::from) else { return };
            let now = Instant::now();
            let (in_time, late): (Vec<_>, Vec<_>) = taken.drain(..).partition(|waiting| waiting.until > now);
            for waiting in late {
                // Whoever asked may have gone.
                let _ = waiting.reply.send(Err(too_late()));
            }
            // The most impatient one sets the pace: all of them are recorded by then, or none.
            let patience = in_time.iter().map(|waiting| waiting.until - now).min().unwrap_or_default();
            let (intakes, replies): (Vec<_>, Vec<_>) =
                in_time.into_iter().map(|waiting| (waiting.intake, waiting.reply)).unzip();
            for (reply, answer) in replies.into_iter().zip(engine.record(intakes, patience).await) {
                let _ = reply.send(answer);
            }
        }
    }
}

fn too_late() -> IngestError {
    IngestError::Journal(JournalError::Abandoned(
        "it did not get its turn in time; nothing was recorded".to_owned(),
    ))
}
