//! Group commit: writes that wait at the same moment share one transaction and one flush to disk.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::backend::{Role, Target};
use crate::connection::Connection;
use crate::session::Session;
use crate::turn::Turn;
use crate::{Backend, JournalError, Sealer, Tx, ordinals, witness};

/// A boxed future, as closures that borrow the transaction return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The most writes in one transaction.
const GROUP: usize = 256;
/// How many writes may wait before callers wait to be queued.
const WAITING: usize = 4096;
/// The first pause between two attempts, doubled each time up to the longest.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How often a write is run that finds a unique value taken: it may choose another one.
const CONFLICT_ATTEMPTS: u32 = 4;
/// After so many failing jobs in a group, its remaining jobs run alone.
const MANY_CULPRITS: u32 = 4;

/// A write that waits: run, perhaps several times, then answered once.
trait Job: Send {
    /// Whether the job takes ordinals.
    fn enters(&self) -> bool;
    /// Whether the job may be run; `false` once its caller has given up.
    fn begin(&self) -> bool;
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), JournalError>>;
    fn answer(self: Box<Self>, outcome: Result<(), JournalError>);
}

struct Write<T, F> {
    enters: bool,
    turn: Turn,
    run: F,
    output: Option<T>,
    reply: oneshot::Sender<Result<T, JournalError>>,
}

impl<T, F> Job for Write<T, F>
where
    F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, JournalError>> + Send + Sync,
    T: Send,
{
    fn enters(&self) -> bool {
        self.enters
    }

    fn begin(&self) -> bool {
        self.turn.begin()
    }

    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            self.output = Some((self.run)(tx).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, outcome: Result<(), JournalError>) {
        let Self { output, reply, .. } = *self;
        // Whoever asked may have gone; the write stands.
        let _ = reply.send(outcome.and_then(|()| output.ok_or(JournalError::Interrupted)));
    }
}

type Jobs = Vec<Box<dyn Job>>;
type Queue = Arc<Mutex<mpsc::Receiver<Box<dyn Job>>>>;

/// The writing tasks.
#[derive(Clone)]
pub(crate) struct Writers {
    queue: mpsc::Sender<Box<dyn Job>>,
    closing: Arc<watch::Sender<bool>>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Writers {
    pub(crate) fn start(
        target: &Arc<Target>,
        first: Connection,
        sealer: &Sealer,
        count: u32,
        publish: bool,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (closing, _) = watch::channel(false);
        let queue = Arc::new(Mutex::new(receiver));
        let count = match target.backend() {
            Backend::Sqlite => 1,
            Backend::Postgres => count.max(1),
        };
        let mut connection = Some(first);
        let tasks = (0..count)
            .map(|_| {
                let writer = Writer {
                    target: Arc::clone(target),
                    sealer: sealer.clone(),
                    publish,
                    connection: connection.take().map(|first| transaction(target, first, sealer, publish)),
                };
                tokio::spawn(writer.run(Arc::clone(&queue), closing.subscribe()))
            })
            .collect();
        Self { queue: sender, closing: Arc::new(closing), tasks: Arc::new(Mutex::new(tasks)) }
    }

    pub(crate) async fn write<T, F>(&self, write: F) -> Result<T, JournalError>
    where
        F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, JournalError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.queue(write, Turn::default(), false).await
    }

    /// A write that takes ordinals. It is left out of its group when its caller has given up before the group got
    /// the lock.
    pub(crate) async fn enter<T, F>(&self, write: F, turn: Turn) -> Result<T, JournalError>
    where
        F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, JournalError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.queue(write, turn, true).await
    }

    async fn queue<T, F>(&self, write: F, turn: Turn, enters: bool) -> Result<T, JournalError>
    where
        F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, JournalError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Write { enters, turn, run: write, output: None, reply });
        self.queue.send(job).await.map_err(|_| JournalError::Interrupted)?;
        answer.await.map_err(|_| JournalError::Interrupted)?
    }

    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        for task in self.tasks.lock().await.drain(..) {
            // A writer that panicked has already dropped its callers' replies.
            let _ = task.await;
        }
    }
}

fn transaction(target: &Target, connection: Connection, sealer: &Sealer, publish: bool) -> Tx {
    Tx::new(Session::new(connection, target.backend(), sealer.clone()), publish)
}

struct Writer {
    target: Arc<Target>,
    sealer: Sealer,
    publish: bool,
    connection: Option<Tx>,
}

/// Why a transaction was not committed.
enum Failure {
    /// The job at this place failed.
    Job(usize, JournalError),
    /// Connecting, beginning, witnessing or committing failed.
    Whole(JournalError),
}

impl Writer {
    async fn run(mut self, queue: Queue, mut closing: watch::Receiver<bool>) {
        loop {
            let mut jobs: Jobs = Vec::new();
            // Waiting writes come first: closing does not abandon them.
            let taken = tokio::select! {
                biased;
                taken = async { queue.lock().await.recv_many(&mut jobs, GROUP).await } => taken,
                _ = closing.wait_for(|closing| *closing) => 0,
            };
            if taken == 0 {
                break;
            }
            self.group(jobs).await;
        }
        if let Some(tx) = self.connection.take() {
            tx.close().await;
        }
    }

    /// Writes a group. A job that fails is taken out and run alone, and the others go on together; when that
    /// happens often, each runs alone.
    async fn group(&mut self, mut jobs: Jobs) {
        // The lock on `ordinals` before those on rows, and that on `audit_head` last: so two transactions hardly ever
        // wait for each other in a circle, which PostgreSQL notices only after a second.
        jobs.sort_by_key(|job| !job.enters());
        let mut culprits = 0;
        while jobs.len() > 1 && culprits < MANY_CULPRITS {
            match self.commit(&mut jobs).await {
                Ok(()) => {
                    for job in jobs.drain(..) {
                        job.answer(Ok(()));
                    }
                }
                Err(Failure::Job(at, _)) => {
                    culprits += 1;
                    let culprit = jobs.remove(at);
                    self.alone(culprit).await;
                }
                // The database is not there, or nobody knows what it did: that is so for each of them.
                Err(Failure::Whole(error)) if error.is_transient() => {
                    for job in jobs.drain(..) {
                        job.answer(Err(error.clone()));
                    }
                }
                Err(Failure::Whole(_)) => culprits = MANY_CULPRITS,
            }
        }
        for job in jobs {
            self.alone(job).await;
        }
    }

    async fn alone(&mut self, job: Box<dyn Job>) {
        let mut jobs = vec![job];
        let outcome = self.commit(&mut jobs).await.map_err(|failure| match failure {
            Failure::Job(_, error) | Failure::Whole(error) => error,
        });
        for job in jobs {
            job.answer(outcome.clone());
        }
    }

    /// Runs the jobs in one transaction, repeated while that can help.
    async fn commit(&mut self, jobs: &mut Jobs) -> Result<(), Failure> {
        let mut pause = PAUSE;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (failure, at) = match self.attempt(jobs).await {
                Ok(()) => return Ok(()),
                Err(Failure::Job(at, error)) => (error, Some(at)),
                Err(Failure::Whole(error)) => (error, None),
            };
            let limit = match &failure {
                // In a group, the culprit is run alone instead.
                JournalError::Conflict { .. } if jobs.len() > 1 => 1,
                JournalError::Conflict { .. } => CONFLICT_ATTEMPTS,
                JournalError::Database(fault) => fault.attempts(),
                _ => 1,
            };
            if attempt < limit {
                tracing::debug!(attempt, error = %failure, "journal transaction is repeated");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            return Err(match (failure, at) {
                (JournalError::Database(source), _) if source.attempts() > 1 => {
                    Failure::Whole(JournalError::Busy { attempts: attempt, source })
                }
                (error, Some(at)) => Failure::Job(at, error),
                (error, None) => Failure::Whole(error),
            });
        }
    }

    /// One transaction: begin, jobs, witness, commit. Rolled back unless committed.
    async fn attempt(&mut self, jobs: &mut Jobs) -> Result<(), Failure> {
        let mut tx = match self.connection.take() {
            Some(tx) => tx,
            None => transaction(
                &self.target,
                self.target.connect(Role::Writer).await.map_err(Failure::Whole)?,
                &self.sealer,
                self.publish,
            ),
        };
        let outcome = Self::transact(&mut tx, jobs).await;
        let error = match &outcome {
            Ok(()) => None,
            Err(Failure::Job(_, error) | Failure::Whole(error)) => Some(error),
        };
        let usable = match error {
            None => true,
            // After a panic the connection may stand in the middle of a statement.
            Some(JournalError::Interrupted | JournalError::Uncertain(_)) => false,
            Some(error) if error.breaks_connection() => false,
            Some(_) => tx.rollback().await.is_ok(),
        };
        if usable {
            self.connection = Some(tx);
        }
        outcome
    }

    async fn transact(tx: &mut Tx, jobs: &mut Jobs) -> Result<(), Failure> {
        tx.begin().await.map_err(Failure::Whole)?;
        if jobs.iter().any(|job| job.enters()) {
            ordinals::enter(tx).await.map_err(Failure::Whole)?;
        }
        for (at, job) in jobs.iter_mut().enumerate() {
            if !job.begin() {
                continue;
            }
            AssertUnwindSafe(job.run(tx))
                .catch_unwind()
                .await
                .unwrap_or(Err(JournalError::Interrupted))
                .map_err(|error| Failure::Job(at, error))?;
        }
        witness::flush(tx).await.map_err(Failure::Whole)?;
        tx.commit().await.map_err(Failure::Whole)
    }
}
