//! Fleets that are made up, and what is found in them.

use super::*;
use crate::state::verdict::How;
use fastrand::Rng;
use std::fmt::Write as _;

const START: i64 = 1_760_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp(START + ms)
}

fn change(ms: i64, client: &str, from: Status, to: Status, cause: Cause) -> Change {
    let how = (to == Status::Offline).then_some(How::Abrupt);
    let voice = Some("lmq".to_owned());
    let verdict = Verdict { status: to, how, voice, ..Verdict::unknown(client) };
    Change { at: at(ms), from, cause, verdict }
}

fn come(ms: i64, client: &str, address: &str) -> Change {
    let mut change = change(ms, client, Status::Offline, Status::Online, Cause::Connect);
    change.verdict.address = Some(address.to_owned());
    change
}

fn take_over(ms: i64, client: &str, address: &str) -> Change {
    Change { from: Status::Online, ..come(ms, client, address) }
}

fn go(ms: i64, client: &str, address: &str) -> Change {
    let mut change = change(ms, client, Status::Online, Status::Offline, Cause::Tcpclean);
    change.verdict.address = Some(address.to_owned());
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

/// A client of a fleet with traits of its own.
#[derive(Clone, Debug)]
struct Member {
    id: String,
    address: String,
    group: usize,
    site: usize,
    subnet: usize,
}

fn fleet(size: usize, rng: &mut Rng) -> Vec<Member> {
    let kinds = [0; 3].map(|_| rng.usize(4..9));
    (0..size)
        .map(|number| {
            let [group, site, subnet] = kinds.map(|kinds| rng.usize(..kinds));
            Member {
                id: format!("GID_{group}@@@site{site}-pump-{number}"),
                address: format!("10.0.{subnet}.{}:{}", number % 250, 1_024 + number % 60_000),
                group,
                site,
                subnet,
            }
        })
        .collect()
}

fn known(fleet: &[Member]) -> Vec<Verdict> {
    fleet.iter().map(|member| online(&member.id, &member.address)).collect()
}

#[test]
fn a_factor_that_the_lost_share_is_found_and_no_other() {
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let fleet = fleet(rng.usize(300..3_000), &mut rng);
        let victim = fleet[rng.usize(..fleet.len())].clone();
        let kind = rng.usize(..2);
        let is_hit = |member: &Member| match kind {
            0 => member.group == victim.group,
            _ => member.subnet == victim.subnet,
        };
        // Some of those hit survive, and some others are lost by chance.
        let mut lost: Vec<&Member> = fleet
            .iter()
            .filter(|member| rng.u32(..100) < if is_hit(member) { 95 } else { 1 })
            .collect();
        rng.shuffle(&mut lost);
        let span = rng.i64(500..5_000);
        let mut times: Vec<i64> = lost.iter().map(|_| rng.i64(0..span)).collect();
        times.sort_unstable();
        let changes: Vec<Change> =
            lost.iter().zip(times).map(|(m, ms)| go(ms, &m.id, &m.address)).collect();

        let found = diagnose(&known(&fleet), &changes, 10_000);

        assert_eq!(told(&found), "mass-outage begins, ", "seed {seed}");
        let What::MassOutage(outage) = &found[0].what else { panic!("seed {seed}: {found:?}") };
        assert!(outage.lost * 100 >= lost.len() * 98, "seed {seed}: {} {outage:?}", lost.len());
        assert_eq!((outage.how, outage.restart, outage.back), (Some(How::Abrupt), false, 0));
        let common: Vec<(FactorKind, &str)> =
            outage.common.iter().map(|factor| (factor.kind, &*factor.value)).collect();
        let truth = match kind {
            0 => (FactorKind::Group, format!("GID_{}", victim.group)),
            _ => (FactorKind::Subnet, format!("10.0.{}.0/24", victim.subnet)),
        };
        assert_eq!(common, [(truth.0, &*truth.1)], "seed {seed}");
    }
}

#[test]
fn the_longest_beginning_that_tells_the_lost_apart_is_named() {
    let mut rng = Rng::with_seed(1);
    let mut fleet = fleet(2_000, &mut rng);
    for member in &mut fleet {
        member.id = member.id.replace("GID_0@@@site0-pump-", "GID_0@@@site0-pump-b/");
    }
    let hit = |member: &&Member| member.group == 0 && member.site == 0;
    let changes: Vec<Change> =
        fleet.iter().filter(hit).map(|member| go(0, &member.id, &member.address)).collect();
    let found = diagnose(&known(&fleet), &changes, 10_000);
    let What::MassOutage(outage) = &found[0].what else { panic!("{found:?}") };
    let prefix = outage.common.iter().find(|factor| factor.kind == FactorKind::Prefix);
    assert_eq!(prefix.map(|factor| &*factor.value), Some("GID_0@@@site0-pump-b/"), "{outage:?}");
}

#[test]
fn what_all_of_the_fleet_has_explains_nothing() {
    let members: Vec<(String, String)> = (0..400)
        .map(|number| (format!("GID_a@@@dev-{number}"), format!("10.0.3.{}:1", number % 250)))
        .collect();
    let verdicts: Vec<Verdict> = members.iter().map(|(id, from)| online(id, from)).collect();
    let some: Vec<Change> = members[..200].iter().map(|(id, from)| go(0, id, from)).collect();
    let found = diagnose(&verdicts, &some, 10_000);
    let What::MassOutage(outage) = &found[0].what else { panic!("{found:?}") };
    assert_eq!((outage.lost, outage.stayed, outage.everybody), (200, 200, false));
    assert_eq!(outage.common, []);

    let all: Vec<Change> = members.iter().map(|(id, from)| go(0, id, from)).collect();
    let found = diagnose(&verdicts, &all, 10_000);
    let What::MassOutage(outage) = &found[0].what else { panic!("{found:?}") };
    assert_eq!((outage.lost, outage.stayed, outage.everybody), (400, 0, true));
    assert_eq!(outage.common, []);
}

#[test]
fn a_recovery_is_told_with_its_time() {
    let ids: Vec<String> = (0..312).map(|number| format!("dev-{number}")).collect();
    let verdicts: Vec<Verdict> = ids.iter().map(|id| online(id, "10.0.3.4:1")).collect();
    let mut changes: Vec<Change> =
        ids.iter().zip(0..).map(|(id, n)| go(n * 12, id, "10.0.3.4:1")).collect();
    changes
        .extend(ids[..298].iter().zip(0..).map(|(id, n)| come(41_000 - 298 + n, id, "10.0.3.4:2")));
    let found = diagnose(&verdicts, &changes, 10_000);
    assert_eq!(told(&found), "mass-outage begins, mass-outage ends, ");
    let What::MassOutage(outage) = &found[1].what else { panic!("{found:?}") };
    // Told as soon as 95 % are back, and looked at once a second.
    assert!((297..=298).contains(&outage.back), "{outage:?}");
    assert!((40_900..=42_000).contains(&outage.after_ms), "{outage:?}");
    assert_eq!((outage.lost, outage.within_ms), (312, 311 * 12));

    let found = diagnose(&verdicts, &changes[..400], 700_000);
    assert_eq!(told(&found), "mass-outage begins, mass-outage goes-on, mass-outage ends, ");
    let What::MassOutage(outage) = &found[2].what else { panic!("{found:?}") };
    assert_eq!(outage.back, 88, "it is told as it is after ten minutes");
}

#[test]
fn clients_that_are_back_at_once_are_lost_all_the_same() {
    let ids: Vec<String> = (0..200).map(|number| format!("dev-{number}")).collect();
    let verdicts: Vec<Verdict> = ids.iter().map(|id| online(id, "10.0.3.4:1")).collect();
    let both = |(id, n): (&String, i64)| [go(n * 10, id, ""), come(n * 10 + 1, id, "")];
    let changes: Vec<Change> = ids.iter().zip(0..).flat_map(both).collect();
    let found = diagnose(&verdicts, &changes, 10_000);
    assert_eq!(told(&found), "mass-outage begins, mass-outage ends, ");
    let What::MassOutage(outage) = &found[1].what else { panic!("{found:?}") };
    assert_eq!((outage.lost, outage.back, outage.everybody), (200, 200, true));
}

#[test]
fn a_hole_of_ours_is_no_outage_and_a_restart_is_named() {
    let ids: Vec<String> = (0..500).map(|number| format!("dev-{number}")).collect();
    let verdicts: Vec<Verdict> = ids.iter().map(|id| online(id, "10.0.3.4:1")).collect();
    let all = |from, to, cause, ms| {
        ids.iter().map(move |id| change(ms, id, from, to, cause)).collect::<Vec<_>>()
    };
    let mut hole = all(Status::Online, Status::Unknown, Cause::Gap, 0);
    hole.extend(all(Status::Unknown, Status::Offline, Cause::Tcpclean, 5_000));
    hole.extend(all(Status::Offline, Status::Online, Cause::Connect, 9_000));
    assert_eq!(told(&diagnose(&verdicts, &hole, 60_000)), "");

    let restart = all(Status::Online, Status::Offline, Cause::Restart, 0);
    let found = diagnose(&verdicts, &restart, 5_000);
    let What::MassOutage(outage) = &found[0].what else { panic!("{found:?}") };
    assert!(outage.restart && outage.everybody, "{outage:?}");
}

#[test]
fn a_backlog_of_ends_that_took_an_hour_is_no_outage() {
    let ids: Vec<String> = (0..1_000).map(|number| format!("dev-{number}")).collect();
    let mut diagnosis = Diagnosis::new(1, &Policy::DEFAULT);
    let verdicts: Vec<Verdict> = ids.iter().map(|id| online(id, "")).collect();
    diagnosis.know(0, &verdicts, at(-100_000));
    let backlog: Vec<Change> = ids.iter().zip(0..).map(|(id, n)| go(n * 3_600, id, "")).collect();
    diagnosis.observe(0, &backlog, at(3_600_000));
    for second in 0..60 {
        diagnosis.handle_timeout(at(3_600_000 + second * 1_000));
    }
    assert_eq!(diagnosis.poll_finding(), None);
}

/// Returns what a fleet does in which everybody comes and goes at random, at so many ends a second.
fn restless(size: usize, ends_per_second: usize, seconds: i64, rng: &mut Rng) -> Vec<Change> {
    let mut is_online = vec![true; size];
    let mut changes = Vec::new();
    for second in 0..seconds {
        let mut moments: Vec<i64> =
            (0..2 * ends_per_second).map(|_| second * 1_000 + rng.i64(0..1_000)).collect();
        moments.sort_unstable();
        for ms in moments {
            let client = rng.usize(..size);
            let (id, from) = (format!("dev-{client}"), "10.0.3.4:1");
            changes.push(if is_online[client] { go(ms, &id, from) } else { come(ms, &id, from) });
            is_online[client] = !is_online[client];
        }
    }
    changes
}

#[test]
fn a_fleet_that_is_as_usual_yields_nothing() {
    for (seed, (size, rate)) in [(1_000, 1), (5_000, 20), (40_000, 200)].into_iter().enumerate() {
        let mut rng = Rng::with_seed(seed as u64);
        let verdicts: Vec<Verdict> =
            (0..size).map(|client| online(&format!("dev-{client}"), "10.0.3.4:1")).collect();
        let changes = restless(size, rate, 120, &mut rng);
        let found = diagnose_from(at(0), &verdicts, &changes, 60_000);
        assert_eq!(told(&found), "", "{size} at {rate}/s");
    }
}

#[test]
fn an_outage_stands_out_of_a_restless_fleet() {
    let mut rng = Rng::with_seed(7);
    let verdicts: Vec<Verdict> =
        (0..5_000).map(|client| online(&format!("dev-{client}"), "10.0.3.4:1")).collect();
    let mut changes = restless(5_000, 20, 200, &mut rng);
    let split = changes.partition_point(|change| change.at < at(150_000));
    let burst: Vec<Change> =
        (0..400).map(|n| go(150_000 + n * 5, &format!("other-{n}"), "10.0.9.9:1")).collect();
    changes.splice(split..split, burst);
    changes.sort_by_key(|change| change.at);
    let found = diagnose_from(at(0), &verdicts, &changes, 10_000);
    assert_eq!(told(&found), "mass-outage begins, ", "{found:?}");
    let What::MassOutage(outage) = &found[0].what else { panic!("{found:?}") };
    assert!((400..480).contains(&outage.lost), "{outage:?}");
    assert!(outage.common.iter().any(|factor| factor.value == "10.0.9.0/24"), "{outage:?}");
}

#[test]
fn what_becomes_usual_is_told_once() {
    let mut rng = Rng::with_seed(8);
    let verdicts: Vec<Verdict> =
        (0..5_000).map(|client| online(&format!("dev-{client}"), "10.0.3.4:1")).collect();
    let changes = restless(5_000, 20, 400, &mut rng);
    let found = diagnose(&verdicts, &changes, 0);
    let begun = found.iter().filter(|finding| finding.phase == Phase::Begins).count();
    assert_eq!(begun, 1, "{}", told(&found));
}

#[test]
fn a_cut_that_is_noticed_slowly_is_one_outage() {
    let ids: Vec<String> = (0..900).map(|number| format!("dev-{number}")).collect();
    let verdicts: Vec<Verdict> = ids.iter().map(|id| online(id, "10.0.3.4:1")).collect();
    let slow: Vec<Change> = ids.iter().zip(0..).map(|(id, n)| go(n * 100, id, "")).collect();
    let found = diagnose(&verdicts, &slow, 10_000);
    assert_eq!(told(&found), "mass-outage begins, mass-outage goes-on, ");
    let What::MassOutage(outage) = &found[1].what else { panic!("{found:?}") };
    assert_eq!((outage.lost, outage.within_ms, outage.everybody), (900, 899 * 100, true));
}

#[test]
fn two_addresses_that_throw_each_other_out_share_an_id() {
    let from = ["10.0.3.4:5001", "10.0.9.8:6001"];
    let times = || (0..60).map(|n| n * 1_000);
    let mut fight: Vec<Change> = times()
        .zip(from.into_iter().cycle())
        .map(|(ms, address)| take_over(ms, "dev-17", address))
        .collect();
    let found = diagnose(&[], &fight, 100_000);
    assert_eq!(told(&found), "shared-id begins, shared-id goes-on, shared-id ends, ");
    let What::SharedId(sharing) = &found[0].what else { panic!("{found:?}") };
    let addresses: Vec<String> = sharing.addresses.iter().map(ToString::to_string).collect();
    assert_eq!((addresses, sharing.more), (vec!["10.0.3.4".into(), "10.0.9.8".into()], false));
    assert_eq!((sharing.every_ms, sharing.take_overs), (Some(1_000), 4));
    assert_eq!(found[0].since, at(0));
    let What::SharedId(sharing) = &found[2].what else { panic!("{found:?}") };
    assert_eq!((sharing.every_ms, sharing.take_overs), (Some(1_000), 60));

    // The first connection throws nobody out.
    let first = come(-1_000, "dev-17", from[1]);
    let found = diagnose(&[], &[&[first], &fight[..4]].concat(), 0);
    let What::SharedId(sharing) = &found[0].what else { panic!("{found:?}") };
    assert_eq!((sharing.every_ms, sharing.take_overs, found[0].since), (Some(1_000), 3, at(0)));

    // In a little disorder it is the same fight.
    for pair in fight.chunks_mut(2) {
        pair.swap(0, 1);
    }
    let found = diagnose(&[], &fight, 100_000);
    assert_eq!(told(&found), "shared-id begins, shared-id goes-on, shared-id ends, ");

    // Where the end of the one is told before the beginning of the other.
    let pairs = [from, [from[1], from[0]]];
    let turns: Vec<Change> = times()
        .zip(pairs.into_iter().cycle())
        .flat_map(|(ms, [one, other])| [go(ms, "dev-17", one), come(ms + 10, "dev-17", other)])
        .collect();
    assert_eq!(
        told(&diagnose(&[], &turns, 100_000)),
        "shared-id begins, shared-id goes-on, shared-id ends, "
    );
}

#[test]
fn one_address_takes_more_before_it_counts_as_two_devices() {
    let fight: Vec<Change> =
        (0..8).map(|n| take_over(n * 500, "dev-17", &format!("10.0.3.4:{n}"))).collect();
    assert_eq!(told(&diagnose(&[], &fight[..5], 1_000)), "");
    let found = diagnose(&[], &fight, 1_000);
    assert_eq!(told(&found), "shared-id begins, ");
    let What::SharedId(sharing) = &found[0].what else { panic!("{found:?}") };
    assert_eq!(sharing.addresses.len(), 1);

    // Brokers that tell the end of the old connection first; stamps in whole seconds cannot tell.
    for (offset, pause, expected) in
        [(7, 1, "shared-id begins, "), (7, 50, "flapping begins, "), (0, 0, "flapping begins, ")]
    {
        let turns: Vec<Change> = (0..9)
            .map(|n| n * 1_000 + offset)
            .flat_map(|ms| {
                [go(ms, "dev-17", "10.0.3.4:1"), come(ms + pause, "dev-17", "10.0.3.4:2")]
            })
            .collect();
        assert_eq!(told(&diagnose(&[], &turns, 1_000)), expected, "{offset} {pause}");
    }
}

#[test]
fn a_device_that_travels_is_neither_shared_nor_flapping() {
    let trip: Vec<Change> =
        (0..20).map(|n| take_over(n * 30_000, "van-1", &format!("10.{n}.0.1:1"))).collect();
    assert_eq!(told(&diagnose(&[], &trip, 100_000)), "");
}

#[test]
fn a_client_that_comes_and_goes_flaps_until_it_is_quiet() {
    let flaps: Vec<Change> = (0..30)
        .flat_map(|n| [come(n * 5_000, "pump-7", ""), go(n * 5_000 + 3_000, "pump-7", "")])
        .collect();
    let found = diagnose(&[], &flaps, 100_000);
    assert_eq!(
        told(&found),
        "flapping begins, flapping goes-on, flapping goes-on, flapping goes-on, flapping ends, "
    );
    let What::Flapping { connections, span_ms, .. } = &found[4].what else { panic!("{found:?}") };
    assert_eq!((*connections, *span_ms), (30, 29 * 5_000));

    let slow: Vec<Change> = (0..30)
        .flat_map(|n| [come(n * 25_000, "pump-7", ""), go(n * 25_000 + 3_000, "pump-7", "")])
        .collect();
    assert_eq!(told(&diagnose(&[], &slow, 100_000)), "");
}

#[test]
fn an_end_that_was_never_told_is_a_ghost_only_after_a_while() {
    for (lives_ms, expected) in [(1_000, ""), (60_000, "ghosts begins, ghosts ends, ")] {
        let mut end = go(lives_ms, "dev-1", "");
        end.verdict.anomalies = vec!["superseded-open"];
        let found = diagnose(&[], &[take_over(0, "dev-1", ""), end], 700_000);
        assert_eq!(told(&found), expected);
    }
}

#[test]
fn lost_notices_are_told_of_clients_that_were_whole_before() {
    let missing = |ms, client: &str| {
        let mut end = go(ms, client, "");
        end.verdict.anomalies = vec!["connect-missing"];
        end
    };
    let ids: Vec<String> = (0..6).map(|n| format!("dev-{n}")).collect();
    let mut changes: Vec<Change> = ids.iter().map(|id| come(0, id, "")).collect();
    changes.extend(ids.iter().map(|id| missing(20_000, id)));
    let found = diagnose(&[], &changes, 1_000);
    let What::LostNotices(crowd) = &found[0].what else { panic!("{found:?}") };
    assert_eq!((crowd.count, &*crowd.first), (6, "dev-0"));
    // Who was online before anybody listened ends without a beginning, too.
    assert_eq!(told(&diagnose(&[], &changes[6..], 1_000)), "");
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
                change.verdict.address = Some(word.to_owned());
                change.verdict.voice = Some(format!("{}", rng.u32(..1_000)));
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
        assert!(broker.roster.len() <= 65_536 && broker.voices.len() <= VOICES_MAX);
    }
    assert!(diagnosis.findings.len() <= FINDINGS_MAX);
}

#[test]
fn a_fleet_larger_than_the_table_is_judged_by_a_part_of_it() {
    let verdicts: Vec<Verdict> = (0..200_000)
        .map(|n| online(&format!("dev-{n}"), &format!("10.{}.{}.1:1", n % 100 / 10, n % 10)))
        .collect();
    let changes: Vec<Change> = (0..200_000)
        .filter(|n| n % 100 == 37)
        .map(|n| go(0, &format!("dev-{n}"), "10.3.7.1:1"))
        .collect();
    let found = diagnose(&verdicts, &changes, 5_000);
    let What::MassOutage(outage) = &found[0].what else { panic!("{found:?}") };
    assert_eq!((outage.lost, outage.stayed), (2_000, 198_000));
    assert_eq!(outage.common.len(), 1);
    assert_eq!(outage.common[0].value, "10.3.7.0/24");
}
