//! The mistakes that people make most in YAML, and what they are told.

use std::fmt::Write as _;

use civitas_rules::{Code, Pack};

use crate::common::farajaland;
use crate::diagnostics::{problems_of, small};

/// What stands in rules.yaml, what somebody wrote instead, and what is said: code, line, message, help.
type Slip = (&'static str, &'static str, Code, usize, &'static str, &'static str);

const NAME: &str = "{ en: Young, fr: Jeune }";
const IF: &str = "if: { changed: biographic }";

const SLIPS: &[Slip] = &[
    (
        "    name: { en: Young",
        "\tname: { en: Young",
        Code::P010,
        8,
        "the indentation has a tab",
        "put two spaces for each level",
    ),
    (
        "    do: create",
        "\u{a0}   do: create",
        Code::P012,
        15,
        "looks like a space and is none",
        "delete it and type a space",
    ),
    (
        "        - child.dob",
        "       - child.dob",
        Code::P002,
        13,
        "indented by 7 spaces",
        "indent it by 8 spaces",
    ),
    (
        "    do: create_uin",
        "   do: create_uin",
        Code::P002,
        15,
        "indented by 3 spaces",
        "indent it by 4 spaces",
    ),
    (
        "    do: create_uin",
        "      do: create_uin",
        Code::R018,
        15,
        "`do` stands inside of the condition",
        "indent it like `if`",
    ),
    ("id: young", "id:young", Code::P002, 7, "a space is missing after the colon", "write `id: young`"),
    (
        "- child.nid: absent",
        "-child.nid: absent",
        Code::P002,
        12,
        "a space is missing after the hyphen",
        "a hyphen and a space",
    ),
    ("do: create_uin", "do: \"create_uin", Code::P002, 15, "this quote is not closed", "the same quote"),
    (NAME, "{ en: Young, fr: Jeune", Code::P002, 8, "this `{` is not closed", "put `}` where it ends"),
    (
        NAME,
        "\n      en: Young: a child\n      fr: Jeune",
        Code::P002,
        9,
        "a text with a colon in it",
        "in quotes: \"Young: a child\"",
    ),
    (
        NAME,
        "{ en: @Young, fr: Jeune }",
        Code::P002,
        8,
        "a text cannot start with `@`",
        "put the text in quotes",
    ),
    (
        NAME,
        "{ en: *Young, fr: Jeune }",
        Code::P002,
        8,
        "a text cannot start with `*`",
        "put the text in quotes",
    ),
    ("rules:", "---\nrules:", Code::P002, 6, "a second document starts here", "take the line `---` out"),
    (NAME, "Young", Code::S003, 8, "a map of keys belongs here, this is a text", "{ en: Young, … }"),
    (NAME, "{ en: Young }", Code::R029, 8, "the text is missing in fr", "country.yaml lists the languages"),
    ("do: create_uin", "do: create_uin\n    do: ignore", Code::P004, 16, "`do` is given twice", "keep one"),
    (
        IF,
        "if: { child.twin: { equals: yes } }",
        Code::R012,
        22,
        "a yes or no",
        "true or false, without quotes",
    ),
    (IF, "if: { child.twin: yes }", Code::R010, 22, "`yes` is not a predicate", "`{ equals: true }`"),
    (IF, "if: { child.twin: true }", Code::R019, 22, "what is asked of the field", "`{ equals: true }`"),
    (IF, "if: { child.gender: { equals: true } }", Code::R012, 22, "a choice", "in quotes: \"true\""),
    (IF, "if: { child.nid: { equals: 1230 } }", Code::R012, 22, "a text", "in quotes: \"1230\""),
    (IF, "if: { child.dob: { before: 20260131 } }", Code::R016, 22, "not a date", "`2026-01-31`"),
    (
        IF,
        "if: { child.dob: { before: 01/02/2026 } }",
        Code::R016,
        22,
        "not a date",
        "`2026-02-01` or `2026-01-02`",
    ),
    (
        "age_below: 10 years",
        "age_below: <= 10 years",
        Code::R015,
        13,
        "not an age",
        "`{ age_below: 11 years }`",
    ),
    ("  - id: young", "    id: young", Code::P002, 7, "a hyphen is missing", "write `- id: young`"),
    (IF, "if: { child.dob: { before: 31/01/2026 } }", Code::R016, 22, "not a date", "`2026-01-31`"),
    ("10 years", "10", Code::R015, 13, "this is not an age", "`10 years`"),
    (
        "{ age_below: 10 years }",
        "< 10 years",
        Code::R010,
        13,
        "is not a predicate",
        "`{ age_below: 10 years }`",
    ),
    (
        "{ age_below: 10 years }",
        "\"<= 10 years\"",
        Code::R010,
        13,
        "is not a predicate",
        "`{ age_below: 11 years }`",
    ),
    ("age_below: 10", "age_at_most: 10", Code::R010, 13, "is not a predicate", "`{ age_below: 11 years }`"),
    (IF, "if: { child.weight: { '<': 3 } }", Code::R010, 22, "is not a predicate", "`{ less_than: … }`"),
    ("deadline: 14 days", "deadline: 14", Code::S003, 18, "a text belongs here", "`14 days`"),
    (
        "on: { event: birth, action: REGISTER }",
        "on: { event: birth, action: REVOKE_REGISTRATION }",
        Code::R004,
        9,
        "OpenCRVS never asks about",
        "custom_action: REVOKE_REGISTRATION",
    ),
    (
        IF,
        "if: { child.gender: { matches: '[0-9]+' } }",
        Code::R013,
        22,
        "no value of the field fits",
        "male, female",
    ),
];

#[test]
fn each_slip_is_told_what_to_change() {
    let mut unsaid = String::new();
    for (from, to, code, line, message, help) in SLIPS {
        let mut files = small();
        let rules = files.0.get_mut("rules.yaml").expect("rules");
        assert!(rules.contains(from), "{from}");
        *rules = rules.replacen(from, to, 1);
        let problems = problems_of(&files);
        let found = problems.iter().any(|problem| {
            problem.code == *code
                && problem.line == *line
                && problem.message.contains(message)
                && problem.help.as_deref().is_some_and(|text| text.contains(help))
        });
        if !found {
            let _ = writeln!(
                unsaid,
                "{to:?} should say {code} in line {line}, {message:?} and {help:?}; it says\n{problems}\n"
            );
        }
    }
    assert!(unsaid.is_empty(), "{unsaid}");
}

#[test]
fn numbers_that_are_texts_are_told_to_be_put_in_quotes() {
    for (file, from, to, said) in [
        ("country.yaml", "\"1.9\"", "2.0", "in quotes: \"2.0\""),
        ("packets.yaml", "\"0.5\"", "0.50", "in quotes: \"0.50\""),
    ] {
        let mut files = small();
        let text = files.0.get_mut(file).expect("a file");
        *text = text.replacen(from, to, 1);
        let problems = problems_of(&files).to_string();
        assert!(problems.contains(said), "{problems}");
        assert!(!problems.contains("did you mean"), "{problems}");
    }
}

/// What another machine does to a file on its way is no mistake.
#[test]
fn windows_lines_and_a_byte_order_mark_mean_nothing() {
    let digest = |change: fn(&str) -> String| {
        let mut files = small();
        for text in files.0.values_mut() {
            *text = change(text);
        }
        Pack::load(&files).map(|pack| pack.digest().to_owned()).map_err(|problems| problems.to_string())
    };
    let plain = digest(str::to_owned);
    assert!(plain.is_ok());
    assert_eq!(plain, digest(|text| text.replace('\n', "\r\n")));
    assert_eq!(plain, digest(|text| format!("\u{feff}{text}")));
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").expect("rules");
    *rules = rules.replacen("create_uin", "create_uni", 1).replace('\n', "\r\n");
    assert!(!problems_of(&files).to_string().contains('\r'));
}

#[test]
fn a_file_without_content_is_called_empty() {
    let mut files = small();
    files.0.insert("packets.yaml".to_owned(), "# nothing yet\n".to_owned());
    let problems = problems_of(&files).to_string();
    assert!(problems.contains("the file is empty"), "{problems}");
}

/// Without a list of rules, cases are not told that each rule is missing.
#[test]
fn what_follows_from_a_missing_list_of_rules_is_not_said() {
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").expect("rules");
    let kept = rules.find("rules:").expect("the key") + "rules:".len();
    rules.truncate(kept);
    let codes: Vec<Code> = problems_of(&files).iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::S003]);
}

/// One mistake does not hide another one in the same rule.
#[test]
fn a_rule_of_the_wrong_shape_is_checked_as_far_as_it_goes() {
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").expect("rules");
    *rules = rules
        .replacen("do: create_uin", "do: create_uni", 1)
        .replacen("child.nid: absent", "child.nidd: absent", 1)
        .replacen("send: birth", "send: brith", 1);
    let codes: Vec<Code> = problems_of(&files).iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::R006, Code::S004, Code::R023]);
}

/// One slip is one message: the key that was meant is not missing as well.
#[test]
fn a_misspelt_key_is_not_missing_too() {
    for (from, to, meant) in [
        ("    send: birth", "    sends: birth", "send"),
        ("    name: { en: Young", "    nam: { en: Young", "name"),
        ("    send: birth", "    send: birth\n    audit: { copleted: { en: Done, fr: Fait } }", "completed"),
    ] {
        let mut files = small();
        let rules = files.0.get_mut("rules.yaml").expect("rules");
        assert!(rules.contains(from));
        *rules = rules.replacen(from, to, 1);
        let problems = problems_of(&files);
        let found: Vec<_> =
            problems.iter().map(|problem| (problem.code, problem.suggestion.as_deref())).collect();
        assert_eq!(found, [(Code::S002, Some(meant))], "{problems}");
    }
}

/// Texts in a language whose code is a mistake cannot be written: only the code is reported.
#[test]
fn a_wrong_language_code_is_the_only_thing_said() {
    let mut files = small();
    let country = files.0.get_mut("country.yaml").expect("country");
    *country = country.replacen("code: fr", "code: french", 1);
    let codes: Vec<Code> = problems_of(&files).iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::N001]);
}

/// What caused a problem comes before it: cases are last, though their folder is first by name.
#[test]
fn causes_come_before_what_follows_from_them() {
    let mut files = small();
    let rules = files.0.get_mut("rules.yaml").expect("rules");
    *rules = rules.replacen("id: corrected", "id: young", 1);
    let cases = files.0.get_mut("cases/all.yaml").expect("cases");
    cases.push_str("  - name: one more\n    given: { record: ann, action: APPROVE_CORRECTION, at: 2026-02-01T00:00:00Z }\n    expect: { do: update_biographics, rule: corrected }\n");
    let codes: Vec<Code> = problems_of(&files).iter().map(|problem| problem.code).collect();
    assert_eq!(codes.first(), Some(&Code::R001), "{codes:?}");
    assert_eq!(codes.last(), Some(&Code::C004), "{codes:?}");
}

/// What MOSIP insists on is compared with the schema, and may not be left out.
#[test]
fn a_mandatory_field_exists_and_is_always_there() {
    for (from, to, code) in [
        ("mandatory: [fullName, UIN]", "mandatory: [fullname, UIN]", Code::M018),
        (
            "      fullName:\n        languages:",
            "      fullName:\n        optional: true\n        languages:",
            Code::M019,
        ),
    ] {
        let mut files = small();
        let packets = files.0.get_mut("packets.yaml").expect("packets");
        assert!(packets.contains(from));
        *packets = packets.replacen(from, to, 1);
        let codes: Vec<Code> = problems_of(&files).iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [code], "{to}");
    }
}

/// A section that is misspelt, or no section at all, is said once, and not once more for each name that is looked for in it.
#[test]
fn a_lost_section_is_one_mistake() {
    let misspelt = [
        ("country.yaml", "biometric_enrolment_age:", "biometric_enrollment_age:"),
        ("country.yaml", "locations:", "location:"),
        ("fields.yaml", "events:", "event:"),
        ("rules.yaml", "rules:", "ruls:"),
        ("rules.yaml", "conditions:", "condtions:"),
        ("rules.yaml", "groups:", "group:"),
        ("packets.yaml", "packets:", "packet:"),
        ("cases/revocation.yaml", "records:", "recrods:"),
    ];
    for (file, from, to) in misspelt {
        one_mistake(Code::S002, file, &|text| text.replacen(&format!("\n{from}"), &format!("\n{to}"), 1));
    }
    // The last section of its file: what stands there goes with it.
    let of_another_kind = [
        ("fields.yaml", "events", "[nothing]"),
        ("fields.yaml", "events", "none yet"),
        ("rules.yaml", "rules", "{ a: {} }"),
        ("packets.yaml", "packets", "[]"),
        ("packets.yaml", "packets", ""),
    ];
    for (file, section, value) in of_another_kind {
        let end = |text: &str| text.find(&format!("\n{section}:")).expect("the section");
        one_mistake(Code::S003, file, &|text| format!("{}\n{section}: {value}\n", &text[..end(text)]));
    }
}

fn one_mistake(code: Code, file: &str, slip: &dyn Fn(&str) -> String) {
    let mut files = farajaland();
    let text = files.0.get_mut(file).expect("the file");
    *text = slip(text);
    let problems = Pack::load(&files).expect_err("a mistake");
    let found: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(found, [code], "{file}:\n{problems}");
}
