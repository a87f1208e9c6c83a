//! What the themes share: records to register, requests to send, states to wait for.

use std::{sync::Arc, time::Duration};

use civitas_engine::{
    Arrival, Origin,
    queue::{ActionView, OperationView, RecordView},
};
use civitas_journal::{audit_leaves, inbox};
use civitas_sandbox::{
    Clicked, Declaration, Document, Faults, MosipOptions, RouteFaults, SandboxOptions, Spread, Submission,
};
use civitas_tests::{
    postgres::Postgres,
    stack::{HUB_SECRET, Setup, Stack},
    wait::until,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) const CREDENTIALS: &str = "crvs_partner/CREDENTIAL_ISSUED";
pub(crate) const COMPLETED: &str = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT";

/// A record's action at the engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) event: Uuid,
    pub(crate) action: Uuid,
}

impl Case {
    /// The one unanswered action of a document.
    pub(crate) fn of(document: &Document) -> Self {
        Case { event: document.id, action: pending(document).0 }
    }
}

/// A sample document, as OpenCRVS would send it. `death-eligible` is `death-register` with more of it filled in.
pub(crate) fn sample(name: &str) -> Document {
    let folder = civitas_tests::workspace().join("crates/opencrvs/tests/documents");
    let read = |name: &str| std::fs::read(folder.join(format!("{name}.json"))).unwrap();
    if name == "death-eligible" {
        let mut document = sample("death-register");
        let more: Declaration = serde_json::from_slice(&read(name)).unwrap();
        document.actions[1].declaration.extend(more);
        return document;
    }
    serde_json::from_slice(&read(name)).unwrap()
}

/// The id of the one unanswered action.
pub(crate) fn pending(document: &Document) -> (Uuid, String) {
    let last = document.actions.last().unwrap();
    (last.id, last.kind.clone())
}

/// An id out of a number, in the form of a random one: OpenCRVS takes no other.
pub(crate) fn made(number: u128) -> Uuid {
    Uuid::from_u128(number | 0x4 << 76 | 0x2 << 62)
}

/// The sample with ids of its own, so that one stack can take many.
pub(crate) fn another(name: &str, number: u128) -> Document {
    let text = serde_json::to_string(&sample(name)).unwrap();
    let original = sample(name);
    let mut text = text.replace(&original.id.to_string(), &made(number << 32).to_string());
    for (place, action) in (1_u128..).zip(&original.actions) {
        let fresh = made((number << 32) + place).to_string();
        text = text.replace(&action.id.to_string(), &fresh);
        text = text.replace(&format!("\"{}\"", action.transaction_id), &format!("\"{fresh}\""));
    }
    text = text.replace(&original.tracking_id, &format!("T{number:05}"));
    serde_json::from_str(&text).unwrap()
}

/// The declaration of the birth sample: eligible.
pub(crate) fn eligible() -> Declaration {
    sample("birth-register").actions[1].declaration.clone()
}

/// The same with no parent known: nothing is asked of MOSIP.
pub(crate) fn ineligible() -> Declaration {
    let mut form = eligible();
    form.insert("mother.verified".to_owned(), json!("failed"));
    form
}

/// A death of somebody with this VID.
pub(crate) fn death_of(vid: &str) -> Declaration {
    let mut form = sample("death-eligible").actions[1].declaration.clone();
    form.insert("deceased.nid".to_owned(), json!(vid));
    form
}

/// MOSIP takes packets and workflows and then says nothing, so that a test can speak in its place.
pub(crate) fn silent() -> Setup {
    let mut sandbox = SandboxOptions::instant(7);
    sandbox.mosip = MosipOptions { stage_delay: Spread::secs(3600, 3600), ..sandbox.mosip };
    Setup { sandbox, ..Setup::default() }
}

/// A setup in which the world turns so fast that MOSIP's twenty minutes are a moment.
pub(crate) fn fast() -> Setup {
    let sandbox = SandboxOptions { speed: 20_000.0, ..SandboxOptions::instant(7) };
    Setup { sandbox, ..Setup::default() }
}

/// Faults of one route, in force from now on.
pub(crate) fn fault(stack: &Stack, route: &str, faults: RouteFaults) {
    let mut all = stack.sandbox.faults();
    all.routes.insert(route.to_owned(), faults);
    stack.sandbox.set_faults(all);
}

/// No faults from now on.
pub(crate) fn mend(stack: &Stack) {
    stack.sandbox.set_faults(Faults::default());
}

/// A registrar declares and registers; both are triggers.
pub(crate) async fn register(stack: &Stack, kind: &str, form: Declaration) -> (Case, Clicked) {
    let opencrvs = stack.sandbox.opencrvs();
    let event = opencrvs.create(kind);
    let declared = opencrvs.submit(event, Submission::new("DECLARE").with(form)).await;
    assert_eq!(declared.outcome, Clicked::Accepted, "a declaration is nobody's business");
    opencrvs.assign(event);
    let click = opencrvs.submit(event, Submission::new("REGISTER")).await;
    (Case { event, action: click.action_id.unwrap() }, click.outcome)
}

/// An eligible birth, which awaits its UIN.
pub(crate) async fn birth(stack: &Stack) -> Case {
    let (case, outcome) = register(stack, "birth", eligible()).await;
    assert_eq!(outcome, Clicked::Awaiting);
    case
}

/// An eligible birth whose workflow runs at MOSIP, and its AID.
pub(crate) async fn awaited(stack: &Stack) -> (Case, String) {
    let case = birth(stack).await;
    in_state(stack, case, "awaiting").await;
    (case, aid(stack, case).await)
}

/// A registered record is corrected; the approval is a trigger.
pub(crate) async fn correct(stack: &Stack, event: Uuid, changed: Declaration) -> (Case, Clicked) {
    let opencrvs = stack.sandbox.opencrvs();
    opencrvs.assign(event);
    let mut request = Submission::new("REQUEST_CORRECTION").with(changed);
    request.annotation = Some(Declaration::new());
    request.keep_assignment = true;
    assert_eq!(opencrvs.submit(event, request).await.outcome, Clicked::Accepted);
    let mut approve = Submission::new("APPROVE_CORRECTION");
    approve.content = Some(json!({"immediateCorrection": true}));
    let click = opencrvs.submit(event, approve).await;
    (Case { event, action: click.action_id.unwrap() }, click.outcome)
}

/// A reply: its status and its JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Reply {
    /// The code of an error.
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    async fn of(sent: reqwest::Response) -> Self {
        let status = sent.status().as_u16();
        let bytes = sent.bytes().await.unwrap();
        Reply { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }
}

/// Posts anything to a trigger.
pub(crate) async fn post(stack: &Stack, path: &str, token: Option<&str>, kind: &str, body: Vec<u8>) -> Reply {
    let mut request = stack.http.post(format!("{}{path}", stack.url)).header("content-type", kind).body(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Reply::of(request.send().await.unwrap()).await
}

/// Posts a document to the trigger of its pending action, as OpenCRVS would.
pub(crate) async fn trigger(stack: &Stack, document: &Document) -> Reply {
    let (action, kind) = pending(document);
    let token = stack.sandbox.opencrvs().trigger_token(document.id, action).await.unwrap();
    let path = format!("/trigger/events/{}/actions/{kind}", document.kind);
    post(stack, &path, Some(&token), "application/json", serde_json::to_vec(document).unwrap()).await
}

/// The document as it comes from Kafka.
pub(crate) fn arrival(document: &Document) -> Arrival {
    Arrival {
        document: serde_json::to_vec(document).unwrap(),
        event_id: Some(document.id),
        event_type: None,
        action_type: None,
        origin: Origin::Kafka,
        token: None,
        token_expires_at: None,
        traceparent: None,
    }
}

/// The record as the queue shows it.
pub(crate) async fn show(stack: &Stack, event: Uuid) -> RecordView {
    stack.engine.queue().show(&event.to_string()).await.unwrap().expect("the record is known")
}

/// One of its actions.
pub(crate) async fn action(stack: &Stack, case: Case) -> ActionView {
    let view = show(stack, case.event).await;
    view.actions.into_iter().find(|action| action.action_id == case.action).expect("the action is known")
}

/// Its operation.
pub(crate) async fn operation(stack: &Stack, case: Case) -> OperationView {
    action(stack, case).await.operation.expect("there is an operation")
}

/// Its AID.
pub(crate) async fn aid(stack: &Stack, case: Case) -> String {
    operation(stack, case).await.entry.aid.expect("there is an AID")
}

/// Code and detail of its cause.
pub(crate) async fn cause(stack: &Stack, case: Case) -> Option<(String, String)> {
    let found = operation(stack, case).await.entry.cause?;
    Some((found.code, found.detail.unwrap_or_default()))
}

/// Waits for a state.
pub(crate) async fn in_state(stack: &Stack, case: Case, state: &str) {
    until(&format!("the operation is {state}"), || async {
        operation(stack, case).await.entry.state == state
    })
    .await;
}

/// Waits until the operation is stalled for this cause; its detail.
pub(crate) async fn stalled_for(stack: &Stack, case: Case, code: &str) -> String {
    until(&format!("the operation is stalled for {code}"), || async {
        let entry = operation(stack, case).await.entry;
        entry.state == "stalled" && entry.cause.is_some_and(|cause| cause.code == code)
    })
    .await;
    cause(stack, case).await.unwrap().1
}

/// Waits until a stalled operation was looked at twice more, and says what is the matter then.
pub(crate) async fn cause_after_two_looks(stack: &Stack, case: Case) -> String {
    for _ in 0..2 {
        let before = operation(stack, case).await.updated_at;
        until("it is looked at", || async { operation(stack, case).await.updated_at > before }).await;
    }
    cause(stack, case).await.expect("it has a cause").0
}

/// Waits until the operation has some cause.
pub(crate) async fn troubled(stack: &Stack, case: Case) {
    until("the operation has a cause", || async { cause(stack, case).await.is_some() }).await;
}

/// Waits until the accept of the action was tried in vain.
pub(crate) async fn accept_failed(stack: &Stack, case: Case) {
    until("an accept failed", || async {
        action(stack, case).await.confirmation.is_some_and(|told| told.attempts > 0)
    })
    .await;
}

/// What the audit log says of the record, each line as `kind from>to actor reason`.
pub(crate) async fn timeline(stack: &Stack, event: Uuid) -> Vec<String> {
    let view = show(stack, event).await;
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    view.timeline
        .iter()
        .map(|line| {
            let (from, to) = (text(&line.from), text(&line.to));
            format!("{} {from}>{to} {} {}", line.kind, line.actor, text(&line.reason))
        })
        .collect()
}

/// The whole audit log, each leaf as its canonical text.
pub(crate) async fn leaves(stack: &Stack) -> Vec<String> {
    let mut reader = stack.journal.read().await.unwrap();
    audit_leaves::page(&mut reader, 0, 100_000).await.unwrap().into_iter().map(|leaf| leaf.body).collect()
}

/// Whether some leaf contains a text.
pub(crate) async fn witnessed(stack: &Stack, text: &str) -> bool {
    leaves(stack).await.iter().any(|leaf| leaf.contains(text))
}

/// The record's Accepted actions of a type at OpenCRVS: how it was answered, and with what.
pub(crate) fn accepted(stack: &Stack, case: Case) -> Vec<civitas_sandbox::opencrvs::StoredAction> {
    let document = stack.sandbox.opencrvs().document(case.event).unwrap();
    document.actions.into_iter().filter(|answer| answer.original_action_id == Some(case.action)).collect()
}

/// Waits until the record is closed at OpenCRVS with the identifier that MOSIP gave, once.
pub(crate) async fn closed_with_vid(stack: &Stack, case: Case) {
    in_state(stack, case, "confirmed").await;
    let aid = aid(stack, case).await;
    let vid = stack.sandbox.mosip().vid_of(&aid).expect("MOSIP knows the child");
    let answers = accepted(stack, case);
    assert_eq!(answers.len(), 1, "accepted once");
    assert_eq!(answers[0].declaration["child.nid"], json!(vid));
    assert!(stack.sandbox.opencrvs().pending(case.event).is_empty());
    keeps_its_promises(stack);
}

/// What the sandbox saw the engine do wrong: nothing.
pub(crate) fn keeps_its_promises(stack: &Stack) {
    assert_eq!(stack.sandbox.violations(), Vec::<String>::new());
}

/// Where the hub delivers.
pub(crate) fn callback(stack: &Stack) -> String {
    format!("{}/websub/callback", stack.url)
}

/// The claims of a credential with a VID.
pub(crate) fn vid(number: &str) -> Map<String, Value> {
    Map::from_iter([("VID".to_owned(), json!(number))])
}

/// Delivers a body as the hub would; the status it got.
pub(crate) async fn deliver(stack: &Stack, topic: &str, body: &[u8]) -> u16 {
    let to = callback(stack);
    stack.sandbox.mosip().post_delivery(&to, topic, HUB_SECRET, body).await.expect("an answer")
}

/// Delivers a genuine credential for an AID with these claims.
pub(crate) async fn issue(stack: &Stack, aid: &str, claims: Map<String, Value>) -> Vec<u8> {
    let body = stack.sandbox.mosip().genuine_credential(aid, claims).await.unwrap();
    assert_eq!(deliver(stack, CREDENTIALS, &body).await, 200);
    body
}

/// Deliveries in the inbox, each as `state cause`.
pub(crate) async fn deliveries(stack: &Stack) -> Vec<String> {
    let mut reader = stack.journal.read().await.unwrap();
    let mut all = Vec::new();
    for id in 1..1000 {
        // Ids are drawn from a sequence that other tables share.
        if let Some(found) = inbox::get(&mut reader, id).await.unwrap() {
            all.push(
                format!("{} {}", found.state.as_str(), found.cause.unwrap_or_default()).trim().to_owned(),
            );
        }
    }
    all
}

/// Waits until some delivery is in this state, for this cause.
pub(crate) async fn delivery_is(stack: &Stack, what: &str) {
    until(&format!("a delivery is {what}"), || async {
        deliveries(stack).await.iter().any(|found| found.starts_with(what))
    })
    .await;
}

/// A second of real time, in a fault.
pub(crate) fn held(hold: Duration) -> RouteFaults {
    RouteFaults {
        timeout_after_success_rate: 1.0,
        hold_ms: u64::try_from(hold.as_millis()).unwrap(),
        ..RouteFaults::default()
    }
}

/// The same on PostgreSQL, which runs as long as somebody holds it.
pub(crate) async fn on_postgresql(setup: Setup) -> (Arc<Postgres>, Setup) {
    let server = tokio::task::spawn_blocking(Postgres::shared).await.unwrap();
    let setup = Setup { journal_url: Some(server.url()), ..setup };
    (server, setup)
}
