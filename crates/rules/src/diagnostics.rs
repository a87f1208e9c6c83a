//! What is wrong with a pack: all of it at once, each problem at its place.

use std::fmt;

use serde::Serialize;

use crate::codes::Code;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pack is refused.
    Error,
    /// The pack loads; somebody should look.
    Warning,
}

impl Severity {
    pub(crate) fn of(code: Code) -> Self {
        if code.is_warning() { Self::Warning } else { Self::Error }
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Names the kind of problem for good; see [`Code::title`].
    pub code: Code,
    /// Whether the pack is refused for it.
    pub severity: Severity,
    /// Path inside the pack.
    pub file: String,
    /// 1-based line; 0 when the problem is about the file as a whole.
    pub line: usize,
    /// 1-based column in characters.
    pub column: usize,
    /// Characters to underline, at least one.
    pub width: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The line itself; of a long line, what is around the place.
    pub source: Option<String>,
    /// 1-based column at which `source` begins: 1, unless the line is a long one.
    #[serde(skip_serializing_if = "is_one")]
    pub source_column: usize,
    /// What was probably meant.
    pub suggestion: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A problem with a file as a whole.
    pub(crate) fn of_file(code: Code, file: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::of(code),
            file: file.to_owned(),
            line: 0,
            column: 0,
            width: 1,
            message: message.into(),
            source: None,
            source_column: 1,
            suggestion: None,
            help: None,
        }
    }

    /// What stands at the place, as it is written.
    pub(crate) fn written(&self) -> String {
        let source = self.source.as_deref().unwrap_or_default();
        source.chars().skip(self.column.saturating_sub(1)).take(self.width).collect()
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{severity}[{}]: {}", self.code, self.message)?;
        let gutter = self.line.to_string().len();
        if self.line == 0 {
            writeln!(f, " --> {}", self.file)?;
        } else {
            writeln!(f, "{:gutter$}--> {}:{}:{}", "", self.file, self.line, self.column)?;
        }
        if let Some(source) = &self.source {
            let before: String = source
                .chars()
                .take(self.column.saturating_sub(self.source_column))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            writeln!(f, "{:gutter$} |", "")?;
            writeln!(f, "{} | {source}", self.line)?;
            writeln!(f, "{:gutter$} | {before}{}", "", "^".repeat(self.width))?;
        }
        if let Some(suggestion) = &self.suggestion {
            writeln!(f, "{:gutter$} = did you mean `{suggestion}`?", "")?;
        }
        if let Some(help) = &self.help {
            writeln!(f, "{:gutter$} = help: {help}", "")?;
        }
        Ok(())
    }
}

/// The files in the order in which one rests on another: what caused a problem comes before it.
const ORDER: [&str; 6] =
    ["country.yaml", "fields.yaml", "id-schema.json", "identity.yaml", "packets.yaml", "rules.yaml"];

fn rank(file: &str) -> usize {
    ORDER.iter().position(|known| *known == file).unwrap_or(ORDER.len())
}

/// All problems of a pack, causes first: in the order of file and line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(crate) fn new(mut problems: Vec<Diagnostic>) -> Self {
        problems.sort_by(|a, b| {
            (rank(&a.file), &a.file, a.line, a.column, a.code, &a.message).cmp(&(
                rank(&b.file),
                &b.file,
                b.line,
                b.column,
                b.code,
                &b.message,
            ))
        });
        problems.dedup();
        Self(problems)
    }

    /// The problems, sorted by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Number of problems.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any problem refuses the pack.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        let errors = self.0.iter().filter(|problem| problem.severity == Severity::Error).count();
        let warnings = self.0.len() - errors;
        write!(f, "{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(column: &usize) -> bool {
    *column == 1
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
