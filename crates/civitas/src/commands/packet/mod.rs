//! `civitas packet`: registration packets of our own, made and looked into without any service.

mod build;
mod files;
mod inspect;
mod tree;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

/// Make registration packets, and look into them.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Packet {
    /// Make the packet that an event document leads to, without sending anything
    Build(build::Build),
    /// Show what is in a packet: its parts, their files, sizes, hashes and fields
    Inspect(inspect::Inspect),
    /// Check a packet's hashes, signatures and encryption against the form that MOSIP reads
    Verify(verify::Verify),
}

/// Runs the command.
pub fn run(packet: &Packet) -> anyhow::Result<ExitCode> {
    match packet {
        Packet::Build(build) => build::run(build),
        Packet::Inspect(inspect) => inspect::run(inspect),
        Packet::Verify(verify) => verify::run(verify),
    }
}
