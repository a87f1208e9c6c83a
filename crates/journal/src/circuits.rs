//! Table `circuits`: the services of MOSIP that a process leaves alone, because they fail. Circuits live in the
//! memory of each process; here the others, the pages and the doctor see them.

use jiff::Timestamp;

use crate::sql::{Args, Columns};
use crate::{JournalError, Session, Tx};

/// One service, as one process finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    /// Name of the process.
    pub instance: String,
    /// The service.
    pub service: String,
    /// `open`, `half_open` or `recovering`.
    pub circuit: String,
    /// When it opened.
    pub since: Timestamp,
    /// Until when nothing is sent.
    pub until: Option<Timestamp>,
    /// When the process last said so.
    pub seen_at: Timestamp,
}

/// Says how a process finds a service.
pub async fn put(tx: &mut Tx, circuit: &Circuit) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(&*circuit.instance).text(&*circuit.service).text(&*circuit.circuit);
    args.at(circuit.since).opt_at(circuit.until).at(circuit.seen_at);
    tx.execute(
        "INSERT INTO circuits (instance, service, circuit, since, until, seen_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (instance, service) DO UPDATE SET circuit = excluded.circuit, since = excluded.since, \
         until = excluded.until, seen_at = excluded.seen_at",
        args,
    )
    .await?;
    Ok(())
}

/// The service is well again for this process.
pub async fn remove(tx: &mut Tx, instance: &str, service: &str) -> Result<(), JournalError> {
    let mut args = Args::new();
    args.text(instance).text(service);
    tx.execute("DELETE FROM circuits WHERE instance = $1 AND service = $2", args).await?;
    Ok(())
}

/// Takes out what nobody has confirmed since: its process was killed.
pub async fn forget(tx: &mut Tx, unseen_since: Timestamp) -> Result<u64, JournalError> {
    let mut args = Args::new();
    args.at(unseen_since);
    tx.execute("DELETE FROM circuits WHERE seen_at < $1", args).await
}

/// All that some process has confirmed since, by service and process.
pub async fn live(session: &mut Session, seen_since: Timestamp) -> Result<Vec<Circuit>, JournalError> {
    let mut args = Args::new();
    args.at(seen_since);
    session
        .rows(
            "SELECT instance, service, circuit, since, until, seen_at FROM circuits WHERE seen_at >= $1 \
             ORDER BY service, instance",
            args,
        )
        .await?
        .iter()
        .map(|row| {
            Ok(Circuit {
                instance: row.text("instance")?,
                service: row.text("service")?,
                circuit: row.text("circuit")?,
                since: row.at("since")?,
                until: row.opt_at("until")?,
                seen_at: row.at("seen_at")?,
            })
        })
        .collect()
}
