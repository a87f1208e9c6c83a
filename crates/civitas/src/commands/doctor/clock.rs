//! The clock: MOSIP and OpenCRVS judge requests and tokens by it, deadlines and ages follow it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::finding::Finding;

/// Seconds of difference worth a warning, and those that break calls. `Date` counts in whole seconds.
const WARN: i64 = 5;
const FAIL: i64 = 60;

/// Compares this machine's clock with the `Date` of one service's answer, whatever it answers.
pub(super) async fn check(
    http: &reqwest::Client,
    name: &str,
    url: &str,
    clock: fn() -> Timestamp,
) -> Option<Finding> {
    let asked = clock();
    let answer = http.get(url).timeout(Duration::from_secs(5)).send().await.ok()?;
    let answered = clock();
    let date = answer.headers().get("date")?.to_str().ok()?;
    let theirs = rfc2822::parse(&date.replace("GMT", "+0000")).ok()?.timestamp();
    Some(judge(name, theirs, asked, answered))
}

fn judge(name: &str, theirs: Timestamp, asked: Timestamp, answered: Timestamp) -> Finding {
    let check = format!("clock against {name}");
    let (theirs, asked, answered) = (theirs.as_second(), asked.as_second(), answered.as_second());
    // What they said lies between the question and the answer if both clocks agree.
    let off = if theirs < asked { theirs - asked } else { (theirs - answered).max(0) };
    let side = if off < 0 { "ahead of" } else { "behind" };
    let found = format!("this machine is {} s {side} {name}", off.abs());
    let advice = "keep the clocks of all machines by NTP";
    match off.abs() {
        0..=1 => Finding::ok(check, "they agree"),
        2..=WARN => Finding::ok(check, found),
        off if off <= FAIL => Finding::warn(check, found, advice),
        _ => Finding::fail(check, found, advice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Verdict;

    #[test]
    fn a_clock_is_judged_by_what_cannot_be_explained_by_the_call_itself() {
        let at = |second: i64| Timestamp::from_second(1_780_000_000 + second).unwrap();
        let of = |theirs| judge("mosip", at(theirs), at(0), at(2));
        assert_eq!(of(1).found, "they agree");
        assert_eq!(of(6).verdict, Verdict::Ok);
        assert_eq!(of(20).found, "this machine is 18 s behind mosip");
        assert_eq!(of(20).verdict, Verdict::Warn);
        assert_eq!(of(-61).verdict, Verdict::Fail);
        assert_eq!(of(-61).found, "this machine is 61 s ahead of mosip");
    }
}
