//! Comma-separated values, with the place of each cell: diagnostics point at it, which is why no
//! general reader does.

/// One cell: its text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// 1-based column in characters.
    pub(super) column: usize,
    /// Width in characters, quotes included.
    pub(super) width: usize,
}

/// One row: its 1-based line and its cells, or what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) cells: Result<Vec<Cell>, &'static str>,
}

/// The rows of a text; blank lines and lines that start with `#` are left out.
///
/// A cell in quotes may hold commas, and quotes that are doubled; it may not hold a line break, which
/// no name of a place has and which would hide the rows behind a quote that was forgotten.
pub(super) fn rows(text: &str) -> impl Iterator<Item = Row> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(index, line)| Row { line: index + 1, cells: split(line) })
}

fn split(line: &str) -> Result<Vec<Cell>, &'static str> {
    let mut cells = Vec::new();
    let mut rest = line;
    let mut column = 1;
    loop {
        let (text, length) = if let Some(inside) = rest.strip_prefix('"') {
            quoted(inside)?
        } else {
            let length = rest.find(',').unwrap_or(rest.len());
            let text = &rest[..length];
            if text.contains('"') {
                return Err("a quote stands inside a cell: put the whole cell in quotes and double it");
            }
            (text.trim().to_owned(), length)
        };
        let width = rest[..length].chars().count();
        cells.push(Cell { text, column, width });
        column += width + 1;
        rest = match rest[length..].strip_prefix(',') {
            Some(more) => more,
            None if rest.len() == length => return Ok(cells),
            None => return Err("text follows a closing quote"),
        };
    }
}

/// The text up to the closing quote, and the length with both quotes.
fn quoted(inside: &str) -> Result<(String, usize), &'static str> {
    let mut text = String::new();
    let mut from = 0;
    loop {
        let at = inside[from..].find('"').ok_or("a quote is not closed on its line")?;
        text.push_str(&inside[from..from + at]);
        from += at + 1;
        match inside[from..].strip_prefix('"') {
            Some(_) => {
                text.push('"');
                from += 1;
            }
            None => return Ok((text.trim().to_owned(), from + 1)),
        }
    }
}

/// Writes one row, quotes only where they are needed.
pub(super) fn write_row<'c>(cells: impl IntoIterator<Item = &'c str>, out: &mut String) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if cell.contains([',', '"']) || cell.starts_with('#') {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        split(line).expect("a row").into_iter().map(|cell| cell.text).collect()
    }

    #[test]
    fn cells_are_told_apart_with_and_without_quotes() {
        assert_eq!(texts("a, b ,,d"), ["a", "b", "", "d"]);
        assert_eq!(texts("\"a, b\",\"say \"\"x\"\"\""), ["a, b", "say \"x\""]);
        assert_eq!(texts(""), [""]);
        assert_eq!(texts("a,"), ["a", ""]);
        for broken in ["\"a", "a\"b", "\"a\"b,c", "\"a\"\""] {
            assert!(split(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let cells = split("é,\"x,y\",z").expect("a row");
        let places: Vec<(usize, usize)> = cells.iter().map(|cell| (cell.column, cell.width)).collect();
        assert_eq!(places, [(1, 1), (3, 5), (9, 1)]);
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for row in [vec!["a", "b"], vec!["# no remark", ""], vec!["a,b", "\"", "é \"x\" ,"]] {
            let mut text = String::new();
            write_row(row.iter().copied(), &mut text);
            let read: Vec<Row> = rows(&text).collect();
            assert_eq!(read.len(), 1, "{text}");
            let found: Vec<String> =
                read[0].cells.as_ref().expect("a row").iter().map(|cell| cell.text.clone()).collect();
            assert_eq!(found, row.iter().map(|cell| cell.trim()).collect::<Vec<_>>());
        }
    }
}
