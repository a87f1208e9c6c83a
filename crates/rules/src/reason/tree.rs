//! Where each term of a condition stands in the file.

use serde_json::Value;

use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::source::{Document, Path};
use crate::term::Term;

/// A term and its place. What a named condition is made of is looked at once, where it is written.
pub(super) struct Node<'t> {
    pub(super) term: &'t Term,
    path: Path,
    is_key: bool,
    pub(super) children: Vec<Node<'t>>,
}

impl<'t> Node<'t> {
    /// The term and the text that it was compiled from, which have the same shape.
    pub(super) fn of(term: &'t Term, value: &Value, path: Path) -> Self {
        let leaf = |path: Path, is_key| Node { term, path, is_key, children: Vec::new() };
        let Some((key, inner)) = value.as_object().and_then(|map| map.iter().next()) else {
            return leaf(path, false);
        };
        let here = path.key(key);
        let children = match (term, key.as_str(), inner) {
            (Term::All(terms), "all", Value::Array(items))
            | (Term::Any(terms), "any", Value::Array(items)) => {
                let pairs = terms.iter().zip(items).enumerate();
                pairs.map(|(index, (term, item))| Node::of(term, item, here.item(index))).collect()
            }
            (Term::Not(term), "not", inner) => vec![Node::of(term, inner, here.clone())],
            // Several predicates of one field.
            (Term::All(terms), _, Value::Object(predicates)) => terms
                .iter()
                .zip(predicates.keys())
                .map(|(term, name)| Node { term, path: here.key(name), is_key: true, children: Vec::new() })
                .collect(),
            _ => Vec::new(),
        };
        Node { term, path: here, is_key: true, children }
    }

    /// A problem with this term.
    pub(super) fn problem(&self, document: &Document, code: Code, message: impl Into<String>) -> Diagnostic {
        if self.is_key {
            document.at_key(code, &self.path, message)
        } else {
            document.at_value(code, &self.path, message)
        }
    }

    /// The line that the term stands on.
    pub(super) fn line(&self, document: &Document) -> usize {
        self.problem(document, Code::R031, "").line
    }
}
