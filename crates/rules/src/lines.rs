//! The difference of two texts, line by line.

use serde::Serialize;

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// On both sides.
    Same(String),
    /// Only on the old side.
    Old(String),
    /// Only on the new side.
    New(String),
}

/// Beyond this product of lengths the sides are not compared line by line.
const MOST: usize = 4_000_000;

/// The shortest way from one list of lines to the other: a longest common subsequence, in time and memory of the
/// product of both lengths. Entries of a pack are short; of two that are not, all lines count as changed.
pub(crate) fn difference(old: &[String], new: &[String]) -> Vec<Line> {
    if old.len().saturating_mul(new.len()) > MOST {
        let gone = old.iter().cloned().map(Line::Old);
        return gone.chain(new.iter().cloned().map(Line::New)).collect();
    }
    // common[i][j]: length of the longest common subsequence of what follows old[i] and new[j].
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::with_capacity(old.len().max(new.len()));
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(old[i].clone()));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(Line::Old(old[i].clone()));
            i += 1;
        } else {
            lines.push(Line::New(new[j].clone()));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let split = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        difference(&split(old), &split(new))
            .iter()
            .map(|line| match line {
                Line::Same(text) => text.clone(),
                Line::Old(text) => format!("-{text}"),
                Line::New(text) => format!("+{text}"),
            })
            .collect()
    }

    #[test]
    fn what_stayed_is_kept_and_the_old_stands_before_the_new() {
        assert_eq!(shown("abcd", "abxd"), "ab-c+xd");
        assert_eq!(shown("", "ab"), "+a+b");
        assert_eq!(shown("ab", ""), "-a-b");
        assert_eq!(shown("abc", "bca"), "-abc+a");
        assert_eq!(shown("same", "same"), "same");
    }
}
