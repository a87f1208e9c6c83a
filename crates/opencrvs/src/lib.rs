//! The OpenCRVS side of Civitas: event documents, the state they fold to, and the calls that close them.
//!
//! OpenCRVS keeps a record as a list of actions and derives everything else. Its country-config trigger posts the
//! whole list, once, while the action in question is still `Requested`; the state that a rule has to judge is
//! therefore the *prospective* one, which OpenCRVS itself never computes. This crate ports those reducers
//! ([`EventDocument::current`], [`EventDocument::prospective`], [`EventDocument::flags`]) and adds the client that
//! accepts or rejects the action later ([`Client`]) and the check of the bearer token that a trigger carries
//! ([`TriggerTokens`]).
//!
//! Nothing here reads a clock, keeps a queue or retries by itself: `now` and the HTTP client are parameters, and a
//! failure says through [`Class`] what the caller may do about it. `Debug` and error texts hold ids, types and
//! paths, never field values or secrets.

mod client;
mod document;
mod state;
mod trigger_token;
mod version;

pub use client::{
    AuthCheck, CallError, Cause, Class, Client, Confirmation, ConfirmationAuth, CustomAction, Endpoints,
    EventConfig, EventIndex, PAGE, SearchPage, SearchQuery, SystemClient, requested_flag, token_expiry,
};
pub use document::{Action, ActionStatus, DocumentError, EventDocument, NoPendingAction, Pending, Stamp};
pub use state::{
    Anomaly, EventStatus, NoProspect, Origin, Origins, Past, Prospective, deep_merge, drop_nulls,
};
pub use trigger_token::{
    AUDIENCE, Caller, Claims, ISSUER, KeyError, KeySource, PublicKey, TokenError, TriggerTokens,
};
pub use version::{UnknownVersion, Version};

/// A declaration, an annotation or the content of an action: form field id → value, flat, keys with literal dots.
pub type Map = serde_json::Map<String, serde_json::Value>;
