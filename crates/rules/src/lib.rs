//! The rule language of Civitas: parse, check, compile, evaluate, explain, test.
//!
//! A country writes a *pack*, a folder of YAML: which events make MOSIP do what (`rules.yaml`),
//! what is sent (`packets.yaml`), which fields there are (`fields.yaml`), and what must come out
//! for which event (`cases/*.yaml`). [`Pack::load`] turns its files into a compiled rule set or
//! into [`Diagnostics`] that name every problem at its place; checking, loading and running are one
//! code path, so a pack that passes the check is a pack that runs.
//!
//! The crate is pure. It reads no file, knows no clock and does no I/O: files come in as text, the
//! instant of an event comes in with its [`Facts`], and the same facts always give the same
//! [`Decision`]. What is *not* here: where events come from, how packets travel, where decisions
//! are kept.
//!
//! How a pack becomes a decision:
//!
//! - `source` reads a file into values and the place of each value;
//! - `structure` checks its shape against the schema of its type in `files`;
//! - `catalogue`, `country`, `idschema`, `mapping`, `plan`, `condition`, `ruleset`, `cases` resolve every
//!   name and check every type, once;
//! - `reason` and `review` say what the rules mean together and what they lack;
//! - `term` evaluates, in three values ([`Truth`]); `explain`, `words` and `phrases` say why.

mod actions;
mod age;
#[cfg(test)]
mod ages;
mod because;
mod caserun;
mod cases;
mod catalogue;
mod codes;
mod compare;
mod condition;
mod country;
mod coverage;
mod decision;
mod diagnostics;
mod explain;
mod files;
mod given;
mod guards;
pub mod help;
mod identity;
mod idschema;
mod import;
#[cfg(test)]
mod laws;
mod layout;
mod limits;
mod lines;
mod locations;
mod manual;
mod mapped;
mod mapping;
mod meant;
mod mutate;
mod number;
mod operations;
mod outline;
mod pack;
mod packet;
mod phrases;
mod plan;
mod reads;
mod reason;
mod reference;
mod review;
mod ruleset;
mod schemas;
mod schemasteps;
mod source;
mod structure;
mod suggest;
mod syntax;
mod template;
mod term;
mod trial;
mod truth;
mod words;
mod writes;

pub use caserun::{CaseFailure, CaseName, CaseReport, Difference};
pub use codes::Code;
pub use compare::{Change, Comparison, Entry};
pub use country::{Country, CredentialKey, Language, LeapBirthday, OpencrvsVersion};
pub use coverage::{Coverage, MissingCase, MissingCases};
pub use decision::{Decision, Effect, Facts, Operation, Respond, UnknownWord};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use explain::{Explanation, RuleTree, TermTree};
pub use files::Localised;
pub use files::identity::{Claim, Esignet, IdentityFile, NameOrder, Qr, QrAttribute, QrTrust, Switch};
pub use files::rules::{Mode, Outcome};
pub use given::{GivenDocument, ReadDocument};
pub use guards::Guard;
pub use import::{
    Change as FieldChange, Import, ImportError as FieldImportError, ImportOptions, LeftOut, What,
    import_fields,
};
pub use lines::Line;
pub use locations::import::{ImportError, LocationImport, import_locations};
pub use manual::manual;
pub use mapped::{Fitted, Mapped};
pub use mutate::{Mutant, MutationReport, mutants};
pub use pack::{Pack, PackFiles};
pub use packet::{FieldProblem, Notification, Packet, PacketContext, PacketError};
pub use phrases::shipped as shipped_words;
pub use schemas::schemas;
pub use term::Cause;
pub use truth::Truth;
pub use writes::Writing;
