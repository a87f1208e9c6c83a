//! `civitas country help`: what the codes of diagnostics mean.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use civitas_rules::Code;
use civitas_rules::help::{GROUPS, Page, codes_of, index};
use clap::Args;

use super::style::{Color, Style, say};
use crate::commands::generated::write_or_check;

/// Say what a diagnostic's code means.
#[derive(Debug, Args)]
pub struct Help {
    /// Code such as R006; without it, all are listed
    code: Option<String>,
    /// Colours; `auto` uses them on a terminal unless `NO_COLOR` is set
    #[arg(long, value_enum, default_value_t)]
    color: Color,
    /// Write the index of all pages into this folder
    #[arg(long, hide = true, value_name = "FOLDER", conflicts_with = "code")]
    index: Option<PathBuf>,
    /// Only check that the index is up to date
    #[arg(long, hide = true, requires = "index")]
    check: bool,
}

pub(super) fn run(help: &Help) -> anyhow::Result<ExitCode> {
    let style = Style::of(help.color);
    if let Some(folder) = &help.index {
        let files = [("README.md".to_owned(), index())];
        let command = format!("civitas country help --index {}", folder.display());
        write_or_check(folder, &files, help.check, &command)?;
        return Ok(ExitCode::SUCCESS);
    }
    match &help.code {
        None => say(&list(style)),
        Some(wanted) => say(&page(find(wanted)?, style)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The code as people type it: `r006`, `[R006]`, `R6`.
fn find(wanted: &str) -> anyhow::Result<Code> {
    let wanted = wanted.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let mut chars = wanted.chars();
    let letter = chars.next().unwrap_or_default().to_ascii_uppercase();
    let number = chars.as_str().parse::<u32>().ok();
    let number_of = |code: Code| code.as_str()[1..].parse::<u32>().ok();
    if let Some(code) = codes_of(letter).find(|code| number.is_some() && number_of(*code) == number) {
        return Ok(code);
    }
    let near = match (codes_of(letter).next(), codes_of(letter).last()) {
        (Some(first), Some(last)) => format!("there are {first} to {last}; "),
        _ => String::new(),
    };
    Err(anyhow!("there is no code `{wanted}`; {near}`civitas country help` lists all"))
}

fn list(style: Style) -> String {
    let mut text = String::new();
    for (letter, about) in GROUPS {
        let mut codes = codes_of(letter).peekable();
        if codes.peek().is_none() {
            continue;
        }
        let _ = writeln!(text, "{}", style.bold(&format!("{letter}: {about}")));
        for code in codes {
            let severity = if code.is_warning() { style.yellow("warning") } else { style.red("error  ") };
            let _ = writeln!(text, "  {code}  {severity}  {}", code.title());
        }
        text.push('\n');
    }
    text += "`civitas country help R006` says more about one of them.\n";
    text
}

/// The page without colours.
pub(super) fn plain(code: Code) -> String {
    page(code, Style::PLAIN)
}

fn page(code: Code, style: Style) -> String {
    let page = Page::of(code);
    let kind = if code.is_warning() {
        style.yellow(&format!("warning[{code}]"))
    } else {
        style.red(&format!("error[{code}]"))
    };
    let example = |text: &str| text.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    format!(
        "{kind}{}\n\n{}\n\n{}\n{}\n\n{}\n{}\n{}\n{}",
        style.bold(&format!(": {}", code.title())),
        page.what,
        style.bold("Why it matters"),
        page.why,
        style.bold("Wrong"),
        example(page.wrong),
        style.bold("Right"),
        example(page.right),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_as_people_type_it() {
        assert_eq!(find("r006").unwrap(), Code::R006);
        assert_eq!(find("[R006]:").unwrap(), Code::R006);
        assert_eq!(find("R6").unwrap(), Code::R006);
        let message = find("I99").unwrap_err().to_string();
        assert!(message.contains("there are I001 to I004"), "{message}");
        let message = find("Q1").unwrap_err().to_string();
        assert_eq!(message, "there is no code `Q1`; `civitas country help` lists all");
    }

    #[test]
    fn pages_and_the_list_are_plain_without_colours() {
        for text in [list(Style::PLAIN), plain(Code::R006)] {
            assert!(!text.contains('\x1b'), "{text}");
        }
        assert!(plain(Code::R006).starts_with("error[R006]: an unknown field\n"));
        assert!(page(Code::R006, Style::COLORED).contains("\x1b[1mWrong\x1b[0m"));
    }

    #[test]
    fn the_index_in_the_tree_is_that_of_the_codes() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnostics");
        let files = [("README.md".to_owned(), index())];
        if let Err(error) = write_or_check(&folder, &files, true, "make generate") {
            panic!("{error}");
        }
    }
}
