//! `civitas country explain`: what a pack decides for an event document, and why, without anything being sent.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use civitas_opencrvs::{EventDocument, Version};
use civitas_rules::{Explanation, Facts, OpencrvsVersion, RuleTree, TermTree, Truth};
use clap::Args;
use serde_json::json;

use crate::pack;

/// Say what the pack decides for an event document, and why.
#[derive(Debug, Args)]
pub struct Explain {
    /// Folder of the pack
    pack: PathBuf,
    /// File with an OpenCRVS event document as JSON; `-` reads standard input
    document: PathBuf,
    /// Type of the pending action; without it, the one that waits
    #[arg(long)]
    action: Option<String>,
    /// Language of the words [default: the country's first]
    #[arg(long)]
    language: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(explain: &Explain) -> anyhow::Result<ExitCode> {
    let pack = pack::load(&explain.pack)?;
    let bytes = read(explain)?;
    let document = EventDocument::parse(&bytes).map_err(|error| anyhow!("{error}"))?;
    let pending = match &explain.action {
        Some(action) => document.pending(action),
        None => document.find_pending(),
    };
    let pending = pending.map_err(|error| anyhow!("{error}; there is nothing to decide"))?;
    let version = match pack.country().opencrvs {
        OpencrvsVersion::V1_9 => Version::V1_9,
        OpencrvsVersion::V2_0 => Version::V2_0,
        OpencrvsVersion::V2_1 => Version::V2_1,
    };
    let prospective = document.prospective(pending.action.id, version).map_err(|error| anyhow!("{error}"))?;
    let facts = Facts {
        event: &document.kind,
        action: &pending.action.kind,
        custom_action: pending.action.custom_action_type.as_deref(),
        before: &prospective.before,
        after: &prospective.after,
        at: pending.action.created_at.at(),
    };
    let explanation = pack.explain(&facts);
    let first = pack.country().languages.first().map_or("en", |first| first.code.as_str());
    let language = explain.language.as_deref().unwrap_or(first);
    if explain.json {
        let report = json!({
            "ruleset": pack.digest(),
            "decision": explanation.decision(),
            "sentence": explanation.sentence(language),
            "rules": explanation.tree(language),
        });
        println!("{report:#}");
    } else {
        print!("{}", text(&explanation, language));
    }
    Ok(ExitCode::SUCCESS)
}

fn read(explain: &Explain) -> anyhow::Result<Vec<u8>> {
    if explain.document.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(&explain.document).with_context(|| format!("cannot read {}", explain.document.display()))
}

fn text(explanation: &Explanation, language: &str) -> String {
    let mut text = format!("{}\n", explanation.sentence(language));
    for rule in explanation.tree(language) {
        text.push_str(&rule_text(&rule));
    }
    text
}

fn rule_text(rule: &RuleTree) -> String {
    let decided = if rule.decided { ", decided" } else { "" };
    let mut text = format!("\n{} {}{decided}\n", mark(rule.outcome), rule.rule);
    match &rule.condition {
        Some(term) => term_text(term, 1, &mut text),
        None => text.push_str("    always applies\n"),
    }
    text
}

fn term_text(term: &TermTree, depth: usize, text: &mut String) {
    let _ = writeln!(text, "{:indent$}{} {}", "", mark(term.outcome), term.text, indent = depth * 2);
    for part in &term.parts {
        term_text(part, depth + 1, text);
    }
}

fn mark(outcome: Truth) -> char {
    match outcome {
        Truth::True => '✓',
        Truth::False => '✗',
        Truth::Unknown => '?',
    }
}
