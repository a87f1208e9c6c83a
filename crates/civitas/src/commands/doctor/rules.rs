//! The rule sets that decide: the same in every process, and that of the pack in the folder.

use std::collections::BTreeSet;

use civitas_engine::queue::Queue;
use civitas_engine::swap::DeciderView;

use super::{Finding, Patient, chain};
use crate::words::{count, instant};

pub(super) async fn check(patient: &Patient<'_>, queue: &Queue) -> Finding {
    match queue.deciders().await {
        Ok(deciders) => finding(patient.pack.as_ref().map(civitas_rules::Pack::digest), &deciders),
        Err(error) => Finding::warn(
            "rule sets",
            format!("who decides cannot be read: {}", chain(&error)),
            "run `civitas migrate`, or start `civitas serve`: both bring the tables up to date",
        ),
    }
}

fn finding(folder: Option<&str>, deciders: &[DeciderView]) -> Finding {
    let check = "rule sets";
    let Some(first) = deciders.first() else {
        return Finding::ok(check, "no engine decides on this journal at the moment");
    };
    if let Some(refusing) = deciders.iter().find(|decider| decider.refused.is_some()) {
        let why = refusing.refused.as_deref().unwrap_or_default().replace('_', " ");
        let found =
            format!("{} refused the pack in its folder: {why}; {}", refusing.instance, runs(refusing));
        let advice = "mend the pack: `civitas country check` and `civitas country test` show everything, and the \
                      overview page shows what that process met; it is taken once it is right";
        return Finding::fail(check, found, advice);
    }
    let sets: BTreeSet<&str> = deciders.iter().map(|decider| decider.ruleset.as_str()).collect();
    if sets.len() > 1 {
        let each: Vec<String> = deciders.iter().map(runs).collect();
        let advice = "normal for seconds while a pack is rolled out; if it lasts, give each process the same folder \
                      and call `civitas country reload` at each";
        return Finding::warn(check, format!("processes decide differently: {}", each.join("; ")), advice);
    }
    if folder.is_some_and(|folder| folder != first.ruleset) {
        let advice = "it is taken within seconds where `reload.watch` is true and that process reads this folder; \
                      `civitas country reload` takes it now and says what speaks against it";
        return Finding::warn(check, format!("{}, which is not the pack in the folder", runs(first)), advice);
    }
    let who = count(deciders.len() as u64, "process").replace("processs", "processes");
    Finding::ok(check, format!("{who} by {}", short(&first.ruleset)))
}

fn runs(decider: &DeciderView) -> String {
    format!("{} runs {} since {}", decider.instance, short(&decider.ruleset), instant(decider.since))
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    fn decider(instance: &str, ruleset: &str) -> DeciderView {
        let since = "2026-06-01T09:00:00Z".parse().unwrap();
        DeciderView { instance: instance.into(), ruleset: ruleset.into(), since, refused: None }
    }

    #[test]
    fn what_differs_or_was_refused_is_named() {
        let (a, b) = (decider("a", "1111"), decider("b", "2222"));
        let refusing = DeciderView { refused: Some("cases_failed".into()), ..a.clone() };
        let same = [a.clone(), decider("b", "1111")];
        let table = [
            (finding(Some("1111"), &[]), Verdict::Ok, "no engine decides"),
            (finding(Some("1111"), &same), Verdict::Ok, "2 processes by 1111"),
            (
                finding(Some("3333"), &same),
                Verdict::Warn,
                "a runs 1111 since 2026-06-01 09:00:00, which is not",
            ),
            (finding(Some("1111"), &[a, b]), Verdict::Warn, "differently: a runs 1111 since"),
            (finding(None, &[refusing]), Verdict::Fail, "a refused the pack in its folder: cases failed"),
        ];
        for (found, verdict, said) in table {
            assert_eq!(found.verdict, verdict, "{}", found.found);
            assert!(found.found.contains(said), "{}", found.found);
        }
    }
}
