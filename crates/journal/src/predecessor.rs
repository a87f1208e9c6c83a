//! The table of mosip-api, read when its open transactions are taken over: a SQLite file of its own, opened for reading
//! only.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::Private;

/// A packet that was sent and whose answer is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// MOSIP's registration id: a prefix and ten random digits.
    pub id: String,
    /// The bearer token of the trigger.
    pub token: Private,
    /// The certificate number.
    pub registration_number: String,
    /// When it was sent; none where the text is no time.
    pub created_at: Option<Timestamp>,
}

/// Why the file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PredecessorError {
    /// It cannot be opened, or is no SQLite file.
    #[error("the file of mosip-api cannot be opened as a SQLite database")]
    Open(#[source] sqlx::Error),
    /// It has not the table `transactions` with the columns id, token, registration_number and created_at.
    #[error("the file has no table `transactions` as mosip-api keeps it")]
    Table(#[source] sqlx::Error),
}

/// Every open transaction, oldest first.
pub async fn transactions(file: &Path) -> Result<Vec<Transaction>, PredecessorError> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).create_if_missing(false);
    let mut connection = options.connect().await.map_err(PredecessorError::Open)?;
    let rows = sqlx::query(
        "SELECT CAST(id AS TEXT) AS id, CAST(token AS TEXT) AS token, \
         CAST(registration_number AS TEXT) AS registration_number, CAST(created_at AS TEXT) AS created_at \
         FROM transactions ORDER BY created_at, id",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(PredecessorError::Table)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let text = |column: &str| row.try_get::<String, _>(column).map_err(PredecessorError::Table);
        found.push(Transaction {
            id: text("id")?,
            token: Private::from(text("token")?),
            registration_number: text("registration_number")?,
            created_at: row
                .try_get::<Option<String>, _>("created_at")
                .ok()
                .flatten()
                .as_deref()
                .and_then(instant),
        });
    }
    // What was read is read; a file that does not close well changes nothing.
    let _ = connection.close().await;
    Ok(found)
}

/// An instant in any of the forms in which SQLite and JavaScript write one; without a zone it is UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        // Seconds until the year 5138, milliseconds beyond.
        let seconds = if number.abs() > 100_000_000_000 { number / 1000 } else { number };
        return Timestamp::from_second(seconds).ok();
    }
    let civil = || text.replace(' ', "T").parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|zoned| zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_in_each_form() {
        let expected: Timestamp = "2026-05-01T10:00:00Z".parse().unwrap();
        for text in ["2026-05-01 10:00:00", "2026-05-01T10:00:00.000Z", "1777629600", "1777629600000"] {
            assert_eq!(instant(text), Some(expected), "{text}");
        }
        assert_eq!(instant("yesterday"), None);
    }
}
