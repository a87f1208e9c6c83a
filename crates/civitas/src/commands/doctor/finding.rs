//! What a check found: how it stands, what was seen, what to do.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use serde::Serialize;
use std::fmt::Write as _;

use crate::words::count as count_of;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but will not for ever, or not as well as it could.
    Warn,
    /// The engine cannot do its work like this.
    Fail,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One finding. Holds no secret.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at: `database`, `mosip auth`.
    pub check: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: impl Into<String>, found: impl Into<String>) -> Self {
        Self { check: check.into(), verdict: Verdict::Ok, found: found.into(), advice: None }
    }

    /// It works, but.
    pub fn warn(check: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check: check.into(), verdict: Verdict::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    /// It does not work.
    pub fn fail(check: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check: check.into(), verdict: Verdict::Fail, found: found.into(), advice: Some(advice.into()) }
    }
}

/// The findings for people; what is wrong is explained below the table.
pub(super) fn table(findings: &[Finding]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    for finding in findings {
        table.add_row(vec![
            Cell::new(finding.verdict.as_str()).set_alignment(CellAlignment::Left),
            Cell::new(&finding.check),
            Cell::new(&finding.found),
        ]);
    }
    let mut text = format!("{}\n", table.trim_fmt());
    let advised: Vec<(&Finding, &str)> =
        findings.iter().filter_map(|finding| Some((finding, finding.advice.as_deref()?))).collect();
    if !advised.is_empty() {
        text.push_str("\nwhat to do\n");
        for (finding, advice) in advised {
            let _ = writeln!(text, "  {}: {advice}", finding.check);
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (warn, fail) = (count(Verdict::Warn), count(Verdict::Fail));
    let _ =
        writeln!(text, "\n{}: {warn} to look at, {fail} failed", count_of(findings.len() as u64, "check"));
    text
}

/// An error with all its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_explains_what_is_wrong_below_and_counts() {
        let findings = [
            Finding::ok("database", "sqlite, tables up to date"),
            Finding::warn("certificate", "ends in 12 days", "renew it"),
            Finding::fail("mosip auth", "refused", "check mosip.client_secret_file"),
        ];
        let text = table(&findings);
        assert!(text.contains("what to do\n  certificate: renew it\n  mosip auth: check"), "{text}");
        assert!(text.ends_with("3 checks: 1 to look at, 1 failed\n"), "{text}");
    }
}
