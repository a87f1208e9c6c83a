//! Terms that can never be true, and terms that make no difference.

use std::collections::BTreeSet;

use super::space::{Cube, Face, Space};
use super::tree::Node;
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::source::Document;
use crate::term::{Literal, Term, Test};

/// What is said about the condition of one rule, or about a named condition.
pub(super) struct TermCheck<'a> {
    pub(super) space: &'a Space<'a>,
    pub(super) document: &'a Document,
    pub(super) root: &'a Node<'a>,
    /// Whether it matters where the condition is false and where unknown, too.
    pub(super) three_valued: bool,
    pub(super) out: &'a mut Vec<Diagnostic>,
}

impl<'a> TermCheck<'a> {
    /// Reports; says whether the condition can be true at all.
    pub(super) fn run(mut self) -> bool {
        let root = self.root;
        if self.is_empty(root.term, Face::True) {
            self.contradiction(root);
            return false;
        }
        if self.is_empty(root.term, Face::NotTrue) {
            self.out.push(
                root.problem(self.document, Code::R032, "this is always true")
                    .help("whatever a record holds; a rule without `if` says the same"),
            );
            return true;
        }
        let mut without = Vec::new();
        self.lists(root, &mut without);
        true
    }

    fn is_empty(&self, term: &Term, face: Face) -> bool {
        self.space.cubes(term, face, &[]).is_ok_and(|cubes| cubes.is_empty())
    }

    /// Points at the term because of which nothing is left.
    fn contradiction(&mut self, node: &Node<'_>) {
        if let (Term::All(_), false) = (node.term, node.children.is_empty()) {
            let mut cubes: Vec<Cube> = vec![Cube::new()];
            for (index, child) in node.children.iter().enumerate() {
                let Ok(own) = self.space.cubes(child.term, Face::True, &[]) else { break };
                if own.is_empty() {
                    return self.contradiction(child);
                }
                let Ok(left) = self.space.both(&cubes, &own) else { break };
                if left.is_empty() {
                    let against = node.children[..index].iter().find(|earlier| {
                        let theirs = self.space.cubes(earlier.term, Face::True, &[]);
                        theirs
                            .and_then(|theirs| self.space.both(&theirs, &own))
                            .is_ok_and(|both| both.is_empty())
                    });
                    let help = match against {
                        Some(earlier) => {
                            let line = earlier.line(self.document);
                            format!("line {line} rules it out, and both would have to hold")
                        }
                        None => "the terms before it leave no such record".to_owned(),
                    };
                    self.out.push(
                        child
                            .problem(
                                self.document,
                                Code::R031,
                                "together with what stands before it, this can never be true",
                            )
                            .help(help),
                    );
                    return;
                }
                cubes = left;
            }
        }
        let message = "this can never be true";
        self.out.push(node.problem(self.document, Code::R031, message).help(why(node.term)));
    }

    /// Looks at the items of every list, the last first, so that of two that say the same the
    /// first one stays.
    fn lists(&mut self, node: &'a Node<'a>, without: &mut Vec<*const Term>) {
        if node.children.len() > 1 && matches!(node.term, Term::All(_) | Term::Any(_)) {
            let is_whole = std::ptr::eq(node, self.root) && matches!(node.term, Term::All(_));
            let shared = is_whole.then(|| shared(&node.children));
            for child in node.children.iter().rev() {
                without.push(std::ptr::from_ref(child.term));
                let alone = shared.as_ref().is_some_and(|shared| self.stands_alone(child, shared));
                if alone || self.changes_something(without) {
                    without.pop();
                    self.lists(child, without);
                } else if self.is_empty(child.term, Face::True) {
                    self.contradiction(child);
                } else {
                    self.no_effect(child, matches!(node.term, Term::Any(_)));
                }
            }
            return;
        }
        for child in &node.children {
            self.lists(child, without);
        }
    }

    /// Whether the term, one of those that all have to hold, asks about fields that no other one asks about, and may be
    /// untrue. Then it changes something, which shows without any cube: for most terms of most rules.
    pub(super) fn stands_alone(&self, child: &Node<'_>, shared: &BTreeSet<&str>) -> bool {
        fields_of(child.term).is_disjoint(shared) && !self.is_empty(child.term, Face::NotTrue)
    }

    pub(super) fn changes_something(&self, without: &[*const Term]) -> bool {
        let (last, before) = match without.split_last() {
            Some((_, before)) => (without, before),
            None => return true,
        };
        let differs = |face: Face, opposite: Face| {
            let cubes = |face, without| self.space.cubes(self.root.term, face, without);
            let either = |a, b| -> Result<bool, super::space::TooMany> {
                Ok(self.space.both(&cubes(face, a)?, &cubes(opposite, b)?)?.is_empty())
            };
            !(either(before, last).unwrap_or(false) && either(last, before).unwrap_or(false))
        };
        differs(Face::True, Face::NotTrue) || self.three_valued && differs(Face::False, Face::NotFalse)
    }

    fn no_effect(&mut self, node: &Node<'_>, is_any: bool) {
        let always = self.is_empty(node.term, Face::NotTrue);
        let presence = matches!(node.term, Term::Test { test: Test::Present, .. });
        let help = match (always, is_any, presence) {
            (true, ..) => "it is always true; take it out",
            (_, true, _) => "the other terms are true wherever it is; take it out",
            (_, _, true) => {
                "another term is only true of a field that is there: a missing one leaves it unknown; take it out"
            }
            _ => "wherever the other terms are true, so is it; take it out, or say what was meant",
        };
        self.out.push(node.problem(self.document, Code::R032, "this makes no difference").help(help));
    }
}

/// The fields that a term asks about.
fn fields_of(term: &Term) -> BTreeSet<&str> {
    match term {
        Term::All(terms) | Term::Any(terms) => terms.iter().flat_map(fields_of).collect(),
        Term::Not(term) | Term::Named { term, .. } => fields_of(term),
        Term::Changed { fields, .. } => fields.iter().map(|field| field.field.as_str()).collect(),
        Term::Test { field, .. } => BTreeSet::from([field.field.as_str()]),
    }
}

/// The fields that several of the terms ask about.
pub(super) fn shared<'t>(nodes: &[Node<'t>]) -> BTreeSet<&'t str> {
    let (mut once, mut again) = (BTreeSet::new(), BTreeSet::new());
    for field in nodes.iter().flat_map(|node| fields_of(node.term)) {
        if !once.insert(field) {
            again.insert(field);
        }
    }
    again
}

/// Why a term is never true, as far as it shows by itself.
fn why(term: &Term) -> String {
    match term {
        Term::Test { test: Test::AgeBelow(age), .. } if age.count == 0 => {
            "nobody is younger than a newborn".to_owned()
        }
        Term::Test { test: Test::Equals(Literal::Text(text)), .. } if text.is_empty() => {
            "an empty text is an absent one: write `absent`".to_owned()
        }
        Term::Test { test: Test::Before(_), .. } => "no date that can be written is earlier".to_owned(),
        Term::Test { test: Test::After(_), .. } => "no date that can be written is later".to_owned(),
        Term::Not(_) => "what it denies is never false".to_owned(),
        Term::Named { name, .. } => format!("`{name}` is never true"),
        Term::Any(_) => "none of its terms can".to_owned(),
        _ => "no record fits".to_owned(),
    }
}
