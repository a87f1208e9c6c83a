//! The configuration in force, with the layer that each value comes from, and without anything secret.

use std::fmt::Write as _;

use super::problem::Problems;
use super::tree::{Node, Value};
use super::{Layers, merged};

/// One line per key: `path: value    # where from`. Secrets appear as the files that hold them, which are not
/// read; whatever looks like a password in an address is hidden.
pub fn show(layers: &Layers) -> Result<String, Problems> {
    let (tree, problems) = merged(layers)?;
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let mut text = String::new();
    for (path, node) in tree.leaves() {
        let shown = if sensitive(&path) { "[REDACTED]".to_owned() } else { plain(node) };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<70} # {}", format!("{path}: {shown}"), node.origin.place());
    }
    Ok(text)
}

/// Keys that should not exist, since secrets come by file; shown names only, in case somebody wrote one.
fn sensitive(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let by_reference = last.ends_with("_file") || last.ends_with("_files") || path.contains("_files.");
    let words = ["secret", "password", "token", "private_key", "pem"];
    !by_reference && last != "mode" && words.iter().any(|word| last.contains(word))
}

fn plain(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(text) | Value::Raw(text) => hide_password(text),
        Value::List(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => format!(
            "{{{}}}",
            entries
                .iter()
                .map(|entry| {
                    let value = if sensitive(&entry.key) { "[REDACTED]".into() } else { plain(&entry.node) };
                    format!("{}: {value}", entry.key)
                })
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

fn hide_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    match rest.split_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            let hidden = if user.contains(':') { ":[REDACTED]" } else { "" };
            format!("{scheme}://{name}{hidden}@{host}")
        }
        None => text.to_owned(),
    }
}
