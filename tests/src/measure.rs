//! Measuring: repeated runs, CPU time, what the machine was and what else kept it busy.
//!
//! Nothing here judges. A figure stands beside its limit, taken in the same run on the same machine.

#![expect(clippy::expect_used, reason = "measuring support: what fails here fails the run")]

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use serde::Serialize;

/// What the kernel counts CPU time in, towards programs: hundredths of a second on every platform.
const TICK: Duration = Duration::from_millis(10);

/// One quantity over several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; the mean of the middle two of an even number.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many runs.
    pub runs: usize,
}

impl Spread {
    /// Of at least one value.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first().expect("a value"), *sorted.last().expect("a value"));
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Self { median, min, max, runs: sorted.len() }
    }
}

/// The value below which `percent` of the sorted values lie.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
}

/// A count as a float; beyond 2^53 it would be rounded.
pub fn float(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^53")]
    let float = count as f64;
    float
}

/// CPU time of the calling thread, to the microsecond or so.
pub fn thread_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("a thread knows its CPU time");
    let nanos = text.split_whitespace().next().and_then(|first| first.parse().ok()).expect("a number");
    Duration::from_nanos(nanos)
}

/// CPU time that a process has used, its ended children included, to the hundredth of a second.
pub fn process_cpu(process: u32) -> Duration {
    stat(process).map(|stat| stat.cpu).unwrap_or_default()
}

/// CPU time of a process and of all its living descendants.
pub fn family_cpu(process: u32) -> Duration {
    let all: HashMap<u32, Stat> = processes().filter_map(|id| Some((id, stat(id)?))).collect();
    let belongs = |mut id: u32| {
        while id > 1 && id != process {
            id = all.get(&id).map_or(0, |stat| stat.parent);
        }
        id == process
    };
    all.iter().filter(|(id, _)| belongs(**id)).map(|(_, stat)| stat.cpu).sum()
}

struct Stat {
    parent: u32,
    cpu: Duration,
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").expect("a list of processes").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Fields 4 and 14 to 17 of `/proc/<pid>/stat`; the name before them may hold anything, parentheses included.
fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: u32 = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u32>().ok()).sum();
    Some(Stat { parent: fields.get(1)?.parse().ok()?, cpu: TICK * ticks })
}

/// CPU time of the whole machine since its start: what was spent, by anybody, hypervisor included.
fn machine_cpu() -> Duration {
    let text = fs::read_to_string("/proc/stat").expect("the machine knows its CPU time");
    let fields: Vec<u32> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    // user, nice, system, (idle, iowait,) irq, softirq, steal; guests are in user already.
    TICK * [0, 1, 2, 5, 6, 7].iter().filter_map(|at| fields.get(*at)).sum::<u32>()
}

/// What a stretch of time cost.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Usage {
    /// How long it was.
    pub wall: Duration,
    /// CPU time of the watched process.
    pub cpu: Duration,
    /// CPU time of the watched process, this one, and all their children.
    pub family: Duration,
    /// Share of the machine's CPUs, 0 to 1, that others used meanwhile.
    pub other: f64,
}

/// A stretch of time under way.
pub struct Watch {
    process: u32,
    began: Instant,
    cpu: Duration,
    family: Duration,
    machine: Duration,
}

impl Watch {
    /// Begins; `process` is this one or a child of it.
    pub fn over(process: u32) -> Self {
        let (family, machine) = (family_cpu(std::process::id()), machine_cpu());
        Self { process, began: Instant::now(), cpu: process_cpu(process), family, machine }
    }

    /// Begins, watching this process.
    pub fn start() -> Self {
        Self::over(std::process::id())
    }

    /// Ends.
    pub fn stop(&self) -> Usage {
        let wall = self.began.elapsed();
        let cpu = process_cpu(self.process).saturating_sub(self.cpu);
        let family = family_cpu(std::process::id()).saturating_sub(self.family);
        let others = machine_cpu().saturating_sub(self.machine).saturating_sub(family);
        let available = wall.as_secs_f64() * float(cores());
        Usage { wall, cpu, family, other: (others.as_secs_f64() / available).clamp(0.0, 1.0) }
    }
}

/// CPUs of the machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The machine, as far as it bears on figures.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Model of its processors.
    pub processor: String,
    /// How many CPUs.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: u64,
    /// Kernel.
    pub kernel: String,
    /// Work waiting for a CPU when the measurement began: the load average of one minute.
    pub load: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: cores(),
            memory_gib: kib.div_ceil(1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let odd = Spread::of(&[3.0, 1.0, 9.0]);
        assert_eq!(format!("{} {} {} {}", odd.median, odd.min, odd.max, odd.runs), "3 1 9 3");
        assert_eq!(Spread::of(&[4.0, 1.0]).median.to_string(), "2.5");
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 50), Duration::from_millis(101));
        assert_eq!(percentile(&values, 99), Duration::from_millis(199));
        assert_eq!(percentile(&values[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn cpu_time_of_this_process_is_part_of_its_family_and_grows() {
        let before = thread_cpu();
        let watch = Watch::start();
        let mut sum = 0_u64;
        while thread_cpu().saturating_sub(before) < Duration::from_millis(60) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let usage = watch.stop();
        assert!(usage.cpu >= Duration::from_millis(30), "{usage:?}");
        assert!(usage.family >= usage.cpu && (0.0..=1.0).contains(&usage.other), "{usage:?}");
    }
}
