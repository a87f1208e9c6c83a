//! Opening what is encrypted to `REGISTRATION/<refId>`: nonce ‖ aad ‖ certificate digest ‖
//! OAEP(key) ‖ `#KEY_SPLITTER#` ‖ ciphertext ‖ tag.
//!
//! Written from the reference and not shared with the code that seals it, so
//! that the two check each other.

use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::symm::{Cipher, decrypt_aead};
use openssl::x509::X509;

const SPLITTER: &[u8] = b"#KEY_SPLITTER#";

/// The plaintext, or what keymanager would log.
pub(super) fn open(key: &PKey<Private>, certificate: &X509, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let (nonce, rest) = bytes.split_at_checked(12).ok_or("shorter than a nonce")?;
    let (aad, rest) = rest.split_at_checked(32).ok_or("shorter than the additional data")?;
    let splitter = rest.windows(SPLITTER.len()).position(|window| window == SPLITTER);
    let (block, rest) = rest.split_at(splitter.ok_or("no key splitter")?);
    let sealed = &rest[SPLITTER.len()..];
    // 288 bytes with the thumbprint; any other length is the form of before.
    let wrapped = if block.len() == 288 {
        let digest = certificate.digest(MessageDigest::sha256()).map_err(|error| error.to_string())?;
        if block[..32] != *digest {
            return Err("KER-KMS-012: no key of this thumbprint".to_owned());
        }
        &block[32..]
    } else {
        block
    };
    let aes = unwrap(key, wrapped).map_err(|_| "KER-CRY-001: the session key does not unwrap".to_owned())?;
    let (text, tag) = sealed.split_at_checked(sealed.len().wrapping_sub(16)).ok_or("no tag")?;
    decrypt_aead(Cipher::aes_256_gcm(), &aes, Some(nonce), aad, text, tag)
        .map_err(|_| "KER-CRY-003: the tag does not fit".to_owned())
}

fn unwrap(key: &PKey<Private>, wrapped: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut decrypter = Decrypter::new(key)?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    decrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    decrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut plain = vec![0; decrypter.decrypt_len(wrapped)?];
    let length = decrypter.decrypt(wrapped, &mut plain)?;
    plain.truncate(length);
    Ok(plain)
}
