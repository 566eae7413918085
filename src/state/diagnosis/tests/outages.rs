//! Many clients that are lost at once, and fleets in which nothing is wrong.

use super::*;

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

#[test]
fn a_clock_that_stands_still_makes_no_outage() {
    let mut diagnosis = Diagnosis::new(1, &Policy::DEFAULT);
    let ids: Vec<String> = (0..500).map(|number| format!("dev-{number}")).collect();
    let verdicts: Vec<Verdict> = ids.iter().map(|id| online(id, "")).collect();
    diagnosis.know(0, &verdicts, at(-100_000));
    for (id, n) in ids.iter().zip(0..) {
        diagnosis.observe(0, &[go(0, id, "")], at(n * 5_000));
        diagnosis.handle_timeout(at(n * 5_000));
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
fn a_client_that_never_rests_hides_no_outage() {
    let mut rng = Rng::with_seed(1);
    let fleet = fleet(200, &mut rng);
    let flapper = &fleet[0];
    let mut changes = Vec::new();
    // More often than anybody is usually lost, but this is one client.
    for ms in (89_000..95_000).step_by(125) {
        changes.push(go(ms, &flapper.id, &flapper.address));
        changes.push(come(ms + 60, &flapper.id, &flapper.address));
    }
    let lost = fleet[1..].iter().take(14).zip((91_000..).step_by(150));
    changes.extend(lost.map(|(member, ms)| go(ms, &member.id, &member.address)));
    changes.sort_by_key(|change| change.at);

    let found = diagnose(&known(&fleet), &changes, 10_000);

    assert!(told(&found).contains("mass-outage begins"), "{}", told(&found));
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
