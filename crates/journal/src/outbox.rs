//! Table `outbox`: what is still to be published, in commit order. A row goes when its message is out.

use jiff::Timestamp;

use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, NewLeaf, Session, Tx};

text_enum! {
    /// Where a message goes. The names of the topics are configuration.
    pub enum Topic {
        /// The audit log: every leaf.
        Audit = "audit",
        /// The compacted queue of records that await external validation.
        Awaiting = "awaiting",
    }
}

/// A message to publish. Audit leaves queue themselves ([`Tx::append_audit`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Where to.
    pub topic: Topic,
    /// Messages of one key are published in order: the event id.
    pub key: String,
    /// What it is, for the consumer's dispatch.
    pub kind: String,
    /// Content; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers, such as `traceparent`.
    pub headers: Vec<(String, String)>,
    /// When it was decided.
    pub created_at: Timestamp,
}

/// A message to publish, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Ascending in commit order.
    pub id: i64,
    /// Where to.
    pub topic: Topic,
    /// Event id, or empty for leaves that are about no record.
    pub key: String,
    /// What it is; for audit leaves, the leaf's kind.
    pub kind: String,
    /// Content; `None` is a tombstone. For audit leaves, the canonical form.
    pub value: Option<Vec<u8>>,
    /// For audit leaves, the place in the log.
    pub leaf_index: Option<u64>,
    /// Headers, such as `traceparent`.
    pub headers: Vec<(String, String)>,
    /// When it was decided.
    pub created_at: Timestamp,
}

static INSERT: Bulk = Bulk::new(
    "INSERT INTO outbox (id, topic, key, kind, value, leaf_index, headers, created_at) VALUES ",
    8,
    "",
);

/// Queues leaves; their content stays in the log, so that it is written once.
pub(crate) async fn insert_leaves(
    tx: &mut Tx,
    first: i64,
    first_leaf: i64,
    leaves: &[NewLeaf],
) -> Result<(), JournalError> {
    let mut offset = 0;
    for (sql, chunk) in INSERT.chunks(leaves) {
        let mut args = Args::new();
        for leaf in chunk {
            let key = leaf.event_id.map(|id| id.to_string()).unwrap_or_default();
            args.int(first + offset).text(Topic::Audit.as_str()).text(key).text(&*leaf.kind);
            args.opt_bytes(None).opt_int(Some(first_leaf + offset)).text(headers(leaf)).at(leaf.at);
            offset += 1;
        }
        tx.execute_bulk(sql, args).await?;
    }
    Ok(())
}

fn headers(leaf: &NewLeaf) -> String {
    let headers: Vec<(&str, &str)> = leaf.traceparent.iter().map(|trace| ("traceparent", &**trace)).collect();
    encode(&headers)
}

fn encode<T: serde::Serialize>(headers: &T) -> String {
    // A list of pairs of strings always serialises.
    serde_json::to_string(headers).unwrap_or_else(|_| "[]".to_owned())
}

pub(crate) async fn insert_many(
    tx: &mut Tx,
    first: i64,
    messages: &[NewMessage],
) -> Result<(), JournalError> {
    let mut id = first;
    for (sql, chunk) in INSERT.chunks(messages) {
        let mut args = Args::new();
        for message in chunk {
            args.int(id).text(message.topic.as_str()).text(&*message.key).text(&*message.kind);
            args.opt_bytes(message.value.clone()).opt_int(None);
            args.text(encode(&message.headers)).at(message.created_at);
            id += 1;
        }
        tx.execute_bulk(sql, args).await?;
    }
    Ok(())
}

/// The oldest messages, in order. One publisher at a time reads and deletes.
pub async fn next_batch(session: &mut Session, limit: u32) -> Result<Vec<Message>, JournalError> {
    let mut args = Args::new();
    args.int(limit.into());
    session
        .rows(
            "SELECT o.id, o.topic, o.key, o.kind, o.value, o.leaf_index, o.headers, o.created_at, l.body \
             FROM outbox o LEFT JOIN audit_leaves l ON l.leaf_index = o.leaf_index ORDER BY o.id LIMIT $1 + 0",
            args,
        )
        .await?
        .iter()
        .map(|row| {
            let body = row.opt_text("body")?.map(String::into_bytes);
            Ok(Message {
                id: row.int("id")?,
                topic: row.word("topic", Topic::from_word)?,
                key: row.text("key")?,
                kind: row.text("kind")?,
                value: row.opt_bytes("value")?.or(body),
                leaf_index: row.opt_int("leaf_index")?.map(i64::unsigned_abs),
                headers: serde_json::from_str(&row.text("headers")?)
                    .map_err(|_| JournalError::Corrupt { column: "headers" })?,
                created_at: row.at("created_at")?,
            })
        })
        .collect()
}

static DELETE: Bulk = Bulk::new("DELETE FROM outbox WHERE (id) IN (VALUES ", 1, ")");

/// Removes messages that were published; how many were still there.
pub async fn remove(tx: &mut Tx, ids: &[i64]) -> Result<u64, JournalError> {
    let mut removed = 0;
    for (sql, chunk) in DELETE.chunks(ids) {
        let mut args = Args::new();
        for id in chunk {
            args.int(*id);
        }
        removed += tx.execute_bulk(sql, args).await?;
    }
    Ok(removed)
}

/// How many messages wait, and since when the oldest does.
pub async fn backlog(session: &mut Session) -> Result<(u64, Option<Timestamp>), JournalError> {
    let rows = session
        .rows("SELECT COUNT(*) AS waiting, MIN(created_at) AS oldest FROM outbox", Args::new())
        .await?;
    let row = rows.first().ok_or(JournalError::Corrupt { column: "outbox.id" })?;
    Ok((row.int("waiting")?.unsigned_abs(), row.opt_at("oldest")?))
}
