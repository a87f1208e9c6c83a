//! Decisions as they were taken, page by page: civil event, operation and audit leaf, for those who judge them again.
//!
//! Sealed columns stay sealed until they are asked for, so that one that was altered spoils no page, and so that they
//! can be opened on other threads. Words are given as they stand, also such as the journal does not write.

use std::collections::HashMap;

use crate::connection::Row;
use jiff::Timestamp;
use uuid::Uuid;

use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, Private, RecordKey, SealError, Sealer, Session};

/// A sealed value with its place.
#[derive(Debug, Clone)]
pub struct Sealed {
    table: &'static str,
    column: &'static str,
    row: String,
    blob: Vec<u8>,
}

impl Sealed {
    pub(crate) fn new(table: &'static str, column: &'static str, row: String, blob: Vec<u8>) -> Self {
        Self { table, column, row, blob }
    }

    /// Opens it.
    pub fn open(&self, sealer: &Sealer) -> Result<Private, SealError> {
        sealer.open(self.table, self.column, &self.row, &self.blob)
    }
}

/// A decision as the journal holds it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Ascending in commit order.
    pub ordinal: i64,
    /// Record and action.
    pub key: RecordKey,
    /// The record's tracking id.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// `REGISTER`, …
    pub action_type: String,
    /// Which custom action.
    pub custom_action: Option<String>,
    /// The correction that the action approves.
    pub request_id: Option<Uuid>,
    /// How it came in: `trigger`, `kafka`, `country_config`, …
    pub origin: String,
    /// The instant of the decision.
    pub action_at: Timestamp,
    /// Digest of the rule set that decided.
    pub ruleset: String,
    /// The rule that matched.
    pub rule: Option<String>,
    /// What the decision does, in a word.
    pub effect: String,
    /// Why, in one sentence.
    pub sentence: String,
    /// `accept`, `await` or `reject`.
    pub answer: String,
    /// Why it was rejected.
    pub answer_reason: Option<String>,
    /// Registration number minted for this action.
    pub registration_number: Option<String>,
    /// The record's registration number.
    pub record_number: Option<String>,
    /// The event document as received.
    pub document: Sealed,
    /// What the decision asked of MOSIP.
    pub operation: Option<RecordedOperation>,
}

/// An operation as the journal holds it.
#[derive(Debug, Clone)]
pub struct RecordedOperation {
    /// `create_uin`, …
    pub operation: String,
    /// `await_external_validation` or `continue`.
    pub respond: String,
    /// Application id of the packet.
    pub aid: Option<String>,
    /// Where it stands.
    pub state: String,
    /// Whether MOSIP's answer is there.
    pub is_issued: bool,
    /// The packet that carries it.
    pub packet: Option<Sealed>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.event_id, e.action_id, e.ordinal, e.tracking_id, e.event_type, e.action_type, \
             e.custom_action, e.request_id, e.origin, e.action_at, e.ruleset, e.rule, e.effect, e.sentence, e.answer, \
             e.answer_reason, e.registration_number, e.record_number, e.document, o.operation, o.respond, \
             o.aid, o.state, o.packet, CAST(CASE WHEN o.issued IS NULL THEN 0 ELSE 1 END AS BIGINT) AS is_issued \
             FROM civil_events e LEFT JOIN operations o \
             ON o.event_id = e.event_id AND o.action_id = e.action_id ",
            $rest
        )
    };
}

fn decode(row: &Row) -> Result<Recorded, JournalError> {
    let key = RecordKey::new(row.uuid("event_id")?, row.uuid("action_id")?);
    let sealed = |table, column, blob| Sealed { table, column, row: key.row(), blob };
    let operation = match row.opt_text("operation")? {
        None => None,
        Some(operation) => Some(RecordedOperation {
            operation,
            respond: row.text("respond")?,
            aid: row.opt_text("aid")?,
            state: row.text("state")?,
            is_issued: row.int("is_issued")? != 0,
            packet: row.opt_bytes("packet")?.map(|blob| sealed("operations", "packet", blob)),
        }),
    };
    Ok(Recorded {
        ordinal: row.int("ordinal")?,
        key,
        tracking_id: row.text("tracking_id")?,
        event_type: row.text("event_type")?,
        action_type: row.text("action_type")?,
        custom_action: row.opt_text("custom_action")?,
        request_id: row.opt_uuid("request_id")?,
        origin: row.text("origin")?,
        action_at: row.at("action_at")?,
        ruleset: row.text("ruleset")?,
        rule: row.opt_text("rule")?,
        effect: row.text("effect")?,
        sentence: row.text("sentence")?,
        answer: row.text("answer")?,
        answer_reason: row.opt_text("answer_reason")?,
        registration_number: row.opt_text("registration_number")?,
        record_number: row.opt_text("record_number")?,
        document: sealed("civil_events", "document", row.bytes("document")?),
        operation,
    })
}

/// How much there is to read: the number of decisions, and the ordinal of the last one.
pub async fn extent(session: &mut Session) -> Result<(u64, i64), JournalError> {
    let rows = session
        .rows("SELECT COUNT(*) AS n, COALESCE(MAX(ordinal), 0) AS last FROM civil_events", Args::new())
        .await?;
    let row = rows.first().ok_or(JournalError::Corrupt { column: "ordinal" })?;
    Ok((row.int("n")?.unsigned_abs(), row.int("last")?))
}

/// Up to `limit` decisions after one ordinal and up to another, oldest first.
pub async fn page(
    session: &mut Session,
    after: i64,
    last: i64,
    limit: u32,
) -> Result<Vec<Recorded>, JournalError> {
    let mut args = Args::new();
    args.int(after).int(last).int(limit.into());
    let sql = select!("WHERE e.ordinal > $1 AND e.ordinal <= $2 ORDER BY e.ordinal LIMIT $3");
    session.rows(sql, args).await?.iter().map(decode).collect()
}

/// All decisions on a record, by its event id or tracking id, oldest first.
pub async fn by_record(session: &mut Session, record: &str) -> Result<Vec<Recorded>, JournalError> {
    let mut args = Args::new();
    let rows = if let Ok(event_id) = record.parse::<Uuid>() {
        args.uuid(event_id);
        session.rows(select!("WHERE e.event_id = $1 ORDER BY e.ordinal"), args).await?
    } else {
        args.text(record);
        session.rows(select!("WHERE e.tracking_id = $1 ORDER BY e.ordinal"), args).await?
    };
    rows.iter().map(decode).collect()
}

static LEAVES: Bulk = Bulk::new(
    "SELECT event_id, body FROM audit_leaves WHERE event_id IN (VALUES ",
    1,
    r#") AND body LIKE '%"kind":"decided"%'"#,
);

/// The audit leaves of decisions on these records, in canonical form, by record.
pub async fn decided_leaves(
    session: &mut Session,
    records: &[Uuid],
) -> Result<HashMap<Uuid, Vec<String>>, JournalError> {
    let mut leaves: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (sql, chunk) in LEAVES.chunks(records) {
        let mut args = Args::new();
        for record in chunk {
            args.uuid(*record);
        }
        for row in session.bulk(sql, args).await? {
            leaves.entry(row.uuid("event_id")?).or_default().push(row.text("body")?);
        }
    }
    Ok(leaves)
}
