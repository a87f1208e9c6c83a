//! The tables, brought up to date at start.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection as _, SqlSafeStr as _};

use crate::JournalError;
use crate::backend::{Role, Target};
use crate::connection::Driver;

pub(crate) const TEXTS: [(i64, &str, &str); 10] = [
    (1, "journal", include_str!("../migrations/0001_journal.sql")),
    (2, "swap", include_str!("../migrations/0002_swap.sql")),
    (3, "operations", include_str!("../migrations/0003_operations.sql")),
    (4, "data_shares", include_str!("../migrations/0004_data_shares.sql")),
    (5, "ears", include_str!("../migrations/0005_ears.sql")),
    (6, "sightings", include_str!("../migrations/0006_sightings.sql")),
    (10, "backfill", include_str!("../migrations/0010_backfill.sql")),
    (11, "declared", include_str!("../migrations/0011_declared.sql")),
    (12, "notes", include_str!("../migrations/0012_notes.sql")),
    (13, "work", include_str!("../migrations/0013_work.sql")),
];

/// Applies what is missing. Several processes may do so at once: PostgreSQL's migrator takes an advisory
/// lock; SQLite's takes none, so there everything happens inside one transaction that holds the write lock.
pub(crate) async fn run(target: &Target) -> Result<(), JournalError> {
    let migrations = TEXTS.map(|(version, name, text)| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, text.into_sql_str(), false)
    });
    let migrator = Migrator::with_migrations(migrations.to_vec());
    let mut connection = target.connect(Role::Migrator).await?;
    match connection.driver() {
        Driver::Sqlite(connection) => {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            migrator.run(&mut *tx).await.map_err(failed)?;
            tx.commit().await?;
        }
        Driver::Postgres(connection) => migrator.run(connection).await.map_err(failed)?,
    }
    connection.close().await?;
    Ok(())
}

fn failed(error: MigrateError) -> JournalError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => JournalError::Migration(other.to_string()),
    }
}
