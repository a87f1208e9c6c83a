//! By a packet of our own: built here, announced (`syncV2`), uploaded (`registrationpackets`).
//!
//! The packet is built once and its bytes are in the journal, sealed, before anything of it goes out: a second building
//! would have another hash, which MOSIP refuses for the same registration. An announcement may be repeated at any time;
//! an upload that may have been heard is asked about first, and one that MOSIP has already (`RPR-PKR-005`) counts as
//! heard. An accepted upload may still be lost at MOSIP, which answers before it stores: then the asker finds no
//! workflow, and the same bytes are sent again.

use std::sync::Arc;

use civitas_journal::operations::{Operation, State};
use civitas_mosip::{
    Aid, Announcement, CallError, Class, Upload,
    packet::{self, Attachments, BuildError, EnvelopeEntropy},
};

use super::{
    StoredPacket, aid_of,
    failure::{self, Step},
    packet::StoredUpload,
};
use crate::{Cause, Engine, EngineError, UploadRoute, moves::Move, schedule::later};

/// Makes the calls that the state asks for.
pub(super) async fn next_move(
    engine: &Engine,
    operation: &Operation,
    packet: &StoredPacket,
) -> Result<Move, EngineError> {
    let Some(route) = engine.options().route.upload() else {
        return Ok(stalled(engine, "upload_not_configured", None));
    };
    let aid = aid_of(operation)?;
    match (operation.state, &packet.upload) {
        (State::Planned, None) => build(engine, operation, packet, aid, route).await,
        // Put back by a person: the bytes are there, and stay what they are.
        (State::Planned, Some(_)) => Ok(goes_on(engine)),
        (State::PacketCreated, Some(upload)) if operation.step_attempts <= 1 => {
            Ok(Sending { engine, operation, packet, upload, aid, route }.send().await)
        }
        // A second attempt: the first may have been heard.
        (State::PacketCreated | State::Unknown, Some(upload)) => {
            Ok(Sending { engine, operation, packet, upload, aid, route }.ask_then_send().await)
        }
        (other, _) => Err(EngineError::NotSendable(other)),
    }
}

/// Builds the packet and keeps it; nothing is sent yet.
async fn build(
    engine: &Engine,
    operation: &Operation,
    stored: &StoredPacket,
    aid: Aid,
    route: &Arc<UploadRoute>,
) -> Result<Move, EngineError> {
    let schema = engine.archived_schema(&stored.ruleset).await?;
    let mut content = stored.create(aid, &engine.station(), schema, &engine.options().officer);
    let Some(channel) = route.channel_of(&content.source, &content.process) else {
        return Ok(stalled(engine, "process_not_uploadable", Some(content.process)));
    };
    content.source.clone_from(&channel.source);
    content.process.clone_from(&channel.process);
    let (route, now) = (Arc::clone(route), engine.now());
    // Three signatures.
    let building = move || {
        let mut fill = |buffer: &mut [u8]| (route.entropy)(buffer);
        packet::build(&content, &Attachments::default(), &route.keys, now, &mut fill)
            .map(|file| (content.process, file))
    };
    match engine.computing().run(building).await? {
        Ok((process, file)) => {
            tracing::debug!(aid = operation.aid, bytes = file.bytes.len(), "the packet is built");
            // What is sent may name the person by the UIN, in memory only; what is kept names them as the record does.
            let Some(bytes) = &operation.packet else {
                return Err(EngineError::NotSendable(operation.state));
            };
            let mut kept = StoredPacket::from_bytes(bytes.as_bytes())?;
            kept.upload = Some(StoredUpload::of(&file, process));
            let mut step = goes_on(engine);
            step.packet = Some(kept.sealed());
            Ok(step)
        }
        Err(BuildError::NoCertificate) => Ok(stalled(engine, "certificate_not_in_force", None)),
        Err(error) => Ok(stalled(engine, "packet_not_buildable", Some(error.to_string()))),
    }
}

/// Sending follows at once, under the same lease: this is its first attempt.
fn goes_on(engine: &Engine) -> Move {
    let mut step = Move::to(State::PacketCreated).at(engine.now());
    step.goes_on = true;
    step.step_attempts = 1;
    step
}

fn stalled(engine: &Engine, code: &str, detail: Option<String>) -> Move {
    let cause = Cause { code: code.to_owned(), detail };
    Move::to(State::Stalled).because(cause).at(later(engine.now(), engine.options().stalled_check))
}

/// A built packet on its way.
struct Sending<'a> {
    engine: &'a Engine,
    operation: &'a Operation,
    packet: &'a StoredPacket,
    upload: &'a StoredUpload,
    aid: Aid,
    route: &'a UploadRoute,
}

impl Sending<'_> {
    async fn send(&self) -> Move {
        let Some(bytes) = self.upload.bytes() else {
            return stalled(
                self.engine,
                "packet_not_buildable",
                Some("its stored bytes are not whole".to_owned()),
            );
        };
        let engine = self.engine;
        let mosip = engine.mosip().traced(self.operation.traceparent.as_deref());
        let Some(certificate) = self.route.keys.certificate_at(engine.now()) else {
            return stalled(engine, "certificate_not_in_force", None);
        };
        let announcement = Announcement {
            aid: self.aid.clone(),
            packet_id: self.upload.packet_id.clone(),
            ref_id: self.aid.ref_id(),
            process: self.upload.process.clone(),
            hash: self.upload.hash.clone(),
            size: bytes.len(),
            notification: self.packet.notification(),
        };
        let entropy = EnvelopeEntropy::draw(&mut |buffer: &mut [u8]| (self.route.entropy)(buffer));
        if let Err(error) = mosip.announce(&announcement, certificate, &entropy, engine.now()).await {
            return self.failed(Step::Announce, &error);
        }
        let upload = Upload { packet_id: &self.upload.packet_id, bytes: &bytes };
        match mosip.upload(&upload, engine.now()).await {
            Ok(uploaded) => {
                let step = engine.followed(self.operation);
                if uploaded.already_there { step.saying("MOSIP had the packet already") } else { step }
            }
            Err(error) => self.failed(Step::Upload, &error),
        }
    }

    /// Whether it was heard is asked twice: the workflow is there once MOSIP stored the packet; before that only the
    /// status service knows.
    async fn ask_then_send(&self) -> Move {
        let (mosip, now) = (self.engine.mosip(), self.engine.now());
        match mosip.workflow_status_of(&self.aid, now).await {
            Ok(Some(_)) => return self.engine.followed(self.operation).saying("MOSIP knows it"),
            Ok(None) => {}
            Err(error) if error.class == Class::Unauthorised => {}
            Err(error) => return self.failed(Step::Ask, &error),
        }
        match mosip.upload_status(&self.upload.packet_id, now).await {
            Ok(status) if status.is_wanted() => self.send().await,
            Ok(_) => self.engine.followed(self.operation).saying("MOSIP has received it"),
            // Not allowed to ask: MOSIP's own refusal of a second upload (RPR-PKR-005) is the remaining guard.
            Err(error) if error.class == Class::Unauthorised => self.send().await,
            Err(error) => self.failed(Step::Ask, &error),
        }
    }

    fn failed(&self, step: Step, error: &CallError) -> Move {
        failure::after(self.engine, self.operation, step, error, self.engine.now())
    }
}
