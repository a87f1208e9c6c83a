//! Table `sightings`: records whose state in OpenCRVS and in the journal seem to differ, until it is known why.

use jiff::Timestamp;
use uuid::Uuid;

use crate::connection::Row;
use crate::sql::{Args, Bulk, Columns};
use crate::{JournalError, Session, Tx};

text_enum! {
    /// What was seen.
    pub enum Kind {
        /// OpenCRVS says that the record waits; nothing in the journal does.
        Frozen = "frozen",
        /// The record stands still in a registrar's hand: it may wait without OpenCRVS's index saying so.
        InHand = "in_hand",
        /// The journal waits for the record; OpenCRVS does not say that it does.
        NotFrozen = "not_frozen",
        /// OpenCRVS's reindex feed holds an action that waits, and nothing in the journal does. No search need show it.
        Fed = "fed",
    }
}

text_enum! {
    /// How far it is understood.
    pub enum SightingState {
        /// To be read.
        Open = "open",
        /// Read, and nothing is wrong at present.
        Well = "well",
        /// Read or tried to, and the engine cannot mend it: a person's turn.
        Stuck = "stuck",
    }
}

/// A record that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The record.
    pub event_id: Uuid,
    /// Its tracking id.
    pub tracking_id: String,
    /// `birth`, `death`, …
    pub event_type: String,
    /// What was seen.
    pub kind: Kind,
    /// How far it is understood.
    pub state: SightingState,
    /// Why it is stuck: a code.
    pub cause: Option<String>,
    /// The cause in words, without personal data.
    pub cause_detail: Option<String>,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
    /// When it may be read (again).
    pub next_read_at: Timestamp,
    /// How often it was read.
    pub reads: u32,
}

static INSERT: Bulk = Bulk::new(
    "INSERT INTO sightings (event_id, tracking_id, event_type, kind, state, first_seen, last_seen, next_read_at, \
     reads) VALUES ",
    9,
    " ON CONFLICT (event_id) DO UPDATE SET last_seen = excluded.last_seen, kind = excluded.kind, \
     next_read_at = CASE WHEN sightings.kind = excluded.kind THEN sightings.next_read_at \
     ELSE excluded.next_read_at END RETURNING event_id",
);

/// Notes records that were seen. One that is known keeps what is known of it; it is read anew in its time, sooner where
/// something else is seen now.
pub async fn note(tx: &mut Tx, seen: &[Sighting]) -> Result<(), JournalError> {
    for (sql, chunk) in INSERT.chunks(seen) {
        let mut args = Args::new();
        for sighting in chunk {
            args.uuid(sighting.event_id).text(&*sighting.tracking_id).text(&*sighting.event_type);
            args.text(sighting.kind.as_str()).text(sighting.state.as_str());
            args.at(sighting.first_seen).at(sighting.last_seen).at(sighting.next_read_at);
            args.int(sighting.reads.into());
        }
        tx.bulk(sql, args).await?;
    }
    Ok(())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT event_id, tracking_id, event_type, kind, state, cause, cause_detail, first_seen, last_seen, \
             next_read_at, reads FROM sightings ",
            $rest
        )
    };
}

fn decode(row: &Row) -> Result<Sighting, JournalError> {
    Ok(Sighting {
        event_id: row.uuid("event_id")?,
        tracking_id: row.text("tracking_id")?,
        event_type: row.text("event_type")?,
        kind: row.word("kind", Kind::from_word)?,
        state: row.word("state", SightingState::from_word)?,
        cause: row.opt_text("cause")?,
        cause_detail: row.opt_text("cause_detail")?,
        first_seen: row.at("first_seen")?,
        last_seen: row.at("last_seen")?,
        next_read_at: row.at("next_read_at")?,
        reads: row.count("reads")?,
    })
}

/// What was seen of a record.
pub async fn get(session: &mut Session, event_id: Uuid) -> Result<Option<Sighting>, JournalError> {
    let mut args = Args::new();
    args.uuid(event_id);
    let rows = session.rows(select!("WHERE event_id = $1"), args).await?;
    rows.first().map(decode).transpose()
}

/// The record that has been due for longest.
pub async fn next_due(session: &mut Session, now: Timestamp) -> Result<Option<Sighting>, JournalError> {
    let mut args = Args::new();
    args.at(now);
    let rows = session
        .rows(select!("WHERE next_read_at <= $1 ORDER BY next_read_at, event_id LIMIT 1"), args)
        .await?;
    rows.first().map(decode).transpose()
}

/// Up to `limit` records that are a person's turn, oldest first.
pub async fn stuck(session: &mut Session, limit: u32) -> Result<Vec<Sighting>, JournalError> {
    let mut args = Args::new();
    args.int(limit.into());
    let rows =
        session.rows(select!("WHERE state = 'stuck' ORDER BY first_seen, event_id LIMIT $1"), args).await?;
    rows.iter().map(decode).collect()
}

/// How many records are in each state, by what was seen of them.
pub async fn counts(session: &mut Session) -> Result<Vec<(Kind, SightingState, u64)>, JournalError> {
    let rows = session
        .rows("SELECT kind, state, COUNT(*) AS n FROM sightings GROUP BY kind, state", Args::new())
        .await?;
    rows.iter()
        .map(|row| {
            let kind = row.word("kind", Kind::from_word)?;
            let state = row.word("state", SightingState::from_word)?;
            Ok((kind, state, u64::try_from(row.int("n")?).unwrap_or_default()))
        })
        .collect()
}

/// Notes what a read brought.
pub async fn update(tx: &mut Tx, sighting: &Sighting) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.uuid(sighting.event_id).text(sighting.state.as_str()).opt_text(sighting.cause.as_deref());
    args.opt_text(sighting.cause_detail.as_deref()).at(sighting.next_read_at).int(sighting.reads.into());
    tx.execute(
        "UPDATE sightings SET state = $2, cause = $3, cause_detail = $4, next_read_at = $5, reads = $6 \
         WHERE event_id = $1",
        args,
    )
    .await?;
    Ok(())
}

/// Nothing differs any more about this record.
pub async fn remove(tx: &mut Tx, event_id: Uuid) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.uuid(event_id);
    tx.execute("DELETE FROM sightings WHERE event_id = $1", args).await?;
    Ok(())
}

/// Forgets what was not seen any more since.
pub async fn forget(tx: &mut Tx, kind: Kind, unseen_since: Timestamp) -> Result<u64, JournalError> {
    let mut args = Args::new();
    args.text(kind.as_str()).at(unseen_since);
    tx.execute("DELETE FROM sightings WHERE kind = $1 AND last_seen < $2", args).await
}
