//! The journal: reachable, at the version of this build, readable with our keys, and the hub's subscriptions in it.

use civitas_engine::queue::{Filter, Queue};
use civitas_journal::subscriptions::{self, Subscription, SubscriptionState};
use civitas_journal::{Backend, Journal};
use jiff::Timestamp;

use super::{Finding, Patient, chain};
use crate::words::ago;
use crate::{assembly, clock};

pub(super) async fn check(patient: &Patient<'_>) -> Vec<Finding> {
    let journal = match assembly::connect_journal(patient.config).await {
        Ok(journal) => journal,
        Err(error) => {
            let found = format!("the journal cannot be opened: {error:#}");
            return vec![Finding::fail("database", found, to_open(patient))];
        }
    };
    let findings = examine(patient, &journal).await;
    journal.close().await;
    findings
}

fn to_open(patient: &Patient<'_>) -> &'static str {
    let database = &patient.config.database;
    let sqlite = database.url.as_deref().is_some_and(|url| url.starts_with("sqlite:"));
    if sqlite && database.url_file.is_none() {
        return "check the path in `database.url`: its folder must exist, and this user must be able to write there; \
                and the key files of `database`";
    }
    "check `database.url` or `url_file`, that the server runs, and that its user may create tables; and the key files \
     of `database`"
}

async fn examine(patient: &Patient<'_>, journal: &Journal) -> Vec<Finding> {
    let name = match journal.backend() {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    let queue = Queue::new(journal.clone(), assembly::clock());
    let rows = match queue.list(&Filter { limit: 1, ..Filter::default() }).await {
        Ok(rows) => rows,
        Err(error) => return vec![unreadable(name, &chain(&error))],
    };
    let mut findings = vec![Finding::ok("database", format!("{name}, tables readable"))];
    findings.extend(sealed(&queue).await);
    if let Some(oldest) = rows.first() {
        let waits = ago(oldest.since, clock::now());
        findings.push(Finding::ok("queue", format!("{} has waited longest: {waits}", oldest.tracking_id)));
    }
    findings.push(super::rules::check(patient, &queue).await);
    findings.extend(hub(patient, journal).await);
    findings.extend(circuits(&queue).await);
    findings
}

/// Services that a running process leaves alone at present.
async fn circuits(queue: &Queue) -> Vec<Finding> {
    let Ok(outside) = queue.outside().await else { return Vec::new() };
    let each = outside.services.into_iter().map(|service| {
        let since = ago(service.since, clock::now());
        let how = match service.circuit.as_str() {
            "recovering" => "comes back slowly",
            _ => "is left alone, since it fails",
        };
        Finding::fail(
            format!("circuit of {}", service.service),
            format!("{how}, for {since}, by {}", service.instance),
            "mend that service or the way to it; what is meant for it is parked and goes on by itself, oldest first",
        )
    });
    each.collect()
}

/// Whether our keys open what the journal holds: the newest record is tried.
async fn sealed(queue: &Queue) -> Option<Finding> {
    let check = "sealed rows";
    let tried = async {
        let Some(last) = queue.overview(1).await?.decisions.pop() else { return Ok(false) };
        queue.show(&last.event_id.to_string()).await.map(|found| found.is_some())
    };
    match tried.await {
        Ok(false) => None,
        Ok(true) => Some(Finding::ok(check, "the newest record opens with our keys")),
        Err(error) => Some(Finding::fail(
            check,
            chain(&error),
            "list the key that they were sealed with in `database.sealing_key_files`, after the current one",
        )),
    }
}

fn unreadable(name: &str, why: &str) -> Finding {
    let advice =
        "run `civitas migrate`, or start `civitas serve`: both make the tables and bring them up to date";
    // What SQLite and PostgreSQL say of a table that was never made.
    if why.contains("no such table") || why.contains("does not exist") {
        return Finding::warn(
            "database",
            format!("{name} answers; the journal's tables are not made yet"),
            advice,
        );
    }
    Finding::fail("database", format!("{name} answers, but the tables cannot be read: {why}"), advice)
}

async fn hub(patient: &Patient<'_>, journal: &Journal) -> Vec<Finding> {
    let known = async {
        let mut reader = journal.read().await?;
        subscriptions::all(&mut reader).await
    };
    let known = match known.await {
        Ok(known) => known,
        Err(error) => {
            return vec![Finding::fail("hub subscription", chain(&error), "run `civitas migrate`")];
        }
    };
    let websub = &patient.config.mosip.websub;
    let topics = std::iter::once(&websub.credential_topic).chain(&websub.completed_topic);
    let callback = websub.callback_url.as_str();
    topics
        .map(|topic| {
            let row = known.iter().find(|row| row.topic == *topic);
            subscription(topic, callback, row, clock::now())
        })
        .collect()
}

fn subscription(topic: &str, callback: &str, row: Option<&Subscription>, now: Timestamp) -> Finding {
    let check = format!("hub subscription {topic}");
    let Some(row) = row else {
        return Finding::warn(
            check,
            "never asked for",
            "`civitas serve` with the reconciler asks for it at its start; start it, then look again",
        );
    };
    if row.callback != callback {
        let found = format!("asked for with another callback, {}", row.callback);
        return Finding::warn(check, found, "the next start of `civitas serve` asks with the configured one");
    }
    if let Some(since) = row.silent_since {
        let found =
            format!("silent for {}: {} answers that MOSIP gave did not come", ago(since, now), row.missed);
        return Finding::fail(
            check,
            found,
            format!(
                "what is missing is polled and retriggered meanwhile; have MOSIP look at its hub, and check that it \
                 reaches {callback}"
            ),
        );
    }
    match row.state {
        SubscriptionState::Left | SubscriptionState::Lost => Finding::warn(
            check,
            "its secret is being changed at the hub",
            "nothing to do while `civitas serve` runs: it is subscribed to anew within minutes",
        ),
        SubscriptionState::Verified => {
            let when = row.verified_at.map(|at| format!(", last {} ago", ago(at, now))).unwrap_or_default();
            Finding::ok(check, format!("verified{when}"))
        }
        SubscriptionState::Requested => Finding::warn(
            check,
            format!("asked for {} ago, not verified by the hub", ago(row.requested_at, now)),
            format!("the hub must reach {callback}: check the address, the network between, and TLS"),
        ),
        SubscriptionState::Denied => Finding::fail(
            check,
            format!("denied: {}", row.cause.as_deref().unwrap_or("no reason was given")),
            "check the roles SUBSCRIBE_… of mosip.websub.client, and that the topic begins with its partner id",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Verdict;

    #[test]
    fn a_subscription_is_judged_by_what_the_hub_said_last() {
        let now: Timestamp = "2026-06-01T10:00:00Z".parse().unwrap();
        let row = |state, cause: Option<&str>| {
            let mut row = Subscription::new(
                "crvs/CREDENTIAL_ISSUED",
                "http://us/websub/callback",
                "2026-06-01T09:50:00Z".parse().unwrap(),
            );
            row.state = state;
            row.cause = cause.map(str::to_owned);
            row.verified_at = Some("2026-06-01T09:55:00Z".parse().unwrap());
            row
        };
        let of = |row: Option<&Subscription>, callback| subscription("t", callback, row, now);
        let us = "http://us/websub/callback";
        assert_eq!(of(None, us).verdict, Verdict::Warn);
        assert_eq!(of(Some(&row(SubscriptionState::Verified, None)), us).found, "verified, last 5 min ago");
        let waiting = of(Some(&row(SubscriptionState::Requested, None)), us);
        assert_eq!(
            (waiting.verdict, waiting.found.as_str()),
            (Verdict::Warn, "asked for 10 min ago, not verified by the hub")
        );
        let denied = of(Some(&row(SubscriptionState::Denied, Some("no role"))), us);
        assert_eq!((denied.verdict, denied.found.as_str()), (Verdict::Fail, "denied: no role"));
        assert_eq!(of(Some(&row(SubscriptionState::Verified, None)), "http://new/").verdict, Verdict::Warn);
        let mut silent = row(SubscriptionState::Verified, None);
        (silent.silent_since, silent.missed) = (Some("2026-06-01T07:00:00Z".parse().unwrap()), 4);
        let silent = of(Some(&silent), us);
        assert_eq!(silent.verdict, Verdict::Fail);
        assert_eq!(silent.found, "silent for 3 h 0 min: 4 answers that MOSIP gave did not come");
    }
}
