//! Table `notes`: what the record's history in OpenCRVS is to say of an operation that the record did not wait for.

use jiff::Timestamp;

use crate::connection::Row;
use crate::sql::{Args, Columns};
use crate::{JournalError, Lease, RecordKey, Session, Tx};

text_enum! {
    /// How far a note got.
    pub enum NoteState {
        /// To be written.
        Due = "due",
        /// In the record's history.
        Done = "done",
        /// Not to be written any more: the cause says why.
        GivenUp = "given_up",
    }
}

/// A note as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredNote {
    /// The civil event that it is about.
    pub key: RecordKey,
    /// What the operation came to: `completed`, `failed`.
    pub outcome: String,
    /// How far it got.
    pub state: NoteState,
    /// Why it stands there: a code.
    pub cause: Option<String>,
    /// Failed attempts.
    pub attempts: u32,
    /// Whether a call before may have gone through without an answer.
    pub doubt: bool,
    /// When the operation came to it.
    pub created_at: Timestamp,
    /// Counts claims and changes.
    pub version: i64,
}

/// Stores a note; `false` if there is one of that outcome already.
pub async fn insert(
    tx: &mut Tx,
    key: RecordKey,
    outcome: &str,
    due: Timestamp,
    now: Timestamp,
) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.uuid(key.event_id).uuid(key.action_id).text(outcome).at(due).at(now);
    let inserted = tx
        .execute(
            "INSERT INTO notes (event_id, action_id, outcome, state, attempts, doubt, next_action_at, created_at, \
             version) VALUES ($1, $2, $3, 'due', 0, 0, $4, $5, 0) \
             ON CONFLICT (event_id, action_id, outcome) DO NOTHING",
            args,
        )
        .await?;
    Ok(inserted > 0)
}

fn decode(row: &Row) -> Result<StoredNote, JournalError> {
    Ok(StoredNote {
        key: RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?),
        outcome: row.text("outcome")?,
        state: row.word("state", NoteState::from_word)?,
        cause: row.opt_text("cause")?,
        attempts: row.count("attempts")?,
        doubt: row.int("doubt")? != 0,
        created_at: row.at("created_at")?,
        version: row.int("version")?,
    })
}

/// Whether there is something to claim.
pub async fn any_due(session: &mut Session, now: Timestamp) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.at(now);
    let rows = session
        .rows(
            "SELECT 1 AS n FROM notes WHERE state = 'due' AND next_action_at <= $1 \
             AND (lease_until IS NULL OR lease_until <= $1) LIMIT 1",
            args,
        )
        .await?;
    Ok(!rows.is_empty())
}

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT n.event_id, n.action_id, n.outcome FROM notes n ",
            "WHERE n.state = 'due' AND n.next_action_at <= $1 ",
            "AND (n.lease_until IS NULL OR n.lease_until <= $1) ORDER BY n.next_action_at LIMIT $2 + 0",
            $lock,
            ") UPDATE notes SET lease_owner = $3, lease_until = $4, version = version + 1 ",
            "WHERE (event_id, action_id, outcome) IN (SELECT event_id, action_id, outcome FROM due) ",
            "RETURNING event_id, action_id, outcome, state, cause, attempts, doubt, created_at, version"
        )
    };
}

/// Takes due notes under a lease, the oldest first.
pub async fn claim(
    tx: &mut Tx,
    lease: &Lease,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<StoredNote>, JournalError> {
    let mut args = Args::new();
    args.at(now).int(limit.into()).text(&*lease.owner).at(lease.until);
    let sql = tx.backend().claiming(claim_sql!(""), claim_sql!(" FOR UPDATE OF n SKIP LOCKED"));
    let rows = tx.rows(sql, args).await?;
    let mut claimed: Vec<_> = rows.iter().map(decode).collect::<Result<_, _>>()?;
    claimed.sort_by(|a, b| (a.created_at, a.key, &a.outcome).cmp(&(b.created_at, b.key, &b.outcome)));
    Ok(claimed)
}

/// Writes a note's new state over the one that was claimed, and gives the lease up; the version becomes the next.
/// `false` if somebody else has it meanwhile.
pub async fn advance(
    tx: &mut Tx,
    note: &StoredNote,
    next_action_at: Option<Timestamp>,
) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.uuid(note.key.event_id).uuid(note.key.action_id).text(&*note.outcome).int(note.version);
    args.text(note.state.as_str()).opt_text(note.cause.as_deref()).int(note.attempts.into());
    args.int(note.doubt.into()).opt_at(next_action_at);
    let changed = tx
        .execute(
            "UPDATE notes SET state = $5, cause = $6, attempts = $7, doubt = $8, next_action_at = $9, \
             lease_owner = NULL, lease_until = NULL, version = version + 1 \
             WHERE event_id = $1 AND action_id = $2 AND outcome = $3 AND version = $4",
            args,
        )
        .await?;
    Ok(changed > 0)
}

/// Notes that the call is about to be made, so that a crash after it leaves the doubt. `false` as [`advance`]; the lease
/// is kept.
pub async fn doubt(tx: &mut Tx, note: &StoredNote) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.uuid(note.key.event_id).uuid(note.key.action_id).text(&*note.outcome).int(note.version);
    let changed = tx
        .execute(
            "UPDATE notes SET doubt = 1 WHERE event_id = $1 AND action_id = $2 AND outcome = $3 AND version = $4",
            args,
        )
        .await?;
    Ok(changed > 0)
}

/// The notes about a record, oldest first.
pub async fn by_event(session: &mut Session, event_id: uuid::Uuid) -> Result<Vec<StoredNote>, JournalError> {
    let mut args = Args::new();
    args.uuid(event_id);
    let rows = session
        .rows(
            "SELECT event_id, action_id, outcome, state, cause, attempts, doubt, created_at, version FROM notes \
             WHERE event_id = $1 ORDER BY created_at, outcome",
            args,
        )
        .await?;
    rows.iter().map(decode).collect()
}
