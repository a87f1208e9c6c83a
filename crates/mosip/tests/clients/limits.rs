//! Limits are per service.

use std::num::NonZeroU32;

use civitas_mosip::{Limit, Limits};
use serde_json::json;

use crate::stub::{Answer, Stub, aid, now};

#[tokio::test]
async fn no_more_calls_at_a_time_than_the_limit() {
    let stub = Stub::start(|_| Answer::json(&json!({ "response": { "data": [] } }))).await;
    let limits = Limits { workflow: Limit::at_a_time(1), ..Limits::default() };
    let mosip = stub.mosip_with(&limits);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let mosip = mosip.clone();
            tokio::spawn(async move { mosip.workflow_status_of(&aid(), now()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!((stub.asked("/search").len(), stub.busiest()), (20, 1));
}

#[tokio::test]
async fn a_rate_and_a_limit_of_nothing_still_let_calls_through() {
    let stub = Stub::start(|_| Answer::json(&json!({ "response": { "data": [] } }))).await;
    let workflow = Limit { concurrency: 0, per_second: NonZeroU32::new(500) };
    let mosip = stub.mosip_with(&Limits { workflow, ..Limits::default() });
    let answers = mosip.workflow_status_each(&vec![aid(); 20], now()).await;
    assert!(answers.len() == 20 && answers.iter().all(|(_, answer)| answer.is_ok()));
}

#[tokio::test]
async fn a_call_that_is_given_up_frees_its_place() {
    let stub = Stub::start(|asked| match asked.method.as_str() {
        "POST" => Answer::never(),
        _ => Answer::json(&json!([])),
    })
    .await;
    let mosip = stub.impatient(&Limits { workflow: Limit::at_a_time(1), ..Limits::default() });
    assert!(mosip.workflow_status_of(&aid(), now()).await.is_err());
    assert_eq!(mosip.transactions(&aid(), now()).await, Ok(Vec::new()));
}
