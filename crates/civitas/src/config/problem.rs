//! What is wrong with a configuration, shown where it is wrong.

use std::fmt;
use std::sync::Arc;

use super::tree::Source;

/// A place in a layer.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) source: Arc<Source>,
    line: u64,
    column: u64,
    width: usize,
}

impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place())
    }
}

impl Origin {
    /// A place in a text, counted from 1; `width` characters are underlined.
    pub(super) fn at(source: &Arc<Source>, line: u64, column: u64, width: usize) -> Self {
        Self { source: Arc::clone(source), line, column, width }
    }

    /// The layer as a whole.
    pub(super) fn whole(source: &Arc<Source>) -> Self {
        Self::at(source, 0, 0, 0)
    }

    /// `civitas.yaml:3:5`, or the name of the environment variable.
    pub(super) fn place(&self) -> String {
        let name = match &*self.source {
            Source::Default(_) => "built-in default",
            Source::File { name, .. } => name,
            Source::Variable(name) => return format!("environment variable {name}"),
        };
        if self.line == 0 { name.to_owned() } else { format!("{name}:{}:{}", self.line, self.column) }
    }

    /// The line, counted from 1; 0 where there is none.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    fn text(&self) -> Option<&str> {
        let Source::File { text, .. } = &*self.source else { return None };
        text.lines().nth(usize::try_from(self.line.checked_sub(1)?).ok()?)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    help: Option<String>,
    origin: Option<Origin>,
    conceal: bool,
    /// About a mandatory key that nobody set; those are listed together.
    pub(super) unset: bool,
}

impl Problem {
    /// A problem at a place.
    pub(super) fn new(message: impl Into<String>, origin: Origin) -> Self {
        Self { message: message.into(), help: None, origin: Some(origin), conceal: false, unset: false }
    }

    /// A problem whose place is not known yet.
    pub(super) fn unplaced(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, origin: None, conceal: false, unset: false }
    }

    /// Adds what to do.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the place unless it has one.
    #[must_use]
    pub(super) fn or_at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    /// Keeps the source line out of the output, since it holds a secret.
    #[must_use]
    pub(super) fn concealed(mut self) -> Self {
        self.conceal = true;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(formatter, "{}: ", origin.place())?;
        }
        formatter.write_str(&self.message)?;
        if let Some((origin, line)) = self.origin.as_ref().and_then(|origin| Some((origin, origin.text()?)))
            && !self.conceal
        {
            let number = origin.line.to_string();
            let gutter = " ".repeat(number.len());
            let indent = " ".repeat(usize::try_from(origin.column.saturating_sub(1)).unwrap_or(0));
            let caret = "^".repeat(origin.width.max(1));
            write!(formatter, "\n {gutter} |\n {number} | {line}\n {gutter} | {indent}{caret}")?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "\n   help: {help}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n\n")?;
            }
            problem.fmt(formatter)?;
        }
        Ok(())
    }
}

/// The candidate that was probably meant: close in spelling, or the same words in another order.
pub(super) fn probably_meant<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (given.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&given.to_lowercase().replace('-', "_"), candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits (insert, delete, replace, swap neighbours) between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut current = vec![i];
        for j in 1..=right.len() {
            let cost = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (previous[j] + 1).min(current[j - 1] + 1).min(previous[j - 1] + cost);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                let before: &Vec<usize> = &before;
                best = best.min(before[j - 2] + 1);
            }
            current.push(best);
        }
        before = previous;
        previous = current;
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, probably_meant};

    #[test]
    fn distance_counts_edits_and_swaps() {
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("lisetn", "listen"), 1);
        assert_eq!(distance("gatway_url", "gateway_url"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        assert_eq!(probably_meant("gatway-url", ["auth_url", "gateway_url"]), Some("gateway_url"));
        assert_eq!(probably_meant("colour", ["auth_url", "gateway_url"]), None);
    }
}
