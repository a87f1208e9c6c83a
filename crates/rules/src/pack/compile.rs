//! From documents to a rule set: everything is checked, and all problems are told at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{Inner, Pack, canonical, lost};
use crate::cases::{self, CaseWorld};
use crate::catalogue::Catalogue;
use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::files::country::CountryFile;
use crate::files::fields::FieldsFile;
use crate::files::identity::IdentityFile;
use crate::files::packets::PacketsFile;
use crate::files::rules::RulesFile;
use crate::files::words::WordsFile;
use crate::files::{Versioned, cases::CasesFile};
use crate::given::ReadDocument;
use crate::identity;
use crate::idschema::IdSchema;
use crate::limits;
use crate::locations::{self, List};
use crate::mapping::Packets;
use crate::phrases::Words;
use crate::reads::Reads;
use crate::ruleset::RuleCompiler;
use crate::source::Document;
use crate::structure::decode;
use crate::template;

/// What the pack's cases are written in.
pub(super) struct CaseSources<'a> {
    pub(super) files: &'a [(Document, CasesFile)],
    /// Path of an event document → its text.
    pub(super) documents: &'a BTreeMap<&'a str, &'a str>,
    pub(super) reader: Option<&'a dyn ReadDocument>,
}

/// Compiles; problems with a code of `forgiven` are none.
pub(super) fn compile(
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
    let list = match (&locations, places) {
        (Some(locations), _) => List::Of(locations),
        (None, Some(_)) => List::Broken,
        (None, None) => List::Missing,
    };
    let packets = packets_file
        .as_ref()
        .map(|(d, file)| Packets::compile(file, d, &catalogue, &country, &schema, list, &mut out));
    let (Some(packets), Some((document, file))) = (packets, &rules_file) else {
        return Err(problems(out));
    };
    let rules = RuleCompiler {
        document,
        file,
        catalogue: &catalogue,
        country: &country,
        packets: &packets,
        locations: list,
        templates: template::environment(),
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
    let cases = cases::compile(sources.files, &world, &mut out);
    lost::quiet(documents, sources.files, &mut out);
    out.retain(|problem| !forgiven.contains(&problem.code));
    let found = problems(out);
    let Some((_, identity)) = identity_file else {
        return Err(found);
    };
    if found.has_errors() || !schema.is_usable() {
        return Err(found);
    }
    let canonical = canonical::of(documents, locations.as_ref());
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

/// What a file says, as far as it can be read.
fn read<'d, T: JsonSchema + DeserializeOwned + Versioned>(
    documents: &'d BTreeMap<&'static str, Document>,
    name: &str,
    out: &mut Vec<Diagnostic>,
) -> Option<(&'d Document, T)> {
    let document = documents.get(name)?;
    Some((document, decode(document, out)?))
}
