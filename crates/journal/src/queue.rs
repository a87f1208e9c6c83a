//! The queue as an integrator sees it: operations with their civil events, nothing opened.

use std::fmt::Write as _;

use jiff::Timestamp;
use uuid::Uuid;

use crate::connection::Row;
use crate::operations::{Respond, State};
use crate::sql::{Args, Columns};
use crate::{JournalError, RecordKey, Session};

/// Which operations to list. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this state.
    pub state: Option<State>,
    /// Only unfinished (`false`) or finished (`true`) ones.
    pub done: Option<bool>,
    /// Only those answered so, for instance the ones that freeze their record.
    pub respond: Option<Respond>,
    /// Only this operation (`create_uin`, …).
    pub operation: Option<String>,
    /// Only this cause.
    pub cause: Option<String>,
    /// Only this record.
    pub event_id: Option<Uuid>,
    /// Only the record with this tracking id.
    pub tracking_id: Option<String>,
    /// Only this AID.
    pub aid: Option<String>,
}

/// One operation in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Record and action.
    pub key: RecordKey,
    /// Ascending in commit order; pass the last one on as `after`.
    pub ordinal: i64,
    /// The record's tracking id.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// `REGISTER`, …
    pub action_type: String,
    /// Why the operation was asked for.
    pub sentence: String,
    /// The rule that matched.
    pub rule: Option<String>,
    /// `create_uin`, …
    pub operation: String,
    /// What OpenCRVS was answered.
    pub respond: Respond,
    /// Application id of the packet.
    pub aid: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Why it stands there: a code.
    pub cause: Option<String>,
    /// The cause in words.
    pub cause_detail: Option<String>,
    /// Failed attempts in all.
    pub attempts: u32,
    /// When it is due.
    pub next_action_at: Option<Timestamp>,
    /// When it counts as stalled.
    pub deadline_at: Option<Timestamp>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Version, for an act on it.
    pub version: i64,
    /// Finished.
    pub done: bool,
}

const LIST: &str = "SELECT o.event_id, o.action_id, o.ordinal, e.tracking_id, e.event_type, e.action_type, \
    e.sentence, e.rule, o.operation, o.respond, o.aid, o.state, o.cause, o.cause_detail, o.attempts, \
    o.next_action_at, o.deadline_at, o.created_at, o.updated_at, o.version, o.done FROM operations o \
    JOIN civil_events e ON e.event_id = o.event_id AND e.action_id = o.action_id WHERE o.ordinal > $1";

/// Up to `limit` operations after this ordinal (0 for the first page), oldest first.
pub async fn list(
    session: &mut Session,
    filter: &Filter,
    after: i64,
    limit: u32,
) -> Result<Vec<Entry>, JournalError> {
    let mut args = Args::new();
    args.int(after).int(limit.into());
    // Only what is asked for stands in the text, so that each question finds its index.
    let mut sql = String::from(LIST);
    if let Some(done) = filter.done {
        sql.push_str(if done { " AND o.done = 1" } else { " AND o.done = 0" });
    }
    let event_id = filter.event_id.map(|id| id.to_string());
    let conditions = [
        ("o.state", filter.state.map(State::as_str)),
        ("o.respond", filter.respond.map(Respond::as_str)),
        ("o.operation", filter.operation.as_deref()),
        ("o.cause", filter.cause.as_deref()),
        ("o.event_id", event_id.as_deref()),
        ("e.tracking_id", filter.tracking_id.as_deref()),
        ("o.aid", filter.aid.as_deref()),
    ];
    let mut placeholder = 2;
    for (column, value) in conditions {
        if let Some(value) = value {
            placeholder += 1;
            args.text(value);
            // Writing to a string cannot fail.
            let _ = write!(sql, " AND {column} = ${placeholder}");
        }
    }
    sql.push_str(" ORDER BY o.ordinal LIMIT $2");
    let rows = session.bulk(sql.into(), args).await?;
    rows.iter().map(decode).collect()
}

const OWED: &str = "SELECT o.event_id, o.action_id, o.ordinal, e.tracking_id, e.event_type, e.action_type, \
    e.sentence, e.rule, o.operation, o.respond, o.aid, o.state, c.cause, CAST(NULL AS TEXT) AS cause_detail, \
    c.attempts, c.next_action_at, o.deadline_at, o.created_at, o.updated_at, o.version, o.done FROM confirmations c \
    JOIN operations o ON o.event_id = c.event_id AND o.action_id = c.action_id \
    JOIN civil_events e ON e.event_id = c.event_id AND e.action_id = c.action_id \
    WHERE c.state = 'due' AND o.done = 1 ORDER BY o.ordinal LIMIT $1";

/// Finished operations whose answer OpenCRVS has not heard yet, oldest first: a person closed them, and the record is
/// still frozen there. Cause, attempts and next time are those of the answer.
pub async fn owed(session: &mut Session, limit: u32) -> Result<Vec<Entry>, JournalError> {
    let mut args = Args::new();
    args.int(limit.into());
    session.rows(OWED, args).await?.iter().map(decode).collect()
}

fn decode(row: &Row) -> Result<Entry, JournalError> {
    Ok(Entry {
        key: RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?),
        ordinal: row.int("ordinal")?,
        tracking_id: row.text("tracking_id")?,
        event_type: row.text("event_type")?,
        action_type: row.text("action_type")?,
        sentence: row.text("sentence")?,
        rule: row.opt_text("rule")?,
        operation: row.text("operation")?,
        respond: row.word("respond", Respond::from_word)?,
        aid: row.opt_text("aid")?,
        state: row.word("state", State::from_word)?,
        cause: row.opt_text("cause")?,
        cause_detail: row.opt_text("cause_detail")?,
        attempts: row.count("attempts")?,
        next_action_at: row.opt_at("next_action_at")?,
        deadline_at: row.opt_at("deadline_at")?,
        created_at: row.at("created_at")?,
        updated_at: row.at("updated_at")?,
        version: row.int("version")?,
        done: row.int("done")? != 0,
    })
}

/// The last decisions, newest first: sentence and answer, nothing opened.
pub async fn last_decisions(session: &mut Session, limit: u32) -> Result<Vec<Decision>, JournalError> {
    let mut args = Args::new();
    args.int(limit.into());
    session
        .rows(
            "SELECT event_id, action_id, tracking_id, event_type, action_type, effect, sentence, received_at \
             FROM civil_events ORDER BY ordinal DESC LIMIT $1",
            args,
        )
        .await?
        .iter()
        .map(|row| {
            Ok(Decision {
                key: RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?),
                tracking_id: row.text("tracking_id")?,
                event_type: row.text("event_type")?,
                action_type: row.text("action_type")?,
                effect: row.text("effect")?,
                sentence: row.text("sentence")?,
                received_at: row.at("received_at")?,
            })
        })
        .collect()
}

/// A decision, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Record and action.
    pub key: RecordKey,
    /// The record's tracking id.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// `REGISTER`, …
    pub action_type: String,
    /// What the decision does, in a word.
    pub effect: String,
    /// Why.
    pub sentence: String,
    /// When the event came in.
    pub received_at: Timestamp,
}
