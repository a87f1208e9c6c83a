//! `civitas country reload`: the operator's call that has a running engine read its pack anew.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use civitas_engine::swap::Attempt;
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::commands::doctor::chain;
use crate::config::{self, BaseUrl, Config, FilePath, Layers, OperatorRole};
use crate::words::count;
use crate::{http, secrets};

/// Nobody could be asked: what runs is not known.
const NOT_ASKED: u8 = 3;

/// A pack of hundreds of rules compiles in milliseconds; a journal under load may take seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Have a running engine take the pack in its folder, without a restart.
///
/// Exit code: 0 the pack in the folder decides; 1 it was refused, and the rule set that ran goes on; 3 the engine
/// could not be asked.
#[derive(Debug, Args)]
pub struct Reload {
    /// Address of the engine, such as http://127.0.0.1:7080; without it, that of the configuration
    #[arg(long)]
    url: Option<String>,
    /// File with the token of an admin; without it, that of an admin in the configuration
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Which admin of the configuration asks; without it, the first
    #[arg(long = "as", value_name = "NAME", conflicts_with = "token_file")]
    name: Option<String>,
    /// Why, such as the change's number; goes into the audit log
    #[arg(long)]
    reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(reload: &Reload, file: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot start")?;
    match runtime.block_on(ask(reload, file)) {
        Ok(attempt) => {
            if reload.json {
                println!("{}", serde_json::to_string_pretty(&attempt)?);
            } else {
                print!("{}", text(&attempt));
            }
            Ok(if attempt.outcome.runs() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            Ok(ExitCode::from(NOT_ASKED))
        }
    }
}

async fn ask(reload: &Reload, file: Option<PathBuf>) -> anyhow::Result<Attempt> {
    let (url, token) = target(reload, file)?;
    let address = format!("{}/api/v1/pack/reload", url.trim_end_matches('/'));
    let body = serde_json::json!({ "reason": reload.reason });
    let request = http::client(PATIENCE)?.post(&address).bearer_auth(token.expose_secret()).json(&body);
    let answer = request.send().await.map_err(|error| {
        anyhow!("{address} cannot be asked: {}; does the engine run there?", chain(&error.without_url()))
    })?;
    let status = answer.status();
    let answer: Value =
        answer.json().await.map_err(|_| anyhow!("{address} answered {status}, but no Civitas does that"))?;
    // A refused pack comes as an error with the attempt in it.
    let attempt = answer.get("attempt").unwrap_or(&answer);
    if let Ok(attempt) = serde_json::from_value(attempt.clone()) {
        return Ok(attempt);
    }
    let part = |name: &str| answer["error"][name].as_str().unwrap_or("nothing").to_owned();
    bail!("{address} answered {}: {}; {}", status.as_u16(), part("message"), part("advice"))
}

/// Whom to ask, in whose name.
fn target(reload: &Reload, file: Option<PathBuf>) -> anyhow::Result<(String, SecretString)> {
    let named = reload.token_file.as_ref().map(|file| FilePath::from(file.clone()));
    let given = named.map(|file| secrets::text("--token-file", &file)).transpose()?;
    if let (Some(url), Some(token)) = (&reload.url, &given) {
        return Ok((url.clone(), token.clone()));
    }
    let config = config::load(&Layers::of_process(file)).map_err(|problems| {
        anyhow!(
            "the configuration names the engine and an admin, unless --url and --token-file do\n\n{problems}"
        )
    })?;
    let url = reload.url.clone().unwrap_or_else(|| {
        let public = config.server.public_url.as_ref().map(BaseUrl::as_str).map(str::to_owned);
        public.unwrap_or_else(|| format!("http://{}", here(&config)))
    });
    match given {
        Some(token) => Ok((url, token)),
        None => Ok((url, admin(&config, reload.name.as_deref())?)),
    }
}

/// Where an engine that listens everywhere is reached from this machine.
fn here(config: &Config) -> std::net::SocketAddr {
    let mut address = config.server.listen.0;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

fn admin(config: &Config, name: Option<&str>) -> anyhow::Result<SecretString> {
    let mut operators = config.server.operators.iter();
    let found = match name {
        Some(name) => operators
            .find(|operator| operator.name == name)
            .ok_or_else(|| anyhow!("`server.operators` has nobody called {name}"))?,
        None => operators.find(|operator| operator.role == OperatorRole::Admin).ok_or_else(|| {
            anyhow!("`server.operators` has no admin; add one, or name a token with --token-file")
        })?,
    };
    Ok(secrets::text("server.operators", &found.token_file)?)
}

fn text(attempt: &Attempt) -> String {
    let mut lines =
        vec![format!("{}: {}", attempt.outcome.as_str().replace('_', " "), attempt.outcome.sentence())];
    lines.extend(attempt.problems.iter().map(|problem| format!("  {problem}")));
    if attempt.more > 0 {
        lines.push(format!("  and {} more", attempt.more));
    }
    let cases = attempt.cases.filter(|_| attempt.outcome.runs());
    let cases = cases.map(|cases| format!(", {} passed", count(cases as u64, "case"))).unwrap_or_default();
    lines.push(format!("rule set {} decides{cases}\n", attempt.running));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use civitas_engine::swap::{Outcome, PackProblem, Took, Trigger};

    use super::*;

    fn attempt(outcome: Outcome) -> Attempt {
        Attempt {
            at: "2026-06-01T00:00:00Z".parse().unwrap(),
            trigger: Trigger::Operator,
            actor: "ada".into(),
            outcome,
            running: "5c1f".into(),
            found: None,
            problems: Vec::new(),
            more: 0,
            cases: Some(12),
            took: Took::default(),
        }
    }

    #[test]
    fn what_runs_is_said_last_and_what_is_wrong_at_its_place() {
        let expected =
            "swapped: the pack in the folder decides from now on\nrule set 5c1f decides, 12 cases passed\n";
        assert_eq!(text(&attempt(Outcome::Swapped)), expected);
        let place = PackProblem {
            file: "cases/birth.yaml".into(),
            line: 7,
            column: 0,
            code: None,
            message: "case `a`: do is none, not create_uin".into(),
        };
        let refused = Attempt { problems: vec![place], more: 1, ..attempt(Outcome::CasesFailed) };
        assert_eq!(
            text(&refused),
            "cases failed: the pack's own cases do not come out\n  cases/birth.yaml:7: case `a`: do is none, not \
             create_uin\n  and 1 more\nrule set 5c1f decides\n"
        );
    }
}
