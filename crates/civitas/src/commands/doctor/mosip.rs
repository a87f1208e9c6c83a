//! MOSIP: our credentials, the packet manager, the registration processor, the hub.

use civitas_mosip::{CallError, Class, Mosip, Service};

use super::{Finding, Patient};
use crate::{assembly, clock};

pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    let mosip = match assembly::mosip(patient.config) {
        Ok(mosip) => mosip,
        Err(error) => return vec![Finding::fail("mosip", format!("{error:#}"), "mend the section `mosip`")],
    };
    let now = clock::now();
    let (auth, packet_manager, workflow, hub, credential, repository) = tokio::join!(
        mosip.check_auth(now),
        mosip.ping_packet_manager(now),
        mosip.ping(Service::Workflow, now),
        mosip.ping(Service::Hub, now),
        credential_request(&mosip, patient),
        id_repository(&mosip, patient),
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
    findings.push(repository);
    if !patient.config.mosip.data_share.hosts.is_empty() {
        findings.push(reached("mosip data share", mosip.ping(Service::DataShare, now).await));
    }
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

/// Whether identities can be read: the role is one thing, the repository's own list of audiences another.
async fn id_repository(mosip: &Mosip, patient: &Patient<'_>) -> Finding {
    const CHECK: &str = "mosip id repository";
    const WITHOUT: &str =
        "updates end as processed and not verified, and identities cannot be switched off or on";
    let repository = &patient.config.mosip.id_repository;
    if !repository.enabled {
        return Finding::warn(CHECK, format!("not used: {WITHOUT}"), "set mosip.id_repository.enabled: true");
    }
    match mosip.check_identity(clock::now()).await {
        Ok(()) => Finding::ok(CHECK, "identities can be read: updates are verified"),
        Err(error) if error.class == Class::Unauthorised => Finding::warn(
            CHECK,
            format!("{}: {WITHOUT}", error.summary),
            "give our client the role REGISTRATION_PROCESSOR or ID_REPOSITORY, and have MOSIP list it in the \
             repository's allowed audiences; or name another one in mosip.id_repository.client",
        ),
        Err(error) => failed(CHECK, &error),
    }
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
