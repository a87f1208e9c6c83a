//! The country pack: it compiles, and its own cases come out.

use civitas_rules::{OpencrvsVersion, Pack};

use super::Finding;
use crate::config::{Config, ConfirmationMode};
use crate::pack;
use crate::words::count;

pub(super) fn check(config: &Config) -> (Option<Pack>, Vec<Finding>) {
    let folder = config.pack.as_path().display().to_string();
    let explain = format!("`civitas country check {folder}` shows each problem at its line");
    let files = match pack::read(config.pack.as_path()) {
        Ok(files) => files,
        Err(error) => {
            return (None, vec![Finding::fail("pack", format!("{error:#}"), "check the key `pack`")]);
        }
    };
    let loaded = match pack::compile(&files) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let first = problems
                .iter()
                .next()
                .map(|first| format!("{}:{}: {}", first.file, first.line, first.message));
            let problems = count(problems.len() as u64, "problem");
            let found = format!("{problems}; the first: {}", first.unwrap_or_default());
            return (None, vec![Finding::fail("pack", found, explain)]);
        }
    };
    let digest: String = loaded.digest().chars().take(12).collect();
    let rules = count(loaded.rule_ids().count() as u64, "rule");
    let found = format!("{}, {rules}, rule set {digest}", loaded.country().code);
    let mut findings = vec![if loaded.warnings().is_empty() {
        Finding::ok("pack", found)
    } else {
        let warnings = count(loaded.warnings().len() as u64, "warning");
        Finding::warn("pack", format!("{found}, {warnings}"), explain)
    }];
    let report = loaded.run_cases();
    let cases = format!("{} of {} cases passed", report.passed(), report.total);
    findings.push(if report.is_ok() {
        Finding::ok("pack cases", cases)
    } else {
        Finding::fail("pack cases", cases, format!("`civitas country test {folder}` shows which, and why; an engine refuses such a pack, at its start too"))
    });
    findings.push(confirmation(loaded.country().opencrvs, config.opencrvs.confirmation.mode));
    (Some(loaded), findings)
}

/// Whether the confirmation mode works with the pack's OpenCRVS.
fn confirmation(version: OpencrvsVersion, mode: ConfirmationMode) -> Finding {
    let (fits, wanted) = match version {
        OpencrvsVersion::V1_9 => (mode == ConfirmationMode::TriggerToken, "trigger_token"),
        OpencrvsVersion::V2_0 => (mode != ConfirmationMode::ClientCredentials, "exchange or trigger_token"),
        OpencrvsVersion::V2_1 => (mode == ConfirmationMode::ClientCredentials, "client_credentials"),
    };
    let check = "confirmation mode";
    if fits {
        Finding::ok(check, format!("fits OpenCRVS {}", version.as_str()))
    } else {
        Finding::fail(
            check,
            format!("does not work with OpenCRVS {}, which the pack names", version.as_str()),
            format!("set `opencrvs.confirmation.mode` to {wanted}, or correct the version in country.yaml"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn each_release_has_its_confirmation_modes() {
        use ConfirmationMode::{ClientCredentials, Exchange, TriggerToken};
        let ok = |version, mode| confirmation(version, mode).verdict == Verdict::Ok;
        let table = [
            (OpencrvsVersion::V1_9, [true, false, false]),
            (OpencrvsVersion::V2_0, [true, true, false]),
            (OpencrvsVersion::V2_1, [false, false, true]),
        ];
        for (version, expected) in table {
            let found = [TriggerToken, Exchange, ClientCredentials].map(|mode| ok(version, mode));
            assert_eq!(found, expected, "{version:?}");
        }
    }
}
