//! Table `deciders`: the processes that decide, and the rule set that each runs. Each reads a pack folder of its own,
//! so only here can be seen whether they agree.

use jiff::Timestamp;

use crate::sql::{Args, Columns};
use crate::{JournalError, Session, Tx};

/// A process that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    /// Name of the process.
    pub instance: String,
    /// Digest of the rule set that it runs; must be archived ([`crate::rule_sets`]).
    pub ruleset: String,
    /// Since when it runs this rule set.
    pub since: Timestamp,
    /// When it last said so.
    pub seen_at: Timestamp,
    /// Why it refused the pack that lies in its folder, if it did: a code such as `cases_failed`.
    pub refused: Option<String>,
}

/// Says what a process runs.
pub async fn put(tx: &mut Tx, decider: &Decider) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(&*decider.instance).text(&*decider.ruleset).at(decider.since).at(decider.seen_at);
    args.opt_text(decider.refused.as_deref());
    tx.execute(
        "INSERT INTO deciders (instance, ruleset, since, seen_at, refused) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (instance) DO UPDATE SET ruleset = excluded.ruleset, since = excluded.since, \
         seen_at = excluded.seen_at, refused = excluded.refused",
        args,
    )
    .await?;
    Ok(())
}

/// Takes a process out.
pub async fn remove(tx: &mut Tx, instance: &str) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(instance);
    tx.execute("DELETE FROM deciders WHERE instance = $1", args).await?;
    Ok(())
}

/// Takes those out that have said nothing since: they were killed.
pub async fn forget(tx: &mut Tx, unseen_since: Timestamp) -> Result<u64, JournalError> {
    let mut args = Args::new();
    args.at(unseen_since);
    tx.execute("DELETE FROM deciders WHERE seen_at < $1", args).await
}

/// Those that have said something since, by name.
pub async fn live(session: &mut Session, seen_since: Timestamp) -> Result<Vec<Decider>, JournalError> {
    let mut args = Args::new();
    args.at(seen_since);
    session
        .rows(
            "SELECT instance, ruleset, since, seen_at, refused FROM deciders WHERE seen_at >= $1 ORDER BY instance",
            args,
        )
        .await?
        .iter()
        .map(|row| {
            Ok(Decider {
                instance: row.text("instance")?,
                ruleset: row.text("ruleset")?,
                since: row.at("since")?,
                seen_at: row.at("seen_at")?,
                refused: row.opt_text("refused")?,
            })
        })
        .collect()
}
