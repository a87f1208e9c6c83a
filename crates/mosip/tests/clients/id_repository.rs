//! The ID repository: HTTP 200 with errors, ids that are not active, changes that were made before.

use civitas_mosip::{Changed, Class, Found, Identity, IdentityKey, IdentityStatus, StatusChange};
use serde_json::{Value, json};

use crate::stub::{Answer, Stub, aid, now};

const UIN: &str = "8031687218";
const VID: &str = "2714358906123456";

fn known(status: &str) -> Value {
    json!({ "id": "mosip.id.read", "version": "v1", "errors": null, "response": {
        "status": status, "documents": [], "verifiedAttributes": [],
        "identity": { "UIN": UIN, "fullName": [{ "language": "eng", "value": "Asha Rao" }] },
    } })
}

fn error(code: &str, message: &str) -> Value {
    json!({ "response": null, "errors": [{ "errorCode": code, "message": message }] })
}

async fn read(stub: &Stub, key: IdentityKey<'_>) -> Found {
    stub.mosip().identity(key, now()).await.unwrap()
}

async fn identity(stub: &Stub) -> Identity {
    match read(stub, IdentityKey::Vid(VID)).await {
        Found::Identity(identity) => identity,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_id_is_looked_up_in_the_body_and_not_in_the_address() {
    let stub = Stub::start(|_| Answer::json(&known("DEACTIVATED"))).await;
    let found = identity(&stub).await;
    assert_eq!((found.status, found.uin()), (IdentityStatus::Deactivated, UIN));
    let asked = &stub.asked("/idrepository/v1/identity/idvid/")[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.json()["request"], json!({ "id": VID, "type": "demo", "idType": "VID" }));
    assert!(!asked.path.contains(VID));
    assert!(!format!("{found:?}").contains(UIN), "a UIN is shown nowhere");
}

#[tokio::test]
async fn what_is_not_active_and_what_is_not_there_are_answers_and_no_failures() {
    for (code, active) in [("IDR-VID-004", false), ("IDR-IDC-007", true), ("IDR-VID-001", true)] {
        let stub = Stub::start(move |_| Answer::json(&error(code, "No Record(s) found"))).await;
        let found = read(&stub, IdentityKey::Vid(VID)).await;
        assert_eq!(matches!(found, Found::NotActive), !active, "{code}");
        assert_eq!(matches!(found, Found::Nothing), active, "{code}");
    }
}

#[tokio::test]
async fn a_role_or_an_audience_that_is_missing_is_said() {
    let forbidden = error("KER-ATH-403", "Forbidden").to_string();
    let stub = Stub::start(move |_| Answer::text(403, &forbidden)).await;
    let failed = stub.mosip().check_identity(now()).await.unwrap_err();
    assert_eq!((failed.class, failed.code.as_deref()), (Class::Unauthorised, Some("KER-ATH-403")));
}

#[tokio::test]
async fn an_identity_is_switched_off_by_its_number_under_the_operations_own_id() {
    let stub = Stub::start(|asked| match asked.method.as_str() {
        "PATCH" => Answer::json(&json!({ "response": { "status": "DEACTIVATED" }, "errors": null })),
        _ => Answer::json(&known("ACTIVATED")),
    })
    .await;
    let identity = identity(&stub).await;
    let change = StatusChange {
        aid: &aid(),
        identity: &identity,
        to: IdentityStatus::Deactivated,
        schema_version: "0.5",
    };
    assert_eq!(stub.mosip().set_identity_status(&change, now()).await, Ok(Changed::Applied));
    let asked =
        stub.asked("/idrepository/v1/identity/").into_iter().find(|asked| asked.method == "PATCH").unwrap();
    assert_eq!(asked.json()["version"], "v1", "`v1.0` is another one");
    assert_eq!(
        asked.json()["request"],
        json!({ "registrationId": aid(), "status": "DEACTIVATED", "documents": [],
                "identity": { "IDSchemaVersion": 0.5, "UIN": UIN } })
    );
}

#[tokio::test]
async fn a_change_is_read_in_its_body_and_its_failures_told_apart() {
    let outcomes = [
        (json!({ "response": { "status": "DEACTIVATED" } }), Ok(Changed::Applied)),
        (error("IDR-IDS-003", "duplicate key value violates uk_uin_reg_id"), Ok(Changed::Before)),
        (error("IDR-IDC-012", "Record already exists in DB"), Ok(Changed::Before)),
        (error("IDR-IDC-002", "Invalid Input Parameter - status"), Err(Class::Permanent)),
        (error("IDR-IDC-008", "Error occurred while connecting to database"), Err(Class::Transient)),
        (json!({ "response": null, "errors": null }), Err(Class::Unknown)),
    ];
    for (answer, expected) in outcomes {
        let stub = Stub::start(move |asked| match asked.method.as_str() {
            "PATCH" => Answer::json(&answer),
            _ => Answer::json(&known("ACTIVATED")),
        })
        .await;
        let identity = identity(&stub).await;
        let to = IdentityStatus::Deactivated;
        let change = StatusChange { aid: &aid(), identity: &identity, to, schema_version: "0.5" };
        let outcome = stub.mosip().set_identity_status(&change, now()).await;
        assert_eq!(outcome.map_err(|error| error.class), expected);
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_may_have_been_made() {
    let stub = Stub::start(|asked| match asked.method.as_str() {
        "PATCH" => Answer::text(502, ""),
        _ => Answer::json(&known("ACTIVATED")),
    })
    .await;
    let identity = identity(&stub).await;
    let to = IdentityStatus::Activated;
    let change = StatusChange { aid: &aid(), identity: &identity, to, schema_version: "0.5" };
    let failed = stub.mosip().set_identity_status(&change, now()).await.unwrap_err();
    assert_eq!(failed.class, Class::Unknown);
    assert!(!failed.to_string().contains(UIN));
}

#[tokio::test]
async fn the_lasting_vid_is_told_from_the_others() {
    let stub = Stub::start(|asked| match asked.method.as_str() {
        "GET" => Answer::json(&json!({ "response": [
            { "vid": "1111", "vidType": "Temporary", "expiryTimestamp": "2026-01-01T00:00:00", "genratedOnTimestamp": "x" },
            { "vid": VID, "vidType": "Perpetual", "transactionLimit": null, "hashAttributes": null },
        ] })),
        _ => Answer::json(&known("ACTIVATED")),
    })
    .await;
    let identity = identity(&stub).await;
    let vids = stub.mosip().vids(&identity, now()).await.unwrap();
    let lasting: Vec<&str> =
        vids.iter().filter(|vid| vid.is_perpetual()).map(civitas_mosip::Vid::id).collect();
    assert_eq!(lasting, [VID]);
    assert!(!format!("{vids:?}").contains(VID));
}
