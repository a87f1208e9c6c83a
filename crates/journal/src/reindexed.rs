//! Table `reindexed`: records out of OpenCRVS's reindex feed, for a back-fill.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::history::Sealed;
use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, Private, Session, Tx};

const TABLE: &str = "reindexed";

static KEEP: Bulk = Bulk::new(
    "INSERT INTO reindexed (event_id, received_at, document) VALUES ",
    3,
    " ON CONFLICT (event_id) DO UPDATE SET received_at = excluded.received_at, document = excluded.document \
     RETURNING received_at",
);

/// Keeps records, each in the place of an earlier version.
pub async fn keep_many(tx: &mut Tx, records: &[(Uuid, Private)], at: Timestamp) -> Result<(), JournalError> {
    // A statement may meet each row once.
    let last: BTreeMap<Uuid, &Private> = records.iter().map(|(id, document)| (*id, document)).collect();
    let last: Vec<(Uuid, &Private)> = last.into_iter().collect();
    for (sql, chunk) in KEEP.chunks(&last) {
        let mut args = Args::new();
        for (id, document) in chunk {
            args.uuid(*id).at(at).bytes(tx.seal(TABLE, "document", &id.to_string(), document)?);
        }
        tx.bulk(sql, args).await?;
    }
    Ok(())
}

/// How many records there are.
pub async fn count(session: &mut Session) -> Result<u64, JournalError> {
    let rows = session.rows("SELECT COUNT(*) AS n FROM reindexed", Args::new()).await?;
    rows.first().map_or(Ok(0), |row| Ok(row.int("n")?.unsigned_abs()))
}

/// Up to `limit` records after this one, in the order of their ids.
pub async fn page(
    session: &mut Session,
    after: Uuid,
    limit: u32,
) -> Result<Vec<(Uuid, Sealed)>, JournalError> {
    let mut args = Args::new();
    args.uuid(after).int(limit.into());
    let sql = "SELECT event_id, document FROM reindexed WHERE event_id > $1 ORDER BY event_id LIMIT $2";
    let rows = session.rows(sql, args).await?;
    rows.iter()
        .map(|row| {
            let id = row.uuid("event_id")?;
            Ok((id, Sealed::new(TABLE, "document", id.to_string(), row.bytes("document")?)))
        })
        .collect()
}

/// Forgets all of them.
pub async fn clear(tx: &mut Tx) -> Result<u64, JournalError> {
    tx.execute("DELETE FROM reindexed", Args::new()).await
}

/// A record as the feed had it last.
pub async fn get(session: &mut Session, event_id: Uuid) -> Result<Option<Private>, JournalError> {
    let mut args = Args::new();
    args.uuid(event_id);
    let rows = session.rows("SELECT document FROM reindexed WHERE event_id = $1", args).await?;
    let place = event_id.to_string();
    rows.first().map(|row| session.open(TABLE, "document", &place, &row.bytes("document")?)).transpose()
}
