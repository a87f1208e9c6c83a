//! Running the pack's own cases, and what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::age::read_duration;
use crate::because;
use crate::cases::Case;
use crate::decision::{Decision, Effect, Facts};
use crate::explain::Verdict;
use crate::files::cases::{Because, ExpectedPacket};
use crate::files::packets::OneOrMany;
use crate::pack::{Inner, Pack};
use crate::packet::{Packet, PacketContext, PacketError};
use crate::reference::is_absent;
use crate::truth::Truth;
use crate::writes::Writing;

/// What came of a pack's cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// How many were run.
    pub total: usize,
    /// Every case that was run, in the order of the files.
    pub cases: Vec<CaseName>,
    /// Cases that were not run, because they start from a document that nobody read.
    pub unread: usize,
    /// Those in which something else came out.
    pub failures: Vec<CaseFailure>,
}

/// A case that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseName {
    /// Path inside the pack.
    pub file: String,
    /// Name of the case.
    pub name: String,
}

/// A case in which something else came out than was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseFailure {
    /// Path inside the pack.
    pub file: String,
    /// 1-based line of the case.
    pub line: usize,
    /// Name of the case.
    pub name: String,
    /// Why the decision came out as it did.
    pub sentence: String,
    /// Everything that differs.
    pub differences: Vec<Difference>,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What: `rule`, `do`, `packet.fields.fullName` ….
    pub what: String,
    /// What the case says.
    pub expected: String,
    /// What came out.
    pub found: String,
}

impl CaseReport {
    /// Whether every case came out as expected.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// How many came out as expected.
    pub fn passed(&self) -> usize {
        self.total - self.failures.len()
    }
}

impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "failed: {}", failure.name)?;
            writeln!(f, "  --> {}:{}", failure.file, failure.line)?;
            let width = failure.differences.iter().map(|d| d.what.len()).max().unwrap_or_default();
            for difference in &failure.differences {
                writeln!(f, "  {:width$}  expected  {}", difference.what, difference.expected)?;
                writeln!(f, "  {:width$}  found     {}", "", difference.found)?;
            }
            writeln!(f, "  because: {}\n", failure.sentence)?;
        }
        write!(f, "{} of {} cases passed", self.passed(), self.total)?;
        if self.unread > 0 {
            write!(f, ", {} not run: nobody read the documents that they start from", self.unread)?;
        }
        Ok(())
    }
}

/// Runs those of the pack's cases that are wanted.
pub(crate) fn run(pack: &Pack, wanted: impl Fn(&Case) -> bool) -> CaseReport {
    let cases: Vec<&Case> = pack.inner().cases.iter().filter(|case| wanted(case)).collect();
    CaseReport {
        total: cases.len(),
        failures: cases.iter().filter_map(|case| case.run(pack)).collect(),
        unread: pack.inner().unread,
        cases: cases
            .into_iter()
            .map(|case| CaseName { file: case.file.clone(), name: case.name.clone() })
            .collect(),
    }
}

impl Case {
    /// Whether what is expected comes out; stops at the first thing that differs.
    pub(crate) fn holds(&self, pack: &Pack) -> bool {
        self.differences(pack, true).is_empty()
    }

    pub(crate) fn run(&self, pack: &Pack) -> Option<CaseFailure> {
        let differences = self.differences(pack, false);
        if differences.is_empty() {
            return None;
        }
        let first = pack.country().languages.first().map_or("en", |language| language.code.as_str());
        Some(CaseFailure {
            file: self.file.clone(),
            line: self.place.line(),
            name: self.name.clone(),
            sentence: pack.explain(&self.facts()).sentence(first),
            differences,
        })
    }

    fn differences(&self, pack: &Pack, first_only: bool) -> Vec<Difference> {
        let facts = self.facts();
        let decision = pack.decide(&facts);
        let mut differences = Differences::default();
        self.decision(&decision, &mut differences);
        let enough = |differences: &Differences| first_only && !differences.0.is_empty();
        if enough(&differences) {
            return differences.0;
        }
        // Every operation of a case must be possible, whether or not the case looks at its packet.
        if let Effect::Operate { send, .. } = &decision.effect {
            self.packet(pack.build_packet(send, &self.context(&facts)), &mut differences);
        }
        if let (Some(expected), Some(rule)) = (&self.expect.write, &decision.rule) {
            let context = self.context(&facts);
            compare_writing(expected, &pack.write(rule, &context), &mut differences);
        }
        if enough(&differences) {
            return differences.0;
        }
        if !self.expect.sentence.is_empty() || !self.expect.audit.is_empty() {
            let explanation = pack.explain(&facts);
            for (language, message) in &self.expect.audit {
                let found = explanation.audit_message(language).unwrap_or("none");
                differences.compare(&format!("audit.{language}"), message, found);
            }
            for (language, sentence) in &self.expect.sentence {
                differences.compare(
                    &format!("sentence.{language}"),
                    sentence,
                    &explanation.sentence(language),
                );
            }
        }
        for (rule, because) in &self.expect.because {
            self.because(pack.inner(), rule, because, &mut differences);
        }
        differences.0
    }

    fn context<'a>(&'a self, facts: &'a Facts<'a>) -> PacketContext<'a> {
        PacketContext {
            facts,
            event_id: &self.event_id,
            tracking_id: &self.tracking_id,
            registration_number: self.registration_number.as_deref(),
        }
    }

    fn packet(&self, built: Result<Packet, PacketError>, out: &mut Differences) {
        match (built, &self.expect.packet, &self.expect.unfit) {
            (Ok(_), _, Some(unfit)) => {
                out.push("packet", &format!("cannot be built: {}", unfit.join(", ")), "can be built");
            }
            (Ok(packet), Some(expected), None) => compare_packet(expected, &packet, out),
            (Ok(_), None, None) => {}
            (Err(PacketError::Unfit { problems, .. }), _, Some(unfit)) => {
                let expected: BTreeSet<&str> = unfit.iter().map(String::as_str).collect();
                let found: BTreeSet<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
                let listed = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
                out.compare("unfit", &listed(expected), &listed(found));
            }
            (Err(error), _, _) => out.push("packet", "can be built", &error.to_string()),
        }
    }

    /// Why a rule does not match.
    fn because(&self, inner: &Inner, id: &str, because: &Because, out: &mut Differences) {
        let facts = self.facts();
        let (word, list) = match (&because.failed, &because.unknown) {
            (Some(list), _) => ("failed", list),
            (None, Some(list)) => ("unknown", list),
            (None, None) => return,
        };
        let names: BTreeSet<&str> = match list {
            OneOrMany::One(name) => BTreeSet::from([name.as_str()]),
            OneOrMany::Many(names) => names.iter().map(String::as_str).collect(),
        };
        let expected = format!("{word}: {}", names.iter().copied().collect::<Vec<_>>().join(", "));
        let rule = inner.rules.rules.iter().find(|rule| rule.id == id && rule.is_for(&facts));
        let found = match rule.map(|rule| rule.term.as_ref()) {
            None => format!("the rule is not for {} {}", self.event, self.action),
            Some(None) => "the rule always matches".to_owned(),
            Some(Some(term)) => {
                let verdict = Verdict::of(term, &inner.scene(&facts));
                let found = match verdict.outcome {
                    Truth::True => "matches",
                    Truth::False => "failed",
                    Truth::Unknown => "unknown",
                };
                let reasons = because::reasons(term, &verdict);
                if found == word && because::told(&reasons, &names) {
                    return;
                }
                format!("{found}: {}", because::listed(&reasons))
            }
        };
        out.push(&format!("because.{id}"), &expected, &found);
    }

    fn decision(&self, decision: &Decision, out: &mut Differences) {
        let expect = &self.expect;
        out.compare(
            "rule",
            expect.rule.as_deref().unwrap_or("none"),
            decision.rule.as_deref().unwrap_or("none"),
        );
        out.compare("do", expect.act.as_str(), decision.effect.as_str());
        if let Some(expected) = &expect.would_have {
            let listed =
                |rules: &[String]| if rules.is_empty() { "none".to_owned() } else { rules.join(", ") };
            out.compare("would_have", &listed(expected), &listed(&decision.would_have));
        }
        match &decision.effect {
            Effect::Operate { respond, deadline, .. } => {
                if let Some(expected) = expect.respond {
                    out.compare("respond", expected.as_str(), respond.as_str());
                }
                if let Some(expected) = &expect.deadline
                    && read_duration(expected) != *deadline
                {
                    let found = deadline.map_or_else(|| "none".to_owned(), length);
                    out.push("deadline", expected, &found);
                }
            }
            Effect::Hold { missing } => {
                if let Some(expected) = &expect.missing {
                    out.compare("missing", &expected.join(", "), &missing.join(", "));
                }
            }
            Effect::None | Effect::Reject { .. } | Effect::Ignore => {}
        }
    }
}

/// A length of time as a rule has it.
fn length(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    let (count, unit) = match minutes {
        _ if minutes % (24 * 60) == 0 => (minutes / (24 * 60), "day"),
        _ if minutes % 60 == 0 => (minutes / 60, "hour"),
        _ => (minutes, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn compare(&mut self, what: &str, expected: &str, found: &str) {
        if expected != found {
            self.push(what, expected, found);
        }
    }

    fn push(&mut self, what: &str, expected: &str, found: &str) {
        self.0.push(Difference {
            what: what.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        });
    }
}

fn compare_packet(expected: &ExpectedPacket, packet: &Packet, out: &mut Differences) {
    out.compare("packet.process", &expected.process, &packet.process);
    out.compare(
        "packet.subject",
        expected.subject.as_deref().unwrap_or("none"),
        packet.subject.as_deref().unwrap_or("none"),
    );
    let names: BTreeSet<&String> = expected.fields.keys().chain(packet.fields.keys()).collect();
    for name in names {
        let what = format!("packet.fields.{name}");
        match (expected.fields.get(name).filter(|value| !is_absent(value)), packet.fields.get(name)) {
            (Some(value), Some(text)) if same_text(value, text) => {}
            (None, None) => {}
            (value, text) => {
                let value = value.map_or_else(|| "not sent".to_owned(), written);
                out.push(&what, &value, text.map_or("not sent", String::as_str));
            }
        }
    }
    let meta = expected.meta_info.iter().map(|(label, text)| (label, text, packet.meta_info.get(label)));
    for (label, text, found) in meta {
        out.compare(&format!("packet.meta_info.{label}"), text, found.map_or("not sent", String::as_str));
    }
    let told: BTreeMap<&str, &Option<String>> = BTreeMap::from([
        ("name", &packet.notification.name),
        ("phone", &packet.notification.phone),
        ("email", &packet.notification.email),
    ]);
    for (part, text) in &expected.notification {
        let found = told.get(part.as_str()).and_then(|found| found.as_deref());
        out.compare(&format!("packet.notification.{part}"), text, found.unwrap_or("not sent"));
    }
}

fn compare_writing(expected: &Map<String, Value>, writing: &Writing, out: &mut Differences) {
    let names: BTreeSet<&String> = expected.keys().chain(writing.declaration.keys()).collect();
    for name in names {
        let (wanted, found) = (expected.get(name), writing.declaration.get(name));
        if wanted != found {
            let why = || writing.left_out.iter().find(|problem| problem.field == *name);
            let missing =
                || why().map_or("not written".to_owned(), |why| format!("left out: {}", why.reason));
            out.push(
                &format!("write.{name}"),
                &wanted.map_or_else(|| "not written".to_owned(), written),
                &found.map_or_else(missing, written),
            );
        }
    }
}

/// A plain value is compared with the text, a list or map with the JSON in it.
fn same_text(value: &Value, text: &str) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) => {
            serde_json::from_str::<Value>(text).is_ok_and(|json| json == *value)
        }
        plain => written(plain) == text,
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
