//! A pack of 300 rules: compiled, checked, its cases run, and asked about one event after the other.

use std::hint::black_box;
use std::time::{Duration, Instant};

use civitas_rules::{Pack, PackFiles};
use civitas_tests::measure::{Spread, Watch, float, percentile, thread_cpu};
use civitas_tests::stack::write_pack;
use jiff::tz::TimeZone;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::country::{self, Event, Spec};
use crate::report::{Cell, Figure};
use crate::rules::AT_HAND;

const RULES: usize = 300;
const EVENTS: usize = 4_000;
const CASES: usize = 300;
const RUNS: usize = 9;
/// The kernel counts a process's CPU time in hundredths of a second: so many times make one run of reading.
const EACH: u32 = 8;
const RUN: Duration = Duration::from_millis(300);
const CHECK: f64 = 50.0;
const TAIL: f64 = 10.0;
const RATE: f64 = 500_000.0;
const LIMIT: &str = "limit: the same rules, a match in Rust over all of them";

pub(crate) fn run() -> Vec<Figure> {
    let mut rng = StdRng::seed_from_u64(300);
    let zone = TimeZone::get("Africa/Lusaka").expect("a zone");
    let specs = country::specs(RULES);
    let cased: Vec<Event> = (0..CASES).map(|_| Event::any(&mut rng, false)).collect();
    let files = country::files(&specs, &country::cases(&specs, &cased, &zone));
    let pack = Pack::load(&files).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(pack.warnings().is_empty(), "{}", pack.warnings());
    let report = pack.run_cases();
    assert!(report.is_ok(), "{report}");
    let events: Vec<Event> = (0..EVENTS).map(|_| Event::any(&mut rng, true)).collect();
    for event in &events {
        let hand = country::by_hand(&specs, &event.facts(), &zone);
        assert_eq!(pack.decide(&event.facts()).rule.as_deref(), hand, "the rules and their twins differ");
    }
    vec![reading(&files, &pack), deciding(&pack, &specs, &events, &zone)]
}

fn reading(files: &PackFiles, pack: &Pack) -> Figure {
    let folder = tempfile::tempdir().expect("a folder");
    write_pack(files, folder.path());
    let mut wrong = files.clone();
    let rules = wrong.0.get_mut("rules.yaml").expect("rules");
    *rules = rules.replace("subject.nationality:", "subject.nationalty:");
    let mistakes = Pack::load(&wrong).expect_err("refused").len();
    let bytes: usize = files.0.values().map(String::len).sum();
    let watch = Watch::start();
    let plain = millis(|| {
        for (name, text) in &files.0 {
            match name.strip_suffix(".json") {
                Some(_) => drop(black_box(serde_json::from_str::<serde_json::Value>(text))),
                None => drop(black_box(serde_saphyr::from_str::<serde_json::Value>(text))),
            }
        }
    });
    let compile = millis(|| Pack::load(black_box(files)).expect("a pack"));
    let check = millis(|| {
        let files = civitas::pack::read(folder.path()).expect("files");
        Pack::load(&files).expect("a pack").warnings().to_string()
    });
    let refuse = millis(|| Pack::load(black_box(&wrong)).expect_err("refused").to_string());
    let cases = millis(|| pack.run_cases());
    let restore = millis(|| Pack::from_canonical(black_box(pack.canonical())).expect("a pack"));
    let usage = watch.stop();
    let row = |what: String, Took { clock, cpu }: Took, aim: Option<f64>| {
        vec![
            what.into(),
            Cell::Spread(clock, 1),
            aim.map_or(Cell::Nothing, |aim| Cell::Number(aim, 0)),
            Cell::Spread(cpu, 1),
            Cell::Ratio(cpu.median / plain.cpu.median),
        ]
    };
    Figure {
        name: "large",
        title: "A pack of 300 rules, read",
        columns: vec!["what", "ms on the clock", "aim", "ms of CPU time", "CPU beside plain parsing"],
        rows: vec![
            row("compile, from texts".to_owned(), compile, None),
            row("check, from the folder".to_owned(), check, Some(CHECK)),
            row(format!("check, {mistakes} mistakes told"), refuse, None),
            row(format!("run its {CASES} cases"), cases, None),
            row("bring back from the archive".to_owned(), restore, None),
            row("limit: the same texts parsed as YAML and JSON".to_owned(), plain, None),
        ],
        notes: vec![format!(
            "{} files of {bytes} bytes; others {:.0} %.",
            files.0.len(),
            usage.other * 100.0
        )],
    }
}

fn deciding(pack: &Pack, specs: &[Spec], events: &[Event], zone: &TimeZone) -> Figure {
    let matched = events.iter().filter(|event| pack.decide(&event.facts()).rule.is_some()).count();
    let watch = Watch::start();
    let at_hand = &events[..AT_HAND];
    let [hand_at_hand, hand] = [at_hand, events]
        .map(|events| rate(events, |event| country::by_hand(specs, &event.facts(), zone).map(str::len)));
    let [decide_at_hand, decide] =
        [at_hand, events].map(|events| rate(events, |event| pack.decide(&event.facts())));
    let explain = rate(events, |event| pack.explain(&event.facts()).sentence("en"));
    let tails = |events| [50, 99].map(|percent| Cell::Spread(tail(pack, events, percent), 2));
    let [tails_at_hand, tails] = [at_hand, events].map(tails);
    let none = || [Cell::Nothing, Cell::Nothing];
    let usage = watch.stop();
    let row = |what: &str, rate: Spread, tails: [Cell; 2], aim: Option<(f64, f64)>, hand: Spread| {
        let [half, most] = tails;
        vec![
            what.into(),
            Cell::Spread(rate, 0),
            aim.map_or(Cell::Nothing, |(rate, _)| Cell::Number(rate, 0)),
            half,
            most,
            aim.map_or(Cell::Nothing, |(_, tail)| Cell::Number(tail, 0)),
            Cell::Ratio(rate.median / hand.median),
        ]
    };
    Figure {
        name: "large-decide",
        title: "A pack of 300 rules, deciding",
        columns: vec![
            "what",
            "per second and core",
            "aim",
            "p50 µs",
            "p99 µs",
            "aim p99",
            "beside a match in Rust",
        ],
        rows: vec![
            row(
                "decide, the record in the caches",
                decide_at_hand,
                tails_at_hand,
                Some((RATE, TAIL)),
                hand_at_hand,
            ),
            row(LIMIT, hand_at_hand, none(), None, hand_at_hand),
            row("decide, the record in memory", decide, tails, Some((RATE, TAIL)), hand),
            row("explain, with the sentence", explain, none(), None, hand),
            row(LIMIT, hand, none(), None, hand),
        ],
        notes: vec![format!(
            "{EVENTS} events over 30 steps with 10 rules each, {matched} decided by a rule, in turn or, in the caches, \
             {AT_HAND} of them again and again; latencies on the clock, the rest per second of CPU time; others {:.0} %.",
            usage.other * 100.0
        )],
    }
}

/// Milliseconds that something took, over several runs.
#[derive(Clone, Copy)]
struct Took {
    clock: Spread,
    /// Of all threads: a pack is read by two.
    cpu: Spread,
}

fn millis<T>(mut work: impl FnMut() -> T) -> Took {
    let runs: Vec<(f64, f64)> = (0..RUNS)
        .map(|_| {
            let watch = Watch::start();
            (0..EACH).for_each(|_| drop(black_box(work())));
            let usage = watch.stop();
            let each = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(EACH);
            (each(usage.wall), each(usage.cpu))
        })
        .collect();
    let (clock, cpu): (Vec<f64>, Vec<f64>) = runs.into_iter().unzip();
    Took { clock: Spread::of(&clock), cpu: Spread::of(&cpu) }
}

/// Events per second of this thread's CPU time, over several runs.
fn rate<T>(events: &[Event], mut work: impl FnMut(&Event) -> T) -> Spread {
    let runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = thread_cpu();
            let mut done = 0;
            loop {
                for event in events {
                    drop(black_box(work(black_box(event))));
                }
                done += events.len();
                let spent = thread_cpu().saturating_sub(began);
                if spent >= RUN {
                    return float(done) / spent.as_secs_f64();
                }
            }
        })
        .collect();
    Spread::of(&runs)
}

/// Microseconds on the clock below which so many decisions of a hundred stay, over several runs.
fn tail(pack: &Pack, events: &[Event], percent: usize) -> Spread {
    let runs: Vec<f64> = (0..RUNS)
        .map(|_| {
            let mut times: Vec<Duration> = Vec::with_capacity(EVENTS);
            for event in events.iter().cycle().take(EVENTS) {
                let facts = event.facts();
                let began = Instant::now();
                drop(black_box(pack.decide(black_box(&facts))));
                times.push(began.elapsed());
            }
            times.sort_unstable();
            percentile(&times, percent).as_secs_f64() * 1e6
        })
        .collect();
    Spread::of(&runs)
}
