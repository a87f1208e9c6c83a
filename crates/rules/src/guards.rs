//! Guards: what MOSIP's documentation keeps for people, and a pack must lift in so many words.
//!
//! A rule that a guard stands against is refused when the pack is checked. The same is asked again of each decision,
//! since a rule set of before may decide, and a date of birth may not be the one that the rule looks at.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::age::{Age, read_date};
use crate::codes::Code;
use crate::decision::{Decision, Effect, Facts, Operation};
pub use crate::files::rules::Guard;
use crate::files::rules::{Mode, RuleEntry};
use crate::mapping::{Plan, Source};
use crate::pack::Pack;
use crate::reference::FieldRef;
use crate::ruleset::{Rule, RuleCompiler};
use crate::source::Path;
use crate::term::{Term, Test};

/// Event type of deaths, as OpenCRVS names it.
const DEATH: &str = "death";

/// Field of the ID schema that holds the date of birth.
const BORN: &str = "dateOfBirth";

impl Guard {
    /// The word of the rules file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeactivationOnDeath => "deactivation_on_death",
            Self::ReversalOfDeath => "reversal_of_death",
            Self::AutomaticDeactivation => "automatic_deactivation",
            Self::AutomaticReactivation => "automatic_reactivation",
            Self::UpdateAfterEnrolment => "update_after_enrolment",
            Self::RegistrationAfterEnrolment => "registration_after_enrolment",
        }
    }

    /// What MOSIP's documentation says.
    pub fn why(self) -> &'static str {
        match self {
            Self::DeactivationOnDeath => "MOSIP flags a death and deactivates nothing by itself",
            Self::ReversalOfDeath => {
                "MOSIP takes a death back on a request that people check, never automatically"
            }
            Self::AutomaticDeactivation => "MOSIP switches an identity off on a request that people check",
            Self::AutomaticReactivation => "MOSIP switches an identity on on a request that people check",
            Self::UpdateAfterEnrolment => {
                "MOSIP updates no identity that may have biometrics: its holder goes to a centre"
            }
            Self::RegistrationAfterEnrolment => {
                "MOSIP makes no identity without biometrics above that age: the person enrols at a centre"
            }
        }
    }

    /// The guard that an operation on this event runs into; for a matter of age, if there is no bound.
    fn of(operation: Operation, event: &str) -> Option<Self> {
        match operation {
            Operation::DeactivateId if event == DEATH => Some(Self::DeactivationOnDeath),
            Operation::ReactivateId if event == DEATH => Some(Self::ReversalOfDeath),
            Operation::DeactivateId => Some(Self::AutomaticDeactivation),
            Operation::ReactivateId => Some(Self::AutomaticReactivation),
            Operation::UpdateBiographics => Some(Self::UpdateAfterEnrolment),
            Operation::CreateUin => Some(Self::RegistrationAfterEnrolment),
            Operation::FlagDeceased | Operation::VerifyIdentity => None,
        }
    }

    fn is_of_age(self) -> bool {
        matches!(self, Self::UpdateAfterEnrolment | Self::RegistrationAfterEnrolment)
    }
}

impl RuleCompiler<'_> {
    /// What stands against a rule, and what it lifts without need.
    pub(crate) fn guards(&mut self, entry: &RuleEntry, rule: &Rule, path: &Path) {
        let Effect::Operate { operation, send, .. } = &rule.effect else {
            self.idle(entry, None, path);
            return;
        };
        // Of a packet that is not there, that was said.
        let Some(plan) = self.packets.plans.get(send) else { return };
        let limit = self.country.biometric_enrolment_age;
        let bound = rule
            .term
            .as_ref()
            .is_some_and(|term| bounded(term, limit, &born_fields(plan), person(plan).as_deref()));
        let guard = Guard::of(*operation, &rule.event).filter(|guard| !(guard.is_of_age() && bound));
        self.idle(entry, guard, path);
        let Some(guard) = guard else { return };
        if entry.mode != Mode::Enforce || entry.despite.contains(&guard) {
            return;
        }
        let lift = format!("to do it all the same, say so: `despite: [{}]`", guard.as_str());
        let problem = if guard.is_of_age() {
            let age = self.country.biometric_enrolment_age;
            self.document
                .at_value(Code::R066, &path.key("do"), format!("{operation} of somebody of {age} or more"))
                .help(format!(
                    "{}; ask for it in `if`, `child.dob: {{ age_below: {age} }}`, or set biometric_enrolment_age in \
                     country.yaml to MOSIP's age; {lift}",
                    guard.why()
                ))
        } else {
            self.document
                .at_value(
                    Code::R065,
                    &path.key("do"),
                    format!("{operation} on {} without anybody's decision", rule.event),
                )
                .help(format!("{}; {lift}", guard.why()))
        };
        self.out.push(problem);
    }

    fn idle(&mut self, entry: &RuleEntry, in_the_way: Option<Guard>, path: &Path) {
        for (index, guard) in
            entry.despite.iter().enumerate().filter(|(_, guard)| in_the_way != Some(**guard))
        {
            self.out.push(
                self.document
                    .at_value(
                        Code::R067,
                        &path.key("despite").item(index),
                        format!("`{}` does not stand in this rule's way", guard.as_str()),
                    )
                    .help("take it out: whoever reads the pack trusts that what is lifted is needed"),
            );
        }
    }
}

impl Pack {
    /// The guard that stands against a decision on these facts, unless its rule lifts it.
    pub fn forbids(&self, facts: &Facts<'_>, decision: &Decision) -> Option<Guard> {
        let Effect::Operate { operation, send, .. } = &decision.effect else { return None };
        let guard = Guard::of(*operation, facts.event)?;
        let rules = &self.inner.rules.rules;
        let rule = rules.iter().find(|rule| decision.rule.as_deref() == Some(rule.id.as_str()))?;
        let lifted = rule.despite.contains(&guard);
        let applies = !guard.is_of_age() || self.is_of_enrolment_age(facts, send, rule);
        (applies && !lifted).then_some(guard)
    }

    /// Whether the person has reached the age at which biometrics may be enrolled. A date of birth that is missing or
    /// not one does not say so.
    fn is_of_enrolment_age(&self, facts: &Facts<'_>, send: &str, rule: &Rule) -> bool {
        let Some(plan) = self.inner.packets.plans.get(send) else { return false };
        let mut fields = born_fields(plan);
        if fields.is_empty()
            && let Some(term) = &rule.term
        {
            asked_of_age(term, person(plan).as_deref(), &mut fields);
        }
        let country = self.country();
        let today = country.time_zone.to_datetime(facts.at).date();
        let born = fields.iter().find_map(|field| field.get(facts.after)?.as_str().and_then(read_date));
        let below = |born| country.biometric_enrolment_age.is_below(born, today, country.leap_birthday);
        born.and_then(below) == Some(false)
    }
}

/// The fields that a packet takes the date of birth from.
fn born_fields(plan: &Plan) -> Vec<FieldRef> {
    match plan.fields.get(BORN).map(|value| &value.source) {
        Some(Source::Date { fields, .. }) => fields.clone(),
        _ => Vec::new(),
    }
}

/// The person that a packet is about: the part of its subject before the first dot.
fn person(plan: &Plan) -> Option<String> {
    let subject = &plan.subject.as_ref()?.field;
    Some(subject.split('.').next().unwrap_or(subject).to_owned())
}

/// Whether a condition holds only of people below an age.
fn bounded(term: &Term, limit: Age, born: &[FieldRef], person: Option<&str>) -> bool {
    let about = |field: &FieldRef| is_about(field, born, person);
    match term {
        Term::All(terms) => terms.iter().any(|term| bounded(term, limit, born, person)),
        Term::Any(terms) => !terms.is_empty() && terms.iter().all(|term| bounded(term, limit, born, person)),
        Term::Named { term, .. } => bounded(term, limit, born, person),
        Term::Not(term) => matches!(&**term, Term::Test { field, test: Test::AgeAtLeast(age) }
            if about(field) && is_within(*age, limit)),
        Term::Test { field, test: Test::AgeBelow(age) } => about(field) && is_within(*age, limit),
        Term::Test { .. } | Term::Changed { .. } => false,
    }
}

/// The fields whose age a condition asks about.
fn asked_of_age(term: &Term, person: Option<&str>, found: &mut Vec<FieldRef>) {
    match term {
        Term::All(terms) | Term::Any(terms) => {
            for term in terms {
                asked_of_age(term, person, found);
            }
        }
        Term::Not(term) | Term::Named { term, .. } => asked_of_age(term, person, found),
        Term::Test { field, test: Test::AgeBelow(_) | Test::AgeAtLeast(_) }
            if is_about(field, &[], person) =>
        {
            found.push(field.clone());
        }
        Term::Test { .. } | Term::Changed { .. } => {}
    }
}

/// Whether a field says when the person of the packet was born.
fn is_about(field: &FieldRef, born: &[FieldRef], person: Option<&str>) -> bool {
    let ids: BTreeSet<&str> = born.iter().map(|born| born.field.as_str()).collect();
    if ids.is_empty() {
        return person.is_none_or(|person| field.field.split('.').next() == Some(person));
    }
    ids.contains(field.field.as_str())
}

/// Whether an age is reached no later than another.
fn is_within(age: Age, limit: Age) -> bool {
    // Years of both lengths are behind the first and before the second: a limit in months is compared the same way.
    let born = Date::constant(2001, 3, 1);
    let at = |age: Age| age.reached_on(born, crate::files::country::LeapBirthday::February28);
    at(age).is_some_and(|reached| at(limit).is_none_or(|limit| reached <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(text: &str) -> Age {
        Age::parse(text).unwrap()
    }

    fn field(id: &str) -> FieldRef {
        FieldRef { field: id.to_owned(), parts: Vec::new(), slot: None }
    }

    fn below(id: &str, text: &str) -> Term {
        Term::Test { field: field(id), test: Test::AgeBelow(age(text)) }
    }

    #[test]
    fn a_bound_counts_where_every_way_leads_through_it() {
        let born = [field("child.dob")];
        let bounded = |term: &Term| bounded(term, age("6 years"), &born, Some("child"));
        assert!(bounded(&below("child.dob", "6 years")));
        assert!(bounded(&below("child.dob", "60 months")));
        assert!(!bounded(&below("child.dob", "73 months")));
        assert!(!bounded(&below("child.dob", "10 years")));
        assert!(!bounded(&below("mother.dob", "5 years")), "somebody else's age");
        let other = Term::Test { field: field("child.nid"), test: Test::Present };
        assert!(bounded(&Term::All(vec![other.clone(), below("child.dob", "5 years")])));
        assert!(!bounded(&Term::Any(vec![other.clone(), below("child.dob", "5 years")])));
        assert!(!bounded(&Term::Any(Vec::new())));
        assert!(!bounded(&Term::Not(Box::new(below("child.dob", "5 years")))));
        let old = Term::Test { field: field("child.dob"), test: Test::AgeAtLeast(age("5 years")) };
        assert!(bounded(&Term::Not(Box::new(old.clone()))) && !bounded(&old));
    }

    #[test]
    fn without_a_date_of_birth_in_the_packet_the_persons_own_fields_count() {
        let bounded = |term: &Term| bounded(term, age("6 years"), &[], Some("child"));
        assert!(bounded(&below("child.birth", "5 years")) && !bounded(&below("mother.birth", "5 years")));
    }
}
