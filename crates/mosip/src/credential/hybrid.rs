//! The two primitives of MOSIP's hybrid encryption: an AES key wrapped by RSA, and AES-256-GCM with 32 bytes of
//! additional data.
//!
//! RSA is OAEP with SHA-256 for both hash and mask; the JDK's own default (SHA-1 for the mask) fails here, as it must.

use openssl::{
    encrypt::Encrypter,
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{HasPublic, PKeyRef},
    rsa::Padding,
    symm::{Cipher, Crypter, Mode, encrypt_aead},
};
use zeroize::Zeroizing;

/// Stands between the key block and the rest.
pub(crate) const SPLITTER: &[u8] = b"#KEY_SPLITTER#";
/// SHA-256 of a certificate, before the wrapped key.
pub(crate) const THUMBPRINT: usize = 32;
/// A key wrapped by RSA-2048.
pub(crate) const WRAPPED_KEY: usize = 256;
/// Additional data.
pub(crate) const AAD: usize = 32;
/// Nonce of AES-GCM.
pub(crate) const NONCE: usize = 12;
/// Tag of AES-GCM.
pub(crate) const TAG: usize = 16;

/// Wraps an AES key. OpenSSL draws the padding's own randomness.
pub(crate) fn wrap_key<T: HasPublic>(key: &PKeyRef<T>, aes_key: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut encrypter = Encrypter::new(key)?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut wrapped = vec![0; encrypter.encrypt_len(aes_key)?];
    let length = encrypter.encrypt(aes_key, &mut wrapped)?;
    wrapped.truncate(length);
    Ok(wrapped)
}

/// Decrypts ciphertext ‖ tag. `None` if the tag does not fit: altered, or another key. What was decrypted is wiped
/// then too.
pub(crate) fn gcm_open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (ciphertext, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
    let cipher = Cipher::aes_256_gcm();
    if key.len() != 32 || nonce.len() != NONCE {
        return None;
    }
    let mut plain = Zeroizing::new(vec![0; ciphertext.len() + cipher.block_size()]);
    let mut crypter = Crypter::new(cipher, Mode::Decrypt, key, Some(nonce)).ok()?;
    crypter.aad_update(aad).ok()?;
    let mut length = crypter.update(ciphertext, &mut plain).ok()?;
    crypter.set_tag(tag).ok()?;
    length += crypter.finalize(&mut plain[length..]).ok()?;
    plain.truncate(length);
    Some(plain)
}

/// Encrypts to ciphertext ‖ tag.
pub(crate) fn gcm_seal(
    key: &[u8; 32],
    nonce: &[u8],
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, ErrorStack> {
    let mut tag = [0; TAG];
    let mut sealed = encrypt_aead(Cipher::aes_256_gcm(), key, Some(nonce), aad, plain, &mut tag)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use openssl::{
        encrypt::Decrypter,
        pkey::{PKey, Private},
    };
    use serde_json::Value;

    use super::*;
    use crate::{encoding::from_base64, keys::PrivateKey};

    fn unwrap_key(key: &PKey<Private>, wrapped: &[u8]) -> Zeroizing<Vec<u8>> {
        PrivateKey::Memory(key.clone()).unwrap(wrapped).unwrap()
    }

    /// The layout of packets at rest, nonce ‖ aad ‖ thumbprint ‖ key ‖ splitter ‖ ciphertext ‖ tag, recorded with the
    /// JDK: other than a credential's, but of the same primitives.
    fn recorded() -> (Vec<u8>, PKey<Private>, Value) {
        let vector: Value = serde_json::from_str(include_str!("../../tests/vectors/aes-gcm.json")).unwrap();
        let key = PKey::private_key_from_pem(include_bytes!("../../tests/vectors/key.pem")).unwrap();
        (from_base64(vector["packet"]["blob_b64"].as_str().unwrap()).unwrap(), key, vector)
    }

    #[test]
    fn the_recorded_packet_is_opened() {
        let (blob, key, vector) = recorded();
        let (nonce, aad) = (&blob[..12], &blob[12..44]);
        let aes_key = unwrap_key(&key, &blob[76..332]);
        assert_eq!(hex::encode(&*aes_key), vector["aes_key_hex"]);
        assert_eq!(&blob[332..346], SPLITTER);
        assert_eq!(gcm_open(&aes_key, nonce, aad, &blob[346..]).unwrap().as_slice(), b"PK-inner-zip-bytes");
        let sealed =
            gcm_seal(aes_key.as_slice().try_into().unwrap(), nonce, aad, b"PK-inner-zip-bytes").unwrap();
        assert_eq!(hex::encode(sealed), vector["packet"]["ciphertext_and_tag_hex"]);
    }

    #[test]
    fn any_flipped_bit_of_the_additional_data_is_noticed_and_so_is_the_nonce_of_the_other_layout() {
        let (blob, key, _) = recorded();
        let aes_key = unwrap_key(&key, &blob[76..332]);
        for bit in 0..AAD * 8 {
            let mut aad = blob[12..44].to_vec();
            aad[bit / 8] ^= 1 << (bit % 8);
            assert!(gcm_open(&aes_key, &blob[..12], &aad, &blob[346..]).is_none(), "bit {bit}");
        }
        assert!(gcm_open(&aes_key, &blob[12..24], &blob[12..44], &blob[346..]).is_none());
    }

    #[test]
    fn the_mask_of_the_jdk_default_does_not_open_our_wrapping() {
        let (_, key, _) = recorded();
        let wrapped = wrap_key(&key, &[7; 32]).unwrap();
        assert_eq!(unwrap_key(&key, &wrapped).as_slice(), [7; 32]);
        let mut decrypter = Decrypter::new(&key).unwrap();
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        decrypter.set_rsa_oaep_md(MessageDigest::sha256()).unwrap();
        decrypter.set_rsa_mgf1_md(MessageDigest::sha1()).unwrap();
        assert!(decrypter.decrypt(&wrapped, &mut [0; 256]).is_err());
    }

    #[test]
    fn what_is_too_short_to_have_a_tag_does_not_open() {
        assert!(gcm_open(&[0; 32], &[0; 12], &[], &[0; 15]).is_none());
        assert!(gcm_open(&[0; 31], &[0; 12], &[], &[0; 20]).is_none());
    }
}
