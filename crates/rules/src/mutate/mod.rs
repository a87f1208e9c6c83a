//! Mutation testing: a pack's files are changed for the worse, one change at a time, and its cases must notice.
//!
//! A change is made in the text that the author wrote, compiled like any other text, and run against the cases
//! that it can concern. One that no case notices is shown as a diff: either a case is missing, or the line does
//! nothing. A change that provably changes nothing (`proof`) is not made in the first place.

mod edit;
mod packets;
mod proof;
mod rules;
mod run;
mod words;

use std::fmt;
use std::sync::Arc;

use similar::TextDiff;

use crate::catalogue::{Form, Kind};
use crate::decision::{Decision, Effect};
use crate::layout::Node;
use crate::pack::{Inner, Pack, PackFiles};

pub(crate) use edit::{Edit, apply, line_start, next_line};
pub(crate) use proof::can_be_unknown;
pub(crate) use rules::plain;
pub use run::MutationReport;
pub(crate) use run::run;
pub(crate) use words::step_of;

/// One change for the worse.
#[derive(Clone)]
pub struct Mutant {
    /// Path inside the pack.
    pub file: String,
    /// 1-based line of the change.
    pub line: usize,
    /// What was changed, in a few words.
    pub what: String,
    original: Arc<str>,
    text: String,
    /// Indices of the cases that it can concern, the likeliest first.
    cases: Vec<usize>,
}

impl Mutant {
    /// The change as a unified diff of the author's file.
    pub fn diff(&self) -> String {
        TextDiff::from_lines(&*self.original, &self.text)
            .unified_diff()
            .context_radius(2)
            .header(&format!("a/{}", self.file), &format!("b/{}", self.file))
            .to_string()
    }
}

impl fmt::Debug for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.file, self.line, self.what)
    }
}

/// Makes the changes of one file.
type Operators = fn(&mut Sheet<'_>);

/// Every change for the worse that the pack's cases should notice.
///
/// `files` are those that `pack` was loaded from.
pub fn mutants(pack: &Pack, files: &PackFiles) -> Vec<Mutant> {
    let inner = pack.inner();
    let decisions: Vec<Decision> = inner.cases.iter().map(|case| pack.decide(&case.facts())).collect();
    let mut out = Vec::new();
    for (file, operators) in [
        ("rules.yaml", rules::mutate as Operators),
        ("packets.yaml", packets::mutate),
        ("country.yaml", rules::mutate_country),
    ] {
        let Some((text, root)) = files.0.get(file).and_then(|text| Some((text, Node::parse(text)?))) else {
            continue;
        };
        let text: Arc<str> = text.as_str().into();
        let mut sheet = Sheet { pack: inner, decisions: &decisions, file, text, root, found: Vec::new() };
        operators(&mut sheet);
        out.append(&mut sheet.found);
    }
    out
}

/// One file on which changes are made.
struct Sheet<'a> {
    pack: &'a Inner,
    /// What is decided for each case without any change.
    decisions: &'a [Decision],
    file: &'static str,
    text: Arc<str>,
    root: Node,
    found: Vec<Mutant>,
}

impl Sheet<'_> {
    fn add(&mut self, what: impl Into<String>, at: usize, edits: &[Edit], cases: &[usize]) {
        let mended = edit::without_anchors(&self.text, &self.root, edits);
        let text = edit::apply(&self.text, &mended);
        let line = self.text[..at].matches('\n').count() + 1;
        let double = self.found.iter().any(|other| other.text == text);
        if !double && *text != *self.text {
            self.found.push(Mutant {
                file: self.file.to_owned(),
                line,
                what: what.into(),
                original: Arc::clone(&self.text),
                text,
                cases: cases.to_vec(),
            });
        }
    }

    /// The cases for which `wanted` says yes, those for which `first` does too in front.
    fn cases(&self, wanted: impl Fn(usize) -> bool, first: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut cases: Vec<usize> = (0..self.pack.cases.len()).filter(|index| wanted(*index)).collect();
        cases.sort_by_key(|index| !first(*index));
        cases
    }

    /// The cases in which one of `packets` is sent, in front those that look at what is in it.
    fn sending(&self, packets: &[&str]) -> Vec<usize> {
        let sent = |index: usize| match &self.decisions[index].effect {
            Effect::Operate { send, .. } => packets.contains(&send.as_str()),
            _ => false,
        };
        self.cases(sent, |index| self.pack.cases[index].expect.packet.is_some())
    }
}

/// The kind of a field, or of a part of it, as it is written in rules and packets.
fn kind_of(form: &Form, reference: &str) -> Option<Kind> {
    let mut steps = reference.split('#');
    let kind = form.fields.get(steps.next()?)?.clone();
    steps.try_fold(kind, |kind, part| kind.part(part))
}

/// Another field that could be meant by mistake: of the same kind, best the same one of another person.
fn sibling(form: &Form, reference: &str) -> Option<String> {
    let (field, parts) = reference.split_once('#').map_or((reference, None), |(f, p)| (f, Some(p)));
    let kind = form.fields.get(field)?;
    let (section, name) = field.split_once('.').unwrap_or(("", field));
    let others =
        || form.fields.iter().filter(|(other, of)| *other != field && *of == kind).map(|(other, _)| other);
    let same_name = others().find(|other| other.split_once('.').is_some_and(|(_, of)| of == name));
    let same_section = || others().find(|other| other.split_once('.').is_some_and(|(of, _)| of == section));
    let other = same_name.or_else(same_section).or_else(|| others().next())?;
    Some(match parts {
        Some(parts) => format!("{other}#{parts}"),
        None => other.clone(),
    })
}
