//! The last resort for a credential that does not come: the VID, looked up in the ID repository by the packet's AID.

use civitas_journal::{
    Private, civil_events,
    operations::{Operation, State},
};
use civitas_mosip::{CallError, Found, IdentityKey, Vid};
use civitas_rules::CredentialKey;
use serde_json::{Map, Value};

use crate::{
    Engine, EngineError,
    confirm::Told,
    dispatch::aid_of,
    moves::{Issued, Move, Tell},
    schedule::later,
};

/// What the look-up came to.
pub(super) enum LookUp {
    /// The operation is issued.
    Issued(Box<Move>),
    /// The pack wants another identifier than a VID, or the repository is not used.
    NotForUs,
    /// MOSIP has no identity, or no lasting VID, for the packet.
    Nothing,
    /// The repository could not be asked.
    Failed(CallError),
}

impl Engine {
    /// Looks the VID up: AID to identity to its lasting VID. The number in between is in memory only.
    pub(super) async fn look_up_vid(&self, operation: &Operation) -> Result<LookUp, EngineError> {
        let pack = self.pack();
        let wanted = pack.country().credential_key == CredentialKey::Vid;
        if !wanted || !self.options().id_repository.enabled {
            return Ok(LookUp::NotForUs);
        }
        let now = self.now();
        metrics::counter!("civitas_vids_looked_up_total").increment(1);
        let vids = match self.mosip().identity(IdentityKey::Aid(&aid_of(operation)?), now).await {
            Ok(Found::Identity(identity)) => self.mosip().vids(&identity, now).await,
            Ok(Found::NotActive | Found::Nothing) => return Ok(LookUp::Nothing),
            Err(error) => return Ok(LookUp::Failed(error)),
        };
        let vids = match vids {
            Ok(vids) => vids,
            Err(error) => return Ok(LookUp::Failed(error)),
        };
        let Some(vid) = vids.iter().find(|vid| vid.is_perpetual()).map(Vid::id) else {
            return Ok(LookUp::Nothing);
        };
        let mut reader = self.journal().read().await?;
        let event = civil_events::get(&mut reader, operation.key).await?;
        let field =
            event.and_then(|event| pack.country().nid_field(&event.event.event_type).map(str::to_owned));
        let declaration: Map<String, Value> =
            field.map(|field| (field, Value::from(vid))).into_iter().collect();
        let mut step = Move::to(State::Issued).saying("the VID was looked up in the ID repository");
        step.issued = Some(Issued { identifier: Private::new(vid), subject: self.subject_of(vid) });
        step.tell = Some(Tell {
            told: Told { declaration, ..Told::default() }.sealed(),
            due: later(operation.created_at, self.options().settle).max(now),
        });
        Ok(LookUp::Issued(Box::new(step)))
    }
}
