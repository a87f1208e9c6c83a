//! The pack as a whole: one code path from files to a compiled rule set, for checking, loading
//! and running alike.

mod canonical;
mod compile;
mod lost;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use minijinja::Environment;

use self::compile::{CaseSources, compile};
pub use self::texts::PackFiles;
use crate::caserun::{self, CaseReport};
use crate::cases::Case;
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::country::Country;
use crate::coverage::{self, Coverage, MissingCases};
use crate::decision::{Decision, Effect, Facts, Respond};
use crate::diagnostics::Diagnostics;
use crate::explain::Explanation;
use crate::files::identity::IdentityFile;
use crate::files::rules::{IfUnknown, Mode, Outcome};
use crate::given::ReadDocument;
use crate::idschema::IdSchema;
use crate::locations::{self, Locations};
use crate::mapping::Packets;
use crate::mutate::{self, Mutant, MutationReport};
use crate::number::Seed;
use crate::packet::{Builder, Packet, PacketContext, PacketError};
use crate::phrases::Words;
use crate::reads::Reads;
use crate::ruleset::{Rule, Rules};
use crate::term::Scene;
use crate::writes::{self, Writing};

/// Checks that judge what somebody writes today. A rule set that has decided is not judged again: its
/// decisions must be taken again as they were, and what it sent may still be on its way.
const FOR_NEW_PACKS: [Code; 10] = [
    Code::R038,
    Code::R060,
    Code::R061,
    Code::R062,
    Code::R063,
    Code::R065,
    Code::R066,
    Code::R067,
    Code::M016,
    Code::M017,
];
/// A compiled country pack. Cloning is cheap; everything in it is immutable.
#[derive(Clone)]
pub struct Pack {
    pub(crate) inner: Arc<Inner>,
}

/// What a pack is made of.
pub(crate) struct Inner {
    pub(crate) country: Country,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) words: Arc<Words>,
    pub(crate) identity: Arc<IdentityFile>,
    pub(crate) packets: Arc<Packets>,
    pub(crate) schema: Arc<IdSchema>,
    pub(crate) locations: Option<Arc<Locations>>,
    pub(crate) cases: Arc<Vec<Case>>,
    /// Cases whose documents nobody read.
    pub(crate) unread: usize,
    pub(crate) canonical: String,
    pub(crate) digest: String,
    pub(crate) warnings: Diagnostics,
    pub(crate) reads: Reads,
}

impl Inner {
    pub(crate) fn scene<'a>(&'a self, facts: &'a Facts<'a>) -> Scene<'a> {
        Scene::new(facts, &self.country.time_zone, self.country.leap_birthday)
    }

    pub(crate) fn audit_message(&self, rule: &str, outcome: Outcome, language: &str) -> Option<&str> {
        let rule = self.rules.rules.iter().find(|known| known.id == rule)?;
        self.country.text_in(rule.audit.get(&outcome)?, language)
    }
}

impl Pack {
    /// Reads, checks and compiles a pack; reports every problem at once.
    ///
    /// Cases that start from event documents are checked as far as that goes without reading those, and not run;
    /// [`Pack::load_with`] is for whoever can read them.
    pub fn load(files: &PackFiles) -> Result<Self, Diagnostics> {
        Self::load_whole(files, None)
    }

    /// [`Pack::load`], with the event documents of cases read by `reader`.
    pub fn load_with(files: &PackFiles, reader: &dyn ReadDocument) -> Result<Self, Diagnostics> {
        Self::load_whole(files, Some(reader))
    }

    fn load_whole(files: &PackFiles, reader: Option<&dyn ReadDocument>) -> Result<Self, Diagnostics> {
        let mut out = Vec::new();
        let read = texts::read(files, &mut out)?;
        let sources = CaseSources { files: &read.cases, documents: &read.event_documents, reader };
        let places = files.0.get(locations::FILE).map(String::as_str);
        compile(&read.documents, &sources, places, &[], out)
    }

    /// The archived form of a rule set, brought back: the same digest, no cases.
    pub fn from_canonical(text: &str) -> Result<Self, Diagnostics> {
        let (documents, places) = canonical::read(text)?;
        let none = CaseSources { files: &[], documents: &BTreeMap::new(), reader: None };
        compile(&documents, &none, places.as_deref(), &FOR_NEW_PACKS, Vec::new())
    }

    /// SHA-256 of the canonical form, in hexadecimal: the name of the rule set.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Canonical JSON of everything that decides: comments and meaningless order dropped, cases left out.
    ///
    /// The keys of every map are in order. Lists are kept as they were written where their order says
    /// something: rules (the first that matches decides); `all`, `any`, `in` and a list under `changed`
    /// (sentences name terms, words and fields in this order, and so does what is missing); `languages`
    /// (the first is the country's own choice); several fields under `from`, `date`, `code` and
    /// `choose` (the first that is present counts); `mandatory` (what a packet lacks is listed in this
    /// order); everything in id-schema.json and identity.yaml, which others read too. They are sorted
    /// where it says nothing: the fields of a group, the options of a choice, and what is under `despite`.
    pub fn canonical(&self) -> &str {
        &self.inner.canonical
    }

    /// Problems that do not refuse the pack.
    pub fn warnings(&self) -> &Diagnostics {
        &self.inner.warnings
    }

    pub(crate) fn reads(&self) -> &Reads {
        &self.inner.reads
    }

    /// Who the country is.
    pub fn country(&self) -> &Country {
        &self.inner.country
    }

    /// How people on a form are identified.
    pub fn identity(&self) -> &IdentityFile {
        &self.inner.identity
    }

    /// Events that the pack has a form for.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.inner.catalogue.forms.keys().map(String::as_str)
    }

    /// Whether the form of `event` has the field `id`.
    pub fn has_field(&self, event: &str, id: &str) -> bool {
        self.inner.catalogue.form(event).is_some_and(|form| form.fields.contains_key(id))
    }

    /// The rules' ids in file order.
    pub fn rule_ids(&self) -> impl Iterator<Item = &str> {
        self.inner.rules.rules.iter().map(|rule| rule.id.as_str())
    }

    /// Decides one civil event. Total and deterministic: the same facts give the same decision.
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        self.inner.rules.decide(facts, &self.inner.scene(facts))
    }

    /// Says why [`Pack::decide`] decides as it does.
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        Explanation::new(Arc::clone(&self.inner), facts)
    }

    /// Builds the packet `name` and checks it against the ID schema.
    pub fn build_packet(&self, name: &str, context: &PacketContext<'_>) -> Result<Packet, PacketError> {
        let Inner { packets, schema, .. } = &*self.inner;
        self.builder(&packets.templates, context).build(name, packets, schema)
    }

    /// What a rule writes into the record when the action is accepted.
    ///
    /// Never fails: a value that the record does not give, or that the field could not hold, is left out and said.
    pub fn write(&self, rule: &str, context: &PacketContext<'_>) -> Writing {
        let rules = &self.inner.rules;
        let Some(rule) = rules.rules.iter().find(|known| known.id == rule) else { return Writing::default() };
        writes::write(&rule.write, &self.builder(&rules.templates, context))
    }

    /// Events, and the fields of their forms that rules write, other than the national id.
    pub fn written_fields(&self) -> BTreeSet<(&str, &str)> {
        let rules = self.inner.rules.rules.iter().filter(|rule| rule.mode == Mode::Enforce);
        rules
            .flat_map(|rule| rule.write.iter().map(|one| (rule.event.as_str(), one.field.as_str())))
            .collect()
    }

    /// Types of actions whose records may wait: by a rule that awaits an answer, or that is held for a person.
    pub fn awaited_actions(&self) -> BTreeSet<&str> {
        let waits = |rule: &&Rule| {
            let on = matches!(rule.effect, Effect::Operate { respond: Respond::AwaitExternalValidation, .. });
            rule.mode == Mode::Enforce && (on || rule.if_unknown == IfUnknown::Hold)
        };
        self.inner.rules.rules.iter().filter(waits).map(|rule| rule.action.as_str()).collect()
    }

    /// Events of whose operations the record's history is told by a custom action: those with a rule that lets the record
    /// go on, and says what became of it.
    pub fn noted_events(&self) -> BTreeSet<&str> {
        let apart = |rule: &&Rule| {
            let on = matches!(rule.effect, Effect::Operate { respond: Respond::Continue, .. });
            let said = [Outcome::Completed, Outcome::Failed].iter().any(|end| rule.audit.contains_key(end));
            rule.mode == Mode::Enforce && on && said
        };
        self.inner.rules.rules.iter().filter(apart).map(|rule| rule.event.as_str()).collect()
    }

    fn builder<'a>(
        &'a self,
        templates: &'a Environment<'static>,
        context: &'a PacketContext<'a>,
    ) -> Builder<'a> {
        let Inner { country, locations, .. } = &*self.inner;
        Builder { templates, country, locations: locations.as_deref(), context }
    }

    /// The registration number of a civil event: the same for the same arguments, on every attempt.
    ///
    /// `candidate` counts up from 0 when a number turns out to be taken.
    pub fn registration_number(
        &self,
        event: &str,
        event_id: &str,
        action_id: &str,
        at: Timestamp,
        candidate: u32,
    ) -> String {
        let country = &self.inner.country;
        let year = country.time_zone.to_datetime(at).year();
        let template = country.numbers.get(event).or(country.number.as_ref());
        template
            .map(|template| template.mint(&Seed { event_id, action_id, candidate, year }))
            .unwrap_or_default()
    }

    /// The country's ID schema as JSON text, as it goes with each packet.
    pub fn id_schema(&self) -> &str {
        &self.inner.schema.text
    }

    /// What the record's history says when the rule comes to `outcome`, in `language` (otherwise the
    /// country's first). None where the pack leaves it to the rule's name.
    pub fn audit_message(&self, rule: &str, outcome: Outcome, language: &str) -> Option<&str> {
        self.inner.audit_message(rule, outcome, language)
    }

    /// Number of places in the pack's list.
    pub fn location_count(&self) -> usize {
        self.inner.locations.as_ref().map_or(0, |locations| locations.len())
    }

    /// Runs the pack's own cases.
    pub fn run_cases(&self) -> CaseReport {
        caserun::run(self, |_| true)
    }

    /// Runs the cases whose name or file contains `wanted`, whatever the case of its letters.
    pub fn run_some_cases(&self, wanted: &str) -> CaseReport {
        let wanted = wanted.to_lowercase();
        caserun::run(self, |case| format!("{} {}", case.file, case.name).to_lowercase().contains(&wanted))
    }

    /// Runs mutants of this pack against its cases, which must pass without them.
    ///
    /// `files` are those that the pack was loaded from; `done` is told how many mutants are through, from any
    /// of the `threads`.
    pub fn run_mutants(
        &self,
        files: &PackFiles,
        mutants: &[Mutant],
        threads: usize,
        done: &(dyn Fn(usize) + Sync),
    ) -> MutationReport {
        mutate::run(self, files, mutants, threads, done)
    }

    /// Which outcomes and boundaries of the rules the cases show.
    pub fn coverage(&self) -> Coverage {
        coverage::coverage(self)
    }

    /// The cases that would show what is missing, written out; `files` are those that the pack was loaded from.
    pub fn missing_cases(&self, files: &PackFiles) -> MissingCases {
        coverage::missing_cases(self, files)
    }

    /// Whether these files are refused, whatever their cases are.
    pub(crate) fn refuses(files: &PackFiles) -> bool {
        let mut out = Vec::new();
        let documents = texts::read_files(files, &mut out);
        let none = CaseSources { files: &[], documents: &BTreeMap::new(), reader: None };
        let places = files.0.get(locations::FILE).map(String::as_str);
        compile(&documents, &none, places, &[], out).is_err()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack")
            .field("country", &self.inner.country.code)
            .field("digest", &self.inner.digest)
            .finish_non_exhaustive()
    }
}
