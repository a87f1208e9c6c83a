//! The pages as people meet them: in a real browser, with and without a token, with the persons of the records
//! nowhere to be seen.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use std::{path::PathBuf, process::Stdio, time::Duration};

use civitas_sandbox::{Declaration, Document, MosipOptions, SandboxOptions, Spread, Submission};
use civitas_tests::{
    stack::{Setup, Stack, VIEWER, VIEWER_TOKEN},
    wait::until,
};
use serde_json::{Value, json};
use tokio::process::Command;
use uuid::Uuid;

const CANARIES: [&str; 4] = ["Canarywilhelmina", "Canaryfamily", "Canarymother", "Canarygender"];

/// Two births that wait: one for MOSIP, one for a person.
struct Office {
    stack: Stack,
    awaits: Uuid,
    stalls: Uuid,
}

async fn office() -> Office {
    let mut sandbox = SandboxOptions::instant(7);
    sandbox.mosip = MosipOptions { stage_delay: Spread::secs(3600, 3600), ..sandbox.mosip };
    let stack = Stack::with(Setup { sandbox, ..Setup::default() }).await;
    stack.subscribed().await;
    let mut form = eligible();
    let awaits = register(&stack, form.clone()).await;
    form.insert("child.gender".to_owned(), json!(CANARIES[3]));
    let stalls = register(&stack, form).await;
    until("one awaits and one is stalled", || async {
        let counts = stack.engine.queue().overview(1).await.unwrap().counts.operations;
        counts.get("awaiting") == Some(&1) && counts.get("stalled") == Some(&1)
    })
    .await;
    Office { stack, awaits, stalls }
}

/// The declaration of an eligible birth, of persons whose names are seen from afar.
fn eligible() -> Declaration {
    let sample = civitas_tests::workspace().join("crates/opencrvs/tests/documents/birth-register.json");
    let document: Document = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
    let mut form = document.actions[1].declaration.clone();
    form.insert("child.name".to_owned(), json!({"firstname": CANARIES[0], "surname": CANARIES[1]}));
    form.insert("mother.name".to_owned(), json!({"firstname": CANARIES[2], "surname": CANARIES[1]}));
    form
}

async fn register(stack: &Stack, form: Declaration) -> Uuid {
    let opencrvs = stack.sandbox.opencrvs();
    let event = opencrvs.create("birth");
    opencrvs.submit(event, Submission::new("DECLARE").with(form)).await;
    opencrvs.assign(event);
    opencrvs.submit(event, Submission::new("REGISTER")).await;
    event
}

fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("chromium"))
        .find(|program| program.is_file())
        .expect("chromium is not on the PATH: run deploy/install-packages browser")
}

/// The page as the browser understood it, after whatever the page did.
async fn seen(stack: &Stack, path: &str) -> String {
    let profile = tempfile::Builder::new().prefix("civitas-browser-").tempdir().unwrap();
    let address = stack.url.replace("http://", &format!("http://{VIEWER}:{VIEWER_TOKEN}@"));
    let run = Command::new(chromium())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--dump-dom", &format!("{address}{path}")])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(90), run).await.expect("the browser ends").unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The opening tags of an element, with their attributes.
fn tags<'a>(dom: &'a str, element: &str) -> Vec<&'a str> {
    let start = format!("<{element}");
    dom.match_indices(&start)
        .map(|(at, _)| &dom[at..])
        .filter(|rest| rest[start.len()..].starts_with([' ', '>']))
        .map(|rest| &rest[..=rest.find('>').unwrap()])
        .collect()
}

/// The text of the page without its tags, one space between words.
fn words(dom: &str) -> String {
    let mut text = String::new();
    for part in dom.split('<') {
        text.push(' ');
        text.push_str(part.split_once('>').map_or(part, |(_, after)| after));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What every page owes to people who do not look at it, or not with a mouse; and to everybody's privacy.
fn assert_sound(dom: &str) {
    assert_eq!(tags(dom, "h1").len(), 1, "one heading of the first level");
    assert_eq!(tags(dom, "html"), ["<html lang=\"en\">"]);
    assert_eq!(tags(dom, "main"), ["<main id=\"content\">"]);
    assert_eq!(
        tags(dom, "a")[0],
        "<a class=\"skip\" href=\"#content\">",
        "the keyboard finds the content first"
    );
    for cell in tags(dom, "th") {
        assert!(cell.contains("scope=\"col\"") || cell.contains("scope=\"row\""), "{cell}");
    }
    let tables = tags(dom, "table").len();
    assert_eq!(tags(dom, "thead").len(), tables, "each table has headers");
    let regions = dom.matches("class=\"scroll\" role=\"region\" aria-labelledby=").count();
    assert_eq!(regions, tables, "each table scrolls in a named region");
    assert_eq!(dom.matches("tabindex=\"0\"").count(), tables, "which the keyboard reaches");
    assert!(tags(dom, "title").len() == 1 && tags(dom, "nav")[0].contains("aria-label"));
    assert!(tags(dom, "script").is_empty() && !dom.contains("javascript:") && !dom.contains(" style="));
    for canary in CANARIES {
        assert!(!dom.contains(canary), "{canary} is on the page");
    }
    assert!(!dom.contains(VIEWER_TOKEN), "the token is on the page");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_and_a_record_are_shown_by_a_browser_without_anybodys_name() {
    let Office { stack, awaits, stalls } = office().await;
    let tracking = |event| stack.sandbox.opencrvs().document(event).unwrap().tracking_id;

    let dom = seen(&stack, "/").await;
    assert_sound(&dom);
    let text = words(&dom);
    for shown in [
        "1 awaiting",
        "1 stalled",
        &format!("{} create uin awaiting", tracking(awaits)),
        &format!("{} create uin stalled", tracking(stalls)),
        "packet_not_buildable",
        "mend the record or the pack, then retry",
        "UIN requested at birth: the child’s national ID is absent, the child is below 10 years, a parent is known",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(dom.contains(&format!("href=\"/records/{awaits}\"")), "a record is one step away");

    let dom = seen(&stack, &format!("/records/{stalls}")).await;
    assert_sound(&dom);
    let text = words(&dom);
    for shown in [
        &*format!("Record {}", tracking(stalls)),
        "State stalled Held up by packet_not_buildable",
        "Rule birth-uin-on-registration",
        &format!("Rule set {}", stack.engine.pack().digest()),
        "Timeline When What From To Who Why",
        "decided create uin engine UIN requested; UIN requested at birth: ",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }

    let dom = seen(&stack, &format!("/records/{}", tracking(awaits))).await;
    assert_sound(&dom);
    let text = words(&dom);
    for shown in
        ["transition planned packet created engine", "packet created awaiting engine", "State awaiting"]
    {
        assert!(text.contains(shown), "{shown} in {text}");
    }

    let dom = seen(&stack, "/records/NOBODY").await;
    assert_sound(&dom);
    assert!(words(&dom).contains("no record has the event id, tracking id or AID `NOBODY`"), "{dom}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_shown_and_each_denied_act_of_an_operator_is_recorded() {
    let stack = Stack::start().await;
    for path in ["/", "/records/7KQ2ZB"] {
        for token in [None, Some("guessed")] {
            let mut request = stack.http.get(format!("{}{path}", stack.url));
            if let Some(token) = token {
                request = request.basic_auth(VIEWER, Some(token));
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401);
            assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
            assert!(answer.text().await.unwrap().contains("no operator"));
        }
    }
    for _ in 0..3 {
        let address = format!("{}/api/v1/records/7KQ2ZB/release", stack.url);
        let request =
            stack.http.post(address).bearer_auth(VIEWER_TOKEN).json(&json!({"reason": "let it go"}));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["message"], "vera is a viewer; this needs integrator");
    }
    let mut reader = stack.journal.read().await.unwrap();
    let leaves = civitas_journal::audit_leaves::page(&mut reader, 0, 1000).await.unwrap();
    let denied = |actor: &str| {
        let actor = format!("\"actor\":\"{actor}\"");
        leaves.iter().filter(|leaf| leaf.body.contains("\"denied\"") && leaf.body.contains(&actor)).count()
    };
    assert_eq!(denied(VIEWER), 3, "each of somebody whose name is known");
    assert_eq!(denied("unknown"), 1, "strangers do not fill the log");
    drop(reader);
    stack.stop().await;
}
