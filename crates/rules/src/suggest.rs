//! "Did you mean …?": the known word nearest to what was written.

/// Bytes of a word that is compared with others.
const LONGEST: usize = 80;
/// Candidates that a word is compared with.
const MOST: usize = 2_000;
/// Words that a list in a message has.
const LISTED: usize = 40;

/// The words in a message, separated by commas; of very many only the first.
pub(crate) fn listed<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let mut words = words.into_iter();
    let shown: Vec<T> = words.by_ref().take(LISTED).collect();
    let shown = shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match words.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The candidate nearest to `word`, if it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Nobody makes a slip in a text of this length, and comparing takes the square of it.
    if word.len() > LONGEST {
        return None;
    }
    let folded_word = word.to_lowercase();
    let wanted: Vec<char> = folded_word.chars().collect();
    let limit = (wanted.len() / 3).clamp(1, 4);
    let mut row = Vec::new();
    let candidates: Vec<&str> =
        candidates.into_iter().take(MOST).filter(|candidate| candidate.len() <= LONGEST).collect();
    candidates
        .iter()
        .filter_map(|candidate| {
            let folded: Vec<char> = candidate.to_lowercase().chars().collect();
            Some((distance(&wanted, &folded, limit, &mut row)?, candidate))
        })
        .min()
        .map(|(_, candidate)| *candidate)
        .or_else(|| completed(&folded_word, &candidates))
        .map(str::to_owned)
}

/// The one candidate that begins or ends with the word as a part of its own: `await` for
/// `await_external_validation`, `dob` for `child.dob`. None where several do.
fn completed<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if word.chars().count() < 3 {
        return None;
    }
    let is_part = |candidate: &str| {
        let folded = candidate.to_lowercase();
        let apart =
            |rest: &str, next: Option<char>| !rest.is_empty() && next.is_some_and(|c| !c.is_alphanumeric());
        folded.strip_prefix(word).is_some_and(|rest| apart(rest, rest.chars().next()))
            || folded.strip_suffix(word).is_some_and(|rest| apart(rest, rest.chars().next_back()))
    };
    let mut found = candidates.iter().filter(|candidate| is_part(candidate));
    found.next().filter(|_| found.next().is_none()).copied()
}

/// Edit distance in which swapping two neighbours is one step; none if it is above `limit`.
fn distance(a: &[char], b: &[char], limit: usize, rows: &mut Vec<[usize; 2]>) -> Option<usize> {
    // What is the same at both ends needs no steps.
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    // The last row and the one before it; the one that is being made goes from left to right over both.
    rows.clear();
    rows.extend((0..=b.len()).map(|steps| [steps, steps]));
    for i in 1..=a.len() {
        let mut corner = rows[0];
        rows[0] = [i, i - 1];
        let mut least = i;
        let mut before_corner = 0;
        for j in 1..=b.len() {
            let above = rows[j];
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut steps = (above[0] + 1).min(rows[j - 1][0] + 1).min(corner[0] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                steps = steps.min(before_corner + 1);
            }
            before_corner = corner[1];
            corner = above;
            rows[j] = [steps, above[0]];
            least = least.min(steps);
        }
        // A swap reaches back over one row, so a row may be passed by; two may not.
        if least > limit + 1 {
            return None;
        }
    }
    Some(rows[b.len()][0]).filter(|steps| *steps <= limit)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_long_list_ends() {
        assert_eq!(super::listed(["a", "b"]), "a, b");
        let many: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let text = super::listed(&many);
        assert!(text.starts_with("0, 1, 2") && text.ends_with("39 and 60 more"), "{text}");
    }

    /// The distance as it is defined, row by row.
    fn by_the_book(a: &[char], b: &[char]) -> usize {
        let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                rows[i][j] = match (i, j) {
                    (0, steps) | (steps, 0) => steps,
                    _ => {
                        let change = usize::from(a[i - 1] != b[j - 1]);
                        let mut steps =
                            (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                            steps = steps.min(rows[i - 2][j - 2] + 1);
                        }
                        steps
                    }
                };
            }
        }
        rows[a.len()][b.len()]
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_to_a_distance_is_right(a in "[ab.]{0,9}", b in "[ab.]{0,9}", limit in 0..5_usize) {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let expected = Some(by_the_book(&a, &b)).filter(|steps| *steps <= limit);
            proptest::prop_assert_eq!(super::distance(&a, &b, limit, &mut Vec::new()), expected);
        }
    }

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["child.dob", "child.name", "mother.dob"];
        assert_eq!(nearest("child.dbo", known).as_deref(), Some("child.dob"));
        assert_eq!(nearest("Child.Name", known).as_deref(), Some("child.name"));
        assert_eq!(nearest("eventDetails.date", known), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn a_part_of_one_word_is_completed_and_of_several_is_not() {
        let known = ["child.dob", "child.name", "mother.dob", "Pacific/Kiritimati", "create_uin"];
        assert_eq!(nearest("kiritimati", known).as_deref(), Some("Pacific/Kiritimati"));
        assert_eq!(nearest("create", known).as_deref(), Some("create_uin"));
        assert_eq!(nearest("name", known).as_deref(), Some("child.name"));
        assert_eq!(nearest("dob", known), None, "two persons have one");
        assert_eq!(nearest("cre", known), None, "a word is not cut in the middle");
    }
}
