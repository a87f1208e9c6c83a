//! `VER_R2`: how a credential is encrypted.
//!
//! Base64 of `"VER_R2" ‖ SHA-256 of the certificate ‖ wrapped key(256) ‖ "#KEY_SPLITTER#" ‖ aad(32) ‖ ciphertext ‖
//! tag`; the nonce is the first twelve bytes of the additional data. Older servers leave the certificate's hash out.

use openssl::{
    error::ErrorStack,
    pkey::{Id, PKey, Public},
    x509::X509,
};
use zeroize::Zeroizing;

use super::hybrid::{AAD, NONCE, SPLITTER, TAG, THUMBPRINT, WRAPPED_KEY, gcm_open, gcm_seal, wrap_key};
use crate::{
    encoding::{from_base64, to_base64url},
    keys::{KeyRing, PrivateKey, TokenError, UnwrapError, thumbprint},
};

const HEADER: &[u8] = b"VER_R2";

/// Why a credential does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not base64 in either alphabet.
    #[error("the credential is not base64")]
    NotBase64,
    /// No `VER_R2` at the start: plain, or of another form.
    #[error("the credential is not of the form VER_R2; the partner's policy has to encrypt it")]
    NotEncrypted,
    /// Splitter or lengths are not where they belong.
    #[error("the credential is cut short or mangled: {0}")]
    Layout(&'static str),
    /// Encrypted to a certificate whose key we do not have.
    #[error(
        "the credential is encrypted to the certificate {thumbprint}, whose key is not configured; add the key"
    )]
    UnknownKey {
        /// SHA-256 of the certificate, hexadecimal.
        thumbprint: String,
    },
    /// No key at all.
    #[error("no partner key is configured")]
    NoKeys,
    /// Our key does not unwrap it.
    #[error("the credential's key does not unwrap with ours: it was altered, or encrypted to another key")]
    Key,
    /// The tag does not fit.
    #[error("the credential was altered on its way: its tag does not fit")]
    Tag,
    /// The token that holds the key cannot be asked: the credential may open later.
    #[error("the token that holds the key did not do its work")]
    Token(#[source] TokenError),
}

/// Opens a credential. The plaintext is wiped when dropped.
pub fn open(keys: &KeyRing, text: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let text = text.trim();
    if text.starts_with(['{', '[']) {
        return Err(OpenError::NotEncrypted);
    }
    open_blob(keys, &from_base64(text).ok_or(OpenError::NotBase64)?)
}

/// Opens what a data share holds: the same as in an event, in base64 or bare. A policy without encryption shares the
/// document in clear, told by its lack of the header; it is taken only if `plain` says so.
pub fn open_share(keys: &KeyRing, content: &[u8], plain: bool) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let content = content.trim_ascii();
    if content.starts_with(HEADER) {
        return open_blob(keys, content);
    }
    let in_clear = |document: &[u8]| {
        if plain { Ok(Zeroizing::new(document.to_vec())) } else { Err(OpenError::NotEncrypted) }
    };
    if content.starts_with(b"{") {
        return in_clear(content);
    }
    let blob = std::str::from_utf8(content).ok().and_then(from_base64).map(Zeroizing::new);
    let blob = blob.ok_or(OpenError::NotBase64)?;
    if blob.trim_ascii_start().starts_with(b"{") { in_clear(&blob) } else { open_blob(keys, &blob) }
}

fn open_blob(keys: &KeyRing, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let rest = blob.strip_prefix(HEADER).ok_or(OpenError::NotEncrypted)?;
    let split = rest
        .windows(SPLITTER.len())
        .position(|window| window == SPLITTER)
        .ok_or(OpenError::Layout("there is no key splitter"))?;
    let (block, sealed) = (&rest[..split], &rest[split + SPLITTER.len()..]);
    if sealed.len() < AAD + TAG {
        return Err(OpenError::Layout("nothing is encrypted"));
    }
    let aes_key = match block.len().checked_sub(WRAPPED_KEY) {
        Some(THUMBPRINT) => {
            let (thumbprint, wrapped) = block.split_at(THUMBPRINT);
            let key = keys
                .by_thumbprint(thumbprint)
                .ok_or_else(|| OpenError::UnknownKey { thumbprint: hex::encode(thumbprint) })?;
            unwrap_with(key, wrapped)?
        }
        Some(0) if keys.is_empty() => return Err(OpenError::NoKeys),
        Some(0) => unwrap_with_any(keys, block)?,
        _ => return Err(OpenError::Layout("the key block has another length")),
    };
    let (aad, ciphertext) = sealed.split_at(AAD);
    gcm_open(&aes_key, &aad[..NONCE], aad, ciphertext).ok_or(OpenError::Tag)
}

fn unwrap_with(key: &PrivateKey, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    match key.unwrap(wrapped) {
        Ok(aes_key) if aes_key.len() == 32 => Ok(aes_key),
        Ok(_) | Err(UnwrapError::Refused) => Err(OpenError::Key),
        Err(UnwrapError::Token(error)) => Err(OpenError::Token(error)),
    }
}

/// Whose it is has to be tried. If none fits, a token that could not be asked may still hold the one that does.
fn unwrap_with_any(keys: &KeyRing, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let mut why = OpenError::Key;
    for key in keys.all() {
        match unwrap_with(key, wrapped) {
            Err(OpenError::Key) => {}
            Err(away) => why = away,
            opened => return opened,
        }
    }
    Err(why)
}

/// A certificate to encrypt to.
#[derive(Clone)]
pub struct Recipient {
    key: PKey<Public>,
    thumbprint: [u8; 32],
}

/// Why nothing can be encrypted to a certificate.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Not a certificate in PEM of an RSA-2048 key.
    #[error("the certificate is not a PEM certificate of an RSA-2048 key")]
    Certificate,
    /// The crypto library failed.
    #[error("the credential could not be encrypted")]
    Crypto(#[from] ErrorStack),
}

impl Recipient {
    /// Reads a certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SealError> {
        let certificate = X509::from_pem(pem).map_err(|_| SealError::Certificate)?;
        let key = certificate.public_key().map_err(|_| SealError::Certificate)?;
        if key.id() != Id::RSA || key.size() != WRAPPED_KEY {
            return Err(SealError::Certificate);
        }
        Ok(Recipient { key, thumbprint: thumbprint(&certificate)? })
    }
}

/// The randomness of one encryption. Never used twice.
pub struct SealEntropy {
    /// AES key.
    pub key: Zeroizing<[u8; 32]>,
    /// Additional data; its first twelve bytes are the nonce.
    pub aad: [u8; 32],
}

impl SealEntropy {
    /// Drawn from a source.
    pub fn draw(fill: impl Fn(&mut [u8])) -> Self {
        let mut entropy = SealEntropy { key: Zeroizing::new([0; 32]), aad: [0; 32] };
        fill(entropy.key.as_mut_slice());
        fill(&mut entropy.aad);
        entropy
    }
}

/// Encrypts a credential as MOSIP does, to base64url.
pub fn seal(to: &Recipient, plaintext: &[u8], entropy: &SealEntropy) -> Result<String, SealError> {
    let wrapped = wrap_key(&to.key, entropy.key.as_slice())?;
    let sealed = gcm_seal(&entropy.key, &entropy.aad[..NONCE], &entropy.aad, plaintext)?;
    Ok(to_base64url(&[HEADER, &to.thumbprint, &wrapped, SPLITTER, &entropy.aad, &sealed].concat()))
}

#[cfg(test)]
pub(super) mod tests {
    use base64::{Engine, engine::general_purpose};
    use openssl::{bn::BigNum, rsa::Rsa};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const PLAIN: &[u8] = b"PK-inner-zip-bytes";

    /// The published test key, given by its two primes.
    pub(in crate::credential) fn test_key_pem() -> Vec<u8> {
        let p = BigNum::from_hex_str("f23fdf2801fc19ce167d1cc44c57685f5f4b0d8f0bd0cfb93da5ee235f24e00e7062c200704e759096bcd574bc63997bc4f0d04b1600c14da2be0caee20f42e7d6f49710648630fd1487edd67617b036f8207b0dd2a6d9af08022ba139985acd72a4768d96fa250156a322ed163d741559a623c14be43b8512c14ba73a6480b9").unwrap();
        let q = BigNum::from_hex_str("ebeedafa5c4808d271808547d58843095c3d82d15204338a699ecb04c0b96f137f1c528dc5b15278318a982b8ebdc431333f240abb04cc108702aa995da907f7861b6b5d0f03c1de0dd178acbb95f2a79d57c1176de1f627561162e543d40c97d7af92cb1897db71c1be6e46be35658393856251a1b0d42c6adace73dccb0823").unwrap();
        let e = BigNum::from_u32(65537).unwrap();
        let one = BigNum::from_u32(1).unwrap();
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        let (p1, q1) = (&p - &one, &q - &one);
        let inverse = |a: &BigNum, modulus: &BigNum, context: &mut openssl::bn::BigNumContext| {
            let mut result = BigNum::new().unwrap();
            result.mod_inverse(a, modulus, context).unwrap();
            result
        };
        let d = inverse(&e, &(&p1 * &q1), &mut context);
        let iqmp = inverse(&q, &p, &mut context);
        let (exponent_p, exponent_q) = (&d % &p1, &d % &q1);
        let rsa = Rsa::from_private_components(&p * &q, e, d, p, q, exponent_p, exponent_q, iqmp).unwrap();
        PKey::from_rsa(rsa).unwrap().private_key_to_pem_pkcs8().unwrap()
    }

    const PUBLISHED: &str = "VkVSX1IyYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn-JUC-a5kGjkEOyMi7YAdjfcLTfmuB-YtpcQwDP1JWpwCYgimIvTPqJpPV4jGl6KDXO9-YBpt6yoNzvLzSYVnhqKfYRfyd3x__Bbe9AARkrKeejnZ31PbFNcio-72l7EVS1dZO-2A3m5ZvZ67R0K5Tw3CnfrZgn4ApEEg48L5i_hB4buEZTuy0rS6gz1qBZ3ENHM7Smaa5ZPIGcF2Bb0DUkwE84pomEbP3Se0Dw4LTVjoqqKDRk2VD72xd_pAtxOVXxou0TWLeTMMDoBKR3BwzzzSvcALReEqg4aBydlV54rz_3OYvDX34gnMHIJtYmsz9j04SHk0baLhBIEO3CYLwVI0tFWV9TUExJVFRFUiNAQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX7Lyg0pIUuJx4L5-RrYGai8ctasLJFz2aVjOfLjl0TwxBzQ";

    fn published_ring() -> KeyRing {
        let thumbprint: Vec<u8> = (0x60..0x80).collect();
        let mut ring = KeyRing::new();
        ring.add_by_thumbprint(thumbprint.try_into().unwrap(), &test_key_pem()).unwrap();
        ring
    }

    fn pair_ring() -> KeyRing {
        let (key, certificate) = pair();
        KeyRing::from_pem([(key, certificate)]).unwrap()
    }

    fn pair() -> (&'static [u8], &'static [u8]) {
        (include_bytes!("../../tests/vectors/key.pem"), include_bytes!("../../tests/vectors/cert.pem"))
    }

    fn recorded() -> String {
        let vector: Value = serde_json::from_str(include_str!("../../tests/vectors/aes-gcm.json")).unwrap();
        vector["ver_r2"]["blob_b64"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_published_vector_is_opened() {
        assert_eq!(open(&published_ring(), PUBLISHED).unwrap().as_slice(), PLAIN);
    }

    #[test]
    fn the_recorded_vector_is_opened_in_every_spelling_of_base64() {
        let blob = from_base64(&recorded()).unwrap();
        let spellings = [
            general_purpose::STANDARD.encode(&blob),
            general_purpose::STANDARD_NO_PAD.encode(&blob),
            general_purpose::URL_SAFE.encode(&blob),
            general_purpose::URL_SAFE_NO_PAD.encode(&blob),
        ];
        for spelling in spellings {
            assert_eq!(open(&pair_ring(), &spelling).unwrap().as_slice(), PLAIN);
        }
    }

    #[test]
    fn of_several_generations_the_thumbprint_names_the_key() {
        let mut ring = published_ring();
        let (key, certificate) = pair();
        ring.add(key, certificate).unwrap();
        assert_eq!(open(&ring, PUBLISHED).unwrap().as_slice(), PLAIN);
        assert_eq!(open(&ring, &recorded()).unwrap().as_slice(), PLAIN);
    }

    #[test]
    fn without_a_thumbprint_each_key_is_tried() {
        let mut blob = from_base64(&recorded()).unwrap();
        blob.drain(6..38);
        let mut ring = published_ring();
        assert_eq!(open(&ring, &to_base64url(&blob)), Err(OpenError::Key));
        let (key, certificate) = pair();
        ring.add(key, certificate).unwrap();
        assert_eq!(open(&ring, &to_base64url(&blob)).unwrap().as_slice(), PLAIN);
    }

    #[test]
    fn a_share_is_opened_in_base64_and_bare_and_in_clear_only_if_that_is_allowed() {
        let (ring, blob) = (pair_ring(), from_base64(&recorded()).unwrap());
        let spelled = format!("{}\n", general_purpose::STANDARD.encode(&blob));
        for plain in [false, true] {
            assert_eq!(open_share(&ring, recorded().as_bytes(), plain).unwrap().as_slice(), PLAIN);
            assert_eq!(open_share(&ring, spelled.as_bytes(), plain).unwrap().as_slice(), PLAIN);
            assert_eq!(open_share(&ring, &blob, plain).unwrap().as_slice(), PLAIN);
        }
        let document = br#"{"id":1}"#;
        for shared in [document.to_vec(), to_base64url(document).into_bytes()] {
            assert_eq!(open_share(&ring, &shared, false), Err(OpenError::NotEncrypted));
            assert_eq!(open_share(&ring, &shared, true).unwrap().as_slice(), document);
        }
        for wrong in [&b"~~~"[..], b"", b"[]", &[0xff; 40]] {
            assert!(open_share(&ring, wrong, true).is_err());
        }
    }

    #[test]
    fn an_unknown_certificate_is_named() {
        let thumbprint = "94ebd921a9ee41b9cdb84afdab4564de8e79aa7b44870f9ad1e9e2af0bd8b9dd".to_owned();
        assert_eq!(
            open(&published_ring(), &recorded()),
            Err(OpenError::UnknownKey { thumbprint: thumbprint.clone() })
        );
        assert_eq!(open(&KeyRing::new(), &recorded()), Err(OpenError::UnknownKey { thumbprint }));
        let mut blob = from_base64(&recorded()).unwrap();
        blob.drain(6..38);
        assert_eq!(open(&KeyRing::new(), &to_base64url(&blob)), Err(OpenError::NoKeys));
    }

    #[test]
    fn a_byte_changed_anywhere_does_not_open() {
        let (ring, blob) = (pair_ring(), from_base64(&recorded()).unwrap());
        for at in (0..blob.len()).step_by(7).chain(340..blob.len()) {
            let mut altered = blob.clone();
            altered[at] ^= 1;
            assert!(open(&ring, &to_base64url(&altered)).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_cut_short_or_plain_says_so() {
        let (ring, blob) = (pair_ring(), from_base64(&recorded()).unwrap());
        let cut = |length: usize| open(&ring, &to_base64url(&blob[..length]));
        assert_eq!(cut(3), Err(OpenError::NotEncrypted));
        assert_eq!(cut(200), Err(OpenError::Layout("there is no key splitter")));
        assert_eq!(cut(330), Err(OpenError::Layout("nothing is encrypted")));
        assert_eq!(cut(370), Err(OpenError::Tag));
        let mut odd = blob.clone();
        odd.remove(100);
        assert_eq!(
            open(&ring, &to_base64url(&odd)),
            Err(OpenError::Layout("the key block has another length"))
        );
        assert_eq!(open(&ring, "{\"id\":1}"), Err(OpenError::NotEncrypted));
        assert_eq!(open(&ring, "~~~"), Err(OpenError::NotBase64));
    }

    #[test]
    fn what_is_sealed_has_the_recorded_layout() {
        let (_, certificate) = pair();
        let recipient = Recipient::from_pem(certificate).unwrap();
        let entropy = SealEntropy {
            key: Zeroizing::new(std::array::from_fn(|i| u8::try_from(i).unwrap())),
            aad: std::array::from_fn(|i| u8::try_from(0x40 + i).unwrap()),
        };
        let ours = from_base64(&seal(&recipient, PLAIN, &entropy).unwrap()).unwrap();
        let theirs = from_base64(&recorded()).unwrap();
        assert_eq!(ours[..38], theirs[..38], "header and thumbprint");
        assert_eq!(ours[294..], theirs[294..], "all but the wrapped key, whose padding is random");
        assert!(matches!(Recipient::from_pem(b"x"), Err(SealError::Certificate)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn what_is_sealed_opens(plain in proptest::collection::vec(any::<u8>(), 0..300), key: [u8; 32], aad: [u8; 32]) {
            let (_, certificate) = pair();
            let recipient = Recipient::from_pem(certificate).unwrap();
            let sealed = seal(&recipient, &plain, &SealEntropy { key: Zeroizing::new(key), aad }).unwrap();
            let opened = open(&pair_ring(), &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
        }

        #[test]
        fn nothing_that_is_sent_makes_it_fall_over(text in ".{0,400}", bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let ring = pair_ring();
            prop_assert!(open(&ring, &text).is_err());
            let blob = [HEADER, &bytes, SPLITTER, &bytes].concat();
            prop_assert!(open(&ring, &to_base64url(&blob)).is_err());
        }
    }
}
