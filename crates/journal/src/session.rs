//! Connections as the tables' functions see them: any [`Session`] reads, a [`Tx`] also writes.

use std::ops::{Deref, DerefMut, Range};

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::connection::{Connection, Row};
use crate::sql::{Args, Text};
use crate::{Backend, JournalError, NewLeaf, Private, Sealer, outbox};

/// The civil event that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey {
    /// The record.
    pub event_id: Uuid,
    /// Its action.
    pub action_id: Uuid,
}

impl RecordKey {
    /// Key of the civil event of this action.
    pub fn new(event_id: Uuid, action_id: Uuid) -> Self {
        Self { event_id, action_id }
    }

    /// The row key to which sealed columns are bound.
    pub(crate) fn row(self) -> String {
        format!("{}|{}", self.event_id, self.action_id)
    }
}

/// Who works on a row, and until when nobody else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The worker: one id per process and start.
    pub owner: String,
    /// From then on, others may take the row.
    pub until: Timestamp,
}

/// A connection to the journal with the means to open sealed columns.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    backend: Backend,
    sealer: Sealer,
}

/// A connection that only reads. Each query sees what was committed before it.
#[derive(Debug)]
pub struct Reader(Session);

/// A write in progress: what is done with it becomes durable together, or not at all.
#[derive(Debug)]
pub struct Tx {
    session: Session,
    publish: bool,
    ordinals: Range<i64>,
    leaves: Vec<NewLeaf>,
    messages: Vec<outbox::NewMessage>,
}

impl Session {
    pub(crate) fn new(connection: Connection, backend: Backend, sealer: Sealer) -> Self {
        Self { connection, backend, sealer }
    }

    /// Which database this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// What seals and opens columns.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Runs a statement and takes all rows that it returns.
    pub(crate) async fn rows(&mut self, sql: &'static str, args: Args) -> Result<Vec<Row>, JournalError> {
        Ok(self.connection.rows(sql, args).await?)
    }

    /// The same for a bulk statement.
    pub(crate) async fn bulk(&mut self, text: Text, args: Args) -> Result<Vec<Row>, JournalError> {
        Ok(self.connection.rows(AssertSqlSafe(text.on(self.backend)), args).await?)
    }

    /// Runs a statement that returns no rows; how many it changed.
    pub(crate) async fn execute(&mut self, sql: &'static str, args: Args) -> Result<u64, JournalError> {
        Ok(self.connection.execute(sql, args).await?)
    }

    /// The same for a bulk statement.
    pub(crate) async fn execute_bulk(&mut self, text: Text, args: Args) -> Result<u64, JournalError> {
        Ok(self.connection.execute(AssertSqlSafe(text.on(self.backend)), args).await?)
    }

    /// Runs a statement without arguments and without preparing it.
    pub(crate) async fn raw(&mut self, sql: &'static str) -> Result<(), JournalError> {
        Ok(self.connection.raw(sql).await?)
    }

    async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "journal connection did not close cleanly");
        }
    }

    pub(crate) fn open(
        &self,
        table: &'static str,
        column: &'static str,
        row: &str,
        blob: &[u8],
    ) -> Result<Private, JournalError> {
        Ok(self.sealer.open(table, column, row, blob)?)
    }

    pub(crate) fn open_opt(
        &self,
        table: &'static str,
        column: &'static str,
        row: &str,
        blob: Option<Vec<u8>>,
    ) -> Result<Option<Private>, JournalError> {
        blob.map(|blob| self.open(table, column, row, &blob)).transpose()
    }

    pub(crate) fn seal(
        &self,
        table: &'static str,
        column: &'static str,
        row: &str,
        plain: &Private,
    ) -> Result<Vec<u8>, JournalError> {
        Ok(self.sealer.seal(table, column, row, plain.as_bytes())?)
    }

    pub(crate) fn seal_opt(
        &self,
        table: &'static str,
        column: &'static str,
        row: &str,
        plain: Option<&Private>,
    ) -> Result<Option<Vec<u8>>, JournalError> {
        plain.map(|plain| self.seal(table, column, row, plain)).transpose()
    }
}

impl Reader {
    pub(crate) fn new(connection: Connection, backend: Backend, sealer: Sealer) -> Self {
        Self(Session::new(connection, backend, sealer))
    }
}

impl Tx {
    pub(crate) fn new(session: Session, publish: bool) -> Self {
        Self { session, publish, ordinals: 0..0, leaves: Vec::new(), messages: Vec::new() }
    }

    /// Appends leaves to the audit log. They get their places at commit, in commit order and without gaps,
    /// and are queued for topic `civitas.audit`.
    pub fn append_audit(&mut self, leaves: &[NewLeaf]) {
        self.leaves.extend_from_slice(leaves);
    }

    /// Queues a message for publication, in commit order. Dropped when the journal was opened without
    /// publication.
    pub fn publish(&mut self, message: outbox::NewMessage) {
        if self.publish {
            self.messages.push(message);
        }
    }

    /// Whether what is queued for publication is kept.
    pub(crate) fn publishes(&self) -> bool {
        self.publish
    }

    /// Numbers that this transaction took and has not given out yet.
    pub(crate) fn ordinals(&mut self) -> &mut Range<i64> {
        &mut self.ordinals
    }

    pub(crate) async fn begin(&mut self) -> Result<(), JournalError> {
        self.take_pending();
        self.ordinals = 0..0;
        let sql = self.backend().begin();
        self.raw(sql).await
    }

    /// Commits. If the connection breaks meanwhile, nobody knows whether the database did.
    pub(crate) async fn commit(&mut self) -> Result<(), JournalError> {
        self.raw("COMMIT").await.map_err(|error| match error {
            JournalError::Database(fault) if fault.is_connection() => JournalError::Uncertain(fault),
            other => other,
        })
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), JournalError> {
        self.take_pending();
        self.raw("ROLLBACK").await
    }

    pub(crate) async fn close(self) {
        self.session.close().await;
    }

    pub(crate) fn take_pending(&mut self) -> (Vec<NewLeaf>, Vec<outbox::NewMessage>) {
        (std::mem::take(&mut self.leaves), std::mem::take(&mut self.messages))
    }
}

impl Deref for Reader {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.0
    }
}

impl Deref for Tx {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}
