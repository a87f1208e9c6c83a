//! `civitas country help`: what the codes of diagnostics mean.

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

fn find(wanted: &str) -> anyhow::Result<Code> {
    let wanted = wanted.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if let Some(code) = Code::ALL.iter().find(|code| code.as_str().eq_ignore_ascii_case(wanted)) {
        return Ok(*code);
    }
    // `R6` for R006, `R060` for one that was heard wrong: the nearest of the same file.
    let mut chars = wanted.chars();
    let letter = chars.next().map(|c| c.to_ascii_uppercase()).unwrap_or_default();
    let number = chars.as_str().parse::<u32>().ok();
    let number_of = |code: Code| code.as_str()[1..].parse::<u32>().unwrap_or_default();
    let near = codes_of(letter).min_by_key(|code| number.map_or(0, |number| number_of(*code).abs_diff(number)));
    let hint = match (near, number) {
        (Some(code), Some(_)) => format!("did you mean {code}, {}? ", code.title()),
        _ => String::new(),
    };
    Err(anyhow!("there is no code `{wanted}`; {hint}`civitas country help` lists all"))
}

fn list(style: Style) -> String {
    let mut text = String::new();
    for (letter, about) in GROUPS {
        let mut codes = codes_of(letter).peekable();
        if codes.peek().is_none() {
            continue;
        }
        text += &format!("{}\n", style.bold(&format!("{letter}: {about}")));
        for code in codes {
            let severity = if code.is_warning() { style.yellow("warning") } else { style.red("error  ") };
            text += &format!("  {code}  {severity}  {}\n", code.title());
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
    let severity = if code.is_warning() { style.yellow("warning") } else { style.red("error") };
    let example = |text: &str| -> String { text.lines().map(|line| format!("    {line}\n")).collect() };
    format!(
        "{} {severity}\n\n{}\n\n{}\n{}\n\n{}\n{}\n{}\n{}",
        style.bold(&format!("{code}: {}", code.title())),
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
        let message = find("R6").unwrap_err().to_string();
        assert!(message.contains("did you mean R006"), "{message}");
        let message = find("Q1").unwrap_err().to_string();
        assert_eq!(message, "there is no code `Q1`; `civitas country help` lists all");
    }

    #[test]
    fn pages_and_the_list_are_plain_without_colours() {
        for text in [list(Style::PLAIN), plain(Code::R006)] {
            assert!(!text.contains('\x1b'), "{text}");
        }
        assert!(plain(Code::R006).starts_with("R006: an unknown field error\n"));
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
