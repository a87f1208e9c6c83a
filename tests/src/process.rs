//! The engine as its own process, to be killed at any point.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

use std::{
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::wait::until;

/// The binary beside the tests: `make` builds it before they run.
pub fn binary() -> PathBuf {
    let mut folder = std::env::current_exe().expect("this program has a path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let binary = folder.join("civitas");
    assert!(binary.exists(), "{} is missing: cargo build -p civitas", binary.display());
    binary
}

/// A running engine. Dropping it kills it.
pub struct EngineProcess {
    child: Child,
    config: PathBuf,
    log: PathBuf,
    url: String,
}

impl EngineProcess {
    /// Starts `civitas serve` with this configuration, listening at `url`. Its log goes beside the configuration.
    pub fn start(config: &Path, url: &str) -> Self {
        let log = config.with_extension("log");
        let child = spawn(config, &log);
        EngineProcess { child, config: config.to_owned(), log, url: url.to_owned() }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing is finished, nothing is said.
    pub fn kill(&mut self) {
        // It may have ended by itself; the next start says why.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again.
    pub fn restart(&mut self) {
        self.child = spawn(&self.config, &self.log);
    }

    /// Waits until it answers.
    pub async fn ready(&mut self, http: &reqwest::Client) {
        let address = format!("{}/health/live", self.url);
        let ended = std::cell::Cell::new(false);
        until("the engine answers", || {
            ended.set(self.child.try_wait().expect("the process can be asked").is_some());
            let answer = http.get(&address).send();
            let ended = ended.get();
            async move { ended || answer.await.is_ok_and(|answer| answer.status().is_success()) }
        })
        .await;
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        assert!(!ended.get(), "the engine ended: {tail:#?}");
    }
}

fn spawn(config: &Path, log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("a log file");
    let mut command = Command::new(binary());
    command.arg("serve").arg("--config").arg(config);
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("a second handle")).stderr(log);
    command.process_group(0);
    command.spawn().expect("the engine starts")
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
