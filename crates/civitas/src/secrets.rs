//! Reading what the configuration names by file: secrets and keys.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::config::FilePath;

/// Why a file that a key names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("`{key}` names {}, which cannot be read: {why}", path.display())]
    Unreadable {
        /// Key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// There is nothing in it.
    #[error("`{key}` names {}, which is empty", path.display())]
    Empty {
        /// Key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Too short to be a secret.
    #[error("`{key}` names {}, which holds fewer than {least} characters: write a new one with `civitas keys new`", path.display())]
    Short {
        /// Key of the configuration.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Fewest characters.
        least: usize,
    },
}

/// The text of a file, without white space at its ends.
pub fn text(key: &'static str, file: &FilePath) -> Result<SecretString, SecretError> {
    let path = file.as_path();
    let read = Zeroizing::new(read(key, path)?);
    let trimmed = read.trim();
    if trimmed.is_empty() {
        return Err(SecretError::Empty { key, path: path.to_owned() });
    }
    Ok(SecretString::from(trimmed))
}

/// The same, for a secret that must not be guessable.
pub fn strong(key: &'static str, file: &FilePath, least: usize) -> Result<SecretString, SecretError> {
    use secrecy::ExposeSecret as _;
    let secret = text(key, file)?;
    if secret.expose_secret().chars().count() < least {
        return Err(SecretError::Short { key, path: file.as_path().to_owned(), least });
    }
    Ok(secret)
}

/// The bytes of a file, as they are.
pub fn bytes(key: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let read = std::fs::read(path).map(Zeroizing::new).map_err(|error| SecretError::Unreadable {
        key,
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    if read.is_empty() { Err(SecretError::Empty { key, path: path.to_owned() }) } else { Ok(read) }
}

fn read(key: &'static str, path: &Path) -> Result<String, SecretError> {
    std::fs::read_to_string(path).map_err(|error| SecretError::Unreadable {
        key,
        path: path.to_owned(),
        why: error.to_string(),
    })
}
