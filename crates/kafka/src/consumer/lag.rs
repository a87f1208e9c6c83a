//! Consumer lag, from the client's own statistics.

use rdkafka::statistics::Statistics;

use crate::metric;

/// Records the lag of each partition that the statistics know one for.
pub(super) fn record(statistics: &Statistics) {
    for (topic, figures) in &statistics.topics {
        for (partition, figures) in &figures.partitions {
            // -1: not ours, or nothing committed and nothing fetched yet.
            if *partition >= 0 && figures.consumer_lag >= 0 {
                set(topic, *partition, figures.consumer_lag);
            }
        }
    }
}

/// A revoked partition is its new owner's to report.
pub(super) fn forget(topic: &str, partition: i32) {
    set(topic, partition, 0);
}

fn set(topic: &str, partition: i32, lag: i64) {
    // A gauge is a float; a lag beyond 2^53 messages would be rounded.
    #[expect(clippy::cast_precision_loss, reason = "a lag is far below 2^53")]
    let lag = lag as f64;
    metrics::gauge!(metric::LAG, "topic" => topic.to_owned(), "partition" => partition.to_string()).set(lag);
}
