//! Fleets that are made up, and what is found in them.

use super::*;
use crate::state::presence::Cause;
use crate::state::verdict::How;
use fastrand::Rng;
use std::fmt::Write as _;

mod clients;
mod outages;

const START: i64 = 1_760_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp(START + ms)
}

fn change(ms: i64, client: &str, from: Status, to: Status, cause: Cause) -> Change {
    let how = (to == Status::Offline).then_some(How::Abrupt);
    let voice = Some("lmq".into());
    let verdict = Verdict { status: to, how, voice, ..Verdict::unknown(client) };
    Change { at: at(ms), from, cause, verdict, held_ms: None }
}

fn come(ms: i64, client: &str, address: &str) -> Change {
    let mut change = change(ms, client, Status::Offline, Status::Online, Cause::Connect);
    change.verdict.address = Some(address.into());
    change
}

fn take_over(ms: i64, client: &str, address: &str) -> Change {
    Change { from: Status::Online, ..come(ms, client, address) }
}

fn go(ms: i64, client: &str, address: &str) -> Change {
    let mut change = change(ms, client, Status::Online, Status::Offline, Cause::Tcpclean);
    change.verdict.address = Some(address.into());
    change
}

fn online(client: &str, address: &str) -> Verdict {
    come(0, client, address).verdict
}

/// Hands changes over at the time of their stamps, lets `rest_ms` pass, and returns what was found.
fn diagnose(known: &[Verdict], changes: &[Change], rest_ms: i64) -> Vec<Finding> {
    diagnose_from(at(-600_000), known, changes, rest_ms)
}

fn diagnose_from(
    begin: Timestamp,
    known: &[Verdict],
    changes: &[Change],
    rest_ms: i64,
) -> Vec<Finding> {
    let mut diagnosis = Diagnosis::new(1, &Policy::DEFAULT);
    diagnosis.know(0, known, begin);
    let mut found = Vec::new();
    let mut last = at(0);
    for change in changes {
        let next = change.at.max(last);
        while last.plus(1_000) < next {
            last = last.plus(1_000);
            diagnosis.handle_timeout(last);
        }
        last = next;
        diagnosis.handle_timeout(last);
        diagnosis.observe(0, std::slice::from_ref(change), last);
    }
    let end = last.plus(rest_ms);
    while last < end {
        last = last.plus(1_000);
        diagnosis.handle_timeout(last);
    }
    while let Some((number, finding)) = diagnosis.poll_finding() {
        assert_eq!(number, 0);
        found.push(finding);
    }
    assert_eq!(diagnosis.overlooked(), 0);
    found
}

fn told(found: &[Finding]) -> String {
    found.iter().fold(String::new(), |mut text, finding| {
        let _ = write!(text, "{} {}, ", finding.what.code().code(), finding.phase.word());
        text
    })
}

#[test]
fn a_negative_difference_proves_a_clock_that_is_ahead() {
    let mut diagnosis = Diagnosis::new(1, &Policy::DEFAULT);
    let mut lags = Lags::default();
    let mut rng = Rng::with_seed(3);
    for second in 0..100 {
        let arrived = at(second * 1_000);
        let delay = 5 + rng.i64(0..400);
        lags.note(arrived.plus(1_200 - delay), 0, arrived);
        let lag = lags.lag().expect("something was heard");
        assert!(lag.certain_ms() <= delay, "what is certain is so");
        diagnosis.observe_lag(0, &lag, arrived);
    }
    let lag = lags.lag().expect("something was heard");
    assert!((1_150..=1_195).contains(&lag.ahead_ms().expect("it is ahead")), "{lag:?}");
    let (_, first) = diagnosis.poll_finding().expect("it is found");
    assert_eq!(first.phase, Phase::Begins);
    assert!(matches!(first.what, What::ClockOffset(Offset::Ahead { least_ms, .. })
        if (250..=1_195).contains(&least_ms)));
}

#[test]
fn clocks_that_agree_leave_the_least_delay_as_the_uncertainty() {
    for (resolution, seed) in [(0, 1), (1_000, 2)] {
        let mut diagnosis = Diagnosis::new(1, &Policy::DEFAULT);
        let mut lags = Lags::default();
        let mut rng = Rng::with_seed(seed);
        for number in 0..1_000 {
            let sent = at(number * 137);
            let delay = 20 + rng.i64(0..200);
            let stamp = if resolution == 0 { sent.0 } else { sent.0 / 1_000 * 1_000 };
            lags.note(Timestamp(stamp), resolution, sent.plus(delay));
            let lag = lags.lag().expect("something was heard");
            let range = lag.certain_ms()..=lag.latest_ms;
            assert!(range.contains(&delay), "{range:?} {delay}");
            diagnosis.observe_lag(0, &lag, sent);
        }
        assert_eq!(diagnosis.poll_finding(), None);
    }
}

#[test]
fn memory_is_bounded_and_nothing_panics_whatever_is_told() {
    let mut rng = Rng::with_seed(11);
    let mut diagnosis = Diagnosis::new(2, &Policy { loop_count: usize::MAX, ..Policy::DEFAULT });
    let words = ["", ":", "10.0.3.4:1", "[::1]:2", "泵", "2001:db8::1", "@@@", "a-@@@-b"];
    for round in 0..60_u32 {
        let changes: Vec<Change> = (0..3_000)
            .map(|_| {
                let word = words[rng.usize(..words.len())];
                let id = format!("{word}{}-{word}", rng.u32(..100_000));
                let [from, to] = [0; 2].map(|_| Status::ALL[rng.usize(..Status::ALL.len())]);
                let cause = [Cause::Connect, Cause::Tcpclean, Cause::Gap, Cause::Restart];
                let ms = if rng.u32(..20) == 0 { rng.i64(..) } else { i64::from(round) * 700 };
                let mut change = change(0, &id, from, to, cause[rng.usize(..4)]);
                change.at = Timestamp(ms);
                change.verdict.address = Some(word.into());
                change.verdict.voice = Some(format!("{}", rng.u32(..1_000)).into());
                change
            })
            .collect();
        let now = Timestamp(if round % 10 == 9 { rng.i64(..) } else { i64::from(round) * 700 });
        diagnosis.observe(rng.usize(..3), &changes, now);
        let lag = Lag {
            latest_ms: rng.i64(..),
            least_ms: rng.i64(..),
            resolution_ms: rng.u32(..),
            samples: rng.u64(..),
            span_ms: rng.i64(..),
        };
        let _ = (lag.certain_ms(), lag.uncertain_ms(), lag.ahead_ms());
        diagnosis.observe_lag(0, &lag, now);
        diagnosis.handle_timeout(now);
    }
    for broker in &diagnosis.brokers {
        assert!(broker.roster.len() <= 16_384 && broker.voices.len() <= VOICES_MAX);
    }
    assert!(diagnosis.findings.len() <= FINDINGS_MAX);
}
