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
use crate::cases::{self, Case};
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::country::Country;
use crate::decision::{Decision, Facts};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::explain::Explanation;
use crate::files::country::CountryFile;
use crate::files::fields::FieldsFile;
use crate::files::identity::IdentityFile;
use crate::files::packets::PacketsFile;
use crate::files::rules::RulesFile;
use crate::files::{VERSION, Versioned, cases::CasesFile};
use crate::identity;
use crate::idschema::IdSchema;
use crate::mapping::Packets;
use crate::number::Seed;
use crate::packet::{Builder, Packet, PacketContext, PacketError};
use crate::reads::Reads;
use crate::ruleset::{RuleCompiler, Rules};
use crate::source::{Document, at, sorted};
use crate::structure::decode;
use crate::suggest::nearest;
use crate::term::Scene;

/// The text files of a pack: path relative to its folder, with `/` → text.
///
/// Known are `country.yaml`, `fields.yaml`, `rules.yaml`, `packets.yaml`, `identity.yaml`,
/// `id-schema.json` and `cases/*.yaml`; notes in `*.md` are left alone; anything else is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackFiles(pub BTreeMap<String, String>);

/// The files that make the rule set. Cases are not among them: they test it and do not change it.
const FILES: [&str; 6] =
    ["country.yaml", "fields.yaml", "rules.yaml", "packets.yaml", "identity.yaml", "id-schema.json"];

/// Where a document lies in the canonical form, and the form's own version.
const FORMAT: (&str, u32) = ("civitas_rule_set", 1);

/// A compiled country pack. Cloning is cheap; everything in it is immutable.
#[derive(Clone)]
pub struct Pack {
    inner: Arc<Inner>,
}

/// What a pack is made of.
pub(crate) struct Inner {
    pub(crate) country: Country,
    pub(crate) catalogue: Catalogue,
    pub(crate) rules: Rules,
    pub(crate) identity: IdentityFile,
    packets: Packets,
    schema: IdSchema,
    cases: Vec<Case>,
    canonical: String,
    digest: String,
    warnings: Diagnostics,
    reads: Reads,
}

impl Inner {
    pub(crate) fn scene<'a>(&'a self, facts: &'a Facts<'a>) -> Scene<'a> {
        Scene::new(facts, &self.country.time_zone, self.country.leap_birthday)
    }
}

impl Pack {
    /// Reads, checks and compiles a pack; reports every problem at once.
    pub fn load(files: &PackFiles) -> Result<Self, Diagnostics> {
        let mut out = Vec::new();
        let mut documents = BTreeMap::new();
        for name in FILES {
            match files.0.get(name) {
                Some(text) => {
                    let read = if name == "id-schema.json" { Document::json } else { Document::yaml };
                    if let Some(document) = read(name, text, &mut out) {
                        documents.insert(name, document);
                    }
                }
                None => out.push(
                    Diagnostic::of_file(Code::P001, name, format!("`{name}` is missing"))
                        .help("a pack has country, fields, rules, packets and identity (.yaml), id-schema.json and cases/*.yaml"),
                ),
            }
        }
        let mut case_documents = Vec::new();
        for (name, text) in &files.0 {
            if is_case_file(name) {
                case_documents.extend(Document::yaml(name, text, &mut out));
            } else if !FILES.contains(&name.as_str()) && Path::new(name).extension() != Some(OsStr::new("md"))
            {
                out.push(
                    Diagnostic::of_file(
                        Code::P005,
                        name,
                        "the pack does not know this file and would not read it",
                    )
                    .suggest(nearest(name, FILES)),
                );
            }
        }
        if !files.0.keys().any(is_case_file) {
            out.push(
                Diagnostic::of_file(Code::P006, "cases", "the pack has no cases")
                    .help("write down what must come out for which event, in cases/*.yaml: rules without tests are not trusted"),
            );
        }
        compile(&documents, &case_documents, out)
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
            .filter_map(|name| Some((*name, Document::bare(name, "", root.remove(*name)?))))
            .collect::<BTreeMap<_, _>>();
        if documents.len() < FILES.len() || !root.is_empty() {
            return Err(refuse("the archived rule set does not hold the files of a pack"));
        }
        compile(&documents, &[], Vec::new())
    }

    /// SHA-256 of the canonical form, in hexadecimal: the name of the rule set.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Canonical JSON of everything that decides: comments and meaningless order dropped, cases left out.
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
        Builder { packets: &self.inner.packets, schema: &self.inner.schema, context }.build(name)
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

    /// Runs the pack's own cases.
    pub fn run_cases(&self) -> CaseReport {
        caserun::run(self, &self.inner.cases)
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

fn is_case_file(name: impl AsRef<str>) -> bool {
    let name = Path::new(name.as_ref());
    name.starts_with("cases") && name.extension() == Some(OsStr::new("yaml"))
}

fn compile(
    documents: &BTreeMap<&'static str, Document>,
    case_documents: &[Document],
    mut out: Vec<Diagnostic>,
) -> Result<Pack, Diagnostics> {
    let country_file = read::<CountryFile>(documents, "country.yaml", &mut out);
    let fields_file = read::<FieldsFile>(documents, "fields.yaml", &mut out);
    let rules_file = read::<RulesFile>(documents, "rules.yaml", &mut out);
    let packets_file = read::<PacketsFile>(documents, "packets.yaml", &mut out);
    let identity_file = read::<IdentityFile>(documents, "identity.yaml", &mut out);
    let mut case_files = Vec::new();
    for document in case_documents {
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
        return Err(Diagnostics::new(out));
    };
    if let Some((document, file)) = &country_file {
        country.check(file, &catalogue, document, &mut out);
    }
    if let Some((document, file)) = &identity_file {
        identity::check(file, document, &catalogue, &mut out);
    }
    let packets = packets_file
        .as_ref()
        .map(|(d, file)| Packets::compile(file, d, &catalogue, &country, &schema, &mut out));
    let (Some(packets), Some((document, file))) = (packets, &rules_file) else {
        return Err(Diagnostics::new(out));
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
    let cases = cases::compile(&case_files, &catalogue, &known, &mut out);

    let found = Diagnostics::new(out);
    let Some((_, identity)) = identity_file else {
        return Err(found);
    };
    if found.has_errors() || !schema.is_usable() {
        return Err(found);
    }
    let canonical = canonical(documents);
    let digest = hex::encode(openssl::sha::sha256(canonical.as_bytes()));
    let inner = Inner {
        country,
        catalogue,
        rules,
        identity,
        packets,
        schema,
        cases,
        canonical,
        digest,
        warnings: found,
        reads: Reads::default(),
    };
    Ok(Pack { inner: Arc::new(inner) })
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

/// The documents as one JSON text, keys in order.
fn canonical(documents: &BTreeMap<&'static str, Document>) -> String {
    let mut root = Map::new();
    root.insert(FORMAT.0.to_owned(), json!(FORMAT.1));
    for (name, document) in documents {
        root.insert((*name).to_owned(), document.value.clone());
    }
    sorted(Value::Object(root)).to_string()
}
