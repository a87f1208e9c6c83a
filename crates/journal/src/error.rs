//! What can go wrong with the journal, without a row's content in any text.

use std::fmt;

use crate::SealError;

/// A read or write of the journal failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The URL or an option is not usable.
    #[error("the journal cannot be opened: {0}")]
    Configuration(String),
    /// Locked, dead-locked or unreachable, also after several attempts. Nothing was written; try again.
    #[error("the journal is busy or unreachable after {attempts} attempts; try again")]
    Busy {
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        source: DatabaseFault,
    },
    /// The connection broke while committing: what was written may or may not be durable. Writes are
    /// idempotent; repeat it.
    #[error("the connection to the journal broke during commit; repeat the write")]
    Uncertain(#[source] DatabaseFault),
    /// A unique value is taken by another row, also after several attempts.
    #[error("a unique value is taken: {what}")]
    Conflict {
        /// The constraint or the columns, as the database names them.
        what: String,
    },
    /// The database refused a statement.
    #[error("the database refused a statement")]
    Database(#[source] DatabaseFault),
    /// A sealed value cannot be sealed or opened.
    #[error("a sealed value cannot be used")]
    Seal(#[from] SealError),
    /// A stored value is outside of what the journal writes.
    #[error("column {column} holds a value that the journal does not write")]
    Corrupt {
        /// Column name.
        column: &'static str,
    },
    /// The migrations do not apply to this database.
    #[error("the journal's tables cannot be brought up to date: {0}")]
    Migration(String),
    /// The caller's own reason to abandon the write; everything it did is rolled back.
    #[error("the write was abandoned: {0}")]
    Abandoned(String),
    /// The write panicked, or the journal was closed meanwhile.
    #[error("the journal's writer is gone or the write panicked; nothing was written")]
    Interrupted,
}

impl JournalError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Uncertain(_) | Self::Interrupted => true,
            Self::Database(fault) => fault.attempts() > 1,
            _ => false,
        }
    }

    /// Whether repeating the transaction at once makes sense.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Database(fault) => fault.attempts() > 1,
            Self::Conflict { .. } => true,
            _ => false,
        }
    }

    /// Whether the connection is of no more use.
    pub(crate) fn breaks_connection(&self) -> bool {
        matches!(self, Self::Database(fault) if fault.is_connection())
    }
}

/// A failure as the database or its driver states it, without the row's values that some databases put into
/// the details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFault {
    /// SQLSTATE on PostgreSQL, extended result code on SQLite; absent for failures of connection or driver.
    pub code: Option<String>,
    /// What happened.
    pub message: String,
}

impl fmt::Display for DatabaseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{} (code {code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for DatabaseFault {}

impl DatabaseFault {
    /// No usable connection: I/O failed, the pool is exhausted or the server is going away.
    pub(crate) fn is_connection(&self) -> bool {
        self.code.as_deref().is_none_or(|code| code.starts_with("08") || code.starts_with("57P"))
    }

    /// A lock was not to be had, after the database itself had waited for it.
    fn is_lock(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        // SQLite: the primary result code is the low byte of the extended one. 5 busy, 6 locked.
        let sqlite = code.len() < 5 && code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6));
        sqlite || code == "55P03"
    }

    /// How often a transaction that fails like this is tried in all.
    pub(crate) fn attempts(&self) -> u32 {
        let code = self.code.as_deref().unwrap_or_default();
        if self.is_lock() {
            3
        } else if self.is_connection() || code.starts_with("40") || code.starts_with("53") {
            // Lost connection, serialisation failure or deadlock, exhausted resources.
            8
        } else {
            1
        }
    }
}

impl From<sqlx::Error> for JournalError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().map(std::borrow::Cow::into_owned);
                if error.is_unique_violation() {
                    let what =
                        error.constraint().map_or_else(|| unique_columns(error.message()), str::to_owned);
                    return Self::Conflict { what };
                }
                // Class 22 (data exception) quotes the offending value in its message.
                let message = if code.as_deref().is_some_and(|code| code.starts_with("22")) {
                    "a value does not fit its column".to_owned()
                } else {
                    error.message().to_owned()
                };
                Self::Database(DatabaseFault { code, message })
            }
            sqlx::Error::ColumnDecode { index, .. } => Self::Database(DatabaseFault {
                code: Some("decode".to_owned()),
                message: format!("column {index} has an unexpected type"),
            }),
            sqlx::Error::ColumnNotFound(name) => Self::Database(DatabaseFault {
                code: Some("decode".to_owned()),
                message: format!("column {name} is missing from a result"),
            }),
            sqlx::Error::Configuration(error) => Self::Configuration(error.to_string()),
            other => Self::Database(DatabaseFault { code: None, message: other.to_string() }),
        }
    }
}

/// SQLite names the columns in its message: `UNIQUE constraint failed: operations.aid`.
fn unique_columns(message: &str) -> String {
    message.rsplit(": ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: &str) -> JournalError {
        JournalError::Database(DatabaseFault { code: Some(code.to_owned()), message: String::new() })
    }

    #[test]
    fn locks_deadlocks_and_lost_connections_are_worth_repeating() {
        for code in ["5", "517", "6", "40001", "40P01", "55P03", "57P01", "08006"] {
            assert!(fault(code).is_retryable(), "{code}");
        }
        for code in ["1", "13", "787", "23503", "42P01", "22001", "decode"] {
            assert!(!fault(code).is_retryable(), "{code}");
        }
        assert!(fault("57P01").breaks_connection() && !fault("40001").breaks_connection());
    }

    #[test]
    fn a_pool_without_connections_is_a_matter_of_time() {
        assert!(JournalError::from(sqlx::Error::PoolTimedOut).is_transient());
        assert!(!JournalError::from(sqlx::Error::ColumnNotFound("x".into())).is_transient());
    }

    #[test]
    fn sqlite_names_the_columns_of_a_conflict() {
        assert_eq!(unique_columns("UNIQUE constraint failed: operations.aid"), "operations.aid");
    }
}
