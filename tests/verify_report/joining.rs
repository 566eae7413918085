//! Shards of one run make the report of the whole.

use super::sample::{fault, printed, read, run};
use hdrhistogram::Histogram;
use presence::failure::{Failure, Outcome as Ends};
use presence::output::object::Summary;
use presence::output::verification::{Shards, Verified, merge};
use presence::output::warning::Warning;
use presence::random::Random;
use presence::simulate::verify::findings::{FAULTS_MAX, Findings, Row, Voice, Wrong};

#[test]
fn shards_make_the_whole_byte_for_byte() {
    for (seed, of) in [(1, 1), (2, 2), (3, 3), (4, 10)] {
        let mut whole = run();
        whole.findings.faults =
            (0..700).map(|at| fault(at, 1, "lmq", Wrong::Stray, Some(3))).collect();
        whole.findings.faults_total = 2_000;
        let mut shards = split(&whole, of, seed);
        Random::new(seed, 1).shuffle(&mut shards);
        let files: Vec<(String, Verified)> = (shards.iter().enumerate())
            .map(|(at, shard)| (format!("{at}.json"), read(&printed(shard)).expect("it is whole")))
            .collect();

        let (joined, warnings) = merge(files).expect("they are of one run");

        assert_eq!(printed(&joined), printed(&whole), "seed {seed}");
        assert_eq!(joined, whole, "seed {seed}");
        assert_eq!(warnings, [], "seed {seed}");
    }
}

#[test]
fn faults_of_shards_are_cut_to_the_first_ones_of_all() {
    let mut shards = split(&run(), 2, 7);
    for (at, shard) in shards.iter_mut().enumerate() {
        let times = (0..FAULTS_MAX as u64).map(|time| time * 2 + at as u64);
        shard.findings.faults =
            times.map(|time| fault(time, 1, "lmq", Wrong::Stray, None)).collect();
        shard.findings.faults_total = 5_000;
    }
    let (joined, _) = merge(named(shards)).expect("they are of one run");
    let times: Vec<u128> =
        joined.findings.faults.iter().map(|fault| fault.at.as_micros()).collect();
    assert_eq!(times, (0..FAULTS_MAX as u128).collect::<Vec<_>>());
    assert_eq!(joined.findings.faults_total, 10_000);
}

#[test]
fn what_is_missing_is_named_and_can_be_joined_later() {
    let whole = run();
    let mut shards = split(&whole, 4, 5);
    let last = shards.split_off(2);
    let (part, warnings) = merge(named(shards)).expect("they are of one run");
    assert_eq!(part.context.shards, Some(Shards { of: 4, present: vec![1, 2] }));
    assert_eq!(warnings, [Warning::ShardsMissing { present: vec![1, 2], of: 4 }]);
    let rest = std::iter::once(part).chain(last).collect();
    assert_eq!(merge(named(rest)).expect("they are of one run"), (whole, vec![]));
}

#[test]
fn what_spoils_one_shard_spoils_the_whole() {
    let mut shards = split(&run(), 3, 5);
    shards[0].context.distrust = vec!["timers were late".into()];
    shards[2].context.distrust = vec!["the clock stepped".into(), "timers were late".into()];
    shards[1].context.interrupted = true;
    let (joined, _) = merge(named(shards)).expect("they are of one run");
    assert_eq!(joined.context.distrust, ["the clock stepped", "timers were late"]);
    assert_eq!(joined.outcome(), Ends::Overloaded);
    assert!(joined.context.interrupted && !joined.context.broker_died);
}

#[test]
fn moments_that_only_some_shards_know_count_with_their_last_value() {
    let mut shards = split(&run(), 2, 5);
    shards[1].timeline.retain(|sample| sample.at_ms <= 10_000);
    let expected = shards[0].timeline[15].alive + shards[1].timeline[10].alive;
    let (joined, _) = merge(named(shards)).expect("they are of one run");
    assert_eq!(joined.timeline[15].alive, expected);
}

#[test]
fn what_is_not_of_one_run_is_refused() {
    type Change = fn(&mut Verified);
    let changes: [(&str, Change); 8] = [
        ("run", |verified| verified.context.run = "other\x1b".into()),
        ("seed", |verified| verified.context.seed += 1),
        ("scenario", |verified| verified.context.scenario = None),
        ("devices", |verified| verified.context.devices = 1),
        ("keep alive", |verified| verified.context.keep_alive = 0),
        ("expected window", |verified| verified.context.expectation = "any".into()),
        ("shards", |verified| verified.context.shards = Some(Shards { of: 3, present: vec![2] })),
        ("whole", |verified| verified.context.shards = None),
    ];
    for (what, change) in changes {
        let mut shards = split(&run(), 2, 5);
        change(&mut shards[1]);
        refused(&merge(named(shards)).expect_err(what), what);
    }
    let mut twice = split(&run(), 2, 5);
    twice[1] = twice[0].clone();
    refused(&merge(named(twice)).expect_err("it is there twice"), "twice");
    refused(&merge(vec![]).expect_err("it is nothing"), "nothing");
}

#[test]
fn what_may_differ_is_told() {
    let mut shards = split(&run(), 2, 5);
    shards[1].context.broker = Some("mosquitto version 2.1.2".into());
    shards[1].context.options.push("--verbose".into());
    let (joined, warnings) = merge(named(shards)).expect("they are of one run");
    assert_eq!(joined.context.broker, run().context.broker);
    let whats: Vec<&str> = (warnings.iter())
        .map(|warning| match warning {
            Warning::ShardsDiffer { what, .. } => *what,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(whats, ["the broker", "options"]);
}

fn refused(failure: &Failure, what: &str) {
    assert_eq!(failure.outcome, Ends::Misused, "{failure}");
    assert!(failure.to_string().contains(what), "{what}: {failure}");
    assert!(failure.next.is_some() && !failure.what.contains('\x1b'), "{failure}");
}

fn named(shards: Vec<Verified>) -> Vec<(String, Verified)> {
    (0..).zip(shards).map(|(at, shard)| (format!("{at}.json"), shard)).collect()
}

/// Returns a run as its shards tell it: every count is split at random.
pub fn split(whole: &Verified, of: u32, seed: u64) -> Vec<Verified> {
    let mut random = Random::new(seed, 0);
    let mut shards: Vec<Verified> = (1..=of)
        .map(|shard| {
            let mut context = whole.context.clone();
            context.shards = Some(Shards { of, present: vec![shard] });
            let typed =
                [format!("--shard={shard}/{of}"), "--shard".into(), format!("{shard}/{of}")];
            let typed = if shard % 2 == 0 { &typed[..1] } else { &typed[1..] };
            context.options.splice(1..1, typed.iter().cloned());
            let mut findings = Findings::default();
            for (name, voice) in &whole.findings.voices {
                let mut voice = *voice;
                (voice.reports, voice.false_offline, voice.strays) = (0, 0, 0);
                findings.voices.insert(name.clone(), voice);
            }
            let timeline = whole.timeline.iter().map(|sample| {
                let online = sample.online.map(|_| 0);
                presence::output::verification::Sample { alive: 0, online, ..*sample }
            });
            Verified { context, heard: Summary::default(), findings, timeline: timeline.collect() }
        })
        .collect();
    let mut deal = |count: u64, into: &mut dyn FnMut(&mut Verified, u64)| {
        let mut left = count;
        for (at, shard) in shards.iter_mut().enumerate() {
            let is_last = at + 1 == of as usize;
            let part = if is_last { left } else { below(&mut random, left + 1) };
            into(shard, part);
            left -= part;
        }
    };
    for (key, row) in &whole.findings.rows {
        let empty = || Row {
            outcomes: [].into(),
            duplicates: 0,
            delays_us: Histogram::new(3).expect("3 digits are possible"),
        };
        for (outcome, count) in &row.outcomes {
            deal(*count, &mut |shard, part| {
                let row = shard.findings.rows.entry(key.clone()).or_insert_with(empty);
                if part > 0 {
                    row.outcomes.insert(*outcome, part);
                }
            });
        }
        deal(row.duplicates, &mut |shard, part| {
            shard.findings.rows.get_mut(key).expect("it is there").duplicates = part;
        });
        for bucket in row.delays_us.iter_recorded() {
            deal(bucket.count_at_value(), &mut |shard, part| {
                let row = shard.findings.rows.get_mut(key).expect("it is there");
                row.delays_us.record_n(bucket.value_iterated_to(), part).expect("it grows");
            });
        }
    }
    for (act, done) in &whole.findings.done {
        deal(done.planned, &mut |shard, part| {
            shard.findings.done.entry(*act).or_default().planned = part;
        });
        deal(done.done, &mut |shard, part| {
            shard.findings.done.entry(*act).or_default().done = part;
        });
    }
    for (name, voice) in &whole.findings.voices {
        deal(voice.reports, &mut |shard, part| voice_of(shard, name).reports = part);
        deal(voice.false_offline, &mut |shard, part| voice_of(shard, name).false_offline = part);
        deal(voice.strays, &mut |shard, part| voice_of(shard, name).strays = part);
    }
    deal(whole.findings.states.right, &mut |shard, part| shard.findings.states.right = part);
    deal(whole.findings.states.unknown, &mut |shard, part| shard.findings.states.unknown = part);
    deal(whole.heard.clients, &mut |shard, part| shard.heard.clients = part);
    deal(whole.heard.offline, &mut |shard, part| shard.heard.offline = part);
    deal(whole.heard.unknown, &mut |shard, part| shard.heard.unknown = part);
    deal(whole.heard.events, &mut |shard, part| shard.heard.events = part);
    deal(whole.heard.duplicates, &mut |shard, part| shard.heard.duplicates = part);
    for (at, sample) in whole.timeline.iter().enumerate() {
        deal(sample.alive, &mut |shard, part| shard.timeline[at].alive = part);
        deal(sample.online.unwrap_or(0), &mut |shard, part| {
            shard.timeline[at].online = shard.timeline[at].online.map(|_| part);
        });
    }
    let kept = u64::try_from(whole.findings.faults.len()).expect("they are few");
    deal(whole.findings.faults_total - kept, &mut |shard, part| {
        shard.findings.faults_total += part;
    });
    for (at, fault) in whole.findings.faults.iter().enumerate() {
        let shard = &mut shards[at % of as usize].findings;
        shard.faults.push(fault.clone());
        shard.faults_total += 1;
    }
    shards
}

fn below(random: &mut Random, bound: u64) -> u64 {
    random.below(u32::try_from(bound).expect("it is small")).into()
}

fn voice_of<'a>(shard: &'a mut Verified, name: &str) -> &'a mut Voice {
    shard.findings.voices.get_mut(name).expect("it is there")
}
