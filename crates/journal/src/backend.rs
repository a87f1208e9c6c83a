//! The two databases, and everything in which they differ.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use crate::JournalError;
use crate::connection::{Connection, Readers};

/// Which database holds the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file, in write-ahead mode, with full durability.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

impl Backend {
    /// How a writing transaction begins: SQLite takes the write lock at once, so that no transaction has to
    /// be repeated because another one wrote in between.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// The one place in which query texts differ: on PostgreSQL several processes claim work at the same
    /// time and skip what another one is just taking; on SQLite there is one writer and no such clause.
    pub(crate) fn claiming(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }

    fn setup(self, role: Role) -> &'static str {
        match (self, role) {
            // What statements put aside meanwhile needs no file: each of many rows would open and unlink one.
            (Self::Sqlite, Role::Writer | Role::Migrator) => {
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768; \
                 PRAGMA temp_store = MEMORY"
            }
            (Self::Sqlite, Role::Reader) => "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON",
            // Every query of the journal has its index. Tables that grow by thousands of rows before their
            // statistics are taken would be read whole all the same, unless told otherwise.
            // A lock that is held for longer than ten seconds, and a transaction that was left open, are
            // failures of somebody else; they must not become ours.
            (Self::Postgres, Role::Writer) => {
                "SET synchronous_commit = on; SET lock_timeout = '10s'; \
                 SET idle_in_transaction_session_timeout = '60s'; SET enable_seqscan = off; SET jit = off"
            }
            // Waiting for another process's migration may take as long as that takes.
            (Self::Postgres, Role::Migrator) => "SET synchronous_commit = on",
            (Self::Postgres, Role::Reader) => {
                "SET default_transaction_read_only = on; SET enable_seqscan = off; SET jit = off"
            }
        }
    }
}

const CONNECT_ATTEMPTS: u32 = 40;
const CONNECT_PAUSE: Duration = Duration::from_millis(50);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
    Migrator,
}

/// How long a connection is taken to live since it was used last.
const TRUSTED: Duration = Duration::from_secs(1);

/// More than the journal has statements, so that each is prepared once per connection.
const STATEMENTS: usize = 256;

/// Where the journal lies, and how to get there.
#[derive(Clone)]
pub(crate) enum Target {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, JournalError> {
        // The texts of bulk statements are long, and their rows say nothing about a problem: they are not logged.
        if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = sqlite_url(url)?.parse().map_err(unparsable)?;
            let options = options.statement_cache_capacity(STATEMENTS);
            Ok(Self::Sqlite(options.disable_statement_logging()))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options: PgConnectOptions = url.parse().map_err(unparsable)?;
            let options = options.statement_cache_capacity(STATEMENTS);
            Ok(Self::Postgres(options.disable_statement_logging()))
        } else {
            Err(JournalError::Configuration("the URL must begin with sqlite: or postgres:".to_owned()))
        }
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// Connections for reading, opened when needed.
    pub(crate) fn readers(&self, most: u32) -> Readers {
        match self {
            Self::Sqlite(options) => Readers::Sqlite(
                SqlitePoolOptions::new()
                    .max_connections(most)
                    // Unlike a server, a file is not restarted and leaves no dead connections behind.
                    .test_before_acquire(false)
                    .after_connect(|connection, _| Box::pin(prepare_sqlite(connection, Role::Reader)))
                    .connect_lazy_with(options.clone()),
            ),
            Self::Postgres(options) => Readers::Postgres(
                PgPoolOptions::new()
                    .max_connections(most)
                    .test_before_acquire(false)
                    .before_acquire(|connection, use_so_far| {
                        Box::pin(async move {
                            // A server that was restarted leaves dead connections behind. One that was used a
                            // moment ago is not asked each time: that would double the way to every row.
                            if use_so_far.idle_for >= TRUSTED {
                                connection.ping().await?;
                            }
                            Ok(true)
                        })
                    })
                    .after_connect(|connection, _| Box::pin(prepare_postgres(connection, Role::Reader)))
                    .connect_lazy_with(options.clone()),
            ),
        }
    }

    /// Opens a connection. SQLite answers "busy" at once, without waiting, when several processes switch a
    /// new file to write-ahead mode at the same moment; so this is tried again for a while.
    pub(crate) async fn connect(&self, role: Role) -> Result<Connection, JournalError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.connect_once(role).await {
                Ok(connection) => return Ok(connection),
                Err(error) => JournalError::from(error),
            };
            match error {
                error if !error.is_retryable() => return Err(error),
                JournalError::Database(source) if attempts == CONNECT_ATTEMPTS => {
                    return Err(JournalError::Busy { attempts, source });
                }
                _ => tokio::time::sleep(CONNECT_PAUSE).await,
            }
        }
    }

    async fn connect_once(&self, role: Role) -> Result<Connection, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(options) => {
                let mut connection = SqliteConnection::connect_with(options).await?;
                prepare_sqlite(&mut connection, role).await?;
                Connection::Sqlite(connection)
            }
            Self::Postgres(options) => {
                let mut connection = PgConnection::connect_with(options).await?;
                prepare_postgres(&mut connection, role).await?;
                Connection::Postgres(connection)
            }
        })
    }
}

/// Sets what the URL cannot say.
async fn prepare_sqlite(connection: &mut SqliteConnection, role: Role) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(Backend::Sqlite.setup(role)).execute(connection).await?;
    Ok(())
}

async fn prepare_postgres(connection: &mut PgConnection, role: Role) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(Backend::Postgres.setup(role)).execute(connection).await?;
    Ok(())
}

/// The URL may hold a password: it is not repeated in the error.
fn unparsable(_: sqlx::Error) -> JournalError {
    JournalError::Configuration("the database URL cannot be parsed".to_owned())
}

/// A file that does not exist yet is created; an in-memory database is refused, since each connection would
/// see one of its own.
fn sqlite_url(url: &str) -> Result<String, JournalError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(JournalError::Configuration(
            "an in-memory SQLite database cannot hold a journal; name a file".to_owned(),
        ));
    }
    Ok(with_parameter(url, "mode", "rwc"))
}

/// Adds a query parameter unless the URL has it.
fn with_parameter(url: &str, name: &str, value: &str) -> String {
    match url.split_once('?') {
        Some((_, query)) if query.split('&').any(|pair| pair.split('=').next() == Some(name)) => {
            url.to_owned()
        }
        Some(_) => format!("{url}&{name}={value}"),
        None => format!("{url}?{name}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_their_backend() {
        assert_eq!(Target::parse("sqlite:data/journal.db").unwrap().backend(), Backend::Sqlite);
        assert_eq!(Target::parse("postgres://civitas@db/civitas").unwrap().backend(), Backend::Postgres);
    }

    #[test]
    fn unusable_urls_are_refused_without_repeating_them() {
        for url in ["mysql://u:hunter2@h/d", "sqlite::memory:", "postgres://u:hunter2@:x/d"] {
            let error = Target::parse(url).err().expect(url).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn parameters_are_added_once() {
        assert_eq!(with_parameter("sqlite:a", "mode", "rwc"), "sqlite:a?mode=rwc");
        assert_eq!(with_parameter("sqlite:a?mode=ro", "mode", "rwc"), "sqlite:a?mode=ro");
        assert_eq!(with_parameter("p:a?x=1", "mode", "rwc"), "p:a?x=1&mode=rwc");
    }
}
