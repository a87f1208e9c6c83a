//! A problem as it is shown in a terminal: with the path as the user gave it.

use std::fmt;
use std::path::Path;

use civitas_rules::{Diagnostic, Severity};

use super::style::Style;

/// A problem, the folder of its pack, and how it is coloured.
pub(super) struct Shown<'a> {
    pub(super) problem: &'a Diagnostic,
    pub(super) folder: &'a Path,
    pub(super) style: Style,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, folder, style } = self;
        let kind = match problem.severity {
            Severity::Error => style.red(&format!("error[{}]", problem.code)),
            Severity::Warning => style.yellow(&format!("warning[{}]", problem.code)),
        };
        writeln!(f, "{kind}{}", style.bold(&format!(": {}", problem.message)))?;
        let path = folder.join(&problem.file);
        let path = path.display();
        let gutter = " ".repeat(problem.line.to_string().len());
        let bar = style.blue("|");
        if problem.line == 0 {
            writeln!(f, " {} {path}", style.blue("-->"))?;
        } else {
            writeln!(f, "{gutter}{} {path}:{}:{}", style.blue("-->"), problem.line, problem.column)?;
        }
        if let Some(source) = &problem.source {
            // Tabs stay tabs, so that the carets stand below what they mean.
            let before: String = source
                .chars()
                .take(problem.column.saturating_sub(1))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            let carets = "^".repeat(problem.width);
            let carets = match problem.severity {
                Severity::Error => style.red(&carets),
                Severity::Warning => style.yellow(&carets),
            };
            writeln!(f, "{gutter} {bar}")?;
            writeln!(f, "{} {bar} {source}", style.blue(&problem.line.to_string()))?;
            writeln!(f, "{gutter} {bar} {before}{carets}")?;
        }
        let equals = style.blue("=");
        if let Some(suggestion) = &problem.suggestion {
            writeln!(f, "{gutter} {equals} did you mean {}?", style.green(&format!("`{suggestion}`")))?;
        }
        if let Some(help) = &problem.help {
            writeln!(f, "{gutter} {equals} {} {help}", style.green("help:"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use civitas_rules::{Pack, PackFiles};

    use super::*;

    #[test]
    fn without_colours_it_reads_as_the_goldens_with_the_folder_before_the_file() {
        let files = PackFiles([("rules.yaml".to_owned(), "version: 1\nrules: [".to_owned())].into());
        let problems = Pack::load(&files).unwrap_err();
        for problem in &problems {
            let folder = Path::new("packs/x");
            let shown = Shown { problem, folder, style: Style::PLAIN }.to_string();
            assert_eq!(shown, problem.to_string().replace("--> ", "--> packs/x/"));
            let colored = Shown { problem, folder, style: Style::COLORED }.to_string();
            assert!(colored.starts_with("\x1b[1;31merror["), "{colored}");
            let mut plain = colored;
            for code in ["0", "1", "1;31", "32", "34"] {
                plain = plain.replace(&format!("\x1b[{code}m"), "");
            }
            assert_eq!(plain, shown);
        }
    }
}
