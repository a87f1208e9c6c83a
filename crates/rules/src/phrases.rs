//! The phrases of explanations, by language.
//!
//! English and French are shipped as data (`words/*.yaml`). A pack gives the words of another
//! language in `words.yaml`, or its own words in place of shipped ones; a phrase that a language
//! lacks is said in English.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::Diagnostic;
use crate::files::words::{Wording, WordsFile};
use crate::source::{Document, Path, at};

macro_rules! phrases {
    ($($phrase:ident $key:literal [$($slot:literal),*] $said:literal,)*) => {
        /// Something that explanations say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Phrase {
            $(#[doc = $said] $phrase,)*
        }

        impl Phrase {
            /// Every phrase.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$phrase,)*];

            /// The key in a file of words.
            pub(crate) fn key(self) -> &'static str {
                match self { $(Self::$phrase => $key,)* }
            }

            /// What the phrase must have a place for.
            pub(crate) fn slots(self) -> &'static [&'static str] {
                match self { $(Self::$phrase => &[$($slot),*],)* }
            }

            /// When it is said.
            pub(crate) fn said(self) -> &'static str {
                match self { $(Self::$phrase => $said,)* }
            }
        }
    };
}

phrases! {
    AllOf "all_of" [] "Stands before conditions that must all hold.",
    AnyOf "any_of" [] "Stands before conditions of which one must hold.",
    Not "not" [] "Stands before a condition that must not hold.",
    Or "or" [] "Stands between alternatives.",
    And "and" [] "Stands between reasons.",
    Rules "rules" [] "Stands between the reasons of several rules.",
    Missing "missing" ["field"] "The field that would decide has no value.",
    Unreadable "unreadable" ["field"] "The field that would decide has a value of another kind.",
    Present "present" ["field"] "The field has a value.",
    Absent "absent" ["field"] "The field has no value.",
    Is "is" ["field", "value"] "The field has the value, or one of them, that the rule names.",
    IsNot "is_not" ["field", "value"] "The field has none of the values that the rule names.",
    Contains "contains" ["field", "value"] "The list holds the value that the rule names.",
    DoesNotContain "does_not_contain" ["field", "value"] "The list does not hold the value that the rule names.",
    Fits "fits" ["field"] "The text fits the rule's pattern.",
    DoesNotFit "does_not_fit" ["field"] "The text does not fit the rule's pattern.",
    Before "before" ["field", "date"] "The date is before the rule's.",
    NotBefore "not_before" ["field", "date"] "The date is the rule's or after it.",
    After "after" ["field", "date"] "The date is after the rule's.",
    NotAfter "not_after" ["field", "date"] "The date is the rule's or before it.",
    DayOfAction "day_of_action" [] "Stands for `today` as a date.",
    BelowAge "below_age" ["who", "age"] "The person is younger than the rule's age.",
    OfAge "of_age" ["who", "age"] "The person has reached the rule's age.",
    Less "less" ["field", "number"] "The number is less than the rule's.",
    NotLess "not_less" ["field", "number"] "The number is the rule's or more.",
    Changed "changed" ["field"] "The action changes the field, or one of the fields.",
    Unchanged "unchanged" ["field"] "The action changes none of the fields.",
    GroupChanged "group_changed" ["group"] "The action changes a field of the group.",
    GroupUnchanged "group_unchanged" ["group"] "The action changes no field of the group.",
    ConditionFalse "condition_false" ["condition"] "A named condition does not hold.",
    ConditionUnknown "condition_unknown" ["condition", "reasons"] "A named condition cannot be decided.",
    Because "because" ["decision", "reasons"] "The whole sentence: what was decided, and why.",
    Nothing "nothing" [] "No rule decided.",
    NoRule "no_rule" ["event", "action"] "No rule is for this step of this event.",
    InRule "in_rule" ["rule", "reasons"] "Why one rule did not match.",
    Held "held" ["rule"] "The record awaits a person, because the rule could not be decided.",
    Rejected "rejected" ["rule"] "The rule rejects the action.",
    Ignored "ignored" ["rule"] "The rule says that nothing is to be done.",
    Days "days" ["count"] "So many days; may have several forms by count.",
    Weeks "weeks" ["count"] "So many weeks; may have several forms by count.",
    Months "months" ["count"] "So many months; may have several forms by count.",
    Years "years" ["count"] "So many years; may have several forms by count.",
}

impl Phrase {
    /// Whether the phrase may have forms by count.
    pub(crate) fn counts(self) -> bool {
        self.slots() == ["count"]
    }

    fn of_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|phrase| phrase.key() == key)
    }
}

/// How a language says a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    One(String),
    /// Counts and their form; `other` for the rest.
    Forms {
        forms: Vec<(RangeInclusive<u16>, String)>,
        other: String,
    },
}

type Table = BTreeMap<Phrase, Text>;

/// Languages whose words are shipped, by ISO 639-1 code.
const SHIPPED: [(&str, &str); 2] =
    [("en", include_str!("words/en.yaml")), ("fr", include_str!("words/fr.yaml"))];

static TABLES: LazyLock<BTreeMap<&'static str, Table>> =
    LazyLock::new(|| SHIPPED.iter().map(|(language, text)| (*language, shipped_table(text))).collect());

fn shipped_table(text: &str) -> Table {
    let entries: BTreeMap<String, Wording> = serde_saphyr::from_str(text).unwrap_or_default();
    entries.iter().filter_map(|(key, wording)| Some((Phrase::of_key(key)?, read(wording).ok()?))).collect()
}

/// The shipped words of sentences in a language (ISO 639-1), as YAML: phrase → words. None if there are none.
pub fn shipped(language: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(code, _)| *code == language).map(|(_, text)| *text)
}

/// The words of a pack's languages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    own: BTreeMap<String, Table>,
}

impl Words {
    /// Reads `words.yaml` where there is one, and checks that every language of the country has words.
    pub(crate) fn compile(
        file: Option<(&Document, &WordsFile)>,
        country: &Country,
        country_document: &Document,
        out: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut words = Self::default();
        for (language, wordings) in file.iter().flat_map(|(_, file)| &file.languages.entries) {
            let Some((document, _)) = file else { continue };
            let path = at("languages").key(language);
            if !country.languages.iter().any(|known| known.code == *language) {
                let known: Vec<&str> = country.languages.iter().map(|known| known.code.as_str()).collect();
                out.push(
                    document
                        .at_key(Code::N022, &path, format!("`{language}` is not a language of the country"))
                        .suggest(crate::suggest::nearest(language, known.iter().copied()))
                        .help(format!("country.yaml has {}", known.join(", "))),
                );
            }
            let table = wordings
                .0
                .iter()
                .filter_map(|(key, wording)| {
                    let phrase = Phrase::of_key(key)?;
                    check(document, phrase, wording, &path.key(key), out).map(|text| (phrase, text))
                })
                .collect();
            words.own.insert(language.clone(), table);
        }
        for (index, language) in country.languages.iter().enumerate() {
            words.complete(&language.code, index, file.map(|(document, _)| document), country_document, out);
        }
        words
    }

    /// Reports a language that would be explained in English.
    fn complete(
        &self,
        language: &str,
        index: usize,
        document: Option<&Document>,
        country: &Document,
        out: &mut Vec<Diagnostic>,
    ) {
        let own = self.own.get(language);
        let lacks = |phrase: &Phrase| {
            !own.is_some_and(|table| table.contains_key(phrase))
                && !TABLES.get(language).is_some_and(|table| table.contains_key(phrase))
        };
        let missing: Vec<&str> =
            Phrase::ALL.iter().filter(|phrase| lacks(phrase)).map(|phrase| phrase.key()).collect();
        if missing.is_empty() || !crate::country::is_code(language, 2) {
            return;
        }
        let problem = match (own, document) {
            (Some(_), Some(document)) => document
                .at_key(
                    Code::N020,
                    &at("languages").key(language),
                    format!(
                        "`{language}` lacks words for {} of {} phrases",
                        missing.len(),
                        Phrase::ALL.len()
                    ),
                )
                .help(format!("these are said in English: {}", missing.join(", "))),
            _ => country
                .at_value(
                    Code::N020,
                    &at("languages").item(index).key("code"),
                    format!("there are no words for sentences in `{language}`; they come in English"),
                )
                .help(format!(
                    "give them in words.yaml under `languages: {language}:`; {} are shipped",
                    SHIPPED.map(|(code, _)| code).join(" and ")
                )),
        };
        out.push(problem);
    }

    /// A phrase in `language`, its places filled.
    pub(crate) fn say(&self, language: &str, phrase: Phrase, slots: &[(&str, &str)]) -> String {
        self.text(language, phrase).map_or_else(|| phrase.key().to_owned(), |text| text.filled(slots))
    }

    fn text(&self, language: &str, phrase: Phrase) -> Option<&Text> {
        self.own
            .get(language)
            .and_then(|table| table.get(&phrase))
            .or_else(|| TABLES.get(language)?.get(&phrase))
            .or_else(|| TABLES.get("en")?.get(&phrase))
    }
}

impl Text {
    fn filled(&self, slots: &[(&str, &str)]) -> String {
        let template = match self {
            Self::One(template) => template,
            Self::Forms { forms, other } => {
                let count = slots.iter().find(|(slot, _)| *slot == "count");
                let count: Option<u16> = count.and_then(|(_, count)| count.parse().ok());
                let form =
                    forms.iter().find(|(counts, _)| count.is_some_and(|count| counts.contains(&count)));
                form.map_or(other, |(_, form)| form)
            }
        };
        fill(template, slots)
    }
}

/// Puts values into their places in one pass: a value with braces in it stays what it is.
fn fill(template: &str, slots: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        let Some(close) = from.find('}') else { break };
        text.push_str(before);
        let value = slots.iter().find(|(slot, _)| *slot == &from[1..close]);
        text.push_str(value.map_or(&from[..=close], |(_, value)| *value));
        rest = &from[close + 1..];
    }
    text.push_str(rest);
    text
}

/// The names in braces.
fn places(template: &str) -> Vec<&str> {
    let ends = template.match_indices('{').filter_map(|(open, _)| {
        let rest = &template[open + 1..];
        rest.find('}').map(|close| &rest[..close])
    });
    ends.collect()
}

fn check(
    document: &Document,
    phrase: Phrase,
    wording: &Wording,
    path: &Path,
    out: &mut Vec<Diagnostic>,
) -> Option<Text> {
    let text = match read(wording) {
        Ok(text) => text,
        Err((key, reason)) => {
            let path = key.map_or_else(|| path.clone(), |key| path.key(&key));
            out.push(document.at_key(Code::N023, &path, reason).help(
                "`other` is the form of most counts; beside it stand counts such as \"1\", \"2-4\" or \"1, 21, 31\"",
            ));
            return None;
        }
    };
    let templates: Vec<(Path, &str)> = match wording {
        Wording::One(template) => vec![(path.clone(), template)],
        Wording::ByCount(forms) if phrase.counts() => {
            forms.iter().map(|(key, template)| (path.key(key), template.as_str())).collect()
        }
        Wording::ByCount(_) => {
            out.push(
                document
                    .at_key(Code::N023, path, format!("`{}` has no count", phrase.key()))
                    .help("only days, weeks, months and years have forms by count"),
            );
            return None;
        }
    };
    let before = out.len();
    for (place, template) in templates {
        let found = places(template);
        let unknown = found.iter().find(|slot| !phrase.slots().contains(slot));
        // A form such as “two years” may do without the number.
        let needed = phrase.slots().iter().filter(|_| !phrase.counts());
        let missing: Vec<&&str> = needed.filter(|slot| !found.contains(slot)).collect();
        let message = match (unknown, missing.first()) {
            (Some(unknown), _) => format!("`{{{unknown}}}` means nothing in `{}`", phrase.key()),
            (None, Some(missing)) => format!("`{}` says nothing without `{{{missing}}}`", phrase.key()),
            (None, None) => continue,
        };
        let wanted: Vec<String> = phrase.slots().iter().map(|slot| format!("{{{slot}}}")).collect();
        let help = if wanted.is_empty() {
            "this phrase has no places in braces".to_owned()
        } else {
            format!("its places are {}", wanted.join(", "))
        };
        out.push(document.at_value(Code::N021, &place, message).help(help));
    }
    (out.len() == before).then_some(text)
}

/// The key of a form that cannot be read, and why.
type Unreadable = (Option<String>, String);

fn read(wording: &Wording) -> Result<Text, Unreadable> {
    let Wording::ByCount(written) = wording else {
        let Wording::One(text) = wording else { return Err((None, String::new())) };
        return Ok(Text::One(text.clone()));
    };
    let mut forms = Vec::new();
    let mut other = None;
    for (key, template) in written {
        if key == "other" {
            other = Some(template.clone());
            continue;
        }
        for counts in key.split(',') {
            let (from, to) = counts.split_once('-').unwrap_or((counts, counts));
            let (Ok(from), Ok(to)) = (from.trim().parse::<u16>(), to.trim().parse::<u16>()) else {
                return Err((Some(key.clone()), format!("`{key}` is not a count")));
            };
            forms.push((from..=to, template.clone()));
        }
    }
    let other = other.ok_or_else(|| (None, "`other` is missing among the forms".to_owned()))?;
    Ok(Text::Forms { forms, other })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_languages_have_every_phrase_with_its_places() {
        for (language, text) in SHIPPED {
            let entries: BTreeMap<String, Wording> = serde_saphyr::from_str(text).expect("YAML");
            for phrase in Phrase::ALL {
                assert!(TABLES[language].contains_key(phrase), "{language} lacks {}", phrase.key());
            }
            assert_eq!(entries.len(), Phrase::ALL.len(), "{language} has a phrase that does not exist");
            let document = Document::yaml(language, text, &mut Vec::new()).expect("YAML");
            let mut out = Vec::new();
            for (key, wording) in &entries {
                let phrase = Phrase::of_key(key).expect("a phrase");
                check(&document, phrase, wording, &at(key), &mut out);
            }
            assert!(out.is_empty(), "{out:#?}");
        }
    }

    #[test]
    fn counts_choose_the_form() {
        let wording = Wording::ByCount(BTreeMap::from(
            [("1, 21", "{count} god"), ("2-4", "{count} goda"), ("other", "{count} let")]
                .map(|(key, form)| (key.to_owned(), form.to_owned())),
        ));
        let text = read(&wording).expect("forms");
        let said = |count: &str| text.filled(&[("count", count)]);
        assert_eq!(
            ["1", "2", "4", "5", "11", "21"].map(said),
            ["1 god", "2 goda", "4 goda", "5 let", "11 let", "21 god"]
        );
    }

    #[test]
    fn a_value_with_braces_is_not_filled_again() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "c")]), "{b} and c");
        assert_eq!(fill("open { and {x", &[("x", "y")]), "open { and {x");
    }
}
