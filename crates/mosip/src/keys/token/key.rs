//! One private key in a token, and the sessions by which it is used.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cryptoki::{
    context::Pkcs11,
    error::{Error, RvError},
    mechanism::{
        Mechanism, MechanismType,
        rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
};
use openssl::{
    bn::BigNum,
    pkey::{PKey, Public},
    sha::sha256,
};
use zeroize::Zeroizing;

use super::{
    TokenAddress, TokenError,
    error::{is_about_data, is_about_pin, is_lost, is_vague, words},
    module, oaep,
};
use crate::{credential::wrap_key, keys::UnwrapError};

/// Longest wait for a session to come free.
const PATIENCE: Duration = Duration::from_secs(20);

/// A private key in a token. Sessions are opened as they are needed, kept, and opened anew after the token was away.
pub(crate) struct TokenKey {
    address: TokenAddress,
    public: PKey<Public>,
    state: Mutex<State>,
    free: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Open>,
    in_use: usize,
    /// Counts losses: a session of before one is not put back.
    generation: u64,
    padding: Option<OaepBy>,
    /// Why the PIN is not tried again.
    refused: Option<TokenError>,
}

/// A session that is logged in, and the key's handle in it.
struct Open {
    session: Session,
    key: ObjectHandle,
    generation: u64,
}

/// Who takes the padding off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OaepBy {
    Token,
    Us,
}

impl TokenKey {
    /// A key that was not asked for yet.
    pub(crate) fn new(address: TokenAddress, public: PKey<Public>) -> Self {
        TokenKey { address, public, state: Mutex::default(), free: Condvar::new() }
    }

    /// Finds the key and has it decrypt something.
    pub(crate) fn connect(&self) -> Result<(), TokenError> {
        let open = self.take()?;
        self.give_back(open);
        Ok(())
    }

    /// Unwraps an AES key; once more on new sessions if those at hand turn out to be dead.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        if !self.is_below_modulus(wrapped) {
            return Err(UnwrapError::Refused);
        }
        let mut first = true;
        loop {
            let (open, padding) = self.take()?;
            match decrypt(&open, padding, wrapped) {
                Ok(plain) => {
                    self.give_back((open, padding));
                    return plain.ok_or(UnwrapError::Refused);
                }
                // Some modules say no more than "general error" of what does not decrypt. The second session has just
                // decrypted a sample, so that then it is the data's fault.
                Err(error) if is_about_data(&error) || (!first && is_vague(&error)) => {
                    self.give_back((open, padding));
                    return Err(UnwrapError::Refused);
                }
                Err(error) if is_lost(&error) && first => {
                    first = false;
                    self.forget(open.generation);
                }
                Err(error) => {
                    self.forget(open.generation);
                    return Err(TokenError::away(&error).into());
                }
            }
        }
    }

    /// Who takes the padding off, once that was tried.
    #[cfg(test)]
    pub(super) fn padding_by(&self) -> Option<OaepBy> {
        self.state().padding
    }

    /// Whether RSA can be applied to it at all.
    fn is_below_modulus(&self, wrapped: &[u8]) -> bool {
        let number = BigNum::from_slice(wrapped);
        wrapped.len() == self.public.size()
            && number.is_ok_and(|number| self.public.rsa().is_ok_and(|public| number < *public.n()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session at hand, a new one, or the next that comes free.
    fn take(&self) -> Result<(Open, OaepBy), TokenError> {
        let most = self.address.sessions.max(1);
        let mut state = self.state();
        let generation = loop {
            if let Some(refused) = &state.refused {
                return Err(refused.clone());
            }
            if let (Some(padding), false) = (state.padding, state.idle.is_empty())
                && let Some(open) = state.idle.pop()
            {
                state.in_use += 1;
                return Ok((open, padding));
            }
            if state.in_use < most {
                state.in_use += 1;
                break state.generation;
            }
            let (again, waited) =
                self.free.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            state = again;
            if waited.timed_out() && state.in_use >= most {
                return Err(TokenError::Busy { sessions: most });
            }
        };
        let known = state.padding;
        drop(state);
        let opened = self.open(generation, known);
        if let Err(error) = &opened {
            let mut state = self.state();
            state.in_use -= 1;
            if matches!(error, TokenError::Pin { .. }) {
                state.refused = Some(error.clone());
            }
            self.free.notify_one();
        }
        opened
    }

    fn give_back(&self, (open, padding): (Open, OaepBy)) {
        let mut state = self.state();
        state.in_use -= 1;
        if open.generation == state.generation {
            state.padding = Some(padding);
            state.idle.push(open);
        }
        self.free.notify_one();
    }

    /// All sessions of before are dead. They are not closed: their numbers may by now be those of new ones.
    fn forget(&self, generation: u64) {
        let mut state = self.state();
        state.in_use -= 1;
        if state.generation == generation {
            state.generation += 1;
            state.padding = None;
            state.idle.clear();
        }
        self.free.notify_one();
    }

    fn open(&self, generation: u64, known: Option<OaepBy>) -> Result<(Open, OaepBy), TokenError> {
        let module = module::load(&self.address.module)?;
        let slot = module::find(&module, &self.address.token)?;
        // Sessions are never closed behind our back when dropped, see `forget`.
        let session = module.open_ro_session_no_drop(slot).map_err(|error| TokenError::away(&error))?;
        let ready = self.log_in(&session).and_then(|()| self.find(&session)).and_then(|key| {
            let padding = match known {
                Some(padding) => padding,
                None => self.choose(&module, slot, &session, key)?,
            };
            Ok((key, padding))
        });
        match ready {
            Ok((key, padding)) => Ok((Open { session, key, generation }, padding)),
            Err(error) => {
                // It is alive, and ours.
                let _ = session.close();
                Err(error)
            }
        }
    }

    fn log_in(&self, session: &Session) -> Result<(), TokenError> {
        match session.login(UserType::User, Some(&self.address.pin)) {
            // One login holds for all sessions of this process.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) if is_about_pin(&error) => Err(TokenError::Pin { why: words(&error) }),
            Err(error) => Err(TokenError::away(&error)),
        }
    }

    fn find(&self, session: &Session) -> Result<ObjectHandle, TokenError> {
        let name = &self.address.key;
        let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(KeyType::RSA)];
        let any = template.clone();
        template.extend(name.label.as_ref().map(|label| Attribute::Label(label.clone().into_bytes())));
        template.extend(name.id.clone().map(Attribute::Id));
        let found = session.find_objects(&template).map_err(|error| TokenError::away(&error))?;
        match found[..] {
            [key] => self.fits(session, key).map(|()| key),
            [] => {
                let present = session.find_objects(&any).map_err(|error| TokenError::away(&error))?;
                let present: Vec<String> = present.into_iter().map(|key| label(session, key)).collect();
                let present = if present.is_empty() { "none".to_owned() } else { present.join(", ") };
                Err(TokenError::Key { key: name.to_string(), present })
            }
            _ => Err(TokenError::AmbiguousKey { key: name.to_string() }),
        }
    }

    /// The modulus is public, and most tokens tell it of a private key.
    fn fits(&self, session: &Session, key: ObjectHandle) -> Result<(), TokenError> {
        let attributes = session.get_attributes(key, &[AttributeType::Modulus]).unwrap_or_default();
        let Some(Attribute::Modulus(modulus)) = attributes.first() else { return Ok(()) };
        let same = BigNum::from_slice(modulus)
            .is_ok_and(|modulus| self.public.rsa().is_ok_and(|public| *public.n() == modulus));
        if same { Ok(()) } else { Err(TokenError::Pair) }
    }

    /// Who takes the padding off: tried, since tokens list OAEP that know it with SHA-1 only.
    fn choose(
        &self,
        module: &Pkcs11,
        slot: Slot,
        session: &Session,
        key: ObjectHandle,
    ) -> Result<OaepBy, TokenError> {
        let sample = sha256(self.address.key.to_string().as_bytes());
        let wrapped = wrap_key(&self.public, &sample).map_err(|_| TokenError::Pair)?;
        let mut why = Vec::new();
        let mut decrypted = false;
        let ways = [(OaepBy::Token, MechanismType::RSA_PKCS_OAEP), (OaepBy::Us, MechanismType::RSA_X_509)];
        for (padding, mechanism) in ways {
            let offered = module.get_mechanism_info(slot, mechanism).is_ok_and(|info| info.decrypt());
            if !offered {
                why.push(format!("{mechanism} is not offered"));
                continue;
            }
            match bare(session, key, padding, &wrapped) {
                Ok(Some(plain)) if plain.as_slice() == sample => return Ok(padding),
                Ok(_) => decrypted = true,
                Err(error) if is_lost(&error) => return Err(TokenError::away(&error)),
                Err(error) => {
                    decrypted |= padding == OaepBy::Us && is_about_data(&error);
                    why.push(format!("{mechanism}: {}", words(&error)));
                }
            }
        }
        Err(if decrypted { TokenError::Pair } else { TokenError::Mechanism { why: why.join("; ") } })
    }
}

impl Drop for TokenKey {
    fn drop(&mut self) {
        for open in self.state().idle.drain(..) {
            let _ = open.session.close();
        }
    }
}

fn label(session: &Session, key: ObjectHandle) -> String {
    let attributes = session.get_attributes(key, &[AttributeType::Label]).unwrap_or_default();
    match attributes.first() {
        Some(Attribute::Label(label)) => format!("`{}`", String::from_utf8_lossy(label)),
        _ => "one without a label".to_owned(),
    }
}

fn decrypt(open: &Open, padding: OaepBy, wrapped: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    bare(&open.session, open.key, padding, wrapped)
}

/// One decryption. `None`: the padding is not what it must be.
fn bare(
    session: &Session,
    key: ObjectHandle,
    padding: OaepBy,
    wrapped: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    match padding {
        OaepBy::Token => {
            let parameters =
                PkcsOaepParams::new(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, PkcsOaepSource::empty());
            session.decrypt(&Mechanism::RsaPkcsOaep(parameters), key, wrapped).map(Zeroizing::new).map(Some)
        }
        OaepBy::Us => {
            let block = Zeroizing::new(session.decrypt(&Mechanism::RsaX509, key, wrapped)?);
            Ok(oaep::unpad(&block))
        }
    }
}
