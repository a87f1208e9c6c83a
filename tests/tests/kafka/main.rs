//! The transport against a real Apache Kafka: what is read is ingested and then committed, what cannot be is a
//! dead letter, what is published arrives in order, and nothing of it is lost when processes or the broker die.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod crash;
mod dead_letters;
mod outage;
mod publishing;
mod reading;
mod replay;
mod support;
mod topics;
