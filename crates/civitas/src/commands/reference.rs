//! `civitas reference`: the reference of the country pack, written from the code.

use std::path::PathBuf;

use clap::Args;

use super::generated::write_or_check;

/// Write the reference of the country pack to docs/reference.md.
#[derive(Debug, Args)]
pub struct Reference {
    /// Folder to write into
    #[arg(long, default_value = "docs")]
    folder: PathBuf,
    /// Only check that the file is up to date
    #[arg(long, conflicts_with = "print")]
    check: bool,
    /// Print it
    #[arg(long)]
    print: bool,
}

/// Runs the command.
pub fn run(command: &Reference) -> anyhow::Result<()> {
    let text = civitas_rules::manual();
    if command.print {
        print!("{text}");
        return Ok(());
    }
    write_or_check(&command.folder, &[("reference.md".to_owned(), text)], command.check, "civitas reference")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_in_the_tree_is_that_of_the_code() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let files = [("reference.md".to_owned(), civitas_rules::manual())];
        if let Err(error) = write_or_check(&folder, &files, true, "civitas reference") {
            panic!("{error}");
        }
    }
}
