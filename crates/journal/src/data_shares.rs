//! Table `data_shares`: credentials that were fetched, since a share is used up by fetching it.

use jiff::Timestamp;

use crate::sql::{Args, Columns};
use crate::{JournalError, Private, Session, Tx};

const TABLE: &str = "data_shares";

/// Keeps what was fetched for a delivery; the first fetch stays.
pub async fn keep(tx: &mut Tx, inbox_id: i64, content: &Private, at: Timestamp) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.int(inbox_id).at(at).bytes(tx.seal(TABLE, "content", &inbox_id.to_string(), content)?);
    let sql = "INSERT INTO data_shares (inbox_id, fetched_at, content) VALUES ($1, $2, $3) \
               ON CONFLICT (inbox_id) DO NOTHING";
    tx.execute(sql, args).await?;
    Ok(())
}

/// What was fetched for a delivery.
pub async fn get(session: &mut Session, inbox_id: i64) -> Result<Option<Private>, JournalError> {
    let mut args = Args::new();
    args.int(inbox_id);
    let rows = session.rows("SELECT content FROM data_shares WHERE inbox_id = $1", args).await?;
    let open = |row: &crate::connection::Row| {
        session.open(TABLE, "content", &inbox_id.to_string(), &row.bytes("content")?)
    };
    rows.first().map(open).transpose()
}
