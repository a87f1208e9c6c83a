//! Figures as tables: in the terminal, in Markdown, in JSON.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use civitas_tests::measure::{Machine, Spread};
use serde_json::{Value, json};

/// One figure: a table and what must be known to read it.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
    pub(crate) notes: Vec<String>,
}

/// One cell.
pub(crate) enum Cell {
    Text(String),
    /// With so many decimals.
    Number(f64, usize),
    /// Median and, in brackets, smallest and largest.
    Spread(Spread, usize),
    /// `1.24 ×`.
    Ratio(f64),
    Percent(f64),
    Nothing,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl Cell {
    fn shown(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Number(value, decimals) => grouped(*value, *decimals),
            Cell::Spread(spread, decimals) if spread.runs == 1 => grouped(spread.median, *decimals),
            Cell::Spread(spread, decimals) => {
                let of = |value| grouped(value, *decimals);
                format!("{} ({}–{})", of(spread.median), of(spread.min), of(spread.max))
            }
            Cell::Ratio(value) => format!("{value:.2} ×"),
            Cell::Percent(value) => format!("{:.0} %", value * 100.0),
            Cell::Nothing => String::new(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            Cell::Number(value, _) | Cell::Ratio(value) | Cell::Percent(value) => json!(value),
            Cell::Spread(spread, _) => json!(spread),
            Cell::Nothing => Value::Null,
        }
    }
}

/// `1234567.8` as `1,234,567.8`.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let mut grouped = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at) % 3 == 0 && digit != '-' {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    fraction.map_or(grouped.clone(), |fraction| format!("{grouped}.{fraction}"))
}

impl Figure {
    /// A Markdown table, aligned, so that it also reads well in a terminal.
    pub(crate) fn text(&self) -> String {
        let shown: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = shown.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
                cells.chain([self.columns[at].chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let mut text = format!("## {}\n\n", self.title);
        let mut line = |cells: &[String]| {
            for (cell, width) in cells.iter().zip(&widths) {
                let gap = width.saturating_sub(cell.chars().count());
                // Writing to a string cannot fail.
                let _ = write!(text, "| {cell}{} ", " ".repeat(gap));
            }
            text.push_str("|\n");
        };
        line(&self.columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>());
        line(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>());
        for row in &shown {
            line(row);
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        text
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let cells =
                self.columns.iter().zip(row).map(|(column, cell)| ((*column).to_owned(), cell.json()));
            Value::Object(cells.collect())
        });
        json!({"name": self.name, "title": self.title, "rows": rows.collect::<Vec<_>>(), "notes": self.notes})
    }
}

/// The first line of every report: where it was measured.
pub(crate) fn heading(machine: &Machine) -> String {
    let Machine { processor, cores, memory_gib, kernel, load } = machine;
    format!(
        "{cores} × {processor}, {memory_gib} GiB, Linux {kernel}; everything on this machine; load average at \
         the start {load}. Values are medians (smallest–largest); \"others\" is the share of the CPUs that \
         unrelated processes took meanwhile."
    )
}

/// Writes `bench.json` and `bench.md` into the folder; where they are.
pub(crate) fn write(folder: &Path, machine: &Machine, figures: &[Figure]) -> std::io::Result<[PathBuf; 2]> {
    std::fs::create_dir_all(folder)?;
    let (json_file, text_file) = (folder.join("bench.json"), folder.join("bench.md"));
    let all = json!({"machine": machine, "figures": figures.iter().map(Figure::json).collect::<Vec<_>>()});
    std::fs::write(&json_file, serde_json::to_vec_pretty(&all)?)?;
    let figures: Vec<String> = figures.iter().map(Figure::text).collect();
    std::fs::write(&text_file, format!("# Bench\n\n{}\n\n{}", heading(machine), figures.join("\n")))?;
    Ok([json_file, text_file])
}

/// What stands beside its limit, both in milliseconds each: rates, times, and the share of the limit that is reached.
pub(crate) fn beside(what: String, each: Spread, limit: Spread, aim: f64) -> Vec<Cell> {
    vec![
        what.into(),
        Cell::Number(1000.0 / each.median, 0),
        Cell::Spread(each, 3),
        Cell::Number(1000.0 / limit.median, 0),
        Cell::Spread(limit, 3),
        Cell::Percent(limit.median / each.median),
        Cell::Percent(aim),
    ]
}
