//! The last step before each commit: leaves and messages get their numbers.
//!
//! The row of `audit_head` is locked here and released by the commit that follows at once. So indexes are
//! gapless, follow commit order, and processes wait for each other only that long.

use crate::sql::{Args, Columns};
use crate::{JournalError, Tx, audit_leaves, outbox};

/// Writes what was appended to the transaction.
pub(crate) async fn flush(tx: &mut Tx) -> Result<(), JournalError> {
    let (leaves, messages) = tx.take_pending();
    if leaves.is_empty() && messages.is_empty() {
        return Ok(());
    }
    let published = if tx.publishes() { leaves.len() + messages.len() } else { 0 };
    let (count, published) = (signed(leaves.len()), signed(published));
    let mut args = Args::new();
    args.int(count).int(published);
    let rows = tx
        .rows(
            "UPDATE audit_head SET next_index = next_index + $1, next_outbox = next_outbox + $2 \
             WHERE id = 1 RETURNING next_index, next_outbox",
            args,
        )
        .await?;
    let head = rows.first().ok_or(JournalError::Corrupt { column: "audit_head.next_index" })?;
    let first_leaf = head.int("next_index")? - count;
    let first_message = head.int("next_outbox")? - published;
    audit_leaves::insert_many(tx, first_leaf, &leaves).await?;
    if tx.publishes() {
        outbox::insert_leaves(tx, first_message, first_leaf, &leaves).await?;
        outbox::insert_many(tx, first_message + count, &messages).await?;
    }
    Ok(())
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
