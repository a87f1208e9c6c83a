//! `event.get`, the search, and the fields of forms.

use crate::fixture::{
    BIRTH, EVENT, by_credentials, by_trigger, confirmation, event, now, procedure, refusal, system, token,
};
use crate::support::{Asked, Server, json as answer, nobody};
use civitas_opencrvs::{Cause, Class, SearchQuery};
use serde_json::{Value, json};

#[tokio::test]
async fn gets_a_record() {
    let server = Server::start(|asked: &Asked, _| match asked.path.as_str() {
        "/auth/token" => token("system"),
        _ => answer(200, procedure(&serde_json::from_str(BIRTH).unwrap())),
    })
    .await;
    let found = by_credentials(&server.url).get(EVENT.parse().unwrap(), now()).await.unwrap();
    assert_eq!(found, event(BIRTH));
    let asked = server.asked().pop().unwrap();
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        (
            "GET",
            "/events/event.get?input=%7B%22json%22%3A%7B%22eventId%22%3A%22\
             6f1c0d4e%2D4f1a%2D4c58%2D9f0b%2D2f0a5b7f2d11%22%7D%7D"
        )
    );
    let error = by_trigger(&server.url).get(EVENT.parse().unwrap(), now()).await.unwrap_err();
    assert_eq!((error.class, error.cause), (Class::Unauthorised, Cause::NoCredentials));
}

#[tokio::test]
async fn a_1_9_that_wants_the_bare_id_gets_it() {
    let server = Server::start(|asked: &Asked, _| {
        if asked.path.contains("eventId") {
            answer(400, refusal("expected string", "BAD_REQUEST", 400))
        } else {
            answer(200, procedure(&serde_json::from_str(BIRTH).unwrap()))
        }
    })
    .await;
    let client = by_trigger(&server.url);
    client.get_with_token(EVENT.parse().unwrap(), &"trigger".into(), now()).await.unwrap();
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn reading_with_a_reader_in_1_9_asks_for_the_token_in_the_query() {
    let server = Server::start(|asked: &Asked, _| match asked.path.split('?').next().unwrap() {
        "/auth/token" => token("reader"),
        _ => answer(200, procedure(&serde_json::from_str(BIRTH).unwrap())),
    })
    .await;
    let client = by_trigger(&server.url).with_reader(&format!("{}/auth", server.url), system());
    client.get(EVENT.parse().unwrap(), now()).await.unwrap();
    let asked = server.asked();
    assert_eq!(
        asked[0].path,
        "/auth/token?client_id=civitas&client_secret=s3cret%26%3D&grant_type=client_credentials"
    );
    assert_eq!(asked[1].header("authorization"), "Bearer reader");
    client.accept(&confirmation(BIRTH), now()).await.unwrap_err();
    assert_eq!(server.asked().pop().unwrap().header("authorization"), "Bearer trigger");
}

#[tokio::test]
async fn searches_what_awaits() {
    let results = json!({ "total": 2, "results": [
        {"id": EVENT, "type": "birth", "trackingId": "7KQ2ZB", "status": "DECLARED", "flags": ["register:requested"],
         "declaration": {"child.name": {}}, "updatedAt": "2026-06-01T08:10:00.400Z", "legalStatuses": {}},
        {"id": EVENT, "type": "death", "trackingId": "PRZIB7", "status": "NEWER"}
    ] });
    let server = Server::start(move |asked: &Asked, _| match asked.path.as_str() {
        "/auth/token" => token("system"),
        _ => answer(200, results.to_string()),
    })
    .await;
    let page =
        by_credentials(&server.url).search(&SearchQuery::awaiting(Some("birth")), now()).await.unwrap();
    assert_eq!((page.total, page.results.len()), (2, 2));
    assert_eq!(page.results[0].flags, ["register:requested"]);
    assert_eq!(page.results[1].status, None);
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.path, "/events/events/search");
    assert_eq!(
        serde_json::from_str::<Value>(&asked.body).unwrap(),
        json!({
            "query": {"type": "and", "clauses": [{"eventType": "birth",
                "flags": {"anyOf": ["register:requested", "approve_correction:requested"]}}]},
            "limit": 100, "offset": 0, "sort": [{"field": "updatedAt", "direction": "asc"}]
        })
    );
}

#[tokio::test]
async fn reads_the_fields_of_a_form() {
    let configs = json!([
        {"id": "death", "declaration": {"pages": []}},
        {"id": "birth", "label": {"id": "event.birth"}, "actions": [{"type": "DECLARE", "review": {"fields": [
            {"id": "review.comment", "type": "TEXTAREA"}]}}],
         "declaration": {"pages": [{"id": "child", "type": "FORM", "title": {"id": "t"}, "fields": [
            {"id": "child.dob", "type": "DATE", "label": {"id": "l", "defaultMessage": "d"}},
            {"id": "child.nid", "type": "TEXT", "conditionals": [{"type": "SHOW", "conditional": {"type": "object"}}]}
         ]}]}}
    ]);
    let text = configs.to_string();
    let server = Server::start(move |asked: &Asked, _| match asked.path.as_str() {
        "/auth/token" => token("system"),
        "/config/events" => answer(200, text.clone()),
        _ => answer(404, ""),
    })
    .await;
    let client = by_credentials(&server.url);
    let birth = client.event_config("birth", now()).await.unwrap().unwrap();
    assert!(birth.has_field("child.nid"));
    assert_eq!(
        birth.fields.into_iter().collect::<Vec<_>>(),
        [("child.dob".to_owned(), "DATE".to_owned()), ("child.nid".to_owned(), "TEXT".to_owned())]
    );
    assert!(!client.event_config("death", now()).await.unwrap().unwrap().has_field("child.nid"));
    assert_eq!(client.event_config("marriage", now()).await.unwrap(), None);

    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths[..3], ["/auth/token", "/events/config", "/config/events"]);
    let country = by_trigger(&nobody().await).with_country_config(&format!("{}/", server.url));
    assert!(country.event_config("birth", now()).await.unwrap().is_some());
    assert_eq!(server.asked().pop().unwrap().header("authorization"), "");
}

#[tokio::test]
async fn the_flags_of_workqueues_are_those_that_are_listed_and_not_those_left_out() {
    let queues = json!([
        {"slug": "a", "query": {"type": "or", "clauses": [{"flags": {"anyOf": ["register:requested"]}}]}},
        {"slug": "b", "query": {"flags": {"anyOf": ["validated"], "noneOf": ["approve_correction:requested"]}}},
        {"slug": "c", "name": {"id": "flags"}, "query": {"status": {"type": "exact", "term": "DECLARED"}}},
    ]);
    let server = Server::start(move |asked: &Asked, _| match asked.path.as_str() {
        "/config/workqueues" => answer(200, queues.to_string()),
        _ => token("system"),
    })
    .await;
    let client = by_credentials(&server.url).with_country_config(&server.url);
    let flags = client.workqueue_flags(now()).await.unwrap();
    assert_eq!(flags.iter().map(String::as_str).collect::<Vec<_>>(), ["register:requested", "validated"]);
    let error = by_credentials(&server.url).workqueue_flags(now()).await.unwrap_err();
    assert_eq!(error.cause, Cause::NotOpencrvs, "there is nobody to ask");
}
