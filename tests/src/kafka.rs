//! A real Apache Kafka for tests: one node, on free ports, in a temporary folder.
//!
//! [`Kafka::shared`] is one broker for all tests of a binary, told apart by the names of their topics.
//! [`Kafka::start`] is a broker of its own, for tests that stop or crash it.
//!
//! Nothing stays behind, however the test ends: the broker dies with the test process (`setpriv --pdeathsig`),
//! and a small shell process that outlives both removes the folder as soon as the test process is gone.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, id};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::OwnedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::OnceCell;

const READY: Duration = Duration::from_secs(90);

/// A running broker.
pub struct Kafka {
    port: u16,
    controller_port: u16,
    folder: PathBuf,
    broker: Mutex<Option<Broker>>,
    sweeper: Child,
}

/// The process, and the thread that waits for it. The signal of `setpriv` comes when the *thread* that started
/// the process ends, so that thread lives as long as the process.
struct Broker {
    process: u32,
    ended: mpsc::Receiver<()>,
}

impl Broker {
    fn start(mut command: Command) -> Self {
        let (started, process) = mpsc::channel();
        let (ends, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let mut child = command.spawn().expect("the broker starts");
            started.send(child.id()).expect("somebody waits for the id");
            child.wait().expect("the broker can be waited for");
            // Nobody listens any more if the broker was dropped.
            let _ = ends.send(());
        });
        Self { process: process.recv().expect("the broker started"), ended }
    }

    fn has_ended(&self) -> bool {
        !matches!(self.ended.try_recv(), Err(mpsc::TryRecvError::Empty))
    }

    fn end(self, signal: &str) {
        if !self.has_ended() {
            let sent = Command::new("kill").args([signal, &self.process.to_string()]).status();
            sent.expect("a signal can be sent");
            self.ended.recv_timeout(READY).expect("the broker ends");
        }
    }
}

impl Kafka {
    /// The broker that the tests of this binary share.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Kafka> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// A broker of its own. Returns when it answers.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("civitas-kafka-").tempdir().expect("a folder").keep();
        let sweeper = sweeper(&folder);
        let installed = blocking(|| Command::new(deploy("install")).stdout(Stdio::null()).status()).await;
        assert!(installed.expect("the installer runs").success(), "Apache Kafka is not installed");
        let (port, controller_port) = (free_port(), free_port());
        let kafka = Self { port, controller_port, folder, broker: Mutex::new(None), sweeper };
        kafka.resume().await;
        kafka
    }

    /// Where clients connect.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops the broker in good order; its data and ports are kept for [`resume`](Self::resume).
    pub async fn stop(&self) {
        self.end("-TERM").await;
    }

    /// Kills the broker; its data and ports are kept for [`resume`](Self::resume).
    pub async fn kill(&self) {
        self.end("-KILL").await;
    }

    /// Starts the broker again and returns when it answers.
    pub async fn resume(&self) {
        let log = || File::options().create(true).append(true).open(self.log()).expect("a log file");
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(deploy("run"))
            .args(["--port", &self.port.to_string(), "--controller-port", &self.controller_port.to_string()])
            .arg("--data")
            .arg(self.folder.join("data"))
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log());
        *self.broker.lock().expect("not poisoned") = Some(Broker::start(command));
        self.ready().await;
    }

    /// Stops the broker in good order and starts it again on the same data and ports.
    pub async fn restart(&self) {
        self.stop().await;
        self.resume().await;
    }

    /// Kills the broker and starts it again on the same data and ports.
    pub async fn crash_and_restart(&self) {
        self.kill().await;
        self.resume().await;
    }

    /// Creates a topic.
    pub async fn create_topic(&self, name: &str, partitions: i32, compacted: bool) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().expect("an admin client");
        let policy = if compacted { "compact" } else { "delete" };
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("cleanup.policy", policy);
        let options = AdminOptions::new().operation_timeout(Some(READY));
        let created = admin.create_topics([&topic], &options).await.expect("the broker answers");
        for result in created {
            result.expect("the topic is created");
        }
    }

    /// The messages of a topic from its beginning, partition after partition in order of arrival: at least so
    /// many, waiting for them.
    pub async fn read(&self, topic: &str, at_least: usize) -> Vec<OwnedMessage> {
        let config = self.client();
        let topic = topic.to_owned();
        blocking(move || read(&config, &topic, at_least)).await
    }

    /// The offset that a group has committed for a partition, if it has.
    pub async fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let mut config = self.client();
        config.set("group.id", group);
        let topic = topic.to_owned();
        blocking(move || {
            let consumer: BaseConsumer = config.create().expect("a consumer");
            let mut asked = TopicPartitionList::new();
            asked.add_partition(&topic, partition);
            let committed = consumer.committed_offsets(asked, READY).expect("the broker answers");
            match committed.find_partition(&topic, partition).expect("it was asked for").offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            }
        })
        .await
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.bootstrap());
        config
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    async fn end(&self, signal: &'static str) {
        let broker = self.broker.lock().expect("not poisoned").take();
        if let Some(broker) = broker {
            blocking(move || broker.end(signal)).await;
        }
    }

    async fn ready(&self) {
        let deadline = Instant::now() + READY;
        loop {
            let config = self.client();
            let answered = blocking(move || {
                let client: BaseConsumer = config.create().expect("a client");
                client
                    .fetch_metadata(None, Duration::from_millis(500))
                    .is_ok_and(|found| !found.brokers().is_empty())
            });
            if answered.await {
                return;
            }
            let broker = self.broker.lock().expect("not poisoned");
            let ended = broker.as_ref().is_none_or(Broker::has_ended);
            assert!(!ended && Instant::now() < deadline, "the broker does not start: {}", self.tail());
        }
    }

    fn tail(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let from = log.len().saturating_sub(4_000);
        log.get(from..).unwrap_or(&log).to_owned()
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if let Ok(Some(broker)) = self.broker.get_mut().map(Option::take) {
            broker.end("-KILL");
        }
        drop(self.sweeper.stdin.take());
        drop(self.sweeper.wait());
    }
}

fn read(config: &ClientConfig, topic: &str, at_least: usize) -> Vec<OwnedMessage> {
    let mut config = config.clone();
    config.set("group.id", "unused").set("enable.auto.commit", "false").set("enable.partition.eof", "false");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), READY).expect("the broker answers");
    let mut all = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions) {
        all.add_partition_offset(topic, partition.id(), Offset::Beginning).expect("a partition");
    }
    consumer.assign(&all).expect("an assignment");
    let deadline = Instant::now() + READY;
    let mut messages = Vec::new();
    loop {
        // Once there are enough, take what is already there and no more.
        let patience = if messages.len() < at_least { 500 } else { 100 };
        match consumer.poll(Duration::from_millis(patience)) {
            Some(Ok(message)) => messages.push(message.detach()),
            None if messages.len() >= at_least => break,
            Some(Err(_)) | None => {}
        }
        let found = messages.len();
        assert!(Instant::now() < deadline, "{topic} has {found} messages and should have {at_least}");
    }
    messages.sort_by_key(|message| {
        use rdkafka::message::Message;
        (message.partition(), message.offset())
    });
    messages
}

/// Removes the folder when the other end of its standard input closes, which the system does for a process that
/// ends in any way. In a process group of its own, so that no Ctrl-C reaches it.
fn sweeper(folder: &Path) -> Child {
    const SCRIPT: &str =
        "cat >/dev/null; n=0; until rm -rf -- \"$0\" || [ $n -ge 50 ]; do n=$((n+1)); sleep 0.1; done";
    let mut command = Command::new("sh");
    command.arg("-c").arg(SCRIPT).arg(folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a shell starts")
}

/// A port that nobody listens on, below those that the system hands to outgoing connections: a broker that is
/// away for a moment finds it free again.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(id() % 1_000 * 10).expect("below 10,000");
    for _ in 0..10_000 {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

fn deploy(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kafka").join(script)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("the work does not panic")
}
