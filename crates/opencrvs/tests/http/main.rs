//! The client and the check of trigger tokens, against a server that answers as OpenCRVS does, and worse.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod answers;
mod credentials;
mod failures;
mod fixture;
mod reads;
mod support;
mod trigger_tokens;
