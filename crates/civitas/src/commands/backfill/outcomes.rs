//! What became of what back-fills planned; and forgetting what the reindex feed brought.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use civitas_journal::civil_events::Origin;
use civitas_journal::{operations, reindexed};
use serde_json::json;

use super::PAGE;
use super::show::{cell, is_json, private};
use crate::clock;
use crate::replay::journal::Source;
use crate::words::grouped;

pub(super) fn outcomes(to: &Path, with_identifiers: bool, config: Option<PathBuf>) -> anyhow::Result<()> {
    let source = Source::open(config)?;
    let mut file = private(to)?;
    if !is_json(to) {
        let identifier = if with_identifiers { ",identifier" } else { "" };
        writeln!(
            file,
            "event_id,tracking_id,registration_number,operation,aid,state,cause,issued{identifier}"
        )?;
    }
    let (mut after, mut written) = (0, 0_u64);
    let mut states: BTreeMap<&'static str, u64> = BTreeMap::new();
    source.runtime.block_on(async {
        let mut reader = source.journal.read().await.context("the journal cannot be read")?;
        loop {
            let page = operations::of_origin(&mut reader, Origin::Backfill, after, PAGE).await?;
            let Some((last, _, _)) = page.last() else { break };
            after = last.ordinal;
            for (operation, tracking_id, number) in &page {
                written += 1;
                *states.entry(operation.state.as_str()).or_default() += 1;
                let issued = operation.issued.as_ref();
                let identifier = issued.filter(|_| with_identifiers).and_then(|issued| issued.as_text());
                if is_json(to) {
                    let mut line = json!({
                        "event_id": operation.key.event_id, "tracking_id": tracking_id,
                        "registration_number": number, "operation": operation.operation, "aid": operation.aid,
                        "state": operation.state.as_str(), "cause": operation.cause, "issued": issued.is_some(),
                    });
                    if let Some(identifier) = identifier {
                        line["identifier"] = json!(identifier);
                    }
                    writeln!(file, "{line}")?;
                } else {
                    let text = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
                    write!(
                        file,
                        "{},{},{},{},{},{},{},{}",
                        operation.key.event_id,
                        cell(tracking_id),
                        text(number),
                        operation.operation,
                        text(&operation.aid),
                        operation.state.as_str(),
                        text(&operation.cause),
                        issued.is_some()
                    )?;
                    if with_identifiers {
                        write!(file, ",{}", cell(identifier.unwrap_or_default()))?;
                    }
                    writeln!(file)?;
                }
            }
        }
        if with_identifiers {
            drop(reader);
            witness(&source, written).await?;
        }
        anyhow::Ok(())
    })?;
    file.flush().with_context(|| format!("cannot write {}", to.display()))?;
    println!("{} operations of back-fills in {}:", grouped(written), to.display());
    for (state, count) in states {
        println!("  {state:<16} {}", grouped(count));
    }
    source.close();
    Ok(())
}

/// Identifiers left the journal: the log says so.
async fn witness(source: &Source, count: u64) -> anyhow::Result<()> {
    let mut leaf = civitas_audit::NewLeaf::new("operator", "command line", clock::now());
    leaf.reason =
        Some(format!("the outcomes of {count} back-filled operations were written out with identifiers"));
    source
        .journal
        .write(move |tx| {
            let leaf = leaf.clone();
            Box::pin(async move {
                tx.append_audit(&[leaf]);
                Ok(())
            })
        })
        .await
        .map_err(|error| anyhow!(error).context("the audit log did not take the export"))
}

pub(super) fn clear(config: Option<PathBuf>) -> anyhow::Result<()> {
    let source = Source::open(config)?;
    let gone = source
        .runtime
        .block_on(source.journal.write(|tx| Box::pin(async move { reindexed::clear(tx).await })))?;
    println!("{} records of the reindex feed are forgotten.", grouped(gone));
    source.close();
    Ok(())
}
