//! The codes of the diagnostics: one line each, never re-used for another meaning.
//!
//! The first letter says where: P the pack and its files, S the shape of a file, N country.yaml and words.yaml,
//! F fields.yaml, L locations.csv, R rules.yaml, M packets.yaml, I id-schema.json, E identity.yaml, C cases.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($code:ident $severity:ident $title:literal,)*) => {
        /// Names a kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Code] = &[$(Code::$code,)*];

            /// The code as printed, for example `R006`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// The kind of problem in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// The help page: `docs/diagnostics/<CODE>.md` as it was when this was built.
            pub(crate) fn page(self) -> &'static str {
                match self {
                    $(Code::$code => {
                        include_str!(concat!("../../../docs/diagnostics/", stringify!($code), ".md"))
                    })*
                }
            }

            /// Whether a pack with this problem still loads.
            pub fn is_warning(self) -> bool {
                match self { $(Code::$code => codes!(@$severity),)* }
            }
        }
    };
    (@error) => { false };
    (@warning) => { true };
}

codes! {
    P001 error "a file of the pack is missing",
    P002 error "not valid YAML",
    P003 error "not valid JSON",
    P004 error "a key is given twice",
    P005 error "a file that the pack does not know",
    P006 error "the pack has no cases",
    P007 error "a version that this build does not read",
    P008 error "a pack does not read its environment",
    P009 error "the archived rule set cannot be read",
    P010 error "a tab in the indentation",
    P011 error "a file that is not UTF-8",
    P012 error "a space that is not a plain one",
    P030 error "a file or a pack that is too large",
    P031 error "values nested too deeply",
    P032 error "too many values",
    P033 error "a key or a text that is too long",
    P034 error "conditions that unfold into too many terms",
    P035 error "a pattern that grows too large",
    P036 error "more problems than are looked for",
    P037 error "an ID schema that cannot be followed to its end",
    S001 error "a key is missing",
    S002 error "an unknown key",
    S003 error "a value of the wrong type",
    S004 error "a value that is not one of the allowed",
    S005 error "a value that does not fit",
    N001 error "a language code of the wrong form",
    N002 error "an unknown time zone",
    N003 error "a registration-number template that cannot be used",
    N004 error "a language is given twice",
    N005 error "the field for the national id is not in the catalogue",
    N006 error "an event that the catalogue does not have",
    N007 error "a field that cannot hold the national id",
    N008 error "an age that cannot be read",
    N009 error "a key of an annotation that OpenCRVS would rewrite",
    N010 error "a custom action that cannot carry notes",
    N020 warning "a language without words for its sentences",
    N021 error "a phrase with the wrong places",
    N022 error "words for a language that the country does not have",
    N023 error "forms by count that cannot be read",
    F001 warning "an underscore in a field id",
    F002 error "options that do not belong, or are missing",
    F003 error "a field id of the wrong form",
    F004 warning "a label that lacks a language",
    F020 error "a label for an option that the field does not have",
    L001 error "places without levels",
    L002 error "a column that is missing or unknown",
    L003 error "a row that cannot be read",
    L004 error "two places with one id",
    L005 error "a place of an unknown level",
    L006 error "a place that lies in an unknown one",
    L007 error "a place that lies in one that does not stand above it",
    L008 error "a place without a name in a language",
    L009 error "a level that cannot be used",
    L010 warning "two places of a level with one code",
    R001 error "two rules with one id",
    R002 error "a name of the wrong form",
    R003 error "an unknown event",
    R004 error "an unknown action",
    R005 error "a custom action missing or out of place",
    R006 error "an unknown field",
    R007 error "an unknown part of a value",
    R008 error "an unknown condition",
    R009 error "a condition that leads back to itself",
    R010 error "an unknown predicate",
    R011 error "a predicate that the field's type does not have",
    R012 error "a value of another type than the field",
    R013 error "a value that the field never has",
    R014 error "a pattern that does not compile",
    R015 error "a length of time that cannot be read",
    R016 error "a date that cannot be read",
    R017 error "an empty list",
    R018 error "several conditions in one item",
    R019 error "not a condition",
    R020 error "an unknown group",
    R021 error "an operation that sends nothing",
    R022 error "a key that does not go with what the rule does",
    R023 error "an unknown packet",
    R024 error "a packet of another event",
    R025 error "a deadline for an answer that nobody waits for",
    R026 error "a rejection without a reason",
    R027 warning "a rule that is never reached",
    R028 warning "a condition or group that no rule uses",
    R029 error "a text that lacks a language",
    R030 warning "an answer that this OpenCRVS version does not apply",
    R031 warning "a condition that can never be true",
    R032 warning "a condition without effect",
    R033 warning "two rules for one record with different effects",
    R034 warning "a record that waits without a deadline",
    R035 warning "a step that nobody decided how to take back",
    R036 warning "more personal data than the operation needs",
    R037 warning "one condition or group under two names",
    R038 error "an `after` that names no rule further up",
    R039 warning "a condition too large to be compared",
    R040 warning "an identity whose number is kept nowhere",
    R041 error "a value that the record could not hold",
    R060 error "an operation on a person whom its packet does not name",
    R061 error "a new identity whose packet names a person",
    R062 error "an operation that the engine does not carry out",
    R063 error "an audit message for what the rule never comes to",
    R064 warning "an action that this OpenCRVS version does not have",
    R065 error "an operation that MOSIP keeps for people",
    R066 error "an identity that may have biometrics",
    R067 warning "a guard that is lifted and not in the way",
    M001 error "not exactly one source",
    M002 error "a key that does not go with the source",
    M003 error "a field that the ID schema does not have",
    M004 error "a mandatory field that is not mapped",
    M005 error "a template that cannot be used",
    M006 error "a date format that cannot be used",
    M007 error "a source of the wrong type",
    M008 error "a code that the field never has",
    M009 error "a value without a code",
    M010 error "language wrapping against the ID schema",
    M011 error "a language that the country does not have",
    M012 warning "a packet that no rule sends",
    M013 error "a location without a list of places",
    M014 error "a level that the country does not have",
    M015 warning "the id of a place, sent as it is",
    M016 error "places without the code that is sent",
    M017 error "a list or a plain value against the ID schema",
    M018 warning "a mandatory attribute that the ID schema does not have",
    M019 warning "a mandatory field that is optional",
    I001 error "not a JSON Schema",
    I002 error "no identity in the ID schema",
    I003 error "a validator that does not compile",
    I004 error "a field of the ID schema without a category",
    E001 error "a person that the form does not have",
    E002 error "a form field that does not exist",
    C001 error "two cases with one name",
    C002 error "an unknown record",
    C003 error "a value that the form would not hold",
    C004 error "an unknown rule",
    C005 error "an expectation that contradicts itself",
    C006 error "an instant that cannot be read",
    C007 error "a document that is not there",
    C008 error "a file that is not an event document",
    C009 warning "a document that no case starts from",
    C010 error "two things to start from",
    C011 error "a term that the rule does not have",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
