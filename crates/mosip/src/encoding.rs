//! Base64 as MOSIP writes it: mostly URL-safe without padding, but older servers and hand-made tools differ, so that
//! what we read may be in either alphabet, padded or not, with line ends in between.

use base64::{
    Engine,
    alphabet::URL_SAFE as URL_SAFE_ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};

/// Accepts padding or its absence.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE_ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// URL-safe, unpadded: what we write.
pub(crate) fn to_base64url(bytes: &[u8]) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Standard, padded: certificates in `x5c`.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    general_purpose::STANDARD.encode(bytes)
}

/// Reads either alphabet, padded or not, ignoring white space. `None` if it is not base64.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'=');
    if text.bytes().all(plain) {
        return LENIENT.decode(text).ok();
    }
    let translated: Vec<u8> = text
        .bytes()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| match c {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        })
        .collect();
    LENIENT.decode(translated).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_spelling_of_the_same_bytes_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let spellings = [
                general_purpose::STANDARD.encode(&bytes),
                general_purpose::STANDARD_NO_PAD.encode(&bytes),
                general_purpose::URL_SAFE.encode(&bytes),
                general_purpose::URL_SAFE_NO_PAD.encode(&bytes),
            ];
            for spelling in spellings {
                let broken: Vec<&str> = spelling.as_bytes().chunks(7).map(|c| std::str::from_utf8(c).unwrap()).collect();
                prop_assert_eq!(from_base64(&broken.join("\r\n")), Some(bytes.clone()));
                prop_assert_eq!(from_base64(&spelling), Some(bytes.clone()));
            }
        }
    }

    #[test]
    fn what_is_not_base64_is_not_read() {
        assert_eq!(from_base64("a{b}"), None);
        assert_eq!(from_base64("A"), None);
    }
}
