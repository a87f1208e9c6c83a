//! `make chaos`: the full size of the run that is meant to break it.

use civitas_tests::chaos::{Plan, run};

#[tokio::main]
async fn main() {
    let records = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(9_000);
    let plan = Plan {
        records,
        at_a_time: 200,
        engines: 2,
        kills: 12,
        broker_restart: true,
        kafka: true,
        seed: 20_260_601,
    };
    println!("{plan:#?}");
    let report = run(&plan).await;
    println!("{report:#?}");
    println!(
        "Every promise held: nothing lost, nothing sent twice, nothing out of order, the audit log whole."
    );
}
