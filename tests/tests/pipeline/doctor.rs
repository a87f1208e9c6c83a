//! `civitas doctor` beside a running engine: what works is said to work, and what fails is named with what to do.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use civitas_tests::{
    process::{EngineProcess, binary},
    stack::{http, pack_files, write_pack},
    wait::until,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// `civitas sandbox`, and `civitas serve` where it is served, started as a newcomer does.
struct Deployment {
    sandbox: Child,
    engine: Option<EngineProcess>,
    url: String,
    http: reqwest::Client,
    mosip: String,
    folder: TempDir,
    configuration: PathBuf,
}

/// What the doctor said: check → (verdict, found, advice).
type Said = BTreeMap<String, (String, String, String)>;

impl Deployment {
    /// With this release of OpenCRVS.
    async fn start(release: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("civitas-doctor-").tempdir().unwrap();
        let pack = folder.path().join("pack");
        write_pack(&pack_files("farajaland"), &pack);
        let free: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let [opencrvs, mosip, engine] = [0, 1, 2].map(|n: usize| free[n].local_addr().unwrap().to_string());
        drop(free);
        let url = format!("http://{engine}");
        let sandbox = Command::new(binary())
            .arg("sandbox")
            .arg(folder.path())
            .args(["--release", release])
            .args(["--opencrvs", &opencrvs, "--mosip", &mosip, "--engine", &url, "--pack"])
            .arg(&pack)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let configuration = folder.path().join("civitas.yaml");
        until("the sandbox has written a configuration", || async { configuration.exists() }).await;
        let mosip = format!("http://{mosip}");
        let http = http(Duration::from_secs(30));
        Self { sandbox, engine: None, url, http, mosip, folder, configuration }
    }

    /// Starts the engine.
    async fn serve(&mut self) {
        let engine = self.engine.insert(EngineProcess::start(&self.configuration, &self.url));
        engine.ready(&self.http).await;
    }

    /// What the doctor says, and whether all is well.
    fn examined(&self) -> (Said, bool) {
        let mut doctor = Command::new(binary());
        let run = doctor.args(["doctor", "--json", "--config"]).arg(&self.configuration).output().unwrap();
        let findings: Vec<Value> = serde_json::from_slice(&run.stdout).unwrap();
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let said = findings.iter().map(|finding| {
            let what = ["verdict", "found", "advice"].map(|key| text(finding, key));
            (text(finding, "check"), what.into())
        });
        let said: Said = said.collect();
        assert_eq!(said.len(), findings.len(), "two checks have one name: {findings:#?}");
        (said, run.status.success())
    }

    async fn strike(&self, route: &str, outage: &str) {
        let faults = json!({"routes": {route: {"outage": outage}}});
        let request = self.http.put(format!("{}/admin/faults", self.mosip)).json(&faults);
        assert!(request.send().await.unwrap().status().is_success());
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        drop(self.engine.take());
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

fn assert_said(said: &Said, check: &str, verdict: &str, found: &str) {
    let (given, what, advice) = said.get(check).unwrap_or_else(|| panic!("no {check} in {said:#?}"));
    assert!(given == verdict && what.contains(found), "{check}: {given}: {what}");
    assert_eq!(advice.is_empty(), verdict == "ok", "{check}: {advice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_beside_a_running_engine_names_what_fails_and_only_that() {
    let mut deployment = Deployment::start("2.0").await;
    deployment.serve().await;
    until("the hub has verified both subscriptions", || async {
        let (said, _) = deployment.examined();
        said.iter()
            .filter(|(check, (verdict, ..))| check.starts_with("hub subscription") && verdict == "ok")
            .count()
            == 2
    })
    .await;
    let (said, well) = deployment.examined();
    assert!(well, "{said:#?}");
    // The sandbox is a country that has not yet taken our workqueue over.
    let unwell: Vec<&String> = said.iter().filter(|(_, said)| said.0 != "ok").map(|(name, _)| name).collect();
    assert_eq!(unwell, ["opencrvs workqueues"], "{said:#?}");
    assert_said(&said, "opencrvs workqueues", "warn", "approve_correction:requested");
    assert_said(&said, "opencrvs release", "ok", "it behaves as 2.0");
    assert_said(&said, "id authentication", "ok", "it answers");
    assert_said(&said, "id authentication signing key", "ok", "until");
    assert_said(&said, "id authentication certificates", "ok", "1 in force");
    assert_said(&said, "e-signet", "ok", "keys that can be used");
    assert_said(&said, "e-signet discovery", "ok", "issuer and addresses");

    deployment.strike("mosip.ida", "unavailable").await;
    let (said, well) = deployment.examined();
    assert!(!well, "{said:#?}");
    assert_said(&said, "id authentication", "fail", "it answered 503");
    assert_said(&said, "e-signet", "ok", "keys that can be used");

    deployment.strike("mosip.esignet", "disconnect").await;
    let (said, well) = deployment.examined();
    assert!(!well, "{said:#?}");
    assert_said(&said, "id authentication", "ok", "it answers");
    assert_said(&said, "e-signet", "fail", "");
    assert_said(&said, "e-signet discovery", "warn", "no discovery document");

    deployment.strike("mosip.packetmanager", "off").await;
    deployment.edit(
        "civitas.yaml",
        "client_key_file: keys/esignet-client.jwk",
        "client_key_file: keys/ida-cert.pem",
    );
    deployment.edit(
        "pack/country.yaml",
        "version: 1\n",
        "version: 1\nhistory: { annotation: civitas.message, custom_action: ANOTHER_NOTE }\n",
    );
    let (said, well) = deployment.examined();
    assert!(!well, "{said:#?}");
    assert_said(&said, "e-signet", "fail", "is neither a JWK");
    assert_said(&said, "opencrvs notes", "ok", "may be performed");
    assert_said(&said, "custom action ANOTHER_NOTE of birth", "warn", "no such action");
}

/// What runs is detected, although pack and confirmation mode are meant for another release, and the advice is right.
async fn is_detected((release, mode): (&str, &str), (stated, configured): (&str, &str)) {
    let deployment = Deployment::start(release).await;
    let state = |from: &str, to: &str| {
        let line = |release: &str| format!("opencrvs: \"{release}\"");
        deployment.edit("pack/country.yaml", &line(from), &line(to));
    };
    let configure = |from: &str, to: &str| {
        deployment.edit("civitas.yaml", &format!("mode: {from}"), &format!("mode: {to}"));
    };
    state("2.0", stated);
    configure(mode, configured);
    let (said, well) = deployment.examined();
    assert!(!well);
    let found = format!("it behaves as {release}, and the pack states {stated}");
    assert_said(&said, "opencrvs release", "fail", &found);
    let advice = &said["opencrvs release"].2;
    assert!(advice.contains(&format!("`opencrvs: \"{release}\"`")), "{advice}");
    assert!(advice.contains(&format!("`mode: {mode}`")), "{advice}");
    state(stated, release);
    configure(configured, mode);
    let (said, _) = deployment.examined();
    assert_said(&said, "opencrvs release", "ok", &format!("it behaves as {release}"));
    assert_said(&said, "confirmation mode", "ok", release);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_release_of_opencrvs_is_detected_and_with_it_the_confirmation_mode() {
    let (v1_9, v2_0, v2_1) = (("1.9", "trigger_token"), ("2.0", "exchange"), ("2.1", "client_credentials"));
    for (there, stated) in [(v1_9, v2_0), (v2_0, v1_9), (v2_0, v2_1), (v2_1, v2_0)] {
        is_detected(there, stated).await;
    }
}
