//! Table `leases`: roles that one process holds at a time. The outbox is published in order because only the
//! holder of its lease publishes.

use crate::sql::Args;
use crate::{JournalError, Lease, Tx};
use jiff::Timestamp;

/// Takes or prolongs a role; `false` while another owner holds it.
pub async fn acquire(tx: &mut Tx, name: &str, lease: &Lease, now: Timestamp) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.text(name).text(&*lease.owner).at(lease.until).at(now);
    let changed = tx
        .execute(
            "INSERT INTO leases (name, owner, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at \
             WHERE leases.owner = excluded.owner OR leases.expires_at <= $4",
            args,
        )
        .await?;
    Ok(changed > 0)
}

/// Gives a role up, so that another process need not wait for its end.
pub async fn release(tx: &mut Tx, name: &str, owner: &str) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(name).text(owner);
    tx.execute("DELETE FROM leases WHERE name = $1 AND owner = $2", args).await?;
    Ok(())
}
