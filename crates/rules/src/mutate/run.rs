//! Running mutants: compiled from their text, with everything that the change cannot touch taken over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::country::Country;
use crate::files::country::CountryFile;
use crate::files::packets::PacketsFile;
use crate::files::rules::RulesFile;
use crate::locations::List;
use crate::mapping::Packets;
use crate::mutate::Mutant;
use crate::pack::{Inner, Pack, PackFiles};
use crate::ruleset::RuleCompiler;
use crate::source::Document;
use crate::template;

/// What came of the mutants.
#[derive(Clone, Debug)]
pub struct MutationReport {
    /// Mutants that a case noticed.
    pub killed: usize,
    /// Mutants that the check refuses, so that no case has to notice them.
    pub refused: Vec<Mutant>,
    /// Mutants that no case noticed.
    pub survived: Vec<Mutant>,
}

impl MutationReport {
    /// Killed among those that the check does not refuse, in percent, rounded down; 100 if there are none.
    pub fn score(&self) -> usize {
        let all = self.killed + self.survived.len();
        (self.killed * 100).checked_div(all).unwrap_or(100)
    }
}

enum Fate {
    Killed,
    Refused,
    Survived,
}

/// Runs mutants on `threads` threads; `done` is told how many are through.
///
/// The pack's own cases must pass; `files` are those that it was loaded from.
pub(crate) fn run(
    pack: &Pack,
    files: &PackFiles,
    mutants: &[Mutant],
    threads: usize,
    done: &(dyn Fn(usize) + Sync),
) -> MutationReport {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let fates = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some((index, mutant)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    mutants.get(index).map(|mutant| (index, mutant))
                } {
                    let fate = fate(pack, files, mutant);
                    fates.lock().unwrap_or_else(PoisonError::into_inner).insert(index, fate);
                    done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let mut report = MutationReport { killed: 0, refused: Vec::new(), survived: Vec::new() };
    for (index, fate) in fates.into_inner().unwrap_or_else(PoisonError::into_inner) {
        match fate {
            Fate::Killed => report.killed += 1,
            Fate::Refused => report.refused.extend(mutants.get(index).cloned()),
            Fate::Survived => report.survived.extend(mutants.get(index).cloned()),
        }
    }
    report
}

fn fate(pack: &Pack, files: &PackFiles, mutant: &Mutant) -> Fate {
    let Some(changed) = rebuild(pack.inner(), &mutant.file, &mutant.text) else { return Fate::Refused };
    let cases = &pack.inner().cases;
    if mutant.cases.iter().any(|index| cases.get(*index).is_some_and(|case| !case.holds(&changed))) {
        return Fate::Killed;
    }
    // The short way took over what it could; whoever survives it goes the whole way too.
    let mut whole = files.clone();
    whole.0.insert(mutant.file.clone(), mutant.text.clone());
    if Pack::refuses(&whole) { Fate::Refused } else { Fate::Survived }
}

/// The pack with another text in one of its files; `None` if that does not compile.
fn rebuild(pack: &Inner, file: &str, text: &str) -> Option<Pack> {
    let mut out = Vec::new();
    let document = Document::yaml(file, text, &mut out)?;
    let mut inner = Inner {
        country: pack.country.clone(),
        catalogue: Arc::clone(&pack.catalogue),
        rules: Arc::clone(&pack.rules),
        words: Arc::clone(&pack.words),
        identity: Arc::clone(&pack.identity),
        packets: Arc::clone(&pack.packets),
        schema: Arc::clone(&pack.schema),
        locations: pack.locations.clone(),
        cases: Arc::clone(&pack.cases),
        unread: pack.unread,
        canonical: String::new(),
        digest: String::new(),
        warnings: crate::diagnostics::Diagnostics::default(),
        reads: crate::reads::Reads::default(),
    };
    let value = document.value.clone();
    let list = pack.locations.as_deref().map_or(List::Missing, List::Of);
    match file {
        "rules.yaml" => {
            let file: RulesFile = serde_json::from_value(value).ok()?;
            let rules = RuleCompiler {
                document: &document,
                file: &file,
                catalogue: &pack.catalogue,
                country: &pack.country,
                packets: &pack.packets,
                locations: list,
                templates: template::environment(),
                out: &mut out,
            }
            .compile();
            inner.rules = Arc::new(rules);
        }
        "packets.yaml" => {
            let file: PacketsFile = serde_json::from_value(value).ok()?;
            let packets = Packets::compile(
                &file,
                &document,
                &pack.catalogue,
                &pack.country,
                &pack.schema,
                list,
                &mut out,
            );
            inner.packets = Arc::new(packets);
        }
        _ => {
            let file: CountryFile = serde_json::from_value(value).ok()?;
            inner.country = Country::compile(&file, &document, &mut out);
        }
    }
    let refused = out.iter().any(|problem| !problem.code.is_warning());
    (!refused).then(|| Pack::from_inner(inner))
}
