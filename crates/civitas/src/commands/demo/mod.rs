//! `civitas demo`: a day of a small country, at speed. Stand-ins for OpenCRVS and MOSIP, a real engine between them,
//! and a screen that shows what is happening and why.
//!
//! What it leaves in its folder (journal, keys, the world of the stand-ins) is taken up by the next start, so that
//! nothing that was under way when it was stopped is lost.

mod feed;
mod layout;
mod screen;
mod terminal;
mod world;

use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use civitas_engine::Queue;
use civitas_sandbox::generator::{Day, Generator, Mix, play};
use clap::Args;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::screen::Screen;
use self::world::World;
use crate::commands::serve;
use crate::config::{self, Layers};
use crate::{assembly, telemetry};

/// Play a day of a small country against stand-ins, and show what happens
#[derive(Debug, Args)]
pub struct Demo {
    /// Folder for journal, keys and the stand-ins' world
    #[arg(long, default_value = "data/demo")]
    folder: PathBuf,
    /// Records that are declared during the day
    #[arg(long, default_value_t = 300)]
    records: u64,
    /// How long the day lasts, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Country pack
    #[arg(long, default_value = "country-config/farajaland")]
    pack: PathBuf,
    /// Journal address, such as postgres://civitas@127.0.0.1/civitas; without it, a SQLite file in the folder
    #[arg(long)]
    database: Option<String>,
    /// Kafka brokers: events come in, and audit and queue go out, through topics
    #[arg(long, value_delimiter = ',')]
    brokers: Vec<String>,
    /// End after the day, in place of staying up to be looked at
    #[arg(long)]
    exit: bool,
}

/// How many times faster than life, for a day of eight opening hours.
fn speed(seconds: u64) -> f64 {
    let opening = 8.0 * 3600.0;
    opening / Duration::from_secs(seconds.max(1)).as_secs_f64()
}

/// The addresses that everything listens on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub(super) engine: SocketAddr,
    pub(super) opencrvs: SocketAddr,
    pub(super) mosip: SocketAddr,
}

impl Addresses {
    fn find() -> anyhow::Result<Self> {
        Ok(Self { engine: free(7080)?, opencrvs: free(7070)?, mosip: free(8090)? })
    }
}

/// The usual port, or a free one where somebody else has it.
fn free(usual: u16) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, usual))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("no port is free on this machine")?;
    listener.local_addr().context("a port has no address")
}

/// Keeps a second demo out of the same folder for as long as the file is open.
fn occupy(demo: &Demo) -> anyhow::Result<File> {
    let folder = demo.folder.display();
    std::fs::create_dir_all(&demo.folder).with_context(|| format!("cannot make {folder}"))?;
    let path = demo.folder.join("lock");
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("a demo is running in {folder} already; end it, or give this one a --folder of its own")
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Runs the command.
pub fn run(demo: &Demo) -> anyhow::Result<()> {
    let _occupied = occupy(demo)?;
    println!("Starting stand-ins and engine; the first start makes keys …");
    world::make_keys(demo)?;
    // After the keys, which take seconds: between choosing a port and taking it, nothing may take long.
    let addresses = Addresses::find()?;
    let file = world::configure(demo, addresses)?;
    let layers = Layers { file: Some(file.clone()), variables: Vec::new() };
    let config = config::load(&layers).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let log = demo.folder.join("civitas.log");
    let telemetry = telemetry::to_file(&config.telemetry, &assembly::instance(&config), &log)?;
    let runtime = tokio::runtime::Runtime::new().context("the asynchronous runtime cannot start")?;
    let result = runtime.block_on(day(demo, addresses, config, file));
    runtime.shutdown_timeout(Duration::from_secs(5));
    drop(telemetry);
    result
}

async fn day(demo: &Demo, addresses: Addresses, config: config::Config, file: PathBuf) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        serve::stop_signal().await;
        asked.cancel();
        serve::stop_signal().await;
        // A second one ends at once: the journal knows what was in hand.
        std::process::exit(130);
    });
    let (world, handed) = World::start(demo, addresses).await?;
    let journal = assembly::open_journal(&config).await?;
    journal.migrate().await.context("the journal's tables cannot be made")?;
    let queue = Queue::new(journal.clone(), assembly::clock());
    let feed = match (handed, assembly::kafka(&config)?) {
        (Some(handed), Some(kafka)) => Some(feed::start(&kafka, &demo.folder, handed).await?),
        _ => None,
    };

    let ended = CancellationToken::new();
    let (parts, told) = (serve::Part::all(!demo.brokers.is_empty()), ended.clone());
    let here = tokio::runtime::Handle::current();
    let engine = tokio::task::spawn_blocking(move || here.block_on(serve::start(config, parts, told, None)));
    tokio::select! {
        ready = world.ready(addresses.engine, &engine) => ready?,
        () = stop.cancelled() => {}
    }

    let screen = Screen::new(demo, addresses, file);
    let showing = tokio::spawn(screen.clone().show(queue.clone(), world.counters(), stop.clone()));
    let mut plan = Day::of(demo.records);
    plan.first = world.lives();
    let generator = Generator::new(world.seed(), Mix::default(), world.population());
    tokio::select! {
        report = play(world.opencrvs(), &generator, &plan) => {
            screen.played(&report);
            screen.settle(&queue, &stop).await;
            if !demo.exit {
                stop.cancelled().await;
            }
        }
        () = stop.cancelled() => {}
        () = until_finished(&engine) => {}
    }
    stop.cancel();
    showing.await.context("the screen failed")?;
    println!("Stopping: what is in hand is finished first; Ctrl-C ends at once.");
    ended.cancel();
    engine.await.context("the engine panicked")??;
    if let Some(feed) = feed {
        feed.abort();
    }
    world.keep(demo)?;
    let overview = queue.overview(5).await.context("the journal cannot be read")?;
    screen.farewell(&overview);
    journal.close().await;
    Ok(())
}

/// Completes when the engine ended although nobody asked it to.
async fn until_finished(engine: &JoinHandle<anyhow::Result<()>>) {
    while !engine.is_finished() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_no_obstacle() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let usual = held.local_addr().unwrap().port();
        assert_ne!(free(usual).unwrap().port(), usual);
    }

    #[test]
    fn a_day_of_eight_hours_fits_into_the_seconds() {
        assert!((speed(60) - 480.0).abs() < f64::EPSILON);
    }
}
