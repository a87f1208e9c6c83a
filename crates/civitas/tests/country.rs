//! What a country's team meets first: a new pack, its forms out of OpenCRVS, a second country.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use civitas_sandbox::{Sandbox, SandboxKeys, SandboxOptions};
use serde_json::{Value, json};

fn civitas(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_civitas"));
    command.args(arguments).current_dir(folder).env_remove("CIVITAS_CONFIG").output().unwrap()
}

fn said(run: &Output) -> String {
    String::from_utf8(run.stdout.clone()).unwrap() + std::str::from_utf8(&run.stderr).unwrap()
}

fn new_pack(folder: &Path) {
    let run = civitas(&["country", "new", "pack", "--code", "tst", "--name", "Testland", "--yes"], folder);
    assert!(run.status.success(), "{}", said(&run));
}

#[test]
fn a_new_pack_never_goes_where_something_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pack")).unwrap();
    fs::write(folder.path().join("pack/notes.txt"), "mine").unwrap();
    let run =
        civitas(&["country", "new", "pack", "--code", "TST", "--name", "Testland", "--yes"], folder.path());
    assert!(!run.status.success() && said(&run).contains("pack is not empty"), "{}", said(&run));
    assert_eq!(fs::read_dir(folder.path().join("pack")).unwrap().count(), 1);
    let run = civitas(&["country", "new", "other"], folder.path());
    assert!(!run.status.success() && said(&run).contains("--code and --name missing"), "{}", said(&run));
    assert!(!folder.path().join("other").exists(), "nothing is written when something is wrong");
}

/// Each file of a new pack names a schema that lies beside it, and fits it.
#[test]
fn a_new_pack_completes_in_an_editor_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    new_pack(folder.path());
    let pack = folder.path().join("pack");
    let mut checked = 0;
    for name in [
        "country",
        "fields",
        "rules",
        "packets",
        "identity",
        "cases/birth",
        "cases/correction",
        "cases/death",
    ] {
        let path = pack.join(format!("{name}.yaml"));
        let text = fs::read_to_string(&path).unwrap();
        let schema = text.lines().next().unwrap().split_once("$schema=").unwrap().1.to_owned();
        let schema = fs::read_to_string(path.parent().unwrap().join(schema)).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        assert!(schema["title"].is_string());
        checked += 1;
    }
    assert_eq!(checked, 8);
}

/// A page of the form as OpenCRVS configures it, with what a catalogue has no use for.
fn page(id: &str, fields: &[Value]) -> Value {
    json!({ "id": id, "type": "FORM", "title": text(id), "fields": fields, "conditional": { "type": "object" } })
}

fn text(message: &str) -> Value {
    json!({ "id": format!("v2.{message}"), "defaultMessage": message, "description": "A label" })
}

fn field(id: &str, kind: &str) -> Value {
    json!({
        "id": id, "type": kind, "label": text(id), "required": true, "secured": false,
        "conditionals": [{ "type": "SHOW", "conditional": { "type": "object", "properties": {} } }],
        "validation": [], "parent": { "$$field": "child.name" },
    })
}

fn choice(id: &str, kind: &str, options: &[&str]) -> Value {
    let mut field = field(id, kind);
    field["options"] = options.iter().map(|value| json!({ "value": value, "label": text(value) })).collect();
    field
}

/// The event configuration of a country: the form of birth of a new pack, moved on.
fn configuration() -> Value {
    let person = |who: &str| {
        let mut fields = vec![field(&format!("{who}.heading"), "PAGE_HEADER")];
        for (id, kind) in [
            ("name", "NAME"),
            ("dob", "DATE"),
            ("nid", "ID"),
            ("verified", "VERIFICATION_STATUS"),
            ("verify-nid-http-fetch", "HTTP"),
            ("query-params", "QUERY_PARAM_READER"),
        ] {
            fields.push(field(&format!("{who}.{id}"), kind));
        }
        fields
    };
    let mut informant = person("informant");
    informant.push(choice("informant.relation", "SELECT", &["MOTHER", "FATHER", "OTHER", "GRANDMOTHER"]));
    informant.push(field("informant.phoneNo", "PHONE"));
    let father: Vec<Value> =
        person("father").into_iter().filter(|field| field["id"] != "father.verified").collect();
    let child = [
        field("child.intro", "PARAGRAPH"),
        field("child.name", "NAME"),
        choice("child.gender", "RADIO_GROUP", &["male", "female", "unknown"]),
        field("child.dob", "DATE"),
        field("child.nid", "ALPHA_HIDDEN"),
        field("child.weightAtBirth", "NUMBER_WITH_UNIT"),
        field("child.footprint", "FOOTPRINT_READER"),
    ];
    let pages = json!([
        page("child", &child),
        page("mother", &person("mother")),
        page("father", &father),
        page("informant", &informant)
    ]);
    json!([
        {
            "id": "birth", "label": text("Birth"), "title": text("{child.name}"), "flags": [],
            "summary": { "fields": [{ "fieldId": "child.dob" }] },
            "declaration": { "label": text("Birth declaration"), "pages": pages },
            "actions": [
                { "type": "DECLARE", "label": text("Declare"), "review": { "title": text("r"), "fields": [field("review.comment", "TEXTAREA")] } },
                { "type": "CUSTOM", "customActionType": "REVOKE_REGISTRATION", "form": [field("revoke.reason", "TEXT")] },
            ],
        },
        {
            "id": "tennis-club-membership", "label": text("Tennis"), "actions": [],
            "declaration": { "pages": [page("applicant", &[field("applicant.name", "NAME")])] },
        },
    ])
}

#[test]
fn what_changed_in_the_forms_is_said_with_the_rules_that_it_breaks() {
    let folder = tempfile::tempdir().unwrap();
    new_pack(folder.path());
    fs::write(folder.path().join("events.json"), configuration().to_string()).unwrap();
    let catalogue = folder.path().join("pack/fields.yaml");
    let before = fs::read_to_string(&catalogue).unwrap();
    let run = civitas(&["country", "import-fields", "pack", "events.json", "--check"], folder.path());
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&catalogue).unwrap(), before, "--check writes nothing");

    let run = civitas(&["country", "import-fields", "pack", "events.json"], folder.path());
    let told = said(&run);
    assert_eq!(run.status.code(), Some(1), "the pack no longer passes its check: {told}");
    let (changes, problems) = told.split_once("\nWhat the pack says to this:\n").unwrap();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("import", changes) });
    assert!(problems.contains("error[R006]: `father.verified` is not a field of birth"), "{problems}");
    assert!(problems.contains("4 fields added, 2 fields removed, 2 fields changed"), "{problems}");
    let after = fs::read_to_string(&catalogue).unwrap();
    // What stays is not touched: comments, labels, order.
    assert!(after.contains("# Hidden on the form: OpenCRVS writes what MOSIP issued here."), "{after}");
    assert!(after.contains("label: { en: the child’s national id }"), "{after}");

    let run = civitas(&["country", "import-fields", "pack", "events.json", "--check"], folder.path());
    assert!(run.status.success(), "the second time there is nothing to do: {}", said(&run));
}

#[test]
fn a_source_that_is_none_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    new_pack(folder.path());
    for (name, content, part) in [
        ("page.html", "<html></html>", "page.html is not JSON"),
        ("other.json", "{ \"openapi\": \"3.1.0\" }", "this is not OpenCRVS's event configuration"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
        let run = civitas(&["country", "import-fields", "pack", name], folder.path());
        assert!(!run.status.success() && said(&run).contains(part), "{}", said(&run));
    }
}

/// The stand-in serves what the country config serves; the engine's tests run on the same forms.
#[tokio::test(flavor = "multi_thread")]
async fn the_forms_of_a_running_country_are_imported_by_address() {
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let options =
        SandboxOptions { keys: Some(SandboxKeys::generate(now).unwrap()), ..SandboxOptions::default() };
    let client = civitas::http::client(Duration::from_secs(20)).unwrap();
    let sandbox = Sandbox::start(options, client, civitas::assembly::clock()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let address = sandbox.opencrvs().url().to_string();
    let run = tokio::task::spawn_blocking(move || {
        new_pack(&path);
        // Without a path, the country config's own is asked.
        civitas(&["country", "import-fields", "pack", &address], &path)
    });
    let run = run.await.unwrap();
    let told = said(&run);
    assert!(told.contains("+ child.birthTime  TIME"), "{told}");
    let check = civitas(&["country", "check", "pack"], folder.path());
    assert!(run.status.success() && check.status.success(), "{told}{}", said(&check));
    sandbox.stop();
}

#[test]
fn documents_of_another_country_are_explained_in_its_own_words() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pack = here.join("../../country-config/louloua");
    let explain = |document: &str, language: &str| {
        let document: PathBuf = here.join("tests/documents").join(document);
        let arguments = [
            "country",
            "explain",
            pack.to_str().unwrap(),
            document.to_str().unwrap(),
            "--language",
            language,
        ];
        let run = civitas(&arguments, here);
        assert!(run.status.success(), "{}", said(&run));
        said(&run).lines().nth(3).unwrap().to_owned()
    };
    assert_eq!(
        explain("louloua-foundling.json", "ar"),
        "بانتظار قرار موظف بشأن «هوية لقيط بحكم المحكمة»: تنقص قيمة حكم المحكمة"
    );
    assert_eq!(
        explain("louloua-foundling.json", "fr"),
        "en attente d’une décision humaine sur « Identité d’un enfant trouvé » : la décision du tribunal manque"
    );
    assert_eq!(
        explain("louloua-revoked.json", "fr"),
        "Identité suspendue : le numéro d’identité est présent"
    );
}
