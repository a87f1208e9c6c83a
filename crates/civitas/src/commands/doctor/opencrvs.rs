//! OpenCRVS: its public key, our credentials and their scopes, and whether the form has the field that we write.

use civitas_engine::opencrvs_version;
use civitas_opencrvs::{CallError, Cause, Class, Client, Version};
use openssl::pkey::PKey;

use super::{Finding, Patient, Verdict, chain};
use crate::assembly;
use crate::clock;

pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = vec![public_key(patient).await];
    let Some(pack) = &patient.pack else {
        findings.push(Finding::warn(
            "opencrvs auth",
            "not tried: the pack, which names the OpenCRVS version, does not load",
            "mend the pack first",
        ));
        return findings;
    };
    let client = match assembly::opencrvs(patient.config, pack.country().opencrvs) {
        Ok(client) => client,
        Err(error) => {
            findings.push(Finding::fail(
                "opencrvs auth",
                format!("{error:#}"),
                "mend the section `opencrvs`",
            ));
            return findings;
        }
    };
    let auth = auth(&client).await;
    let there = client.version_there(clock::now()).await;
    // Where no token is to be had, that is said already, and why.
    let unknown = there.is_err() && auth.verdict == Verdict::Fail;
    findings.push(auth);
    findings.extend((!unknown).then(|| release(there, opencrvs_version(pack.country().opencrvs))));
    findings.push(reading(patient, &client).await);
    for (event, field) in pack.country().nid_fields() {
        findings.push(form(&client, event, field, false).await);
    }
    for (event, field) in pack.written_fields() {
        findings.push(form(&client, event, field, true).await);
    }
    findings.push(workqueues(&client, pack).await);
    if let Some(action) = &pack.country().history_custom_action {
        findings.extend(notes(&client, pack, action).await);
    }
    findings
}

async fn public_key(patient: &Patient<'_>) -> Finding {
    let check = "opencrvs public key";
    let opencrvs = &patient.config.opencrvs;
    if opencrvs.public_key_file.is_some() {
        return match assembly::public_key_source(patient.config) {
            Ok(_) => Finding::ok(check, "read from opencrvs.public_key_file"),
            Err(error) => {
                Finding::fail(check, format!("{error:#}"), "write the key of the auth service there, in PEM")
            }
        };
    }
    let url = opencrvs
        .public_key_url
        .as_ref()
        .map_or_else(|| opencrvs.auth_url.join("/.well-known"), |url| url.as_str().to_owned());
    let advice = "check `opencrvs.auth_url`; where the auth service cannot be reached from here, mount its public \
        key and name it in `opencrvs.public_key_file`";
    let answer = match patient.http.get(&url).send().await {
        Ok(answer) => answer,
        Err(error) => {
            return Finding::fail(
                check,
                format!("{url} cannot be reached: {}", chain(&error.without_url())),
                advice,
            );
        }
    };
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    if !status.is_success() {
        return Finding::fail(check, format!("{url} answers {status}"), advice);
    }
    match PKey::public_key_from_pem(text.as_bytes()) {
        Ok(key) if key.rsa().is_ok() && key.bits() >= 2048 => {
            Finding::ok(check, format!("RSA {} bits, from {url}", key.bits()))
        }
        _ => Finding::fail(
            check,
            format!("{url} answers something that is not an RSA public key in PEM"),
            advice,
        ),
    }
}

async fn auth(client: &Client) -> Finding {
    let check = "opencrvs auth";
    match client.check_auth(clock::now()).await {
        Ok(found) if !found.missing.is_empty() => Finding::fail(
            check,
            format!("the client lacks the scopes {}", found.missing.join(", ")),
            "give the integration client these scopes in OpenCRVS",
        ),
        Ok(found) if found.scopes.is_empty() => {
            Finding::ok(check, "nothing to try before a trigger brings its token")
        }
        Ok(found) => Finding::ok(check, format!("a token with {} scopes", found.scopes.len())),
        Err(error) => Finding::fail(check, error.to_string(), advice(&error)),
    }
}

/// Whether the OpenCRVS that runs is of the release line that the pack states.
fn release(there: Result<Option<Version>, CallError>, stated: Version) -> Finding {
    let check = "opencrvs release";
    match there {
        Ok(None) => {
            Finding::ok(check, "it cannot be told before a trigger brings its token, without a client")
        }
        Ok(Some(there)) if there == stated => {
            Finding::ok(check, format!("it behaves as {there}, which the pack states"))
        }
        Ok(Some(there)) => Finding::fail(
            check,
            format!("it behaves as {there}, and the pack states {stated}"),
            format!(
                "write `opencrvs: \"{there}\"` in country.yaml, and `mode: {}` in opencrvs.confirmation",
                match there {
                    Version::V1_9 => "trigger_token",
                    Version::V2_0 => "exchange",
                    Version::V2_1 => "client_credentials",
                }
            ),
        ),
        Err(error) => {
            Finding::warn(check, format!("it cannot be told whether it is {stated}: {error}"), advice(&error))
        }
    }
}

/// Whether lost triggers could be found.
async fn reading(patient: &Patient<'_>, client: &Client) -> Finding {
    let check = "opencrvs records";
    if !patient.config.opencrvs.reconcile.enabled {
        return Finding::warn(
            check,
            "`opencrvs.reconcile.enabled` is false: a record whose trigger is lost stays frozen, and nobody is told",
            "switch it on",
        );
    }
    match client.check_reading(clock::now()).await {
        Ok(()) if client.answers_unasked() => Finding::ok(check, "they can be searched and read"),
        Ok(()) => Finding::ok(check, "they can be searched; what is found can only be shown"),
        Err(error) if error.cause == Cause::NoCredentials => Finding::warn(
            check,
            "there is no client to search with: a record whose trigger is lost stays frozen, and nobody is told",
            "name an integration client with the scope recordsearch in opencrvs.confirmation.client_id",
        ),
        // The search went through, and in 1.9 no client may read.
        Err(error) if !client.answers_unasked() && error.call == "event.get" => {
            Finding::ok(check, "they can be searched; what is found can only be shown")
        }
        Err(error) => Finding::fail(
            check,
            error.to_string(),
            "give the integration client record.search and record.read for every event type of the pack",
        ),
    }
}

/// Whether what becomes of an operation can be noted in the record's history: who may perform the custom action, and
/// where there is one.
async fn notes(client: &Client, pack: &civitas_rules::Pack, action: &str) -> Vec<Finding> {
    const SCOPE: &str = "record.custom-action";
    let check = "opencrvs notes";
    let granted = match client.check_auth(clock::now()).await {
        Ok(found) if found.scopes.is_empty() => Finding::warn(
            check,
            "no system client with scopes of its own is configured: notes cannot be written",
            "name an integration client in opencrvs.confirmation, or take `history.custom_action` out of country.yaml",
        ),
        Ok(found) if !found.scopes.iter().any(|scope| scope == SCOPE) => Finding::fail(
            check,
            format!("the client lacks the scope {SCOPE}"),
            format!(
                "give the integration client `type={SCOPE}&event={}&customActionTypes={action}` in OpenCRVS",
                events(pack)
            ),
        ),
        Ok(_) => Finding::ok(check, format!("{action} may be performed")),
        Err(error) => Finding::fail(check, error.to_string(), advice(&error)),
    };
    let mut findings = vec![granted];
    for event in pack.noted_events() {
        let check = format!("custom action {action} of {event}");
        findings.push(match client.event_config(event, clock::now()).await {
            Ok(Some(config)) if config.custom_actions.contains(action) => Finding::ok(check, "it is there"),
            Ok(_) => Finding::warn(
                check,
                "the event configuration has no such action: its notes wait, and are given up after 30 days",
                format!("add the custom action {action} to the {event} event of the country configuration"),
            ),
            Err(error) => Finding::warn(
                check,
                format!("cannot be looked at: {error}"),
                "set `opencrvs.country_config_url`, whose /config/events lists the actions",
            ),
        });
    }
    findings
}

/// Whether somebody sees the records that wait: the workqueue that OpenCRVS's reference ships lists registrations alone.
async fn workqueues(client: &Client, pack: &civitas_rules::Pack) -> Finding {
    let check = "opencrvs workqueues";
    match client.workqueue_flags(clock::now()).await {
        Ok(flags) => unlisted(pack, &flags),
        Err(error) => Finding::warn(
            check,
            format!("cannot be looked at: {error}"),
            "set `opencrvs.country_config_url`, whose /config/workqueues lists them",
        ),
    }
}

fn unlisted(pack: &civitas_rules::Pack, flags: &std::collections::BTreeSet<String>) -> Finding {
    let check = "opencrvs workqueues";
    let wanted = pack.awaited_actions().into_iter().map(civitas_opencrvs::requested_flag);
    let missing: Vec<String> = wanted.filter(|flag| !flags.contains(flag)).collect();
    if missing.is_empty() {
        return Finding::ok(check, "records that wait are listed");
    }
    Finding::warn(
        check,
        format!("no workqueue lists records with {}: they wait unseen", missing.join(", ")),
        "add the flags to the workqueue of external validation, as country-config/opencrvs/src/workqueue.ts does",
    )
}

/// As a scope lists them.
fn events(pack: &civitas_rules::Pack) -> String {
    pack.noted_events().into_iter().collect::<Vec<_>>().join(",")
}

fn advice(error: &CallError) -> String {
    match error.class {
        Class::Unauthorised => {
            "the client or its secret is refused: refreshing a secret in OpenCRVS breaks the old \
            one; write the new one into opencrvs.confirmation.client_secret_file"
                .to_owned()
        }
        _ => error.advice().to_owned(),
    }
}

/// Whether the form has a field that is written. What a rule writes is left out where it does not.
async fn form(client: &Client, event: &str, field: &str, is_left_out: bool) -> Finding {
    let check = format!("field {field} in the {event} form");
    match client.event_config(event, clock::now()).await {
        Ok(Some(config)) if config.has_field(field) => Finding::ok(check, "it is there"),
        Ok(Some(_)) if is_left_out => Finding::warn(
            check,
            "the form has no such field; what a rule writes there is left out",
            format!(
                "add the field {field} to the {event} form of the country configuration, or take it out of `write` in rules.yaml"
            ),
        ),
        Ok(Some(_)) => Finding::fail(
            check,
            "the form has no such field; writing it would break each record that MOSIP answers",
            format!("add the hidden field {field} to the {event} form of the country configuration"),
        ),
        Ok(None) => Finding::fail(
            check,
            format!("this OpenCRVS has no event type {event}"),
            "correct the event types in the pack's country.yaml",
        ),
        Err(error) => Finding::warn(
            check,
            format!("cannot be looked at: {error}"),
            "set `opencrvs.country_config_url`, whose /config/events lists the forms",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The shipped pack, whose corrections may ask for a UIN and wait for it.
    fn pack() -> civitas_rules::Pack {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../country-config/farajaland");
        crate::pack::load(&root).unwrap()
    }

    #[test]
    fn r14_a_workqueue_that_misses_what_waits_is_said() {
        let flags = |list: &[&str]| list.iter().map(|flag| (*flag).to_owned()).collect::<BTreeSet<_>>();
        let reference = unlisted(&pack(), &flags(&["register:requested", "correction-requested"]));
        let text = format!("{reference:?}");
        assert!(text.contains("approve_correction:requested") && !text.contains("with register:"), "{text}");
        let whole = unlisted(&pack(), &flags(&["register:requested", "approve_correction:requested"]));
        assert!(format!("{whole:?}").contains("are listed"), "{whole:?}");
    }

    #[test]
    fn a_release_that_cannot_be_told_is_no_secret() {
        let error = CallError {
            call: "auth.token.exchange",
            class: Class::Unknown,
            cause: Cause::Server,
            status: Some(500),
            code: None,
            retry_after: None,
        };
        let told = release(Err(error), Version::V2_0);
        assert_eq!(told.verdict, Verdict::Warn);
        assert!(told.found.starts_with("it cannot be told whether it is 2.0: "), "{}", told.found);
        assert!(told.advice.is_some());
        assert_eq!(release(Ok(None), Version::V1_9).verdict, Verdict::Ok);
    }
}
