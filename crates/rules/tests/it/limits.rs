//! What is too much is refused with a code, and what once broke the loader does so no more.
//!
//! The inputs are those of `make fuzz`, which also measures the time and memory that each takes.

use std::collections::BTreeSet;

use civitas_rules::{Code, Pack};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

#[path = "../../fuzz/bombs.rs"]
mod bombs;
#[path = "../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../fuzz/mutate.rs"]
mod mutate;
#[path = "../../fuzz/target.rs"]
mod target;

use mutate::{Input, Seeds};

fn small() -> civitas_rules::PackFiles {
    crate::common::read(&crate::common::workspace().join("crates/rules/tests/pack"))
}

fn work(input: &Input, rng: &mut StdRng) -> target::Told {
    match input {
        Input::Files(files) => target::load(files, rng),
        Input::Canonical(text) => target::restore(text, rng),
    }
}

#[test]
fn what_is_too_much_is_refused_with_its_code() {
    let mut told = BTreeSet::new();
    for bomb in bombs::bombs(&small()) {
        let problems = match Pack::load(&bomb.files) {
            Ok(pack) => pack.warnings().clone(),
            Err(problems) => problems,
        };
        let Some(code) = bomb.code else { continue };
        let problem = problems.iter().find(|problem| problem.code == code);
        let problem = problem.unwrap_or_else(|| panic!("{}: {code} expected:\n{problems}", bomb.name));
        assert!(problem.to_string().len() < 2_000, "{}: {problem}", bomb.name);
        // One golden per code: the first bomb that provokes it.
        if code.as_str().starts_with("P03") && told.insert(code) {
            insta::with_settings!({
                snapshot_path => "../diagnostics",
                prepend_module_to_snapshot => false,
                description => code.title(),
                omit_expression => true,
            }, {
                insta::assert_snapshot!(code.as_str(), problem.to_string());
            });
        }
    }
    let limits: BTreeSet<Code> =
        Code::ALL.iter().copied().filter(|code| code.as_str().starts_with("P03")).collect();
    assert_eq!(told, limits, "a limit that no bomb reaches");
}

#[test]
fn what_once_broke_the_loader_does_so_no_more() {
    let kept = std::fs::read_dir(corpus::folder()).expect("the folder of kept inputs");
    for entry in kept.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|kind| kind == "txt") {
            println!("{}", path.display());
            work(&corpus::read(&path), &mut StdRng::seed_from_u64(1));
        }
    }
}

/// The short form of `make fuzz`: always the same inputs.
#[test]
fn whatever_is_nearly_a_pack_is_read_or_refused() {
    // Mostly the small one: a change hits more of it, and it is read in no time.
    let packs = vec![small(), small(), small(), crate::common::farajaland()];
    let archives =
        packs.iter().map(|files| Pack::load(files).expect("a pack").canonical().to_owned()).collect();
    let seeds = Seeds::new(packs, archives);
    let mut codes = BTreeSet::new();
    let mut loaded = 0;
    for number in 0..INPUTS {
        let mut rng = StdRng::seed_from_u64(number);
        let told = work(&seeds.input(&mut rng), &mut rng);
        codes.extend(told.codes);
        loaded += u64::from(told.loaded);
    }
    // Inputs that are all refused at the door, or all let in, would try nothing.
    assert!(codes.len() >= 40, "only {codes:?}");
    assert!(loaded > INPUTS / 50 && loaded < INPUTS * 9 / 10, "{loaded} of {INPUTS} are packs");
}

const INPUTS: u64 = 2_000;

#[test]
fn an_input_is_kept_as_it_is() {
    let files = [("rules.yaml", "a: \\u{1}\n=== x\n\u{feff}\r\n\u{0}\u{1F476}"), ("b", ""), ("c", "\n")];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let input = Input::Files(civitas_rules::PackFiles(files));
    let Input::Files(again) = corpus::parse(&corpus::text(&input)) else { panic!("files") };
    let Input::Files(files) = input else { panic!("files") };
    assert_eq!(again, files);
}
