//! Decisions out of the journal.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use civitas_journal::history::{self, Recorded};
use civitas_journal::{Journal, Sealer};
use tokio::runtime::Runtime;

use super::Item;
use super::pool::Feed;
use crate::assembly;
use crate::config::{self, Config, Layers};

/// Decisions that are read at a time.
const PAGE: u32 = 128;

/// The journal of the configured engine, for reading, and the runtime that it lives on.
pub struct Source {
    /// Where its futures run.
    pub runtime: Runtime,
    /// The journal.
    pub journal: Journal,
}

impl Source {
    /// Opens the journal that the configuration names.
    pub fn open(file: Option<PathBuf>) -> anyhow::Result<Self> {
        let runtime = Runtime::new().context("the asynchronous runtime cannot start")?;
        let config = configuration(file)?;
        let journal = runtime.block_on(assembly::open_journal(&config))?;
        Ok(Self { runtime, journal })
    }

    /// What opens its sealed columns.
    pub fn sealer(&self) -> &Sealer {
        self.journal.sealer()
    }

    /// Reads every decision that is there now, page by page, oldest first.
    pub fn pages<'s, F>(&'s self, mut each: F) -> anyhow::Result<()>
    where
        F: AsyncFnMut(&mut civitas_journal::Session, Vec<Recorded>) -> anyhow::Result<()> + 's,
    {
        self.runtime.block_on(async {
            let mut reader = self.journal.read().await.context("the journal cannot be read")?;
            let (_, last) = history::extent(&mut reader).await.context(TABLES)?;
            let mut after = 0;
            loop {
                let page = history::page(&mut reader, after, last, PAGE).await.context(TABLES)?;
                let Some(end) = page.last() else { return Ok(()) };
                after = end.ordinal;
                each(&mut reader, page).await?;
            }
        })
    }

    /// How many decisions there are.
    pub fn count(&self) -> anyhow::Result<u64> {
        self.runtime.block_on(async {
            let mut reader = self.journal.read().await.context("the journal cannot be read")?;
            Ok(history::extent(&mut reader).await.context(TABLES)?.0)
        })
    }

    /// Hands on every decision.
    pub fn feed(&self, to: &mut Feed<'_, Item>) -> anyhow::Result<()> {
        to.progress.begin("journal", self.count()?);
        self.pages(async |_, page| {
            to.progress.advance(page.len() as u64);
            for recorded in page {
                let item = Item::Recorded(Box::new(recorded));
                let weight = item.weight();
                // Blocks while the judges are behind; this thread has nothing else to do.
                to.push(item, weight)?;
            }
            Ok(())
        })
    }

    /// Closes the journal.
    pub fn close(self) {
        self.runtime.block_on(self.journal.close());
    }
}

const TABLES: &str =
    "the journal cannot be read; `civitas doctor` looks at it, `civitas migrate` makes its tables";

/// The configuration, as other verbs take it.
pub fn configuration(file: Option<PathBuf>) -> anyhow::Result<Config> {
    config::load(&Layers::of_process(file)).map_err(|problems| anyhow!("{problems}"))
}
