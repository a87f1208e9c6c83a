//! Registration numbers: minted once per action, the same on every attempt.
//!
//! A number is derived from the civil event by SHA-256, so that a retry, a second process or a
//! replay mints the same one. Letters and digits that people confuse are left out (0/O, 1/I, L),
//! which leaves 31: a prime, so that one check character finds every single wrong character and
//! every swap of two characters.

use openssl::sha::Sha256;

/// 31 characters that are not mistaken for each other.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// Generates the multiplicative group modulo 31: positions up to 30 get different weights.
const WEIGHT: u32 = 3;

/// Fewest characters of `{code:N}`: 31^10, some 8 × 10^14 numbers.
const SHORTEST: usize = 10;
const LONGEST: usize = 30;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    Year,
    ShortYear,
    Code(usize),
    Check,
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
                word => {
                    let length = word
                        .strip_prefix("code:")
                        .and_then(|length| length.parse::<usize>().ok())
                        .ok_or_else(|| format!("`{{{word}}}` means nothing here"))?;
                    if !(SHORTEST..=LONGEST).contains(&length) {
                        return Err(format!(
                            "a code of {length} characters is not {SHORTEST} to {LONGEST} long"
                        ));
                    }
                    Piece::Code(length)
                }
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
        let codes = self.0.iter().filter(|piece| matches!(piece, Piece::Code(_))).count();
        let checks = self.0.iter().filter(|piece| matches!(piece, Piece::Check)).count();
        let printable = self.0.iter().all(|piece| match piece {
            Piece::Fixed(text) => text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/.".contains(&b)),
            _ => true,
        });
        match (codes, checks) {
            (1, 0 | 1) if printable => Ok(()),
            (1, 0 | 1) => Err("fixed characters are letters, digits, `-`, `/` and `.`".to_owned()),
            (1, _) => Err("`{check}` is given twice".to_owned()),
            _ => Err(format!("a template has one {{code:N}}, this one has {codes}")),
        }
    }

    pub(crate) fn mint(&self, seed: &Seed<'_>) -> String {
        let length = self.0.iter().find_map(|piece| match piece {
            Piece::Code(length) => Some(*length),
            _ => None,
        });
        let code = characters(seed, length.unwrap_or(SHORTEST));
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Fixed(text) => text.clone(),
                Piece::Year => format!("{:04}", seed.year),
                Piece::ShortYear => format!("{:02}", seed.year.rem_euclid(100)),
                Piece::Code(_) => code.iter().map(|digit| letter(*digit)).collect(),
                Piece::Check => letter(check_of(&code)).to_string(),
            })
            .collect()
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

/// Uniform values below 31, as many as wanted.
fn characters(seed: &Seed<'_>, length: usize) -> Vec<u32> {
    let mut code = Vec::with_capacity(length);
    for block in 0_u32.. {
        let mut hash = Sha256::new();
        for part in ["civitas registration number 1", seed.event_id, seed.action_id] {
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(&seed.candidate.to_be_bytes());
        hash.update(&block.to_be_bytes());
        // 248 is the largest multiple of 31 in a byte; what is above would favour some characters.
        let fair = hash.finish().into_iter().filter(|byte| *byte < 248).map(|byte| u32::from(byte) % 31);
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
        let code = characters(&seed(7), 12);
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
            "№{code:10}",
        ] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
