//! Which fields the country's forms have: what OpenCRVS is told to write must be one of them.
//!
//! OpenCRVS accepts a field that it does not know, and then cannot index or edit the record any more.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use civitas_opencrvs::{CallError, Cause, Class, EventConfig};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{Engine, schedule::later};

/// How long a form is believed. A field that it lacks is looked for again, but not more often than [`AGAIN`].
const BELIEVED: Duration = Duration::from_mins(10);
/// The least distance between two looks at a form.
const AGAIN: Duration = Duration::from_secs(30);

/// How long a trigger waits for a form.
const SOON: Duration = Duration::from_secs(1);

/// Forms as they were last seen, by event type.
#[derive(Default)]
pub(crate) struct Forms {
    seen: Mutex<HashMap<String, Seen>>,
    /// When each was looked for last while somebody waited; held by whoever looks.
    tried: tokio::sync::Mutex<HashMap<String, Timestamp>>,
}

#[derive(Clone)]
struct Seen {
    at: Timestamp,
    /// None where OpenCRVS does not let us see it.
    form: Option<Arc<EventConfig>>,
}

impl Engine {
    /// Those of the fields that the form of an event type lacks; none where it is not for us to see.
    ///
    /// # Errors
    /// A passing failure of OpenCRVS, where nothing is known of the form yet.
    pub(crate) async fn lacking_in_form(
        &self,
        event_type: &str,
        fields: &Map<String, Value>,
    ) -> Result<Vec<String>, CallError> {
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let lacking = lacking(&self.form(event_type, BELIEVED).await?, fields);
        if lacking.is_empty() {
            return Ok(lacking);
        }
        // They may have been added since.
        Ok(self::lacking(&self.form(event_type, AGAIN).await?, fields))
    }

    /// Whether the event configuration has a custom action; none where it is not for us to see.
    ///
    /// # Errors
    /// As [`Engine::lacking_in_form`].
    pub(crate) async fn custom_action_there(
        &self,
        event_type: &str,
        action: &str,
    ) -> Result<Option<bool>, CallError> {
        let has = |seen: Seen| seen.form.map(|form| form.custom_actions.contains(action));
        match has(self.form(event_type, BELIEVED).await?) {
            // It may have been added since.
            Some(false) => Ok(has(self.form(event_type, AGAIN).await?)),
            other => Ok(other),
        }
    }

    /// Those of the fields that may not be written, with the reason why; asked while a registrar waits, so that nothing
    /// is waited for long and nothing fails. What is not known to be in the form is not written: a value that is missing
    /// can be entered later, and an unknown field breaks the record for good.
    pub(crate) async fn not_to_write(
        &self,
        event_type: &str,
        fields: &Map<String, Value>,
    ) -> BTreeMap<String, String> {
        let seen = self.form_soon(event_type, BELIEVED).await;
        let lacks = |seen: &Option<Seen>| seen.as_ref().is_some_and(|seen| !lacking(seen, fields).is_empty());
        // It may have been added since.
        let seen = if lacks(&seen) { self.form_soon(event_type, AGAIN).await } else { seen };
        let form = seen.and_then(|seen| seen.form);
        let reason = |field: &str| match &form {
            Some(form) if form.has_field(field) => None,
            Some(_) => Some("the form of OpenCRVS does not have this field"),
            None => Some("the form of OpenCRVS could not be looked at"),
        };
        fields.keys().filter_map(|field| Some((field.clone(), reason(field)?.to_owned()))).collect()
    }

    /// The form, as it was seen last where it does not come soon. One looks, and the others wait for it; after a look
    /// that came to nothing nobody waits for a while.
    async fn form_soon(&self, event_type: &str, believed: Duration) -> Option<Seen> {
        let now = self.now();
        let fresh = |seen: &Seen| later(seen.at, believed) > now;
        if let Some(seen) = self.forms().get(event_type).filter(fresh) {
            return Some(seen);
        }
        let look = async {
            let mut tried = self.forms().tried.lock().await;
            let lately = tried.get(event_type).is_some_and(|at| later(*at, AGAIN) > now);
            if !lately && self.forms().get(event_type).is_none_or(|seen| !fresh(&seen)) {
                tried.insert(event_type.to_owned(), now);
                // What came of it is read below.
                let _ = self.form(event_type, believed).await;
            }
        };
        let _ = tokio::time::timeout(SOON, look).await;
        self.forms().get(event_type)
    }

    /// Looks at the forms that rules write into, so that no trigger has to.
    pub(crate) async fn look_at_forms(&self) {
        let pack = self.pack();
        let events: BTreeSet<&str> = pack.written_fields().into_iter().map(|(event, _)| event).collect();
        for event in events {
            self.form_soon(event, BELIEVED).await;
        }
    }

    async fn form(&self, event_type: &str, believed: Duration) -> Result<Seen, CallError> {
        let now = self.now();
        let known = self.forms().get(event_type);
        if let Some(known) = known.as_ref().filter(|known| later(known.at, believed) > now) {
            return Ok(known.clone());
        }
        let form = match self.opencrvs().event_config(event_type, now).await {
            // No such event type: no field of it can be written.
            Ok(form) => {
                let none = EventConfig {
                    event_type: event_type.to_owned(),
                    fields: BTreeMap::default(),
                    custom_actions: BTreeSet::default(),
                };
                Some(Arc::new(form.unwrap_or(none)))
            }
            Err(error) if error.class == Class::Transient && error.cause != Cause::NotOpencrvs => {
                return known.ok_or(error);
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    event_type,
                    "the form cannot be looked at; what is written is not checked"
                );
                None
            }
        };
        let seen = Seen { at: now, form };
        self.forms().put(event_type, seen.clone());
        Ok(seen)
    }
}

impl Forms {
    fn get(&self, event_type: &str) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(event_type).cloned()
    }

    fn put(&self, event_type: &str, seen: Seen) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(event_type.to_owned(), seen);
    }
}

fn lacking(seen: &Seen, fields: &Map<String, Value>) -> Vec<String> {
    let Some(form) = &seen.form else { return Vec::new() };
    fields.keys().filter(|field| !form.has_field(field)).cloned().collect()
}
