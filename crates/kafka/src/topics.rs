//! Are the topics there, and are they what we need? And: create them.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::config::{ConfigError, KafkaConfig};

const TIMEOUT: Duration = Duration::from_secs(10);

/// What was found of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicCheck {
    /// Name.
    pub topic: String,
    /// It exists.
    pub exists: bool,
    /// Number of partitions; 0 if it does not exist.
    pub partitions: usize,
    /// `cleanup.policy`: `delete`, `compact` or both; none if it does not exist or may not be read.
    pub cleanup_policy: Option<String>,
    /// What is wrong, and what to do.
    pub problem: Option<String>,
}

/// Why the topics could not be looked at or created.
#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The broker cannot be reached, or refuses us.
    #[error("kafka does not answer at {bootstrap}: check that it runs, and the security properties")]
    Unreachable {
        /// The configured brokers.
        bootstrap: String,
        /// Why.
        #[source]
        source: KafkaError,
    },
    /// The broker refused to create a topic.
    #[error("topic {topic} was not created ({code}): create it by hand, or allow this user to")]
    NotCreated {
        /// Name.
        topic: String,
        /// The broker's code.
        code: RDKafkaErrorCode,
    },
}

/// How new topics are laid out.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Partitions of each topic. More partitions let more processes share the work.
    pub partitions: i32,
    /// Replicas of each partition: 3 in production, 1 on a single broker.
    pub replication: i32,
}

/// What each topic is for, and so how it must be cleaned up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Events,
    Audit,
    Awaiting,
    DeadLetter,
}

impl Role {
    fn policy(self) -> &'static str {
        if self == Self::Awaiting { "compact" } else { "delete" }
    }

    /// Settings of a new topic, beside the policy.
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Events => &[],
            // The journal can always tell the story again; the topic need not forget it.
            Self::Audit => &[("retention.ms", "-1")],
            Self::Awaiting => &[("min.cleanable.dirty.ratio", "0.1")],
            // Room for the original at its largest plus our headers; 30 days, since it holds personal data.
            Self::DeadLetter => &[("max.message.bytes", "2097152"), ("retention.ms", "2592000000")],
        }
    }

    fn advice(self, policy: &str) -> Option<String> {
        let compacted = policy.contains("compact");
        match self {
            Self::Awaiting if policy != "compact" => Some(
                "must be compacted and nothing else, or entries of records that still wait disappear: set cleanup.policy=compact".into(),
            ),
            Self::Events | Self::Audit | Self::DeadLetter if compacted => Some(
                "must not be compacted, or all but the last message of a record disappear: set cleanup.policy=delete".into(),
            ),
            _ => None,
        }
    }
}

fn roles(config: &KafkaConfig) -> [(Role, &str); 4] {
    let topics = &config.topics;
    [
        (Role::Events, &topics.events),
        (Role::Audit, &topics.audit),
        (Role::Awaiting, &topics.awaiting),
        (Role::DeadLetter, &topics.dead_letter),
    ]
}

type Admin = AdminClient<DefaultClientContext>;

fn admin(config: &KafkaConfig) -> Result<Admin, TopicsError> {
    Ok(config.client()?.create().map_err(ConfigError::Client)?)
}

/// Partitions by topic. Asks for all topics: asking for one by name could create it.
async fn existing(
    config: &KafkaConfig,
    admin: Admin,
) -> Result<(Admin, BTreeMap<String, usize>), TopicsError> {
    let unreachable = |source| TopicsError::Unreachable { bootstrap: config.bootstrap.clone(), source };
    let asked = tokio::task::spawn_blocking(move || {
        let metadata = admin.inner().fetch_metadata(None, TIMEOUT);
        (admin, metadata)
    });
    let (admin, metadata) = asked.await.map_err(|_| unreachable(KafkaError::Canceled))?;
    let metadata = metadata.map_err(unreachable)?;
    let found = metadata.topics().iter().map(|topic| (topic.name().to_owned(), topic.partitions().len()));
    Ok((admin, found.collect()))
}

/// Looks at the four topics.
pub async fn check(config: &KafkaConfig) -> Result<Vec<TopicCheck>, TopicsError> {
    let (admin, existing) = existing(config, admin(config)?).await?;
    let mut checks = Vec::with_capacity(4);
    for (role, topic) in roles(config) {
        let Some(&partitions) = existing.get(topic) else {
            checks.push(TopicCheck {
                topic: topic.to_owned(),
                exists: false,
                partitions: 0,
                cleanup_policy: None,
                problem: Some(format!("does not exist: create it with cleanup.policy={}", role.policy())),
            });
            continue;
        };
        let cleanup_policy = cleanup_policy(&admin, topic).await;
        let problem = match &cleanup_policy {
            Some(policy) => role.advice(policy),
            None => Some(
                "its configuration cannot be read: allow DescribeConfigs on it, or check it by hand".into(),
            ),
        };
        checks.push(TopicCheck {
            topic: topic.to_owned(),
            exists: true,
            partitions,
            cleanup_policy,
            problem,
        });
    }
    Ok(checks)
}

async fn cleanup_policy(admin: &Admin, topic: &str) -> Option<String> {
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let mut described = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await.ok()?;
    described.pop()?.ok()?.get("cleanup.policy")?.value.clone()
}

/// Creates those of the four topics that are missing; returns their names. Those that exist are left alone.
pub async fn ensure(config: &KafkaConfig, shape: Shape) -> Result<Vec<String>, TopicsError> {
    let (admin, existing) = existing(config, admin(config)?).await?;
    let missing: Vec<_> = roles(config)
        .into_iter()
        .filter(|(_, topic)| !existing.contains_key(*topic))
        .map(|(role, topic)| {
            let replication = TopicReplication::Fixed(shape.replication);
            let topic =
                NewTopic::new(topic, shape.partitions, replication).set("cleanup.policy", role.policy());
            role.settings().iter().fold(topic, |topic, (name, value)| topic.set(name, value))
        })
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT));
    let results = admin
        .create_topics(&missing, &options)
        .await
        .map_err(|source| TopicsError::Unreachable { bootstrap: config.bootstrap.clone(), source })?;
    let mut created = Vec::new();
    for result in results {
        match result {
            Ok(topic) => created.push(topic),
            // Somebody else was faster.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(TopicsError::NotCreated { topic, code }),
        }
    }
    Ok(created)
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn only_the_awaiting_topic_is_compacted() {
        assert!(Role::Awaiting.advice("compact").is_none());
        assert!(Role::Awaiting.advice("delete").is_some());
        assert!(Role::Awaiting.advice("compact,delete").is_some());
        for role in [Role::Events, Role::Audit, Role::DeadLetter] {
            assert!(role.advice("delete").is_none());
            assert!(role.advice("compact").is_some());
            assert!(role.advice("compact,delete").is_some());
        }
    }
}
