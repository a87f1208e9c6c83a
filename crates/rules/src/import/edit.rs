//! fields.yaml as lines: what stays is not touched, so that comments and labels survive.
//!
//! The file must be laid out as people lay it out: `events:`, below it each event, below that
//! `fields:`, and each field on lines of its own. What comes out is read again and compared with
//! what was meant, so that a layout that is misunderstood is an error and never a wrong file.

use serde_json::{Map, Value};

/// The lines of one field: what stands before it (comments, blank lines) and its own.
struct Entry {
    id: String,
    lead: Vec<String>,
    lines: Vec<String>,
}

/// The lines of the file around the fields of one event.
pub(super) struct Lines {
    before: Vec<String>,
    entries: Vec<Entry>,
    after: Vec<String>,
    indent: usize,
}

impl Lines {
    /// Finds the fields of `event`; none if they are not laid out as lines.
    pub(super) fn of(text: &str, event: &str) -> Option<Self> {
        let all: Vec<&str> = text.lines().collect();
        let events = find(&all, 0, all.len(), Some(0), "events")?;
        let end = block_end(&all, events);
        let event = find(&all, events + 1, end, None, event)?;
        let end = block_end(&all, event);
        let fields = find(&all, event + 1, end, None, "fields")?;
        let end = block_end(&all, fields);
        let indent = all[fields + 1..end].iter().find(|line| is_content(line)).map(|line| indent_of(line))?;

        let mut entries: Vec<Entry> = Vec::new();
        let mut lead = Vec::new();
        for line in &all[fields + 1..end] {
            if !is_content(line) {
                lead.push((*line).to_owned());
            } else if indent_of(line) == indent {
                let id = key_of(line)?;
                entries.push(Entry { id, lead: std::mem::take(&mut lead), lines: vec![(*line).to_owned()] });
            } else {
                let entry = entries.last_mut()?;
                // A comment inside an entry is part of it.
                entry.lines.append(&mut lead);
                entry.lines.push((*line).to_owned());
            }
        }
        let mut after = lead;
        after.extend(all[end..].iter().map(|line| (*line).to_owned()));
        let before = all[..=fields].iter().map(|line| (*line).to_owned()).collect();
        Some(Self { before, entries, after, indent })
    }

    /// Takes a field out, with the comment that belongs to it alone: the lines right above it.
    pub(super) fn remove(&mut self, id: &str) {
        let Some(index) = self.entries.iter().position(|entry| entry.id == id) else { return };
        let mut lead = self.entries.remove(index).lead;
        let own = lead.iter().rev().take_while(|line| !line.trim().is_empty()).count();
        lead.truncate(lead.len() - own);
        // What stood apart from the field was about more than it.
        let place = self.entries.get_mut(index).map_or(&mut self.after, |next| &mut next.lead);
        lead.append(place);
        *place = lead;
    }

    /// Writes a field anew in its place; what is remarked at the end of its line stays.
    pub(super) fn replace(&mut self, id: &str, value: &Value) {
        let indent = self.indent;
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) else { return };
        let remark = match entry.lines.as_slice() {
            [line] => line.rsplit_once("} #").map(|(_, remark)| format!(" #{remark}")),
            _ => None,
        };
        entry.lines = written(id, value, indent);
        if let ([line], Some(remark)) = (entry.lines.as_mut_slice(), remark) {
            line.push_str(&remark);
        }
    }

    /// Puts a field after the last one of its section, or at the end.
    pub(super) fn add(&mut self, id: &str, value: &Value) {
        let section = |id: &str| id.split('.').next().unwrap_or_default().to_owned();
        let wanted = section(id);
        let place = self.entries.iter().rposition(|entry| section(&entry.id) == wanted);
        let place = place.map_or(self.entries.len(), |last| last + 1);
        let lines = written(id, value, self.indent);
        self.entries.insert(place, Entry { id: id.to_owned(), lead: Vec::new(), lines });
    }

    /// The whole file.
    pub(super) fn text(&self) -> String {
        let entries = self.entries.iter().flat_map(|entry| entry.lead.iter().chain(&entry.lines));
        let lines: Vec<&str> =
            self.before.iter().chain(entries).chain(&self.after).map(String::as_str).collect();
        format!("{}\n", lines.join("\n"))
    }
}

/// The line of a key in a stretch of lines, at the given indent or at that of the first line with content.
fn find(lines: &[&str], from: usize, to: usize, indent: Option<usize>, key: &str) -> Option<usize> {
    let first = lines[from..to].iter().find(|line| is_content(line)).map(|line| indent_of(line))?;
    let indent = indent.unwrap_or(first);
    let found = (from..to).find(|index| {
        is_content(lines[*index])
            && indent_of(lines[*index]) == indent
            && key_of(lines[*index]).as_deref() == Some(key)
    })?;
    // What stands behind the key is a flow map or an alias, and no lines.
    let rest = lines[found].trim().split_once(':')?.1.trim();
    (rest.is_empty() || rest.starts_with('#')).then_some(found)
}

/// The first line after `start` that is no longer inside it. Comments and blank lines before that one
/// belong to what follows when they stand as far out as it.
fn block_end(lines: &[&str], start: usize) -> usize {
    let indent = indent_of(lines[start]);
    let mut end = start + 1;
    for (index, line) in lines.iter().enumerate().skip(start + 1) {
        if is_content(line) {
            if indent_of(line) <= indent {
                break;
            }
            end = index + 1;
        }
    }
    end
}

fn is_content(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn key_of(line: &str) -> Option<String> {
    let line = line.trim();
    if let Some(quote) = line.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return line[1..].split_once(quote).map(|(key, _)| key.to_owned());
    }
    let (key, rest) = line.split_once(':')?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| key.to_owned())
}

/// Longest line that a field is written on.
const WIDTH: usize = 118;

/// A field as lines: on one if it fits, otherwise a line for each key.
pub(super) fn written(id: &str, value: &Value, indent: usize) -> Vec<String> {
    let margin = " ".repeat(indent);
    let short = format!("{margin}{}: {}", plain(id), flow(value));
    if short.chars().count() <= WIDTH {
        return vec![short];
    }
    let mut lines = vec![format!("{margin}{}:", plain(id))];
    for (key, inner) in value.as_object().unwrap_or(&Map::new()) {
        let line = format!("{margin}  {}: {}", plain(key), flow(inner));
        match inner {
            Value::Array(items) if line.chars().count() > WIDTH => {
                lines.push(format!("{margin}  {}:", plain(key)));
                lines.extend(items.iter().map(|item| format!("{margin}    - {}", flow(item))));
            }
            _ => lines.push(line),
        }
    }
    lines
}

/// A value in YAML's flow style.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, inner)| format!("{}: {}", plain(key), flow(inner))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// The text without quotes where every reader of YAML takes it as that text.
fn plain(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().is_some_and(char::is_alphabetic);
    let rest = chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '’' | '/'));
    let word = text.to_ascii_lowercase();
    let meant = ["yes", "no", "y", "n", "on", "off", "true", "false", "null"].contains(&word.as_str());
    if first && rest && !meant && text == text.trim() {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}
