//! What a pack lacks, and what it does too much of, as far as its rules show by themselves.
//!
//! These are questions to the country, not errors: each has an answer that can be written down.

use std::collections::BTreeSet;

use crate::catalogue::{Catalogue, Form, Kind};
use crate::codes::Code;
use crate::country::{Country, OpencrvsVersion};
use crate::decision::{Effect, Operation};
use crate::diagnostics::Diagnostic;
use crate::files::rules::Mode;
use crate::mapping::{Packets, Plan, Source, Value};
use crate::reference::FieldRef;
use crate::ruleset::Rule;
use crate::source::{Document, at};

/// The rules, and what they refer to.
pub(crate) struct Review<'a> {
    pub(crate) document: &'a Document,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) country: &'a Country,
    pub(crate) packets: &'a Packets,
    /// Index in the file, and the rule.
    pub(crate) rules: &'a [(usize, Rule)],
}

/// What a custom action does to a registration, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reversal {
    Revoke,
    Reinstate,
}

impl Reversal {
    /// OpenCRVS's own names are `REVOKE_REGISTRATION` and `REINSTATE_REVOKE_REGISTRATION`; a
    /// country may choose others.
    fn of(rule: &Rule) -> Option<Self> {
        let name = rule.custom_action.as_deref()?.to_uppercase();
        if name.contains("REINSTATE") || name.contains("RESTORE") {
            return Some(Self::Reinstate);
        }
        ["REVOKE", "REVOC", "CANCEL", "ANNUL", "VOID"]
            .iter()
            .any(|word| name.contains(word))
            .then_some(Self::Revoke)
    }
}

impl Review<'_> {
    pub(crate) fn check(&self, out: &mut Vec<Diagnostic>) {
        self.way_back(out);
        self.personal_data(out);
        self.national_id(out);
    }

    fn operations(&self) -> impl Iterator<Item = (usize, &Rule, Operation, &str)> {
        self.rules.iter().filter_map(|(index, rule)| match &rule.effect {
            Effect::Operate { operation, send, .. } if rule.mode != Mode::Off => {
                Some((*index, rule, *operation, send.as_str()))
            }
            _ => None,
        })
    }

    /// A birth that brings an identity and a death that is flagged want a decision about their revocation; what
    /// a revocation does, one about its reinstatement.
    fn way_back(&self, out: &mut Vec<Diagnostic>) {
        // Custom actions came with OpenCRVS 2.0.
        if self.country.opencrvs == OpencrvsVersion::V1_9 {
            return;
        }
        let decided = |event: &str, reversal| {
            self.rules.iter().any(|(_, rule)| {
                rule.mode != Mode::Off && rule.event == event && Reversal::of(rule) == Some(reversal)
            })
        };
        let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (index, rule, operation, _) in self.operations() {
            let (wanted, action, what) = match (Reversal::of(rule), operation) {
                (None, Operation::CreateUin | Operation::FlagDeceased | Operation::DeactivateId) => {
                    (Reversal::Revoke, "REVOKE_REGISTRATION", "if this registration is revoked")
                }
                (Some(Reversal::Revoke), _) => (
                    Reversal::Reinstate,
                    "REINSTATE_REVOKE_REGISTRATION",
                    "if the revoked registration is reinstated",
                ),
                _ => continue,
            };
            if decided(&rule.event, wanted) || !told.insert((&rule.event, action)) {
                continue;
            }
            out.push(
                self.document
                    .at_value(
                        Code::R035,
                        &at("rules").item(index).key("do"),
                        format!("no rule says what happens {what}"),
                    )
                    .help(format!(
                        "add a rule for event {}, action CUSTOM, custom_action {action}; `do: ignore` says that MOSIP is told nothing",
                        rule.event
                    )),
            );
        }
    }

    /// What is sent, measured by what the operation is for.
    fn personal_data(&self, out: &mut Vec<Diagnostic>) {
        for (index, rule, operation, send) in self.operations() {
            let (Some(plan), Some(form)) = (self.packets.plans.get(send), self.catalogue.form(&rule.event))
            else {
                continue;
            };
            let needs = match operation {
                Operation::FlagDeceased => "the id of the deceased, the date, and the token of the informant",
                Operation::DeactivateId | Operation::ReactivateId => "the id and why",
                Operation::UpdateBiographics => {
                    "the id and what the correction changes: add `only_if_changed: true`"
                }
                // A new identity is made of these data, and they are what is compared in a verification.
                Operation::CreateUin | Operation::VerifyIdentity => continue,
            };
            let is_update = operation == Operation::UpdateBiographics;
            let too_much: Vec<&str> = plan
                .fields
                .iter()
                .filter(|(name, value)| {
                    let is_needed = plan.mandatory.contains(name) || is_update && value.only_if_changed;
                    !is_needed && tells_about_somebody(value, plan, form)
                })
                .map(|(name, _)| name.as_str())
                .collect();
            if too_much.is_empty() {
                continue;
            }
            let path = at("rules").item(index).key("send");
            out.push(
                self.document
                    .at_value(
                        Code::R036,
                        &path,
                        format!("`{send}` sends {}, which {operation} does not need", too_much.join(", ")),
                    )
                    .help(format!(
                        "it needs {needs}; list a field under `mandatory` if this MOSIP insists on it"
                    )),
            );
        }
    }

    /// An identifier that is created needs a field in which OpenCRVS keeps it.
    fn national_id(&self, out: &mut Vec<Diagnostic>) {
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for (index, rule, operation, _) in self.operations() {
            let lost = operation == Operation::CreateUin && self.country.nid_field(&rule.event).is_none();
            if lost && told.insert(&rule.event) {
                out.push(
                    self.document
                        .at_value(
                            Code::R040,
                            &at("rules").item(index).key("do"),
                            format!("country.yaml has no field for the national id of {}", rule.event),
                        )
                        .help(format!(
                            "the id that MOSIP issues would be lost: add `{}: <field>` under national_id, fields",
                            rule.event
                        )),
                );
            }
        }
    }
}

/// Whether the value says who somebody is, beyond the id that the packet is about.
fn tells_about_somebody(value: &Value, plan: &Plan, form: &Form) -> bool {
    let mut fields = Vec::new();
    read(&value.source, &mut fields);
    fields.iter().any(|field| {
        let is_subject = plan.subject.as_ref().is_some_and(|subject| subject == *field);
        let kind = form.fields.get(&field.field);
        // What another system answered: a token, not what somebody filled in.
        let is_token =
            matches!(kind, Some(Kind::Composite(parts)) if parts.iter().any(|(part, _)| *part == "data"));
        let is_file = matches!(kind, Some(Kind::List))
            || matches!(kind, Some(Kind::Composite(parts)) if parts.iter().any(|(part, _)| *part == "path"));
        !is_subject && !is_token && (is_file || is_person(field.section(), form))
    })
}

/// Whether the section of the form is about a person: it asks for a name or a date of birth.
fn is_person(section: &str, form: &Form) -> bool {
    ["name", "dob"].iter().any(|field| form.fields.contains_key(&format!("{section}.{field}")))
}

fn read<'v>(source: &'v Source, out: &mut Vec<&'v FieldRef>) {
    match source {
        Source::From(fields)
        | Source::Date { fields, .. }
        | Source::Code { fields, .. }
        | Source::Location { fields, .. } => out.extend(fields),
        Source::List(values) => values.iter().for_each(|value| read(&value.source, out)),
        Source::Text { with, .. } => out.extend(with.iter().map(|(_, field, _)| field)),
        Source::Choose { cases, otherwise, .. } => {
            out.extend(cases.values().flatten());
            out.extend(otherwise);
        }
        Source::Languages(values) => values.values().for_each(|value| read(&value.source, out)),
        Source::Given(_) | Source::ActionDate(_) | Source::Constant(_) => {}
    }
}
