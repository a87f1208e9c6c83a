//! `civitas packet build`: from a pack and an event document to the packet, offline.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use civitas_engine::opencrvs_version;
use civitas_mosip::packet::{self, Attachments, CreatePacket, MachineKey, PacketKeys};
use civitas_mosip::{Aid, IdSchema, check_station};
use civitas_opencrvs::EventDocument;
use civitas_rules::{Effect, Facts, PacketContext};
use clap::Args;
use zeroize::Zeroizing;

use super::files;
use crate::{clock, entropy, pack};

/// Make the packet that an event document leads to, without sending anything.
///
/// The rules decide on the action that waits, as the engine would; what they ask of MOSIP is built as an upload file.
/// Every building draws new keys, so that the file is another one each time; with --clear it is the same.
///
/// Exit codes: 0 written; 1 there is no packet, or it could not be made; 2 the command line is wrong.
#[derive(Debug, Args)]
pub struct Build {
    /// Folder of the pack
    pack: PathBuf,
    /// File with an OpenCRVS event document as JSON
    document: PathBuf,
    /// Where to write the packet; an existing file is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Type of the action; without it the one that waits
    #[arg(long)]
    action: Option<String>,
    /// Registration centre at MOSIP
    #[arg(long, value_name = "5 DIGITS")]
    center: String,
    /// Machine at MOSIP
    #[arg(long, value_name = "5 DIGITS")]
    machine: String,
    /// User id of the officer in whose name the packet is made
    #[arg(long, default_value = "crvs")]
    officer: String,
    /// Source and process to write in place of the pack's, such as OPENCRVS/OPENCRVS_NEW
    #[arg(long, value_name = "SOURCE/PROCESS")]
    channel: Option<String>,
    /// The machine's private key, which signs (PEM)
    #[arg(long, value_name = "FILE")]
    machine_key: PathBuf,
    /// MOSIP's certificate to encrypt to (PEM)
    #[arg(long, value_name = "FILE", required_unless_present = "clear", conflicts_with = "clear")]
    certificate: Option<PathBuf>,
    /// Encrypt nothing, so that the packet can be looked into; MOSIP does not take it
    #[arg(long)]
    clear: bool,
}

pub(super) fn run(build: &Build) -> anyhow::Result<ExitCode> {
    check_station(&build.center, &build.machine)?;
    let content = content(build)?;
    let pem = Zeroizing::new(files::read(&build.machine_key)?);
    let machine = MachineKey::from_pem(&pem)
        .with_context(|| format!("{} cannot be used", build.machine_key.display()))?;
    let made = match &build.certificate {
        Some(file) => {
            let keys = PacketKeys { machine, certificates: vec![files::certificate(file)?] };
            packet::build(&content, &Attachments::default(), &keys, clock::now(), &mut entropy::fill)
        }
        None => packet::build_open(&content, &Attachments::default(), &machine),
    }
    .context("the packet cannot be built")?;
    std::fs::write(&build.out, &made.bytes)
        .with_context(|| format!("cannot write {}", build.out.display()))?;
    println!("registration     {}", made.packet_id);
    println!("source, process  {}/{}", content.source, content.process);
    println!("file             {}, {} bytes", build.out.display(), made.bytes.len());
    println!("packetHashValue  {}", made.hash());
    if build.clear {
        println!("\nNothing is encrypted: MOSIP does not take it, and it holds personal data.");
    }
    Ok(ExitCode::SUCCESS)
}

/// What the rules ask of MOSIP for the document's pending action.
fn content(build: &Build) -> anyhow::Result<CreatePacket> {
    let pack = pack::load(&build.pack)?;
    let bytes = files::read(&build.document)?;
    let shown = build.document.display();
    let document = EventDocument::parse(&bytes).map_err(|error| anyhow!("{shown}: {error}"))?;
    let pending = match &build.action {
        Some(kind) => document.pending(kind),
        None => document.find_pending(),
    };
    let action = pending.map_err(|error| anyhow!("{shown}: {error}"))?.action;
    let states = document
        .prospective(action.id, opencrvs_version(pack.country().opencrvs))
        .map_err(|error| anyhow!("{error}"))?;
    let at = action.created_at.at();
    let facts = Facts {
        event: &document.kind,
        action: &action.kind,
        custom_action: action.custom_action_type.as_deref(),
        before: &states.before,
        after: &states.after,
        at,
    };
    let explanation = pack.explain(&facts);
    let Effect::Operate { send, .. } = &explanation.decision().effect else {
        bail!("there is no packet: {}", explanation.sentence("en"));
    };
    let (event_id, action_id) = (document.id.to_string(), action.id.to_string());
    let minted = (action.kind == "REGISTER")
        .then(|| pack.registration_number(&document.kind, &event_id, &action_id, at, 0));
    let number = minted.or_else(|| document.registration_number().map(str::to_owned));
    let context = PacketContext {
        facts: &facts,
        event_id: &event_id,
        tracking_id: &document.tracking_id,
        registration_number: number.as_deref(),
    };
    let asked = pack.build_packet(send, &context)?;
    let (source, process) = match &build.channel {
        None => (asked.source, asked.process),
        Some(channel) => {
            let (source, process) =
                channel.split_once('/').ok_or_else(|| anyhow!("`--channel` is written as SOURCE/PROCESS"))?;
            (source.to_owned(), process.to_owned())
        }
    };
    Ok(CreatePacket {
        aid: Aid::derive(&build.center, &build.machine, document.id, action.id, at, 0),
        ref_id: format!("{}_{}", build.center, build.machine),
        process,
        source,
        schema_version: asked.schema_version,
        schema: Arc::new(IdSchema::new(asked.schema_json)),
        fields: asked.fields,
        meta_info: asked.meta_info,
        at,
        officer: build.officer.clone(),
    })
}
