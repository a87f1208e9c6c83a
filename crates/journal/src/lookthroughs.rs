//! Table `lookthroughs`: how looking through OpenCRVS went last, and what it has cost.

use jiff::Timestamp;

use crate::sql::{Args, Columns};
use crate::{JournalError, Session, Tx};

/// The one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookthrough {
    /// When the last one began.
    pub began_at: Timestamp,
    /// When it ended, well or not.
    pub ended_at: Option<Timestamp>,
    /// When one last saw everything.
    pub completed_at: Option<Timestamp>,
    /// When records in registrars' hands were looked through last.
    pub swept_at: Option<Timestamp>,
    /// Why the last one failed: a code and its detail.
    pub cause: Option<String>,
    /// Records that OpenCRVS said wait, at the last one that saw everything.
    pub frozen: u32,
    /// Searches made in all.
    pub searches: u32,
    /// Records read in all; each left a READ in the record's history.
    pub reads: u32,
}

impl Lookthrough {
    /// One that begins.
    pub fn new(now: Timestamp) -> Self {
        Self {
            began_at: now,
            ended_at: None,
            completed_at: None,
            swept_at: None,
            cause: None,
            frozen: 0,
            searches: 0,
            reads: 0,
        }
    }
}

/// The last one.
pub async fn get(session: &mut Session) -> Result<Option<Lookthrough>, JournalError> {
    let rows = session
        .rows(
            "SELECT began_at, ended_at, completed_at, swept_at, cause, frozen, searches, reads FROM lookthroughs",
            Args::new(),
        )
        .await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Lookthrough {
        began_at: row.at("began_at")?,
        ended_at: row.opt_at("ended_at")?,
        completed_at: row.opt_at("completed_at")?,
        swept_at: row.opt_at("swept_at")?,
        cause: row.opt_text("cause")?,
        frozen: row.count("frozen")?,
        searches: row.count("searches")?,
        reads: row.count("reads")?,
    }))
}

/// Writes it down.
pub async fn put(tx: &mut Tx, last: &Lookthrough) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.at(last.began_at).opt_at(last.ended_at).opt_at(last.completed_at).opt_at(last.swept_at);
    args.opt_text(last.cause.as_deref()).int(last.frozen.into()).int(last.searches.into());
    args.int(last.reads.into());
    tx.execute(
        "INSERT INTO lookthroughs (id, began_at, ended_at, completed_at, swept_at, cause, frozen, searches, reads) \
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET began_at = excluded.began_at, \
         ended_at = excluded.ended_at, completed_at = excluded.completed_at, swept_at = excluded.swept_at, \
         cause = excluded.cause, frozen = excluded.frozen, searches = excluded.searches, reads = excluded.reads",
        args,
    )
    .await?;
    Ok(())
}
