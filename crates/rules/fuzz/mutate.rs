//! Packs that are nearly packs: the shipped ones, changed as people and machines break files.

use std::collections::BTreeMap;

use civitas_rules::PackFiles;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

/// Pieces of YAML that mean something to its readers.
const PIECES: &[&str] = &[
    "&a ",
    "*a",
    "&a *a",
    "<<: *a",
    "<<: [*a, *a]",
    "!!binary ",
    "!!str ",
    "!!int ",
    "!!map ",
    "!!set ",
    "!local ",
    "!include x.yaml",
    "---\n",
    "...\n",
    "%YAML 1.2\n---\n",
    "? ",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "|\n",
    "|2-\n",
    ">+\n",
    "\"",
    "'",
    "#",
    "@",
    "`",
    "%",
    "~",
    "null",
    "yes",
    "NO",
    "on",
    "\t",
    "\r",
    "\r\n",
    "\u{feff}",
    "\0",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "é",
    "मुन्ना",
    "👶",
    "\\u0000",
    "\"\\ud800\"",
    "${HOME}",
    "{{ a }}",
    "{% if a %}",
    "{% for a in a %}",
    "{{ a | words }}",
    "{{ [a] * 9 }}",
];

/// Values at the limits of their types.
const EXTREMES: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1e400",
    "-1e400",
    "1e-400",
    "0.1e1",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    ".inf",
    "-.inf",
    ".nan",
    "0x7fffffffffffffff",
    "0o777",
    "0b11",
    "1_000",
    "1:30:00",
    "2026-02-30",
    "9999-12-31",
    "0000-01-01",
    "-0001-01-01",
    "2026-06-01T00:00:60Z",
    "+10000-01-01T00:00:00Z",
    "9000 years",
    "9001 years",
    "65536 days",
    "0 days",
    "0.1000000000000000055511151231257827",
    "5e-324",
    "123456789.12345678",
];

/// Patterns, templates and references that are hard on their readers.
const NASTY: &[&str] = &[
    "(a+)+$",
    "(\\w{100}){9}",
    "[[:alpha:]]",
    "(?=a)b",
    "\\p{L}{1,50}",
    "a)|(b",
    "(?x) # ",
    "\\",
    "[",
    "(?P<a>.)",
    "$^",
    "#/definitions/simpleType",
    "#",
    "#/",
    "https://example.org/x",
    "#/properties/identity",
    "../rules.yaml",
    "{code:10}",
    "{code:99999999999999999999}",
    "{year",
    "{check}{check}",
    "yyyy/MM/dd",
    "yyyyyyyyMMdd",
    "Africa/Lusaka",
    "UTC",
    "Etc/GMT+12",
    "child.name",
    "child.name#surname",
    "child.name##",
    "#",
    "child.dob",
    "a_parent_is_known",
];

/// An input: the files of a pack, or an archived form.
#[derive(Clone)]
pub(crate) enum Input {
    Files(PackFiles),
    Canonical(String),
}

/// What inputs are made from.
pub(crate) struct Seeds {
    pub(crate) packs: Vec<PackFiles>,
    pub(crate) archives: Vec<String>,
    words: Vec<String>,
}

impl Seeds {
    /// From sound packs, and the archived forms of these.
    pub(crate) fn new(packs: Vec<PackFiles>, archives: Vec<String>) -> Self {
        let mut words: Vec<String> = packs
            .iter()
            .flat_map(|pack| pack.0.values())
            .flat_map(|text| text.split(|c: char| c.is_whitespace() || ",:{}[]\"'".contains(c)))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words.dedup();
        Self { packs, archives, words }
    }

    /// One input; the same generator gives the same one.
    pub(crate) fn input(&self, rng: &mut StdRng) -> Input {
        if rng.random_bool(0.15) {
            let mut text = pick(&self.archives, rng).clone();
            for _ in 0..rng.random_range(1..4) {
                text = if rng.random_bool(0.5) { self.values(&text, rng) } else { self.text(&text, rng) };
            }
            return Input::Canonical(text);
        }
        let mut files = pick(&self.packs, rng).clone();
        let changes = 1 << rng.random_range(0..4);
        for _ in 0..rng.random_range(1..=changes) {
            self.change(&mut files.0, rng);
        }
        Input::Files(files)
    }

    fn change(&self, files: &mut BTreeMap<String, String>, rng: &mut StdRng) {
        let names: Vec<String> = files.keys().cloned().collect();
        let Some(name) = names.get(rng.random_range(0..names.len().max(1))).cloned() else { return };
        match rng.random_range(0..40) {
            0 => {
                files.remove(&name);
            }
            1 => {
                files.insert(
                    pick(&["cases/x.yaml", "rule.yaml", "cases.yaml", "a.md", ""], rng).to_string(),
                    "version: 1\n".to_owned(),
                );
            }
            2 => {
                // A file in the place of another.
                let other = files[pick(&names, rng)].clone();
                files.insert(name, other);
            }
            3..=16 => {
                let text = self.values(&files[&name], rng);
                files.insert(name, text);
            }
            _ => {
                let text = self.text(&files[&name], rng);
                files.insert(name, text);
            }
        }
    }

    /// Changes a text without knowing what it says.
    fn text(&self, text: &str, rng: &mut StdRng) -> String {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (from, to) = two(lines.len(), rng);
        match rng.random_range(0..16) {
            0 => bytes(text, rng),
            1 => [&lines[..from], &lines[to..]].concat().concat(),
            2 => [&lines[..to], &lines[from..]].concat().concat(),
            3 => {
                let mut turned = lines.clone();
                turned[from..to].reverse();
                turned.concat()
            }
            4 => {
                // The head of this file and the tail of any.
                let other = self.any_file(rng);
                let tail: Vec<&str> = other.split_inclusive('\n').collect();
                let (_, tail_from) = two(tail.len(), rng);
                format!("{}{}", lines[..from].concat(), tail[tail_from..].concat())
            }
            5 => {
                // Some lines of any file, in the middle of this one.
                let other = self.any_file(rng);
                let piece: Vec<&str> = other.split_inclusive('\n').collect();
                let (start, end) = two(piece.len(), rng);
                format!("{}{}{}", lines[..from].concat(), piece[start..end].concat(), lines[from..].concat())
            }
            6 => insert(text, pick(PIECES, rng), rng),
            7 => insert(text, pick(EXTREMES, rng), rng),
            8 => replace_word(text, pick(EXTREMES, rng), rng),
            9 => replace_word(text, pick(NASTY, rng), rng),
            10 | 11 => replace_word(text, pick(&self.words, rng), rng),
            12 => {
                let levels = 1 << rng.random_range(0..12);
                insert(text, pick(&["[", "{a: ", "- ", "[[{a: [", "(", "{{ ("], rng).repeat(levels), rng)
            }
            13 => {
                let length = 1 << rng.random_range(4..18);
                insert(text, pick(&["k", "k.", "#", " ", "-", "ü", "\n"], rng).repeat(length / 2), rng)
            }
            14 => match rng.random_range(0..4) {
                0 => text.replace('\n', "\r\n"),
                1 => format!("\u{feff}{text}"),
                2 => text.replace("  ", "\t"),
                _ => text.replace('\n', "\r"),
            },
            _ => {
                // One line in or out.
                let spaces = rng.random_range(0..5);
                let line = lines.get(from).copied().unwrap_or_default().trim_start();
                let rest = lines.get(from + 1..).unwrap_or_default().concat();
                format!("{}{}{line}{rest}", lines[..from].concat(), " ".repeat(spaces))
            }
        }
    }

    /// Changes the values of a text, which stays well-formed.
    fn values(&self, text: &str, rng: &mut StdRng) -> String {
        let Ok(mut root) = serde_saphyr::from_str::<Value>(text) else { return self.text(text, rng) };
        let mut paths = Vec::new();
        collect(&root, String::new(), &mut paths);
        for _ in 0..rng.random_range(1..3) {
            let (path, other) = (pick(&paths, rng).clone(), pick(&paths, rng).clone());
            let other = root.pointer(&other).cloned().unwrap_or_default();
            let Some(place) = root.pointer_mut(&path) else { continue };
            match (rng.random_range(0..10), &mut *place) {
                (0, Value::Object(map)) => {
                    let keys: Vec<String> = map.keys().cloned().collect();
                    if let Some(key) = keys.get(rng.random_range(0..keys.len().max(1))) {
                        map.shift_remove(key);
                    }
                }
                (1, Value::Object(map)) => {
                    map.insert(pick(&self.words, rng).clone(), other);
                }
                (2, Value::Object(map)) => {
                    // The same values under another key.
                    let entries: Vec<(String, Value)> = std::mem::take(map).into_iter().collect();
                    let renamed = rng.random_range(0..entries.len().max(1));
                    for (at, (key, value)) in entries.into_iter().enumerate() {
                        map.insert(if at == renamed { pick(&self.words, rng).clone() } else { key }, value);
                    }
                }
                (0, Value::Array(items)) if !items.is_empty() => {
                    items.remove(rng.random_range(0..items.len()));
                }
                (1 | 2, Value::Array(items)) => items.insert(rng.random_range(0..=items.len()), other),
                (3, place) => *place = other,
                (4, place) => *place = json!(pick(&self.words, rng)),
                (5, place) => *place = json!(pick(NASTY, rng)),
                (6, place) => *place = json!(pick(EXTREMES, rng)),
                (7, place) => {
                    let bits = f64::from_bits(rng.random_range(0..=u64::MAX));
                    let numbers =
                        [json!(0), json!(-1), json!(u64::MAX), json!(i64::MIN), json!(bits), json!(1.5)];
                    *place = pick(&numbers, rng).clone();
                }
                (8, place) => {
                    let inner = place.take();
                    let mut wrapped = inner;
                    for _ in 0..1 << rng.random_range(0..7) {
                        wrapped =
                            if rng.random_bool(0.5) { json!([wrapped]) } else { json!({ "not": wrapped }) };
                    }
                    *place = wrapped;
                }
                (_, place) => {
                    let empty = [Value::Null, json!(true), json!(""), json!([]), Value::Object(Map::new())];
                    *place = pick(&empty, rng).clone();
                }
            }
            paths.clear();
            collect(&root, String::new(), &mut paths);
        }
        if rng.random_bool(0.5) { format!("{root:#}") } else { root.to_string() }
    }

    fn any_file(&self, rng: &mut StdRng) -> &str {
        let pack = pick(&self.packs, rng);
        let at = rng.random_range(0..pack.0.len());
        pack.0.values().nth(at).map_or("", String::as_str)
    }
}

fn pick<'a, T>(of: &'a [T], rng: &mut StdRng) -> &'a T {
    &of[rng.random_range(0..of.len())]
}

/// Two places in order, not far from each other.
fn two(length: usize, rng: &mut StdRng) -> (usize, usize) {
    let from = rng.random_range(0..=length);
    (from, (from + rng.random_range(0..12)).min(length))
}

fn boundary(text: &str, rng: &mut StdRng) -> usize {
    let mut at = rng.random_range(0..=text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn insert(text: &str, piece: impl AsRef<str>, rng: &mut StdRng) -> String {
    let at = boundary(text, rng);
    format!("{}{}{}", &text[..at], piece.as_ref(), &text[at..])
}

/// Flips, drops and doubles bytes; what is no UTF-8 any more is written as the file layer would never let in.
fn bytes(text: &str, rng: &mut StdRng) -> String {
    let mut raw = text.as_bytes().to_vec();
    for _ in 0..rng.random_range(1..8) {
        if raw.is_empty() {
            break;
        }
        let at = rng.random_range(0..raw.len());
        match rng.random_range(0..4) {
            0 => raw[at] ^= 1 << rng.random_range(0..8),
            1 => raw[at] = rng.random_range(0..=127),
            2 => {
                raw.remove(at);
            }
            _ => raw.insert(at, raw[at]),
        }
    }
    String::from_utf8_lossy(&raw).into_owned()
}

/// Puts another word in the place of one.
fn replace_word(text: &str, word: impl AsRef<str>, rng: &mut StdRng) -> String {
    let word = word.as_ref();
    let at = boundary(text, rng);
    let is_end = |c: char| c.is_whitespace() || ",:{}[]\"'".contains(c);
    let from =
        text[..at].rfind(is_end).map_or(0, |end| end + text[end..].chars().next().map_or(1, char::len_utf8));
    let to = text[at..].find(is_end).map_or(text.len(), |end| at + end);
    format!("{}{word}{}", &text[..from], &text[to..])
}

fn collect(value: &Value, path: String, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{path}/{index}"), out);
            }
        }
        Value::Object(map) => {
            for (key, inner) in map {
                collect(inner, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        _ => {}
    }
    out.push(path);
}
