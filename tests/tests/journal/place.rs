//! Where a test's journal is: a file in a temporary folder, or a database of its own on the shared server.

use std::sync::Arc;

use civitas_journal::{Entropy, Journal, JournalOptions, SealingKeys};
use civitas_tests::postgres::Postgres;
use tempfile::TempDir;

pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) folder: Option<TempDir>,
    _server: Option<Arc<Postgres>>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/journal.db", folder.path().display());
        Self { url, folder: Some(folder), _server: None }
    }

    pub(crate) fn postgres() -> Self {
        let server = Postgres::shared();
        Self { url: server.url(), folder: None, _server: Some(server) }
    }

    pub(crate) fn options(&self) -> JournalOptions {
        JournalOptions::new(&self.url, SealingKeys::new([[1; 32]]).unwrap())
    }

    /// Opens the journal once more, as another process would.
    pub(crate) async fn open(&self) -> Journal {
        self.open_with(self.options()).await
    }

    pub(crate) async fn open_with(&self, options: JournalOptions) -> Journal {
        let journal = Journal::open(options, entropy()).await.unwrap();
        journal.migrate().await.unwrap();
        journal
    }

    /// A connection that knows nothing of the journal.
    pub(crate) async fn raw(&self) -> sqlx::AnyConnection {
        sqlx::any::install_default_drivers();
        <sqlx::AnyConnection as sqlx::Connection>::connect(&self.url).await.unwrap()
    }
}

pub(crate) fn entropy() -> Entropy {
    Arc::new(|bytes: &mut [u8]| openssl::rand::rand_bytes(bytes).unwrap())
}
