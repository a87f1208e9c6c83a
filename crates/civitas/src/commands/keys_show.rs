//! `civitas keys show`: the certificates in use, and how long they last.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

use civitas_mosip::keys::{Certificate, standings};
use jiff::Timestamp;

use crate::config::{self, Layers};
use crate::partner_keys::{self, Named, Purpose};
use crate::{clock, words};

/// Show the certificates in use: whom they name, their thumbprints, and how long they last.
#[derive(Debug, Args)]
pub struct Show {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One certificate.
#[derive(Debug, Serialize)]
struct Row {
    purpose: &'static str,
    subject: String,
    thumbprint: String,
    not_after: Timestamp,
    days_left: i64,
    standing: &'static str,
    place: String,
}

/// Runs the command. No token is asked.
pub fn run(show: &Show, file: Option<PathBuf>) -> anyhow::Result<()> {
    let config = config::load(&Layers::of_process(file)).map_err(|problems| anyhow!("{problems}"))?;
    let (now, warn) = (clock::now(), config.mosip.certificate_warning.0);
    let of = |named: Vec<Named>| -> Vec<Row> {
        let certificates: Vec<&Certificate> = named.iter().map(|named| &named.certificate).collect();
        let standings = standings(&certificates, now, warn);
        named.iter().zip(standings).map(|(named, standing)| row(named, standing.as_str(), now)).collect()
    };
    let mut rows = of(partner_keys::partner_certificates(&config)?);
    rows.extend(of(partner_keys::signing_certificates(&config)?));
    if show.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", text(&rows));
    }
    Ok(())
}

fn row(named: &Named, standing: &'static str, now: Timestamp) -> Row {
    let Named { purpose, place, certificate } = named;
    Row {
        purpose: purpose.as_str(),
        subject: certificate.subject.clone(),
        thumbprint: certificate.thumbprint.clone(),
        not_after: certificate.not_after,
        days_left: certificate.days_left(now),
        standing,
        place: place.clone(),
    }
}

fn text(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "No certificate is configured: see mosip.partner.keys and mosip.signing_certificate_files.\n"
            .to_owned();
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(vec!["whose", "subject", "valid until", "", "thumbprint (SHA-256)", "where"]);
    for row in rows {
        let left = match row.standing {
            "valid" | "ends_soon" => words::count(row.days_left.unsigned_abs(), "day"),
            other => other.replace('_', " "),
        };
        let whose = if row.purpose == Purpose::Partner.as_str() { "ours" } else { "MOSIP's" };
        let until = words::instant(row.not_after);
        table.add_row(vec![whose, &row.subject, &until, &left, &row.thumbprint, &row.place]);
    }
    format!("{}\n", table.trim_fmt())
}
