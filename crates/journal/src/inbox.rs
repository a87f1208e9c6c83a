//! Table `inbox`: what MOSIP's hub delivered. Stored before it is answered, understood afterwards.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::connection::Row;
use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, Lease, Private, Session, Tx, ordinals};

const TABLE: &str = "inbox";

text_enum! {
    /// What became of a delivery.
    pub enum InboxState {
        /// Not looked at yet.
        New = "new",
        /// It was the answer to an operation.
        Matched = "matched",
        /// No operation has its AID yet; looked at again when due.
        Parked = "parked",
        /// It cannot be opened, proven or matched; a person may look.
        Quarantined = "quarantined",
        /// It is of no interest.
        Dropped = "dropped",
        /// Its operation was answered before.
        Duplicate = "duplicate",
    }
}

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// What a repetition of the same delivery has too: the event's id, or a digest.
    pub delivery_id: String,
    /// The hub's topic.
    pub topic: String,
    /// When it came in; it is due at once.
    pub received_at: Timestamp,
    /// The body as received (sealed).
    pub body: Private,
}

/// A delivery as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Ascending in commit order.
    pub id: i64,
    /// The hub's topic.
    pub topic: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// The body as received.
    pub body: Private,
    /// What became of it.
    pub state: InboxState,
    /// The AID that it is about, once known.
    pub aid: Option<String>,
    /// Why it stands there: a code.
    pub cause: Option<String>,
    /// How often it was looked at in vain.
    pub attempts: u32,
    /// When it is due.
    pub next_action_at: Option<Timestamp>,
    /// Counts claims and changes.
    pub version: i64,
}

static INSERT: Bulk = Bulk::new(
    "INSERT INTO inbox (id, delivery_id, topic, received_at, body, state, attempts, next_action_at, version) VALUES ",
    9,
    " ON CONFLICT (delivery_id) DO NOTHING RETURNING id",
);

/// Stores deliveries. For each, in order: its id, or `None` if it is here already.
pub async fn insert_many(tx: &mut Tx, deliveries: &[NewDelivery]) -> Result<Vec<Option<i64>>, JournalError> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let first = ordinals::take(tx, deliveries.len()).await?;
    let mut id = first;
    let mut stored = HashSet::new();
    for (sql, chunk) in INSERT.chunks(deliveries) {
        let mut args = Args::new();
        for new in chunk {
            args.int(id).text(&*new.delivery_id).text(&*new.topic).at(new.received_at);
            args.bytes(tx.seal(TABLE, "body", &id.to_string(), &new.body)?);
            args.text(InboxState::New.as_str()).int(0).at(new.received_at).int(0);
            id += 1;
        }
        for row in tx.bulk(sql, args).await? {
            stored.insert(row.int("id")?);
        }
    }
    Ok((first..id).map(|id| stored.contains(&id).then_some(id)).collect())
}

fn decode(session: &Session, row: &Row) -> Result<Delivery, JournalError> {
    let id = row.int("id")?;
    Ok(Delivery {
        id,
        topic: row.text("topic")?,
        received_at: row.at("received_at")?,
        body: session.open(TABLE, "body", &id.to_string(), &row.bytes("body")?)?,
        state: row.word("state", InboxState::from_word)?,
        aid: row.opt_text("aid")?,
        cause: row.opt_text("cause")?,
        attempts: row.count("attempts")?,
        next_action_at: row.opt_at("next_action_at")?,
        version: row.int("version")?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, topic, received_at, body, state, aid, cause, attempts, next_action_at, version \
             FROM inbox ",
            $rest
        )
    };
}

/// The delivery with this id.
pub async fn get(session: &mut Session, id: i64) -> Result<Option<Delivery>, JournalError> {
    let mut args = Args::new();
    args.int(id);
    let rows = session.rows(select!("WHERE id = $1"), args).await?;
    rows.first().map(|row| decode(session, row)).transpose()
}

/// All deliveries about an AID, oldest first.
pub async fn by_aid(session: &mut Session, aid: &str) -> Result<Vec<Delivery>, JournalError> {
    let mut args = Args::new();
    args.text(aid);
    let rows = session.rows(select!("WHERE aid = $1 ORDER BY id"), args).await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

/// Up to `limit` deliveries in a state, after this id.
pub async fn list(
    session: &mut Session,
    state: InboxState,
    after: i64,
    limit: u32,
) -> Result<Vec<Delivery>, JournalError> {
    let mut args = Args::new();
    args.text(state.as_str()).int(after).int(limit.into());
    let rows = session.rows(select!("WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3"), args).await?;
    rows.iter().map(|row| decode(session, row)).collect()
}

/// When the last delivery on a topic came in.
pub async fn last_heard(session: &mut Session, topic: &str) -> Result<Option<Timestamp>, JournalError> {
    let mut args = Args::new();
    args.text(topic);
    let rows =
        session.rows("SELECT received_at FROM inbox WHERE topic = $1 ORDER BY id DESC LIMIT 1", args).await?;
    rows.first().map(|row| row.at("received_at")).transpose()
}

/// How many deliveries stand in each state; states without any are left out.
pub async fn counts_by_state(session: &mut Session) -> Result<Vec<(InboxState, u64)>, JournalError> {
    session
        .rows("SELECT state, COUNT(*) AS n FROM inbox GROUP BY state ORDER BY state", Args::new())
        .await?
        .iter()
        .map(|row| Ok((row.word("state", InboxState::from_word)?, row.int("n")?.unsigned_abs())))
        .collect()
}

macro_rules! claim_sql {
    ($lock:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT i.id FROM inbox i WHERE i.next_action_at <= $1 ",
            "AND (i.lease_until IS NULL OR i.lease_until <= $1) ORDER BY i.next_action_at LIMIT $2 + 0",
            $lock,
            ") UPDATE inbox SET lease_owner = $3, lease_until = $4, version = version + 1 ",
            "WHERE id IN (SELECT id FROM due) RETURNING id, topic, received_at, body, state, aid, cause, ",
            "attempts, next_action_at, version"
        )
    };
}

/// Takes due deliveries under a lease, oldest first.
pub async fn claim(
    tx: &mut Tx,
    lease: &Lease,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Delivery>, JournalError> {
    let mut args = Args::new();
    args.at(now).int(limit.into()).text(&*lease.owner).at(lease.until);
    let sql = tx.backend().claiming(claim_sql!(""), claim_sql!(" FOR UPDATE OF i SKIP LOCKED"));
    let rows = tx.rows(sql, args).await?;
    let mut claimed: Vec<_> = rows.iter().map(|row| decode(tx, row)).collect::<Result<_, _>>()?;
    claimed.sort_by_key(|delivery| delivery.id);
    Ok(claimed)
}

/// The new state of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// Which delivery.
    pub id: i64,
    /// The version that the decision to move was based on.
    pub version: i64,
    /// What became of it.
    pub state: InboxState,
    /// The AID that it is about, once known.
    pub aid: Option<String>,
    /// Why: a code.
    pub cause: Option<String>,
    /// How often it was looked at in vain.
    pub attempts: u32,
    /// When to look again; `None` when it is settled.
    pub next_action_at: Option<Timestamp>,
}

impl Advance {
    /// Settles a delivery in this state.
    pub fn settle(delivery: &Delivery, state: InboxState) -> Self {
        Self {
            id: delivery.id,
            version: delivery.version,
            state,
            aid: delivery.aid.clone(),
            cause: None,
            attempts: delivery.attempts,
            next_action_at: None,
        }
    }
}

pub(crate) static UPDATE: Bulk = Bulk::new(
    "UPDATE inbox SET state = v.column3, aid = v.column4, cause = v.column5, attempts = v.column6, \
     next_action_at = v.column7, lease_owner = NULL, lease_until = NULL, version = inbox.version + 1 \
     FROM (VALUES ",
    7,
    ") AS v WHERE inbox.id = v.column1 AND inbox.version = v.column2 RETURNING id",
)
.or_single(
    "UPDATE inbox SET state = $3, aid = $4, cause = $5, attempts = $6, next_action_at = $7, \
     lease_owner = NULL, lease_until = NULL, version = version + 1 \
     WHERE id = $1 AND version = $2 RETURNING id",
);

/// Moves deliveries on. For each, in order: `false` if its version was another, so nothing was changed.
pub async fn advance(tx: &mut Tx, advances: &[Advance]) -> Result<Vec<bool>, JournalError> {
    let mut moved = HashSet::new();
    for (sql, chunk) in UPDATE.chunks(advances) {
        let mut args = Args::new();
        for to in chunk {
            args.int(to.id).int(to.version).text(to.state.as_str());
            args.opt_text(to.aid.as_deref()).opt_text(to.cause.as_deref());
            args.int(to.attempts.into()).opt_at(to.next_action_at);
        }
        for row in tx.bulk(sql, args).await? {
            moved.insert(row.int("id")?);
        }
    }
    Ok(advances.iter().map(|to| moved.contains(&to.id)).collect())
}

pub(crate) static WAKE: Bulk = Bulk::new(
    "UPDATE inbox SET next_action_at = received_at WHERE state = 'parked' AND aid IN (VALUES ",
    1,
    ")",
);

/// Makes parked deliveries about these AIDs due at once, now that there is an operation for them.
pub async fn wake(tx: &mut Tx, aids: &[String]) -> Result<u64, JournalError> {
    let mut woken = 0;
    for (sql, chunk) in WAKE.chunks(aids) {
        let mut args = Args::new();
        for aid in chunk {
            args.text(&**aid);
        }
        woken += tx.execute_bulk(sql, args).await?;
    }
    Ok(woken)
}

/// Makes quarantined deliveries due whose cause names one of these things: certificates that were missing when they
/// were put aside, and are here now. How many.
pub async fn take_up_again(tx: &mut Tx, named: &[String], now: Timestamp) -> Result<u64, JournalError> {
    let mut taken = 0;
    for name in named {
        let mut args = Args::new();
        args.at(now).text(format!("%{}%", name.replace('%', "")));
        taken += tx
            .execute(
                "UPDATE inbox SET state = 'new', next_action_at = $1, version = version + 1 \
                 WHERE state = 'quarantined' AND cause LIKE $2",
                args,
            )
            .await?;
    }
    Ok(taken)
}
