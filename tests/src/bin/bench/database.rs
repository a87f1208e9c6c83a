//! Where a journal is in a run: a new SQLite file, or a new database of a real PostgreSQL. Both on this disk, both
//! with full durability.

use std::sync::Arc;

use civitas_tests::postgres::Postgres;
use tempfile::TempDir;

/// Both databases, in the order in which they are measured.
pub(crate) const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "SQLite",
            Kind::Postgres => "PostgreSQL",
        }
    }

    /// A new and empty one, there until the value is dropped.
    pub(crate) fn fresh(self) -> Fresh {
        let folder = tempfile::Builder::new().prefix("civitas-bench-").tempdir().expect("a folder");
        match self {
            Kind::Sqlite => {
                let url = format!("sqlite:{}", folder.path().join("journal.db").display());
                Fresh { url, _server: None, _folder: folder }
            }
            Kind::Postgres => {
                let server = Postgres::shared();
                Fresh { url: server.url(), _server: Some(server), _folder: folder }
            }
        }
    }
}

/// A database of one run.
pub(crate) struct Fresh {
    pub(crate) url: String,
    _server: Option<Arc<Postgres>>,
    _folder: TempDir,
}
