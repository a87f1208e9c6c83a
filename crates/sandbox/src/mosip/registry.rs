//! The ID repository: identities, their VIDs, and which AID made them.

use crate::generator::Population;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

#[derive(Default, Clone, Serialize, Deserialize)]
pub(crate) struct Registry {
    identities: HashMap<String, Identity>,
    vids: HashMap<String, Vid>,
    by_aid: HashMap<String, String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) uin: String,
    pub(crate) status: Cow<'static, str>,
    pub(crate) fields: Map<String, Value>,
    pub(crate) vids: Vec<String>,
    pub(crate) last_aid: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Vid {
    pub(crate) uin: String,
    pub(crate) active: bool,
}

impl Registry {
    /// The people who had an identity before the sandbox started.
    pub(crate) fn with(population: Population) -> Self {
        let mut registry = Self::default();
        for person in 0..population.size() {
            registry.insert(
                &format!("seed-{person}"),
                population.uin(person),
                population.vid(person),
                Map::new(),
            );
        }
        registry
    }

    /// A new identity with one perpetual VID.
    pub(crate) fn insert(&mut self, aid: &str, uin: String, vid: String, fields: Map<String, Value>) {
        let identity = Identity {
            uin: uin.clone(),
            status: "ACTIVATED".into(),
            fields,
            vids: vec![vid.clone()],
            last_aid: aid.to_owned(),
        };
        self.vids.insert(vid, Vid { uin: uin.clone(), active: true });
        self.by_aid.insert(aid.to_owned(), uin.clone());
        self.identities.insert(uin, identity);
    }

    pub(crate) fn taken(&self, uin: &str, vid: &str) -> bool {
        self.identities.contains_key(uin) || self.vids.contains_key(vid)
    }

    pub(crate) fn by_aid(&self, aid: &str) -> Option<&Identity> {
        self.identities.get(self.by_aid.get(aid)?)
    }

    pub(crate) fn by_uin(&self, uin: &str) -> Option<&Identity> {
        self.identities.get(uin)
    }

    /// The identity behind an active VID; fails for an inactive VID or UIN.
    pub(crate) fn by_vid(&self, vid: &str) -> Option<&Identity> {
        let vid = self.vids.get(vid).filter(|vid| vid.active)?;
        self.identities.get(&vid.uin).filter(|identity| identity.status == "ACTIVATED")
    }

    /// True if the VID was ever issued.
    pub(crate) fn knows_vid(&self, vid: &str) -> bool {
        self.vids.contains_key(vid)
    }

    /// Merges attributes, as uinUpdate does: status ACTIVATED, VIDs untouched.
    pub(crate) fn merge(&mut self, uin: &str, aid: &str, fields: &Map<String, Value>) -> bool {
        let Some(identity) = self.identities.get_mut(uin) else { return false };
        for (name, value) in fields.iter().filter(|(name, _)| !matches!(name.as_str(), "UIN" | "VID")) {
            identity.fields.insert(name.clone(), value.clone());
        }
        aid.clone_into(&mut identity.last_aid);
        self.by_aid.insert(aid.to_owned(), uin.to_owned());
        true
    }

    pub(crate) fn set_status(&mut self, uin: &str, status: &'static str) -> bool {
        self.identities.get_mut(uin).map(|identity| identity.status = status.into()).is_some()
    }

    /// Activates or deactivates all VIDs of a UIN; false if there are none to change.
    pub(crate) fn set_vids(&mut self, uin: &str, active: bool) -> bool {
        let mut changed = false;
        for vid in self.vids.values_mut().filter(|vid| vid.uin == uin && vid.active != active) {
            vid.active = active;
            changed = true;
        }
        changed
    }

    pub(crate) fn set_vid(&mut self, vid: &str, active: bool) -> bool {
        self.vids.get_mut(vid).map(|vid| vid.active = active).is_some()
    }

    pub(crate) fn len(&self) -> usize {
        self.identities.len()
    }

    pub(crate) fn deceased(&self) -> usize {
        let flagged = |identity: &&Identity| identity.fields.contains_key("declaredAsDeceased");
        self.identities.values().filter(flagged).count()
    }
}
