//! Encryption at rest: AES-256-GCM, bound to table, column and row.
//!
//! Blob: version (1 byte, value 1) ‖ key id (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16). The associated data is
//! `table|column|row`, so that a blob moved to another row or column does not open.

use std::fmt;
use std::sync::Arc;

use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{Entropy, Private};

const VERSION: u8 = 1;
const KEY_ID: std::ops::Range<usize> = 1..5;
const NONCE: std::ops::Range<usize> = 5..17;
const TAG: usize = 16;

/// The keys of the journal: the first seals, any opens. To rotate, put the new key first and keep the old.
#[derive(Clone)]
pub struct SealingKeys(Arc<Vec<Key>>);

struct Key {
    id: [u8; 4],
    bytes: Zeroizing<[u8; 32]>,
}

/// The text does not give usable keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No key at all.
    #[error("no sealing key given; write one as 64 hexadecimal digits (openssl rand -hex 32)")]
    None,
    /// A line is not a key.
    #[error("line {line} of the sealing keys is not 64 hexadecimal digits")]
    NotAKey {
        /// Line number, from 1.
        line: usize,
    },
}

/// A blob cannot be sealed or opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SealError {
    /// Sealed with a key that is not configured.
    #[error("{place} was sealed with key {key_id}, which is not configured; add it after the current key")]
    UnknownKey {
        /// `table.column`
        place: String,
        /// Key id, hexadecimal.
        key_id: String,
    },
    /// Too short, or of another version.
    #[error("{place} does not hold a sealed value of a known version")]
    Malformed {
        /// `table.column`
        place: String,
    },
    /// The bytes or the row they stand in are not those that were sealed.
    #[error("{place} does not open: its bytes were altered or moved from another row")]
    Forged {
        /// `table.column`
        place: String,
    },
    /// The cipher itself failed.
    #[error("{place} cannot be sealed: the cipher failed")]
    Cipher {
        /// `table.column`
        place: String,
    },
}

impl SealingKeys {
    /// Keys by their bytes, newest first; at least one.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Result<Self, KeyError> {
        let keys: Vec<Key> = keys
            .into_iter()
            .map(|bytes| {
                let bytes = Zeroizing::new(bytes);
                Key { id: key_id(&bytes), bytes }
            })
            .collect();
        if keys.is_empty() { Err(KeyError::None) } else { Ok(Self(Arc::new(keys))) }
    }

    /// Keys from text: one per line as 64 hexadecimal digits, newest first; empty lines and lines that
    /// begin with `#` are skipped.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.expose_secret().lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let mut bytes = [0; 32];
            hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyError::NotAKey { line })?;
            keys.push(bytes);
        }
        Self::new(keys)
    }

    /// Ids of the keys, newest first, hexadecimal.
    pub fn ids(&self) -> Vec<String> {
        self.0.iter().map(|key| hex::encode(key.id)).collect()
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingKeys").field(&self.ids()).finish()
    }
}

/// The id is derived from the key, so that nobody has to number keys.
fn key_id(bytes: &[u8; 32]) -> [u8; 4] {
    let mut sha = openssl::sha::Sha256::new();
    sha.update(b"civitas sealing key id");
    sha.update(bytes);
    let digest = sha.finish();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Seals and opens the values of sealed columns.
#[derive(Clone)]
pub struct Sealer {
    keys: SealingKeys,
    entropy: Entropy,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Sealer {
    /// A sealer with these keys; nonces come from `entropy`.
    pub fn new(keys: SealingKeys, entropy: Entropy) -> Self {
        Self { keys, entropy }
    }

    /// Seals a value for this table, column and row.
    pub fn seal(&self, table: &str, column: &str, row: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = &self.keys.0[0];
        let mut nonce = [0; 12];
        (self.entropy)(&mut nonce);
        let mut tag = [0; TAG];
        let aad = format!("{table}|{column}|{row}");
        let text =
            encrypt_aead(Cipher::aes_256_gcm(), &*key.bytes, Some(&nonce), aad.as_bytes(), plain, &mut tag)
                .map_err(|_| SealError::Cipher { place: place(table, column) })?;
        let mut blob = Vec::with_capacity(NONCE.end + text.len() + TAG);
        blob.push(VERSION);
        blob.extend_from_slice(&key.id);
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&text);
        blob.extend_from_slice(&tag);
        Ok(blob)
    }

    /// Opens a value that was sealed for this table, column and row.
    pub fn open(&self, table: &str, column: &str, row: &str, blob: &[u8]) -> Result<Private, SealError> {
        if blob.len() < NONCE.end + TAG || blob[0] != VERSION {
            return Err(SealError::Malformed { place: place(table, column) });
        }
        let id = &blob[KEY_ID];
        let key =
            self.keys.0.iter().find(|key| key.id == id).ok_or_else(|| SealError::UnknownKey {
                place: place(table, column),
                key_id: hex::encode(id),
            })?;
        let (text, tag) = blob[NONCE.end..].split_at(blob.len() - NONCE.end - TAG);
        let aad = format!("{table}|{column}|{row}");
        decrypt_aead(Cipher::aes_256_gcm(), &*key.bytes, Some(&blob[NONCE]), aad.as_bytes(), text, tag)
            .map(Private::from)
            .map_err(|_| SealError::Forged { place: place(table, column) })
    }
}

fn place(table: &str, column: &str) -> String {
    format!("{table}.{column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy() -> Entropy {
        Arc::new(|bytes: &mut [u8]| bytes.fill(7))
    }

    fn sealer(keys: &[[u8; 32]]) -> Sealer {
        Sealer::new(SealingKeys::new(keys.iter().copied()).unwrap(), entropy())
    }

    #[test]
    fn opens_only_in_its_own_place() {
        let sealer = sealer(&[[1; 32]]);
        let blob = sealer.seal("operations", "packet", "e|a", b"Amina").unwrap();
        assert_eq!(sealer.open("operations", "packet", "e|a", &blob).unwrap().as_bytes(), b"Amina");
        for (table, column, row) in [
            ("confirmations", "packet", "e|a"),
            ("operations", "issued", "e|a"),
            ("operations", "packet", "e|b"),
        ] {
            let error = sealer.open(table, column, row, &blob).unwrap_err();
            assert!(matches!(error, SealError::Forged { .. }), "{error}");
        }
    }

    #[test]
    fn the_layout_is_version_key_nonce_text_tag() {
        let sealer = sealer(&[[1; 32]]);
        let blob = sealer.seal("t", "c", "r", b"Amina").unwrap();
        assert_eq!(blob.len(), 1 + 4 + 12 + 5 + 16);
        assert_eq!(blob[0], 1);
        assert_eq!(hex::encode(&blob[1..5]), sealer.keys.ids()[0]);
        assert_eq!(blob[5..17], [7; 12]);
    }

    #[test]
    fn a_rotated_key_still_opens_and_no_longer_seals() {
        let old = sealer(&[[1; 32]]);
        let blob = old.seal("t", "c", "r", b"x").unwrap();
        let rotated = sealer(&[[2; 32], [1; 32]]);
        assert_eq!(rotated.open("t", "c", "r", &blob).unwrap().as_bytes(), b"x");
        let newer = rotated.seal("t", "c", "r", b"x").unwrap();
        let error = old.open("t", "c", "r", &newer).unwrap_err();
        assert!(matches!(error, SealError::UnknownKey { .. }));
        assert!(error.to_string().contains(&rotated.keys.ids()[0]), "{error}");
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_refused() {
        let sealer = sealer(&[[1; 32]]);
        let blob = sealer.seal("t", "c", "r", b"Amina").unwrap();
        for at in 0..blob.len() {
            let mut altered = blob.clone();
            altered[at] ^= 1;
            assert!(sealer.open("t", "c", "r", &altered).is_err(), "byte {at}");
            assert!(sealer.open("t", "c", "r", &blob[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn keys_are_read_line_by_line_and_never_shown() {
        let text = format!("# newest\n{}\n\n{}\n", "ab".repeat(32), "cd".repeat(32));
        let keys = SealingKeys::parse(&text.into()).unwrap();
        assert_eq!(keys.ids().len(), 2);
        assert!(!format!("{keys:?}").contains("abab"));
        assert!(matches!(SealingKeys::parse(&"# none".to_owned().into()), Err(KeyError::None)));
        assert!(matches!(
            SealingKeys::parse(&"\nshort".to_owned().into()),
            Err(KeyError::NotAKey { line: 2 })
        ));
    }
}
