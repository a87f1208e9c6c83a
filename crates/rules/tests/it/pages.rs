//! The help pages: each has its parts, and what it calls wrong is wrong and what it calls right is not.
//!
//! The examples belong to the small pack and to the edits of the goldens. With `UPDATE_PAGES=1`
//! the examples of pages that do not hold are written anew from the edits.

use std::collections::BTreeSet;

use civitas_rules::help::Page;
use civitas_rules::{Code, PackFiles};

use crate::common::workspace;
use crate::diagnostics::{EDITS, Edit, apply, problems_of, small};

/// These cannot be shown by a text that somebody writes: P009 is about the archive, and the
/// character of P011 is what is left of one that was no text.
const WITHOUT_EXAMPLE: [Code; 2] = [Code::P009, Code::P011];

const HEADINGS: [&str; 3] = ["\n## Why it matters\n", "\n## Wrong\n", "\n## Right\n"];

#[test]
fn every_page_has_its_title_and_its_parts() {
    for code in Code::ALL {
        let page = Page::of(*code);
        let title = format!("# {code}: {}\n", code.title());
        assert!(
            page.markdown.starts_with(&title),
            "docs/diagnostics/{code}.md does not start with {title:?}"
        );
        let places: Vec<Option<usize>> = HEADINGS.iter().map(|heading| page.markdown.find(heading)).collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{code}: a heading is missing or misplaced"
        );
        for (part, text) in
            [("what", page.what), ("why", page.why), ("wrong", page.wrong), ("right", page.right)]
        {
            assert!(!text.trim().is_empty(), "docs/diagnostics/{code}.md says nothing under {part}");
        }
    }
}

#[test]
fn every_page_is_about_a_code() {
    let known: BTreeSet<String> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    for entry in std::fs::read_dir(workspace().join("docs/diagnostics")).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(name == "README.md" || known.contains(&name), "docs/diagnostics/{name} is about no code");
    }
}

#[test]
fn what_is_wrong_is_wrong_and_what_is_right_is_not() {
    let mut stale = Vec::new();
    for (code, edit) in EDITS.iter().filter(|(code, _)| !WITHOUT_EXAMPLE.contains(code)) {
        let page = Page::of(*code);
        if let Err(reason) = holds(*code, edit, page.wrong, page.right) {
            if std::env::var_os("UPDATE_PAGES").is_some() {
                rewrite(*code, edit, page.markdown);
            } else {
                stale.push(format!("{code}: {reason}"));
            }
        }
    }
    assert!(
        stale.is_empty(),
        "examples that do not hold; mend them, or write them from the goldens' edits with UPDATE_PAGES=1:\n{}",
        stale.join("\n")
    );
}

/// The golden's edit leads to the wrong example and to the code; putting the right one in its
/// place mends it.
fn holds(code: Code, edit: &Edit, wrong: &str, right: &str) -> Result<(), String> {
    let mut edited = small();
    apply(&mut edited, edit);
    if !says(&edited, code) {
        return Err("the golden's edit does not raise it".to_owned());
    }
    let mended = match edit {
        Edit::Add(..) | Edit::Drop(_) => listed(&edited, wrong, right)?,
        _ => {
            let (file, indent) =
                find(&edited, wrong).ok_or("no file of the edited pack has the wrong example in it")?;
            let text = edited.0[&file].replacen(&indented(wrong, indent), &indented(right, indent), 1);
            let mut mended = edited;
            mended.0.insert(file, text);
            mended
        }
    };
    if says(&mended, code) { Err("the right example raises it, too".to_owned()) } else { Ok(()) }
}

fn says(files: &PackFiles, code: Code) -> bool {
    problems_of(files).iter().any(|problem| problem.code == code)
}

/// The file that has the example, and by how much it is indented there.
fn find(files: &PackFiles, example: &str) -> Option<(String, usize)> {
    if example.trim().is_empty() {
        return None;
    }
    let at = |text: &str| {
        (0..=16).find(|indent| format!("\n{text}").contains(&format!("\n{}", indented(example, *indent))))
    };
    files.0.iter().find_map(|(name, text)| Some((name.clone(), at(text)?)))
}

fn indented(example: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    example
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{pad}{line}\n") })
        .collect()
}

/// A pack with the files that the right list has and the wrong one lacks, and the other way round.
fn listed(edited: &PackFiles, wrong: &str, right: &str) -> Result<PackFiles, String> {
    let names = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let (wrong, right) = (names(wrong), names(right));
    if wrong != edited.0.keys().cloned().collect() {
        return Err("the wrong example is not the list of the edited pack's files".to_owned());
    }
    let whole = small();
    let contents = |name: &String| whole.0.get(name).cloned().ok_or(format!("the small pack has no {name}"));
    right.iter().map(|name| Ok((name.clone(), contents(name)?))).collect::<Result<_, String>>().map(PackFiles)
}

fn rewrite(code: Code, edit: &Edit, markdown: &str) {
    let (wrong, right, fence) = examples(edit);
    let head = markdown.split("\n## Wrong\n").next().expect("a head").trim_end();
    let text = format!("{head}\n\n## Wrong\n```{fence}\n{wrong}```\n\n## Right\n```{fence}\n{right}```\n");
    std::fs::write(workspace().join(format!("docs/diagnostics/{code}.md")), text)
        .expect("pages can be written");
}

/// The lines around the last edit, before and after it.
fn examples(edit: &Edit) -> (String, String, &'static str) {
    let (mut whole, mut edited) = (small(), small());
    apply(&mut edited, edit);
    if let Edit::All([before @ .., _]) = edit {
        for edit in before {
            apply(&mut whole, edit);
        }
    }
    let file = match edit {
        Edit::Swap(file, ..) => *file,
        Edit::All(edits) => match edits.last() {
            Some(Edit::Swap(file, ..)) => *file,
            _ => "",
        },
        Edit::Add(..) | Edit::Drop(_) => {
            let names = |files: &PackFiles| files.0.keys().fold(String::new(), |all, name| all + name + "\n");
            return (names(&edited), names(&whole), "text");
        }
    };
    let (old, new): (Vec<&str>, Vec<&str>) =
        (whole.0[file].lines().collect(), edited.0[file].lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let tail = tail.min(old.len() - same).min(new.len() - same);
    let indent = |line: &str| line.len() - line.trim_start().len();
    // From the key that the changed lines stand under, if it is near.
    let changed = new[same..new.len() - tail].iter().chain(&old[same..old.len() - tail]);
    let least = changed.map(|line| indent(line)).min().unwrap_or_default();
    let parent = (same.saturating_sub(8)..same).rev().find(|index| indent(new[*index]) < least);
    let start = parent.unwrap_or(same.saturating_sub(1)).min(same);
    let cut = |lines: &[&str]| {
        let lines = &lines[start..lines.len() - tail];
        let by = lines.iter().map(|line| indent(line)).min().unwrap_or(0);
        lines.iter().fold(String::new(), |all, line| all + &line[by..] + "\n")
    };
    (cut(&new), cut(&old), if file == "id-schema.json" { "json" } else { "yaml" })
}
