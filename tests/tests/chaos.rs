//! The run that is meant to break it, at a size for every change. `make chaos` plays the full one.

use civitas_tests::chaos::{Plan, run};

#[tokio::test(flavor = "multi_thread")]
async fn kafka_and_postgresql_survive_kills_a_broker_restart_and_a_failing_mosip() {
    let plan = Plan {
        records: 250,
        at_a_time: 40,
        engines: 2,
        kills: 5,
        broker_restart: true,
        kafka: true,
        seed: 11,
    };
    let report = run(&plan).await;
    println!("{report:#?}");
    assert!(report.deliveries > report.events, "events were delivered more than once");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_without_a_broker_survives_kills_and_a_failing_mosip() {
    let plan = Plan {
        records: 80,
        at_a_time: 20,
        engines: 1,
        kills: 3,
        broker_restart: false,
        kafka: false,
        seed: 12,
    };
    let report = run(&plan).await;
    println!("{report:#?}");
    assert!(report.deliveries > report.events, "events were delivered more than once");
}
