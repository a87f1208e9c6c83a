//! What the doctor asks, and what creates topics.

use civitas_kafka::{KafkaConfig, Shape, TopicsError, check, ensure};
use civitas_tests::kafka::Kafka;

#[tokio::test]
async fn topics_are_checked_and_created() {
    let kafka = Kafka::shared().await;
    let mut config = KafkaConfig::new(kafka.bootstrap());
    let topics = &mut config.topics;
    for name in [&mut topics.events, &mut topics.audit, &mut topics.awaiting, &mut topics.dead_letter] {
        *name = format!("check.{name}");
    }
    kafka.create_topic(&config.topics.audit, 2, true).await;

    let checks = check(&config).await.unwrap();
    let problems: Vec<_> = checks.iter().map(|check| check.problem.as_deref().unwrap_or_default()).collect();
    assert_eq!(problems[0], "does not exist: create it with cleanup.policy=delete");
    assert!(problems[1].starts_with("must not be compacted"), "{}", problems[1]);
    assert_eq!(problems[2], "does not exist: create it with cleanup.policy=compact");
    assert_eq!((checks[1].exists, checks[1].partitions), (true, 2));
    assert_eq!(checks[1].cleanup_policy.as_deref(), Some("compact"));

    let created = ensure(&config, Shape { partitions: 4, replication: 1 }).await.unwrap();
    assert_eq!(
        created,
        ["check.crvs.events", "check.civitas.awaiting-external-validation", "check.civitas.dead-letter"]
    );
    assert!(ensure(&config, Shape { partitions: 4, replication: 1 }).await.unwrap().is_empty());
    let checks = check(&config).await.unwrap();
    let fine: Vec<_> =
        checks.iter().map(|check| (check.exists, check.partitions, check.problem.is_none())).collect();
    assert_eq!(fine, [(true, 4, true), (true, 2, false), (true, 4, true), (true, 4, true)]);
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_said_to_be() {
    // Port 1 is nobody's.
    let error = check(&KafkaConfig::new("127.0.0.1:1")).await.unwrap_err();
    assert!(matches!(error, TopicsError::Unreachable { .. }));
    assert!(error.to_string().starts_with("kafka does not answer at 127.0.0.1:1"), "{error}");
}
