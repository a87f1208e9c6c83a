//! Check characters by standards that other systems know.
//!
//! Both are over the letters and digits of a number, other characters passed over, small letters like capitals. Where
//! all of them are digits the check character is one, else it is a digit or a capital letter.

/// A standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standard {
    /// ISO/IEC 7812-1, annex B (Luhn), modulo 10; modulo 36 where there are letters. Finds every wrong character, and swaps
    /// of neighbours but for the first and the last of the alphabet.
    Luhn,
    /// ISO/IEC 7064, hybrid systems MOD 11,10 and MOD 37,36: finds every wrong character and every swap of neighbours.
    Iso7064,
}

impl Standard {
    /// The check character of what stands before it.
    pub(super) fn check(self, number: &str) -> char {
        let values: Vec<u32> = number.chars().filter_map(|letter| letter.to_digit(36)).collect();
        let base = if values.iter().all(|value| *value < 10) { 10 } else { 36 };
        let value = match self {
            Self::Luhn => luhn(&values, base),
            Self::Iso7064 => hybrid(&values, base),
        };
        char::from_digit(value, 36).unwrap_or('0').to_ascii_uppercase()
    }
}

/// Every second value, from the right, counts twice, as the sum of its digits in the base.
fn luhn(values: &[u32], base: u32) -> u32 {
    let sum: u32 = values
        .iter()
        .rev()
        .enumerate()
        .map(|(place, value)| if place % 2 == 0 { value * 2 / base + value * 2 % base } else { *value })
        .sum();
    (base - sum % base) % base
}

/// MOD base + 1, base.
fn hybrid(values: &[u32], base: u32) -> u32 {
    let mut product = base;
    for value in values {
        let sum = (product + value) % base;
        product = if sum == 0 { base } else { sum } * 2 % (base + 1);
    }
    (base + 1 - product) % base
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usual examples: 7992739871-3 and 4992739871-6 of Luhn, 0794-5 and A12425GABC1234002-M of ISO 7064.
    #[test]
    fn known_numbers_have_their_check_characters() {
        assert_eq!(Standard::Luhn.check("7992739871"), '3');
        assert_eq!(Standard::Luhn.check("4992739871"), '6');
        assert_eq!(Standard::Iso7064.check("0794"), '5');
        assert_eq!(Standard::Iso7064.check("A12425GABC1234002"), 'M');
        assert_eq!(Standard::Iso7064.check("A1-2425G-ABC1234002"), 'M', "separators do not count");
    }

    #[test]
    fn a_wrong_character_and_a_swap_of_neighbours_are_found() {
        for number in ["26483921754586", "B26K7QW2X9ZTM"] {
            let letters: Vec<char> = number.chars().collect();
            let base = if number.starts_with('B') { 36 } else { 10 };
            for standard in [Standard::Luhn, Standard::Iso7064] {
                let check = standard.check(number);
                for place in 0..letters.len() {
                    for wrong in (0..base).filter_map(|value| char::from_digit(value, 36)) {
                        let mut other = letters.clone();
                        // A number without its one letter would be checked as digits.
                        other[place] = wrong.to_ascii_uppercase();
                        let other: String = other.into_iter().collect();
                        assert_eq!(standard.check(&other) == check, other == number, "{standard:?} {other}");
                    }
                    let mut swapped = letters.clone();
                    if place + 1 < letters.len() {
                        swapped.swap(place, place + 1);
                    }
                    let swapped: String = swapped.into_iter().collect();
                    assert!(swapped == number || standard.check(&swapped) != check, "{standard:?} {swapped}");
                }
            }
        }
    }
}
