//! Laws of the course of things, over random changes.

use super::{Chronicle, Column, Curve, Kind, Lives, Spell, Uptimes};
use crate::event::Timestamp;
use crate::state::presence::{Cause, Change};
use crate::state::turn::Turn;
use crate::state::verdict::{Blind, LastKnown, Status, Verdict};
use fastrand::Rng;

/// Changes of a few clients as they become known one after the other: in time, late, or stamped ahead.
fn changes(rng: &mut Rng) -> Vec<(Change, Timestamp)> {
    let mut now = 1_000_000;
    let mut change = || {
        now += rng.i64(0..4_000);
        let client = format!("c{}", rng.i64(0..4));
        let to = Status::ALL[rng.usize(0..5)];
        let at = Timestamp(now + 500 - rng.i64(0..3_000));
        let causes = [Cause::Connect, Cause::Covered, Cause::Tcpclean, Cause::Gap];
        let cause = causes[rng.usize(0..4)];
        let since = (rng.i64(0..3) > 0).then_some(at);
        let until = (rng.i64(0..2) > 0).then(|| at.plus(-rng.i64(0..2_000)));
        let last_known = LastKnown {
            status: Status::Online,
            channel: None,
            since,
            until,
            blind: Blind::NeverListened,
        };
        let last_known = (to == Status::Unknown).then(|| Box::new(last_known));
        let verdict = Verdict { status: to, since, last_known, ..Verdict::unknown(client) };
        (Change { at, from: Status::Unknown, cause, verdict, held_ms: None }, Timestamp(now))
    };
    (0..60).map(|_| change()).collect()
}

const BOUNDS: (Timestamp, Timestamp) = (Timestamp(1_000_000), Timestamp(1_100_000));

#[test]
fn up_down_and_unknown_are_the_whole_time() {
    for seed in 0..500 {
        let changes = changes(&mut Rng::with_seed(seed));
        let (first, last) = (BOUNDS.0.plus(Rng::with_seed(seed).i64(0..50_000)), BOUNDS.1);
        let mut uptimes = Uptimes::default();
        for (change, now) in &changes {
            uptimes.change(change, *now, (first, last));
        }
        uptimes.know("never heard");
        for (client, totals) in uptimes.finish((first, last)) {
            assert_eq!(totals.span_ms(), last.since(first), "seed {seed}, {client}: {totals:?}");
            assert!(totals.losses <= totals.connections + 1, "seed {seed}: {totals:?}");
        }
    }
}

#[test]
fn the_curve_of_all_is_the_sum_of_the_lives_of_each() {
    for seed in 0..500 {
        let changes = changes(&mut Rng::with_seed(seed));
        let (mut uptimes, mut lives) = (Uptimes::default(), Lives::<()>::default());
        let mut curve = Curve::default();
        let mut take = |spell: Spell<()>| {
            if let Some(part) = spell.within(BOUNDS.0, BOUNDS.1) {
                curve.take(&part);
            }
        };
        for (change, now) in &changes {
            uptimes.change(change, *now, BOUNDS);
            lives.change(change, *now, (), &mut take);
        }
        lives.finish(BOUNDS.1, |_, spell| take(spell));
        let (mut clients, mut up, mut down) = (0, 0, 0);
        for (_, totals) in uptimes.finish(BOUNDS) {
            clients += 1;
            (up, down) = (up + totals.up_ms, down + totals.down_ms);
        }
        for pieces in [1, 7, 512] {
            let means = curve.clone().means(BOUNDS, clients, pieces);
            let sum = |of: fn(&super::Mean) -> f64| -> f64 {
                let length = |mean: &super::Mean| {
                    f64::from(i32::try_from(mean.to.since(mean.from)).expect("it is small"))
                };
                means.iter().map(|mean| of(mean) * length(mean)).sum()
            };
            let near = |found: f64, expected: i64| {
                (found - f64::from(i32::try_from(expected).expect("it is small"))).abs() < 1.0
            };
            assert!(near(sum(|mean| mean.online), up), "seed {seed}, {pieces} pieces");
            assert!(near(sum(|mean| mean.offline), down), "seed {seed}, {pieces} pieces");
        }
    }
}

#[test]
fn spells_follow_each_other() {
    for seed in 0..500 {
        let mut lives = Lives::<()>::default();
        let mut spells: Vec<Spell<()>> = Vec::new();
        for (change, now) in changes(&mut Rng::with_seed(seed)) {
            if change.verdict.client == "c0" {
                lives.change(&change, now, (), &mut |spell| spells.push(spell));
            }
        }
        lives.finish(BOUNDS.1, |_, spell| spells.push(spell));
        for pair in spells.windows(2) {
            assert_eq!(pair[0].to, pair[1].from, "seed {seed}");
            assert_eq!(Some(pair[0].kind), pair[1].after, "seed {seed}");
            let repeats = pair[0].kind == pair[1].kind && pair[1].kind != Kind::Up;
            assert!(!repeats, "seed {seed}: {pair:?}");
        }
    }
}

#[test]
fn a_chronicle_tells_what_its_parts_would_tell_apart() {
    for seed in 0..500 {
        let changes = changes(&mut Rng::with_seed(seed));
        let (mut uptimes, mut lives) = (Uptimes::default(), Lives::<()>::default());
        let (mut curve, mut chronicle) = (Curve::default(), Chronicle::default());
        let mut take = |spell: Spell<()>| {
            if let Some(part) = spell.within(BOUNDS.0, BOUNDS.1) {
                curve.take(&part);
            }
        };
        for (change, now) in &changes {
            uptimes.change(change, *now, BOUNDS);
            lives.change(change, *now, (), &mut take);
            chronicle.turn(&change.verdict.client, &Turn::of(change), *now, BOUNDS);
        }
        lives.finish(BOUNDS.1, |_, spell| take(spell));
        let told = chronicle.finish(BOUNDS);
        let totals: Vec<_> = uptimes.finish(BOUNDS).collect();
        assert_eq!(told.clients, totals, "seed {seed}");
        assert_eq!(told.curve.means(BOUNDS, 4, 9), curve.means(BOUNDS, 4, 9), "seed {seed}");
    }
}

#[test]
fn a_course_is_a_row_of_spells_or_at_least_a_raster() {
    let flap = |at: i64| {
        let to = if at % 2 == 0 { Status::Online } else { Status::Offline };
        let since = Some(BOUNDS.0.plus(at * 10));
        let verdict = Verdict { status: to, since, ..Verdict::unknown("a") };
        let at = verdict.since.expect("it was just set");
        Change { at, from: Status::Unknown, cause: Cause::Connect, verdict, held_ms: None }
    };
    for (count, is_whole) in [(10, true), (5_000, false)] {
        let mut chronicle = Chronicle::default();
        for change in (0..count).map(flap) {
            chronicle.turn("a", &Turn::of(&change), change.at, BOUNDS);
        }
        let told = chronicle.finish(BOUNDS);
        let (course, totals) = (&told.courses[0], told.clients[0].1);
        assert_eq!(course.spells.is_some(), is_whole, "{count}");
        let length: i64 = course.spells.iter().flatten().map(Spell::length_ms).sum();
        assert!(!is_whole || length == totals.span_ms(), "{count}: {length}");
        assert!(course.raster.columns().any(|column| column == Column::Partly), "{count}");
    }
}
