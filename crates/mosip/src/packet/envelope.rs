//! The form in which a packet's parts are encrypted, 362 bytes longer than what is in it:
//!
//! | offset | length | content |
//! |---|---|---|
//! | 0 | 12 | nonce |
//! | 12 | 32 | additional data |
//! | 44 | 32 | SHA-256 of the certificate `REGISTRATION/<refId>` |
//! | 76 | 256 | AES key, wrapped by RSA-OAEP |
//! | 332 | 14 | `#KEY_SPLITTER#` |
//! | 346 | n + 16 | ciphertext and tag |
//!
//! Credentials have another form (`VER_R2`), in which the nonce is a part of the additional data.

use openssl::error::ErrorStack;
use zeroize::{Zeroize, Zeroizing};

use super::{DecryptionKeys, Deviation, EncryptionCertificate};
use crate::credential::hybrid::{
    AAD, NONCE, SPLITTER, TAG, THUMBPRINT, WRAPPED_KEY, gcm_open, gcm_seal, wrap_key,
};

/// Bytes that the envelope adds.
pub const OVERHEAD: usize = NONCE + AAD + THUMBPRINT + WRAPPED_KEY + SPLITTER.len() + TAG;

/// Where the splitter stands.
const SPLITTER_AT: usize = NONCE + AAD + THUMBPRINT + WRAPPED_KEY;

/// What one envelope needs of chance: drawn anew for each, never used twice.
pub struct EnvelopeEntropy {
    /// The AES key.
    pub key: [u8; 32],
    /// The nonce.
    pub nonce: [u8; 12],
    /// The additional data.
    pub aad: [u8; 32],
}

impl EnvelopeEntropy {
    /// Draws from a generator of unpredictable bytes.
    pub fn draw(fill: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut drawn = EnvelopeEntropy { key: [0; 32], nonce: [0; 12], aad: [0; 32] };
        fill(&mut drawn.key);
        fill(&mut drawn.nonce);
        fill(&mut drawn.aad);
        drawn
    }
}

impl Drop for EnvelopeEntropy {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// Encrypts to a certificate.
pub fn seal_envelope(
    certificate: &EncryptionCertificate,
    plain: &[u8],
    entropy: &EnvelopeEntropy,
) -> Result<Vec<u8>, ErrorStack> {
    let wrapped = wrap_key(certificate.key(), &entropy.key)?;
    let sealed = gcm_seal(&entropy.key, &entropy.nonce, &entropy.aad, plain)?;
    let mut out = Vec::with_capacity(plain.len() + OVERHEAD);
    out.extend_from_slice(&entropy.nonce);
    out.extend_from_slice(&entropy.aad);
    out.extend_from_slice(certificate.thumbprint());
    out.extend_from_slice(&wrapped);
    out.extend_from_slice(SPLITTER);
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Decrypts, or says which part of the form is wrong.
pub fn open_envelope(keys: &DecryptionKeys, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Deviation> {
    let parts = Parts::of(sealed)?;
    // A block without a thumbprint is of an old server: every key is tried.
    let mut candidates = keys.of(parts.thumbprint).peekable();
    if candidates.peek().is_none() {
        let thumbprint = parts.thumbprint.map_or_else(|| "(not named)".to_owned(), hex::encode);
        return Err(Deviation::NoKey { thumbprint });
    }
    let aes_key = candidates
        .find_map(|key| key.unwrap(parts.wrapped).ok().filter(|key| key.len() == 32))
        .ok_or(Deviation::KeyWrap)?;
    gcm_open(&aes_key, parts.nonce, parts.aad, parts.sealed).ok_or(Deviation::Tag)
}

/// The parts of an envelope, not yet decrypted.
pub(super) struct Parts<'a> {
    pub(super) nonce: &'a [u8],
    pub(super) aad: &'a [u8],
    pub(super) thumbprint: Option<&'a [u8]>,
    pub(super) wrapped: &'a [u8],
    pub(super) sealed: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Deviation> {
        let head = NONCE + AAD;
        if bytes.len() < OVERHEAD - THUMBPRINT {
            return Err(Deviation::TooShort { length: bytes.len() });
        }
        let at_its_place = bytes.get(SPLITTER_AT..SPLITTER_AT + SPLITTER.len()) == Some(SPLITTER);
        let found = if at_its_place {
            Some(SPLITTER_AT)
        } else {
            bytes.windows(SPLITTER.len()).position(|window| window == SPLITTER)
        };
        let splitter = match found {
            Some(at) if at == SPLITTER_AT || at == SPLITTER_AT - THUMBPRINT => at,
            _ if bytes.starts_with(b"VER_R2") => return Err(Deviation::CredentialForm),
            found => return Err(Deviation::Splitter { found }),
        };
        let sealed = &bytes[splitter + SPLITTER.len()..];
        if sealed.len() < TAG {
            return Err(Deviation::TooShort { length: bytes.len() });
        }
        let thumbprint = (splitter == SPLITTER_AT).then(|| &bytes[head..head + THUMBPRINT]);
        Ok(Parts {
            nonce: &bytes[..NONCE],
            aad: &bytes[NONCE..head],
            thumbprint,
            wrapped: &bytes[splitter - WRAPPED_KEY..splitter],
            sealed,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::encoding::from_base64;

    const KEY: &[u8] = include_bytes!("../../tests/vectors/key.pem");
    const CERTIFICATE: &[u8] = include_bytes!("../../tests/vectors/cert.pem");

    fn keys() -> DecryptionKeys {
        DecryptionKeys::from_pem([(KEY, Some(CERTIFICATE))]).unwrap()
    }

    fn vector() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/aes-gcm.json")).unwrap()
    }

    fn recorded(form: &str) -> Vec<u8> {
        from_base64(vector()[form]["blob_b64"].as_str().unwrap()).unwrap()
    }

    fn unhex<const N: usize>(value: &Value) -> [u8; N] {
        hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
    }

    fn recorded_entropy() -> EnvelopeEntropy {
        let vector = vector();
        EnvelopeEntropy {
            key: unhex(&vector["aes_key_hex"]),
            nonce: unhex(&vector["packet"]["nonce_hex"]),
            aad: unhex(&vector["aad_hex"]),
        }
    }

    #[test]
    fn the_recorded_packet_form_is_opened_and_written() {
        let blob = recorded("packet");
        assert_eq!(open_envelope(&keys(), &blob).unwrap().as_slice(), b"PK-inner-zip-bytes");
        let certificate = EncryptionCertificate::from_pem(CERTIFICATE).unwrap();
        let ours = seal_envelope(&certificate, b"PK-inner-zip-bytes", &recorded_entropy()).unwrap();
        assert_eq!(ours.len(), 18 + OVERHEAD);
        assert_eq!(OVERHEAD, 362);
        // The wrapped key has chance of its own; every other byte is that of the recording.
        assert_eq!(ours[..76], blob[..76]);
        assert_eq!(ours[332..], blob[332..]);
        assert_eq!(open_envelope(&keys(), &ours).unwrap().as_slice(), b"PK-inner-zip-bytes");
    }

    #[test]
    fn the_other_recorded_packet_form_is_opened_and_has_its_hashes() {
        let blob = from_base64(include_str!("../../tests/vectors/packet-form.txt")).unwrap();
        let key: &[u8] = include_bytes!("../../tests/vectors/signing-key.pem");
        let keys = DecryptionKeys::from_pem([(key, None)]).unwrap();
        assert_eq!(open_envelope(&keys, &blob).unwrap().as_slice(), b"PK-inner-zip-bytes");
        let hash = openssl::sha::sha256(&blob);
        let encrypted_hash = crate::encoding::to_base64url(&hash);
        assert_eq!(encrypted_hash, "c8uFUxUb2QY2OhuffI8QgGAnfuPCmhpCHc9z2BR21BM");
        let upload_hash = hex::encode_upper(hash);
        assert_eq!(upload_hash, "73CB8553151BD906363A1B9F7C8F108060277EE3C29A1A421DCF73D81476D413");
    }

    #[test]
    fn any_flipped_bit_is_noticed_and_named() {
        let blob = recorded("packet");
        for at in 0..blob.len() {
            let mut altered = blob.clone();
            altered[at] ^= 1;
            let found = open_envelope(&keys(), &altered).unwrap_err();
            let expected = match at {
                0..44 | 346.. => matches!(found, Deviation::Tag),
                44..76 => matches!(found, Deviation::NoKey { .. }),
                76..332 => matches!(found, Deviation::KeyWrap),
                _ => matches!(found, Deviation::Splitter { found: None }),
            };
            assert!(expected, "byte {at}: {found}");
        }
    }

    #[test]
    fn the_form_of_credentials_and_stumps_are_told_apart() {
        assert_eq!(open_envelope(&keys(), &recorded("ver_r2")).unwrap_err(), Deviation::CredentialForm);
        let blob = recorded("packet");
        assert!(matches!(open_envelope(&keys(), &blob[..300]), Err(Deviation::TooShort { .. })));
        assert!(matches!(open_envelope(&keys(), &blob[..350]), Err(Deviation::TooShort { .. })));
        assert!(matches!(open_envelope(&keys(), &[0; 400]), Err(Deviation::Splitter { found: None })));
    }

    #[test]
    fn a_block_without_a_thumbprint_is_opened_as_old_servers_wrote_it() {
        let blob = recorded("packet");
        let old = [&blob[..44], &blob[76..]].concat();
        assert_eq!(open_envelope(&keys(), &old).unwrap().as_slice(), b"PK-inner-zip-bytes");
    }
}
