//! From OpenCRVS's own list of places to `locations.csv`.
//!
//! OpenCRVS has listed places in three shapes: a FHIR bundle (1.x), one list of locations with
//! `parentId` (1.9), and administrative areas beside locations (2.0). All are read. What OpenCRVS does
//! not know, names in further languages and codes of MOSIP, is kept from the table that is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::table::{self, write_row};
use super::{BUILDINGS, FILE};
use crate::diagnostics::Diagnostics;
use crate::files::country::CountryFile;
use crate::pack::PackFiles;
use crate::source::Document;
use crate::structure::decode;

/// The table that comes out, and how it differs from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationImport {
    /// Text of the new `locations.csv`.
    pub table: String,
    /// Places that were not in the table: id and name.
    pub added: Vec<String>,
    /// Places with another name, level or parent than before: id and new name.
    pub changed: Vec<String>,
    /// Places that OpenCRVS no longer lists: id and name. They stay: old records name them.
    pub unlisted: Vec<String>,
    /// Number of rows.
    pub total: usize,
}

/// Why a list cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// `country.yaml` is missing or broken.
    #[error("country.yaml cannot be read, and it says which languages and levels there are\n{0}")]
    Country(Diagnostics),
    /// The export is not JSON.
    #[error("export {index} is not JSON: line {line}, column {column}")]
    NotJson {
        /// Which export, from 1.
        index: usize,
        /// 1-based line.
        line: usize,
        /// 1-based column.
        column: usize,
    },
    /// The export is JSON, and no list of places.
    #[error(
        "export {0} has no list of places: expected what GET /locations or the list of administrative areas answers"
    )]
    NoList(usize),
    /// A place lies in one that no export has.
    #[error("`{id}` lies in `{parent}`, which no export has: give the administrative areas as well")]
    NoParent {
        /// The place.
        id: String,
        /// The place that it lies in.
        parent: String,
    },
    /// Places lie in each other.
    #[error("`{0}` lies in itself, by way of its parents")]
    Circle(String),
    /// There are more levels of areas than `country.yaml` names.
    #[error(
        "areas are {found} levels deep and country.yaml names {named}: write\n  locations: {{ levels: [{example}] }}\nwith the country's own words, from the top"
    )]
    Levels {
        /// Levels in the exports.
        found: usize,
        /// Levels in `country.yaml`.
        named: usize,
        /// As many words as levels.
        example: String,
    },
}

/// One place of an export.
struct Listed {
    id: String,
    name: String,
    parent: Option<String>,
    code: Option<String>,
    /// `facility` or `office`; none for an area.
    building: Option<&'static str>,
}

/// One row of the table.
#[derive(Clone, Default, PartialEq, Eq)]
struct Row {
    level: String,
    part_of: String,
    code: String,
    names: Vec<String>,
}

/// Makes `locations.csv` from what OpenCRVS lists. `files` is the pack, of which `country.yaml` must be
/// sound; `exports` are JSON texts.
pub fn import_locations(files: &PackFiles, exports: &[String]) -> Result<LocationImport, ImportError> {
    let country = country(files)?;
    let languages: Vec<&str> = country.languages.iter().map(|language| language.code.as_str()).collect();
    let levels = country.locations.map(|places| places.levels).unwrap_or_default();
    let mut places = BTreeMap::new();
    for (index, text) in (1..).zip(exports) {
        for listed in read(index, text)? {
            places.insert(listed.id.clone(), listed);
        }
    }
    let depths = depths(&places)?;
    let found = depths.values().max().map_or(0, |depth| depth + 1);
    if found > levels.len() {
        let example = (1..=found).map(|level| format!("level-{level}")).collect::<Vec<_>>().join(", ");
        return Err(ImportError::Levels { found, named: levels.len(), example });
    }
    let before = existing(files.0.get(FILE).map_or("", String::as_str), &languages);
    let mut rows = before.clone();
    let mut outcome = LocationImport {
        table: String::new(),
        added: Vec::new(),
        changed: Vec::new(),
        unlisted: before
            .iter()
            .filter(|(id, _)| !places.contains_key(*id))
            .map(|(id, row)| shown(id, row.names.first().map_or("", String::as_str)))
            .collect(),
        total: 0,
    };
    for (id, listed) in &places {
        let level = match (listed.building, depths.get(id)) {
            (Some(building), _) => building,
            (None, depth) => levels.get(depth.copied().unwrap_or_default()).map_or("", String::as_str),
        };
        let old = before.get(id);
        let mut names = old.map(|row| row.names.clone()).unwrap_or_default();
        names.resize(languages.len(), String::new());
        for (index, name) in names.iter_mut().enumerate() {
            // OpenCRVS has one name; the country's own translations stay while that name does.
            if index == 0 || name.is_empty() {
                name.clone_from(&listed.name);
            }
        }
        let kept = old.map(|row| row.code.clone()).filter(|code| !code.is_empty());
        let row = Row {
            level: level.to_owned(),
            part_of: listed.parent.clone().unwrap_or_default(),
            code: kept.or_else(|| listed.code.clone()).unwrap_or_default(),
            names,
        };
        match old {
            None => outcome.added.push(shown(id, &listed.name)),
            Some(old) if *old != row => outcome.changed.push(shown(id, &listed.name)),
            Some(_) => {}
        }
        rows.insert(id.clone(), row);
    }
    outcome.total = rows.len();
    outcome.table = written(&rows, &languages);
    Ok(outcome)
}

fn shown(id: &str, name: &str) -> String {
    format!("{id} {name}")
}

fn country(files: &PackFiles) -> Result<CountryFile, ImportError> {
    const NAME: &str = "country.yaml";
    let mut problems = Vec::new();
    let text = files.0.get(NAME).map_or("", String::as_str);
    let file = Document::yaml(NAME, text, &mut problems)
        .and_then(|document| decode::<CountryFile>(&document, &mut problems));
    let problems = Diagnostics::new(problems);
    match file {
        Some(file) if !problems.has_errors() => Ok(file),
        _ => Err(ImportError::Country(problems)),
    }
}

fn read(index: usize, text: &str) -> Result<Vec<Listed>, ImportError> {
    let value: Value = serde_json::from_str(text).map_err(|error| ImportError::NotJson {
        index,
        line: error.line(),
        column: error.column(),
    })?;
    let mut listed = Vec::new();
    collect(&value, &mut listed);
    if listed.is_empty() { Err(ImportError::NoList(index)) } else { Ok(listed) }
}

/// Lists are wrapped in whatever asked for them: tRPC's `result.data.json`, FHIR's `entry`, an object of two lists.
const WRAPPERS: [&str; 7] =
    ["result", "data", "json", "entry", "resource", "administrativeAreas", "locations"];

/// The places in a value, however deep they are wrapped.
fn collect(value: &Value, out: &mut Vec<Listed>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Object(map) => {
            if let Some(listed) = place(value) {
                out.push(listed);
                return;
            }
            for inner in WRAPPERS.iter().filter_map(|key| map.get(*key)) {
                collect(inner, out);
            }
        }
        _ => {}
    }
}

fn place(value: &Value) -> Option<Listed> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (id, name) = (text("id")?, text("name")?);
    let parent = text("parentId")
        .or_else(|| text("administrativeAreaId"))
        .or_else(|| text("partOf"))
        .or_else(|| value.pointer("/partOf/reference").and_then(Value::as_str))
        .map(|parent| parent.trim_start_matches("Location/"))
        .filter(|parent| *parent != "0");
    let fhir_type = value.pointer("/type/coding/0/code").and_then(Value::as_str);
    let building = match text("locationType").or(fhir_type) {
        None | Some("ADMIN_STRUCTURE") => None,
        Some("CRVS_OFFICE") => Some("office"),
        Some(_) => Some("facility"),
    };
    let statistical = || {
        let all = value.get("identifier").and_then(Value::as_array)?;
        let one = all.iter().find(|one| {
            one.get("system")
                .and_then(Value::as_str)
                .is_some_and(|system| system.ends_with("statistical-code"))
        })?;
        one.get("value").and_then(Value::as_str)
    };
    let code = text("externalId").or_else(|| text("statisticalId")).or_else(statistical);
    Some(Listed {
        id: id.to_owned(),
        name: name.split_whitespace().collect::<Vec<_>>().join(" "),
        parent: parent.map(str::to_owned),
        code: code.map(str::to_owned),
        building,
    })
}

/// How many areas each area lies in.
fn depths(places: &BTreeMap<String, Listed>) -> Result<BTreeMap<String, usize>, ImportError> {
    let mut depths = BTreeMap::new();
    for (id, listed) in places {
        let (mut depth, mut seen, mut here) = (0, BTreeSet::from([id]), listed);
        while let Some(parent) = &here.parent {
            here = places
                .get(parent)
                .ok_or_else(|| ImportError::NoParent { id: here.id.clone(), parent: parent.clone() })?;
            if !seen.insert(parent) {
                return Err(ImportError::Circle(id.clone()));
            }
            depth += 1;
        }
        if listed.building.is_none() {
            depths.insert(id.clone(), depth);
        }
    }
    Ok(depths)
}

/// The rows that are there; what cannot be read is made anew.
fn existing(text: &str, languages: &[&str]) -> BTreeMap<String, Row> {
    let mut rows = table::rows(text).filter_map(|row| row.cells.ok());
    let Some(header) = rows.next() else { return BTreeMap::new() };
    let column = |name: &str| header.iter().position(|cell| cell.text == name);
    let names: Vec<Option<usize>> =
        languages.iter().map(|language| column(&format!("name_{language}"))).collect();
    let (Some(id), level, part_of, code) = (column("id"), column("level"), column("part_of"), column("code"))
    else {
        return BTreeMap::new();
    };
    rows.filter_map(|cells| {
        let text = |index: Option<usize>| {
            index.and_then(|index| cells.get(index)).map(|cell| cell.text.clone()).unwrap_or_default()
        };
        let row = Row {
            level: text(level),
            part_of: text(part_of),
            code: text(code),
            names: names.iter().map(|name| text(*name)).collect(),
        };
        Some((cells.get(id)?.text.clone(), row)).filter(|(id, _)| !id.is_empty())
    })
    .collect()
}

/// Areas from the top, then buildings, each by name: as people look for them.
fn written(rows: &BTreeMap<String, Row>, languages: &[&str]) -> String {
    let mut order: Vec<(&String, &Row)> = rows.iter().collect();
    let way = |row: &Row| {
        let mut way = vec![row.names.first().cloned().unwrap_or_default()];
        let mut here = row;
        while let Some(parent) = rows.get(&here.part_of).filter(|_| way.len() <= rows.len().min(64)) {
            way.push(parent.names.first().cloned().unwrap_or_default());
            here = parent;
        }
        way.reverse();
        way
    };
    order.sort_by_cached_key(|(id, row)| (BUILDINGS.contains(&row.level.as_str()), way(row), (*id).clone()));
    let mut text = String::new();
    let names: Vec<String> = languages.iter().map(|language| format!("name_{language}")).collect();
    let header = ["id", "level", "part_of", "code"].into_iter().chain(names.iter().map(String::as_str));
    write_row(header, &mut text);
    for (id, row) in order {
        let cells = [id.as_str(), &row.level, &row.part_of, &row.code];
        write_row(cells.into_iter().chain(row.names.iter().map(String::as_str)), &mut text);
    }
    text
}
