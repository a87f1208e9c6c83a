//! `make chaos`: the full size of the run that is meant to break it. `make weeks`: that of the simulated weeks.

use civitas_tests::chaos::{Plan, run};
use civitas_tests::weeks;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "weeks") {
        return simulated_weeks().await;
    }
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

async fn simulated_weeks() {
    let waiting = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(50_000);
    let plan = weeks::Plan {
        before: 1_000,
        silent: 500,
        waiting,
        at_a_time: 64,
        per_second: 200,
        settling: 200.0,
        seed: 20_260_601,
    };
    println!("{plan:#?}");
    let report = weeks::run(&plan).await;
    println!("{report:#?}");
    println!("Every operation ended confirmed, or stalled with the cause that MOSIP's own books have.");
}
