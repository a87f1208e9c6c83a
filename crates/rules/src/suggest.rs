//! "Did you mean …?": the known word nearest to what was written.

/// The candidate nearest to `word`, if it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted: Vec<char> = word.to_lowercase().chars().collect();
    let limit = (wanted.len() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| {
            let folded: Vec<char> = candidate.to_lowercase().chars().collect();
            (distance(&wanted, &folded), candidate)
        })
        .filter(|(steps, _)| *steps <= limit)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Edit distance in which swapping two neighbours is one step.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut rows: Vec<Vec<usize>> = vec![(0..width).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i; width];
        for j in 1..width {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["child.dob", "child.name", "mother.dob"];
        assert_eq!(nearest("child.dbo", known).as_deref(), Some("child.dob"));
        assert_eq!(nearest("Child.Name", known).as_deref(), Some("child.name"));
        assert_eq!(nearest("eventDetails.date", known), None);
        assert_eq!(nearest("", known), None);
    }
}
