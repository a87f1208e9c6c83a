//! `civitas queue retry|release|reject`.

use anyhow::anyhow;
use civitas_engine::queue::{Act as Deed, ActError, ActRequest, Queue};
use clap::Args;

use crate::commands::doctor::chain;

/// Which record, why, and who says so.
#[derive(Debug, Args)]
pub struct Act {
    /// Event id, tracking id or AID
    record: String,
    /// Why; goes into the audit log, so it must not name the persons of the record
    #[arg(long)]
    reason: String,
    /// Who; goes into the audit log
    #[arg(long, env = "USER")]
    actor: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(act: &Act, deed: Deed, queue: &Queue) -> anyhow::Result<()> {
    let actor = act.actor.as_deref().map(str::trim).filter(|actor| !actor.is_empty());
    let actor = actor.ok_or_else(|| {
        anyhow!("an act is recorded with the name of who does it, and USER is not set: give --actor NAME")
    })?;
    let request = ActRequest {
        record: act.record.clone(),
        act: deed,
        actor: format!("cli:{actor}"),
        reason: act.reason.trim().to_owned(),
    };
    let done = queue.act(request).await.map_err(|error| match error {
        ActError::Journal(_) => anyhow!("{}; see `civitas doctor`", chain(&error)),
        error => anyhow!("{error}"),
    })?;
    if act.json {
        println!("{}", serde_json::to_string_pretty(&done)?);
    } else {
        println!("{}: {} → {}. {}.", act.record, done.from, done.to, capital(&done.next));
    }
    Ok(())
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::capital;

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(capital("the packet is sent now"), "The packet is sent now");
        assert_eq!(capital(""), "");
    }
}
