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

#[tokio::test(flavor = "multi_thread")]
async fn weeks_of_silence_and_outage_end_with_each_operation_confirmed_or_stalled_for_the_true_cause() {
    let plan = civitas_tests::weeks::Plan {
        before: 60,
        silent: 40,
        waiting: 400,
        at_a_time: 16,
        per_second: 40,
        settling: 1_000.0,
        seed: 13,
    };
    let report = civitas_tests::weeks::run(&plan).await;
    println!("{report:#?}");
    assert!(report.waited >= 300, "most of them wait when MOSIP comes back");
}
