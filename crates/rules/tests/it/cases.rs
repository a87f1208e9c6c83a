//! What a case can start from and expect.

use std::path::Path;

use civitas_rules::{CaseReport, Diagnostics, GivenDocument, OpencrvsVersion, Pack, PackFiles, ReadDocument};
use serde_json::json;

/// Reads a record out of a document's `actions`, as a test wants it.
struct Reader;

impl ReadDocument for Reader {
    fn read(&self, json: &str, action: Option<&str>, _: OpencrvsVersion) -> Result<GivenDocument, String> {
        let document: serde_json::Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let record = document["actions"][0].as_object().cloned().ok_or("nothing waits")?;
        Ok(GivenDocument {
            event_id: "e".to_owned(),
            tracking_id: "t".to_owned(),
            event: "birth".to_owned(),
            action: action.unwrap_or("REGISTER").to_owned(),
            custom_action: None,
            at: "2026-02-01T00:00:00Z".parse().map_err(|_| "no instant")?,
            before: record.clone(),
            after: record,
        })
    }
}

const ANN: &str = "documents/ann.json";

/// The small pack with other cases, and a document of Ann's birth.
fn pack(cases: &str) -> PackFiles {
    let mut files = crate::common::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"));
    let all = files.0.get_mut("cases/all.yaml").expect("cases");
    let records = all.split("cases:").next().expect("records").to_owned();
    *all = format!("{records}cases:\n{cases}");
    let ann = json!({
        "child.name": { "firstname": "Ann", "surname": "Lee" }, "child.dob": "2026-01-01",
        "child.gender": "female", "mother.verified": "verified",
    });
    files.0.insert(ANN.to_owned(), json!({ "type": "birth", "actions": [ann] }).to_string());
    files
}

fn run(cases: &str) -> CaseReport {
    let pack = Pack::load_with(&pack(cases), &Reader).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(pack.warnings().is_empty(), "{}", pack.warnings());
    pack.run_cases()
}

fn case(name: &str, given: &str, expect: &str) -> String {
    format!("  - name: {name}\n    given: {{ {given} }}\n    expect: {{ {expect} }}\n")
}

/// What differs, one line for each.
fn differences(report: &CaseReport) -> Vec<String> {
    let all = report.failures.iter().flat_map(|failure| &failure.differences);
    all.map(|one| format!("{}: {} / {}", one.what, one.expected, one.found)).collect()
}

#[test]
fn a_case_starts_from_a_document_and_changes_of_it() {
    let given = format!("document: {ANN}");
    let cases = [
        case("as it is", &given, "do: create_uin, rule: young"),
        case("with an id", &format!("{given}, with: {{ child.nid: '1' }}"), "do: none"),
        case("without a mother", &format!("{given}, without: [mother.verified]"), "do: none"),
        case("older", &format!("{given}, at: 2036-02-01T00:00:00Z"), "do: none"),
        case(
            "corrected",
            &format!(
                "{given}, action: APPROVE_CORRECTION, with: {{ child.nid: '1' }}, change: {{ child.dob: 2026-01-02 }}"
            ),
            "do: update_biographics, rule: corrected",
        ),
    ];
    let report = run(&cases.concat());
    assert!(report.is_ok() && report.total == 5 && report.unread == 0, "{report}");
}

#[test]
fn without_a_reader_documents_are_left_alone_and_it_is_said() {
    let cases = case("one", &format!("document: {ANN}"), "do: none");
    let report = Pack::load(&pack(&cases)).expect("a pack").run_cases();
    assert_eq!((report.total, report.unread), (0, 1));
    assert!(report.to_string().contains("1 not run"), "{report}");
}

#[test]
fn what_a_reader_refuses_is_said_at_the_case() {
    let mut files = pack(&case("one", &format!("document: {ANN}"), "do: none"));
    files.0.insert(ANN.to_owned(), json!({ "type": "birth", "actions": [] }).to_string());
    let problems: Diagnostics = Pack::load_with(&files, &Reader).expect_err("refused");
    let problem = problems.iter().next().expect("a problem");
    assert_eq!((problem.code.as_str(), problem.line, problem.column), ("C008", 12, 24), "{problems}");
    assert!(problem.message.ends_with("nothing waits"), "{problems}");
}

#[test]
fn a_reason_is_all_of_the_terms_and_no_others() {
    let older = "record: ann, action: REGISTER, at: 2036-02-01T00:00:00Z";
    let both = "record: ann, action: REGISTER, at: 2036-02-01T00:00:00Z, with: { mother.verified: failed }";
    let open = "record: ann, action: REGISTER, at: 2026-02-01T00:00:00Z, without: [mother.verified]";
    let because = |reason: &str| format!("do: none, because: {{ young: {{ {reason} }} }}");
    let right = [
        case("a", older, &because("failed: child.dob")),
        case("b", both, &because("failed: [child.dob, mother_known]")),
        case("c", both, &because("failed: [mother.verified, child.dob]")),
        case("d", open, &because("unknown: mother_known")),
        case("e", open, &because("unknown: mother.verified")),
    ];
    let report =
        run(&(right.concat() + &case("f", &format!("document: {ANN}"), "do: create_uin, rule: young")));
    assert!(report.is_ok(), "{report}");
    let wrong = [
        case("a", older, &because("failed: child.nid")),
        case("b", both, &because("failed: child.dob")),
        case("c", open, &because("failed: mother.verified")),
        case("d", "event: death, action: ARCHIVE, at: 2026-02-01T00:00:00Z", &because("failed: child.dob")),
        case(
            "e",
            &format!("document: {ANN}"),
            "do: create_uin, rule: young, because: { corrected: { failed: biographic } }",
        ),
    ];
    assert_eq!(
        differences(&run(&wrong.concat())),
        [
            "because.young: failed: child.nid / failed: child.dob",
            "because.young: failed: child.dob / failed: child.dob, mother_known",
            "because.young: failed: mother.verified / unknown: mother_known",
            "because.young: failed: child.dob / the rule is not for death ARCHIVE",
            "because.corrected: failed: biographic / the rule is not for birth REGISTER",
        ]
    );
}

#[test]
fn a_packet_that_cannot_be_built_can_be_what_is_expected() {
    let bare = format!("document: {ANN}, without: [child.gender]");
    let cases = [
        case("a", &bare, "do: create_uin, rule: young, unfit: [gender]"),
        case("b", &bare, "do: create_uin, rule: young, unfit: [gender, fullName]"),
        case("c", &format!("document: {ANN}"), "do: create_uin, rule: young, unfit: [gender]"),
        case("d", &bare, "do: create_uin, rule: young"),
    ];
    assert_eq!(
        differences(&run(&cases.concat())),
        [
            "unfit: fullName, gender / gender",
            "packet: cannot be built: gender / can be built",
            "packet: can be built / the record does not make a `birth` packet: gender: nothing in child.gender",
        ]
    );
}
