//! Numbers in commit order: whoever takes some holds the row's lock until commit, so that a smaller number is
//! always visible before a larger one. They have gaps: a transaction takes a block, so that the writes that
//! share it ask the database once.

use crate::sql::{Args, Columns};
use crate::{JournalError, Tx};

/// How many a transaction takes at least.
const BLOCK: i64 = 64;

/// Takes `count` consecutive numbers; the first of them.
pub(crate) async fn take(tx: &mut Tx, count: usize) -> Result<i64, JournalError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let rest = tx.ordinals();
    if rest.end - rest.start < count {
        reserve(tx, count).await?;
    }
    let rest = tx.ordinals();
    let first = rest.start;
    rest.start += count;
    Ok(first)
}

/// Takes the lock, and a block of numbers with it. A transaction that enters does so before it looks at anything: what
/// entered before it is then committed, and nothing enters beside it, so that what it finds free stays free.
pub(crate) async fn enter(tx: &mut Tx) -> Result<(), JournalError> {
    reserve(tx, BLOCK).await
}

async fn reserve(tx: &mut Tx, count: i64) -> Result<(), JournalError> {
    let block = count.max(BLOCK);
    let mut args = Args::new();
    args.int(block);
    let rows = tx.rows("UPDATE ordinals SET next = next + $1 WHERE id = 1 RETURNING next", args).await?;
    let end = rows.first().ok_or(JournalError::Corrupt { column: "ordinals.next" })?.int("next")?;
    *tx.ordinals() = end - block..end;
    Ok(())
}
