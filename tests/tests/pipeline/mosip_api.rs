//! The surface of mosip-api, driven by a country configuration that was written for it. Each fault that was observed of
//! mosip-api itself is a test by its number.

use std::time::Duration;

use civitas_opencrvs::{Client, ConfirmationAuth, Endpoints, Version};
use civitas_sandbox::{Clicked, Declaration, Outage, Regime, RouteFaults, Submission};
use civitas_server::{Contract, MosipApi};
use civitas_tests::{
    country_config::CountryConfig,
    stack::{Setup, Stack},
    wait::until,
};
use serde_json::{Value, json};

use crate::support::*;

fn served(setup: Setup) -> Setup {
    Setup { mosip_api: Some(MosipApi { contract: Contract::V2, client_app_url: None }), ..setup }
}

/// OpenCRVS 2.0, its country configuration, and Civitas in mosip-api's place.
async fn start(setup: Setup, death_status: u16) -> (Stack, CountryConfig) {
    let stack = Stack::with(served(setup)).await;
    stack.subscribed().await;
    let config = CountryConfig::start(&stack.url, stack.http.clone(), death_status).await;
    stack.sandbox.opencrvs().set_country_config(&config.url);
    (stack, config)
}

/// The last request, posted again as it was.
async fn again(stack: &Stack, config: &CountryConfig) -> u16 {
    let last = config.exchanges().pop().unwrap();
    let body = serde_json::to_vec(&last.body).unwrap();
    post(stack, last.route, Some(&last.token), "application/json", body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_country_configuration_written_for_mosip_api_works_unchanged() {
    let (stack, config) = start(Setup::default(), 200).await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let sent = &config.exchanges()[0];
    assert_eq!((sent.route, sent.status), ("/events/registration", 202));
    let number = sent.body["requestFields"]["birthCertificateNumber"].as_str().unwrap();
    assert_eq!(stack.sandbox.opencrvs().registration_number(case.event).as_deref(), Some(number));
    let view = action(&stack, case).await;
    assert_eq!((view.origin.as_str(), view.rule), ("country_config", None));
    assert!(view.sentence.contains("no rule was asked"), "{}", view.sentence);
    assert!(view.sentence.contains("lacks them: guardian"), "{}", view.sentence);
    let aid = aid(&stack, case).await;
    let fields = stack.sandbox.mosip().packet_fields(&aid).unwrap();
    assert!(fields["fullName"].to_string().contains("eng"), "{fields:?}");

    // A correction of somebody who is known is sent, and read back.
    let mut changed = Declaration::new();
    changed.insert("child.name".to_owned(), json!({"firstname": "Anna", "surname": "Person"}));
    let (update, outcome) = correct(&stack, case.event, changed).await;
    assert_eq!(outcome, Clicked::Accepted);
    assert_eq!(config.exchanges().last().unwrap().route, "/events/update-biographics");
    in_state(&stack, update, "processed").await;
    let vid = stack.sandbox.mosip().vid_of(&aid).unwrap();
    let known = stack.sandbox.mosip().attributes(&vid).unwrap();
    assert!(known["fullName"].to_string().contains("Anna Person"), "{known:?}");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uin_that_a_correction_asks_for_is_told_to_the_correction() {
    let (stack, config) = start(Setup::default(), 200).await;
    // Registered at first without a word to MOSIP.
    let opencrvs = stack.sandbox.opencrvs();
    opencrvs.set_country_config(&stack.url);
    let (case, outcome) = register(&stack, "birth", ineligible()).await;
    assert_eq!(outcome, Clicked::Accepted);
    opencrvs.set_country_config(&config.url);
    let mut changed = Declaration::new();
    changed.insert("mother.verified".to_owned(), json!("authenticated"));
    let (correction, outcome) = correct(&stack, case.event, changed).await;
    assert_eq!(outcome, Clicked::Awaiting);
    in_state(&stack, correction, "confirmed").await;
    let answers = accepted(&stack, correction);
    assert_eq!((answers.len(), answers[0].kind.as_str()), (1, "APPROVE_CORRECTION"));
    assert!(answers[0].declaration["child.nid"].is_string());
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_is_told_to_mosip_and_let_go_whatever_the_country_configuration_answered() {
    for status in [200, 202] {
        let (stack, _config) = start(Setup::default(), status).await;
        let vid = stack.sandbox.population().vid(3);
        let (case, _) = register(&stack, "death", death_of(&vid)).await;
        in_state(&stack, case, "confirmed").await;
        assert!(stack.sandbox.opencrvs().pending(case.event).is_empty());
        assert_eq!(accepted(&stack, case).len(), 1);
        let written = &accepted(&stack, case)[0].declaration;
        assert!(written.is_empty(), "a death writes no identifier: {written:?}");
        keeps_its_promises(&stack);
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_1_9_the_token_that_came_is_what_confirms() {
    let mut setup = Setup {
        pack: &[("country.yaml", "opencrvs: \"2.0\"", "opencrvs: \"1.9\"")],
        tune: |options| options.keep_trigger_tokens = true,
        refit: Some(Box::new(|sandbox, ports| {
            let gateway = sandbox.opencrvs().url().to_owned();
            let endpoints = Endpoints { auth: gateway.clone(), gateway };
            let http = civitas_tests::stack::http(Duration::from_secs(5));
            ports.opencrvs = Client::new(http, endpoints, ConfirmationAuth::TriggerToken, Version::V1_9);
        })),
        ..Setup::default()
    };
    setup.sandbox.opencrvs.version = Regime::V1_9;
    let (stack, _config) = start(setup, 202).await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    assert_eq!(action(&stack, case).await.action_type, "REGISTER");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_f02_f04_mosip_is_down_and_the_same_intent_resumes() {
    for route in ["mosip.packetmanager", "mosip.workflow"] {
        let (stack, config) = start(Setup::default(), 200).await;
        fault(&stack, route, RouteFaults { outage: Outage::Unavailable, ..RouteFaults::default() });
        let case = birth(&stack).await;
        troubled(&stack, case).await;
        assert_eq!(again(&stack, &config).await, 202);
        mend(&stack);
        closed_with_vid(&stack, case).await;
        assert_eq!(stack.sandbox.mosip().aids().len(), 1);
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_errors_inside_a_200_are_no_success() {
    let (stack, _config) = start(Setup::default(), 200).await;
    fault(&stack, "mosip.packetmanager", RouteFaults { errors_in_200_rate: 1.0, ..RouteFaults::default() });
    let case = birth(&stack).await;
    troubled(&stack, case).await;
    mend(&stack);
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f05_a_slow_mosip_is_not_waited_for_and_its_answer_lands() {
    let (stack, config) = start(Setup::default(), 200).await;
    fault(&stack, "mosip.packetmanager", held(Duration::from_secs(20)));
    let case = birth(&stack).await;
    assert_eq!(config.exchanges()[0].status, 202, "answered while MOSIP still holds the packet");
    mend(&stack);
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f06_opencrvs_is_down_when_mosip_answers_and_nothing_is_lost() {
    let (stack, _config) = start(Setup::default(), 200).await;
    fault(&stack, "opencrvs.accept", RouteFaults { outage: Outage::Disconnect, ..RouteFaults::default() });
    let case = birth(&stack).await;
    accept_failed(&stack, case).await;
    mend(&stack);
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f09_f10_the_same_post_while_pending_and_after_completion_has_one_effect() {
    let (stack, config) = start(Setup::default(), 200).await;
    let case = birth(&stack).await;
    assert_eq!(again(&stack, &config).await, 202);
    closed_with_vid(&stack, case).await;
    for _ in 0..3 {
        assert_eq!(again(&stack, &config).await, 202);
    }
    stack.settled().await;
    assert_eq!(stack.sandbox.mosip().aids().len(), 1, "one packet, one identity");
    assert_eq!(accepted(&stack, case).len(), 1);
    keeps_its_promises(&stack);
    stack.stop().await;
}

/// A delivery as the hub posts it, and the reply's body.
async fn delivered(stack: &Stack, body: &[u8]) -> (u16, Value) {
    let signature = civitas_sandbox::Mosip::hub_signature(civitas_tests::stack::HUB_SECRET, body).unwrap();
    let sent = stack.http.post(callback(stack)).header("X-Hub-Signature", signature).body(body.to_vec());
    let answer = sent.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn f11_f12_f13_f14_deliveries_are_receipted_kept_and_never_believed_blindly() {
    let (stack, _config) = start(silent(), 200).await;
    let (case, aid) = awaited(&stack).await;
    let mosip = stack.sandbox.mosip();
    let forged = mosip.forged_credential(&aid, "9999999999999999").await.unwrap();
    let unsigned = stack.http.post(callback(&stack)).body(forged.clone()).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    assert_eq!(unsigned.json::<Value>().await.unwrap()["error"], "Invalid X-Hub-Signature");
    let (status, receipt) = delivered(&stack, &forged).await;
    assert_eq!((status, &receipt["event"]["status"]), (200, &json!("RECEIVED")));
    delivery_is(&stack, "quarantined credential_proof_refused").await;
    let odd = json!({"publisher": "P", "topic": "ANOTHER", "publishedOn": "2026-06-01T10:00:00+02:00",
        "event": {"id": "e-1", "transactionId": "t-1", "data": {"credentialType": "euin"}}});
    let (status, receipt) = delivered(&stack, odd.to_string().as_bytes()).await;
    assert_eq!(status, 200);
    assert_eq!((&receipt["topic"], &receipt["event"]["id"]), (&json!("ANOTHER"), &json!("e-1")));
    assert_eq!((&receipt["event"]["requestId"], &receipt["event"]["url"]), (&json!("t-1"), &json!("")));
    let genuine = mosip.genuine_credential(&aid, vid("4512879630124577")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(delivered(&stack, &genuine).await.1["event"]["status"], "RECEIVED");
    }
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!("4512879630124577"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_f18_a_credential_without_the_id_or_of_another_certificate_is_held() {
    let (stack, _config) = start(silent(), 200).await;
    let (case, aid) = awaited(&stack).await;
    issue(&stack, &aid, serde_json::Map::new()).await;
    stalled_for(&stack, case, "credential_without_identifier").await;
    let (case, aid) = awaited(&stack).await;
    let mut claims = vid("4512879630124577");
    claims.insert("birthCertificateNumber".to_owned(), json!("2026BANOTHERONE1"));
    issue(&stack, &aid, claims).await;
    stalled_for(&stack, case, "registration_number_differs").await;
    assert!(accepted(&stack, case).is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f16_a_request_for_nothing_is_refused_with_a_reason() {
    let (stack, config) = start(Setup::default(), 200).await;
    let case = birth(&stack).await;
    let token = config.exchanges()[0].token.clone();
    for fields in [json!({}), json!({"VID": "4512879630124577"})] {
        let body = serde_json::to_vec(&json!({ "requestFields": fields })).unwrap();
        let reply = post(&stack, "/events/registration", Some(&token), "application/json", body).await;
        assert_eq!((reply.status, &reply.body["code"]), (400, &json!("certificate_number_missing")));
        assert!(reply.body["error"].as_str().unwrap().contains("birthCertificateNumber"));
    }
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_a_challenge_that_nobody_here_waits_for_is_not_echoed() {
    let (stack, _config) = start(Setup::default(), 200).await;
    let ask = |query: &str| stack.http.get(format!("{}?{query}", callback(&stack))).send();
    assert_eq!(ask("hub.mode=subscribe&hub.topic=x&hub.challenge=abc").await.unwrap().status(), 404);
    let answer = ask("hub.mode=subscribe").await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.text().await.unwrap(), "Missing hub.challenge");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f20_a_listed_transaction_can_be_let_go_and_no_token_comes_out() {
    let (stack, config) = start(silent(), 200).await;
    let (case, aid) = awaited(&stack).await;
    let token = config.exchanges()[0].token.clone();
    let url = format!("{}/debug/transactions/{aid}", stack.url);
    let refused = stack.http.delete(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(refused.status(), 403, "a trigger's token has not the scope");
    let registrar = stack.sandbox.opencrvs().registrar_token().unwrap();
    let released = stack.http.delete(&url).bearer_auth(&registrar).send().await.unwrap();
    assert_eq!(released.status(), 200);
    let body: Value = released.json().await.unwrap();
    assert_eq!(body["token"], Value::Null);
    assert_eq!(
        body["registrationNumber"],
        config.exchanges()[0].body["requestFields"]["birthCertificateNumber"]
    );
    until("the record is let go", || async { accepted(&stack, case).len() == 1 }).await;
    assert!(witnessed(&stack, "deleted from mosip-api's list").await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f22_f23_names_survive_to_the_letter_and_each_packet_has_an_id_of_its_own() {
    let (stack, _config) = start(Setup::default(), 200).await;
    let names = ["O\"Neil \\ Person", "{\"a\":1}", "Ünïcode 名前 ☃", "'); DROP--", "\\u0041 \\\""];
    for name in names {
        let mut form = eligible();
        form.insert("child.name".to_owned(), json!({"firstname": name, "surname": "x"}));
        let (case, outcome) = register(&stack, "birth", form).await;
        assert_eq!(outcome, Clicked::Awaiting);
        closed_with_vid(&stack, case).await;
        let fields = stack.sandbox.mosip().packet_fields(&aid(&stack, case).await).unwrap();
        let sent: Value = match &fields["fullName"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            other => other.clone(),
        };
        assert_eq!(sent[0]["value"], json!(format!("{name} x")));
    }
    let mut aids = stack.sandbox.mosip().aids();
    aids.sort();
    aids.dedup();
    assert_eq!(aids.len(), names.len());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f25_neither_names_nor_tokens_are_in_the_log_or_in_the_file_in_clear() {
    let (stack, config) =
        start(Setup { tune: |options| options.keep_trigger_tokens = true, ..Setup::default() }, 200).await;
    let mut form = eligible();
    form.insert("child.name".to_owned(), json!({"firstname": "Canaryna", "surname": "Canarysson"}));
    let (case, _) = register(&stack, "birth", form).await;
    closed_with_vid(&stack, case).await;
    let (token, vid) = {
        let vid = stack.sandbox.mosip().vid_of(&aid(&stack, case).await).unwrap();
        (config.exchanges()[0].token.clone(), vid)
    };
    let file = stack.file.clone().unwrap();
    for canary in ["Canaryna", "Canarysson", &token[token.len() - 60..], &vid] {
        assert!(!witnessed(&stack, canary).await);
        for suffix in ["", "-wal"] {
            let bytes = std::fs::read(format!("{}{suffix}", file.display())).unwrap_or_default();
            assert!(!bytes.windows(canary.len()).any(|part| part == canary.as_bytes()), "{suffix}");
        }
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_can_be_decided_again_and_two_records_share_no_number() {
    let (stack, config) = start(Setup::default(), 200).await;
    let case = birth(&stack).await;
    closed_with_vid(&stack, case).await;
    let mut reader = stack.journal.read().await.unwrap();
    let recorded = civitas_journal::history::by_record(&mut reader, &case.event.to_string()).await.unwrap();
    let mut archive = civitas_engine::verify::Archive::default();
    let evidence = civitas_engine::verify::Evidence::gather(&mut reader, &mut archive, recorded);
    let found =
        evidence.await.unwrap().iter().map(|one| one.verify(stack.journal.sealer())).collect::<Vec<_>>();
    drop(reader);
    assert_eq!(
        found.iter().flatten().collect::<Vec<_>>(),
        Vec::<&civitas_engine::verify::Disagreement>::new()
    );
    assert!(!found.is_empty());

    let first = config.exchanges()[0].clone();
    let opencrvs = stack.sandbox.opencrvs();
    let other = opencrvs.create("birth");
    opencrvs.submit(other, Submission::new("DECLARE").with(eligible())).await;
    let token = opencrvs.trigger_token(other, uuid::Uuid::from_u128(77)).await.unwrap();
    let body = serde_json::to_vec(&first.body).unwrap();
    let reply = post(&stack, first.route, Some(&token), "application/json", body).await;
    assert_eq!((reply.status, &reply.body["code"]), (409, &json!("certificate_number_taken")));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_transaction_of_mosip_api_is_taken_over_and_its_late_answer_closes_the_record() {
    let setup = Setup {
        tune: |options| options.keep_trigger_tokens = true,
        refit: Some(Box::new(|sandbox, ports| {
            let gateway = sandbox.opencrvs().url().to_owned();
            let endpoints = Endpoints { auth: gateway.clone(), gateway };
            let http = civitas_tests::stack::http(Duration::from_secs(5));
            ports.opencrvs = Client::new(http, endpoints, ConfirmationAuth::TriggerToken, Version::V2_0);
        })),
        ..silent()
    };
    let stack = Stack::with(served(setup)).await;
    stack.subscribed().await;
    // mosip-api answers 202, sends its packet, and is stopped for good.
    let relay = civitas_tests::country_config::answering(202).await;
    stack.sandbox.opencrvs().set_country_config(&relay.0);
    let (case, outcome) = register(&stack, "birth", eligible()).await;
    assert_eq!(outcome, Clicked::Awaiting);
    let token = stack.sandbox.opencrvs().trigger_token(case.event, case.action).await.unwrap();
    let transaction = || civitas_journal::predecessor::Transaction {
        id: "100014598117372".to_owned(),
        token: token.as_str().into(),
        registration_number: "2026B0000001".to_owned(),
        created_at: None,
    };
    let first = stack.engine.take_over(transaction()).await.unwrap();
    assert_eq!((first.outcome, first.operation), (civitas_engine::takeover::Outcome::Taken, "create_uin"));
    assert_eq!(first.note, None);
    let again = stack.engine.take_over(transaction()).await.unwrap();
    assert_eq!(again.outcome, civitas_engine::takeover::Outcome::Known);
    issue(&stack, "100014598117372", vid("4512879630124577")).await;
    in_state(&stack, case, "confirmed").await;
    assert_eq!(accepted(&stack, case)[0].declaration["child.nid"], json!("4512879630124577"));
    let number = stack.sandbox.opencrvs().registration_number(case.event);
    assert_eq!(number.as_deref(), Some("2026B0000001"));
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_the_hub_is_down_at_the_start_and_work_goes_on_until_it_is_there() {
    let mut setup = served(Setup::default());
    let down = RouteFaults { outage: Outage::Disconnect, ..RouteFaults::default() };
    setup.sandbox.faults.routes.insert("mosip.hub".to_owned(), down);
    let stack = Stack::with(setup).await;
    let config = CountryConfig::start(&stack.url, stack.http.clone(), 200).await;
    stack.sandbox.opencrvs().set_country_config(&config.url);
    let case = birth(&stack).await;
    assert_eq!(config.exchanges().last().unwrap().status, 202);
    in_state(&stack, case, "awaiting").await;
    assert!(stack.sandbox.mosip().subscriptions().is_empty());
    mend(&stack);
    stack.subscribed().await;
    closed_with_vid(&stack, case).await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f08_a_lost_subscription_is_noticed_and_what_it_did_not_bring_is_asked_for() {
    let mut setup = fast();
    setup.tune = |options| options.credential_grace = Duration::from_millis(300);
    let (stack, _config) = start(setup, 200).await;
    let mut faults = stack.sandbox.faults();
    faults.deliveries.stopped = true;
    stack.sandbox.set_faults(faults);
    let mut cases = Vec::new();
    for _ in 0..5 {
        cases.push(birth(&stack).await);
    }
    until("the silence is noticed", || async {
        let outside = stack.engine.queue().outside().await.unwrap();
        outside.topics.iter().any(|topic| topic.topic == CREDENTIALS && topic.silent_since.is_some())
    })
    .await;
    for case in cases {
        closed_with_vid(&stack, case).await;
    }
    stack.stop().await;
}

/// Killed while the answer of this route is on its way, which MOSIP or OpenCRVS has given.
async fn killed_in(route: &str) {
    let setup = Setup { tune: |options| options.lease = Duration::from_secs(1), ..Setup::default() };
    let (stack, config) = start(setup, 200).await;
    let faults = match route {
        // Before anything was sent.
        "" => vec![(
            "mosip.packetmanager",
            RouteFaults { outage: Outage::Disconnect, ..RouteFaults::default() },
        )],
        route => vec![(route, held(Duration::from_secs(120)))],
    };
    for (route, faults) in faults {
        fault(&stack, route, faults);
    }
    let case = birth(&stack).await;
    assert_eq!(config.exchanges().last().unwrap().status, 202, "{route}");
    let mosip = stack.sandbox.mosip();
    until(&format!("{route} is done and not heard"), || async {
        match route {
            "" => action(&stack, case).await.operation.is_some(),
            "opencrvs.accept" => accepted(&stack, case).len() == 1,
            "mosip.packetmanager" => !mosip.aids().is_empty(),
            _ => mosip.aids().first().is_some_and(|aid| mosip.status(aid).is_some()),
        }
    })
    .await;
    let stack = stack.killed().await;
    mend(&stack);
    stack.sandbox.opencrvs().set_country_config(&config.url);
    closed_with_vid(&stack, case).await;
    assert_eq!(stack.sandbox.mosip().aids().len(), 1, "{route}: one packet");
    assert_eq!(accepted(&stack, case).len(), 1, "{route}: one acceptance");
    keeps_its_promises(&stack);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_killed_at_each_gap_nothing_is_lost_and_nothing_is_doubled() {
    for route in ["", "mosip.packetmanager", "mosip.workflow.instance", "opencrvs.accept"] {
        killed_in(route).await;
    }
}

/// A page of this surface, by somebody with or without a token.
async fn page(stack: &Stack, path: &str, token: Option<&str>) -> (u16, String, String) {
    let mut request = stack.http.get(format!("{}{path}", stack.url));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_for_callers_with_a_token_in_1_9_and_for_everybody_in_2() {
    for (contract, without) in [(Contract::V1_9, 401), (Contract::V2, 200)] {
        let stack =
            Stack::with(Setup { mosip_api: Some(MosipApi { contract, client_app_url: None }), ..silent() })
                .await;
        let token = stack.sandbox.opencrvs().registrar_token().unwrap();
        for path in ["/documentation", "/documentation/", "/documentation/json"] {
            assert_eq!(page(&stack, path, None).await.0, without, "{path}");
            assert_eq!(page(&stack, path, Some("not.a.token")).await.0, without, "{path}");
            assert_eq!(page(&stack, path, Some(&token)).await.0, 200, "{path}");
        }
        let (_, kind, html) = page(&stack, "/documentation", Some(&token)).await;
        assert!(kind.starts_with("text/html") && html.contains("POST /events/registration"), "{kind}");
        let (_, kind, json) = page(&stack, "/documentation/json", Some(&token)).await;
        assert_eq!(kind, "application/json; charset=utf-8");
        let described: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(described["openapi"], "3.0.3");
        let update = described["paths"].get("/events/update-biographics").is_some();
        assert_eq!(update, contract == Contract::V2);
        stack.stop().await;
    }
    // Where the surface is off, so is its description.
    let stack = Stack::with(silent()).await;
    assert_eq!(page(&stack, "/documentation/json", None).await.0, 404);
    stack.stop().await;
}

/// A defect of the reference's own configuration, which the kit must not have; its definition is TypeScript.
#[test]
fn r14_the_workqueue_of_the_kit_lists_registrations_and_corrections_that_wait() {
    let file = civitas_tests::workspace().join("country-config/opencrvs/src/workqueue.ts");
    let text = std::fs::read_to_string(file).unwrap();
    let list = text.split_once("WAITING_FLAGS = [").unwrap().1.split_once(']').unwrap().0;
    let flags: Vec<&str> = list.split(',').map(|flag| flag.trim().trim_matches('\'')).collect();
    let shipped = civitas_tests::stack::pack("farajaland");
    let wanted: std::collections::BTreeSet<String> =
        shipped.awaited_actions().into_iter().map(civitas_opencrvs::requested_flag).collect();
    assert_eq!(wanted.len(), 2, "registrations and corrections");
    for flag in wanted {
        assert!(flags.contains(&flag.as_str()), "{flag} is not among {flags:?}");
    }
    assert!(text.contains("anyOf: [...WAITING_FLAGS]"), "and the queue lists them");
}
