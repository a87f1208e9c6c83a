//! `civitas country schema`.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::style::say;

/// Print the JSON Schema of a pack file.
#[derive(Debug, Args)]
pub struct Schema {
    /// Which file: country, fields, rules, packets, identity, words or cases; without it, the names are listed
    file: Option<String>,
}

pub(super) fn run(schema: &Schema) -> anyhow::Result<ExitCode> {
    let schemas = civitas_rules::schemas();
    let short = |name: &str| name.trim_end_matches(".schema.json").to_owned();
    let names: Vec<String> = schemas.iter().map(|(name, _)| short(name)).collect();
    match &schema.file {
        None => names.iter().for_each(|name| say(&format!("{name}\n"))),
        Some(file) => {
            let wanted = file.trim_end_matches(".yaml");
            let found = schemas.iter().find(|(name, _)| short(name) == wanted);
            let (_, text) = found
                .ok_or_else(|| anyhow!("no pack file is called `{file}`; there are {}", names.join(", ")))?;
            say(text);
        }
    }
    Ok(ExitCode::SUCCESS)
}
