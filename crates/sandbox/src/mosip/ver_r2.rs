//! Sealing to a partner certificate: MOSIP's `VER_R2` layout.
//!
//! Written from the reference and not shared with the code that opens it, so
//! that the two check each other.

use crate::jwt::b64;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::encrypt::{Decrypter, Encrypter};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use openssl::x509::X509;

/// What a seal needs of chance: an AES key and the 32 bytes of associated data.
pub(crate) struct SealEntropy {
    pub(crate) key: [u8; 32],
    pub(crate) aad: [u8; 32],
}

/// `VER_R2` ‖ certificate digest ‖ OAEP(key) ‖ `#KEY_SPLITTER#` ‖ aad ‖ ciphertext ‖ tag,
/// base64url. The nonce is the first 12 bytes of the aad.
pub(crate) fn seal(
    certificate: &X509,
    plaintext: &[u8],
    entropy: &SealEntropy,
) -> Result<String, ErrorStack> {
    let public = certificate.public_key()?;
    let mut wrap = Encrypter::new(&public)?;
    wrap.set_rsa_padding(Padding::PKCS1_OAEP)?;
    wrap.set_rsa_oaep_md(MessageDigest::sha256())?;
    wrap.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut block = vec![0; wrap.encrypt_len(&entropy.key)?];
    let length = wrap.encrypt(&entropy.key, &mut block)?;
    block.truncate(length);
    let mut tag = [0; 16];
    let nonce = &entropy.aad[..12];
    let sealed =
        encrypt_aead(Cipher::aes_256_gcm(), &entropy.key, Some(nonce), &entropy.aad, plaintext, &mut tag)?;
    let digest = certificate.digest(MessageDigest::sha256())?;
    let mut out = Vec::with_capacity(plaintext.len() + 400);
    out.extend_from_slice(b"VER_R2");
    out.extend_from_slice(&digest);
    out.extend_from_slice(&block);
    out.extend_from_slice(b"#KEY_SPLITTER#");
    out.extend_from_slice(&entropy.aad);
    out.extend_from_slice(&sealed);
    out.extend_from_slice(&tag);
    Ok(b64(out))
}

/// Opens it again, in standard base64, whatever certificate it names: what the mock of opencrvs/mosip seals names none.
pub(crate) fn open(key: &PKey<Private>, sealed: &str) -> Option<Vec<u8>> {
    let blob = STANDARD.decode(sealed).ok()?;
    let (wrapped, rest) = blob.strip_prefix(b"VER_R2")?.get(32..)?.split_at_checked(256)?;
    let (aad, rest) = rest.strip_prefix(b"#KEY_SPLITTER#")?.split_at_checked(32)?;
    let (text, tag) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
    let mut unwrap = Decrypter::new(key).ok()?;
    unwrap.set_rsa_padding(Padding::PKCS1_OAEP).ok()?;
    unwrap.set_rsa_oaep_md(MessageDigest::sha256()).ok()?;
    unwrap.set_rsa_mgf1_md(MessageDigest::sha256()).ok()?;
    let mut aes = vec![0; unwrap.decrypt_len(wrapped).ok()?];
    let length = unwrap.decrypt(wrapped, &mut aes).ok()?;
    decrypt_aead(Cipher::aes_256_gcm(), aes.get(..length)?, Some(&aad[..12]), aad, text, tag).ok()
}
