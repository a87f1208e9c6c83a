//! Moving operations on: one statement for many, each only if nobody changed it meanwhile.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Operation, State, TABLE};
use crate::sql::{Args, Bulk, Columns as _};
use crate::{JournalError, Lease, Private, RecordKey, Tx};

/// The new state of an operation. Start from [`Advance::of`] and change what changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// Which operation.
    pub key: RecordKey,
    /// The version that the decision to move was based on.
    pub version: i64,
    /// Where it stands then.
    pub state: State,
    /// Why: a code.
    pub cause: Option<String>,
    /// The cause in words, without personal data.
    pub cause_detail: Option<String>,
    /// When it is due next; `None` for a person's turn, or when done.
    pub next_action_at: Option<Timestamp>,
    /// Attempts begun in all.
    pub attempts: u32,
    /// Attempts begun at the current step.
    pub step_attempts: u32,
    /// Keeps or takes a lease; `None` gives it up.
    pub lease: Option<Lease>,
    /// The person it is about, once known.
    pub subject: Option<String>,
    /// When it counts as stalled.
    pub deadline_at: Option<Timestamp>,
    /// When MOSIP was told to process the packet.
    pub triggered_at: Option<Timestamp>,
    /// Finished: its lane goes on.
    pub done: bool,
    /// MOSIP's answer; `None` keeps what is there.
    pub issued: Option<Private>,
    /// A packet built anew; `None` keeps what is there.
    pub packet: Option<Private>,
    /// The moment of the change.
    pub at: Timestamp,
}

impl Advance {
    /// Everything as it is, the lease given up.
    pub fn of(operation: &Operation, at: Timestamp) -> Self {
        Self {
            key: operation.key,
            version: operation.version,
            state: operation.state,
            cause: operation.cause.clone(),
            cause_detail: operation.cause_detail.clone(),
            next_action_at: operation.next_action_at,
            attempts: operation.attempts,
            step_attempts: operation.step_attempts,
            lease: None,
            subject: operation.subject.clone(),
            deadline_at: operation.deadline_at,
            triggered_at: operation.triggered_at,
            done: operation.done,
            issued: None,
            packet: None,
            at,
        }
    }
}

// SQLite and PostgreSQL both name the columns of VALUES column1, column2, ….
pub(crate) static UPDATE: Bulk = Bulk::new(
    "UPDATE operations SET state = v.column4, cause = v.column5, cause_detail = v.column6, \
     next_action_at = v.column7, attempts = v.column8, step_attempts = v.column9, lease_owner = v.column10, \
     lease_until = v.column11, subject = v.column12, deadline_at = v.column13, triggered_at = v.column14, \
     done = v.column15, issued = COALESCE(v.column16, issued), updated_at = v.column17, \
     packet = COALESCE(v.column18, packet), \
     version = operations.version + 1 FROM (VALUES ",
    18,
    ") AS v WHERE operations.event_id = v.column1 AND operations.action_id = v.column2 \
     AND operations.version = v.column3 RETURNING event_id, action_id",
)
.or_single(
    "UPDATE operations SET state = $4, cause = $5, cause_detail = $6, next_action_at = $7, attempts = $8, \
     step_attempts = $9, lease_owner = $10, lease_until = $11, subject = $12, deadline_at = $13, \
     triggered_at = $14, done = $15, issued = COALESCE($16, issued), updated_at = $17, \
     packet = COALESCE($18, packet), version = version + 1 \
     WHERE event_id = $1 AND action_id = $2 AND version = $3 RETURNING event_id, action_id",
);

/// Moves operations on. For each, in order: `false` if its version was another, so nothing was changed.
/// An operation must not be named twice.
pub async fn advance(tx: &mut Tx, advances: &[Advance]) -> Result<Vec<bool>, JournalError> {
    let mut moved = HashSet::new();
    for (sql, chunk) in UPDATE.chunks(advances) {
        let mut args = Args::new();
        for to in chunk {
            args.uuid(to.key.event_id).uuid(to.key.action_id).int(to.version);
            args.text(to.state.as_str()).opt_text(to.cause.as_deref()).opt_text(to.cause_detail.as_deref());
            args.opt_at(to.next_action_at).int(to.attempts.into()).int(to.step_attempts.into());
            args.opt_text(to.lease.as_ref().map(|lease| &*lease.owner));
            args.opt_at(to.lease.as_ref().map(|lease| lease.until));
            args.opt_text(to.subject.as_deref()).opt_at(to.deadline_at).opt_at(to.triggered_at);
            args.int(to.done.into());
            args.opt_bytes(tx.seal_opt(TABLE, "issued", &to.key.row(), to.issued.as_ref())?).at(to.at);
            args.opt_bytes(tx.seal_opt(TABLE, "packet", &to.key.row(), to.packet.as_ref())?);
        }
        for row in tx.bulk(sql, args).await? {
            moved.insert(RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?));
        }
    }
    Ok(advances.iter().map(|to| moved.contains(&to.key)).collect())
}

pub(crate) static FORWARD: Bulk = Bulk::new(
    "UPDATE operations SET next_action_at = v.column3, version = version + 1 FROM (VALUES ",
    3,
    ") AS v WHERE operations.event_id = v.column1 AND operations.action_id = v.column2 AND done = 0 \
     AND next_action_at > v.column3",
)
.or_single(
    "UPDATE operations SET next_action_at = $3, version = version + 1 \
     WHERE event_id = $1 AND action_id = $2 AND done = 0 AND next_action_at > $3",
);

/// Makes operations that wait due by then, if they are not due before; one that is done, or that nobody is to act on,
/// stays as it is. An operation must not be named twice.
pub async fn bring_forward(tx: &mut Tx, due: &[(RecordKey, Timestamp)]) -> Result<(), JournalError> {
    for (sql, chunk) in FORWARD.chunks(due) {
        let mut args = Args::new();
        for (key, at) in chunk {
            args.uuid(key.event_id).uuid(key.action_id).at(*at);
        }
        tx.execute_bulk(sql, args).await?;
    }
    Ok(())
}

/// Makes every operation that MOSIP was told to process, and that waits for an answer, due now; how many.
pub async fn bring_all_forward(tx: &mut Tx, now: Timestamp) -> Result<u64, JournalError> {
    let mut args = Args::new();
    args.at(now);
    tx.execute(
        "UPDATE operations SET next_action_at = $1, version = version + 1 \
         WHERE done = 0 AND state IN ('triggered', 'awaiting') AND next_action_at > $1 AND triggered_at <= $1",
        args,
    )
    .await
}
