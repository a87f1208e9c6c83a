//! Table `civil_events`: what entered the engine, once, and what was decided about it.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::connection::Row;
use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, Private, RecordKey, Session, Tx, WouldHave, ordinals};

const TABLE: &str = "civil_events";

text_enum! {
    /// How a civil event came in.
    pub enum Origin {
        /// OpenCRVS called the trigger endpoint.
        Trigger = "trigger",
        /// Read from Kafka.
        Kafka = "kafka",
        /// A country configuration asked for an operation with fields that it had mapped itself.
        CountryConfig = "country_config",
        /// An open transaction of the mediator before.
        TakenOver = "taken_over",
        /// A registration of the past, planned by a back-fill.
        Backfill = "backfill",
        /// Found in OpenCRVS, waiting: its trigger did not reach us.
        Found = "found",
    }
}

text_enum! {
    /// What OpenCRVS was answered.
    pub enum Answer {
        /// Accepted at once.
        Accept = "accept",
        /// Awaits external validation.
        Await = "await",
        /// Rejected at once.
        Reject = "reject",
    }
}

/// A civil event with its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCivilEvent {
    /// Record and action.
    pub key: RecordKey,
    /// The record's tracking id.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// `REGISTER`, `APPROVE_CORRECTION`, `CUSTOM`, …
    pub action_type: String,
    /// Which custom action, for `CUSTOM`.
    pub custom_action: Option<String>,
    /// The correction request that the action approves.
    pub request_id: Option<Uuid>,
    /// How it came in.
    pub origin: Origin,
    /// When it came in.
    pub received_at: Timestamp,
    /// When the pending action was created; the instant of the decision.
    pub action_at: Timestamp,
    /// Digest of the rule set that decided; must be archived ([`crate::rule_sets`]).
    pub ruleset: String,
    /// The rule that matched.
    pub rule: Option<String>,
    /// What the decision does, in a word.
    pub effect: String,
    /// Why, in one sentence without personal data.
    pub sentence: String,
    /// What OpenCRVS was answered.
    pub answer: Answer,
    /// Why it was rejected, in the words of the pack.
    pub answer_reason: Option<String>,
    /// Registration number minted for this action; unique.
    pub registration_number: Option<String>,
    /// The record's registration number, minted now or before.
    pub record_number: Option<String>,
    /// The event document as received (sealed).
    pub document: Private,
    /// The trigger's token (sealed).
    pub token: Option<Private>,
    /// When the token ends.
    pub token_expires_at: Option<Timestamp>,
    /// W3C trace context of the arrival.
    pub traceparent: Option<String>,
    /// What the rule writes into the record when the action is accepted (sealed): fields and values as JSON.
    pub declared: Option<Private>,
    /// What rules in evaluate mode would have done, in file order.
    pub would_have: Vec<WouldHave>,
}

/// A civil event as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CivilEvent {
    /// Ascending in commit order.
    pub ordinal: i64,
    /// Everything else, as it was inserted.
    pub event: NewCivilEvent,
}

const COLUMNS: usize = 25;
static INSERT: Bulk = Bulk::new(
    "INSERT INTO civil_events (event_id, action_id, ordinal, tracking_id, event_type, action_type, \
     custom_action, request_id, origin, received_at, action_at, ruleset, rule, effect, sentence, answer, \
     answer_reason, registration_number, record_number, document, token, token_expires_at, traceparent, \
     declared, would_have) VALUES ",
    COLUMNS,
    " ON CONFLICT (event_id, action_id) DO NOTHING RETURNING ordinal",
);

/// Stores civil events. For each, in order: its ordinal if it is new, `None` if it is known already.
///
/// A registration number that another event has is a [`JournalError::Conflict`]; ask
/// [`taken_registration_numbers`] in the same transaction first.
pub async fn insert_many(tx: &mut Tx, events: &[NewCivilEvent]) -> Result<Vec<Option<i64>>, JournalError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let first = ordinals::take(tx, events.len()).await?;
    let mut ordinal = first;
    let mut inserted = HashSet::new();
    for (sql, chunk) in INSERT.chunks(events) {
        let mut args = Args::new();
        for event in chunk {
            bind(tx, &mut args, event, ordinal)?;
            ordinal += 1;
        }
        for row in tx.bulk(sql, args).await? {
            inserted.insert(row.int("ordinal")?);
        }
    }
    Ok((first..ordinal).map(|ordinal| inserted.contains(&ordinal).then_some(ordinal)).collect())
}

/// Nothing is written where nothing was tried: almost always.
fn written(would_have: &[WouldHave]) -> Option<String> {
    // Two strings each: they always serialise.
    (!would_have.is_empty()).then(|| serde_json::to_string(would_have).unwrap_or_default())
}

fn read(text: Option<String>) -> Result<Vec<WouldHave>, JournalError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|_| JournalError::Corrupt { column: "would_have" })
}

fn bind(tx: &Tx, args: &mut Args, event: &NewCivilEvent, ordinal: i64) -> Result<(), JournalError> {
    let row = event.key.row();
    args.uuid(event.key.event_id).uuid(event.key.action_id).int(ordinal);
    args.text(&*event.tracking_id).text(&*event.event_type).text(&*event.action_type);
    args.opt_text(event.custom_action.as_deref()).opt_uuid(event.request_id);
    args.text(event.origin.as_str()).at(event.received_at).at(event.action_at);
    args.text(&*event.ruleset).opt_text(event.rule.as_deref());
    args.text(&*event.effect).text(&*event.sentence).text(event.answer.as_str());
    args.opt_text(event.answer_reason.as_deref()).opt_text(event.registration_number.as_deref());
    args.opt_text(event.record_number.as_deref());
    args.bytes(tx.seal(TABLE, "document", &row, &event.document)?);
    args.opt_bytes(tx.seal_opt(TABLE, "token", &row, event.token.as_ref())?);
    args.opt_at(event.token_expires_at).opt_text(event.traceparent.as_deref());
    args.opt_bytes(tx.seal_opt(TABLE, "declared", &row, event.declared.as_ref())?);
    args.opt_text(written(&event.would_have).as_deref());
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT event_id, action_id, ordinal, tracking_id, event_type, action_type, custom_action, \
             request_id, origin, received_at, action_at, ruleset, rule, effect, sentence, answer, \
             answer_reason, registration_number, record_number, document, token, token_expires_at, traceparent, \
             declared, would_have FROM civil_events ",
            $rest
        )
    };
}

fn decode(session: &Session, row: &Row) -> Result<CivilEvent, JournalError> {
    let key = RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?);
    let place = key.row();
    Ok(CivilEvent {
        ordinal: row.int("ordinal")?,
        event: NewCivilEvent {
            key,
            tracking_id: row.text("tracking_id")?,
            event_type: row.text("event_type")?,
            action_type: row.text("action_type")?,
            custom_action: row.opt_text("custom_action")?,
            request_id: row.opt_uuid("request_id")?,
            origin: row.word("origin", Origin::from_word)?,
            received_at: row.at("received_at")?,
            action_at: row.at("action_at")?,
            ruleset: row.text("ruleset")?,
            rule: row.opt_text("rule")?,
            effect: row.text("effect")?,
            sentence: row.text("sentence")?,
            answer: row.word("answer", Answer::from_word)?,
            answer_reason: row.opt_text("answer_reason")?,
            registration_number: row.opt_text("registration_number")?,
            record_number: row.opt_text("record_number")?,
            document: session.open(TABLE, "document", &place, &row.bytes("document")?)?,
            token: session.open_opt(TABLE, "token", &place, row.opt_bytes("token")?)?,
            token_expires_at: row.opt_at("token_expires_at")?,
            traceparent: row.opt_text("traceparent")?,
            declared: session.open_opt(TABLE, "declared", &place, row.opt_bytes("declared")?)?,
            would_have: read(row.opt_text("would_have")?)?,
        },
    })
}

/// The civil event of one action.
pub async fn get(session: &mut Session, key: RecordKey) -> Result<Option<CivilEvent>, JournalError> {
    Ok(get_many(session, &[key]).await?.pop())
}

/// By what an action was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedBy {
    /// How it came in.
    pub origin: Origin,
    /// Digest of the rule set.
    pub ruleset: String,
    /// The rule that matched.
    pub rule: Option<String>,
}

/// What an answer to an action needs of its civil event, without opening anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Record and action.
    pub key: RecordKey,
    /// `birth`, `death`, …
    pub event_type: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// The record's registration number, minted then or before.
    pub record_number: Option<String>,
    /// By what it was decided.
    pub decided: DecidedBy,
}

pub(crate) static BRIEF: Bulk = Bulk::new(
    "SELECT event_id, action_id, event_type, received_at, record_number, origin, ruleset, rule FROM civil_events \
     WHERE (event_id, action_id) IN (SELECT column1, column2 FROM (VALUES ",
    2,
    ") AS v)",
)
.or_single(
    "SELECT event_id, action_id, event_type, received_at, record_number, origin, ruleset, rule FROM civil_events \
     WHERE event_id = $1 AND action_id = $2",
);

/// The briefs of these actions, those that exist.
pub async fn briefs(session: &mut Session, keys: &[RecordKey]) -> Result<Vec<Brief>, JournalError> {
    let mut briefs = Vec::with_capacity(keys.len());
    for (sql, chunk) in BRIEF.chunks(keys) {
        let mut args = Args::new();
        for key in chunk {
            args.uuid(key.event_id).uuid(key.action_id);
        }
        for row in session.bulk(sql, args).await? {
            briefs.push(Brief {
                key: RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?),
                event_type: row.text("event_type")?,
                received_at: row.at("received_at")?,
                record_number: row.opt_text("record_number")?,
                decided: DecidedBy {
                    origin: row.word("origin", Origin::from_word)?,
                    ruleset: row.text("ruleset")?,
                    rule: row.opt_text("rule")?,
                },
            });
        }
    }
    Ok(briefs)
}

pub(crate) static BY_KEY: Bulk =
    Bulk::new(select!("WHERE (event_id, action_id) IN (SELECT column1, column2 FROM (VALUES "), 2, ") AS v)")
        .or_single(select!("WHERE event_id = $1 AND action_id = $2"));

/// The civil events of these actions, those that exist, in the order of their ordinals.
pub async fn get_many(session: &mut Session, keys: &[RecordKey]) -> Result<Vec<CivilEvent>, JournalError> {
    let mut events = Vec::new();
    for (sql, chunk) in BY_KEY.chunks(keys) {
        let mut args = Args::new();
        for key in chunk {
            args.uuid(key.event_id).uuid(key.action_id);
        }
        for row in session.bulk(sql, args).await? {
            events.push(decode(session, &row)?);
        }
    }
    events.sort_by_key(|event| event.ordinal);
    Ok(events)
}

/// What a repeated delivery has to be answered, without opening more than that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Record and action.
    pub key: RecordKey,
    /// Ascending in commit order.
    pub ordinal: i64,
    /// How it came in.
    pub origin: Origin,
    /// What OpenCRVS was answered.
    pub answer: Answer,
    /// Why it was rejected.
    pub answer_reason: Option<String>,
    /// Minted registration number.
    pub registration_number: Option<String>,
    /// Digest of the rule set that decided.
    pub ruleset: String,
    /// The rule that matched.
    pub rule: Option<String>,
    /// What the decision does.
    pub effect: String,
    /// What the rule writes into the record.
    pub declared: Option<Private>,
}

pub(crate) static KNOWN: Bulk = Bulk::new(
    "SELECT event_id, action_id, ordinal, origin, answer, answer_reason, registration_number, ruleset, rule, effect, \
     declared FROM civil_events WHERE (event_id, action_id) IN (SELECT column1, column2 FROM (VALUES ",
    2,
    ") AS v)",
);

/// Those of the actions that are in the journal already, with the answer they got.
pub async fn known(session: &mut Session, keys: &[RecordKey]) -> Result<Vec<Known>, JournalError> {
    let mut known = Vec::new();
    for (sql, chunk) in KNOWN.chunks(keys) {
        let mut args = Args::new();
        for key in chunk {
            args.uuid(key.event_id).uuid(key.action_id);
        }
        for row in session.bulk(sql, args).await? {
            let key = RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?);
            known.push(Known {
                key,
                ordinal: row.int("ordinal")?,
                origin: row.word("origin", Origin::from_word)?,
                answer: row.word("answer", Answer::from_word)?,
                answer_reason: row.opt_text("answer_reason")?,
                registration_number: row.opt_text("registration_number")?,
                ruleset: row.text("ruleset")?,
                rule: row.opt_text("rule")?,
                effect: row.text("effect")?,
                declared: session.open_opt(TABLE, "declared", &key.row(), row.opt_bytes("declared")?)?,
            });
        }
    }
    Ok(known)
}

/// All civil events of a record, oldest first.
pub async fn by_event(session: &mut Session, event_id: Uuid) -> Result<Vec<CivilEvent>, JournalError> {
    let mut args = Args::new();
    args.uuid(event_id);
    let rows = session.rows(select!("WHERE event_id = $1 ORDER BY ordinal"), args).await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

/// All civil events of the record with this tracking id, oldest first.
pub async fn by_tracking_id(
    session: &mut Session,
    tracking_id: &str,
) -> Result<Vec<CivilEvent>, JournalError> {
    let mut args = Args::new();
    args.text(tracking_id);
    let rows = session.rows(select!("WHERE tracking_id = $1 ORDER BY ordinal"), args).await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

/// Up to `limit` civil events after this ordinal, oldest first.
pub async fn page(session: &mut Session, after: i64, limit: u32) -> Result<Vec<CivilEvent>, JournalError> {
    let mut args = Args::new();
    args.int(after).int(limit.into());
    let rows = session.rows(select!("WHERE ordinal > $1 ORDER BY ordinal LIMIT $2"), args).await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

static TAKEN: Bulk =
    Bulk::new("SELECT registration_number FROM civil_events WHERE registration_number IN (VALUES ", 1, ")");

/// Those of the registration numbers that are in use.
pub async fn taken_registration_numbers(
    session: &mut Session,
    numbers: &[String],
) -> Result<HashSet<String>, JournalError> {
    let mut taken = HashSet::new();
    for (sql, chunk) in TAKEN.chunks(numbers) {
        let mut args = Args::new();
        for number in chunk {
            args.text(&**number);
        }
        for row in session.bulk(sql, args).await? {
            taken.insert(row.text("registration_number")?);
        }
    }
    Ok(taken)
}

/// How many records wait whose token ends by then: they can be answered with it alone.
pub async fn tokens_ending(session: &mut Session, by: Timestamp) -> Result<u64, JournalError> {
    let mut args = Args::new();
    args.at(by);
    let rows = session
        .rows(
            "SELECT COUNT(*) AS n FROM operations o JOIN civil_events e ON e.event_id = o.event_id \
             AND e.action_id = o.action_id WHERE o.done = 0 AND e.token IS NOT NULL AND e.token_expires_at <= $1",
            args,
        )
        .await?;
    rows.first().map_or(Ok(0), |row| Ok(row.int("n")?.unsigned_abs()))
}

/// Wipes tokens that are of no more use.
pub async fn forget_tokens(tx: &mut Tx, expired_before: Timestamp) -> Result<u64, JournalError> {
    let mut args = Args::new();
    args.at(expired_before);
    tx.execute("UPDATE civil_events SET token = NULL WHERE token IS NOT NULL AND token_expires_at < $1", args)
        .await
}

static HOLDERS: Bulk = Bulk::new(
    "SELECT registration_number, event_id FROM civil_events WHERE registration_number IN (VALUES ",
    1,
    ")",
);

/// Which record has which of the registration numbers.
pub async fn number_holders(
    session: &mut Session,
    numbers: &[String],
) -> Result<HashMap<String, Uuid>, JournalError> {
    let mut holders = HashMap::new();
    for (sql, chunk) in HOLDERS.chunks(numbers) {
        let mut args = Args::new();
        for number in chunk {
            args.text(&**number);
        }
        for row in session.bulk(sql, args).await? {
            holders.insert(row.text("registration_number")?, row.uuid("event_id")?);
        }
    }
    Ok(holders)
}
