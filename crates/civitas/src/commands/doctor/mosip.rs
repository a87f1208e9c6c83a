//! MOSIP: our credentials, the packet manager, the registration processor, the hub.

use civitas_mosip::{CallError, Mosip, Service};

use super::{Finding, Patient};
use crate::{assembly, clock};

pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    let mosip = match assembly::mosip(patient.config) {
        Ok(mosip) => mosip,
        Err(error) => return vec![Finding::fail("mosip", format!("{error:#}"), "mend the section `mosip`")],
    };
    let now = clock::now();
    let (auth, packet_manager, workflow, hub, credential) = tokio::join!(
        mosip.check_auth(now),
        mosip.ping_packet_manager(now),
        mosip.ping(Service::Workflow, now),
        mosip.ping(Service::Hub, now),
        credential_request(&mosip, patient),
    );
    let mut findings = vec![
        match auth {
            Ok(_) => Finding::ok("mosip auth", "tokens for each of our clients"),
            Err(error) => failed("mosip auth", &error),
        },
        reached("mosip packet manager", packet_manager),
        reached("mosip registration processor", workflow),
        reached("mosip hub", hub),
    ];
    findings.extend(credential);
    findings
}

async fn credential_request(mosip: &Mosip, patient: &Patient<'_>) -> Option<Finding> {
    let check = "mosip credential requests";
    if patient.config.mosip.credential_request_suffix.is_none() {
        return Some(Finding::warn(
            check,
            "not used: a credential that gets lost cannot be asked for again",
            "have MOSIP set appIdBasedCredentialIdSuffix for our partner, and write it in \
             mosip.credential_request_suffix",
        ));
    }
    Some(reached(check, mosip.ping(Service::CredentialRequest, clock::now()).await))
}

fn reached(check: &str, result: Result<(), CallError>) -> Finding {
    match result {
        Ok(()) => Finding::ok(check, "it answers"),
        Err(error) => failed(check, &error),
    }
}

fn failed(check: &str, error: &CallError) -> Finding {
    Finding::fail(check, &error.summary, error.advice)
}
