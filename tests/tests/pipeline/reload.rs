//! The country pack changed under a running `civitas serve`: by hand, by signal, by call, behind a symbolic link.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use civitas_journal::{Journal, JournalOptions, SealingKeys, deciders};
use civitas_sandbox::{Document, Sandbox, SandboxKeys, SandboxOptions};
use civitas_tests::{
    process::{EngineProcess, binary},
    stack::{clock, entropy, http, pack_files, write_pack},
    wait::until,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::*;

/// A rule for a step that the pack's rules and cases say nothing about.
const NEW_RULE: &str = "rules:
  - id: no-more-reloaded
    name: { en: No more of them, fr: Plus aucun }
    on: { event: birth, action: ARCHIVE }
    if: { child.name#firstname: { equals: Reloaded } }
    do: reject
    reason: { en: One was enough, fr: Un seul suffit }
";

struct World {
    sandbox: Sandbox,
    engine: EngineProcess,
    http: reqwest::Client,
    folder: TempDir,
    url: String,
    /// Where the pack's files lie.
    pack: PathBuf,
}

impl World {
    /// A running engine on a copy of the shipped pack.
    async fn start(watch: bool) -> World {
        World::settling(watch, "300 ms").await
    }

    /// The same; the folder must be quiet for so long.
    async fn settling(watch: bool, settle: &str) -> World {
        let folder = tempfile::Builder::new().prefix("civitas-reload-").tempdir().unwrap();
        let pack = folder.path().join("pack");
        write_pack(&pack_files("farajaland"), &pack);
        World::with(folder, pack.clone(), &pack, watch, settle).await
    }

    /// The same; the configuration may name another path to the pack.
    async fn with(folder: TempDir, pack: PathBuf, named: &Path, watch: bool, settle: &str) -> World {
        let client = http(Duration::from_secs(30));
        let keys = SandboxKeys::load_or_create(&folder.path().join("keys"), clock()()).unwrap();
        let options = SandboxOptions { keys: Some(keys), ..SandboxOptions::instant(7) };
        let sandbox = Sandbox::start(options, client.clone(), clock()).await.unwrap();
        let own = folder.path().join("own");
        civitas::commands::keys::write(&own, &["ada".to_owned(), "vera".to_owned()]).unwrap();
        for (name, secret) in [
            ("opencrvs.secret", "civitas-secret"),
            ("mosip.secret", "mosip-crvs1-client-secret"),
            ("partner.secret", "crvs_partner-secret"),
        ] {
            fs::write(own.join(name), secret).unwrap();
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap().to_string();
        drop(listener);
        let file = folder.path().join("civitas.yaml");
        let database = folder.path().join("journal.db");
        let reload = format!("{{ watch: {watch}, every: 100 ms, settle: {settle} }}");
        fs::write(&file, configuration(&sandbox, named, &database, &listen, &reload)).unwrap();
        let url = format!("http://{listen}");
        sandbox.opencrvs().set_country_config(&url);
        let mut engine = EngineProcess::start(&file, &url);
        engine.ready(&client).await;
        World { sandbox, engine, http: client, folder, url, pack }
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.pack.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    /// The status of the trigger of a birth's archiving, and its reason.
    async fn archived(&self, name: &str, number: u128) -> (u16, String) {
        let mut document = another("birth-register", number);
        document.actions[1].declaration["child.name"]["firstname"] = json!(name);
        "ARCHIVE".clone_into(&mut document.actions.last_mut().unwrap().kind);
        self.trigger(&document).await
    }

    /// The status of the trigger of a registration: 202 by the shipped rules.
    async fn registered(&self, number: u128) -> u16 {
        self.trigger(&another("birth-register", number)).await.0
    }

    async fn trigger(&self, document: &Document) -> (u16, String) {
        let (action, kind) = pending(document);
        let token = self.sandbox.opencrvs().trigger_token(document.id, action).await.unwrap();
        let path = format!("{}/trigger/events/{}/actions/{kind}", self.url, document.kind);
        let body = serde_json::to_vec(document).unwrap();
        let request = self.http.post(path).bearer_auth(token).header("content-type", "application/json");
        let reply = request.body(body).send().await.unwrap();
        let status = reply.status().as_u16();
        let body: Value = reply.json().await.unwrap();
        (status, body["reason"].as_str().unwrap_or_default().to_owned())
    }

    async fn health(&self) -> Value {
        let reply = self.http.get(format!("{}/health/ready", self.url)).send().await.unwrap();
        assert!(reply.status().is_success(), "a pack never makes the engine unready");
        reply.json::<Value>().await.unwrap()["ruleset"].clone()
    }

    /// Waits until the last attempt ended so; what health says then.
    async fn ended(&self, outcome: &str) -> Value {
        let is = || async { self.health().await["last_reload"]["outcome"] == outcome };
        until(&format!("the last attempt ended {outcome}"), is).await;
        self.health().await
    }

    fn token(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("own/{name}.token"))).unwrap().trim().to_owned()
    }

    async fn call(&self, name: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}/api/v1/pack/reload", self.url));
        let reply = request.bearer_auth(self.token(name)).json(&json!({"reason": "change 42"}));
        let reply = reply.send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    fn hang_up(&self) {
        let id = self.engine.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    }

    fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--config").arg(self.folder.path().join("civitas.yaml"));
        command.output().unwrap()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("civitas.log")).unwrap()
    }

    async fn journal(&self) -> Journal {
        let key = fs::read_to_string(self.folder.path().join("own/sealing.key")).unwrap();
        let url = format!("sqlite:{}", self.folder.path().join("journal.db").display());
        Journal::open(JournalOptions::new(url, SealingKeys::parse(&key.into()).unwrap()), entropy())
            .await
            .unwrap()
    }

    /// The reasons of audit leaves of this kind, with who.
    async fn leaves(&self, kind: &str) -> Vec<String> {
        let journal = self.journal().await;
        let mut reader = journal.read().await.unwrap();
        let found = civitas_journal::audit_leaves::page(&mut reader, 0, 10_000).await.unwrap();
        let leaves = found.iter().map(|stored| civitas_audit::Leaf::parse(&stored.body).unwrap());
        let of_kind = leaves.filter(|leaf| leaf.kind == kind);
        of_kind.map(|leaf| format!("{}: {}", leaf.actor, leaf.reason.unwrap_or_default())).collect()
    }
}

fn configuration(sandbox: &Sandbox, pack: &Path, database: &Path, listen: &str, reload: &str) -> String {
    let (opencrvs, mosip) = (sandbox.opencrvs().url(), sandbox.mosip().url());
    format!(
        "pack: {pack:?}
reload: {reload}
database: {{ url: 'sqlite:{database}', sealing_key_files: [own/sealing.key], subject_key_file: own/subject.key }}
server:
  listen: \"{listen}\"
  operators:
    - {{ name: vera, role: viewer, token_file: own/vera.token }}
    - {{ name: ada, role: admin, token_file: own/ada.token }}
opencrvs:
  gateway_url: {opencrvs}
  auth_url: {opencrvs}
  confirmation: {{ mode: exchange, client_id: civitas, client_secret_file: own/opencrvs.secret }}
mosip:
  gateway_url: {mosip}
  client_id: mosip-crvs1-client
  client_secret_file: own/mosip.secret
  center_id: \"10001\"
  machine_id: \"20042\"
  officer: crvs1
  websub:
    client: {{ client_id: crvs_partner, client_secret_file: own/partner.secret }}
    credential_topic: crvs_partner/CREDENTIAL_ISSUED
    callback_url: http://{listen}/websub/callback
    secret_file: own/hub.secret
",
        pack = pack.display().to_string(),
        database = database.display()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_rule_decides_the_next_event_and_a_broken_one_changes_nothing() {
    let world = World::start(true).await;
    let first = world.health().await["digest"].clone();
    assert_eq!(world.archived("Reloaded", 1).await.0, 200);

    world.edit("rules.yaml", "rules:\n", NEW_RULE);
    let second = world.ended("swapped").await["digest"].clone();
    assert_ne!(first, second);
    assert_eq!(world.archived("Reloaded", 2).await, (400, "One was enough".to_owned()));
    assert_eq!(world.registered(3).await, 202, "the other rules are still there");

    // Broken: what ran goes on, and the place is told.
    world.edit("rules.yaml", "child.name#firstname", "child.nam#firstname");
    let health = world.ended("invalid").await;
    assert_eq!(health["digest"], second);
    let problem = health["last_reload"]["problems"][0].as_str().unwrap().to_owned();
    assert!(problem.starts_with("rules.yaml:25:") && problem.contains("child.nam"), "{problem}");
    assert_eq!(world.archived("Reloaded", 4).await.0, 400);

    // It compiles, but the pack's own cases say that it is wrong.
    world.edit("rules.yaml", "child.nam#firstname", "child.name#firstname");
    world.ended("unchanged").await;
    world.edit("rules.yaml", "10 years", "9 years");
    let health = world.ended("cases_failed").await;
    let problem = health["last_reload"]["problems"][0].as_str().unwrap().to_owned();
    assert!(problem.starts_with("cases/birth.yaml:") && problem.contains("sentence.en differs"), "{problem}");
    assert_eq!((health["digest"].clone(), world.registered(5).await), (second, 202));

    // What only a restart may change.
    world.edit("rules.yaml", "9 years", "10 years");
    world.ended("unchanged").await;
    world.edit("country.yaml", "birth: \"B{yy}", "birth: \"Z{yy}");
    let health = world.ended("restart_needed").await;
    let problem = health["last_reload"]["problems"][0].as_str().unwrap().to_owned();
    assert!(
        problem.starts_with("country.yaml: ") && problem.contains("another registration number"),
        "{problem}"
    );

    // Mended, with the rule taken out again.
    world.edit("country.yaml", "birth: \"Z{yy}", "birth: \"B{yy}");
    world.ended("unchanged").await;
    world.edit("rules.yaml", NEW_RULE, "rules:\n");
    world.ended("swapped").await;
    assert_eq!((world.health().await["digest"].clone(), world.archived("Reloaded", 6).await.0), (first, 200));

    // Each refusal is one line in the log, and in the audit log; the metrics count.
    let log = world.log();
    assert_eq!(log.matches("country pack refused").count(), 3, "{log}");
    let metrics =
        world.http.get(format!("{}/metrics", world.url)).send().await.unwrap().text().await.unwrap();
    for (outcome, count) in
        [("swapped", 2), ("unchanged", 3), ("invalid", 1), ("cases_failed", 1), ("restart_needed", 1)]
    {
        let line = format!("civitas_pack_reloads_total{{outcome=\"{outcome}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    let running = world.health().await["digest"].as_str().unwrap().to_owned();
    assert!(metrics.contains(&format!("civitas_ruleset_info{{digest=\"{running}\"}} 1\n")), "{metrics}");
    let leaves = world.leaves("ruleset").await;
    assert_eq!((leaves[0].as_str(), leaves[1].as_str()), ("engine: start", "engine: watch"));
    assert!(leaves[2].starts_with("engine: watch; invalid at rules.yaml:25:"), "{leaves:?}");
    assert_eq!(leaves.len(), 9, "{leaves:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_change_is_not_taken_and_not_reported() {
    // The changes come much faster than the folder would have to be quiet for, on any machine.
    let world = World::settling(true, "5 s").await;
    // Meanwhile the pack is not only half, it is broken.
    let rules = fs::read_to_string(world.pack.join("rules.yaml")).unwrap();
    for _ in 0..3 {
        fs::remove_file(world.pack.join("rules.yaml")).unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        fs::write(world.pack.join("rules.yaml"), "version: 1\nrules: [").unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    fs::write(world.pack.join("rules.yaml"), rules.replacen("rules:\n", NEW_RULE, 1)).unwrap();
    let health = world.ended("swapped").await;
    assert_eq!(health["last_reload"]["problems"], Value::Null);
    assert!(!world.log().contains("refused"), "{}", world.log());
    assert_eq!(world.archived("Reloaded", 1).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_and_an_admins_call_take_the_pack_at_once_and_nobody_elses_does() {
    let world = World::start(false).await;
    let (status, body) = world.call("vera").await;
    assert_eq!((status, body["error"]["code"].as_str()), (403, Some("role_insufficient")));
    assert_eq!(world.leaves("denied").await, ["vera: pack reload: role_insufficient"]);

    world.edit("rules.yaml", "rules:\n", NEW_RULE);
    assert_eq!(world.archived("Reloaded", 1).await.0, 200, "nobody has said anything yet");
    world.hang_up();
    world.ended("swapped").await;
    assert_eq!(world.archived("Reloaded", 2).await.0, 400);

    let (status, body) = world.call("ada").await;
    assert_eq!(
        (status, body["outcome"].as_str(), body["actor"].as_str()),
        (200, Some("unchanged"), Some("ada"))
    );
    world.edit("rules.yaml", "One was enough", "Two were enough");
    let done = world.command(&["country", "reload", "--reason", "change 43"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && said.starts_with("swapped: "), "{said}{:?}", done.stderr);
    assert_eq!(world.archived("Reloaded", 3).await, (400, "Two were enough".to_owned()));

    world.edit("rules.yaml", "do: reject", "do: rejct");
    let (status, body) = world.call("ada").await;
    assert_eq!((status, body["error"]["code"].as_str()), (422, Some("pack_refused")));
    assert_eq!(body["attempt"]["problems"][0]["file"], "rules.yaml");
    let refused = world.command(&["country", "reload", "--as", "ada"]);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("  rules.yaml:"), "{said}");
    let denied = world.command(&["country", "reload", "--as", "vera"]);
    let said = String::from_utf8_lossy(&denied.stderr).into_owned();
    assert!(denied.status.code() == Some(3) && said.contains("vera is a viewer; this needs admin"), "{said}");
    assert_eq!(world.archived("Reloaded", 4).await, (400, "Two were enough".to_owned()));

    let leaves = world.leaves("ruleset").await;
    let start: Vec<&str> = leaves.iter().take(4).map(String::as_str).collect();
    let expected = [
        "engine: start",
        "engine: signal",
        "ada: operator: change 42; unchanged",
        "ada: operator: change 43",
    ];
    assert_eq!(start, expected);
    assert!(leaves[4].starts_with("ada: operator: change 42; invalid at rules.yaml:"), "{leaves:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_map_is_exchanged_behind_its_link() {
    let folder = tempfile::Builder::new().prefix("civitas-reload-").tempdir().unwrap();
    // As the kubelet mounts one: dated folders, `..data` for the current one, and a link per entry.
    let mount = folder.path().join("mount");
    let dated = |name: &str| mount.join(name);
    write_pack(&pack_files("farajaland"), &dated("..2026_06_01"));
    write_pack(&pack_files("farajaland"), &dated("..2026_06_02"));
    let link = |from: &str, to: &str| std::os::unix::fs::symlink(from, mount.join(to)).unwrap();
    link("..2026_06_01", "..data");
    for entry in fs::read_dir(dated("..2026_06_01")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        link(&format!("..data/{name}"), &name);
    }
    let world = World::with(folder, dated("..2026_06_02"), &mount, true, "300 ms").await;
    assert_eq!(world.archived("Reloaded", 1).await.0, 200);
    world.edit("rules.yaml", "rules:\n", NEW_RULE);
    std::os::unix::fs::symlink("..2026_06_02", mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    world.ended("swapped").await;
    assert_eq!(world.archived("Reloaded", 2).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_beside_a_broken_pack_goes_on_with_the_rule_set_that_ran() {
    let mut world = World::start(true).await;
    world.edit("rules.yaml", "rules:\n", NEW_RULE);
    let digest = world.ended("swapped").await["digest"].clone();
    world.engine.kill();
    world.edit("rules.yaml", "do: reject", "do: rejct");
    world.engine.restart();
    let client = world.http.clone();
    world.engine.ready(&client).await;
    let health = world.ended("invalid").await;
    assert_eq!(health["digest"], digest);
    assert_eq!(world.archived("Reloaded", 1).await.0, 400);
    let doctor = world.command(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("refused the pack in its folder: invalid"), "{said}");
    world.edit("rules.yaml", "do: rejct", "do: reject");
    world.ended("unchanged").await;

    // In a journal where nothing ever decided there is nothing to go on with.
    world.engine.kill();
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let _ = fs::remove_file(world.folder.path().join(file));
    }
    world.edit("cases/birth.yaml", "do: create_uin", "do: ignore");
    let refused = world.command(&["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("cannot be used") && said.contains("cases/birth.yaml:"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_decide_differently_see_each_other() {
    let world = World::start(false).await;
    let journal = world.journal().await;
    let digest = world.health().await["digest"].as_str().unwrap().to_owned();
    let mut reader = journal.read().await.unwrap();
    let here = deciders::live(&mut reader, jiff::Timestamp::MIN).await.unwrap();
    assert_eq!((here.len(), here[0].ruleset.as_str()), (1, digest.as_str()));
    // Another process, which runs what it found in a folder of its own.
    let other = civitas_journal::rule_sets::RuleSet {
        digest: "77aa".repeat(16),
        country: "FAR".to_owned(),
        canonical: "{}".to_owned(),
        loaded_at: clock()(),
    };
    let decider = deciders::Decider {
        instance: "civitas-1".to_owned(),
        ruleset: other.digest.clone(),
        since: clock()(),
        seen_at: clock()(),
        refused: None,
    };
    let written = journal.write(move |tx| {
        let (other, decider) = (other.clone(), decider.clone());
        Box::pin(async move {
            civitas_journal::rule_sets::insert(tx, &other).await?;
            deciders::put(tx, &decider).await
        })
    });
    written.await.unwrap();
    let request = world.http.get(format!("{}/api/v1/pack", world.url)).bearer_auth(world.token("vera"));
    let shown: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(shown["deciders"].as_array().unwrap().len(), 2, "{shown}");
    let doctor = world.command(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        said.contains("processes decide differently") && said.contains("civitas-1 runs 77aa77aa77aa"),
        "{said}"
    );
}
