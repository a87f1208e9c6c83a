//! `GET /config/events`: which fields the country's forms have.
//!
//! Writing a field that a form lacks makes OpenCRVS fail *after* the action was accepted, and breaks the record for
//! later edits; so what we write is checked against this before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Client;
use super::answer::rest_result;
use super::error::{CallError, Cause, Class};
use super::transport::Call;

const CONFIG: Call = Call::reads("config/events");
const WORKQUEUES: Call = Call::reads("config/workqueues");

/// The form fields of one event type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventConfig {
    /// `birth`.
    pub event_type: String,
    /// Field id → field type (`child.dob` → `DATE`).
    pub fields: BTreeMap<String, String>,
    /// `customActionType` of each custom action.
    pub custom_actions: BTreeSet<String>,
}

impl EventConfig {
    /// Whether the declaration form has the field, hidden ones included.
    pub fn has_field(&self, id: &str) -> bool {
        self.fields.contains_key(id)
    }

    /// Reads the entry of an event type, leniently: whatever has an `id` and a `type` in its declaration, but pages.
    fn find(configs: &Value, event_type: &str) -> Option<Self> {
        let config = configs.as_array()?.iter().find(|config| config["id"] == event_type)?;
        let mut fields = BTreeMap::new();
        collect(config.get("declaration").unwrap_or(config), &mut fields);
        let actions = config.get("actions").and_then(Value::as_array).into_iter().flatten();
        let custom_actions = actions
            .filter(|action| action["type"] == "CUSTOM")
            .filter_map(|action| action["customActionType"].as_str().map(str::to_owned))
            .collect();
        Some(Self { event_type: event_type.to_owned(), fields, custom_actions })
    }
}

fn collect(value: &Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, fields)),
        Value::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Value::as_str);
            if let (Some(id), Some(kind)) = (text("id"), text("type"))
                && !matches!(kind, "FORM" | "VERIFICATION")
            {
                fields.insert(id.to_owned(), kind.to_owned());
            }
            object.values().for_each(|member| collect(member, fields));
        }
        _ => {}
    }
}

/// Every text under a key `flags`: `{ anyOf: [...] }`, or whatever a release makes of it. What a queue leaves out counts
/// for nothing.
fn collect_flags(value: &Value, inside: bool, flags: &mut BTreeSet<String>) {
    match value {
        Value::String(flag) if inside => {
            flags.insert(flag.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect_flags(item, inside, flags)),
        Value::Object(members) => {
            for (key, member) in members.iter().filter(|(key, _)| *key != "noneOf") {
                collect_flags(member, inside || key == "flags", flags);
            }
        }
        _ => {}
    }
}

impl Client {
    /// The form fields of an event type; none if OpenCRVS does not have that type.
    ///
    /// Asks the country configuration server where one is named ([`Client::with_country_config`]), else the gateway.
    ///
    /// # Errors
    /// [`CallError`]; [`Cause::NotOpencrvs`] where neither address serves a configuration.
    pub async fn event_config(
        &self,
        event_type: &str,
        now: Timestamp,
    ) -> Result<Option<EventConfig>, CallError> {
        let mut addresses = Vec::new();
        match &self.country_config {
            Some(country_config) => addresses.push(format!("{country_config}/config/events")),
            None => addresses.extend([self.url("config"), format!("{}/config/events", self.gateway)]),
        }
        let mut missing = CONFIG.fails(Class::Transient, Cause::NotOpencrvs);
        for address in addresses {
            let result = match &self.tokens {
                Some(_) => {
                    let fetch = |token| self.configs(&address, Some(token), now);
                    self.with_system_token(CONFIG, now, fetch).await
                }
                None => self.configs(&address, None, now).await,
            };
            match result {
                Ok(configs) => return Ok(EventConfig::find(&configs, event_type)),
                Err(error) if error.status == Some(404) => missing = error,
                Err(error) => return Err(error),
            }
        }
        Err(missing)
    }

    /// The flags that the country's workqueues list, all of them together.
    ///
    /// # Errors
    /// [`CallError`]; [`Cause::NotOpencrvs`] where no country configuration is named: OpenCRVS passes this on to nobody.
    pub async fn workqueue_flags(&self, now: Timestamp) -> Result<BTreeSet<String>, CallError> {
        let Some(country_config) = &self.country_config else {
            return Err(WORKQUEUES.fails(Class::Transient, Cause::NotOpencrvs));
        };
        let request = self.transport.get(&format!("{country_config}/config/workqueues"));
        let answer = self.transport.send(WORKQUEUES, request, now).await?;
        let queues: Value = rest_result(WORKQUEUES, &answer)?;
        let mut flags = BTreeSet::new();
        collect_flags(&queues, false, &mut flags);
        Ok(flags)
    }

    async fn configs(
        &self,
        url: &str,
        token: Option<SecretString>,
        now: Timestamp,
    ) -> Result<Value, CallError> {
        let mut request = self.transport.get(url);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        let answer = self.transport.send(CONFIG, request, now).await?;
        rest_result(CONFIG, &answer)
    }
}
