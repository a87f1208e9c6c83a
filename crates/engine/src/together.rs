//! Moves that come in while the last transaction runs are recorded together in the next one, by one statement.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
};

use civitas_journal::{JournalError, operations::Operation};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Engine,
    engine::Inner,
    moves::{self, Move},
};

/// The most moves in one transaction.
const BATCH: usize = 64;
/// How many may wait before desks wait to be queued.
const WAITING: usize = 256;

/// The operation after its move; `None`: somebody else moved it meanwhile.
type Moved = Option<Operation>;
type Reply = Result<Moved, JournalError>;

/// A move that waits for its transaction.
struct Waiting {
    work: (Operation, Move),
    reply: oneshot::Sender<Reply>,
}

/// Where moves queue.
pub(crate) struct Mover(mpsc::Sender<Waiting>);

impl Mover {
    /// A queue, and the receiving end for [`Moves::run`].
    pub(crate) fn new() -> (Self, Moves) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Mover(sender), Moves(receiver))
    }

    /// Waits for the move's transaction.
    pub(crate) async fn apply(&self, operation: Operation, step: Move) -> Reply {
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting { work: (operation, step), reply };
        self.0.send(waiting).await.map_err(|_| JournalError::Interrupted)?;
        answer.await.map_err(|_| JournalError::Interrupted)?
    }
}

/// The receiving end.
pub(crate) struct Moves(mpsc::Receiver<Waiting>);

impl Moves {
    /// Records what waits, batch by batch, until the engine is dropped. If a batch cannot be recorded, each of its
    /// moves is recorded alone: one that fails holds up no other.
    pub(crate) async fn run(mut self, engine: Weak<Inner>) {
        let mut taken = Vec::with_capacity(BATCH);
        while self.0.recv_many(&mut taken, BATCH).await > 0 {
            let Some(engine) = engine.upgrade().map(Engine::from) else { return };
            let (work, replies): (Vec<_>, Vec<_>) =
                taken.drain(..).map(|waiting| (Arc::new(waiting.work), waiting.reply)).unzip();
            let answers: Vec<Reply> = match engine.record_moves(work.clone()).await {
                Ok(moved) => moved.into_iter().map(Ok).collect(),
                Err(error) if work.len() == 1 => vec![Err(error)],
                Err(_) => {
                    let mut answers = Vec::with_capacity(work.len());
                    for work in work {
                        let moved = engine.record_moves(vec![work]).await;
                        answers.push(moved.map(|moved| moved.into_iter().next().flatten()));
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

impl Engine {
    /// Applies moves in one transaction.
    async fn record_moves(&self, work: Vec<Arc<(Operation, Move)>>) -> Result<Vec<Moved>, JournalError> {
        let (engine, now) = (self.clone(), self.now());
        self.journal()
            .write(move |tx| {
                let (engine, work) = (engine.clone(), work.clone());
                Box::pin(async move {
                    let mut seen = HashSet::new();
                    let mut steps = Vec::with_capacity(work.len());
                    for work in &work {
                        let (operation, step) = &**work;
                        // A second move of the same operation comes too late: the first is in this transaction.
                        let step = if seen.insert(operation.key) {
                            Some(engine.worded(tx, operation, step.clone()).await?)
                        } else {
                            None
                        };
                        steps.push((operation, step));
                    }
                    let first: Vec<(&Operation, &Move)> = steps
                        .iter()
                        .filter_map(|(operation, step)| Some((*operation, step.as_ref()?)))
                        .collect();
                    let mut moved = moves::apply_all(tx, &first, now).await?.into_iter();
                    Ok(steps
                        .iter()
                        .map(|(_, step)| step.as_ref().and_then(|_| moved.next().flatten()))
                        .collect())
                })
            })
            .await
    }
}
