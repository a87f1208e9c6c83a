//! Table `confirmations`: answers that are owed to OpenCRVS.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use crate::connection::Row;
use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, Lease, Private, RecordKey, Session, Tx};

const TABLE: &str = "confirmations";

text_enum! {
    /// What OpenCRVS is told.
    pub enum Verdict {
        /// The action is accepted.
        Accept = "accept",
        /// The action is rejected.
        Reject = "reject",
    }
}

text_enum! {
    /// How far the answer got.
    pub enum ConfirmationState {
        /// To be told.
        Due = "due",
        /// OpenCRVS knows.
        Done = "done",
        /// A person's turn.
        Stalled = "stalled",
    }
}

/// An answer that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConfirmation {
    /// The civil event that is answered.
    pub key: RecordKey,
    /// What OpenCRVS is told.
    pub verdict: Verdict,
    /// What is said, as the engine needs it to build the call (sealed).
    pub body: Private,
    /// When to say it.
    pub next_action_at: Timestamp,
    /// Now.
    pub created_at: Timestamp,
}

/// An answer as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The civil event that is answered.
    pub key: RecordKey,
    /// What OpenCRVS is told.
    pub verdict: Verdict,
    /// What is said.
    pub body: Private,
    /// How far it got.
    pub state: ConfirmationState,
    /// Why it stands there: a code.
    pub cause: Option<String>,
    /// Failed attempts.
    pub attempts: u32,
    /// When it is due.
    pub next_action_at: Option<Timestamp>,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Counts claims and changes.
    pub version: i64,
}

static INSERT: Bulk = Bulk::new(
    "INSERT INTO confirmations (event_id, action_id, verdict, body, state, attempts, next_action_at, \
     created_at, version) VALUES ",
    9,
    " ON CONFLICT (event_id, action_id) DO NOTHING RETURNING event_id, action_id",
);

/// Stores answers. For each, in order: `false` if the civil event has one already, which then stands.
pub async fn insert_many(tx: &mut Tx, confirmations: &[NewConfirmation]) -> Result<Vec<bool>, JournalError> {
    let mut inserted = HashSet::new();
    for (sql, chunk) in INSERT.chunks(confirmations) {
        let args = due(tx, chunk)?;
        for row in tx.bulk(sql, args).await? {
            inserted.insert(key(&row)?);
        }
    }
    Ok(confirmations.iter().map(|new| inserted.contains(&new.key)).collect())
}

/// Rows of answers that are due and were not tried yet.
fn due(tx: &Tx, confirmations: &[NewConfirmation]) -> Result<Args, JournalError> {
    let mut args = Args::new();
    for new in confirmations {
        args.uuid(new.key.event_id).uuid(new.key.action_id).text(new.verdict.as_str());
        args.bytes(tx.seal(TABLE, "body", &new.key.row(), &new.body)?);
        args.text(ConfirmationState::Due.as_str()).int(0).at(new.next_action_at);
        args.at(new.created_at).int(0);
    }
    Ok(args)
}

pub(crate) static REPLACE: Bulk = Bulk::new(
    "INSERT INTO confirmations (event_id, action_id, verdict, body, state, attempts, next_action_at, \
     created_at, version) VALUES ",
    9,
    " ON CONFLICT (event_id, action_id) DO UPDATE SET verdict = excluded.verdict, body = excluded.body, \
     state = excluded.state, cause = NULL, attempts = excluded.attempts, \
     next_action_at = excluded.next_action_at, lease_owner = NULL, lease_until = NULL, \
     version = confirmations.version + 1",
);

/// Replaces what is to be said and makes it due again, whatever was there: what MOSIP issued since, or a person's
/// decision. A civil event must not be named twice.
pub async fn replace_many(tx: &mut Tx, confirmations: &[NewConfirmation]) -> Result<(), JournalError> {
    for (sql, chunk) in REPLACE.chunks(confirmations) {
        let args = due(tx, chunk)?;
        tx.execute_bulk(sql, args).await?;
    }
    Ok(())
}

/// [`replace_many`] of one.
pub async fn replace(tx: &mut Tx, new: &NewConfirmation) -> Result<(), JournalError> {
    replace_many(tx, std::slice::from_ref(new)).await
}

/// Makes an answer that was told due again, just as it is: OpenCRVS has forgotten it. `false` if it is not told yet, or a
/// person's turn.
pub async fn tell_again(tx: &mut Tx, key: RecordKey, at: Timestamp) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.uuid(key.event_id).uuid(key.action_id).at(at);
    let changed = tx
        .execute(
            "UPDATE confirmations SET state = 'due', next_action_at = $3, version = version + 1 \
             WHERE event_id = $1 AND action_id = $2 AND state = 'done'",
            args,
        )
        .await?;
    Ok(changed > 0)
}

/// Records with an answer that OpenCRVS does not have yet.
pub async fn untold(session: &mut Session) -> Result<HashSet<Uuid>, JournalError> {
    let rows = session
        .rows("SELECT event_id FROM confirmations WHERE state IN ('due', 'stalled')", Args::new())
        .await?;
    rows.iter().map(|row| row.uuid("event_id")).collect()
}

fn key(row: &Row) -> Result<RecordKey, JournalError> {
    Ok(RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?))
}

fn decode(session: &Session, row: &Row) -> Result<Confirmation, JournalError> {
    let key = key(row)?;
    let lease = match (row.opt_text("lease_owner")?, row.opt_at("lease_until")?) {
        (Some(owner), Some(until)) => Some(Lease { owner, until }),
        _ => None,
    };
    Ok(Confirmation {
        key,
        verdict: row.word("verdict", Verdict::from_word)?,
        body: session.open(TABLE, "body", &key.row(), &row.bytes("body")?)?,
        state: row.word("state", ConfirmationState::from_word)?,
        cause: row.opt_text("cause")?,
        attempts: row.count("attempts")?,
        next_action_at: row.opt_at("next_action_at")?,
        lease,
        created_at: row.at("created_at")?,
        version: row.int("version")?,
    })
}

/// The answer to a civil event.
pub async fn get(session: &mut Session, key: RecordKey) -> Result<Option<Confirmation>, JournalError> {
    let mut args = Args::new();
    args.uuid(key.event_id).uuid(key.action_id);
    let rows = session
        .rows(
            "SELECT event_id, action_id, verdict, body, state, cause, attempts, next_action_at, \
             lease_owner, lease_until, created_at, version FROM confirmations \
             WHERE event_id = $1 AND action_id = $2",
            args,
        )
        .await?;
    rows.first().map(|row| decode(session, row)).transpose()
}

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT c.event_id, c.action_id FROM confirmations c ",
            "WHERE c.state = 'due' AND c.next_action_at <= $1 ",
            "AND (c.lease_until IS NULL OR c.lease_until <= $1) ORDER BY c.next_action_at LIMIT $2 + 0",
            $lock,
            ") UPDATE confirmations SET lease_owner = $3, lease_until = $4, version = version + 1 ",
            "WHERE (event_id, action_id) IN (SELECT event_id, action_id FROM due) ",
            "RETURNING event_id, action_id, verdict, body, state, cause, attempts, next_action_at, ",
            "lease_owner, lease_until, created_at, version"
        )
    };
}

/// Takes due answers under a lease.
pub async fn claim(
    tx: &mut Tx,
    lease: &Lease,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Confirmation>, JournalError> {
    let mut args = Args::new();
    args.at(now).int(limit.into()).text(&*lease.owner).at(lease.until);
    let sql = tx.backend().claiming(claim_sql!(""), claim_sql!(" FOR UPDATE OF c SKIP LOCKED"));
    let rows = tx.rows(sql, args).await?;
    let mut claimed: Vec<_> = rows.iter().map(|row| decode(tx, row)).collect::<Result<_, _>>()?;
    claimed
        .sort_by_key(|confirmation| (confirmation.next_action_at, confirmation.created_at, confirmation.key));
    Ok(claimed)
}

/// The new state of an answer. Start from [`Advance::of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// Which civil event is answered.
    pub key: RecordKey,
    /// The version that the decision to move was based on.
    pub version: i64,
    /// How far it got.
    pub state: ConfirmationState,
    /// Why: a code.
    pub cause: Option<String>,
    /// Failed attempts.
    pub attempts: u32,
    /// When it is due next; `None` when done, or for a person's turn.
    pub next_action_at: Option<Timestamp>,
}

impl Advance {
    /// Everything as it is, the lease given up.
    pub fn of(confirmation: &Confirmation) -> Self {
        Self {
            key: confirmation.key,
            version: confirmation.version,
            state: confirmation.state,
            cause: confirmation.cause.clone(),
            attempts: confirmation.attempts,
            next_action_at: confirmation.next_action_at,
        }
    }
}

pub(crate) static UPDATE: Bulk = Bulk::new(
    "UPDATE confirmations SET state = v.column4, cause = v.column5, attempts = v.column6, \
     next_action_at = v.column7, lease_owner = NULL, lease_until = NULL, \
     version = confirmations.version + 1 FROM (VALUES ",
    7,
    ") AS v WHERE confirmations.event_id = v.column1 AND confirmations.action_id = v.column2 \
     AND confirmations.version = v.column3 RETURNING event_id, action_id",
)
.or_single(
    "UPDATE confirmations SET state = $4, cause = $5, attempts = $6, next_action_at = $7, \
     lease_owner = NULL, lease_until = NULL, version = version + 1 \
     WHERE event_id = $1 AND action_id = $2 AND version = $3 RETURNING event_id, action_id",
);

/// Moves answers on. For each, in order: `false` if its version was another, so nothing was changed.
pub async fn advance(tx: &mut Tx, advances: &[Advance]) -> Result<Vec<bool>, JournalError> {
    let mut moved = HashSet::new();
    for (sql, chunk) in UPDATE.chunks(advances) {
        let mut args = Args::new();
        for to in chunk {
            args.uuid(to.key.event_id).uuid(to.key.action_id).int(to.version);
            args.text(to.state.as_str()).opt_text(to.cause.as_deref());
            args.int(to.attempts.into()).opt_at(to.next_action_at);
        }
        for row in tx.bulk(sql, args).await? {
            moved.insert(key(&row)?);
        }
    }
    Ok(advances.iter().map(|to| moved.contains(&to.key)).collect())
}
