//! `civitas doctor`: tries everything that the engine depends on, and says what to do about what fails.
//!
//! It changes nothing: it asks for tokens, reads keys, topics and tables, and sends nothing that MOSIP or OpenCRVS
//! would act on.

mod certificates;
mod clock;
mod database;
mod finding;
mod identity;
mod kafka;
mod keys;
mod mosip;
mod opencrvs;
mod pack;
mod rules;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use civitas_rules::Pack;
use clap::Args;

pub use finding::{Finding, Verdict, chain};

use crate::config::{self, Config, Layers};
use crate::{assembly, http};

/// Try everything that the engine depends on, and say what to do about what fails.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What the checks share.
struct Patient<'a> {
    config: &'a Config,
    http: reqwest::Client,
    pack: Option<Pack>,
}

/// Longest wait for one service.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs the command; fails if any check does.
pub async fn run(doctor: &Doctor, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let layers = Layers::of_process(file);
    let findings = match config::load(&layers) {
        Ok(config) => Box::pin(examine(&config, &layers)).await?,
        Err(problems) => vec![Finding::fail(
            "configuration",
            problems.to_string(),
            "mend it; `civitas config check` shows the same, and `civitas config default` what each key means",
        )],
    };
    if doctor.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        print!("{}", finding::table(&findings));
    }
    let failed = findings.iter().any(|finding| finding.verdict == Verdict::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn examine(config: &Config, layers: &Layers) -> anyhow::Result<Vec<Finding>> {
    let read = layers.path().map_or_else(|| "built-in default".to_owned(), |path| path.display().to_string());
    let mut findings =
        vec![Finding::ok("configuration", format!("{read}, instance {}", assembly::instance(config)))];
    let (pack, found) = pack::check(config);
    findings.extend(found);
    findings.extend(keys::check(config));
    let of_keys = config.clone();
    let certificates =
        tokio::task::spawn_blocking(move || certificates::check(&of_keys, crate::clock::now()));
    findings.extend(patiently("partner key", async { certificates.await.unwrap_or_default() }).await);
    let patient = Patient { config, http: http::client(PATIENCE)?, pack };
    let (database, kafka, opencrvs, mosip, identity, clocks) = tokio::join!(
        patiently("database", database::check(&patient)),
        patiently("kafka", kafka::check(&patient)),
        patiently("opencrvs", opencrvs::check(&patient)),
        patiently("mosip", mosip::check(&patient)),
        patiently("identity", identity::check(&patient)),
        patiently("clock", clocks(&patient)),
    );
    findings.extend([database, kafka, opencrvs, mosip, identity, clocks].into_iter().flatten());
    Ok(findings)
}

/// A service that hangs must not make the doctor hang.
async fn patiently(name: &str, check: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PATIENCE * 2, check).await.unwrap_or_else(|_| {
        vec![Finding::fail(
            name,
            "the checks did not end in time",
            "something takes connections and does not answer: look at the network and at that service's load",
        )]
    })
}

async fn clocks(patient: &Patient<'_>) -> Vec<Finding> {
    let mosip = assembly::mosip_endpoints(patient.config).auth;
    let opencrvs = patient.config.opencrvs.auth_url.as_str();
    let (mosip, opencrvs) = tokio::join!(
        clock::check(&patient.http, "mosip", &mosip, crate::clock::now),
        clock::check(&patient.http, "opencrvs", opencrvs, crate::clock::now),
    );
    let found: Vec<Finding> = [mosip, opencrvs].into_iter().flatten().collect();
    if found.is_empty() {
        let advice = "reach MOSIP or OpenCRVS first; their answers carry the time";
        return vec![Finding::warn("clock", "there is nothing to compare with", advice)];
    }
    found
}
