//! The child process: works on inputs, watched, and tells how it went.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use civitas_rules::{Pack, PackFiles};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::bombs::bombs;
use crate::mutate::{Input, Seeds};
use crate::{corpus, target};

/// Longest that one input may take.
const LONGEST: Duration = Duration::from_secs(2);
/// Most memory that one input may take beyond what is always there, in KiB.
const HUNGRIEST: u64 = 256 * 1024;
/// Exit codes of the watch.
const HUNG: i32 = 97;
const HUNGRY: i32 = 98;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Well,
    Panicked,
    Hung,
    Hungry,
    /// By a signal: most often the stack ran over.
    Killed,
}

impl End {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Panicked => "panic",
            Self::Hung => "hang",
            Self::Hungry => "memory",
            Self::Killed => "crash",
        }
    }

    fn of(status: std::process::ExitStatus) -> Self {
        match status.code() {
            Some(0) => Self::Well,
            Some(HUNG) => Self::Hung,
            Some(HUNGRY) => Self::Hungry,
            Some(_) => Self::Panicked,
            None => Self::Killed,
        }
    }
}

/// What a child, or all of them, did.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) inputs: u64,
    loaded: u64,
    /// CPU time.
    pub(crate) micros: u64,
    slowest: u64,
    peak: u64,
    codes: BTreeMap<String, u64>,
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.loaded += other.loaded;
        self.micros += other.micros;
        self.slowest = self.slowest.max(other.slowest);
        self.peak = self.peak.max(other.peak);
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
    }

    fn written(&self) -> String {
        let codes: Vec<String> = self.codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let Self { inputs, loaded, micros, slowest, peak, .. } = self;
        format!("{inputs} {loaded} {micros} {slowest} {peak}\n{}", codes.join("\n"))
    }

    fn read(text: &str) -> Self {
        let mut lines = text.lines();
        let numbers: Vec<u64> =
            lines.next().unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect();
        let &[inputs, loaded, micros, slowest, peak] = numbers.as_slice() else { return Self::default() };
        let codes = lines
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(code, count)| Some((code.to_owned(), count.parse().ok()?)));
        Self { inputs, loaded, micros, slowest, peak, codes: codes.collect() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = self.inputs * 1_000_000 / self.micros.max(1);
        writeln!(
            f,
            "{} inputs in {} s of CPU time, {per_second} a second; {} were packs; the slowest took {} ms, the hungriest {} MiB",
            self.inputs,
            self.micros / 1_000_000,
            self.loaded,
            self.slowest / 1000,
            self.peak / 1024,
        )?;
        let missing: Vec<&str> = civitas_rules::Code::ALL
            .iter()
            .map(|code| code.as_str())
            .filter(|code| !self.codes.contains_key(*code))
            .collect();
        write!(
            f,
            "{} of {} codes were told; not {}",
            self.codes.len(),
            civitas_rules::Code::ALL.len(),
            missing.join(", ")
        )
    }
}

/// The packs that inputs are made from: the shipped ones, and the small one of the tests.
pub(crate) fn packs() -> Vec<PackFiles> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![here.join("tests/pack")];
    let shipped = std::fs::read_dir(here.join("../../country-config")).expect("the shipped packs");
    folders.extend(shipped.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()));
    folders.sort();
    folders.iter().map(|folder| files(folder)).collect()
}

pub(crate) fn files(folder: &Path) -> PackFiles {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    PackFiles(found)
}

pub(crate) fn seeds() -> Seeds {
    let packs = packs();
    let loaded = packs.iter().filter_map(|files| Pack::load(files).ok());
    let archives = loaded.map(|pack| pack.canonical().to_owned()).collect();
    Seeds::new(packs, archives)
}

fn generator(seed: u64, number: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number)
}

/// The input of that number.
pub(crate) fn input(seed: u64, number: u64) -> Input {
    seeds().input(&mut generator(seed, number))
}

/// Works on one input.
pub(crate) fn on(input: &Input, rng: &mut StdRng) -> target::Told {
    match input {
        Input::Files(files) => target::load(files, rng),
        Input::Canonical(text) => target::restore(text, rng),
    }
}

/// The child: works on inputs and writes the number of each before it begins.
pub(crate) fn run(seed: u64, from: u64, seconds: u64, folder: &Path) {
    let seeds = seeds();
    let progress = File::create(folder.join("progress")).expect("a file for the progress");
    let watch = Watch::start();
    let mut report = Report::default();
    let tell = |report: &Report| std::fs::write(folder.join("report"), report.written()).expect("a report");
    while report.micros < seconds * 1_000_000 {
        let mut rng = generator(seed, from + report.inputs);
        let input = seeds.input(&mut rng);
        progress.write_all_at(format!("{:020}", report.inputs).as_bytes(), 0).expect("progress");
        if report.inputs % 64 == 0 {
            tell(&report);
        }
        let (told, micros, peak) = watch.over(|| on(&input, &mut rng));
        report.inputs += 1;
        report.loaded += u64::from(told.loaded);
        report.slowest = report.slowest.max(micros);
        report.peak = report.peak.max(peak);
        for code in told.codes {
            *report.codes.entry(code).or_default() += 1;
        }
        report.micros = cpu_of_main();
    }
    tell(&report);
}

/// Works on one input, watched.
pub(crate) fn once(input: &Input) {
    let (told, micros, peak) = Watch::start().over(|| on(input, &mut generator(1, 0)));
    println!("{micros} {peak} {}", told.codes.into_iter().collect::<Vec<_>>().join(" "));
}

pub(crate) fn bomb_names() -> Vec<String> {
    bombs(&small()).iter().map(|bomb| bomb.name.to_owned()).collect()
}

fn small() -> PackFiles {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pack"))
}

/// Works on one bomb, watched.
pub(crate) fn bomb(name: &str) {
    let bomb = bombs(&small()).into_iter().find(|bomb| bomb.name == name).expect("a bomb of that name");
    let watch = Watch::start();
    let (told, micros, peak) = watch.over(|| target::load(&bomb.files, &mut generator(1, 0)));
    println!("{micros} {peak}");
    if let Some(code) = bomb.code {
        assert!(told.codes.contains(code.as_str()), "{name}: {code} expected, {:?} told", told.codes);
    }
}

pub(crate) fn start_bomb(name: &str, folder: &Path) -> (End, Duration, u64) {
    let out = folder.join("bomb");
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--bomb", name]).stdout(File::create(&out).expect("a file"));
    let status = child.status().expect("a child");
    let text = std::fs::read_to_string(&out).unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|number| number.parse().ok());
    let took = Duration::from_micros(numbers.next().unwrap_or_default());
    (End::of(status), took, numbers.next().unwrap_or_default())
}

/// Starts a child; what it did before it ended, and how it ended.
pub(crate) fn start(seed: u64, from: u64, seconds: u64, folder: &Path) -> (Report, End) {
    for name in ["progress", "report"] {
        drop(std::fs::remove_file(folder.join(name)));
    }
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    let folder_text = folder.display().to_string();
    child.args(["--work", &seed.to_string(), &from.to_string(), &seconds.to_string(), &folder_text]);
    let end = End::of(child.status().expect("a child"));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let mut report = Report::read(&read("report"));
    if end != End::Well {
        report.inputs = read("progress").parse().unwrap_or_default();
    }
    (report, end)
}

/// The smallest part of the input, by files and by lines, that ends the same way.
pub(crate) fn smaller(input: Input, end: End, folder: &Path) -> Input {
    let path = folder.join("candidate");
    let still = |candidate: &Input| {
        std::fs::write(&path, corpus::text(candidate)).expect("a file");
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.arg("--once").arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        End::of(child.status().expect("a child")) == end
    };
    if !still(&input) {
        // It takes the generator's own state to break: kept whole.
        return input;
    }
    match input {
        Input::Canonical(text) => {
            Input::Canonical(fewer(&text, &mut |text| still(&Input::Canonical(text.to_owned()))))
        }
        Input::Files(mut files) => {
            let names: Vec<String> = files.0.keys().cloned().collect();
            for name in &names {
                let mut without = files.clone();
                without.0.remove(name);
                if still(&Input::Files(without.clone())) {
                    files = without;
                }
            }
            for name in &names {
                let Some(text) = files.0.get(name).cloned() else { continue };
                let less = fewer(&text, &mut |text| {
                    let mut candidate = files.clone();
                    candidate.0.insert(name.clone(), text.to_owned());
                    still(&Input::Files(candidate))
                });
                files.0.insert(name.clone(), less);
            }
            Input::Files(files)
        }
    }
}

/// Takes lines out, many at first, as long as the rest still does it.
fn fewer(text: &str, still: &mut dyn FnMut(&str) -> bool) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut size = lines.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < lines.len() {
            let to = (at + size).min(lines.len());
            let candidate = [&lines[..at], &lines[to..]].concat();
            if still(&candidate.concat()) {
                lines = candidate;
            } else {
                at = to;
            }
        }
        if size == 1 {
            return lines.concat();
        }
        size /= 2;
    }
}

/// Keeps an input under a name that is its own.
pub(crate) fn keep(what: &str, input: &Input) -> PathBuf {
    let text = corpus::text(input);
    let sum = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let folder = corpus::folder();
    let path = folder.join(format!("{what}-{:08x}.txt", sum & 0xffff_ffff));
    std::fs::create_dir_all(&folder).expect("a folder for kept inputs");
    std::fs::write(&path, text).expect("an input can be kept");
    path
}

/// Ends the process when an input takes too long, and measures what it took.
struct Watch {
    /// CPU time of the main thread, in microseconds, when the input began; zero while there is none.
    began: Arc<AtomicU64>,
}

impl Watch {
    fn start() -> Self {
        let watch = Self { began: Arc::default() };
        let began = Arc::clone(&watch.began);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(50));
                let since = began.load(Ordering::Relaxed);
                // The machine may be busy with others: what counts is the time on a processor.
                if since > 0 && cpu_of_main().saturating_sub(since) > micros(LONGEST) {
                    eprintln!("an input takes longer than {LONGEST:?}");
                    std::process::exit(HUNG);
                }
                if since > 0 && memory("VmRSS:") > 8 * HUNGRIEST {
                    eprintln!("an input takes far too much memory");
                    std::process::exit(HUNGRY);
                }
            }
        });
        watch
    }

    /// Runs `work`; its outcome, the microseconds and the KiB that it took.
    fn over<T>(&self, work: impl FnOnce() -> T) -> (T, u64, u64) {
        // Resets the peak of the memory in use to what is in use now.
        drop(std::fs::write("/proc/self/clear_refs", "5"));
        let before = memory("VmRSS:");
        let clock = cpu_of_main();
        self.began.store(clock.max(1), Ordering::Relaxed);
        let outcome = work();
        self.began.store(0, Ordering::Relaxed);
        let took = cpu_of_main().saturating_sub(clock);
        let peak = memory("VmHWM:").saturating_sub(before);
        if took > micros(LONGEST) {
            eprintln!("an input took {took} µs");
            std::process::exit(HUNG);
        }
        if peak > HUNGRIEST {
            eprintln!("an input took {peak} KiB");
            std::process::exit(HUNGRY);
        }
        (outcome, took, peak)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A line of `/proc/self/status`, in KiB.
fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// CPU time of the main thread in microseconds.
fn cpu_of_main() -> u64 {
    let main = format!("/proc/self/task/{}/schedstat", std::process::id());
    let text = std::fs::read_to_string(main).unwrap_or_default();
    text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default() / 1000
}
