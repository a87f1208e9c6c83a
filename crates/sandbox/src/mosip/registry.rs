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
    pub(crate) kind: VidKind,
    /// ACTIVE, REVOKED, EXPIRED, USED, INVALIDATED or DEACTIVATED.
    pub(crate) status: Cow<'static, str>,
}

/// Types of the VID policy, as shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum VidKind {
    /// One at a time; restored when it is revoked.
    Perpetual,
    Temporary,
    OneTimeUse,
}

impl VidKind {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let all = [Self::Perpetual, Self::Temporary, Self::OneTimeUse];
        all.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Perpetual => "Perpetual",
            Self::Temporary => "Temporary",
            Self::OneTimeUse => "OneTimeUse",
        }
    }

    const fn instances(self) -> usize {
        match self {
            Self::Perpetual => 1,
            Self::Temporary | Self::OneTimeUse => 5,
        }
    }
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
        self.vids.insert(vid, Vid { uin: uin.clone(), kind: VidKind::Perpetual, status: "ACTIVE".into() });
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
        let vid = self.vids.get(vid).filter(|vid| vid.status == "ACTIVE")?;
        self.identities.get(&vid.uin).filter(|identity| identity.status == "ACTIVATED")
    }

    /// The identity behind a VID, whatever their statuses.
    pub(crate) fn owner_of(&self, vid: &str) -> Option<&Identity> {
        self.identities.get(&self.vids.get(vid)?.uin)
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

    /// All VIDs of a UIN, oldest first.
    pub(crate) fn vids_of<'r>(&'r self, uin: &str) -> impl Iterator<Item = (&'r str, &'r Vid)> {
        let ids = self.identities.get(uin).into_iter().flat_map(|identity| &identity.vids);
        ids.filter_map(|id| Some((id.as_str(), self.vids.get(id)?)))
    }

    /// Adds a VID; `true` if that revoked another one. Refused when the policy allows no more.
    pub(crate) fn add_vid(&mut self, uin: &str, id: &str, kind: VidKind) -> Result<bool, ()> {
        let active: Vec<String> = self
            .vids_of(uin)
            .filter(|(_, vid)| vid.kind == kind && vid.status == "ACTIVE")
            .map(|(id, _)| id.to_owned())
            .collect();
        let full = active.len() >= kind.instances();
        if full && kind != VidKind::Perpetual {
            return Err(());
        }
        for old in &active[..if full { active.len() } else { 0 }] {
            if let Some(vid) = self.vids.get_mut(old) {
                vid.status = "REVOKED".into();
            }
        }
        let identity = self.identities.get_mut(uin).ok_or(())?;
        identity.vids.push(id.to_owned());
        self.vids.insert(id.to_owned(), Vid { uin: uin.to_owned(), kind, status: "ACTIVE".into() });
        Ok(full)
    }

    /// Switches all VIDs of a UIN that have one status to another; false if there are none.
    pub(crate) fn switch_vids(&mut self, uin: &str, from: &str, to: &'static str) -> bool {
        let mut changed = false;
        for vid in self.vids.values_mut().filter(|vid| vid.uin == uin && vid.status == from) {
            vid.status = to.into();
            changed = true;
        }
        changed
    }

    /// Sets a VID's status; `true` if the policy restored it, that is made `restored` in its place.
    pub(crate) fn set_vid(&mut self, id: &str, status: &'static str, restored: &str) -> Option<bool> {
        let vid = self.vids.get_mut(id)?;
        vid.status = status.into();
        let (uin, kind) = (vid.uin.clone(), vid.kind);
        let again = kind == VidKind::Perpetual && status == "REVOKED";
        Some(again && self.add_vid(&uin, restored, kind).is_ok())
    }

    /// The VID by which a credential names the identity.
    pub(crate) fn lasting_vid(&self, uin: &str) -> Option<&str> {
        let lasting = |(_, vid): &(&str, &Vid)| vid.kind == VidKind::Perpetual && vid.status == "ACTIVE";
        self.vids_of(uin).find(lasting).or_else(|| self.vids_of(uin).next()).map(|(id, _)| id)
    }

    pub(crate) fn len(&self) -> usize {
        self.identities.len()
    }

    pub(crate) fn deceased(&self) -> usize {
        let flagged = |identity: &&Identity| identity.fields.contains_key("declaredAsDeceased");
        self.identities.values().filter(flagged).count()
    }
}
