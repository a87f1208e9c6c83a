//! The partner-specific token of a person, by keymanager's formula for policies of type Partner.

use crate::options::IdaOptions;
use openssl::bn::BigNum;
use openssl::sha::sha256;

/// Digits of a token.
const LENGTH: usize = 36;

/// The token of this UIN for this partner.
pub(crate) fn token(uin: &str, partner: &str, options: &IdaOptions) -> String {
    let hashed = |text: String| hex::encode_upper(sha256(&sha256(text.as_bytes())));
    let person = hashed(format!("{uin}{}", options.uin_salt));
    let own = hashed(format!("{}{partner}{person}", options.partner_salt));
    // The digits of the number that the 64 characters are, read as bytes.
    let number = BigNum::from_slice(own.as_bytes()).and_then(|number| number.to_dec_str());
    number.map(|digits| digits.chars().take(LENGTH).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_formula() {
        let options = IdaOptions::default();
        for (uin, partner, expected) in [
            ("2014391641", "crvs-partner", "257722705867298474544792882966633279"),
            ("2014391641", "other-partner", "299622904484230966722946189940190929"),
            ("2014391642", "crvs-partner", "362716310014685428978054388949667798"),
        ] {
            assert_eq!(token(uin, partner, &options), expected);
        }
    }
}
