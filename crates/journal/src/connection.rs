//! A connection to either database, and the rows that it returns: the one place that knows both drivers.
//!
//! sqlx's own common driver (`Any`) copies every value of every row twice and describes each column anew; with some
//! twenty statements per record that was a tenth of the engine's work.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow};
use sqlx::{Connection as _, Postgres, Row as _, SqlSafeStr, Sqlite};

use crate::sql::Args;

/// An open connection.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    PooledSqlite(PoolConnection<Sqlite>),
    PooledPostgres(PoolConnection<Postgres>),
}

/// A connection, wherever it is kept.
pub(crate) enum Driver<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Connection {
    pub(crate) fn driver(&mut self) -> Driver<'_> {
        match self {
            Self::Sqlite(connection) => Driver::Sqlite(connection),
            Self::PooledSqlite(connection) => Driver::Sqlite(connection),
            Self::Postgres(connection) => Driver::Postgres(connection),
            Self::PooledPostgres(connection) => Driver::Postgres(connection),
        }
    }

    /// Runs a statement and takes all rows that it returns.
    pub(crate) async fn rows(&mut self, sql: impl SqlSafeStr, args: Args) -> Result<Vec<Row>, sqlx::Error> {
        Ok(match self.driver() {
            Driver::Sqlite(connection) => {
                let rows = sqlx::query_with(sql, args.into_sqlite()?).fetch_all(connection).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Driver::Postgres(connection) => {
                let rows = sqlx::query_with(sql, args.into_postgres()?).fetch_all(connection).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs a statement that returns no rows; how many it changed.
    pub(crate) async fn execute(&mut self, sql: impl SqlSafeStr, args: Args) -> Result<u64, sqlx::Error> {
        Ok(match self.driver() {
            Driver::Sqlite(connection) => {
                sqlx::query_with(sql, args.into_sqlite()?).execute(connection).await?.rows_affected()
            }
            Driver::Postgres(connection) => {
                sqlx::query_with(sql, args.into_postgres()?).execute(connection).await?.rows_affected()
            }
        })
    }

    /// Runs statements without arguments and without preparing them.
    pub(crate) async fn raw(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self.driver() {
            Driver::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
            Driver::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
        }
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
            Self::PooledSqlite(connection) => connection.close().await,
            Self::PooledPostgres(connection) => connection.close().await,
        }
    }
}

/// Connections for reading, opened when needed.
#[derive(Clone)]
pub(crate) enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Readers {
    pub(crate) async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Connection::PooledSqlite(pool.acquire().await?),
            Self::Postgres(pool) => Connection::PooledPostgres(pool.acquire().await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A row of a result. Its columns are read through [`crate::sql::Columns`].
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A type that both drivers read: `String`, `i64`, `Vec<u8>`, and options of them.
pub(crate) trait Readable:
    for<'r> sqlx::Decode<'r, Sqlite>
    + sqlx::Type<Sqlite>
    + for<'r> sqlx::Decode<'r, Postgres>
    + sqlx::Type<Postgres>
{
}

impl<T> Readable for T where
    T: for<'r> sqlx::Decode<'r, Sqlite>
        + sqlx::Type<Sqlite>
        + for<'r> sqlx::Decode<'r, Postgres>
        + sqlx::Type<Postgres>
{
}

impl Row {
    pub(crate) fn get<T: Readable>(&self, column: &'static str) -> Result<T, sqlx::Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}
