//! The little that stands between the queries and sqlx: arguments, rows, and bulk statements of few sizes.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Error};
use uuid::Uuid;

use crate::connection::Row;
use crate::{Backend, JournalError};

/// Arguments of one statement, in the order of its placeholders.
#[derive(Default)]
pub(crate) struct Args(Vec<Value>);

/// What columns hold on either database.
enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Args {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn add(&mut self, value: Value) -> &mut Self {
        self.0.push(value);
        self
    }

    pub(crate) fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.add(Value::Text(Some(value.into())))
    }

    pub(crate) fn opt_text(&mut self, value: Option<&str>) -> &mut Self {
        self.add(Value::Text(value.map(str::to_owned)))
    }

    pub(crate) fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.text(value)
    }

    pub(crate) fn opt_uuid(&mut self, value: Option<Uuid>) -> &mut Self {
        self.add(Value::Text(value.map(|id| id.to_string())))
    }

    pub(crate) fn int(&mut self, value: i64) -> &mut Self {
        self.opt_int(Some(value))
    }

    pub(crate) fn opt_int(&mut self, value: Option<i64>) -> &mut Self {
        self.add(Value::Int(value))
    }

    pub(crate) fn at(&mut self, value: Timestamp) -> &mut Self {
        self.int(value.as_microsecond())
    }

    pub(crate) fn opt_at(&mut self, value: Option<Timestamp>) -> &mut Self {
        self.opt_int(value.map(Timestamp::as_microsecond))
    }

    pub(crate) fn bytes(&mut self, value: Vec<u8>) -> &mut Self {
        self.opt_bytes(Some(value))
    }

    pub(crate) fn opt_bytes(&mut self, value: Option<Vec<u8>>) -> &mut Self {
        self.add(Value::Bytes(value))
    }

    pub(crate) fn into_sqlite(self) -> Result<SqliteArguments, Error> {
        self.encoded()
    }

    pub(crate) fn into_postgres(self) -> Result<PgArguments, Error> {
        self.encoded()
    }

    fn encoded<A: Arguments + Default>(self) -> Result<A, Error>
    where
        Option<String>: for<'q> sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
        Option<i64>: for<'q> sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
        Option<Vec<u8>>: for<'q> sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    {
        let mut encoded = A::default();
        for value in self.0 {
            match value {
                Value::Text(value) => encoded.add(value),
                Value::Int(value) => encoded.add(value),
                Value::Bytes(value) => encoded.add(value),
            }
            .map_err(Error::Encode)?;
        }
        Ok(encoded)
    }
}

/// Typed columns of a row.
pub(crate) trait Columns {
    fn text(&self, column: &'static str) -> Result<String, JournalError>;
    fn opt_text(&self, column: &'static str) -> Result<Option<String>, JournalError>;
    fn int(&self, column: &'static str) -> Result<i64, JournalError>;
    fn opt_int(&self, column: &'static str) -> Result<Option<i64>, JournalError>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, JournalError>;
    fn opt_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, JournalError>;

    fn uuid(&self, column: &'static str) -> Result<Uuid, JournalError> {
        self.text(column)?.parse().map_err(|_| JournalError::Corrupt { column })
    }

    fn opt_uuid(&self, column: &'static str) -> Result<Option<Uuid>, JournalError> {
        self.opt_text(column)?
            .map(|text| text.parse().map_err(|_| JournalError::Corrupt { column }))
            .transpose()
    }

    fn at(&self, column: &'static str) -> Result<Timestamp, JournalError> {
        instant(self.int(column)?, column)
    }

    fn opt_at(&self, column: &'static str) -> Result<Option<Timestamp>, JournalError> {
        self.opt_int(column)?.map(|micros| instant(micros, column)).transpose()
    }

    fn count(&self, column: &'static str) -> Result<u32, JournalError> {
        self.int(column)?.try_into().map_err(|_| JournalError::Corrupt { column })
    }

    fn word<T>(&self, column: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, JournalError> {
        parse(&self.text(column)?).ok_or(JournalError::Corrupt { column })
    }
}

fn instant(micros: i64, column: &'static str) -> Result<Timestamp, JournalError> {
    Timestamp::from_microsecond(micros).map_err(|_| JournalError::Corrupt { column })
}

impl Columns for Row {
    fn text(&self, column: &'static str) -> Result<String, JournalError> {
        Ok(self.get(column)?)
    }

    fn opt_text(&self, column: &'static str) -> Result<Option<String>, JournalError> {
        Ok(self.get(column)?)
    }

    fn int(&self, column: &'static str) -> Result<i64, JournalError> {
        Ok(self.get(column)?)
    }

    fn opt_int(&self, column: &'static str) -> Result<Option<i64>, JournalError> {
        Ok(self.get(column)?)
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, JournalError> {
        Ok(self.get(column)?)
    }

    fn opt_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(self.get(column)?)
    }
}

/// A statement over a list of tuples, `($1, $2), ($3, $4), …`, in a few fixed lengths only, so that each is
/// prepared once per connection.
pub(crate) struct Bulk {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    single: Option<&'static str>,
    texts: [OnceLock<Text>; SIZES.len()],
}

/// A statement as each database takes it. SQLite looks for a numbered placeholder among all that stand before it: with
/// some hundreds of them, that was a tenth of the engine's work.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    numbered: Arc<str>,
    plain: Arc<str>,
}

impl Text {
    /// The text for this database.
    pub(crate) fn on(self, backend: Backend) -> Arc<str> {
        match backend {
            Backend::Sqlite => self.plain,
            Backend::Postgres => self.numbered,
        }
    }
}

impl From<String> for Text {
    /// A text with few placeholders, numbered for both.
    fn from(text: String) -> Self {
        let text: Arc<str> = text.into();
        Self { numbered: Arc::clone(&text), plain: text }
    }
}

/// Lengths of the list, largest first: any number of rows is a sum of few of them.
const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

impl Bulk {
    /// `head` and `tail` are the text around the tuples; placeholders of the tail are not supported.
    pub(crate) const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, columns, tail, single: None, texts: [const { OnceLock::new() }; SIZES.len()] }
    }

    /// The text for one row, by far the most frequent number outside ingest: with the same placeholders, and
    /// without the list, for which SQLite makes a temporary table.
    pub(crate) const fn or_single(mut self, text: &'static str) -> Self {
        self.single = Some(text);
        self
    }

    /// Cuts the rows into chunks of the fixed lengths, each with its statement.
    pub(crate) fn chunks<'r, T>(&self, rows: &'r [T]) -> Vec<(Text, &'r [T])> {
        let mut chunks = Vec::new();
        let mut rest = rows;
        for (at, size) in SIZES.into_iter().enumerate() {
            while rest.len() >= size {
                let (chunk, after) = rest.split_at(size);
                chunks.push((self.text(at), chunk));
                rest = after;
            }
        }
        chunks
    }

    /// The text for four rows.
    #[cfg(test)]
    pub(crate) fn of_four(&self) -> Text {
        let four = SIZES.iter().position(|size| *size == 4).expect("a list of four");
        self.text(four)
    }

    fn text(&self, at: usize) -> Text {
        let text = self.texts[at].get_or_init(|| match (SIZES[at], self.single) {
            (1, Some(single)) => single.to_owned().into(),
            (rows, _) => Text {
                numbered: self.list(rows, |place| format!("${place}")).into(),
                plain: self.list(rows, |_| "?".to_owned()).into(),
            },
        });
        text.clone()
    }

    /// The text for so many rows; `placeholder` is asked for each place, from 1.
    fn list(&self, rows: usize, placeholder: impl Fn(usize) -> String) -> String {
        let mut text = String::from(self.head);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns {
                text.push_str(if column == 0 { "" } else { ", " });
                text.push_str(&placeholder(row * self.columns + column + 1));
            }
            text.push(')');
        }
        text.push_str(self.tail);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_statements_come_in_few_lengths() {
        let bulk = Bulk::new("INSERT INTO t (a, b) VALUES ", 2, " RETURNING a");
        let rows: Vec<u8> = (0..103).collect();
        let chunks = bulk.chunks(&rows);
        let sizes: Vec<usize> = chunks.iter().map(|(_, rows)| rows.len()).collect();
        assert_eq!(sizes, [64, 32, 4, 2, 1]);
        let joined: Vec<u8> = chunks.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
        assert_eq!(joined, rows);
        let text = |backend| chunks[3].0.clone().on(backend);
        let on_postgres = "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) RETURNING a";
        assert_eq!(&*text(Backend::Postgres), on_postgres);
        assert_eq!(&*text(Backend::Sqlite), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) RETURNING a");
        assert!(bulk.chunks::<u8>(&[]).is_empty());
        let bulk = Bulk::new("", 2, "").or_single("INSERT INTO t VALUES ($1, $2)");
        let [(single, _)] = &bulk.chunks(&rows[..1])[..] else { panic!("one chunk") };
        assert_eq!(&*single.clone().on(Backend::Sqlite), "INSERT INTO t VALUES ($1, $2)");
    }

    #[test]
    fn the_largest_statement_stays_below_sqlites_limit_of_parameters() {
        assert!(SIZES[0] * 32 <= 32_766);
    }
}
