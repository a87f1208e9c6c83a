//! Packs that are small to write and large to read, each with the code that must refuse it.

use std::fmt::Write as _;

use civitas_rules::{Code, PackFiles};

/// A pack that is too much.
pub(crate) struct Bomb {
    pub(crate) name: &'static str,
    /// What must be said; nothing if the pack is only large, and must be dealt with in time.
    pub(crate) code: Option<Code>,
    pub(crate) files: PackFiles,
}

/// Every bomb, made from a sound small pack.
pub(crate) fn bombs(sound: &PackFiles) -> Vec<Bomb> {
    let files = (0..1_500).map(|number| (format!("cases/{number}.yaml"), String::new())).collect();
    let files = Bomb { name: "files by the thousand", code: Some(Code::P030), files: PackFiles(files) };
    let pack = Sound(sound);
    [texts(&pack), values(&pack), conditions(&pack), schemas(&pack), templates(&pack)]
        .into_iter()
        .flatten()
        .chain([files, misspelt(sound), choices(sound)])
        .collect()
}

/// The small pack, one file of which is replaced.
struct Sound<'a>(&'a PackFiles);

impl Sound<'_> {
    fn with(&self, name: &'static str, code: Code, file: &str, text: String) -> Bomb {
        let mut files = self.0.clone();
        files.0.insert(file.to_owned(), text);
        Bomb { name, code: Some(code), files }
    }

    fn rules(&self, name: &'static str, code: Code, text: String) -> Bomb {
        self.with(name, code, "rules.yaml", text)
    }

    fn text(&self, file: &str) -> &str {
        self.0.0.get(file).map_or("", String::as_str)
    }
}

/// The text of each number, one after the other.
fn times(count: usize, piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0..count {
        text.push_str(&piece(number));
    }
    text
}

/// Files, keys and texts that are long.
fn texts(pack: &Sound<'_>) -> Vec<Bomb> {
    let million = format!("version: 1\nrules:\n{}", "  - { id: a }\n".repeat(1_000_000));
    vec![
        pack.rules("a file of 100 MB", Code::P030, "# a remark that says nothing\n".repeat(3_500_000)),
        pack.rules("a million rules", Code::P030, million),
        pack.rules("a key of 500 kB", Code::P002, format!("{}: 1\n", "k".repeat(500_000))),
        pack.rules("a complex key of 500 kB", Code::P033, format!("? {}\n: 1\n", "k".repeat(500_000))),
        pack.rules("a text of 500 kB", Code::P033, format!("version: {}\n", "t".repeat(500_000))),
    ]
}

/// Values that are many, deep, or repeated.
fn values(pack: &Sound<'_>) -> Vec<Bomb> {
    let list = |inner: &str| format!("version: 1\nrules: {inner}");
    let twice = format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(400), "*a, ".repeat(400));
    let wrong = times(9_000, |number| format!("k{number}: '${{a}}', "));
    let wrong = format!("{}\nx: {{ {wrong} }}\n", pack.text("rules.yaml"));
    vec![
        pack.rules(
            "rules by the ten thousand",
            Code::P032,
            list(&format!("\n{}", "- {a: 1}\n".repeat(60_000))),
        ),
        pack.rules("a flow list 100,000 deep", Code::P031, list(&"[".repeat(100_000))),
        pack.rules("a flow map 100,000 deep", Code::P031, list(&"{a: ".repeat(100_000))),
        pack.rules("a block list 100,000 deep", Code::P031, list(&format!("\n{}", "- ".repeat(100_000)))),
        pack.rules("a billion laughs", Code::P032, laughs(20, 9)),
        pack.rules("a text that is repeated", Code::P032, twice),
        pack.rules("merged maps", Code::P032, merged(400)),
        pack.rules("a thousand mistakes on one line", Code::P036, wrong),
        pack.with("records that are copied", Code::P032, "cases/all.yaml", copied()),
    ]
}

/// Conditions and patterns that grow when they are compiled.
fn conditions(pack: &Sound<'_>) -> Vec<Bomb> {
    let asking = |condition: &str| {
        pack.text("rules.yaml").replace("if: { changed: biographic }", &format!("if: {{ {condition} }}"))
    };
    let matching = |pattern: &str| asking(&format!("child.nid: {{ matches: '{pattern}' }}"));
    let nested = format!("{}a{}", "(".repeat(3_000), ")".repeat(3_000));
    vec![
        pack.rules("conditions that double", Code::P034, doubled(pack.text("rules.yaml"))),
        pack.rules("a pattern that explodes", Code::P035, matching("((\\w{100}){100}){100}")),
        pack.rules("a pattern 3,000 deep", Code::R014, matching(&nested)),
        pack.rules("patterns that add up", Code::P035, asking(&format!("any: [{}]", patterns(2_000)))),
    ]
}

/// ID schemas that are large, deep, or without end.
fn schemas(pack: &Sound<'_>) -> Vec<Bomb> {
    let file = "id-schema.json";
    let defining = |definitions: &str| {
        let with = format!("\"definitions\": {{ {definitions},");
        pack.text(file)
            .replacen("\"definitions\": {", &with, 1)
            .replace("#/definitions/simpleType", "#/definitions/d0")
    };
    let back = "\"d0\": { \"items\": { \"$ref\": \"#/definitions/d0\" } }";
    vec![
        pack.with("a schema 100,000 deep", Code::P031, file, "[".repeat(100_000)),
        pack.with("a schema of many values", Code::P032, file, format!("[{}0]", "0,".repeat(200_000))),
        pack.with("a schema that doubles", Code::P037, file, defining(&doubled_schema(40))),
        pack.with("a schema that leads back", Code::P037, file, defining(back)),
    ]
}

/// Templates that run for ever, or make much of little.
fn templates(pack: &Sound<'_>) -> Vec<Bomb> {
    let file = "packets.yaml";
    let saying =
        |text: &str| pack.text(file).replacen("{{ [name.firstname, name.surname] | words }}", text, 1);
    let each = "{% for a in range(100000) %}";
    let set = format!("{{% set x = 'x' %}}{}", "{% set x = x ~ x %}".repeat(60));
    let replaced = format!("{{{{ 'aa'{} }}}}", " | replace('a', 'aaaaaaaa')".repeat(40));
    vec![
        pack.with("a template with loops", Code::M005, file, saying(&format!("{each}{each}x"))),
        pack.with("a template that doubles", Code::M005, file, saying(&set)),
        pack.with("a template that replaces", Code::M005, file, saying(&replaced)),
        pack.with("a template that multiplies", Code::M005, file, saying("{{ 'x' * 10000000 * 10000000 }}")),
    ]
}

/// `a0` is a text, each next one ten times the one before.
fn laughs(levels: usize, times: usize) -> String {
    let mut text = "a0: &a0 ha\n".to_owned();
    for level in 1..levels {
        let inner = vec![format!("*a{}", level - 1); times].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{inner}]");
    }
    text
}

fn merged(maps: usize) -> String {
    let keys = times(100, |key| format!("k{key}: 1, "));
    let uses = times(maps, |map| format!("m{map}: {{ <<: *base }}\n"));
    format!("base: &base {{ {keys} }}\n{uses}")
}

/// Named conditions, each of which uses the next one twice.
fn doubled(rules: &str) -> String {
    let mut named = "conditions:\n  c40: { child.nid: present }\n".to_owned();
    for level in 0..40 {
        let _ = writeln!(named, "  c{level}: {{ all: [c{0}, c{0}] }}", level + 1);
    }
    rules.replacen("conditions:\n", &named, 1).replace("if: { changed: biographic }", "if: c0")
}

/// Different patterns, each of some hundred kilobytes.
fn patterns(count: usize) -> String {
    times(count, |number| format!("{{ child.nid: {{ matches: '\\w{{50}}{number}' }} }}, "))
}

fn doubled_schema(levels: usize) -> String {
    let mut text = String::new();
    for level in 0..levels {
        let next = format!("{{ \"$ref\": \"#/definitions/d{}\" }}", level + 1);
        let _ = write!(text, "\"d{level}\": {{ \"allOf\": [{next}, {next}] }}, ");
    }
    format!("{text}\"d{levels}\": {{ \"type\": \"string\" }}")
}

/// A record of many values, and very many cases that start from it.
fn copied() -> String {
    let values = times(900, |number| format!("f{number}: x, "));
    let given = "given: { record: r, action: REGISTER, at: 2026-01-01T00:00:00Z }, expect: { do: none }";
    let cases = times(3_000, |number| format!("- {{ name: c{number}, {given} }}\n"));
    // An event without a form takes any value; its record is still copied into each case.
    format!("version: 1\nrecords:\n  r: {{ event: elsewhere, values: {{ {values} }} }}\ncases:\n{cases}")
}

/// A large form and as many references that are all slightly wrong.
fn misspelt(sound: &PackFiles) -> Bomb {
    let mut files = sound.clone();
    let fields = times(10_000, |n| format!("      section.fieldnumber{n:05}: {{ type: ID }}\n"));
    if let Some(text) = files.0.get_mut("fields.yaml") {
        *text = text.replacen("    fields:\n", &format!("    fields:\n{fields}"), 1);
    }
    let wrong = times(8_000, |n| format!("{{ section.feildnumber{n:05}: present }}, "));
    if let Some(text) = files.0.get_mut("rules.yaml") {
        *text = text.replace("if: { changed: biographic }", &format!("if: {{ any: [{wrong}] }}"));
    }
    Bomb { name: "a large form and its misspellings", code: Some(Code::P036), files }
}

/// A choice of very many values, asked for again and again.
fn choices(sound: &PackFiles) -> Bomb {
    let mut files = sound.clone();
    let options = times(30_000, |n| format!("option-{n}, "));
    if let Some(text) = files.0.get_mut("fields.yaml") {
        *text = text.replace("options: [male, female]", &format!("options: [male, female, {options}]"));
    }
    let asked = times(8_000, |n| format!("{{ child.gender: {{ equals: option-{n} }} }}, "));
    if let Some(text) = files.0.get_mut("rules.yaml") {
        *text = text.replace("if: { changed: biographic }", &format!("if: {{ any: [{asked}] }}"));
    }
    if let Some(text) = files.0.get_mut("packets.yaml") {
        *text = text.replace("map: { male: M, female: F }", "map: { male: M, female: F }, default: U");
    }
    Bomb { name: "a choice of many values, asked for often", code: None, files }
}
