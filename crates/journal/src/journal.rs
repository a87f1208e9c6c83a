//! Opening the journal, reading from it and writing to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::{Role, Target};
use crate::connection::Readers;
use crate::turn::Turn;
use crate::writer::{BoxFuture, Writers};
use crate::{Backend, DatabaseFault, Entropy, JournalError, Reader, Sealer, SealingKeys, Tx, migrations};

/// How to open the journal.
#[derive(Clone)]
pub struct JournalOptions {
    /// `sqlite:path/to/file` or `postgres://user@host/database`.
    pub url: String,
    /// Keys of the sealed columns.
    pub keys: SealingKeys,
    /// Connections for reading.
    pub max_connections: u32,
    /// Connections for writing, on PostgreSQL; SQLite has one.
    pub writers: u32,
    /// Whether audit leaves and queue entries are queued for publication. Without a broker nobody would ever
    /// take them out again.
    pub publish: bool,
}

impl JournalOptions {
    /// Eight connections for reading, two for writing, publication on.
    pub fn new(url: impl Into<String>, keys: SealingKeys) -> Self {
        Self { url: url.into(), keys, max_connections: 8, writers: 2, publish: true }
    }
}

impl fmt::Debug for JournalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("JournalOptions")
            .field("keys", &self.keys)
            .field("max_connections", &self.max_connections)
            .field("writers", &self.writers)
            .field("publish", &self.publish)
            .finish_non_exhaustive()
    }
}

/// The journal. Cheap to clone; the writers end when the last clone is dropped.
#[derive(Clone)]
pub struct Journal {
    target: Arc<Target>,
    readers: Readers,
    writers: Writers,
    sealer: Sealer,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("backend", &self.target.backend()).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal and starts its writers; must be called within a tokio runtime. The tables may still
    /// be missing: see [`Journal::migrate`].
    pub async fn open(options: JournalOptions, entropy: Entropy) -> Result<Self, JournalError> {
        let target = Arc::new(Target::parse(&options.url)?);
        let sealer = Sealer::new(options.keys, entropy);
        // The first writer also creates the file and switches it to write-ahead mode, before anybody reads.
        let first = target.connect(Role::Writer).await?;
        let readers = target.readers(options.max_connections.max(1));
        let writers = Writers::start(&target, first, &sealer, options.writers, options.publish);
        Ok(Self { target, readers, writers, sealer })
    }

    /// Creates missing tables and applies later changes to them. Several processes may do so at once.
    pub async fn migrate(&self) -> Result<(), JournalError> {
        migrations::run(&self.target).await
    }

    /// Which database holds the journal.
    pub fn backend(&self) -> Backend {
        self.target.backend()
    }

    /// Seals and opens columns; for what is stored beside the tables' own functions.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Reader, JournalError> {
        let connection = self.readers.acquire().await?;
        Ok(Reader::new(connection, self.target.backend(), self.sealer.clone()))
    }

    /// Runs `write` in a transaction; when this returns `Ok`, what it did is durable.
    ///
    /// Writes that wait at the same moment share one transaction and so one flush to disk. If one of them
    /// fails, only its caller sees the error. `write` may be run several times, always in a fresh
    /// transaction, and must therefore have no effect but through its [`Tx`], and must wait for nothing else:
    /// others wait for it.
    ///
    /// ```no_run
    /// # async fn example(journal: civitas_journal::Journal) -> Result<(), civitas_journal::JournalError> {
    /// use civitas_journal::outbox;
    ///
    /// let removed = journal.write(|tx| Box::pin(async move { outbox::remove(tx, &[1, 2]).await })).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write<T, F>(&self, write: F) -> Result<T, JournalError>
    where
        F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, JournalError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writers.write(write).await
    }

    /// The same, for what enters the journal and takes ordinals: civil events and deliveries. Such writes come first
    /// in their transaction, so that no process holds rows while it waits for the ordinals of another one.
    pub async fn enter<T, F>(&self, write: F) -> Result<T, JournalError>
    where
        F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, JournalError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writers.enter(write, Turn::default()).await
    }

    /// The same as [`Journal::enter`], for a caller whose patience ends: what has not begun by then never will, and the error says so.
    /// What has begun is waited for, so that an error always means "not recorded".
    pub async fn write_within<T, F>(&self, patience: Duration, write: F) -> Result<T, JournalError>
    where
        F: for<'a> Fn(&'a mut Tx) -> BoxFuture<'a, Result<T, JournalError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let turn = Turn::default();
        let answer = self.writers.enter(write, turn.clone());
        tokio::pin!(answer);
        tokio::select! {
            answer = &mut answer => return answer,
            () = tokio::time::sleep(patience) => {}
        }
        if turn.give_up() {
            let message = format!("the write did not get its turn within {patience:?}");
            return Err(JournalError::Busy { attempts: 1, source: DatabaseFault { code: None, message } });
        }
        answer.await
    }

    /// Closes the reading connections and, once running writes have ended, the writing ones.
    pub async fn close(&self) {
        self.writers.close().await;
        self.readers.close().await;
    }
}
