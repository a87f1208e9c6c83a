//! From RESUMABLE to the end: the reprocessor's cron, the stages of each CRVS
//! flow, and what they do to an identity.

use super::desk::{Packet, Raw, Step};
use super::issuance;
use super::state::Mosip;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Topic of the bare outcome events, not partner-scoped.
pub(crate) const COMPLETED: &str = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT";

/// Stage name and the transaction type its trail line has.
type Stage = (&'static str, &'static str);

const NEW: [Stage; 8] = [
    ("SecurezoneNotificationStage", "SECUREZONE_NOTIFICATION"),
    ("PacketValidatorStage", "VALIDATE_PACKET"),
    ("PacketClassifierStage", "PACKET_CLASSIFICATION"),
    ("CMDValidationStage", "CMD_VALIDATION"),
    ("OperatorValidationStage", "OPERATOR_VALIDATION"),
    ("DemoDedupeStage", "DEMOGRAPHIC_VERIFICATION"),
    ("UinGeneratorStage", "UIN_GENERATOR"),
    ("FinalizationStage", "FINALIZATION"),
];

/// Why a stage ended the flow.
struct End {
    status: Raw,
    sub_status: &'static str,
    comment: String,
}

impl End {
    fn failed(sub_status: &'static str, comment: impl Into<String>) -> Self {
        Self { status: Raw::Failed, sub_status, comment: comment.into() }
    }
}

/// Takes one AID through its flow, from when the cron finds it.
pub(crate) async fn process(mosip: Arc<Mosip>, aid: String) {
    mosip.pace.pass(until_cron(&mosip)).await;
    stages(mosip, aid).await;
}

/// Takes one AID through its stages, at once.
pub(crate) async fn stages(mosip: Arc<Mosip>, aid: String) {
    let outcomes = mosip.faults.outcomes();
    let roll = |rate| mosip.faults.dice.chance(rate);
    let (stuck, failed, rejected) =
        (roll(outcomes.reprocess_failed_rate), roll(outcomes.failed_rate), roll(outcomes.rejected_rate));
    for stage in NEW {
        let process = {
            let desk = mosip.desk();
            desk.workflows.get(&aid).map(|row| row.process.clone()).unwrap_or_default()
        };
        // The dedupe stage is in the flow of new identities only.
        if stage.0 == "DemoDedupeStage" && !matches!(process.as_str(), "CRVS_NEW" | "NEW" | "OPENCRVS_NEW") {
            continue;
        }
        // Its flow has neither of these.
        if process == "OPENCRVS_NEW" && matches!(stage.0, "CMDValidationStage" | "OperatorValidationStage") {
            continue;
        }
        enter(&mosip, &aid, stage);
        mosip.pace.pass(mosip.dice.draw(mosip.options.stage_delay)).await;
        let forced = match stage.0 {
            "PacketValidatorStage" if failed => {
                Some(End::failed("RPR-PVM-001", "Packet validation failed: files validation"))
            }
            "DemoDedupeStage" if rejected => Some(End {
                status: Raw::Rejected,
                sub_status: "RPR-DDS-001",
                comment: "Potential duplicate found by demographic verification".to_owned(),
            }),
            "UinGeneratorStage" if stuck => {
                // Twenty attempts, each picked up after the elapse time.
                for _ in 0..20 {
                    again(&mosip, &aid, stage);
                    mosip.pace.pass(Duration::from_mins(15)).await;
                }
                Some(End {
                    status: Raw::ReprocessFailed,
                    sub_status: "RPR-SYS-012",
                    comment: "Reprocess count has exceeded the configured attempts".to_owned(),
                })
            }
            _ => None,
        };
        let outcome = forced.map_or_else(|| run(&mosip, &aid, stage.0), Err);
        match outcome {
            Ok(()) => pass(&mosip, &aid, stage),
            Err(end) => return finish(&mosip, &aid, stage, &end),
        }
    }
    let done = End {
        status: Raw::Processed,
        sub_status: "RPR-PKR-SUCCESS",
        comment: "Packet is processed".to_owned(),
    };
    let births = mosip
        .desk()
        .workflows
        .get(&aid)
        .is_some_and(|row| matches!(row.process.as_str(), "CRVS_NEW" | "OPENCRVS_NEW"));
    if births {
        issuance::request(&mosip, &aid);
    }
    finish(&mosip, &aid, ("WorkflowCompleteStage", "WORKFLOW_COMPLETE"), &done);
}

/// World time until the cron fires next.
fn until_cron(mosip: &Mosip) -> Duration {
    let every = mosip.pace.real(mosip.options.reprocess_every);
    if every.is_zero() {
        return Duration::ZERO;
    }
    let since = Duration::try_from(mosip.pace.now().duration_since(mosip.started)).unwrap_or_default();
    let into = Duration::from_nanos(u64::try_from(since.as_nanos() % every.as_nanos()).unwrap_or(0));
    let world = mosip.options.reprocess_every;
    world.mul_f64(1.0 - into.as_secs_f64() / every.as_secs_f64())
}

fn run(mosip: &Mosip, aid: &str, stage: &str) -> Result<(), End> {
    let packet = mosip.desk().packets.get(aid).cloned();
    let Some(packet) = packet else {
        return Err(End::failed("KER-KPM-010", "Packet is not available in the object store"));
    };
    match stage {
        "PacketValidatorStage" => validate(&packet),
        "CMDValidationStage" if packet.process == "CRVS_NEW" => infant(mosip, &packet),
        "OperatorValidationStage" => operator(&packet),
        "UinGeneratorStage" => generate(mosip, aid, &packet),
        _ => Ok(()),
    }
}

/// A field errs only if it is required by the schema and mandatory for the process.
fn validate(packet: &Packet) -> Result<(), End> {
    let mandatory: &[&str] = match packet.process.as_str() {
        "CRVS_NEW" => {
            &["fullName", "dateOfBirth", "gender", "addressLine1", "region", "province", "city", "zone"]
        }
        "CRVS_DEATH" => &["UIN"],
        _ => &[],
    };
    let missing = mandatory.iter().find(|name| {
        packet.required.iter().any(|required| required == *name) && packet.field(name).is_none()
    });
    match missing {
        Some(name) => Err(End::failed("KER-PUT-020", format!("Packet validation failed: {name} is missing"))),
        None => Ok(()),
    }
}

/// AGE_GROUP other than INFANT completes as failed.
fn infant(mosip: &Mosip, packet: &Packet) -> Result<(), End> {
    let born: Option<Date> = packet.field("dateOfBirth").and_then(|text| {
        let (year, rest) = text.split_once('/')?;
        let (month, day) = rest.split_once('/')?;
        Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
    });
    let Some(born) = born else {
        return Err(End::failed("RPR-PCM-002", "Age could not be determined: dateOfBirth is not yyyy/MM/dd"));
    };
    let today = mosip.pace.now().to_zoned(TimeZone::UTC).date();
    let birthday = (today.month(), today.day()) >= (born.month(), born.day());
    let age = today.year() - born.year() - i16::from(!birthday);
    if age > mosip.options.infant_until {
        return Err(End::failed("RPR-WAE-004", "Age group is not INFANT"));
    }
    Ok(())
}

/// An officer or a supervisor must be named in operationsData.
fn operator(packet: &Packet) -> Result<(), End> {
    let named = packet
        .meta("operationsData")
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .and_then(|data| {
            let entries = data.as_array()?.clone();
            Some(entries.iter().any(|entry| {
                matches!(entry["label"].as_str(), Some("officerId" | "supervisorId"))
                    && entry["value"].as_str().is_some_and(|value| !value.is_empty())
            }))
        })
        .unwrap_or(false);
    if named {
        Ok(())
    } else {
        Err(End::failed("RPR-OVM-005", "Officer and supervisor are not present in the packet"))
    }
}

fn generate(mosip: &Mosip, aid: &str, packet: &Packet) -> Result<(), End> {
    let subject = packet.field("UIN").or_else(|| packet.field("VID")).map(str::to_owned);
    match (packet.process.as_str(), subject) {
        ("CRVS_NEW" | "NEW" | "OPENCRVS_NEW", None) => {
            create(mosip, aid, packet);
            Ok(())
        }
        ("CRVS_UPDATE", _) if !mosip.options.update_mapped => Ok(()), // a silent no-op
        ("CRVS_DEATH" | "CRVS_UPDATE", Some(subject)) => merge(mosip, aid, packet, &subject),
        ("CRVS_DEATH" | "CRVS_UPDATE", None) => {
            Err(End::failed("RPR-UGS-004", "UIN is not present in the packet"))
        }
        _ => Ok(()),
    }
}

fn create(mosip: &Mosip, aid: &str, packet: &Packet) {
    let mut registry = mosip.registry();
    // RECORD_ALREADY_EXISTS is accepted: the stage ran before a restart.
    if registry.by_aid(aid).is_some() {
        return;
    }
    {
        let (uin, vid) = loop {
            let pair = (mosip.dice.digits(10), mosip.dice.digits(16));
            if !registry.taken(&pair.0, &pair.1) {
                break pair;
            }
        };
        registry.insert(aid, uin, vid, packet.fields.clone());
    }
    drop(registry);
    let mut desk = mosip.desk();
    let audit = desk.audit(aid);
    audit.uins += 1;
    if audit.uins > 1 {
        desk.violation(format!("mosip: two UIN generations for AID {aid}"));
    }
    let Some(record) = packet.meta("crvsEventId").map(str::to_owned) else { return };
    match desk.uin_of_record.insert(record.clone(), aid.to_owned()) {
        Some(earlier) if earlier != aid => {
            desk.violation(format!(
                "mosip: record {record} has two identities, from AIDs {earlier} and {aid}"
            ));
        }
        _ => {}
    }
}

fn merge(mosip: &Mosip, aid: &str, packet: &Packet, subject: &str) -> Result<(), End> {
    let mut registry = mosip.registry();
    let by_vid = mosip.options.vid_support_for_update.then(|| registry.by_vid(subject)).flatten();
    let uin = by_vid.or_else(|| registry.by_uin(subject)).map(|identity| identity.uin.clone());
    let Some(uin) = uin else {
        let known = registry.knows_vid(subject);
        let comment = if known { "VID or UIN is not active" } else { "UIN is not valid or does not exist" };
        return Err(End::failed("RPR-UGS-003", comment));
    };
    registry.merge(&uin, aid, &packet.fields);
    // uinUpdate writes the status too: what was switched off is on again.
    registry.set_status(&uin, "ACTIVATED");
    drop(registry);
    let mut desk = mosip.desk();
    let audit = desk.audit(aid);
    if packet.process == "CRVS_DEATH" {
        audit.deaths += 1;
    } else {
        audit.updates += 1;
    }
    Ok(())
}

fn enter(mosip: &Mosip, aid: &str, stage: Stage) {
    let at = mosip.pace.iso();
    if let Some(row) = mosip.desk().workflows.get_mut(aid) {
        row.status = Raw::Processing;
        row.stage = stage.0.into();
        row.updated_at = at;
    }
}

/// A stage failed and will be repeated: the row says so, and the trail has a line for each time.
fn again(mosip: &Mosip, aid: &str, stage: Stage) {
    let (at, id) = (mosip.pace.iso(), mosip.dice.uuid());
    if let Some(row) = mosip.desk().workflows.get_mut(aid) {
        row.status = Raw::Reprocess;
        row.updated_at.clone_from(&at);
        row.trail.push(Step {
            id,
            code: stage.1.into(),
            status: "REPROCESS".into(),
            sub_status: "RPR-SYS-011".into(),
            comment: format!("{} is not available", stage.1),
            at,
        });
    }
}

fn pass(mosip: &Mosip, aid: &str, stage: Stage) {
    let (at, id) = (mosip.pace.iso(), mosip.dice.uuid());
    if let Some(row) = mosip.desk().workflows.get_mut(aid) {
        row.last_good = Some(stage.0.into());
        let comment = format!("{} succeeded", stage.1);
        row.trail.push(Step {
            id,
            code: stage.1.into(),
            status: "SUCCESS".into(),
            sub_status: "RPR-SUCCESS".into(),
            comment,
            at,
        });
    }
}

/// Writes the outcome, then publishes it: in that order, so an event can be lost.
fn finish(mosip: &Arc<Mosip>, aid: &str, stage: Stage, end: &End) {
    let (at, id) = (mosip.pace.iso(), mosip.dice.uuid());
    let process = {
        let mut desk = mosip.desk();
        let audit = desk.audit(aid);
        audit.outcome = Some(end.status.as_str().into());
        audit.reason = Some(end.sub_status.into());
        audit.finished_at = Some(at.clone());
        let Some(row) = desk.workflows.get_mut(aid) else { return };
        row.status = end.status;
        row.stage = stage.0.into();
        row.comment.clone_from(&end.comment);
        row.updated_at.clone_from(&at);
        let status = if end.status == Raw::Processed { "PROCESSED" } else { "FAILED" };
        row.trail.push(Step {
            id,
            code: stage.1.into(),
            status: status.into(),
            sub_status: end.sub_status.into(),
            comment: end.comment.clone(),
            at,
        });
        row.process.clone()
    };
    let error = match end.status {
        Raw::Processed => Value::Null,
        Raw::Rejected => json!("PACKET_REJECTED"),
        Raw::Failed => json!("PACKET_FAILED"),
        // Publishes nothing at all.
        _ => return,
    };
    if mosip.faults.dice.chance(mosip.faults.outcomes().completed_lost_rate) {
        return;
    }
    let event = json!({"instanceId": aid, "resultCode": end.status.as_str(), "workflowType": process, "errorCode": error});
    mosip.hub.publish(COMPLETED, aid, event.to_string().into_bytes());
}
