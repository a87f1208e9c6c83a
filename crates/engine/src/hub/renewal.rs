//! What to ask the hub for next, given what the journal knows of a subscription.

use std::time::Duration;

use civitas_journal::subscriptions::{Asked, Subscription, SubscriptionState};
use jiff::Timestamp;

use crate::schedule::later;

/// The hub's default. MOSIP's hub enforces none, another one may.
pub(super) const LEASE_SECONDS: u32 = 86_400;

/// How long the hub may take to verify a request: it tries three times within seconds, a slow one within minutes.
pub(super) const VERIFICATION: Duration = Duration::from_mins(5);

/// The next request, and with which of our secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) asked: Asked,
    /// Whether the secret before the current one is sent, where it is known.
    pub(super) old_secret: bool,
}

const SUBSCRIBE: Ask = Ask { asked: Asked::Subscribe, old_secret: false };

/// The lease that the hub named.
pub(super) fn lease(seconds: Option<u64>) -> Duration {
    let seconds = seconds.filter(|seconds| *seconds > 0).unwrap_or(LEASE_SECONDS.into());
    Duration::from_secs(seconds.min(u64::from(LEASE_SECONDS) * 30))
}

/// What is due now; `None`: nothing yet.
///
/// A changed secret is ignored by the hub as long as the old subscription stands, so that it is ended first. Ending is
/// denied when the hub has lost it from memory: then it is asked for again, with the old secret, and ended then.
pub(super) fn due(
    row: Option<&Subscription>,
    callback: &str,
    secret: &str,
    renew_every: Duration,
    now: Timestamp,
) -> Option<Ask> {
    let Some(row) = row.filter(|row| row.callback == callback) else { return Some(SUBSCRIBE) };
    let open = row.asked_until.is_some_and(|until| now <= until);
    let changing = row.secret.as_deref().is_some_and(|known| known != secret);
    match row.state {
        SubscriptionState::Left => Some(SUBSCRIBE),
        // Verification is on its way. A cause says that the hub may not have heard the request.
        SubscriptionState::Requested if open && row.asked.is_some() && row.cause.is_none() => None,
        SubscriptionState::Requested if row.asked == Some(Asked::Unsubscribe) && changing => Some(leave()),
        SubscriptionState::Requested => Some(Ask { asked: Asked::Subscribe, old_secret: changing }),
        SubscriptionState::Lost => Some(Ask { asked: Asked::Subscribe, old_secret: true }),
        SubscriptionState::Verified if changing => Some(leave()),
        SubscriptionState::Verified => (now >= renew_at(row, renew_every)).then_some(SUBSCRIBE),
        SubscriptionState::Denied => (now >= later(row.requested_at, renew_every)).then_some(SUBSCRIBE),
    }
}

fn leave() -> Ask {
    Ask { asked: Asked::Unsubscribe, old_secret: true }
}

/// The timer, or half of the lease where that is sooner: there is time for several attempts before it ends.
fn renew_at(row: &Subscription, renew_every: Duration) -> Timestamp {
    let timer = later(row.requested_at, renew_every);
    let (Some(verified), Some(expires)) = (row.verified_at, row.expires_at) else { return timer };
    let life = Duration::try_from(expires.duration_since(verified)).unwrap_or_default();
    timer.min(later(verified, life / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + minute * 60).unwrap()
    }

    fn row(state: SubscriptionState) -> Subscription {
        let mut row = Subscription::new("t", "http://us", at(0));
        row.state = state;
        row.secret = Some("old".to_owned());
        row
    }

    fn next(row: &Subscription, secret: &str, minute: i64) -> Option<(Asked, bool)> {
        let ask = due(Some(row), "http://us", secret, Duration::from_mins(10), at(minute));
        ask.map(|ask| (ask.asked, ask.old_secret))
    }

    #[test]
    fn it_is_renewed_by_the_timer_or_well_before_the_lease_ends() {
        let mut row = row(SubscriptionState::Verified);
        assert_eq!(next(&row, "old", 9), None);
        assert_eq!(next(&row, "old", 10), Some((Asked::Subscribe, false)));
        (row.verified_at, row.expires_at) = (Some(at(0)), Some(at(8)));
        assert_eq!(next(&row, "old", 3), None);
        assert_eq!(next(&row, "old", 4), Some((Asked::Subscribe, false)), "half of a short lease");
    }

    #[test]
    fn a_changed_secret_ends_the_subscription_before_it_is_made_anew() {
        let mut row = row(SubscriptionState::Verified);
        assert_eq!(next(&row, "new", 1), Some((Asked::Unsubscribe, true)));
        (row.state, row.asked, row.asked_until) =
            (SubscriptionState::Requested, Some(Asked::Unsubscribe), Some(at(5)));
        assert_eq!(next(&row, "new", 4), None, "the hub is about to verify");
        assert_eq!(next(&row, "new", 6), Some((Asked::Unsubscribe, true)), "it never did");
        row.cause = Some("time-out".to_owned());
        assert_eq!(next(&row, "new", 4), Some((Asked::Unsubscribe, true)), "it may not have heard it");
        (row.state, row.secret) = (SubscriptionState::Left, None);
        assert_eq!(next(&row, "new", 6), Some((Asked::Subscribe, false)));
    }

    #[test]
    fn a_subscription_that_the_hub_lost_is_asked_for_with_the_old_secret_first() {
        let mut row = row(SubscriptionState::Lost);
        assert_eq!(next(&row, "new", 1), Some((Asked::Subscribe, true)));
        (row.state, row.asked, row.asked_until) =
            (SubscriptionState::Requested, Some(Asked::Subscribe), Some(at(5)));
        assert_eq!(next(&row, "new", 6), Some((Asked::Subscribe, true)), "not verified: again");
        row.state = SubscriptionState::Verified;
        assert_eq!(next(&row, "new", 6), Some((Asked::Unsubscribe, true)), "now it can be ended");
    }

    #[test]
    fn an_unknown_or_moved_subscription_is_asked_for_at_once_and_a_denied_one_on_the_timer() {
        assert_eq!(due(None, "http://us", "s", Duration::from_mins(10), at(0)), Some(SUBSCRIBE));
        let moved =
            due(Some(&row(SubscriptionState::Verified)), "http://new", "old", Duration::from_mins(10), at(0));
        assert_eq!(moved, Some(SUBSCRIBE));
        assert_eq!(next(&row(SubscriptionState::Denied), "old", 9), None);
        assert_eq!(next(&row(SubscriptionState::Denied), "old", 10), Some((Asked::Subscribe, false)));
    }

    #[test]
    fn a_lease_is_what_the_hub_names_within_reason() {
        assert_eq!(lease(Some(600)), Duration::from_mins(10));
        assert_eq!(lease(None), Duration::from_hours(24));
        assert_eq!(lease(Some(0)), Duration::from_hours(24));
        assert_eq!(lease(Some(u64::MAX)), Duration::from_hours(24 * 30));
    }
}
