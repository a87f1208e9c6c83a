//! The pack that decides from the start: the one in the folder, if it may decide.
//!
//! A pack that does not compile, or whose own cases fail, is refused at a start as it is at a swap. Where the journal
//! knows a rule set that decided before, that one goes on: a process that is restarted beside a broken pack must not
//! leave registrars without an answer.

use anyhow::{Context as _, anyhow};
use civitas_engine::swap::{Look, Refused, examine};
use civitas_journal::{Journal, rule_sets};
use civitas_rules::Pack;

use crate::config::Config;
use crate::pack;

/// What a process starts with.
pub(crate) struct Starting {
    /// The rule set that decides.
    pub pack: Pack,
    /// What was found in the folder.
    pub found: Look,
    /// Why that is not the rule set that decides, if it is not.
    pub refused: Option<Refused>,
    /// Digest of the rule set that decided last on this journal.
    pub before: Option<String>,
}

/// Reads the folder; an error where nothing can decide.
pub(crate) async fn pack(config: &Config, journal: &Journal) -> anyhow::Result<Starting> {
    let folder = config.pack.as_path();
    let found = pack::source(folder.to_owned())();
    let mut reader = journal.read().await.context("the journal cannot be read")?;
    let last = rule_sets::last_begun(&mut reader).await.context("the journal cannot be read")?;
    let before = last.as_ref().map(|last| last.digest.clone());
    match examine(&found) {
        Ok(examined) => Ok(Starting { pack: examined.pack, found, refused: None, before }),
        Err(refused) => {
            let Some(last) = last else { return Err(nothing_decides(config, &found)) };
            let pack = Pack::from_canonical(&last.canonical).map_err(|problems| {
                anyhow!("the rule set {} in the archive cannot be used: {problems}", last.digest)
                    .context(nothing_decides(config, &found))
            })?;
            Ok(Starting { pack, found, refused: Some(refused), before })
        }
    }
}

/// Everything that is wrong with the pack.
fn nothing_decides(config: &Config, found: &Look) -> anyhow::Error {
    let folder = config.pack.as_path().display();
    let why = match found {
        Err(why) => return anyhow!("{why}"),
        Ok(files) => match Pack::load(files) {
            Ok(pack) => pack.run_cases().to_string(),
            Err(problems) => problems.to_string(),
        },
    };
    anyhow!("the pack {folder} cannot be used\n\n{why}")
}
