//! Looking at operations.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Operation, State, decode};
use crate::connection::Row;
use crate::sql::{Args, Bulk, Columns as _};
use crate::{JournalError, RecordKey, Session};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT event_id, action_id, ordinal, operation, respond, aid, subject, state, cause, \
             cause_detail, next_action_at, attempts, step_attempts, lease_owner, lease_until, deadline_at, \
             triggered_at, created_at, updated_at, version, done, traceparent, packet, issued \
             FROM operations ",
            $rest
        )
    };
}

pub(crate) static BY_KEY: Bulk =
    Bulk::new(select!("WHERE (event_id, action_id) IN (SELECT column1, column2 FROM (VALUES "), 2, ") AS v)")
        .or_single(select!("WHERE event_id = $1 AND action_id = $2"));
pub(crate) static BY_AID: Bulk =
    Bulk::new(select!("WHERE aid IN (VALUES "), 1, ")").or_single(select!("WHERE aid = $1"));
static TAKEN: Bulk = Bulk::new("SELECT aid FROM operations WHERE aid IN (VALUES ", 1, ")")
    .or_single("SELECT aid FROM operations WHERE aid = $1");

/// The operation of a civil event.
pub async fn get(session: &mut Session, key: RecordKey) -> Result<Option<Operation>, JournalError> {
    Ok(get_many(session, &[key]).await?.pop())
}

/// The operations of civil events, those that exist, in the order of their ordinals.
pub async fn get_many(session: &mut Session, keys: &[RecordKey]) -> Result<Vec<Operation>, JournalError> {
    let mut operations = Vec::new();
    for (sql, chunk) in BY_KEY.chunks(keys) {
        let mut args = Args::new();
        for key in chunk {
            args.uuid(key.event_id).uuid(key.action_id);
        }
        for row in session.bulk(sql, args).await? {
            operations.push(decode(session, &row)?);
        }
    }
    operations.sort_by_key(|operation| operation.ordinal);
    Ok(operations)
}

/// The operation with this AID.
pub async fn by_aid(session: &mut Session, aid: &str) -> Result<Option<Operation>, JournalError> {
    Ok(by_aids(session, &[aid.to_owned()]).await?.pop())
}

/// The operations with these AIDs, those that exist, in the order of their ordinals.
pub async fn by_aids(session: &mut Session, aids: &[String]) -> Result<Vec<Operation>, JournalError> {
    let mut operations = Vec::new();
    for (sql, chunk) in BY_AID.chunks(aids) {
        let mut args = Args::new();
        for aid in chunk {
            args.text(&**aid);
        }
        for row in session.bulk(sql, args).await? {
            operations.push(decode(session, &row)?);
        }
    }
    operations.sort_by_key(|operation| operation.ordinal);
    Ok(operations)
}

/// Those of the AIDs that are in use.
pub async fn taken_aids(session: &mut Session, aids: &[String]) -> Result<HashSet<String>, JournalError> {
    let mut taken = HashSet::new();
    for (sql, chunk) in TAKEN.chunks(aids) {
        let mut args = Args::new();
        for aid in chunk {
            args.text(&**aid);
        }
        for row in session.bulk(sql, args).await? {
            taken.insert(row.text("aid")?);
        }
    }
    Ok(taken)
}

/// The lane of a record: all its operations, oldest first.
pub async fn by_event(session: &mut Session, event_id: Uuid) -> Result<Vec<Operation>, JournalError> {
    let mut args = Args::new();
    args.uuid(event_id);
    let rows = session.rows(select!("WHERE event_id = $1 ORDER BY ordinal"), args).await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

/// Up to `limit` operations about a person, by the person's keyed hash, newest first.
pub async fn about(session: &mut Session, subject: &str, limit: u32) -> Result<Vec<Operation>, JournalError> {
    let mut args = Args::new();
    args.text(subject).int(limit.into());
    let rows = session.rows(select!("WHERE subject = $1 ORDER BY ordinal DESC LIMIT $2 + 0"), args).await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

/// Unfinished operations whose deadline has passed and that are not stalled yet, oldest deadline first.
pub async fn past_deadline(
    session: &mut Session,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Operation>, JournalError> {
    let mut args = Args::new();
    args.at(now).int(limit.into());
    let rows = session
        .rows(
            select!(
                "WHERE done = 0 AND deadline_at <= $1 AND state <> 'stalled' ORDER BY deadline_at LIMIT $2"
            ),
            args,
        )
        .await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

/// How many operations stand in each state; states without any are left out.
pub async fn counts_by_state(session: &mut Session) -> Result<Vec<(State, u64)>, JournalError> {
    session
        .rows("SELECT state, COUNT(*) AS n FROM operations GROUP BY state ORDER BY state", Args::new())
        .await?
        .iter()
        .map(|row| Ok((row.word("state", State::from_word)?, row.int("n")?.unsigned_abs())))
        .collect()
}

/// How many unfinished operations MOSIP is asked about.
pub async fn waiting(session: &mut Session) -> Result<u64, JournalError> {
    let rows = session
        .rows("SELECT COUNT(*) AS n FROM operations WHERE state IN ('triggered', 'awaiting')", Args::new())
        .await?;
    rows.first().map_or(Ok(0), |row| Ok(row.int("n")?.unsigned_abs()))
}

/// An operation that a record waits for, with the record's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Record and action.
    pub key: RecordKey,
    /// Application id of the packet.
    pub aid: Option<String>,
    /// The record's registration number.
    pub record_number: Option<String>,
    /// When the operation was planned.
    pub created_at: Timestamp,
}

/// Up to `limit` unfinished operations that a record waits for, oldest first.
pub async fn awaited(session: &mut Session, limit: u32) -> Result<Vec<Waiting>, JournalError> {
    let mut args = Args::new();
    args.int(limit.into());
    let rows = session
        .rows(
            "SELECT o.event_id, o.action_id, o.aid, o.created_at, e.record_number FROM operations o \
             JOIN civil_events e ON e.event_id = o.event_id AND e.action_id = o.action_id \
             WHERE o.done = 0 AND o.respond = 'await_external_validation' ORDER BY o.ordinal LIMIT $1",
            args,
        )
        .await?;
    let read = |row: &Row| {
        Ok(Waiting {
            key: RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?),
            aid: row.opt_text("aid")?,
            record_number: row.opt_text("record_number")?,
            created_at: row.at("created_at")?,
        })
    };
    rows.iter().map(read).collect()
}

static KINDS: Bulk =
    Bulk::new("SELECT event_id, operation FROM operations WHERE event_id IN (VALUES ", 1, ")");

/// Which kinds of operations there are about each of the records.
pub async fn kinds_of(
    session: &mut Session,
    records: &[Uuid],
) -> Result<HashSet<(Uuid, String)>, JournalError> {
    let mut kinds = HashSet::new();
    for (sql, chunk) in KINDS.chunks(records) {
        let mut args = Args::new();
        for record in chunk {
            args.uuid(*record);
        }
        for row in session.bulk(sql, args).await? {
            kinds.insert((row.uuid("event_id")?, row.text("operation")?));
        }
    }
    Ok(kinds)
}

/// Up to `limit` operations of civil events of this origin after an ordinal, oldest first, with the record's tracking
/// id and number.
pub async fn of_origin(
    session: &mut Session,
    origin: crate::civil_events::Origin,
    after: i64,
    limit: u32,
) -> Result<Vec<(Operation, String, Option<String>)>, JournalError> {
    let mut args = Args::new();
    args.text(origin.as_str()).int(after).int(limit.into());
    let rows = session
        .rows(
            "SELECT o.event_id, o.action_id, o.ordinal, o.operation, o.respond, o.aid, o.subject, o.state, o.cause, \
             o.cause_detail, o.next_action_at, o.attempts, o.step_attempts, o.lease_owner, o.lease_until, \
             o.deadline_at, o.triggered_at, o.created_at, o.updated_at, o.version, o.done, o.traceparent, o.packet, \
             o.issued, e.tracking_id, e.record_number FROM operations o \
             JOIN civil_events e ON e.event_id = o.event_id AND e.action_id = o.action_id \
             WHERE e.origin = $1 AND o.ordinal > $2 ORDER BY o.ordinal LIMIT $3",
            args,
        )
        .await?;
    rows.iter()
        .map(|row| Ok((decode(session, row)?, row.text("tracking_id")?, row.opt_text("record_number")?)))
        .collect()
}

/// When the last operation of this origin is due that is planned and was not begun.
pub async fn last_planned(
    session: &mut Session,
    origin: crate::civil_events::Origin,
) -> Result<Option<Timestamp>, JournalError> {
    let mut args = Args::new();
    args.text(origin.as_str());
    let rows = session
        .rows(
            "SELECT MAX(o.next_action_at) AS due FROM operations o \
             JOIN civil_events e ON e.event_id = o.event_id AND e.action_id = o.action_id \
             WHERE o.done = 0 AND o.state = 'planned' AND e.origin = $1",
            args,
        )
        .await?;
    rows.first().map_or(Ok(None), |row| row.opt_at("due"))
}
