//! Table `operations`: what a decision asks of MOSIP, and how far it got.
//!
//! The lane rule holds in [`claim`]: only the oldest unfinished operation of a record, which is also the
//! oldest unfinished one of its subject, is given out.

pub(crate) mod advance;
pub(crate) mod claim;
pub(crate) mod read;

use jiff::Timestamp;

use crate::connection::Row;
use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, Lease, Private, RecordKey, Session, Tx};

pub use advance::{Advance, advance, bring_all_forward, bring_forward};
pub use claim::{Claim, Work, claim};
pub use read::{
    Waiting, about, awaited, by_aid, by_aids, by_event, counts_by_state, get, get_many, kinds_of,
    last_planned, of_origin, past_deadline, taken_aids, waiting,
};

const TABLE: &str = "operations";

text_enum! {
    /// Where an operation stands.
    pub enum State {
        /// Nothing was sent yet.
        Planned = "planned",
        /// MOSIP holds the packet.
        PacketCreated = "packet_created",
        /// A step may or may not have been applied: ask MOSIP, then move.
        Unknown = "unknown",
        /// MOSIP was told to process the packet.
        Triggered = "triggered",
        /// Sent, and the record is frozen in OpenCRVS until it is answered.
        Awaiting = "awaiting",
        /// MOSIP's answer is here; OpenCRVS does not know it yet.
        Issued = "issued",
        /// OpenCRVS has the answer. The end.
        Confirmed = "confirmed",
        /// Send and continue: MOSIP said that it processed the packet. The end.
        Processed = "processed",
        /// Send and continue: the tracking window closed. The end.
        Sent = "sent",
        /// A person's turn.
        Stalled = "stalled",
        /// A person accepted the record without the answer.
        Released = "released",
        /// A person, or MOSIP's verdict, rejected the record.
        Rejected = "rejected",
    }
}

text_enum! {
    /// What OpenCRVS is answered while the operation runs.
    pub enum Respond {
        /// The record is frozen until the operation is answered.
        AwaitExternalValidation = "await_external_validation",
        /// The record goes on; the operation runs behind it.
        Continue = "continue",
    }
}

/// An operation to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// The civil event that it belongs to.
    pub key: RecordKey,
    /// The civil event's ordinal, as [`crate::civil_events::insert_many`] returned it: the place in its lane.
    pub ordinal: i64,
    /// `create_uin`, `update_biographics`, …, or `hold` for a record that waits for a person.
    pub operation: String,
    /// What OpenCRVS is answered meanwhile.
    pub respond: Respond,
    /// Application id of the packet; unique. Absent when there is nothing to send.
    pub aid: Option<String>,
    /// The person it is about, as a keyed hash, where known.
    pub subject: Option<String>,
    /// Where it starts, normally [`State::Planned`].
    pub state: State,
    /// Why it starts there, for a stalled one: a code.
    pub cause: Option<String>,
    /// The cause in words, without personal data.
    pub cause_detail: Option<String>,
    /// When it is due first; `None` for a person's turn.
    pub next_action_at: Option<Timestamp>,
    /// When it counts as stalled.
    pub deadline_at: Option<Timestamp>,
    /// Now.
    pub created_at: Timestamp,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The packet that carries it (sealed).
    pub packet: Option<Private>,
}

/// An operation as stored, its sealed columns opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The civil event that it belongs to.
    pub key: RecordKey,
    /// Place in its lane, ascending in commit order over all records.
    pub ordinal: i64,
    /// `create_uin`, `update_biographics`, …, or `hold`.
    pub operation: String,
    /// What OpenCRVS was answered.
    pub respond: Respond,
    /// Application id of the packet.
    pub aid: Option<String>,
    /// The person it is about, as a keyed hash.
    pub subject: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Why it stands there: a code.
    pub cause: Option<String>,
    /// The cause in words, without personal data.
    pub cause_detail: Option<String>,
    /// When it is due; `None` for a person's turn, or when done.
    pub next_action_at: Option<Timestamp>,
    /// Attempts begun in all.
    pub attempts: u32,
    /// Attempts begun at the current step.
    pub step_attempts: u32,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// When it counts as stalled.
    pub deadline_at: Option<Timestamp>,
    /// When MOSIP was told to process the packet.
    pub triggered_at: Option<Timestamp>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Counts claims and changes; a change must name the version that it saw.
    pub version: i64,
    /// Finished: it does not hold up its lane any more.
    pub done: bool,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The packet that carries it.
    pub packet: Option<Private>,
    /// MOSIP's answer.
    pub issued: Option<Private>,
}

static INSERT: Bulk = Bulk::new(
    "INSERT INTO operations (event_id, action_id, ordinal, operation, respond, aid, subject, state, cause, \
     cause_detail, next_action_at, attempts, step_attempts, deadline_at, created_at, updated_at, version, done, \
     traceparent, packet) VALUES ",
    20,
    " ON CONFLICT (event_id, action_id) DO NOTHING RETURNING ordinal",
);

/// Stores operations; how many were new. An AID that another operation has is a [`JournalError::Conflict`];
/// ask [`taken_aids`] in the same transaction first.
pub async fn insert_many(tx: &mut Tx, operations: &[NewOperation]) -> Result<usize, JournalError> {
    let mut inserted = 0;
    for (sql, chunk) in INSERT.chunks(operations) {
        let mut args = Args::new();
        for new in chunk {
            args.uuid(new.key.event_id).uuid(new.key.action_id).int(new.ordinal);
            args.text(&*new.operation).text(new.respond.as_str());
            args.opt_text(new.aid.as_deref()).opt_text(new.subject.as_deref());
            args.text(new.state.as_str()).opt_text(new.cause.as_deref());
            args.opt_text(new.cause_detail.as_deref());
            args.opt_at(new.next_action_at).int(0).int(0).opt_at(new.deadline_at);
            args.at(new.created_at).at(new.created_at).int(0).int(0);
            args.opt_text(new.traceparent.as_deref());
            args.opt_bytes(tx.seal_opt(TABLE, "packet", &new.key.row(), new.packet.as_ref())?);
        }
        inserted += tx.bulk(sql, args).await?.len();
    }
    Ok(inserted)
}

impl From<&NewOperation> for Operation {
    /// The operation as it stands once it is stored.
    fn from(new: &NewOperation) -> Self {
        Operation {
            key: new.key,
            ordinal: new.ordinal,
            operation: new.operation.clone(),
            respond: new.respond,
            aid: new.aid.clone(),
            subject: new.subject.clone(),
            state: new.state,
            cause: new.cause.clone(),
            cause_detail: new.cause_detail.clone(),
            next_action_at: new.next_action_at,
            attempts: 0,
            step_attempts: 0,
            lease: None,
            deadline_at: new.deadline_at,
            triggered_at: None,
            created_at: new.created_at,
            updated_at: new.created_at,
            version: 0,
            done: false,
            traceparent: new.traceparent.clone(),
            packet: new.packet.clone(),
            issued: None,
        }
    }
}

fn decode(session: &Session, row: &Row) -> Result<Operation, JournalError> {
    let key = RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?);
    let place = key.row();
    let lease = match (row.opt_text("lease_owner")?, row.opt_at("lease_until")?) {
        (Some(owner), Some(until)) => Some(Lease { owner, until }),
        _ => None,
    };
    Ok(Operation {
        key,
        ordinal: row.int("ordinal")?,
        operation: row.text("operation")?,
        respond: row.word("respond", Respond::from_word)?,
        aid: row.opt_text("aid")?,
        subject: row.opt_text("subject")?,
        state: row.word("state", State::from_word)?,
        cause: row.opt_text("cause")?,
        cause_detail: row.opt_text("cause_detail")?,
        next_action_at: row.opt_at("next_action_at")?,
        attempts: row.count("attempts")?,
        step_attempts: row.count("step_attempts")?,
        lease,
        deadline_at: row.opt_at("deadline_at")?,
        triggered_at: row.opt_at("triggered_at")?,
        created_at: row.at("created_at")?,
        updated_at: row.at("updated_at")?,
        version: row.int("version")?,
        done: row.int("done")? != 0,
        traceparent: row.opt_text("traceparent")?,
        packet: session.open_opt(TABLE, "packet", &place, row.opt_bytes("packet")?)?,
        issued: session.open_opt(TABLE, "issued", &place, row.opt_bytes("issued")?)?,
    })
}
