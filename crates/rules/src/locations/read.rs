//! From the table to the compiled list, with every problem at its cell.

use std::collections::{HashMap, HashSet};

use super::table::{self, Cell as Written, Row, write_row};
use super::{BUILDINGS, Cell, FILE, Locations, NOWHERE, Place};
use crate::codes::Code;
use crate::country::Country;
use crate::diagnostics::{Diagnostic, Severity};
use crate::suggest::nearest;

/// As many problems as somebody mends before asking again.
const SHOWN: usize = 50;

/// Columns that are not names.
const ID: &str = "id";
const LEVEL: &str = "level";
const PART_OF: &str = "part_of";
const CODE: &str = "code";

/// Reads the table; `None` when what it says cannot be made out at all.
pub(crate) fn compile(text: &str, country: &Country, out: &mut Vec<Diagnostic>) -> Option<Locations> {
    let mut reader = Reader { text, country, found: Vec::new(), hidden: 0, unread: 0 };
    let locations = reader.read();
    let hidden = reader.hidden;
    if let Some(last) = reader.found.last_mut().filter(|_| hidden > 0) {
        last.help = Some(format!("{hidden} more problems of this file are not shown"));
    }
    out.append(&mut reader.found);
    locations
}

struct Reader<'a> {
    text: &'a str,
    country: &'a Country,
    found: Vec<Diagnostic>,
    hidden: usize,
    /// Rows that were reported: a place that lies in one of them is not lost.
    unread: usize,
}

/// Where each column stands.
struct Columns {
    id: usize,
    level: usize,
    part_of: usize,
    code: Option<usize>,
    names: Vec<usize>,
    count: usize,
}

/// A row whose cells were made out.
struct Entry {
    line: usize,
    cells: Vec<Written>,
    level: Option<u8>,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<Locations> {
        let mut rows = table::rows(self.text);
        let columns = self.header(rows.next()?)?;
        let levels: Vec<String> =
            self.country.levels.iter().cloned().chain(BUILDINGS.map(str::to_owned)).collect();
        if self.country.levels.is_empty() {
            self.report(|me| {
                me.of_line(Code::L001, 1, "country.yaml does not say which levels the places have").help(
                    "list them from the top in country.yaml: `locations: { levels: [province, district] }`",
                )
            });
            return None;
        }
        let mut entries: Vec<Entry> = rows
            .filter_map(|row| {
                let entry = self.entry(row, &columns, &levels);
                self.unread += usize::from(entry.is_none());
                entry
            })
            .collect();
        entries.sort_by(|a, b| a.cells[columns.id].text.cmp(&b.cells[columns.id].text));
        let ids = self.ids(&entries, &columns);
        let places: Vec<Place> =
            entries.iter().map(|entry| self.place(entry, &entries, &ids, &columns, &levels)).collect();
        if !self.found.is_empty() {
            return None;
        }
        self.codes(&entries, &columns);
        Some(self.list(&entries, places, ids, &columns, levels))
    }

    fn header(&mut self, row: Row) -> Option<Columns> {
        let line = row.line;
        let cells = match row.cells {
            Ok(cells) => cells,
            Err(reason) => {
                self.report(|me| me.of_line(Code::L003, line, reason));
                return None;
            }
        };
        let names: Vec<String> =
            self.country.languages.iter().map(|language| format!("name_{}", language.code)).collect();
        let mut known = vec![ID, LEVEL, PART_OF, CODE];
        known.extend(names.iter().map(String::as_str));
        for (index, cell) in cells.iter().enumerate() {
            let again = cells[..index].iter().any(|other| other.text == cell.text);
            if again || !known.contains(&cell.text.as_str()) {
                let what = if again { "is there twice" } else { "is not a column" };
                self.report(|me| {
                    me.at(Code::L002, line, cell, format!("`{}` {what}", cell.text))
                        .suggest(nearest(&cell.text, known.iter().copied()).filter(|_| !again))
                        .help(format!("the columns are {}", known.join(", ")))
                });
            }
        }
        let find = |name: &str| cells.iter().position(|cell| cell.text == name);
        for name in known.iter().filter(|name| **name != CODE) {
            if find(name).is_none() {
                self.report(|me| {
                    me.of_line(Code::L002, line, format!("the column `{name}` is missing"))
                        .help(format!("the first line names the columns: {}", known.join(",")))
                });
            }
        }
        let names: Option<Vec<usize>> = names.iter().map(|name| find(name)).collect();
        if !self.found.is_empty() {
            return None;
        }
        Some(Columns {
            id: find(ID)?,
            level: find(LEVEL)?,
            part_of: find(PART_OF)?,
            code: find(CODE),
            names: names?,
            count: cells.len(),
        })
    }

    fn entry(&mut self, row: Row, columns: &Columns, levels: &[String]) -> Option<Entry> {
        let line = row.line;
        let cells = match row.cells {
            Ok(cells) if cells.len() == columns.count => cells,
            Ok(cells) => {
                let message = format!("{} cells under {} columns", cells.len(), columns.count);
                self.report(|me| {
                    me.of_line(Code::L003, line, message)
                        .help("a name with a comma stands in quotes; an empty cell keeps its comma")
                });
                return None;
            }
            Err(reason) => {
                self.report(|me| me.of_line(Code::L003, line, reason));
                return None;
            }
        };
        let id = &cells[columns.id];
        if id.text.is_empty() {
            self.report(|me| {
                me.at(Code::L003, line, id, "a place has an id")
                    .help("the id by which forms name the place, as OpenCRVS has it")
            });
            return None;
        }
        let written = &cells[columns.level];
        let level = levels.iter().position(|level| *level == written.text);
        if level.is_none() {
            self.report(|me| {
                me.at(Code::L005, line, written, format!("`{}` is not a level of the country", written.text))
                    .suggest(nearest(&written.text, levels.iter().map(String::as_str)))
                    .help(format!("country.yaml has {}", levels.join(", ")))
            });
        }
        for (index, language) in columns.names.iter().zip(&self.country.languages) {
            if cells[*index].text.is_empty() {
                let message = format!("the name is missing in {}", language.code);
                self.report(|me| {
                    me.at(Code::L008, line, &cells[*index], message)
                        .help("a place that has one name has it in every language: repeat it")
                });
            }
        }
        let level = level.and_then(|level| u8::try_from(level).ok());
        Some(Entry { line, cells, level })
    }

    fn ids(&mut self, entries: &[Entry], columns: &Columns) -> HashMap<Box<str>, u32> {
        let mut ids = HashMap::with_capacity(entries.len());
        for (index, entry) in (0..).zip(entries) {
            let id = &entry.cells[columns.id];
            if ids.insert(Box::from(id.text.as_str()), index).is_some() {
                self.report(|me| {
                    me.at(Code::L004, entry.line, id, format!("`{}` is there twice", id.text))
                        .help("keep one of the two rows; forms name a place by its id")
                });
            }
        }
        ids
    }

    /// A code sends a person's data to one place of MOSIP's.
    fn codes(&mut self, entries: &[Entry], columns: &Columns) {
        let Some(column) = columns.code else { return };
        let mut seen = HashSet::with_capacity(entries.len());
        let mut rows: Vec<&Entry> =
            entries.iter().filter(|entry| !entry.cells[column].text.is_empty()).collect();
        rows.sort_by_key(|entry| entry.line);
        for entry in rows {
            let code = &entry.cells[column];
            if !seen.insert((entry.level, code.text.as_str())) {
                self.report(|me| {
                    me.at(Code::L010, entry.line, code, format!("another place has the code `{}`", code.text))
                        .help("one of the two would be taken for the other")
                });
            }
        }
    }

    fn place(
        &mut self,
        entry: &Entry,
        entries: &[Entry],
        ids: &HashMap<Box<str>, u32>,
        columns: &Columns,
        levels: &[String],
    ) -> Place {
        let level = entry.level.unwrap_or_default();
        let none = Place { level, part_of: NOWHERE };
        let written = &entry.cells[columns.part_of];
        if written.text.is_empty() {
            return none;
        }
        let parent = ids.get(written.text.as_str());
        if parent.is_none() && self.unread > 0 {
            return none;
        }
        let Some(parent) = parent else {
            self.report(|me| {
                me.at(Code::L006, entry.line, written, format!("no row has the id `{}`", written.text))
                    .suggest(near_id(&written.text, ids))
                    .help("a place lies in another place of this file, or in none")
            });
            return none;
        };
        let above = usize::try_from(*parent).ok().and_then(|parent| entries.get(parent)?.level);
        if let (Some(above), Some(level)) = (above, entry.level)
            && above >= level
        {
            let name = |level: u8| levels.get(usize::from(level)).map_or("", String::as_str);
            self.report(|me| {
                me.at(
                    Code::L007,
                    entry.line,
                    written,
                    format!("a place of level {} cannot lie in one of level {}", name(level), name(above)),
                )
                .help(format!("from the top the levels are {}", levels.join(", ")))
            });
        }
        Place { level, part_of: *parent }
    }

    fn list(
        &self,
        entries: &[Entry],
        places: Vec<Place>,
        ids: HashMap<Box<str>, u32>,
        columns: &Columns,
        levels: Vec<String>,
    ) -> Locations {
        let languages = &self.country.languages;
        let mut locations = Locations {
            levels,
            languages: languages.len(),
            ids,
            places,
            cells: Vec::with_capacity(entries.len() * (1 + languages.len())),
            text: String::with_capacity(self.text.len() / 2),
            canonical: String::with_capacity(self.text.len()),
        };
        let names: Vec<String> = languages.iter().map(|language| format!("name_{}", language.code)).collect();
        let header = [ID, LEVEL, PART_OF, CODE].into_iter().chain(names.iter().map(String::as_str));
        write_row(header, &mut locations.canonical);
        for entry in entries {
            let text = |index: usize| entry.cells[index].text.as_str();
            let code = columns.code.map_or("", text);
            let kept = || std::iter::once(code).chain(columns.names.iter().map(|index| text(*index)));
            for cell in kept() {
                let from = position(&locations.text);
                locations.text.push_str(cell);
                locations.cells.push(Cell { from, to: position(&locations.text) });
            }
            let first = [text(columns.id), text(columns.level), text(columns.part_of)];
            write_row(first.into_iter().chain(kept()), &mut locations.canonical);
        }
        locations
    }

    /// What is not shown is not worth its making: a broken table has as many problems as rows.
    fn report(&mut self, make: impl FnOnce(&Self) -> Diagnostic) {
        if self.found.len() < SHOWN {
            let problem = make(self);
            self.found.push(problem);
        } else {
            self.hidden += 1;
        }
    }

    fn at(&self, code: Code, line: usize, cell: &Written, message: impl Into<String>) -> Diagnostic {
        let mut problem = self.of_line(code, line, message);
        problem.column = cell.column;
        problem.width = cell.width.max(1);
        problem
    }

    fn of_line(&self, code: Code, line: usize, message: impl Into<String>) -> Diagnostic {
        let source = self.text.lines().nth(line - 1).map(str::to_owned);
        Diagnostic {
            code,
            severity: Severity::of(code),
            file: FILE.to_owned(),
            line,
            column: 1,
            width: source.as_deref().map_or(1, |line| line.chars().count().max(1)),
            message: message.into(),
            source,
            source_column: 1,
            suggestion: None,
            help: None,
        }
    }
}

/// Ids are long, and looking for the nearest among very many takes long too.
fn near_id(id: &str, ids: &HashMap<Box<str>, u32>) -> Option<String> {
    let mut candidates: Vec<&str> =
        ids.keys().map(AsRef::as_ref).filter(|known| known.len() == id.len()).collect();
    candidates.sort_unstable();
    candidates.truncate(2_000);
    nearest(id, candidates)
}

fn position(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}
