//! PKCS#11 modules and the tokens behind them.
//!
//! A module is initialised once per process, by the standard; so the loaded ones are kept here, for every key that
//! names the same file, and are never finalised while keys may use them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    slot::Slot,
};

use super::{TokenError, TokenName, error::words};

static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// The module of this file, loaded and initialised.
pub(super) fn load(path: &Path) -> Result<Pkcs11, TokenError> {
    let failed = |why: String| TokenError::Module { module: path.display().to_string(), why };
    let file = path.canonicalize().map_err(|error| failed(error.to_string()))?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = loaded.get(&file) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(&file).map_err(|error| failed(words(&error)))?;
    initialise(&module).map_err(|error| failed(words(&error)))?;
    loaded.insert(file, module.clone());
    Ok(module)
}

/// Initialises it, unless it is already.
pub(super) fn initialise(module: &Pkcs11) -> Result<(), Error> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        other => other,
    }
}

/// The slot in which a token is at present: it may change when tokens come and go.
pub(super) fn find(module: &Pkcs11, token: &TokenName) -> Result<Slot, TokenError> {
    let slots = match module.get_slots_with_token() {
        Err(Error::Pkcs11(RvError::CryptokiNotInitialized, _)) => {
            initialise(module).and_then(|()| module.get_slots_with_token())
        }
        other => other,
    };
    let mut present = Vec::new();
    let mut found = Vec::new();
    for slot in slots.map_err(|error| TokenError::away(&error))? {
        // One that vanishes meanwhile is none.
        let Ok(info) = module.get_token_info(slot) else { continue };
        let is_it = match token {
            TokenName::Label(label) => info.label() == label,
            TokenName::Serial(serial) => info.serial_number() == serial,
            TokenName::Slot(number) => slot.id() == *number,
        };
        if is_it {
            found.push(slot);
        }
        if info.token_initialized() {
            present.push(format!("`{}`", info.label()));
        }
    }
    match found[..] {
        [slot] => Ok(slot),
        [] => {
            let present = if present.is_empty() { "none".to_owned() } else { present.join(", ") };
            Err(TokenError::Missing { token: token.to_string(), present })
        }
        _ => Err(TokenError::Ambiguous { token: token.to_string() }),
    }
}
