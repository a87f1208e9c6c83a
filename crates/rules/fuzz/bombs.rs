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
    let with = |name, code, file: &str, text: String| {
        let mut files = sound.clone();
        files.0.insert(file.to_owned(), text);
        Bomb { name, code: Some(code), files }
    };
    let rules = |name, code, text: String| with(name, code, "rules.yaml", text);
    let text_of = |file: &str| sound.0.get(file).cloned().unwrap_or_default();
    let condition = |inner: &str| text_of("rules.yaml").replace("if: { changed: biographic }", inner);
    let schema = |definitions: &str| {
        text_of("id-schema.json").replacen(
            "\"definitions\": {",
            &format!("\"definitions\": {{ {definitions},"),
            1,
        )
    };
    let template = |text: &str| {
        text_of("packets.yaml").replacen("{{ [name.firstname, name.surname] | words }}", text, 1)
    };
    let mut all = vec![
        rules("a file of 100 MB", Code::P030, "# a remark that says nothing\n".repeat(3_500_000)),
        rules(
            "a million rules",
            Code::P030,
            format!("version: 1\nrules:\n{}", "  - { id: a }\n".repeat(1_000_000)),
        ),
        rules(
            "rules by the ten thousand",
            Code::P032,
            format!("version: 1\nrules:\n{}", "- {a: 1}\n".repeat(60_000)),
        ),
        rules("a flow list 100,000 deep", Code::P031, format!("version: 1\nrules: {}", "[".repeat(100_000))),
        rules(
            "a flow map 100,000 deep",
            Code::P031,
            format!("version: 1\nrules: {}", "{a: ".repeat(100_000)),
        ),
        rules(
            "a block list 100,000 deep",
            Code::P031,
            format!("version: 1\nrules:\n{}", "- ".repeat(100_000)),
        ),
        rules("a key of 500 kB", Code::P002, format!("{}: 1\n", "k".repeat(500_000))),
        rules("a complex key of 500 kB", Code::P033, format!("? {}\n: 1\n", "k".repeat(500_000))),
        rules("a text of 500 kB", Code::P033, format!("version: {}\n", "t".repeat(500_000))),
        rules("a billion laughs", Code::P032, laughs(20, 9)),
        rules(
            "a text that is repeated",
            Code::P032,
            format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(400), "*a, ".repeat(400)),
        ),
        rules("merged maps", Code::P032, merged(400)),
        with("an archive 100,000 deep", Code::P031, "id-schema.json", "[".repeat(100_000)),
        with("a schema of many values", Code::P032, "id-schema.json", format!("[{}0]", "0,".repeat(200_000))),
        rules("conditions that double", Code::P034, doubled(&text_of("rules.yaml"))),
        rules(
            "a pattern that explodes",
            Code::P035,
            condition("if: { child.nid: { matches: '((\\w{100}){100}){100}' } }"),
        ),
        rules(
            "a pattern 3,000 deep",
            Code::R014,
            condition(&format!(
                "if: {{ child.nid: {{ matches: '{}a{}' }} }}",
                "(".repeat(3_000),
                ")".repeat(3_000)
            )),
        ),
        rules(
            "patterns that add up",
            Code::P035,
            condition(&format!("if: {{ any: [{}] }}", patterns(2_000))),
        ),
        with(
            "a schema that doubles",
            Code::P037,
            "id-schema.json",
            schema(&doubled_schema(40)).replace("#/definitions/simpleType", "#/definitions/d0"),
        ),
        with(
            "a schema that leads back",
            Code::P037,
            "id-schema.json",
            schema("\"d0\": { \"items\": { \"$ref\": \"#/definitions/d0\" } }")
                .replace("#/definitions/simpleType", "#/definitions/d0"),
        ),
        with(
            "a template with a loop",
            Code::M005,
            "packets.yaml",
            template("{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"),
        ),
        with(
            "a template that doubles",
            Code::M005,
            "packets.yaml",
            template(&format!("{{% set x = 'x' %}}{}", "{% set x = x ~ x %}".repeat(60))),
        ),
        with(
            "a template that replaces",
            Code::M005,
            "packets.yaml",
            template(&format!("{{{{ 'aa'{} }}}}", " | replace('a', 'aaaaaaaa')".repeat(40))),
        ),
        with(
            "a template that multiplies",
            Code::M005,
            "packets.yaml",
            template("{{ 'x' * 10000000 * 10000000 }}"),
        ),
        rules(
            "a thousand mistakes on one line",
            Code::P036,
            format!(
                "{}\nx: {{ {} }}\n",
                text_of("rules.yaml"),
                (0..9_000).map(|n| format!("k{n}: '${{a}}', ")).collect::<String>()
            ),
        ),
        with("records that are copied", Code::P032, "cases/all.yaml", copied()),
    ];
    let files = (0..1_500).map(|number| (format!("cases/{number}.yaml"), String::new())).collect();
    all.push(Bomb { name: "files by the thousand", code: Some(Code::P030), files: PackFiles(files) });
    all.push(misspelt(sound));
    all.push(choices(sound));
    all
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
    let keys: String = (0..100).map(|key| format!("k{key}: 1, ")).collect();
    let uses: String = (0..maps).map(|map| format!("m{map}: {{ <<: *base }}\n")).collect();
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
    (0..count).map(|number| format!("{{ child.nid: {{ matches: '\\w{{50}}{number}' }} }}, ")).collect()
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
    let values: String = (0..900).map(|number| format!("f{number}: x, ")).collect();
    let cases: String = (0..3_000)
        .map(|number| format!("- {{ name: c{number}, given: {{ record: r, action: REGISTER, at: 2026-01-01T00:00:00Z }}, expect: {{ do: none }} }}\n"))
        .collect();
    // An event without a form takes any value; its record is still copied into each case.
    format!("version: 1\nrecords:\n  r: {{ event: elsewhere, values: {{ {values} }} }}\ncases:\n{cases}")
}

/// A large form and as many references that are all slightly wrong.
fn misspelt(sound: &PackFiles) -> Bomb {
    let mut files = sound.clone();
    let fields: String =
        (0..10_000).map(|n| format!("      section.fieldnumber{n:05}: {{ type: ID }}\n")).collect();
    if let Some(text) = files.0.get_mut("fields.yaml") {
        *text = text.replacen("    fields:\n", &format!("    fields:\n{fields}"), 1);
    }
    let wrong: String = (0..8_000)
        .map(|n| format!("- {{ section.feildnumber{n:05}: present }}, ").replace("- ", ""))
        .collect();
    if let Some(text) = files.0.get_mut("rules.yaml") {
        *text = text.replace("if: { changed: biographic }", &format!("if: {{ any: [{wrong}] }}"));
    }
    Bomb { name: "a large form and its misspellings", code: Some(Code::P036), files }
}

/// A choice of very many values, asked for again and again.
fn choices(sound: &PackFiles) -> Bomb {
    let mut files = sound.clone();
    let options: String = (0..30_000).map(|n| format!("option-{n}, ")).collect();
    if let Some(text) = files.0.get_mut("fields.yaml") {
        *text = text.replace("options: [male, female]", &format!("options: [male, female, {options}]"));
    }
    let asked: String =
        (0..8_000).map(|n| format!("{{ child.gender: {{ equals: option-{n} }} }}, ")).collect();
    if let Some(text) = files.0.get_mut("rules.yaml") {
        *text = text.replace("if: { changed: biographic }", &format!("if: {{ any: [{asked}] }}"));
    }
    if let Some(text) = files.0.get_mut("packets.yaml") {
        *text = text.replace("map: { male: M, female: F }", "map: { male: M, female: F }, default: U");
    }
    Bomb { name: "a choice of many values, asked for often", code: None, files }
}
