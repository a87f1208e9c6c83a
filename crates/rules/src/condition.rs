//! From a condition as written to a term: names resolved, types checked, every problem reported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::age::{Age, read_date};
use crate::catalogue::{Form, Kind};
use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::files::rules::Condition;
use crate::limits::{Spent, TERMS, enough};
use crate::meant;
use crate::reference::{FieldRef, Spot};
use crate::source::{Document, Path, at};
use crate::suggest::{listed, nearest};
use crate::term::{Bound, Literal, Term, Test};

pub(crate) const PREDICATES: [&str; 10] = [
    "equals",
    "in",
    "contains",
    "matches",
    "before",
    "after",
    "age_below",
    "age_at_least",
    "less_than",
    "at_least",
];

/// Compiles conditions for the form of one event.
pub(crate) struct Compiler<'a> {
    pub(crate) document: &'a Document,
    pub(crate) event: &'a str,
    pub(crate) form: &'a Form,
    pub(crate) conditions: &'a BTreeMap<String, Condition>,
    pub(crate) groups: &'a BTreeMap<String, Vec<String>>,
    /// Names of conditions and groups that some rule uses.
    pub(crate) used: &'a mut BTreeSet<String>,
    /// What the rules of the pack have used up so far.
    pub(crate) spent: &'a mut Spent,
    pub(crate) out: &'a mut Vec<Diagnostic>,
    /// The named conditions that are being compiled, outermost first.
    pub(crate) open: Vec<String>,
}

impl Compiler<'_> {
    /// `None` where something was reported.
    pub(crate) fn condition(&mut self, value: &Value, path: &Path) -> Option<Term> {
        if !self.spent.term() {
            if self.spent.just_ran_out() {
                self.out.push(
                    self.document
                        .at_value(Code::P034, path, format!("the rules have more than {TERMS} terms"))
                        .help("a named condition counts wherever it is used, with all that it names in turn"),
                );
            }
            return None;
        }
        if enough(self.out) {
            return None;
        }
        match value {
            Value::String(name) => self.named(name, path),
            Value::Object(map) if map.len() == 1 => {
                let (key, inner) = map.iter().next()?;
                let path = path.key(key);
                match key.as_str() {
                    "all" => self.list(inner, &path).map(Term::All),
                    "any" => self.list(inner, &path).map(Term::Any),
                    "not" => self.condition(inner, &path).map(|term| Term::Not(Box::new(term))),
                    "changed" => self.changed(inner, &path),
                    field => self.tests(field, inner, &path),
                }
            }
            Value::Object(map) if map.len() > 1 => {
                let keys: Vec<&str> = map.keys().map(String::as_str).collect();
                let second = path.key(keys[1]);
                if let Some(key) = keys.iter().find(|key| meant::RULE_KEYS.contains(key)) {
                    self.out.push(
                        self.document
                            .at_key(
                                Code::R018,
                                &path.key(key),
                                format!("`{key}` stands inside of the condition"),
                            )
                            .help("it belongs to the rule: indent it like `if`"),
                    );
                    return None;
                }
                self.out.push(
                    self.document
                        .at_key(Code::R018, &second, format!("{} conditions in one item", map.len()))
                        .help("write one item per condition under `all` or `any`, so that it is plain how they combine"),
                );
                None
            }
            _ => {
                self.out.push(
                    self.document
                        .at_value(Code::R019, path, "this is not a condition")
                        .help("write the name of a condition, or a map such as `child.nid: absent`"),
                );
                None
            }
        }
    }

    fn named(&mut self, name: &str, path: &Path) -> Option<Term> {
        let Some(condition) = self.conditions.get(name) else {
            let mut problem = self
                .document
                .at_value(Code::R008, path, format!("`{name}` is not a condition of this file"))
                .suggest(nearest(name, self.conditions.keys().map(String::as_str)));
            if self.form.fields.contains_key(name) {
                problem = problem.help(format!("for the field, say what is asked of it: `{name}: present`"));
            }
            self.out.push(problem);
            return None;
        };
        self.used.insert(name.to_owned());
        if self.open.iter().any(|open| open == name) {
            let way = format!("{} → {name}", self.open.join(" → "));
            self.out.push(
                self.document.at_value(Code::R009, path, format!("`{name}` leads back to itself")).help(way),
            );
            return None;
        }
        self.open.push(name.to_owned());
        let term = self.condition(&condition.0, &at("conditions").key(name));
        self.open.pop();
        Some(Term::Named { name: name.to_owned(), term: Box::new(term?) })
    }

    fn list(&mut self, value: &Value, path: &Path) -> Option<Vec<Term>> {
        let Value::Array(items) = value else {
            self.out.push(
                self.document
                    .at_key(Code::R019, path, "a list of conditions belongs here")
                    .help("one condition per line, each after `- `"),
            );
            return None;
        };
        if items.is_empty() {
            self.out.push(
                self.document
                    .at_key(Code::R017, path, "an empty list of conditions")
                    .help("a rule without `if` always applies; say so instead"),
            );
            return None;
        }
        let terms: Vec<Option<Term>> =
            items.iter().enumerate().map(|(index, item)| self.condition(item, &path.item(index))).collect();
        terms.into_iter().collect()
    }

    fn changed(&mut self, value: &Value, path: &Path) -> Option<Term> {
        match value {
            Value::String(name) if self.groups.contains_key(name) => {
                self.used.insert(name.clone());
                let group = at("groups").key(name);
                let names = self.groups[name].clone();
                let fields: Vec<Option<FieldRef>> = names
                    .iter()
                    .enumerate()
                    .map(|(index, field)| self.field_at(field, &group.item(index)))
                    .collect();
                let fields = fields.into_iter().collect::<Option<Vec<_>>>()?;
                if fields.is_empty() {
                    self.out.push(self.document.at_key(
                        Code::R017,
                        &group,
                        format!("the group `{name}` is empty"),
                    ));
                    return None;
                }
                // In the order of the archived form, so that explanations are the same from there.
                let mut fields = fields;
                fields.sort_by_key(ToString::to_string);
                Some(Term::Changed { group: Some(name.clone()), fields })
            }
            Value::String(name) if !name.contains('.') => {
                self.out.push(
                    self.document
                        .at_value(Code::R020, path, format!("`{name}` is not a group of this file"))
                        .suggest(nearest(name, self.groups.keys().map(String::as_str)))
                        .help("groups are listed under `groups`; a field is named by its id"),
                );
                None
            }
            Value::String(field) => {
                Some(Term::Changed { group: None, fields: vec![self.field_at(field, path)?] })
            }
            Value::Array(items) if !items.is_empty() => {
                let fields: Vec<Option<FieldRef>> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let path = path.item(index);
                        if let Some(field) = item.as_str() {
                            self.field_at(field, &path)
                        } else {
                            self.shapeless(&path)
                        }
                    })
                    .collect();
                Some(Term::Changed { group: None, fields: fields.into_iter().collect::<Option<Vec<_>>>()? })
            }
            Value::Array(_) => {
                self.out.push(self.document.at_key(Code::R017, path, "an empty list of fields"));
                None
            }
            _ => self.shapeless(path),
        }
    }

    fn shapeless<T>(&mut self, path: &Path) -> Option<T> {
        self.out.push(
            self.document
                .at_value(Code::R019, path, "a group, a field or a list of fields belongs here")
                .help("for example `changed: biographic`"),
        );
        None
    }

    fn field_at(&mut self, text: &str, path: &Path) -> Option<FieldRef> {
        let spot = Spot { document: self.document, path, is_key: false };
        FieldRef::resolve(text, self.event, self.form, spot, self.out).map(|(field, _)| field)
    }

    /// What is asked of one field; several predicates must all hold.
    fn tests(&mut self, text: &str, value: &Value, path: &Path) -> Option<Term> {
        let spot = Spot { document: self.document, path, is_key: true };
        let resolved = FieldRef::resolve(text, self.event, self.form, spot, self.out);
        match value {
            Value::String(word) => match word.as_str() {
                "present" => Some(Term::Test { field: resolved?.0, test: Test::Present }),
                "absent" => Some(Term::Test { field: resolved?.0, test: Test::Absent }),
                "changed" => Some(Term::Changed { group: None, fields: vec![resolved?.0] }),
                _ => {
                    let kind = resolved.as_ref().map(|(_, kind)| kind);
                    let problem =
                        self.document.at_value(Code::R010, path, format!("`{word}` is not a predicate"));
                    self.out.push(match meant::instead_of(word, kind) {
                        Some(help) => problem.help(help),
                        None => {
                            problem.suggest(nearest(word, ["present", "absent", "changed"])).help(format!(
                                "to compare with a value write `{{ equals: {} }}`",
                                meant::value(word, kind)
                            ))
                        }
                    });
                    None
                }
            },
            Value::Object(map) if !map.is_empty() => self.predicates(resolved, map, path),
            _ => {
                let help = match value {
                    Value::Bool(_) | Value::Number(_) => {
                        format!("to compare with a value write `{{ equals: {value} }}`")
                    }
                    Value::Array(_) => "to compare with several values write `{ in: […] }`".to_owned(),
                    _ => "`present`, `absent`, `changed`, or a map such as `{ equals: … }`".to_owned(),
                };
                self.out.push(
                    self.document
                        .at_value(Code::R019, path, "what is asked of the field belongs here")
                        .help(help),
                );
                None
            }
        }
    }

    fn predicates(
        &mut self,
        resolved: Option<(FieldRef, Kind)>,
        map: &Map<String, Value>,
        path: &Path,
    ) -> Option<Term> {
        let mut tests = Vec::with_capacity(map.len());
        let mut whole = true;
        for (name, argument) in map {
            let path = path.key(name);
            if !PREDICATES.contains(&name.as_str()) {
                let bare = ["present", "absent", "changed"].contains(&name.as_str());
                let kind = resolved.as_ref().map(|(_, kind)| kind);
                let problem = self.document.at_key(Code::R010, &path, format!("`{name}` is not a predicate"));
                self.out.push(if bare {
                    problem.help(format!("`{name}` stands alone, without braces"))
                } else if let Some(help) = meant::instead_of(name, kind) {
                    problem.help(help)
                } else {
                    problem.suggest(nearest(name, PREDICATES)).help(format!(
                        "the predicates are present, absent, changed, {}",
                        PREDICATES.join(", ")
                    ))
                });
                whole = false;
                continue;
            }
            let kind = resolved.as_ref().map(|(_, kind)| kind);
            match self.test(name, argument, kind, &path) {
                Some(test) => tests.push(test),
                None => whole = false,
            }
        }
        let (field, _) = resolved?;
        if !whole {
            return None;
        }
        let mut terms: Vec<Term> =
            tests.into_iter().map(|test| Term::Test { field: field.clone(), test }).collect();
        if terms.len() == 1 { terms.pop() } else { Some(Term::All(terms)) }
    }

    fn test(&mut self, name: &str, argument: &Value, kind: Option<&Kind>, path: &Path) -> Option<Test> {
        if let Some(kind) = kind {
            let fits = match name {
                "equals" | "in" => {
                    matches!(
                        kind,
                        Kind::Text
                            | Kind::Choice(_)
                            | Kind::Date
                            | Kind::Number
                            | Kind::Bool
                            | Kind::Place
                            | Kind::Any
                    )
                }
                "contains" => matches!(kind, Kind::List | Kind::Any),
                "matches" => matches!(kind, Kind::Text | Kind::Choice(_) | Kind::Any),
                "less_than" | "at_least" => matches!(kind, Kind::Number | Kind::Any),
                _ => matches!(kind, Kind::Date | Kind::Any),
            };
            if !fits {
                let help = match kind {
                    Kind::Composite(parts) => {
                        let parts: Vec<String> = parts.iter().map(|(part, _)| format!("#{part}")).collect();
                        format!("address a part: {}", parts.join(", "))
                    }
                    Kind::Date => "a date has equals, in, before, after, age_below, age_at_least".to_owned(),
                    Kind::List => "a list has contains".to_owned(),
                    _ => "present, absent and changed can be asked of any field".to_owned(),
                };
                self.out.push(
                    self.document
                        .at_key(Code::R011, path, format!("`{name}` cannot be asked of {}", kind.noun()))
                        .help(help),
                );
                return None;
            }
        }
        match name {
            "equals" => self.literal(argument, kind, path).map(Test::Equals),
            "in" => self.literals(argument, kind, path),
            "contains" => self.literal(argument, None, path).map(Test::Contains),
            "matches" => self.pattern(argument, kind, path),
            "before" => self.bound(argument, path).map(Test::Before),
            "after" => self.bound(argument, path).map(Test::After),
            "age_below" => self.age(argument, path).map(Test::AgeBelow),
            "age_at_least" => self.age(argument, path).map(Test::AgeAtLeast),
            "less_than" => self.number(argument, path).map(Test::LessThan),
            _ => self.number(argument, path).map(Test::AtLeast),
        }
    }

    fn literals(&mut self, argument: &Value, kind: Option<&Kind>, path: &Path) -> Option<Test> {
        let Value::Array(items) = argument else {
            self.out.push(
                self.document
                    .at_value(Code::R012, path, "`in` wants a list")
                    .help("write `in: [one, other]`, or `equals: one` for a single value"),
            );
            return None;
        };
        if items.is_empty() {
            self.out.push(self.document.at_key(Code::R017, path, "an empty list of values"));
            return None;
        }
        let literals: Vec<Option<Literal>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.literal(item, kind, &path.item(index)))
            .collect();
        literals.into_iter().collect::<Option<Vec<_>>>().map(Test::In)
    }

    fn literal(&mut self, value: &Value, kind: Option<&Kind>, path: &Path) -> Option<Literal> {
        let literal = match value {
            Value::String(text) => Literal::Text(text.clone()),
            Value::Number(number) => Literal::Number(number.as_f64()?),
            Value::Bool(value) => Literal::Bool(*value),
            _ => {
                self.out.push(self.document.at_value(Code::R012, path, "a single value belongs here"));
                return None;
            }
        };
        let problem = match (kind, &literal) {
            (Some(Kind::Choice(options)), Literal::Text(word)) if !options.contains(word) => Some(
                self.document
                    .at_value(Code::R013, path, format!("the field never has the value `{word}`"))
                    .suggest(nearest(word, options.iter().map(String::as_str)))
                    .help(format!("its values are {}", listed(options.iter()))),
            ),
            (Some(Kind::Date), Literal::Text(text)) if read_date(text).is_none() => {
                Some(self.no_date(text, path))
            }
            (None | Some(Kind::Any), _)
            | (Some(Kind::Text | Kind::Choice(_) | Kind::Date | Kind::Place), Literal::Text(_))
            | (Some(Kind::Number), Literal::Number(_))
            | (Some(Kind::Bool), Literal::Bool(_)) => None,
            (Some(kind), _) => {
                let problem = self.document.at_value(
                    Code::R012,
                    path,
                    format!("the field is {}, this is not", kind.noun()),
                );
                Some(match kind {
                    Kind::Text | Kind::Choice(_) | Kind::Date | Kind::Place => {
                        let written = problem.written();
                        problem.help(format!("put it in quotes: \"{written}\""))
                    }
                    Kind::Bool => problem.help("write true or false, without quotes"),
                    Kind::Number => problem.help("write a number, without quotes"),
                    _ => problem,
                })
            }
        };
        match problem {
            Some(problem) => {
                self.out.push(problem);
                None
            }
            None => Some(literal),
        }
    }

    fn pattern(&mut self, argument: &Value, kind: Option<&Kind>, path: &Path) -> Option<Test> {
        let Some(pattern) = argument.as_str() else {
            self.out.push(self.document.at_value(Code::R014, path, "a pattern is a text in quotes"));
            return None;
        };
        match self.spent.pattern(pattern) {
            Ok(pattern) => {
                if let Some(Kind::Choice(options)) = kind
                    && !options.iter().any(|option| pattern.is_match(option))
                {
                    self.out.push(
                        self.document
                            .at_value(Code::R013, path, "no value of the field fits the pattern")
                            .help(format!("its values are {}", listed(options.iter()))),
                    );
                    return None;
                }
                Some(Test::Matches(pattern))
            }
            Err(regex::Error::CompiledTooBig(_)) => {
                self.out.push(
                    self.document
                        .at_value(Code::P035, path, "the pattern grows too large when it is compiled")
                        .help("repetitions multiply: `(\\w{100}){100}` is 10,000 times every letter of every script"),
                );
                None
            }
            Err(error) => {
                let reason = error.to_string();
                let reason =
                    reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.out.push(
                    self.document
                        .at_value(Code::R014, path, format!("the pattern does not compile: {reason}"))
                        .help("patterns match the whole text in linear time; look-ahead and back-references do not exist"),
                );
                None
            }
        }
    }

    fn bound(&mut self, argument: &Value, path: &Path) -> Option<Bound> {
        let text = argument.as_str().map_or_else(|| argument.to_string(), str::to_owned);
        let bound = match text.as_str() {
            "today" => Some(Bound::Today),
            date => read_date(date).map(Bound::On),
        };
        if bound.is_none() {
            self.out.push(self.no_date(&text, path));
        }
        bound
    }

    fn no_date(&self, text: &str, path: &Path) -> Diagnostic {
        self.document.at_value(Code::R016, path, format!("`{text}` is not a date")).help(meant::date(text))
    }

    fn age(&mut self, argument: &Value, path: &Path) -> Option<Age> {
        let age = argument.as_str().and_then(Age::parse);
        if age.is_none() {
            let help = match argument {
                Value::Number(number) => format!("say of what: `{number} years`"),
                Value::String(text) if text.starts_with(['<', '>', '=', '≤', '≥']) => {
                    meant::instead_of(text, Some(&Kind::Date)).unwrap_or_default()
                }
                _ => "write a whole number and days, weeks, months or years: `10 years`".to_owned(),
            };
            self.out.push(self.document.at_value(Code::R015, path, "this is not an age").help(help));
        }
        age
    }

    fn number(&mut self, argument: &Value, path: &Path) -> Option<f64> {
        let number = argument.as_f64();
        if number.is_none() {
            self.out.push(self.document.at_value(Code::R012, path, "a number belongs here"));
        }
        number
    }
}
