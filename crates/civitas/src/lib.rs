//! Civitas's binary as a library: configuration and commands.

pub mod config;
