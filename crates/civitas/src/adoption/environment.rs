//! A file of environment variables, as `docker` and `dotenv` read it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

/// Variable → value. Values may be secrets: wiped when dropped, never printed.
pub type Environment = BTreeMap<String, Zeroizing<String>>;

/// Reads a file.
pub fn read(file: &Path) -> anyhow::Result<Environment> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    parse(&text).with_context(|| format!("{} is no file of environment variables", file.display()))
}

/// Lines of `NAME=value`; `export` before it, quotes around the value and comments are allowed.
pub fn parse(text: &str) -> anyhow::Result<Environment> {
    let mut found = Environment::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let named = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        // The line itself is not shown: it may be a secret.
        let Some((name, value)) = named.filter(|(name, _)| is_name(name)) else {
            bail!("line {number} is not NAME=value");
        };
        if !value.is_empty() {
            found.insert(name.to_owned(), Zeroizing::new(unquoted(value)));
        }
    }
    Ok(found)
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return if quote == '"' {
                inner.replace("\\n", "\n").replace("\\\"", "\"")
            } else {
                inner.to_owned()
            };
        }
    }
    // A comment after an unquoted value.
    value.split(" #").next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_line_is_read() {
        let text = "# a comment\nA=1\nexport B=\"two words\"\nC='x#y' \nD=plain # said\nE=\n";
        let found: Vec<(String, String)> =
            parse(text).unwrap().into_iter().map(|(name, value)| (name, value.to_string())).collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found, [pair("A", "1"), pair("B", "two words"), pair("C", "x#y"), pair("D", "plain")]);
    }

    #[test]
    fn what_is_no_variable_is_named_by_its_line_only() {
        let error = parse("A=1\nhunter2").unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
    }
}
