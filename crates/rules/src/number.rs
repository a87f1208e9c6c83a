//! Registration numbers: minted once per action, the same on every attempt.
//!
//! A number is derived from the civil event by SHA-256, so that a retry, a second process or a
//! replay mints the same one. Letters and digits that people confuse are left out (0/O, 1/I, L),
//! which leaves 31: a prime, so that one check character finds every single wrong character and
//! every swap of two characters. Where other systems check numbers too, the check character follows
//! a standard instead (`number/check.rs`).

mod check;

use std::fmt::Write as _;

use openssl::sha::Sha256;

use check::Standard;

/// 31 characters that are not mistaken for each other.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// Generates the multiplicative group modulo 31: positions up to 30 get different weights.
const WEIGHT: u32 = 3;

/// Fewest characters of `{code:N}`: 31^10, some 8 × 10^14 numbers.
const SHORTEST: usize = 10;
const LONGEST: usize = 30;
/// Fewest digits of `{digits:N}`: 10^12.
const FEWEST_DIGITS: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    Year,
    ShortYear,
    Code(usize),
    Digits(usize),
    Check,
    Standard(Standard),
}

/// How a registration number is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

/// What a number is derived from.
pub(crate) struct Seed<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) action_id: &'a str,
    pub(crate) candidate: u32,
    pub(crate) year: i16,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (fixed, from) = rest.split_at(open);
            let close = from.find('}').ok_or_else(|| format!("`{from}` is not closed"))?;
            if !fixed.is_empty() {
                pieces.push(Piece::Fixed(fixed.to_owned()));
            }
            pieces.push(match &from[1..close] {
                "year" => Piece::Year,
                "yy" => Piece::ShortYear,
                "check" => Piece::Check,
                "check:luhn" => Piece::Standard(Standard::Luhn),
                "check:iso7064" => Piece::Standard(Standard::Iso7064),
                word => Piece::code(word)?,
            });
            rest = &from[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Fixed(rest.to_owned()));
        }
        let template = Self(pieces);
        template.check()?;
        Ok(template)
    }

    fn check(&self) -> Result<(), String> {
        let codes = self.0.iter().filter(|piece| piece.is_code()).count();
        let checks = self.0.iter().filter(|piece| piece.is_check()).count();
        let code = self.0.iter().position(Piece::is_code);
        let check = self.0.iter().position(Piece::is_check);
        if let (Some(code), Some(check)) = (code, check) {
            if matches!(self.0[check], Piece::Standard(_)) && check < code {
                return Err("a check character by a standard stands after the code that it checks".to_owned());
            }
            if matches!((&self.0[code], &self.0[check]), (Piece::Digits(_), Piece::Check)) {
                let help = "write {check:luhn} or {check:iso7064}";
                return Err(format!("`{{check}}` may be a letter: after digits {help}"));
            }
        }
        let printable = self.0.iter().all(|piece| match piece {
            Piece::Fixed(text) => text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/.".contains(&b)),
            _ => true,
        });
        match (codes, checks) {
            (1, 0 | 1) if printable => Ok(()),
            (1, 0 | 1) => Err("fixed characters are letters, digits, `-`, `/` and `.`".to_owned()),
            (1, _) => Err("`{check}` is given twice".to_owned()),
            _ => Err(format!("a template has one {{code:N}} or {{digits:N}}, this one has {codes}")),
        }
    }

    pub(crate) fn mint(&self, seed: &Seed<'_>) -> String {
        let code = self.0.iter().find_map(|piece| match piece {
            Piece::Code(length) => Some(characters(seed, *length, 31)),
            Piece::Digits(length) => Some(characters(seed, *length, 10)),
            _ => None,
        });
        let code = code.unwrap_or_default();
        let mut number = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Fixed(text) => number.push_str(text),
                // Writing to a string cannot fail.
                Piece::Year => _ = write!(number, "{:04}", seed.year),
                Piece::ShortYear => _ = write!(number, "{:02}", seed.year.rem_euclid(100)),
                Piece::Code(_) => number.extend(code.iter().map(|digit| letter(*digit))),
                Piece::Digits(_) => {
                    number.extend(code.iter().filter_map(|digit| char::from_digit(*digit, 10)));
                }
                Piece::Check => number.push(letter(check_of(&code))),
                Piece::Standard(standard) => number.push(standard.check(&number)),
            }
        }
        number
    }
}

impl Piece {
    /// `code:N` or `digits:N`.
    fn code(word: &str) -> Result<Self, String> {
        let (kind, length) = word.split_once(':').unwrap_or((word, ""));
        let (shortest, what) = match kind {
            "code" => (SHORTEST, "characters"),
            "digits" => (FEWEST_DIGITS, "digits"),
            _ => return Err(format!("`{{{word}}}` means nothing here")),
        };
        let length: usize = length.parse().map_err(|_| format!("`{{{word}}}` means nothing here"))?;
        if !(shortest..=LONGEST).contains(&length) {
            return Err(format!("a code of {length} {what} is not {shortest} to {LONGEST} long"));
        }
        Ok(if kind == "code" { Self::Code(length) } else { Self::Digits(length) })
    }

    fn is_code(&self) -> bool {
        matches!(self, Self::Code(_) | Self::Digits(_))
    }

    fn is_check(&self) -> bool {
        matches!(self, Self::Check | Self::Standard(_))
    }
}

fn letter(digit: u32) -> char {
    let index = usize::try_from(digit).unwrap_or_default() % ALPHABET.len();
    char::from(ALPHABET[index])
}

/// The check character's value: it makes the weighted sum divisible by 31.
fn check_of(code: &[u32]) -> u32 {
    let mut weight = 1;
    let mut sum = 0;
    for digit in code {
        weight = weight * WEIGHT % 31;
        sum = (sum + digit * weight) % 31;
    }
    (31 - sum) % 31
}

/// Uniform values below a base of 31 or 10, as many as wanted.
fn characters(seed: &Seed<'_>, length: usize, base: u32) -> Vec<u32> {
    let mut code = Vec::with_capacity(length);
    for block in 0_u32.. {
        let mut hash = Sha256::new();
        for part in ["civitas registration number 1", seed.event_id, seed.action_id] {
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(&seed.candidate.to_be_bytes());
        hash.update(&block.to_be_bytes());
        // From the largest multiple of the base in a byte on, some characters would be favoured: 248 of 31, 250 of 10.
        let fair = hash.finish().into_iter().map(u32::from).filter(|byte| *byte < 256 / base * base);
        let fair = fair.map(|byte| byte % base);
        code.extend(fair.take(length - code.len()));
        if code.len() == length {
            break;
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn seed(candidate: u32) -> Seed<'static> {
        Seed {
            event_id: "6f1c0d4e-4f1a-4c58-9f0b-2f0a5b7f2d11",
            action_id: "0b8a2f0e-6a35-4d3c-8a55-0a8a4b1e0a06",
            candidate,
            year: 2026,
        }
    }

    #[test]
    fn a_number_is_the_same_every_time_and_another_per_candidate() {
        let template = Template::parse("B{yy}-{code:10}{check}").expect("a template");
        let number = template.mint(&seed(0));
        assert_eq!(number, template.mint(&seed(0)));
        assert_ne!(number, template.mint(&seed(1)));
        assert!(number.starts_with("B26-"), "{number}");
        assert_eq!(number.len(), 4 + 10 + 1);
    }

    #[test]
    fn a_check_character_by_a_standard_is_over_all_that_stands_before_it() {
        let mint = |text| Template::parse(text).expect("a template").mint(&seed(0));
        let digits = mint("{yy}{digits:12}{check:luhn}");
        assert!(digits.len() == 15 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
        for (text, standard) in [
            ("{yy}{digits:12}{check:luhn}", Standard::Luhn),
            ("{yy}{digits:12}{check:iso7064}", Standard::Iso7064),
            ("B{yy}-{code:10}-{check:luhn}", Standard::Luhn),
            ("B{yy}-{code:10}-{check:iso7064}", Standard::Iso7064),
        ] {
            let number = mint(text);
            let (before, check) = number.split_at(number.len() - 1);
            assert_eq!(check, standard.check(before).to_string(), "{number}");
        }
    }

    #[test]
    fn ids_cannot_run_into_each_other() {
        let template = Template::parse("{code:12}").expect("a template");
        let mint =
            |event_id, action_id| template.mint(&Seed { event_id, action_id, candidate: 0, year: 2026 });
        assert_ne!(mint("ab", "c"), mint("a", "bc"));
    }

    #[test]
    fn many_numbers_do_not_collide() {
        let template = Template::parse("{code:10}").expect("a template");
        let numbers: BTreeSet<String> =
            (0..20_000).map(|candidate| template.mint(&seed(candidate))).collect();
        assert_eq!(numbers.len(), 20_000);
    }

    #[test]
    fn the_check_character_finds_slips_and_swaps() {
        let code = characters(&seed(7), 12, 31);
        let check = check_of(&code);
        for position in 0..code.len() {
            for wrong in (0..31).filter(|wrong| *wrong != code[position]) {
                let mut slip = code.clone();
                slip[position] = wrong;
                assert_ne!(check_of(&slip), check);
            }
            for other in (position + 1)..code.len() {
                if code[position] != code[other] {
                    let mut swap = code.clone();
                    swap.swap(position, other);
                    assert_ne!(check_of(&swap), check);
                }
            }
        }
    }

    #[test]
    fn bad_templates_are_refused() {
        for bad in [
            "",
            "B{year}",
            "{code:9}",
            "{code:31}",
            "{code:10}{code:10}",
            "{code:10",
            "{month}{code:10}",
            "{code:10}{check}{check}",
            "{code:10}{check}{check:luhn}",
            "{check:luhn}{code:10}",
            "{code:10}{check:crc}",
            "{digits:11}{check:luhn}",
            "{digits:12}{check}",
            "{digits:12}{code:10}",
            "№{code:10}",
        ] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
