//! How SQLite goes about the statements that run for every record: by an index, however much there is.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::operations::Work;
use crate::{Backend, civil_events, confirmations, inbox, migrations, operations};

/// The steps of a plan that read a table from its beginning to its end.
async fn scans(database: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(database).await;
    let steps = rows.unwrap().into_iter().map(|row| row.get::<String, _>("detail"));
    let tables = ["operations", "civil_events", "confirmations", "inbox", " o", " i", " c"];
    steps.filter(|step| step.starts_with("SCAN") && tables.iter().any(|table| step.contains(table))).collect()
}

#[tokio::test]
async fn what_runs_for_every_record_scans_no_table() {
    let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for (_, _, text) in migrations::TEXTS {
        sqlx::raw_sql(text).execute(&mut database).await.unwrap();
    }
    let lists = [
        &operations::read::BY_KEY,
        &operations::read::BY_AID,
        &operations::advance::UPDATE,
        &operations::advance::FORWARD,
        &civil_events::BY_KEY,
        &civil_events::KNOWN,
        &civil_events::BRIEF,
        &confirmations::UPDATE,
        &confirmations::REPLACE,
        &inbox::UPDATE,
        &inbox::WAKE,
    ];
    for list in lists {
        let sql = list.of_four().on(Backend::Sqlite);
        assert_eq!(scans(&mut database, &sql).await, Vec::<String>::new(), "{sql}");
    }
    for work in [Work::Dispatch, Work::Create, Work::Start, Work::Poll] {
        let sql = operations::claim::sql(work, Backend::Sqlite);
        assert_eq!(scans(&mut database, sql).await, Vec::<String>::new(), "{work:?}");
        for state in work.states() {
            assert!(sql.contains(&format!("'{}'", state.as_str())), "{work:?} claims what it is for");
        }
    }
    assert!(!scans(&mut database, "SELECT * FROM operations WHERE traceparent = 'x'").await.is_empty());
}
