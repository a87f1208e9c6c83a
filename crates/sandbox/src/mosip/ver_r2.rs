//! Sealing to a partner certificate: MOSIP's `VER_R2` layout.
//!
//! Written from the reference and not shared with the code that opens it, so
//! that the two check each other.

use crate::jwt::b64;
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt_aead};
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
