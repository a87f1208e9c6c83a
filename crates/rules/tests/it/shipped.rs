//! The packs that are shipped: their cases pass, show every outcome and boundary, and notice each change for the worse.

use std::path::PathBuf;
use std::thread::available_parallelism;

use civitas_rules::{Pack, PackFiles, mutants};

use crate::common::{read, workspace};

/// The folders of `country-config` that hold a pack.
fn packs() -> Vec<(PathBuf, PackFiles)> {
    let listed = std::fs::read_dir(workspace().join("country-config")).expect("the folder of packs");
    let folders = listed.map(|entry| entry.expect("an entry").path());
    let packs: Vec<_> = folders
        .filter(|path| path.join("rules.yaml").is_file())
        .map(|path| (path.clone(), read(&path)))
        .collect();
    assert!(packs.len() > 1, "one country is no proof that the rules are for more than one");
    packs
}

#[test]
fn no_change_for_the_worse_goes_unnoticed() {
    for (folder, files) in packs() {
        let name = folder.display();
        let pack = Pack::load(&files).unwrap_or_else(|problems| panic!("{name}\n{problems}"));
        let cases = pack.run_cases();
        assert!(cases.is_ok(), "{name}\n{cases}");
        let mutants = mutants(&pack, &files);
        assert!(mutants.len() > 20, "{name} has only {} mutants", mutants.len());
        let threads = available_parallelism().map_or(1, std::num::NonZero::get);
        let report = pack.run_mutants(&files, &mutants, threads, &|_| {});
        let alive: Vec<String> =
            report.survived.iter().map(|mutant| format!("{mutant:?}\n{}", mutant.diff())).collect();
        assert!(alive.is_empty(), "{name}: no case notices these\n\n{}", alive.join("\n"));
    }
}

#[test]
fn every_outcome_and_boundary_is_shown_by_a_case() {
    for (folder, files) in packs() {
        let pack = Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"));
        let coverage = pack.coverage();
        assert!(coverage.total > 10, "{}", folder.display());
        let missing = pack.missing_cases(&files);
        let cases: Vec<String> = missing
            .cases
            .iter()
            .map(|case| format!("{}: {}\n{}", case.file, case.shows.join("; "), case.yaml))
            .collect();
        assert!(
            coverage.missing.is_empty(),
            "{}: {} of {}, no case found for {:#?}\n\n{}",
            folder.display(),
            coverage.covered(),
            coverage.total,
            missing.not_found,
            cases.join("\n"),
        );
    }
}
