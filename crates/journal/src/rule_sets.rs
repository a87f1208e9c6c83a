//! Table `rule_sets`: every country pack that ever decided something, in canonical form.

use jiff::Timestamp;

use crate::sql::{Args, Columns};
use crate::{JournalError, Session, Tx};

/// An archived rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet {
    /// SHA-256 of the canonical form, hexadecimal.
    pub digest: String,
    /// Country code of the pack.
    pub country: String,
    /// Canonical form, from which the pack can be compiled again.
    pub canonical: String,
    /// When it was first loaded.
    pub loaded_at: Timestamp,
}

/// Archives a rule set; `false` when it is there already. Must precede the first civil event it decides.
pub async fn insert(tx: &mut Tx, rule_set: &RuleSet) -> Result<bool, JournalError> {
    let mut args = Args::new();
    args.text(&*rule_set.digest).text(&*rule_set.country).text(&*rule_set.canonical).at(rule_set.loaded_at);
    let inserted = tx
        .execute(
            "INSERT INTO rule_sets (digest, country, canonical, loaded_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (digest) DO NOTHING",
            args,
        )
        .await?;
    Ok(inserted > 0)
}

/// Notes that this rule set decides from now on.
pub async fn begin(tx: &mut Tx, digest: &str, now: Timestamp) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(digest).at(now);
    tx.execute("UPDATE rule_sets SET began_at = $2 WHERE digest = $1", args).await?;
    Ok(())
}

/// The rule set that began to decide last; none in a journal where nothing was decided yet.
pub async fn last_begun(session: &mut Session) -> Result<Option<RuleSet>, JournalError> {
    let newest = "SELECT digest FROM rule_sets WHERE began_at IS NOT NULL ORDER BY began_at DESC LIMIT 1";
    let digest =
        session.rows(newest, Args::new()).await?.first().map(|row| row.text("digest")).transpose()?;
    match digest {
        Some(digest) => get(session, &digest).await,
        None => Ok(None),
    }
}

/// The rule set with this digest.
pub async fn get(session: &mut Session, digest: &str) -> Result<Option<RuleSet>, JournalError> {
    let mut args = Args::new();
    args.text(digest);
    session
        .rows("SELECT digest, country, canonical, loaded_at FROM rule_sets WHERE digest = $1", args)
        .await?
        .first()
        .map(|row| {
            Ok(RuleSet {
                digest: row.text("digest")?,
                country: row.text("country")?,
                canonical: row.text("canonical")?,
                loaded_at: row.at("loaded_at")?,
            })
        })
        .transpose()
}
