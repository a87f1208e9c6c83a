//! Table `leases`: roles that one process holds at a time. The outbox is published in order because only the
//! holder of its lease publishes. Also the leases of single rows: a claim takes them, and they are prolonged here.

use crate::sql::Args;
use crate::{JournalError, Lease, RecordKey, Tx};
use jiff::Timestamp;

/// A row that somebody works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Of `operations`.
    Operation(RecordKey),
    /// Of `inbox`.
    Delivery(i64),
    /// Of `confirmations`.
    Confirmation(RecordKey),
    /// Of `notes`: its record, and the outcome that it tells.
    Note(RecordKey, String),
}

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

/// Moves the end of a row's lease, if the row is this owner's; `false` if it is not, or not any more. The version stays, so
/// that who works on the row can still change it.
pub async fn prolong(tx: &mut Tx, held: &Held, lease: &Lease) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.at(lease.until).text(&*lease.owner);
    let sql = match held {
        Held::Operation(key) => {
            args.uuid(key.event_id).uuid(key.action_id);
            "UPDATE operations SET lease_until = $1 \
             WHERE lease_owner = $2 AND event_id = $3 AND action_id = $4"
        }
        Held::Delivery(id) => {
            args.int(*id);
            "UPDATE inbox SET lease_until = $1 WHERE lease_owner = $2 AND id = $3"
        }
        Held::Confirmation(key) => {
            args.uuid(key.event_id).uuid(key.action_id);
            "UPDATE confirmations SET lease_until = $1 \
             WHERE lease_owner = $2 AND event_id = $3 AND action_id = $4"
        }
        Held::Note(key, outcome) => {
            args.uuid(key.event_id).uuid(key.action_id).text(&**outcome);
            "UPDATE notes SET lease_until = $1 \
             WHERE lease_owner = $2 AND event_id = $3 AND action_id = $4 AND outcome = $5"
        }
    };
    Ok(tx.execute(sql, args).await? > 0)
}
