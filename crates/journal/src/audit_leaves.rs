//! Table `audit_leaves`: the Merkle log, one row per leaf, never changed.

use civitas_audit::Hash;
use uuid::Uuid;

use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, NewLeaf, Session, Tx};

/// A leaf as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLeaf {
    /// Place in the log, from 0.
    pub index: u64,
    /// Canonical form; [`civitas_audit::Leaf::parse`] reads it.
    pub body: String,
    /// Leaf hash over the canonical form.
    pub hash: Hash,
}

static INSERT: Bulk =
    Bulk::new("INSERT INTO audit_leaves (leaf_index, event_id, at, body, hash) VALUES ", 5, "");

/// Stores leaves from this index on.
pub(crate) async fn insert_many(tx: &mut Tx, first: i64, leaves: &[NewLeaf]) -> Result<(), JournalError> {
    let mut index = first;
    for (sql, chunk) in INSERT.chunks(leaves) {
        let mut args = Args::new();
        for new in chunk {
            let leaf = new.at_index(index.unsigned_abs());
            let body = leaf.canonical();
            let hash = Hash::leaf(body.as_bytes());
            args.int(index).opt_uuid(new.event_id).at(new.at).text(body).bytes(hash.0.to_vec());
            index += 1;
        }
        tx.execute_bulk(sql, args).await?;
    }
    Ok(())
}

/// How many leaves the log has.
pub async fn size(session: &mut Session) -> Result<u64, JournalError> {
    let rows = session.rows("SELECT next_index FROM audit_head WHERE id = 1", Args::new()).await?;
    let head = rows.first().ok_or(JournalError::Corrupt { column: "audit_head.next_index" })?;
    Ok(head.int("next_index")?.unsigned_abs())
}

/// Up to `limit` leaves from this index on, in order.
pub async fn page(session: &mut Session, from: u64, limit: u32) -> Result<Vec<StoredLeaf>, JournalError> {
    let mut args = Args::new();
    args.int(i64::try_from(from).unwrap_or(i64::MAX)).int(limit.into());
    read(
        session,
        "SELECT leaf_index, body, hash FROM audit_leaves WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2",
        args,
    )
    .await
}

/// All leaves about a record, in order: its timeline.
pub async fn by_event(session: &mut Session, event_id: Uuid) -> Result<Vec<StoredLeaf>, JournalError> {
    let mut args = Args::new();
    args.uuid(event_id);
    read(
        session,
        "SELECT leaf_index, body, hash FROM audit_leaves WHERE event_id = $1 ORDER BY leaf_index",
        args,
    )
    .await
}

async fn read(session: &mut Session, sql: &'static str, args: Args) -> Result<Vec<StoredLeaf>, JournalError> {
    session
        .rows(sql, args)
        .await?
        .iter()
        .map(|row| {
            let hash =
                Hash::from_bytes(&row.bytes("hash")?).ok_or(JournalError::Corrupt { column: "hash" })?;
            Ok(StoredLeaf { index: row.int("leaf_index")?.unsigned_abs(), body: row.text("body")?, hash })
        })
        .collect()
}
