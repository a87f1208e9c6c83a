//! A section that cannot be read is one mistake, and not one more for each name that is looked for in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::codes::Code;
use crate::diagnostics::Diagnostic;
use crate::files::cases::CasesFile;
use crate::files::country::CountryFile;
use crate::files::fields::FieldsFile;
use crate::files::packets::PacketsFile;
use crate::files::rules::RulesFile;
use crate::source::Document;
use crate::structure::is_lost;

/// Takes out what only follows from a lost section, which has been reported itself.
pub(super) fn quiet(
    documents: &BTreeMap<&'static str, Document>,
    cases: &[(Document, CasesFile)],
    out: &mut Vec<Diagnostic>,
) {
    let structural = [Code::S001, Code::S002, Code::S003];
    if !out.iter().any(|problem| structural.contains(&problem.code)) {
        return;
    }
    follow::<CountryFile>(documents, "country.yaml", "biometric_enrolment_age", &[Code::R066], out);
    follow::<CountryFile>(documents, "country.yaml", "locations", &[Code::L001], out);
    follow::<FieldsFile>(documents, "fields.yaml", "events", &[Code::R003, Code::N006, Code::E002], out);
    follow::<RulesFile>(documents, "rules.yaml", "rules", &[Code::C004], out);
    follow::<RulesFile>(documents, "rules.yaml", "conditions", &[Code::R008], out);
    follow::<RulesFile>(documents, "rules.yaml", "groups", &[Code::R008, Code::R020], out);
    follow::<PacketsFile>(documents, "packets.yaml", "packets", &[Code::R023], out);
    for (document, _) in cases.iter().filter(|(document, _)| is_lost::<CasesFile>(document, "records")) {
        out.retain(|problem| problem.code != Code::C002 || problem.file != document.name);
    }
}

fn follow<T: JsonSchema>(
    documents: &BTreeMap<&'static str, Document>,
    file: &str,
    section: &str,
    codes: &[Code],
    out: &mut Vec<Diagnostic>,
) {
    if documents.get(file).is_some_and(|document| is_lost::<T>(document, section)) {
        out.retain(|problem| !codes.contains(&problem.code));
    }
}
