//! A circuit breaker per service: after some failures in a row nothing is sent for a while, then one call tries.
//!
//! What is not sent has not failed: it is parked ([`crate::Class::Parked`]), no attempt is counted, and it keeps its
//! place. When the service answers again, calls come back one by one, so that what waited does not bury it.
//!
//! Pure: time is passed in, so that a clock which runs fast, or a test, decides how long a circuit stays open.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// When a circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaking {
    /// Failures in a row that open it; 0 counts as 1.
    pub failures: u32,
    /// How long it stays open at first. Doubled each time that the call which tries fails.
    pub first: Duration,
    /// The longest time; a service's `Retry-After` may ask for more.
    pub longest: Duration,
}

impl Default for Breaking {
    fn default() -> Self {
        Breaking { failures: 5, first: Duration::from_secs(5), longest: Duration::from_mins(1) }
    }
}

/// How a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// Calls go through.
    Closed,
    /// Nothing is sent until its time is over.
    Open,
    /// Its time is over: the next call, or one that is under way, tries.
    HalfOpen,
    /// It was closed again a moment ago: calls come back a few at a time.
    Recovering,
}

impl Circuit {
    /// Its name in metrics, the journal and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Circuit::Closed => "closed",
            Circuit::Open => "open",
            Circuit::HalfOpen => "half_open",
            Circuit::Recovering => "recovering",
        }
    }
}

/// What one may do with a service at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Call it.
    Free,
    /// Call it once: it is not known whether it is back.
    Try,
    /// Leave it alone until then.
    Parked(Timestamp),
}

/// What a call was admitted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// One of many.
    Usual,
    /// The one that tries.
    Probe,
}

/// How a call ended, as far as the service's health goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answered, whatever it said.
    Alive,
    /// It did not, or not in its right mind; how long it asked to be left alone.
    Failing(Option<Duration>),
    /// The call was given up by its caller: it says nothing.
    Silent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Timestamp, probing: bool },
}

/// One service's circuit.
#[derive(Debug)]
pub(crate) struct Breaker {
    policy: Breaking,
    state: State,
    /// Failures in a row.
    strikes: u32,
    /// Times that it opened since it last was wholly closed.
    openings: u32,
    /// When it opened first.
    since: Option<Timestamp>,
    /// Calls at a time while it recovers; `None`: as many as the service's limit.
    ramp: Option<usize>,
    /// The ramp ends here.
    full: usize,
}

impl Breaker {
    pub(crate) fn new(policy: Breaking, full: usize) -> Self {
        let full = full.max(1);
        Breaker { policy, state: State::Closed, strikes: 0, openings: 0, since: None, ramp: None, full }
    }

    /// What one may do now, without doing it.
    pub(crate) fn admission(&self, now: Timestamp) -> Admission {
        match self.state {
            State::Closed => Admission::Free,
            // Somebody tries: look again in a moment.
            State::Open { probing: true, .. } => Admission::Parked(later(now, self.policy.first)),
            State::Open { until, .. } if now < until => Admission::Parked(until),
            State::Open { .. } => Admission::Try,
        }
    }

    /// Admits a call, or says until when it is parked.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<Pass, Timestamp> {
        match self.admission(now) {
            Admission::Free => Ok(Pass::Usual),
            Admission::Parked(until) => Err(until),
            Admission::Try => {
                self.state = State::Open { until: now, probing: true };
                Ok(Pass::Probe)
            }
        }
    }

    /// Calls that may be under way at a time.
    pub(crate) fn width(&self) -> usize {
        self.ramp.unwrap_or(self.full)
    }

    /// Takes the end of an admitted call into account; whether the circuit changed.
    pub(crate) fn settle(&mut self, pass: Pass, health: Health, now: Timestamp) -> bool {
        match (pass, health) {
            (Pass::Probe, Health::Alive) => {
                self.state = State::Closed;
                self.strikes = 0;
                self.ramp = Some(1);
                true
            }
            (Pass::Probe, Health::Failing(asked)) => {
                self.open(asked, now);
                true
            }
            (Pass::Probe, Health::Silent) => {
                self.state = State::Open { until: now, probing: false };
                false
            }
            // What began before the circuit opened says nothing new.
            (Pass::Usual, _) if self.state != State::Closed => false,
            (Pass::Usual, Health::Alive) => {
                self.strikes = 0;
                self.widen()
            }
            (Pass::Usual, Health::Failing(asked)) => {
                self.strikes = self.strikes.saturating_add(1);
                let enough = self.strikes >= self.policy.failures.max(1) || asked.is_some();
                if enough {
                    self.open(asked, now);
                }
                enough
            }
            (Pass::Usual, Health::Silent) => false,
        }
    }

    /// How it stands.
    pub(crate) fn circuit(&self, now: Timestamp) -> Circuit {
        match self.state {
            State::Closed if self.ramp.is_some() => Circuit::Recovering,
            State::Closed => Circuit::Closed,
            State::Open { until, probing: false } if now < until => Circuit::Open,
            State::Open { .. } => Circuit::HalfOpen,
        }
    }

    /// When it opened, and until when it stays so.
    pub(crate) fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let until = match self.state {
            State::Closed => None,
            State::Open { until, .. } => Some(until),
        };
        (self.since, until)
    }

    fn open(&mut self, asked: Option<Duration>, now: Timestamp) {
        let wait = self.policy.first.saturating_mul(1 << self.openings.min(16)).min(self.policy.longest);
        let until = later(now, wait.max(asked.unwrap_or_default()));
        self.state = State::Open { until, probing: false };
        self.openings += 1;
        self.strikes = 0;
        self.ramp = None;
        self.since.get_or_insert(now);
    }

    /// Lets twice as many through, up to the limit.
    fn widen(&mut self) -> bool {
        let Some(width) = self.ramp else { return false };
        if width * 2 < self.full {
            self.ramp = Some(width * 2);
            return false;
        }
        self.ramp = None;
        self.openings = 0;
        self.since = None;
        true
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILING: Health = Health::Failing(None);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    fn breaker() -> Breaker {
        let policy =
            Breaking { failures: 3, first: Duration::from_secs(10), longest: Duration::from_secs(60) };
        Breaker::new(policy, 8)
    }

    fn opened() -> Breaker {
        let mut breaker = breaker();
        for _ in 0..3 {
            let pass = breaker.admit(at(0)).unwrap();
            breaker.settle(pass, FAILING, at(0));
        }
        assert_eq!(breaker.circuit(at(0)), Circuit::Open);
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_not_before() {
        let mut breaker = breaker();
        for health in [FAILING, FAILING, Health::Alive, FAILING, Health::Silent, FAILING] {
            let pass = breaker.admit(at(0)).unwrap();
            assert!(!breaker.settle(pass, health, at(0)));
        }
        assert_eq!(breaker.circuit(at(0)), Circuit::Closed);
        assert!(breaker.settle(Pass::Usual, FAILING, at(0)));
        assert_eq!(breaker.admit(at(9)), Err(at(10)));
        assert_eq!(breaker.times(), (Some(at(0)), Some(at(10))));
    }

    #[test]
    fn one_call_tries_and_the_others_wait_for_it() {
        let mut breaker = opened();
        assert_eq!(breaker.admission(at(10)), Admission::Try);
        assert_eq!(breaker.admit(at(10)), Ok(Pass::Probe));
        assert!(breaker.admit(at(10)).is_err(), "somebody tries already");
        assert!(breaker.settle(Pass::Probe, Health::Alive, at(11)));
        assert_eq!((breaker.circuit(at(11)), breaker.width()), (Circuit::Recovering, 1));
    }

    #[test]
    fn each_vain_try_doubles_the_wait_up_to_the_longest() {
        let mut breaker = opened();
        let mut now = 0;
        for wait in [10, 20, 40, 60, 60] {
            assert_eq!(breaker.admit(at(now + wait - 1)), Err(at(now + wait)));
            now += wait;
            assert_eq!(breaker.admit(at(now)), Ok(Pass::Probe));
            breaker.settle(Pass::Probe, FAILING, at(now));
        }
        assert_eq!(breaker.times().0, Some(at(0)), "since the first opening");
    }

    #[test]
    fn calls_come_back_a_few_at_a_time() {
        let mut breaker = opened();
        breaker.admit(at(10)).unwrap();
        breaker.settle(Pass::Probe, Health::Alive, at(10));
        let mut widths = Vec::new();
        while breaker.circuit(at(10)) == Circuit::Recovering {
            widths.push(breaker.width());
            breaker.settle(Pass::Usual, Health::Alive, at(10));
        }
        assert_eq!(widths, [1, 2, 4]);
        assert_eq!((breaker.width(), breaker.times()), (8, (None, None)));
    }

    #[test]
    fn a_service_that_names_a_time_is_left_alone_for_it() {
        let mut breaker = breaker();
        let asked = Health::Failing(Some(Duration::from_secs(300)));
        assert!(breaker.settle(Pass::Usual, asked, at(0)), "at once, since it asked for it");
        assert_eq!(breaker.admit(at(299)), Err(at(300)));
    }

    #[test]
    fn what_began_before_it_opened_changes_nothing() {
        let mut breaker = opened();
        assert!(!breaker.settle(Pass::Usual, Health::Alive, at(1)));
        assert!(!breaker.settle(Pass::Usual, FAILING, at(5)));
        assert_eq!(breaker.times().1, Some(at(10)));
    }

    #[test]
    fn a_try_that_was_given_up_leaves_the_next_call_to_try() {
        let mut breaker = opened();
        breaker.admit(at(10)).unwrap();
        breaker.settle(Pass::Probe, Health::Silent, at(12));
        assert_eq!(breaker.admit(at(12)), Ok(Pass::Probe));
    }
}
