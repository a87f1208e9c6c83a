//! What each operation needs of its packet and of its rule, so that MOSIP does what the rule says.

use crate::codes::Code;
use crate::decision::Operation;
use crate::diagnostics::Severity;
use crate::files::rules::{Act, IfUnknown, Mode, Outcome, RuleEntry};
use crate::mapping::{Plan, Source};
use crate::ruleset::RuleCompiler;
use crate::source::Path;

/// The field of the ID schema by which MOSIP finds an identity.
const UIN: &str = "UIN";

impl RuleCompiler<'_> {
    /// MOSIP tells a new identity from a known one by one thing: whether the packet has a UIN. A packet
    /// that lacks it when it should not makes a second identity of somebody who has one.
    pub(crate) fn operation(&mut self, operation: Operation, send: &str, entry: &RuleEntry, path: &Path) {
        if operation == Operation::VerifyIdentity {
            self.not_carried_out(entry, path);
        }
        let packets_are_broken = self
            .out
            .iter()
            .any(|problem| problem.file == "packets.yaml" && problem.severity == Severity::Error);
        let Some(plan) = self.packets.plans.get(send).filter(|_| !packets_are_broken) else { return };
        let path = path.key("send");
        match operation {
            Operation::CreateUin if plan.subject.is_some() || plan.fields.contains_key(UIN) => {
                self.out.push(
                    self.document
                        .at_value(Code::R061, &path, format!("`{send}` is about a person who has an identity"))
                        .help("MOSIP updates the identity that a packet names and makes no new one: send a packet without `subject` and UIN"),
                );
            }
            Operation::UpdateBiographics
            | Operation::FlagDeceased
            | Operation::DeactivateId
            | Operation::ReactivateId
                if !names_its_subject(plan) =>
            {
                self.out.push(
                    self.document
                        .at_value(Code::R060, &path, format!("`{send}` does not say for certain whom it is about"))
                        .help("MOSIP makes a new identity of a packet without one: name the field under `subject`, and send it, neither `optional` nor `only_if_changed`: `UIN: { from: child.nid }`"),
                );
            }
            _ => {}
        }
    }

    fn not_carried_out(&mut self, entry: &RuleEntry, path: &Path) {
        if entry.mode == Mode::Enforce {
            self.out.push(
                self.document
                    .at_value(Code::R062, &path.key("do"), "the engine does not carry verify_identity out")
                    .help("with `mode: evaluate` the rule is tried and recorded; identity.yaml says how people are verified on the form"),
            );
        }
    }

    /// Messages are for what the rule can come to, in every language.
    pub(crate) fn audit(&mut self, entry: &RuleEntry, path: &Path) {
        for (outcome, text) in &entry.audit {
            let path = path.key(outcome.as_str());
            self.languages(text, &path);
            let comes_to = match outcome {
                Outcome::Requested | Outcome::Completed | Outcome::Failed => {
                    !matches!(entry.act, Act::Reject | Act::Ignore)
                }
                Outcome::Held => entry.if_unknown == IfUnknown::Hold,
                Outcome::Rejected => entry.act == Act::Reject,
                Outcome::Ignored => entry.act == Act::Ignore,
            };
            if !comes_to {
                self.out.push(
                    self.document
                        .at_key(Code::R063, &path, format!("this rule never comes to `{}`", outcome.as_str()))
                        .help("`requested`, `completed` and `failed` go with operations, `held` with `if_unknown: hold`, `rejected` and `ignored` with `do`"),
                );
            }
        }
    }
}

/// Whether the packet always carries the id of the person that it is about.
fn names_its_subject(plan: &Plan) -> bool {
    plan.subject.as_ref().is_some_and(|subject| {
        plan.fields.values().any(|value| {
            let sent = !value.optional && !value.only_if_changed;
            sent && matches!(&value.source, Source::From(fields) if fields.contains(subject))
        })
    })
}
