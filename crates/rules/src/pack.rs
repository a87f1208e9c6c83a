//! The pack as a whole: one code path from files to a compiled rule set, for checking, loading
//! and running alike.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::caserun::{self, CaseReport};
use crate::cases::{self, Case, CaseWorld};
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::country::Country;
use crate::coverage::{self, Coverage, MissingCases};
use crate::decision::{Decision, Facts};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::explain::Explanation;
use crate::files::country::CountryFile;
use crate::files::fields::FieldsFile;
use crate::files::identity::IdentityFile;
use crate::files::packets::PacketsFile;
use crate::files::rules::{Outcome, RulesFile};
use crate::files::words::WordsFile;
use crate::files::{VERSION, Versioned, cases::CasesFile};
use crate::given::ReadDocument;
use crate::identity;
use crate::idschema::IdSchema;
use crate::limits::{self, FILE_BYTES, PACK_BYTES, PACK_FILES, PACK_VALUES};
use crate::locations::{self, List, Locations};
use crate::mapping::Packets;
use crate::mutate::{self, Mutant, MutationReport};
use crate::number::Seed;
use crate::packet::{Builder, Packet, PacketContext, PacketError};
use crate::phrases::Words;
use crate::reads::Reads;
use crate::ruleset::{RuleCompiler, Rules};
use crate::source::{Document, at, sorted};
use crate::structure::decode;
use crate::suggest::nearest;
use crate::term::Scene;

/// The text files of a pack: path relative to its folder, with `/` → text.
///
/// Known are `country.yaml`, `fields.yaml`, `rules.yaml`, `packets.yaml`, `identity.yaml`,
/// `id-schema.json`, `cases/*.yaml`, `documents/*.json`, and where they are needed `locations.csv` and `words.yaml`;
/// notes in `*.md` are left alone; anything else is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFiles(pub BTreeMap<String, String>);

/// The files that make the rule set. Cases are not among them: they test it and do not change it.
const FILES: [&str; 6] =
    ["country.yaml", "fields.yaml", "rules.yaml", "packets.yaml", "identity.yaml", "id-schema.json"];

/// Files that a pack can do without.
const OPTIONAL: [&str; 1] = ["words.yaml"];

/// Where a document lies in the canonical form, and the form's own version.
const FORMAT: (&str, u32) = ("civitas_rule_set", 1);

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
/// What the pack's cases are written in.
struct CaseSources<'a> {
    files: &'a [Document],
    /// Path of an event document → its text.
    documents: &'a BTreeMap<&'a str, &'a str>,
    reader: Option<&'a dyn ReadDocument>,
}

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
        if let Some(problem) = too_large(files) {
            return Err(Diagnostics::new(vec![problem]));
        }
        // Cases are about as long as everything else together, and reading is most of the work.
        let (documents, (case_documents, found)) = std::thread::scope(|scope| {
            let cases = scope.spawn(|| read_cases(files));
            let documents = read_files(files, &mut out);
            (documents, cases.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        out.extend(found);
        let mut event_documents = BTreeMap::new();
        for (name, text) in &files.0 {
            if cases::is_document(name) {
                event_documents.insert(name.as_str(), text.as_str());
            } else if !is_case_file(name) && !is_known(name) {
                out.push(
                    Diagnostic::of_file(
                        Code::P005,
                        name,
                        "the pack does not know this file and would not read it",
                    )
                    .suggest(nearest(name, FILES.into_iter().chain(OPTIONAL).chain([locations::FILE]))),
                );
            }
        }
        if !files.0.keys().any(is_case_file) {
            out.push(
                Diagnostic::of_file(Code::P006, "cases", "the pack has no cases")
                    .help("write down what must come out for which event, in cases/*.yaml: rules without tests are not trusted"),
            );
        }
        let places = files.0.get(locations::FILE).map(String::as_str);
        let sources = CaseSources { files: &case_documents, documents: &event_documents, reader };
        compile(&documents, &sources, places, &[], out)
    }

    /// The archived form of a rule set, brought back: the same digest, no cases.
    pub fn from_canonical(text: &str) -> Result<Self, Diagnostics> {
        let refuse =
            |reason: &str| Diagnostics::new(vec![Diagnostic::of_file(Code::P009, "canonical form", reason)]);
        let Ok(Value::Object(mut root)) = serde_json::from_str::<Value>(text) else {
            return Err(refuse("the archived rule set is not a JSON object"));
        };
        if root.remove(FORMAT.0) != Some(json!(FORMAT.1)) {
            return Err(refuse("the archived rule set is of a format that this build does not read"));
        }
        let documents = FILES
            .iter()
            .chain(&OPTIONAL)
            .filter_map(|name| Some((*name, Document::bare(name, "", root.remove(*name)?))))
            .collect::<BTreeMap<_, _>>();
        let places = match root.remove(locations::FILE) {
            None => None,
            Some(Value::String(table)) => Some(table),
            Some(_) => return Err(refuse("the archived rule set does not hold its places as a table")),
        };
        if !FILES.iter().all(|name| documents.contains_key(name)) || !root.is_empty() {
            return Err(refuse("the archived rule set does not hold the files of a pack"));
        }
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
        let Inner { packets, schema, country, locations, .. } = &*self.inner;
        Builder { packets, schema, country, locations: locations.as_deref(), context }.build(name)
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
        let mut documents = BTreeMap::new();
        for name in FILES {
            let read = if name == "id-schema.json" { Document::json } else { Document::yaml };
            if let Some(document) = files.0.get(name).and_then(|text| read(name, text, &mut out)) {
                documents.insert(name, document);
            }
        }
        let none = CaseSources { files: &[], documents: &BTreeMap::new(), reader: None };
        let places = files.0.get(locations::FILE).map(String::as_str);
        documents.len() < FILES.len() || compile(&documents, &none, places, &[], out).is_err()
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

/// Whether there is more than a pack can have: the wrong folder, most likely.
fn too_large(files: &PackFiles) -> Option<Diagnostic> {
    // A file that is too large by itself is told of by name, and not read.
    let bytes: usize = files.0.values().map(String::len).filter(|bytes| *bytes <= FILE_BYTES).sum();
    let message = if files.0.len() > PACK_FILES {
        format!("{} files; a pack has at most {PACK_FILES}", files.0.len())
    } else if bytes > PACK_BYTES {
        format!("{bytes} bytes in all files; a pack has at most {PACK_BYTES}")
    } else {
        return None;
    };
    Some(Diagnostic::of_file(Code::P030, "pack", message).help("is this the right folder?"))
}

fn too_many(name: &str) -> Diagnostic {
    Diagnostic::of_file(
        Code::P032,
        name,
        format!("more than {PACK_VALUES} values in the cases before this file, which is not read any more"),
    )
    .help("no pack comes near this limit: were the cases written by hand?")
}

/// Whether the pack reads the file, or leaves it alone as a note.
fn is_known(name: &str) -> bool {
    FILES.contains(&name)
        || OPTIONAL.contains(&name)
        || name == locations::FILE
        || Path::new(name).extension() == Some(OsStr::new("md"))
}

fn is_case_file(name: impl AsRef<str>) -> bool {
    let name = Path::new(name.as_ref());
    name.starts_with("cases") && name.extension() == Some(OsStr::new("yaml"))
}

/// Everything but cases.
fn read_files(files: &PackFiles, out: &mut Vec<Diagnostic>) -> BTreeMap<&'static str, Document> {
    let mut documents = BTreeMap::new();
    for name in FILES.into_iter().chain(OPTIONAL) {
        match files.0.get(name) {
            Some(text) => {
                let read = if name == "id-schema.json" { Document::json } else { Document::yaml };
                if let Some(document) = read(name, text, out) {
                    documents.insert(name, document);
                }
            }
            None if OPTIONAL.contains(&name) => {}
            None => out.push(
                Diagnostic::of_file(Code::P001, name, format!("`{name}` is missing"))
                    .help("a pack has country, fields, rules, packets and identity (.yaml), id-schema.json and cases/*.yaml"),
            ),
        }
    }
    documents
}

/// The cases, and what is wrong with their files.
fn read_cases(files: &PackFiles) -> (Vec<Document>, Vec<Diagnostic>) {
    let (mut documents, mut out) = (Vec::new(), Vec::new());
    let mut held = 0;
    for (name, text) in files.0.iter().filter(|(name, _)| is_case_file(name)) {
        if held > PACK_VALUES {
            out.push(too_many(name));
            break;
        }
        let document = Document::yaml(name, text, &mut out);
        held += document.as_ref().map_or(0, |document| document.values);
        documents.extend(document);
    }
    (documents, out)
}

fn compile(
    documents: &BTreeMap<&'static str, Document>,
    sources: &CaseSources<'_>,
    places: Option<&str>,
    forgiven: &[Code],
    mut out: Vec<Diagnostic>,
) -> Result<Pack, Diagnostics> {
    let country_file = read::<CountryFile>(documents, "country.yaml", &mut out);
    let fields_file = read::<FieldsFile>(documents, "fields.yaml", &mut out);
    let rules_file = read::<RulesFile>(documents, "rules.yaml", &mut out);
    let packets_file = read::<PacketsFile>(documents, "packets.yaml", &mut out);
    let identity_file = read::<IdentityFile>(documents, "identity.yaml", &mut out);
    let words_file = read::<WordsFile>(documents, "words.yaml", &mut out);
    let mut case_files = Vec::new();
    for document in sources.files {
        if let Some(file) = decode::<CasesFile>(document, &mut out) {
            version(file.version, document, &mut out);
            case_files.push((document, file));
        }
    }

    let country = country_file.as_ref().map(|(d, file)| Country::compile(file, d, &mut out));
    let catalogue = fields_file.as_ref().map(|(d, file)| Catalogue::compile(file, d, &mut out));
    let schema = documents.get("id-schema.json").map(|d| IdSchema::compile(d, &mut out)).unwrap_or_default();
    // What refers to forms can only be checked once there are forms.
    let (Some(country), Some(catalogue)) = (country, catalogue) else {
        return Err(problems(out));
    };
    let mut words = Words::default();
    if let Some((document, file)) = &country_file {
        country.check(file, &catalogue, document, &mut out);
        words = Words::compile(words_file.as_ref().map(|(d, file)| (*d, file)), &country, document, &mut out);
    }
    if let Some((document, file)) = &fields_file {
        catalogue.check_labels(file, &country, document, &mut out);
    }
    if let Some((document, file)) = &identity_file {
        identity::check(file, document, &catalogue, &mut out);
    }
    let locations = places.and_then(|table| locations::compile(table, &country, &mut out));
    let packets = packets_file.as_ref().map(|(d, file)| {
        let list = match (&locations, places) {
            (Some(locations), _) => List::Of(locations),
            (None, Some(_)) => List::Broken,
            (None, None) => List::Missing,
        };
        Packets::compile(file, d, &catalogue, &country, &schema, list, &mut out)
    });
    let (Some(packets), Some((document, file))) = (packets, &rules_file) else {
        return Err(problems(out));
    };
    let rules = RuleCompiler {
        document,
        file,
        catalogue: &catalogue,
        country: &country,
        packets: &packets,
        out: &mut out,
    }
    .compile();
    // Broken rules have ids too, which cases may name.
    let known: Vec<&str> = document.value["rules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.get("id")?.as_str())
        .collect();
    let world = CaseWorld {
        catalogue: &catalogue,
        country: &country,
        ids: &known,
        rules: &rules,
        documents: sources.documents,
        reader: sources.reader,
    };
    let cases = cases::compile(&case_files, &world, &mut out);
    // Where there is no list of rules at all, that is what is wrong.
    if !document.value["rules"].is_array() {
        out.retain(|problem| problem.code != Code::C004);
    }

    out.retain(|problem| !forgiven.contains(&problem.code));
    let found = problems(out);
    let Some((_, identity)) = identity_file else {
        return Err(found);
    };
    if found.has_errors() || !schema.is_usable() {
        return Err(found);
    }
    let canonical = canonical(documents, locations.as_ref());
    let digest = hex::encode(openssl::sha::sha256(canonical.as_bytes()));
    let inner = Inner {
        country,
        catalogue: Arc::new(catalogue),
        rules: Arc::new(rules),
        words: Arc::new(words),
        identity: Arc::new(identity),
        packets: Arc::new(packets),
        schema: Arc::new(schema),
        locations: locations.map(Arc::new),
        cases: Arc::new(cases.cases),
        unread: cases.unread,
        canonical,
        digest,
        warnings: found,
        reads: Reads::default(),
    };
    Ok(Pack { inner: Arc::new(inner) })
}

/// The problems, as many as are looked for.
fn problems(mut out: Vec<Diagnostic>) -> Diagnostics {
    limits::cut(&mut out);
    Diagnostics::new(out)
}

/// A file's shape checked, its version checked, and what can be decoded of it.
fn read<'d, T: JsonSchema + DeserializeOwned + Versioned>(
    documents: &'d BTreeMap<&'static str, Document>,
    name: &str,
    out: &mut Vec<Diagnostic>,
) -> Option<(&'d Document, T)> {
    let document = documents.get(name)?;
    let file = decode::<T>(document, out)?;
    version(file.version(), document, out);
    Some((document, file))
}

/// Whether a file is of the version that this build reads.
fn version(written: u32, document: &Document, out: &mut Vec<Diagnostic>) {
    if written != VERSION {
        out.push(
            document
                .at_value(Code::P007, &at("version"), format!("this build does not read version {written}"))
                .help(format!("the version is {VERSION}")),
        );
    }
}

/// The values of a map; none of anything else.
fn each(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_object_mut).into_iter().flat_map(|map| map.values_mut())
}

/// Sorts the lists in which order says nothing.
fn sort_sets(file: &str, value: &mut Value) {
    let sort = |list: &mut Value| {
        if let Some(items) = list.as_array_mut() {
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        }
    };
    match file {
        "rules.yaml" => {
            each(value.get_mut("groups")).for_each(sort);
            let rules = value.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten();
            rules.filter_map(|rule| rule.get_mut("despite")).for_each(sort);
        }
        "fields.yaml" => each(value.get_mut("events"))
            .flat_map(|event| each(event.get_mut("fields")))
            .filter_map(|field| field.get_mut("options"))
            .for_each(sort),
        _ => {}
    }
}

/// The documents as one JSON text, keys in order. The places are in it as they are, in a table of
/// sorted rows: a rule set is archived whole, under one name, and can be brought back from that alone.
fn canonical(documents: &BTreeMap<&'static str, Document>, locations: Option<&Locations>) -> String {
    let mut root = Map::new();
    root.insert(FORMAT.0.to_owned(), json!(FORMAT.1));
    for (name, document) in documents {
        let mut value = document.value.clone();
        sort_sets(name, &mut value);
        root.insert((*name).to_owned(), value);
    }
    if let Some(locations) = locations {
        root.insert(locations::FILE.to_owned(), json!(locations.canonical));
    }
    sorted(Value::Object(root)).to_string()
}
