//! Plans of programs, and what all plans have in common.

use super::*;
use crate::wire::Version;

/// A group that comes at once and does this.
fn course(devices: u32, steps: Vec<Step>) -> Course {
    Course { devices, start_ms: 0, come: Come::Ramp(0), repeat: 1, steps, notice_ms: 0 }
}

fn step(up_ms: u64, death: Death, down_ms: u64) -> Step {
    Step {
        up: Up::For(Span::exactly(up_ms)),
        deaths: Shares::all(death),
        silence_ms: 0,
        nat_drop_ms: None,
        down: Down::For(Span::exactly(down_ms)),
    }
}

fn program(groups: Vec<Course>) -> Program {
    Program { groups, end_ms: None, storm: None, seed: 7 }
}

fn life(begin_ms: u64, end_ms: u64, death: Death) -> Life {
    Life { begin_ms, end_ms, death }
}

/// A number that stands for a whole plan.
fn fingerprint(plan: &Plan) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |text: &str| {
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (number, lives) in plan.devices.iter().enumerate() {
        take(&format!("{number}:"));
        for Life { begin_ms, end_ms, death } in lives {
            take(&format!("{begin_ms},{end_ms},{};", death.word()));
        }
    }
    take(&format!("{}", plan.end_ms));
    hash
}

#[test]
fn words_of_deaths_are_read_back() {
    for death in Death::ALL {
        assert_eq!(Death::read(&death.word()), Ok(death));
    }
    for reason in [0x80, 0x81, 0x99] {
        let death = Death::DisconnectWith(reason);
        assert_eq!(Death::read(&death.word()), Ok(death));
    }
    assert_eq!(Death::read("disconnect-0x00"), Ok(Death::Disconnect));
    assert_eq!(Death::read("disconnect-0x04"), Ok(Death::DisconnectWith(WITH_WILL)));
    // Only a server may say that a session was taken over.
    for wrong in ["", "crash", "disconnect-0x8e", "disconnect-0x", "disconnect-0x004", "FIN"] {
        assert!(Death::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_way_of_dying_is_one_that_the_connection_has() {
    let count = |version, is_tls| Shares::every(version, is_tls).deaths().count();
    assert_eq!(count(Version::V311, false), 6);
    assert_eq!(count(Version::V5, false), 7);
    assert_eq!(count(Version::V5, true), 8);
    let every = Shares::every(Version::V5, true);
    assert_eq!((every.of(Death::Stay), every.to_string()), (0, EVERY.to_owned()));
    let plan = Plan::new(&Terms { deaths: every, ..terms(80, 1_000, 20_000) });
    let plan = plan.expect("the terms are sound");
    for death in Death::ALL.into_iter().filter(|death| *death != Death::Stay) {
        // Those who take over say goodbye.
        let expected = if death == Death::Disconnect { 20 } else { 10 };
        assert_eq!(plan.count(death), expected, "{death:?}");
    }
}

#[test]
fn a_take_over_has_a_newcomer_at_the_same_moment() {
    let one = Terms { deaths: Shares::all(Death::TakeOver), ..terms(1, 1_000, 10_001) };
    let plan = Plan::new(&one).expect("the terms are sound");
    let halves = [life(0, 5_000, Death::TakeOver), life(5_000, 10_000, Death::Disconnect)];
    assert_eq!(plan.devices[0], halves);

    // The next life is the newcomer's, if it begins at once.
    let chain = Terms { lives: 2, ..one.clone() };
    let plan = Plan::new(&chain).expect("the terms are sound");
    let ends: Vec<u64> = plan.lives().map(|life| life.end_ms).collect();
    assert_eq!(ends, [5_000, 7_500, 10_000]);

    let apart = Terms { lives: 2, return_after_ms: 1_000, ..one.clone() };
    let plan = Plan::new(&apart).expect("the terms are sound");
    assert_eq!(plan.lives().count(), 4);
    for pair in plan.devices[0].windows(2).filter(|pair| pair[0].death == Death::TakeOver) {
        assert_eq!(pair[0].end_ms, pair[1].begin_ms);
    }
    let short = Terms { duration_ms: 2, ..one };
    assert_eq!(Plan::new(&short), Err(Flaw::TooShort { needed_ms: 3 }));
    assert!(Plan::new(&Terms { duration_ms: 3, ..short }).is_ok());
}

#[test]
fn steps_follow_each_other_and_are_repeated() {
    let steps = vec![step(1_000, Death::Fin, 500), step(2_000, Death::Rst, 1_000)];
    let mut group = course(1, steps);
    group.start_ms = 100;
    group.repeat = 2;
    group.notice_ms = 9_000;
    let plan = program(vec![group]).plan().expect("it is sound");
    let expected = [
        life(100, 1_100, Death::Fin),
        life(1_600, 3_600, Death::Rst),
        life(4_600, 5_600, Death::Fin),
        life(6_100, 8_100, Death::Rst),
    ];
    assert_eq!(plan.devices[0], expected);
    // The last return is waited for, a notice of what is no silence is not.
    assert_eq!(plan.end_ms, 9_100);
}

#[test]
fn groups_are_numbered_through_and_draw_apart() {
    let mut half = step(1_000, Death::Fin, 0);
    half.deaths = Shares::new([(Death::Fin, 50), (Death::Rst, 50)]);
    let group = course(100, vec![half]);
    let plan = program(vec![group.clone(), group]).plan().expect("it is sound");
    assert_eq!((plan.devices.len(), plan.inhabitants()), (200, 200));
    let deaths: Vec<Death> = plan.lives().map(|life| life.death).collect();
    for half in [&deaths[..100], &deaths[100..]] {
        assert_eq!(half.iter().filter(|death| **death == Death::Fin).count(), 50);
    }
    assert_ne!(deaths[..100], deaths[100..]);
}

#[test]
fn lengths_are_drawn_for_each_device_within_their_bounds() {
    let span = Span { least_ms: 1_000, most_ms: 1_009 };
    let mut drawn = step(0, Death::Fin, 0);
    drawn.up = Up::For(span);
    let plan = program(vec![course(1_000, vec![drawn.clone()])]).plan().expect("it is sound");
    let mut seen = [0_u32; 10];
    for life in plan.lives() {
        seen[usize::try_from(life.end_ms - 1_000).expect("it is small")] += 1;
    }
    assert!(seen.iter().all(|count| (60..150).contains(count)), "{seen:?}");
    // What a device draws does not depend on how many others there are.
    let fewer = program(vec![course(10, vec![drawn])]).plan().expect("it is sound");
    assert!(fewer.lives().eq(plan.lives().take(10)));
}

#[test]
fn moments_of_a_run_are_the_same_for_all() {
    let mut until = step(0, Death::Fin, 0);
    (until.up, until.down) = (Up::Until(5_000), Down::At(6_000));
    let mut group = course(4, vec![until.clone(), step(1_000, Death::Disconnect, 0)]);
    group.come = Come::Ramp(4_000);
    let plan = program(vec![group.clone()]).plan().expect("it is sound");
    assert_eq!(
        plan.devices[3],
        [life(3_000, 5_000, Death::Fin), life(6_000, 7_000, Death::Disconnect)]
    );
    let place = Place { group: 0, step: 0 };
    group.come = Come::Ramp(8_000);
    let late = Flaw::Stillborn { place, begin_ms: 6_000, end_ms: 5_000 };
    assert_eq!(program(vec![group.clone()]).plan(), Err(late));
    group.come = Come::Ramp(0);
    group.steps[0].down = Down::At(4_999);
    let early = Flaw::EarlyReturn { place, end_ms: 5_000, return_ms: 4_999 };
    assert_eq!(program(vec![group]).plan(), Err(early));
}

#[test]
fn a_run_waits_for_the_silent_to_be_noticed_and_ends_when_it_is_told_to() {
    let mut silent = course(1, vec![step(1_000, Death::Silence, 0)]);
    silent.notice_ms = 7_000;
    let stays = course(1, vec![step(1, Death::Stay, 0)]);
    let mut both = program(vec![silent, stays]);
    let plan = both.plan().expect("it is sound");
    assert_eq!(plan.end_ms, 8_000);
    assert_eq!(plan.devices[1], [life(0, 8_000, Death::Stay)]);
    both.end_ms = Some(1_000);
    assert_eq!(both.plan().expect("it is sound").end_ms, 1_000);
    both.end_ms = Some(999);
    let place = Place { group: 0, step: 0 };
    assert_eq!(both.plan(), Err(Flaw::TooLong { place, needed_ms: 1_000 }));
}

#[test]
fn programs_of_nothing_or_too_much_are_told_so() {
    assert_eq!(program(Vec::new()).plan(), Err(Flaw::Nothing));
    assert_eq!(program(vec![course(1, Vec::new())]).plan(), Err(Flaw::Nothing));
    assert_eq!(program(vec![course(0, vec![step(1, Death::Fin, 0)])]).plan(), Err(Flaw::Nothing));
    let mut many = course(u32::MAX, vec![step(1, Death::Fin, 0); 2]);
    many.repeat = u32::MAX;
    assert_eq!(program(vec![many]).plan(), Err(Flaw::TooMany { lives: u64::MAX }));
}

#[test]
fn a_storm_cuts_a_share_of_all_devices_in_two() {
    let storm = Storm { percent: 30, at_ms: 5_000 };
    let calm = terms(100, 1_000, 20_000);
    let stormy = Terms { storm: Some(storm), ..calm.clone() };
    let plan = Plan::new(&stormy).expect("the terms are sound");
    let hit: Vec<_> = plan.devices.iter().filter(|lives| lives.len() == 2).collect();
    assert_eq!((hit.len(), plan.count(Death::Rst)), (30, 30));
    for lives in hit {
        assert_eq!((lives[0].end_ms, lives[0].death), (5_000, Death::Rst));
        assert_eq!((lives[1].begin_ms, lives[1].death), (5_000, Death::Disconnect));
    }
    let whole = Plan::new(&calm).expect("the terms are sound");
    for (hit, spared) in plan.devices.iter().zip(&whole.devices) {
        assert_eq!(hit.first().map(|life| life.begin_ms), spared.first().map(|life| life.begin_ms));
        assert_eq!(hit.last().map(|life| life.end_ms), spared.last().map(|life| life.end_ms));
    }
    let early = Terms { storm: Some(Storm { percent: 50, at_ms: 30 }), ..calm };
    assert_eq!(Plan::new(&early), Err(Flaw::Calm { wanted: 50, up: 30 }));
}

#[test]
fn shards_are_the_plan_taken_apart() {
    let terms = Terms { lives: 2, deaths: shares(10, 30, 20, 20, 20), ..terms(100, 1_000, 20_000) };
    let whole = Plan::new(&terms).expect("the terms are sound");
    let shards: Vec<Plan> = (0..3).map(|index| whole.shard(index, 3)).collect();
    assert_eq!(shards.iter().map(Plan::inhabitants).collect::<Vec<_>>(), [34, 33, 33]);
    for (number, lives) in whole.devices.iter().enumerate() {
        for (index, shard) in shards.iter().enumerate() {
            let expected = if number % 3 == index { lives } else { &[] };
            assert_eq!(shard.devices[number], *expected);
            assert_eq!((shard.devices.len(), shard.end_ms), (100, whole.end_ms));
        }
    }
    assert_eq!(whole.shard(0, 1), whole);
}

#[test]
fn a_plan_knows_what_it_costs() {
    let fast = Plan::new(&terms(500, 200, 20_000)).expect("the terms are sound");
    assert_eq!((fast.rate_max(), fast.connections_max()), (200, 500));
    let silent = Terms { lives: 2, deaths: shares(0, 80, 0, 0, 20), ..terms(100, 100, 20_000) };
    let silent = Plan::new(&silent).expect("the terms are sound");
    assert_eq!(silent.connections_max(), 120);
}

#[test]
fn a_device_of_no_plan_has_no_lives() {
    let plan = Plan { devices: vec![vec![life(0, 1, Death::Fin)], vec![]].into(), end_ms: 1 };
    assert_eq!(plan.devices.get(0), Some(&[life(0, 1, Death::Fin)][..]));
    assert_eq!((plan.devices.get(1), plan.devices.get(2)), (Some(&[][..]), None));
    assert_eq!(plan.inhabitants(), 1);
}

#[test]
fn a_program_of_a_seed_stays_what_it_was() {
    let mut drawn = step(0, Death::Fin, 0);
    drawn.up = Up::For(Span { least_ms: 500, most_ms: 5_000 });
    drawn.deaths = shares(20, 20, 20, 20, 20);
    drawn.down = Down::For(Span { least_ms: 0, most_ms: 900 });
    let mut group = course(50, vec![drawn, step(1_000, Death::TakeOver, 0)]);
    group.repeat = 3;
    let mut program = program(vec![group.clone(), group]);
    program.storm = Some(Storm { percent: 10, at_ms: 400 });
    let plan = program.plan().expect("it is sound");
    // A change here changes every run of every seed that somebody has noted.
    assert_eq!(fingerprint(&plan), 13_774_694_921_161_277_322);
}
