//! docs/rules.md, done by the letter: its files are written, its edits made, its commands run, its outputs compared.
//!
//! The first line of a block says what it is:
//! - `console`: commands after `$ `, each with its output; a line `...` stands for any lines, `…` for any text in a line;
//! - `diff <file>`: lines to take out (`-`) and to put in (`+`) where the others stand, once in the file;
//! - `yaml append <file>`, `json write <file>`: text at the end of a file, or as a file;
//! - `yaml see <file>`: text that the file has.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// One fenced block: line in the page, words of its first line, text.
struct Block {
    line: usize,
    info: Vec<String>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (open.take(), line.strip_prefix("```")) {
            (Some(block), Some(_)) => blocks.push(block),
            (Some(mut block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, Some(info)) => {
                let info = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { line: index + 1, info, text: String::new() });
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The program's own folder first, so that `civitas` is the one that was built.
fn shell(command: &str, folder: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_civitas"));
    let path =
        format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{{ {command}\n}} 2>&1"))
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("CIVITAS_CONFIG");
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}

/// Whether the line is as the page has it, `…` standing for anything.
fn same_line(found: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = found.trim_end().strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(place) = rest.find(part) else { return false };
        rest = &rest[place + part.len()..];
    }
    rest.ends_with(last)
}

fn same(found: &[&str], expected: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"...", rest)) => (0..=found.len()).any(|skipped| same(&found[skipped..], rest)),
        Some((line, rest)) => {
            found.split_first().is_some_and(|(first, found)| same_line(first, line) && same(found, rest))
        }
    }
}

fn console(block: &Block, folder: &Path) {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, Vec::new())),
            None => commands.last_mut().unwrap().1.push(line.trim_end()),
        }
    }
    for (command, expected) in commands {
        let found = shell(command, folder);
        // A blank line at the end says nothing.
        let lines: Vec<&str> = found.trim_end().lines().collect();
        assert!(
            same(&lines, &expected),
            "line {}: $ {command}\n{found}\n--- the page says\n{}",
            block.line,
            expected.join("\n")
        );
    }
}

fn edit(block: &Block, file: &Path) {
    let strip = |line: &str| line.get(1..).unwrap_or_default().to_owned();
    let mut before = String::new();
    let mut after = String::new();
    for line in block.text.lines() {
        if !line.starts_with('+') {
            before.push_str(&(strip(line) + "\n"));
        }
        if !line.starts_with('-') {
            after.push_str(&(strip(line) + "\n"));
        }
    }
    let text = fs::read_to_string(file).unwrap();
    assert_eq!(
        text.matches(&before).count(),
        1,
        "line {}: {} has not once\n{before}",
        block.line,
        file.display()
    );
    fs::write(file, text.replacen(&before, &after, 1)).unwrap();
}

#[test]
fn the_tutorial_does_what_it_says() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks(&page);
    let commands = blocks.iter().filter(|block| block.info == ["console"]).count();
    assert!(commands >= 10, "{commands} blocks of commands");
    for block in &blocks {
        let info: Vec<&str> = block.info.iter().map(String::as_str).collect();
        match info.as_slice() {
            ["console"] => console(block, folder.path()),
            ["diff", file] => edit(block, &folder.path().join(file)),
            [_, "write", file] => fs::write(folder.path().join(file), &block.text).unwrap(),
            [_, "append", file] => {
                let path = folder.path().join(file);
                let text = fs::read_to_string(&path).unwrap();
                fs::write(path, text + &block.text).unwrap();
            }
            [_, "see", file] => {
                let text = fs::read_to_string(folder.path().join(file)).unwrap();
                assert!(text.contains(&block.text), "line {}: {file} has no\n{}", block.line, block.text);
            }
            other => panic!("line {}: a block of an unknown kind: {other:?}", block.line),
        }
    }
}

#[test]
fn what_differs_from_the_page_is_noticed() {
    assert!(same(&["a", "b 12 c", "d"], &["a", "b … c", "d"]));
    assert!(same(&["a", "b", "c"], &["...", "c"]));
    assert!(!same(&["a", "b"], &["a"]));
    assert!(!same(&["a"], &["a", "b"]));
    assert!(!same(&["b 12 d"], &["b … c"]));
    assert!(same(&["x"], &["..."]) && same(&[], &["..."]));
}
