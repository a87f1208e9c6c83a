//! Every document that we accept or send, against the schemas that OpenCRVS publishes.
//!
//! The schemas are OpenCRVS's (MPL 2.0) and not part of this project: `CIVITAS_OPENCRVS_SCHEMAS` names a folder with
//! `events-2.0.json` (and `events-2.1.json`), the OpenAPI documents of its events service in JSON, and `inputs.json`, the JSON
//! schemas of its procedures, which no OpenAPI document has: `accept` and `trigger.reply` by type of action, `reject`, and
//! `event.actions.reject.request`. Without it this test says that it did not run.

use std::path::Path;

use civitas_sandbox::{Exchange, Regime, Submission};
use civitas_tests::stack::{Setup, Stack, records};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::*;

struct Schemas {
    events: Value,
    inputs: Value,
}

impl Schemas {
    fn of(folder: &Path, version: &str) -> Self {
        let read = |name: &str| {
            let path = folder.join(name);
            let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            serde_json::from_slice(&text).unwrap()
        };
        Self { events: read(&format!("events-{version}.json")), inputs: read("inputs.json") }
    }

    fn compiled(&self, schema: &Value) -> Validator {
        let mut schema = schema.clone();
        schema["components"] = self.events["components"].clone();
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    }

    fn component(&self, name: &str) -> Validator {
        self.compiled(&json!({ "$ref": format!("#/components/schemas/{name}") }))
    }

    fn path(&self, path: &str, method: &str, part: &str) -> Validator {
        let at =
            format!("/paths/{}/{method}/{part}/content/application~1json/schema", path.replace('/', "~1"));
        self.compiled(self.events.pointer(&at).unwrap_or_else(|| panic!("{at} is not in the document")))
    }

    /// One for the procedure's input, or none if it has none.
    fn input(&self, call: &str, kind: &str) -> Option<Validator> {
        let schema = match call.rsplit('.').next()? {
            "accept" => &self.inputs["accept"][kind],
            "reject" => &self.inputs["reject"],
            _ => &self.inputs[call],
        };
        (!schema.is_null()).then(|| self.compiled(schema))
    }
}

fn kind_of(call: &str) -> &'static str {
    const KINDS: [(&str, &str); 11] = [
        ("event.actions.notify.", "NOTIFY"),
        ("event.actions.declare.", "DECLARE"),
        ("event.actions.edit.", "EDIT"),
        ("event.actions.register.", "REGISTER"),
        ("event.actions.reject.", "REJECT"),
        ("event.actions.archive.", "ARCHIVE"),
        ("event.actions.printCertificate.", "PRINT_CERTIFICATE"),
        ("event.actions.custom.", "CUSTOM"),
        ("event.actions.correction.request.", "REQUEST_CORRECTION"),
        ("event.actions.correction.approve.", "APPROVE_CORRECTION"),
        ("event.actions.correction.reject.", "REJECT_CORRECTION"),
    ];
    KINDS.iter().find(|(path, _)| call.starts_with(path)).map_or("", |(_, kind)| kind)
}

/// What is wrong with an exchange, by what its schemas say.
fn faults(schemas: &Schemas, exchange: &Exchange) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, validator: &Validator, value: &Value| {
        for error in validator.iter_errors(value) {
            found.push(format!("{} {what} {}: {error}", exchange.call, error.instance_path()));
        }
    };
    let record = schemas.component("EventDocument");
    if let Some(kind) = exchange.call.strip_prefix("trigger ") {
        check("document", &record, &exchange.sent);
        if exchange.status == Some(200) {
            let reply = schemas.compiled(&schemas.inputs["trigger.reply"][kind]);
            check("reply", &reply, &exchange.answered);
        }
        return found;
    }
    if exchange.call == "event.search" {
        check("query", &schemas.path("/events/search", "post", "requestBody"), &exchange.sent);
        if exchange.status.is_some() {
            check("results", &schemas.path("/events/search", "post", "responses/200"), &exchange.answered);
        }
        return found;
    }
    if let Some(input) = schemas.input(&exchange.call, kind_of(&exchange.call)) {
        check("input", &input, &exchange.sent);
    }
    if exchange.status.is_some() {
        check("record", &record, &exchange.answered);
    }
    found
}

/// A day with every kind of exchange.
async fn a_day(version: Regime) -> Vec<Exchange> {
    let mut setup = Setup {
        pack: &[(
            "country.yaml",
            "opencrvs: \"2.0\"",
            "opencrvs: \"2.0\"\nhistory: { annotation: civitas.message }",
        )],
        tune: |options| options.records = records(true),
        ..Setup::default()
    };
    setup.sandbox.opencrvs.version = version;
    let stack = Stack::with(setup).await;
    stack.subscribed().await;
    let opencrvs = stack.sandbox.opencrvs();
    opencrvs.keep_exchanges();
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let known = stack.sandbox.mosip().vid_of(&aid(&stack, case).await).unwrap();
    let changed = [("child.weightAtBirth".to_owned(), json!(3.4))].into_iter().collect();
    correct(&stack, case.event, changed).await;
    register(&stack, "death", death_of(&known)).await;
    register(&stack, "birth", ineligible()).await;
    // A correction that awaits, one that is found, and a record that is sent back.
    let (late, _) = register(&stack, "birth", ineligible()).await;
    let parent = [("mother.verified".to_owned(), json!("authenticated"))].into_iter().collect();
    let (correction, _) = correct(&stack, late.event, parent).await;
    in_state(&stack, correction, "confirmed").await;
    opencrvs.lose_triggers(civitas_sandbox::TriggerLoss::Request);
    opencrvs.assign(late.event);
    opencrvs.submit(late.event, Submission::new("PRINT_CERTIFICATE")).await;
    opencrvs.lose_triggers(civitas_sandbox::TriggerLoss::None);
    let found = another("birth-register", 77);
    assert!(opencrvs.import(found.clone()));
    let found = Case::of(&found);
    civitas_tests::wait::until("what waits is found", || async {
        stack.engine.queue().show(&found.event.to_string()).await.unwrap().is_some()
    })
    .await;
    closed_with_vid(&stack, found).await;
    let sent_back = another("birth-register", 78);
    assert!(opencrvs.import(sent_back.clone()));
    stack.engine.ingest(vec![arrival(&sent_back)]).await.pop().unwrap().unwrap();
    let reject = civitas_engine::queue::ActRequest {
        record: sent_back.id.to_string(),
        act: civitas_engine::queue::Act::Reject,
        actor: "amina".to_owned(),
        reason: "the name is misspelt".to_owned(),
    };
    // As long as MOSIP has not answered.
    let _ = stack.engine.queue().act(reject).await;
    stack.settled().await;
    let exchanges = opencrvs.exchanges();
    stack.stop().await;
    exchanges
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_that_is_exchanged_fits_opencrvs_own_schemas() {
    let Some(folder) = std::env::var_os("CIVITAS_OPENCRVS_SCHEMAS") else {
        println!("not run: CIVITAS_OPENCRVS_SCHEMAS names no folder with OpenCRVS's schemas");
        return;
    };
    let schemas = Schemas::of(Path::new(&folder), "2.0");
    let exchanges = a_day(Regime::V2_0).await;
    let calls: std::collections::BTreeSet<&str> = exchanges.iter().map(|kept| kept.call.as_str()).collect();
    for wanted in [
        "trigger DECLARE",
        "trigger REGISTER",
        "trigger REQUEST_CORRECTION",
        "trigger APPROVE_CORRECTION",
        "event.actions.register.accept",
        "event.actions.correction.approve.accept",
        "event.search",
        "event.get",
    ] {
        assert!(calls.contains(wanted), "{calls:?}");
    }
    let mut found: Vec<String> = exchanges.iter().flat_map(|exchange| faults(&schemas, exchange)).collect();
    found.sort();
    found.dedup();
    println!("{} exchanges of {} kinds, {} faults", exchanges.len(), calls.len(), found.len());
    assert!(found.is_empty(), "{found:#?}");
    // The schemas say no at all.
    let mut wrong =
        exchanges.iter().find(|kept| kept.call == "event.actions.register.accept").unwrap().clone();
    wrong.sent.as_object_mut().unwrap().remove("registrationNumber");
    assert!(!faults(&schemas, &wrong).is_empty());
}

/// Records of the generator, as they are posted.
#[tokio::test(flavor = "multi_thread")]
async fn the_samples_fit_opencrvs_own_schemas() {
    let Some(folder) = std::env::var_os("CIVITAS_OPENCRVS_SCHEMAS") else {
        println!("not run: CIVITAS_OPENCRVS_SCHEMAS names no folder with OpenCRVS's schemas");
        return;
    };
    for version in ["2.0", "2.1"] {
        let record = Schemas::of(Path::new(&folder), version).component("EventDocument");
        for name in ["birth-register", "birth-approve-correction", "death-register", "death-eligible"] {
            let document = serde_json::to_value(another(name, 1)).unwrap();
            let found: Vec<String> = record
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(found.is_empty(), "{version} {name}: {found:#?}");
        }
    }
}
