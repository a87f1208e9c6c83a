//! Taking work: due, not leased, and at the head of its lane.

use jiff::Timestamp;

use super::{Operation, State, decode};
use crate::sql::{Args, Columns as _};
use crate::{Backend, JournalError, Lease, Tx};

/// Which operations to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Those that are on their way to MOSIP: planned, packet created, unknown.
    Dispatch,
    /// Of these, the ones whose packet is still to be made.
    Create,
    /// Of these, the ones whose packet MOSIP holds: to be started, or asked about.
    Start,
    /// Those to ask MOSIP about, or the clock: triggered, awaiting, stalled.
    Poll,
}

impl Work {
    /// The states that this work is found in.
    pub fn states(self) -> &'static [State] {
        match self {
            Work::Dispatch => &[State::Planned, State::PacketCreated, State::Unknown],
            Work::Create => &[State::Planned],
            Work::Start => &[State::PacketCreated, State::Unknown],
            Work::Poll => &[State::Triggered, State::Awaiting, State::Stalled],
        }
    }
}

/// A request for work.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Which kind.
    pub work: Work,
    /// Who takes it, and for how long.
    pub lease: Lease,
    /// The present moment.
    pub now: Timestamp,
    /// How many at most.
    pub limit: u32,
}

/// The statement for one kind of work. Its states are written as in the index that serves it, which SQLite is told to
/// take: by its own choice it would sort everything that waits in those states. The candidates are materialised, so
/// that PostgreSQL evaluates them, and their limit, once. The limit is a sum, because SQLite compiles a statement
/// anew for each value of a bare one; so do the other statements that take a few rows at a time.
macro_rules! claim_sql {
    ($states:literal, $index:literal, $lock:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT o.ordinal FROM operations o ",
            $index,
            "WHERE o.done = 0 ",
            "AND o.next_action_at <= $1 AND (o.lease_until IS NULL OR o.lease_until <= $1) ",
            "AND o.state IN (",
            $states,
            ") ",
            "AND NOT EXISTS (SELECT 1 FROM operations p WHERE p.done = 0 AND p.event_id = o.event_id ",
            "AND p.ordinal < o.ordinal) ",
            "AND (o.subject IS NULL OR NOT EXISTS (SELECT 1 FROM operations s WHERE s.done = 0 ",
            "AND s.subject = o.subject AND s.ordinal < o.ordinal)) ",
            "ORDER BY o.next_action_at LIMIT $2 + 0",
            $lock,
            ") UPDATE operations SET lease_owner = $3, lease_until = $4, version = version + 1, ",
            "attempts = attempts + 1, step_attempts = step_attempts + 1 ",
            "WHERE ordinal IN (SELECT ordinal FROM due) ",
            "RETURNING event_id, action_id, ordinal, operation, respond, aid, subject, state, cause, ",
            "cause_detail, next_action_at, attempts, step_attempts, lease_owner, lease_until, deadline_at, ",
            "triggered_at, created_at, updated_at, version, done, traceparent, packet, issued"
        )
    };
}

/// Both texts of a claim: for a database with one writer, and for one where others may hold rows.
macro_rules! claims {
    ($states:literal, $index:literal) => {
        (claim_sql!($states, $index, ""), claim_sql!($states, "", " FOR UPDATE OF o SKIP LOCKED"))
    };
}

pub(crate) fn sql(work: Work, backend: Backend) -> &'static str {
    let (plain, skipping) = match work {
        Work::Dispatch => claims!("'planned', 'packet_created', 'unknown'", "INDEXED BY operations_to_send "),
        Work::Create => claims!("'planned'", "INDEXED BY operations_to_create "),
        Work::Start => claims!("'packet_created', 'unknown'", "INDEXED BY operations_to_start "),
        Work::Poll => claims!("'triggered', 'awaiting', 'stalled'", "INDEXED BY operations_to_ask "),
    };
    backend.claiming(plain, skipping)
}

/// Takes due operations under a lease, oldest first, and counts the attempt that begins, so that one that dies with
/// its process has been counted. Each comes with a new version, so that a worker whose lease ran out cannot change
/// it any more.
pub async fn claim(tx: &mut Tx, claim: &Claim) -> Result<Vec<Operation>, JournalError> {
    let mut args = Args::new();
    args.at(claim.now).int(claim.limit.into()).text(&*claim.lease.owner).at(claim.lease.until);
    let sql = sql(claim.work, tx.backend());
    let rows = tx.rows(sql, args).await?;
    let mut operations = Vec::with_capacity(rows.len());
    for row in &rows {
        operations.push((row.opt_int("next_action_at")?, decode(tx, row)?));
    }
    operations.sort_by_key(|(due, operation)| (*due, operation.ordinal));
    Ok(operations.into_iter().map(|(_, operation)| operation).collect())
}
