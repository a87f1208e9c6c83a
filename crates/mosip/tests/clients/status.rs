//! Asking: the search that calls itself text, batches, and the trail that holds the reason.

use civitas_mosip::{Aid, Class, Limit, Limits, Status, reason};
use serde_json::{Value, json};

use crate::stub::{Answer, Asked, Stub, aid, now};

fn aids(count: usize) -> Vec<Aid> {
    (0..count).map(|n| format!("1000120042{n:05}20260102030405").parse().unwrap()).collect()
}

fn page(aid: &str, status: &str) -> Value {
    json!({ "response": { "fromRecord": 0, "toRecord": 1, "totalRecord": 1, "data": [
        { "workflowId": aid, "statusCode": status, "statusComment": "about Asha Rao", "currentStageName": "DemoDedupeStage",
          "workflowType": "CRVS_NEW", "resumeTimestamp": null },
    ] } })
}

fn asked_about(asked: &Asked) -> String {
    asked.json()["request"]["filters"][0]["value"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn json_that_calls_itself_text_is_read() {
    let stub =
        Stub::start(|asked| Answer::text(200, &page(&asked_about(asked), "REJECTED").to_string())).await;
    let found = stub.mosip().workflow_status(&[aid()], now()).await.unwrap();
    assert_eq!((found.len(), &found[0].aid, found[0].status), (1, &aid(), Status::Rejected));
    assert!(found[0].status.terminal());
    assert_eq!(found[0].stage.as_deref(), Some("DemoDedupeStage"));
    assert!(!format!("{found:?}").contains("Asha"), "comments are for eyes, not for logs");
    let filter = &stub.asked("/workflowmanager/workflow/search")[0].json()["request"]["filters"][0];
    assert_eq!(*filter, json!({ "columnName": "regId", "value": aid(), "type": "equals" }));
}

#[tokio::test]
async fn a_batch_is_asked_one_by_one_a_few_at_a_time() {
    let stub = Stub::start(|asked| {
        let about = asked_about(asked);
        let known = about.as_bytes()[14].is_multiple_of(2);
        Answer::text(
            200,
            &if known { page(&about, "PROCESSED") } else { json!({ "response": { "data": [] } }) }
                .to_string(),
        )
    })
    .await;
    let limits = Limits { workflow: Limit::at_a_time(3), ..Limits::default() };
    let found = stub.mosip_with(&limits).workflow_status(&aids(20), now()).await.unwrap();
    assert_eq!(found.len(), 10, "what MOSIP does not know is left out");
    assert_eq!(stub.asked("/workflow/search").len(), 20);
    assert!(stub.busiest() <= 3, "{} at a time", stub.busiest());
}

#[tokio::test]
async fn a_row_of_another_packet_is_not_taken() {
    let stub =
        Stub::start(|_| Answer::text(200, &page("10001200429999920260102030405", "PROCESSED").to_string()))
            .await;
    assert_eq!(stub.mosip().workflow_status(&[aid()], now()).await, Ok(Vec::new()));
    let stub = Stub::start(|_| Answer::text(200, r#"{"response":{"data":null}}"#)).await;
    assert_eq!(stub.mosip().workflow_status_of(&aid(), now()).await, Ok(None));
}

#[tokio::test]
async fn a_null_response_is_a_failure_and_not_an_empty_page() {
    let stub = Stub::start(|_| Answer::text(200, r#"{"response":null}"#)).await;
    let error = stub.mosip().workflow_status_of(&aid(), now()).await.unwrap_err();
    assert_eq!((error.class, error.code.as_deref()), (Class::Transient, Some("null-response")));
}

#[tokio::test]
async fn not_answered_is_not_the_same_as_not_known() {
    let failing = aids(3)[1].clone();
    let other = failing.clone();
    let stub = Stub::start(move |asked| match asked_about(asked) {
        about if about == other.as_str() => Answer::text(500, ""),
        about => Answer::text(200, &page(&about, "PROCESSING").to_string()),
    })
    .await;
    let error = stub.mosip().workflow_status(&aids(3), now()).await.unwrap_err();
    assert_eq!(error.class, Class::Transient, "a question may be repeated");
    let each = stub.mosip().workflow_status_each(&aids(3), now()).await;
    assert_eq!(each.iter().filter(|(_, answer)| answer.is_ok()).count(), 2);
    assert!(each.iter().any(|(aid, answer)| *aid == failing && answer.is_err()));
}

#[tokio::test]
async fn the_trail_is_read_bare_and_wrapped_oldest_first() {
    let rows = json!([
        { "id": "2", "transactionTypeCode": "DEMOGRAPHIC_VERIFICATION", "statusCode": "FAILED", "subStatusCode": "RPR-DDD-001",
          "statusComment": "matches Asha Rao", "createdDateTimes": "2026-01-02T03:10:00" },
        { "id": "1", "transactionTypeCode": "VALIDATE_PACKET", "statusCode": "SUCCESS", "subStatusCode": "",
          "createdDateTimes": "2026-01-02T03:09:00", "parentTransactionId": null },
    ]);
    for body in [rows.clone(), json!({ "response": rows, "errors": null })] {
        let stub = Stub::start(move |_| Answer::text(200, &body.to_string())).await;
        let trail = stub.mosip().transactions(&aid(), now()).await.unwrap();
        let stages: Vec<_> = trail.iter().map(|record| record.stage.as_str()).collect();
        assert_eq!(stages, ["VALIDATE_PACKET", "DEMOGRAPHIC_VERIFICATION"]);
        assert_eq!(reason(&trail).unwrap().sub_status.as_deref(), Some("RPR-DDD-001"));
        assert!(!format!("{trail:?}").contains("Asha"));
        assert_eq!(stub.asked(&format!("/registrationtransaction/search/{}", aid()))[0].method, "GET");
    }
}
