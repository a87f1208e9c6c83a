//! A real PostgreSQL for tests: one server of the installed Debian package, on a free port, in a temporary
//! folder, with fsync on.
//!
//! [`Postgres::shared`] is one server for all tests of a binary that run at the same time; [`Postgres::url`]
//! is a new, empty database at each call. [`Postgres::start`] is a server of its own, for tests that stop it.
//!
//! Nothing stays behind, however the test ends: dropping stops the server and removes the folder, also when a
//! test panics; the server dies with the test process (`setpriv --pdeathsig`), and a small shell process
//! removes the folder even then.

#![expect(clippy::expect_used, reason = "test support: what fails here fails the test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, id};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};

/// The Debian package creates this user; the server refuses to run as root.
const USER: &str = "postgres";
/// The role that owns everything in the server.
const ROLE: &str = "civitas";

/// A running server.
pub struct Postgres {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
    databases: AtomicU32,
    server: Mutex<Option<Server>>,
    sweeper: Child,
}

/// The process, and the thread that reads its log. The signal of `setpriv` comes when the *thread* that
/// started the process ends, so that thread lives as long as the process.
struct Server {
    process: u32,
    ended: mpsc::Receiver<()>,
}

impl Postgres {
    /// The server that the tests of this binary share: started by the first of them, stopped with the last.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        // A test that panicked while starting leaves the lock poisoned and nothing inside: the next one tries.
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *shared = Arc::downgrade(&started);
            started
        })
    }

    /// Creates a cluster and starts a server on it.
    pub fn start() -> Self {
        let binaries = binaries().expect("PostgreSQL is installed (Debian package postgresql)");
        let folder = tempfile::Builder::new().prefix("civitas-postgres-").tempdir().expect("a folder").keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("the folder can be opened");
        let sweeper = sweeper(&folder);
        let data = folder.join("data");
        fs::create_dir(&data).expect("a folder for the data");
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).expect("the data can be closed");
        if is_root() {
            chown(&data, Some(number("-u")), Some(number("-g"))).expect("the data can be given away");
        }
        let mut initdb = as_server_user(&binaries.join("initdb"));
        initdb.arg("-D").arg(&data).args([
            "-U",
            ROLE,
            "--auth=trust",
            "--no-sync",
            "--no-locale",
            "-E",
            "UTF8",
        ]);
        let made = initdb.current_dir(&folder).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

        let mut postgres = Self {
            binaries,
            folder,
            port: 0,
            databases: AtomicU32::new(0),
            server: Mutex::new(None),
            sweeper,
        };
        postgres.listen();
        postgres
    }

    /// A new, empty database.
    pub fn url(&self) -> String {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut createdb = Command::new(self.binaries.join("createdb"));
        createdb.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", ROLE, &name]);
        let created = createdb.output().expect("createdb runs");
        assert!(created.status.success(), "createdb: {}", String::from_utf8_lossy(&created.stderr));
        format!("postgres://{ROLE}@127.0.0.1:{}/{name}", self.port)
    }

    /// Stops the server at once, as a crash does; what was acknowledged is on disk.
    pub fn crash(&self) {
        self.stop("QUIT");
    }

    /// Starts it again, on the same port and data.
    pub fn restart(&self) {
        self.stop("INT");
        assert!(self.launch(), "the server starts again");
    }

    /// A free port may be taken by somebody else before the server is there: then another one is tried.
    fn listen(&mut self) {
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            self.port = listener.local_addr().expect("the port's address").port();
            drop(listener);
            if self.launch() {
                return;
            }
        }
        panic!("PostgreSQL does not start; its messages are above");
    }

    fn launch(&self) -> bool {
        let mut command = as_server_user(&self.binaries.join("postgres"));
        command.arg("-D").arg(self.folder.join("data")).arg("-k").arg(self.folder.join("data"));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-c", "fsync=on", "-c", "max_connections=200", "-c", "shared_buffers=64MB"]);
        command.args(["-c", "log_min_messages=warning", "-c", "logging_collector=off"]);
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Ctrl-C in a terminal reaches the tests, which then stop the server in order.
        command.process_group(0);
        let (started, readiness) = mpsc::channel();
        let (ends, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let mut child = command.spawn().expect("the server starts");
            let log = BufReader::new(child.stderr.take().expect("the server has a log"));
            let mut waiting = Some((started, Vec::new()));
            for line in log.lines().map_while(Result::ok) {
                if line.contains("database system is ready to accept connections") {
                    if let Some((started, _)) = waiting.take() {
                        let _ = started.send(Ok(child.id()));
                    }
                } else if let Some((_, lines)) = &mut waiting {
                    lines.push(line);
                }
            }
            child.wait().expect("the server can be waited for");
            if let Some((started, lines)) = waiting {
                let _ = started.send(Err(lines.join("\n")));
            }
            // Nobody waits any more when the server was not even ready.
            let _ = ends.send(());
        });
        match readiness.recv().expect("the server starts or ends") {
            Ok(process) => {
                *self.server.lock().expect("no test panicked here") = Some(Server { process, ended });
                true
            }
            Err(log) => {
                eprintln!("{log}");
                false
            }
        }
    }

    fn stop(&self, signal: &str) {
        let server = self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(server) = server {
            let sent =
                Command::new("kill").arg(format!("-{signal}")).arg(server.process.to_string()).status();
            sent.expect("a signal can be sent");
            server.ended.recv().expect("the server ends");
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop("INT");
        // What remains, the sweeper removes.
        drop(fs::remove_dir_all(&self.folder));
        drop(self.sweeper.kill());
        drop(self.sweeper.wait());
    }
}

/// Where the server's programs are: `pg_config` knows if it is there, else the newest of Debian's folders.
fn binaries() -> Option<PathBuf> {
    let stated = Command::new("pg_config").arg("--bindir").output().ok();
    let stated = stated.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    if let Some(stated) = stated.filter(|folder| folder.join("initdb").exists()) {
        return Some(stated);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let folder = entry.path().join("bin");
            folder.join("initdb").exists().then_some((version, folder))
        })
        .max()
        .map(|(_, folder)| folder)
}

/// Runs a program as a user whom the server accepts, and lets it die with the thread that starts it.
fn as_server_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if is_root() {
        command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups"]);
    }
    command.arg(program);
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("a process knows its user").uid() == 0
}

/// Number of the server's user (`-u`) or group (`-g`).
fn number(which: &str) -> u32 {
    let output = Command::new("id").args([which, USER]).output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("the package created its user")
}

/// Removes the folder once this process is gone.
fn sweeper(folder: &Path) -> Child {
    let script = "while kill -0 \"$1\" 2>/dev/null; do sleep 1; done; sleep 2; rm -rf \"$2\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sweeper"]).arg(id().to_string()).arg(folder).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("a shell starts")
}
