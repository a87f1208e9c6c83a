//! The limit of ingest: the rows that a run left in its journal, inserted again as they are by bare sqlx into
//! an empty journal, in the same batches, one transaction per batch, many rows per statement.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use civitas_journal::{Journal, JournalOptions, SealingKeys};
use civitas_tests::stack::entropy;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Connection as _, Row as _};

use crate::database::Kind;

/// What one ingested event leaves: table, the column that names its record, and the order of its rows.
const TABLES: [(&str, &str, &str); 5] = [
    ("civil_events", "event_id", "ordinal"),
    ("operations", "event_id", "ordinal"),
    ("confirmations", "event_id", "rowid"),
    ("audit_leaves", "event_id", "leaf_index"),
    ("outbox", "key", "id"),
];
/// Rows of one statement; more gain nothing on either database.
const ROWS: usize = 100;

#[derive(Clone)]
enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

struct Table {
    name: &'static str,
    columns: Vec<String>,
    batches: Vec<Vec<Vec<Value>>>,
}

/// The rows of a journal, by batch.
pub(crate) struct Rows {
    rule_sets: Table,
    tables: Vec<Table>,
    events: usize,
}

impl Rows {
    /// Reads them from a SQLite journal that took its events in batches of these sizes.
    pub(crate) async fn of(url: &str, batches: &[usize]) -> Self {
        let mut connection = SqliteConnection::connect(url).await.expect("the journal opens");
        let rule_sets = read(&mut connection, "rule_sets", "rowid").await;
        let mut tables = Vec::new();
        let mut batch_of: HashMap<String, usize> = HashMap::new();
        for (name, record, order) in TABLES {
            let (columns, rows) = read(&mut connection, name, order).await;
            if batch_of.is_empty() {
                let places = batches.iter().enumerate().flat_map(|(at, size)| std::iter::repeat_n(at, *size));
                batch_of = records(&columns, &rows, record).into_iter().zip(places).collect();
            }
            let mut sorted = vec![Vec::new(); batches.len()];
            let records = records(&columns, &rows, record);
            for (row, record) in rows.into_iter().zip(records) {
                sorted[batch_of[&record]].push(row);
            }
            tables.push(Table { name, columns, batches: sorted });
        }
        connection.close().await.expect("the journal closes");
        let rule_sets = Table { name: "rule_sets", columns: rule_sets.0, batches: vec![rule_sets.1] };
        Rows { rule_sets, tables, events: batches.iter().sum() }
    }

    /// How many rows one event left, on average.
    pub(crate) fn per_event(&self) -> f64 {
        let rows: usize = self.tables.iter().flat_map(|table| &table.batches).map(Vec::len).sum();
        civitas_tests::measure::float(rows) / civitas_tests::measure::float(self.events.max(1))
    }

    /// Inserts them all; how long the batches took.
    pub(crate) async fn insert(&self, kind: Kind) -> Duration {
        let fresh = kind.fresh();
        let options = JournalOptions::new(fresh.url.clone(), SealingKeys::new([[7; 32]]).expect("a key"));
        let journal = Journal::open(options, entropy()).await.expect("a journal");
        journal.migrate().await.expect("tables");
        journal.close().await;
        match kind {
            Kind::Sqlite => self.insert_into_sqlite(&fresh.url).await,
            Kind::Postgres => self.insert_into_postgres(&fresh.url).await,
        }
    }
}

/// The same text twice, since sqlx has one type of arguments per database.
macro_rules! inserter {
    ($insert:ident, $statement:ident, $connection:ty, $arguments:ty, $place:expr, $setup:literal, $begin:literal) => {
        impl Rows {
            async fn $insert(&self, url: &str) -> Duration {
                let mut connection = <$connection>::connect(url).await.expect("the database opens");
                sqlx::raw_sql($setup).execute(&mut connection).await.expect("settings");
                $statement(&mut connection, &self.rule_sets, &self.rule_sets.batches[0]).await;
                let began = Instant::now();
                for batch in 0..self.tables[0].batches.len() {
                    sqlx::raw_sql($begin).execute(&mut connection).await.expect("a transaction");
                    for table in &self.tables {
                        for rows in table.batches[batch].chunks(ROWS) {
                            $statement(&mut connection, table, rows).await;
                        }
                    }
                    sqlx::raw_sql("COMMIT").execute(&mut connection).await.expect("committed");
                }
                let took = began.elapsed();
                connection.close().await.expect("the database closes");
                took
            }
        }

        async fn $statement(connection: &mut $connection, table: &Table, rows: &[Vec<Value>]) {
            let mut arguments = <$arguments>::default();
            for value in rows.iter().flatten().cloned() {
                let added = match value {
                    Value::Text(value) => arguments.add(value),
                    Value::Int(value) => arguments.add(value),
                    Value::Bytes(value) => arguments.add(value),
                };
                added.expect("a value");
            }
            let query = sqlx::query_with(AssertSqlSafe(statement(table, rows.len(), $place)), arguments);
            query.execute(connection).await.expect("inserted");
        }
    };
}

inserter!(
    insert_into_sqlite,
    sqlite_statement,
    SqliteConnection,
    SqliteArguments,
    // As the journal writes them: numbered ones are looked for one by one.
    |_| "?".to_owned(),
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768",
    "BEGIN IMMEDIATE"
);
inserter!(
    insert_into_postgres,
    postgres_statement,
    PgConnection,
    PgArguments,
    |place| format!("${place}"),
    "SET synchronous_commit = on",
    "BEGIN"
);

fn statement(table: &Table, rows: usize, place: fn(usize) -> String) -> String {
    let width = table.columns.len();
    let tuple = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| place(row * width + column)).collect();
        format!("({})", places.join(", "))
    };
    let tuples: Vec<String> = (0..rows).map(tuple).collect();
    format!("INSERT INTO {} ({}) VALUES {}", table.name, table.columns.join(", "), tuples.join(", "))
}

async fn read(connection: &mut SqliteConnection, table: &str, order: &str) -> (Vec<String>, Vec<Vec<Value>>) {
    let columns = sqlx::query("SELECT name, type FROM pragma_table_info($1)").bind(table.to_owned());
    let columns = columns.fetch_all(&mut *connection).await.expect("the table's columns");
    let columns: Vec<(String, String)> = columns.iter().map(|row| (row.get(0), row.get(1))).collect();
    let query = AssertSqlSafe(format!("SELECT * FROM {table} ORDER BY {order}"));
    let rows = sqlx::query(query).fetch_all(connection).await.expect("its rows");
    let rows = rows.iter().map(|row| {
        let values = columns.iter().enumerate().map(|(at, (_, kind))| match kind.as_str() {
            "TEXT" => Value::Text(row.get(at)),
            "BIGINT" => Value::Int(row.get(at)),
            _ => Value::Bytes(row.get(at)),
        });
        values.collect()
    });
    let rows = rows.collect();
    (columns.into_iter().map(|(name, _)| name).collect(), rows)
}

/// The record of each row.
fn records(columns: &[String], rows: &[Vec<Value>], record: &str) -> Vec<String> {
    let at = columns.iter().position(|column| column == record).expect("a column names the record");
    let records = rows.iter().map(|row| match &row[at] {
        Value::Text(record) => record.clone().unwrap_or_default(),
        _ => String::new(),
    });
    records.collect()
}
