//! `civitas openapi`: the description of the HTTP server.

use std::path::PathBuf;

use clap::Args;

use super::generated::write_or_check;

/// Write the OpenAPI description of the server to schemas/openapi.json.
#[derive(Debug, Args)]
pub struct OpenApi {
    /// Folder to write into
    #[arg(long, default_value = "schemas")]
    folder: PathBuf,
    /// Only check that the file is up to date
    #[arg(long, conflicts_with = "print")]
    check: bool,
    /// Print it
    #[arg(long)]
    print: bool,
}

/// Runs the command.
pub fn run(command: &OpenApi) -> anyhow::Result<()> {
    let text = civitas_server::openapi_json();
    if command.print {
        print!("{text}");
        return Ok(());
    }
    write_or_check(&command.folder, &[("openapi.json".to_owned(), text)], command.check, "civitas openapi")
}
