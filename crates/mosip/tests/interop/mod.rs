//! MOSIP's own Java classes open what we write, and we open what they write.
//!
//! The classes are those that MOSIP publishes, fetched by `install`, which also compiles what calls them (`java/`). Where
//! they cannot be had (no Maven, no Java compiler, no registry), each test says that it did not run, on standard error;
//! with `CIVITAS_INTEROP=required` it fails instead, and with `off` nothing is fetched.

mod credentials;
mod packets;

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use tempfile::TempDir;

const KEY: &[u8] = include_bytes!("../vectors/key.pem");
const CERTIFICATE: &[u8] = include_bytes!("../vectors/cert.pem");
const MACHINE: &[u8] = include_bytes!("../vectors/signing-key.pem");

/// What `install` answers where the classes cannot be had.
const NOT_TO_BE_HAD: i32 = 3;

/// A folder with keys and jobs, on which MOSIP's classes are let loose.
struct Bench {
    folder: TempDir,
    jobs: Vec<Value>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("civitas-interop-").tempdir().unwrap();
        let machine = openssl::pkey::PKey::private_key_from_pem(MACHINE).unwrap();
        fs::write(folder.path().join("registration.key"), KEY).unwrap();
        fs::write(folder.path().join("registration.crt"), CERTIFICATE).unwrap();
        fs::write(folder.path().join("machine.pub"), machine.public_key_to_pem().unwrap()).unwrap();
        Bench { folder, jobs: Vec::new() }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn job(&mut self, job: Value) {
        self.jobs.push(job);
    }

    /// One answer to each job, or `None` where the classes cannot be had.
    fn run(&self, test: &str) -> Option<Vec<Value>> {
        let class_path = class_path(test)?;
        let lines: Vec<String> = self.jobs.iter().map(Value::to_string).collect();
        fs::write(self.file("jobs.jsonl"), lines.join("\n")).unwrap();
        let ran = Command::new("java")
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", &class_path])
            .arg("org.civitas.interop.Main")
            .arg(self.folder.path())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(ran.status.success(), "MOSIP's classes: {}", String::from_utf8_lossy(&ran.stderr));
        let answers = fs::read_to_string(self.file("answers.jsonl")).unwrap();
        let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), self.jobs.len());
        Some(answers)
    }
}

fn class_path(test: &str) -> Option<String> {
    static ONCE: Mutex<Option<Result<String, String>>> = Mutex::new(None);
    let wish = std::env::var("CIVITAS_INTEROP").unwrap_or_default();
    let installed = if wish == "off" {
        Err("CIVITAS_INTEROP=off".to_owned())
    } else {
        let mut once = ONCE.lock().unwrap_or_else(PoisonError::into_inner);
        once.get_or_insert_with(install).clone()
    };
    match installed {
        Ok(class_path) => Some(class_path),
        Err(why) => {
            assert_ne!(wish, "required", "{test}: {why}");
            // Not by a macro, whose output the harness keeps to itself when a test passes.
            let notice = format!("\nNOT RUN: {test}, for want of MOSIP's own classes: {why}\n");
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
            None
        }
    }
}

fn install() -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/install");
    let ran = Command::new(script).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
    match ran.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned()),
        Some(NOT_TO_BE_HAD) => Err(said),
        _ => panic!("tests/interop/install: {said}"),
    }
}
