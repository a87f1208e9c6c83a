//! The broker and its topics.

use civitas_kafka::TopicCheck;

use super::{Finding, Patient, chain};
use crate::assembly;

pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    let config = match assembly::kafka(patient.config) {
        Ok(Some(config)) => config,
        Ok(None) => {
            return vec![Finding::ok("kafka", "not used: the server hands events to the engine directly")];
        }
        Err(error) => return vec![Finding::fail("kafka", format!("{error:#}"), "mend the section `kafka`")],
    };
    match civitas_kafka::check(&config).await {
        Ok(topics) => {
            let mut findings = vec![Finding::ok("kafka", format!("{} answers", config.bootstrap))];
            findings.extend(topics.into_iter().map(topic));
            findings
        }
        Err(error) => vec![Finding::fail(
            "kafka",
            chain(&error),
            "check `kafka.brokers`, that they run, and security.protocol and its settings in `kafka.properties`",
        )],
    }
}

fn topic(check: TopicCheck) -> Finding {
    let name = format!("topic {}", check.topic);
    let policy = check.cleanup_policy.as_deref().unwrap_or("policy unknown");
    let partitions = format!("{} partitions, {policy}", check.partitions);
    match check.problem {
        None => Finding::ok(name, partitions),
        Some(problem) if !check.exists => Finding::fail(name, "it does not exist", problem),
        Some(problem) if check.cleanup_policy.is_none() => Finding::warn(name, partitions, problem),
        Some(problem) => Finding::fail(name, partitions, problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn a_missing_topic_fails_and_an_unreadable_one_warns() {
        let of = |exists, policy: Option<&str>, problem: Option<&str>| {
            topic(TopicCheck {
                topic: "civitas.audit".into(),
                exists,
                partitions: 3,
                cleanup_policy: policy.map(str::to_owned),
                problem: problem.map(str::to_owned),
            })
        };
        assert_eq!(of(true, Some("delete"), None).verdict, Verdict::Ok);
        assert_eq!(of(false, None, Some("create it")).verdict, Verdict::Fail);
        assert_eq!(of(true, None, Some("allow DescribeConfigs")).verdict, Verdict::Warn);
        assert_eq!(of(true, Some("compact"), Some("must not be compacted")).verdict, Verdict::Fail);
    }
}
