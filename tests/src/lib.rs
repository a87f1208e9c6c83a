//! Test support: the real systems that the tests of the whole run against.

pub mod kafka;
pub mod postgres;
