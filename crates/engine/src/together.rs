//! Work that comes in while the last transaction runs is recorded together in the next one, by statements for many.

use std::sync::{Arc, Weak};

use civitas_journal::{BoxFuture, JournalError, Tx};
use tokio::sync::{mpsc, oneshot};

use crate::{Engine, engine::Inner};

/// The most pieces of work in one transaction.
const BATCH: usize = 64;
/// How many may wait before whoever brings more waits to be queued.
const WAITING: usize = 256;

/// A kind of work that is recorded together.
pub(crate) trait Batched: Send + Sync + Sized + 'static {
    /// What comes of a piece of it.
    type Outcome: Send + 'static;

    /// Whether it enters the journal and takes ordinals ([`civitas_journal::Journal::enter`]).
    const ENTERS: bool = false;

    /// Records all of it in one transaction; an outcome for each, in order. An error undoes it.
    fn record(
        engine: &Engine,
        tx: &mut Tx,
        work: &[Arc<Self>],
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, JournalError>> + Send;
}

/// A piece of work that waits for its transaction.
struct Waiting<W: Batched> {
    work: W,
    reply: oneshot::Sender<Result<W::Outcome, JournalError>>,
}

/// Where work queues.
pub(crate) struct Together<W: Batched>(mpsc::Sender<Waiting<W>>);

impl<W: Batched> Together<W> {
    /// A queue, and the receiving end for [`Batches::run`].
    pub(crate) fn new() -> (Self, Batches<W>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Together(sender), Batches(receiver))
    }

    /// Waits for the work's transaction.
    pub(crate) async fn record(&self, work: W) -> Result<W::Outcome, JournalError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Waiting { work, reply }).await.map_err(|_| JournalError::Interrupted)?;
        answer.await.map_err(|_| JournalError::Interrupted)?
    }
}

/// The receiving end.
pub(crate) struct Batches<W: Batched>(mpsc::Receiver<Waiting<W>>);

impl<W: Batched> Batches<W> {
    /// Records what waits, batch by batch, until the engine is dropped. If a batch cannot be recorded, each piece of it
    /// is recorded alone: one that fails holds up no other.
    pub(crate) async fn run(mut self, engine: Weak<Inner>) {
        let mut taken = Vec::with_capacity(BATCH);
        while self.0.recv_many(&mut taken, BATCH).await > 0 {
            let Some(engine) = engine.upgrade().map(Engine::from) else { return };
            let (work, replies): (Vec<_>, Vec<_>) =
                taken.drain(..).map(|waiting| (Arc::new(waiting.work), waiting.reply)).unzip();
            let answers: Vec<Result<W::Outcome, JournalError>> = match write(&engine, work.clone()).await {
                Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
                Err(error) if work.len() == 1 => vec![Err(error)],
                Err(_) => {
                    let mut answers = Vec::with_capacity(work.len());
                    for work in work {
                        let outcome = write(&engine, vec![work]).await;
                        let one = |mut outcomes: Vec<_>| outcomes.pop().ok_or(JournalError::Interrupted);
                        answers.push(outcome.and_then(one));
                    }
                    answers
                }
            };
            for (reply, answer) in replies.into_iter().zip(answers) {
                // Whoever asked may have gone.
                let _ = reply.send(answer);
            }
        }
    }
}

async fn write<W: Batched>(engine: &Engine, work: Vec<Arc<W>>) -> Result<Vec<W::Outcome>, JournalError> {
    let record = recording(engine.clone(), work);
    if W::ENTERS { engine.journal().enter(record).await } else { engine.journal().write(record).await }
}

fn recording<W: Batched>(
    engine: Engine,
    work: Vec<Arc<W>>,
) -> impl for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<Vec<W::Outcome>, JournalError>> + Send + Sync + 'static
{
    move |tx| {
        let (engine, work) = (engine.clone(), work.clone());
        Box::pin(async move { W::record(&engine, tx, &work).await })
    }
}
