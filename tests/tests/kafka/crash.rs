//! Killed between the journal and the commit.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use civitas_kafka::{Consumer, Incoming, Ingest, IngestRefusal, KafkaConfig};
use civitas_tests::kafka::Kafka;
use tokio_util::sync::CancellationToken;

use crate::support::{Memory, Running, assert_in_order, committed, prepared, send};

const BOOTSTRAP: &str = "CIVITAS_TEST_CRASH_BOOTSTRAP";

/// Says what it has taken in, and never comes back from a later batch: the moment after the journal's commit
/// and before Kafka's.
struct Doomed;

impl Ingest for Doomed {
    async fn ingest(&self, batch: Vec<Incoming>) -> Vec<Result<(), IngestRefusal>> {
        for incoming in &batch {
            println!("\ntaken {}", incoming.action_id);
        }
        let doomed = batch.iter().any(|incoming| incoming.origin.offset >= 20);
        println!("{}", if doomed { "doomed" } else { "done" });
        if doomed {
            std::future::pending::<()>().await;
        }
        batch.iter().map(|_| Ok(())).collect()
    }
}

fn config(bootstrap: &str) -> KafkaConfig {
    let mut config = KafkaConfig::new(bootstrap).with_property("session.timeout.ms", "6000");
    config.group_id = "crash".into();
    config.topics.events = "crash.events".into();
    config.topics.dead_letter = "crash.dead".into();
    config.batch.max_messages = 10;
    config
}

/// The process that is killed: this test binary again, running this "test" alone. In a normal run it does nothing.
#[tokio::test]
async fn the_doomed_process() {
    if let Ok(bootstrap) = std::env::var(BOOTSTRAP) {
        let consumer = Consumer::new(&config(&bootstrap)).unwrap();
        consumer.run(Doomed, CancellationToken::new()).await;
    }
}

#[tokio::test]
async fn what_was_ingested_and_not_committed_is_delivered_again() {
    let kafka = Kafka::shared().await;
    let prepared = prepared(kafka, "crash", 1).await;
    send(&prepared, 0..100, 10).await;

    let mut doomed = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_doomed_process", "--nocapture"])
        .env(BOOTSTRAP, kafka.bootstrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(doomed.stdout.take().unwrap());
    let said: Vec<String> = out.lines().map(Result::unwrap).take_while(|line| line != "doomed").collect();
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    let taken = |said: &[String]| -> Vec<String> {
        said.iter().filter_map(|line| line.strip_prefix("taken ")).map(str::to_owned).collect()
    };
    let settled = said.iter().rposition(|line| line == "done").unwrap();
    let (settled, unsettled) = (taken(&said[..settled]), taken(&said[settled..]));
    assert!(settled.len() >= 11 && !unsettled.is_empty(), "{said:?}");
    assert_eq!(committed(kafka, &prepared, 1).await, i64::try_from(settled.len()).unwrap());

    let memory = Memory::new();
    let successor = Running::consumer(&config(&kafka.bootstrap()), &memory);
    memory.has(100 - settled.len()).await;
    successor.stop().await;
    let accepted = memory.accepted();
    let again: Vec<String> =
        accepted.iter().take(unsettled.len()).map(|incoming| incoming.action_id.to_string()).collect();
    assert_eq!(again, unsettled);
    assert_in_order(&accepted, 100);
    assert_eq!(committed(kafka, &prepared, 1).await, 100);
}
