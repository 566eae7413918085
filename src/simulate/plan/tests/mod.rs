//! Plans of options.

mod program;

use super::*;
use crate::random::Random;

const FOUR: [Death; 4] = [Death::Disconnect, Death::Fin, Death::Rst, Death::Silence];

fn terms(devices: u32, rate: u32, duration_ms: u64) -> Terms {
    Terms {
        devices,
        come: Come::Rate(rate),
        duration_ms,
        lives: 1,
        return_after_ms: 0,
        deaths: Shares::all(Death::Disconnect),
        silence_ms: 17_000,
        nat_drop_ms: None,
        storm: None,
        seed: 1,
    }
}

fn shares(stay: u32, disconnect: u32, fin: u32, rst: u32, silence: u32) -> Shares {
    Shares::new([
        (Death::Stay, stay),
        (Death::Disconnect, disconnect),
        (Death::Fin, fin),
        (Death::Rst, rst),
        (Death::Silence, silence),
    ])
}

/// Terms of every size, among them the extreme ones.
fn random_terms(seed: u64) -> Terms {
    let mut random = Random::new(seed, 99);
    let mut left = 100;
    let [stay, disconnect, fin, rst] = [(); 4].map(|()| {
        let share = random.below(left + 1);
        left -= share;
        share
    });
    let pick = |random: &mut Random, few: &[u32]| {
        let bound = u32::try_from(few.len()).expect("there are few");
        few[usize::try_from(random.below(bound)).expect("there are few")]
    };
    let devices = pick(&mut random, &[1, 2, 3, 7, 100, 101, 997]);
    let rate = pick(&mut random, &[1, 3, 50, 999, 1_000, 1_000_000, u32::MAX]);
    let lives = pick(&mut random, &[1, 1, 2, 3, 10]);
    let return_after_ms = u64::from(pick(&mut random, &[0, 1, 2_000, u32::MAX]));
    let silence_ms = u64::from(pick(&mut random, &[0, 1, 3_500, 17_000, u32::MAX]));
    let mut terms = Terms {
        devices,
        come: Come::Rate(rate),
        duration_ms: 0,
        lives,
        return_after_ms,
        deaths: shares(stay, disconnect, fin, rst, left),
        silence_ms,
        nat_drop_ms: None,
        storm: None,
        seed,
    };
    let spare = u64::from(pick(&mut random, &[0, 1, 9, 20_000, u32::MAX]));
    terms.duration_ms = terms.fixed_ms() + u64::from(lives) + spare;
    terms
}

#[test]
fn the_same_terms_give_the_same_plan() {
    for seed in 0..300 {
        let terms = random_terms(seed);
        assert_eq!(Plan::new(&terms), Plan::new(&terms), "seed {seed}: {terms:?}");
    }
    let mixed = Terms { deaths: shares(0, 50, 20, 20, 10), ..terms(100, 100, 30_000) };
    assert_ne!(Plan::new(&mixed), Plan::new(&Terms { seed: 2, ..mixed.clone() }));
}

#[test]
fn a_plan_of_a_seed_stays_what_it_was() {
    let terms = Terms { deaths: shares(0, 40, 20, 20, 20), ..terms(10, 10, 30_000) };
    let plan = Plan::new(&terms).expect("the terms are sound");
    let fates: Vec<_> = plan.lives().map(|life| life.death.word()).collect();
    // A change here changes every run of every seed that somebody has noted.
    assert_eq!(
        fates.join(" "),
        "silence fin disconnect fin disconnect disconnect rst silence disconnect rst"
    );
}

#[test]
fn lives_are_ordered_apart_and_within_the_run() {
    for seed in 0..2_000 {
        let terms = random_terms(seed);
        let plan = Plan::new(&terms).unwrap_or_else(|flaw| panic!("seed {seed}: {flaw:?}"));
        assert_eq!(plan.devices.len(), terms.devices as usize, "seed {seed}");
        for lives in &plan.devices {
            assert!((1..=terms.lives as usize).contains(&lives.len()), "seed {seed}");
            for life in lives {
                assert!(life.begin_ms < life.end_ms, "seed {seed}: {life:?}");
                assert!(life.end_ms <= terms.duration_ms, "seed {seed}: {life:?}");
            }
            for pair in lives.windows(2) {
                let pause = pair[1].begin_ms.checked_sub(pair[0].end_ms);
                assert!(pause >= Some(terms.return_after_ms), "seed {seed}: {pair:?}");
            }
        }
        assert!(plan.end_ms <= terms.duration_ms, "seed {seed}");
    }
}

#[test]
fn devices_come_and_go_at_the_rate() {
    for seed in 0..500 {
        let terms = random_terms(seed);
        let plan = Plan::new(&terms).expect("the terms are sound");
        for (number, lives) in (0_u64..).zip(&plan.devices) {
            let first = lives.first().expect("everybody lives");
            assert_eq!(
                first.begin_ms,
                number * 1000 / u64::from(terms.come.rate(1)),
                "seed {seed}"
            );
        }
        let all_leave = Terms { deaths: Shares::all(Death::Disconnect), ..terms };
        let plan = Plan::new(&all_leave).expect("the terms are sound");
        let length = |life: &Life| life.end_ms - life.begin_ms;
        let expected = plan.lives().next().map(length);
        assert!(plan.lives().all(|life| Some(length(life)) == expected), "seed {seed}");
    }
}

#[test]
fn shares_are_exact_in_every_turn() {
    for seed in 0..50 {
        let terms = Terms {
            lives: 3,
            return_after_ms: 1_000,
            deaths: shares(0, 40, 20, 20, 20),
            seed,
            ..terms(1_000, 1_000, 60_000)
        };
        let plan = Plan::new(&terms).expect("the terms are sound");
        for turn in 0..3 {
            let count =
                |death| plan.devices.iter().filter(|lives| lives[turn].death == death).count();
            assert_eq!(FOUR.map(count), [400, 200, 200, 200], "seed {seed}, turn {turn}");
        }
    }
}

#[test]
fn what_does_not_divide_goes_to_the_largest_remainders() {
    for (devices, shares, expected) in [
        // 0.5 each: the first of equals.
        (1, shares(0, 50, 50, 0, 0), [1, 0, 0, 0]),
        (3, shares(0, 34, 33, 33, 0), [1, 1, 1, 0]),
        // 3.3, 3.3, 3.4 of 10.
        (10, shares(0, 33, 33, 34, 0), [3, 3, 4, 0]),
        (7, shares(0, 10, 20, 30, 40), [1, 1, 2, 3]),
        (1, shares(0, 1, 0, 0, 99), [0, 0, 0, 1]),
        (997, shares(0, 0, 0, 100, 0), [0, 0, 997, 0]),
    ] {
        let plan = Plan::new(&Terms { deaths: shares.clone(), ..terms(devices, 1_000, 20_000) });
        let plan = plan.expect("the terms are sound");
        assert_eq!(FOUR.map(|death| plan.count(death)), expected, "{devices} × {shares}");
    }
}

#[test]
fn turns_draw_anew() {
    let terms = Terms {
        lives: 2,
        return_after_ms: 1_000,
        deaths: shares(0, 50, 50, 0, 0),
        ..terms(100, 1_000, 20_000)
    };
    let plan = Plan::new(&terms).expect("the terms are sound");
    let same = plan.devices.iter().filter(|lives| lives[0].death == lives[1].death).count();
    assert!((20..80).contains(&same), "{same} of 100 die twice in the same way");
}

#[test]
fn who_stays_lives_on_to_the_end_of_the_run() {
    let terms = Terms {
        lives: 3,
        return_after_ms: 1_000,
        deaths: shares(100, 0, 0, 0, 0),
        ..terms(10, 10, 33_000)
    };
    let plan = Plan::new(&terms).expect("the terms are sound");
    // Ramp 1 s, two returns of 1 s: a life takes 10 s.
    let expected = Life { begin_ms: 900, end_ms: 33_000, death: Death::Stay };
    assert_eq!(plan.devices[9], [expected]);

    let half = Terms { deaths: shares(50, 0, 50, 0, 0), ..terms };
    let plan = Plan::new(&half).expect("the terms are sound");
    let lives = plan.lives().count();
    assert!((15..30).contains(&lives), "{lives}");
    for life in plan.lives().filter(|life| life.death == Death::Fin) {
        // Whole turns, with the returns in between.
        assert_eq!((life.end_ms - life.begin_ms + 1_000) % 11_000, 0, "{life:?}");
    }
}

#[test]
fn the_silent_fall_silent_before_their_end_and_return_in_time() {
    let terms = Terms {
        lives: 2,
        return_after_ms: 5_000,
        deaths: shares(0, 0, 0, 0, 100),
        silence_ms: 8_000,
        ..terms(1, 1, 46_000)
    };
    let plan = Plan::new(&terms).expect("the terms are sound");
    let life = |begin_ms, end_ms| Life { begin_ms, end_ms, death: Death::Silence };
    assert_eq!(plan.devices[0], [life(0, 12_000), life(25_000, 37_000)]);
    assert_eq!(terms.granted_silence_ms(), Ok(8_000));
}

#[test]
fn a_silence_leaves_a_quarter_of_a_life() {
    let long = Terms { deaths: shares(0, 0, 0, 0, 100), ..terms(1, 1_000, 8_001) };
    assert_eq!(long.granted_silence_ms(), Ok(6_000));
    let plan = Plan::new(&long).expect("the terms are sound");
    assert_eq!(plan.devices[0][0].end_ms, 2_000);

    let duration_ms = long.duration_for_silence_ms(17_000);
    assert_eq!(Terms { duration_ms, ..long.clone() }.granted_silence_ms(), Ok(17_000));
    let shorter = Terms { duration_ms: duration_ms - 10, ..long };
    assert!(shorter.granted_silence_ms().is_ok_and(|granted| granted < 17_000));
}

#[test]
fn terms_that_give_no_plan_are_told_so() {
    let good = terms(100, 100, 20_000);
    for (terms, flaw) in [
        (Terms { devices: 0, ..good.clone() }, Flaw::Nothing),
        (Terms { come: Come::Rate(0), ..good.clone() }, Flaw::Nothing),
        (Terms { lives: 0, ..good.clone() }, Flaw::Nothing),
        (Terms { deaths: shares(0, 0, 0, 0, 0), ..good.clone() }, Flaw::Nothing),
        (terms(100, 100, 1_000), Flaw::TooShort { needed_ms: 1_001 }),
        (terms(1, u32::MAX, 1), Flaw::TooShort { needed_ms: 2 }),
        (
            Terms { lives: 3, return_after_ms: 20_000, ..good.clone() },
            Flaw::TooShort { needed_ms: 41_003 },
        ),
        (
            Terms { lives: 2, return_after_ms: u64::MAX, ..good.clone() },
            Flaw::TooShort { needed_ms: u64::MAX },
        ),
        (
            Terms { devices: u32::MAX, lives: u32::MAX, ..good },
            Flaw::TooMany { lives: u64::from(u32::MAX) * u64::from(u32::MAX) },
        ),
    ] {
        assert_eq!(Plan::new(&terms), Err(flaw), "{terms:?}");
    }
}

#[test]
fn extreme_terms_give_a_plan() {
    for (terms, last) in [
        (terms(1, u32::MAX, 2), (0, 1)),
        (terms(1, 1, 1_001), (0, 1)),
        (terms(1_000, u32::MAX, u64::MAX), (0, u64::MAX - 1)),
        (Terms { silence_ms: u64::MAX, ..terms(1, 1_000, u64::MAX) }, (0, u64::MAX - 1)),
    ] {
        let plan = Plan::new(&terms).expect("the terms are sound");
        let life = plan.lives().last().expect("everybody lives");
        assert_eq!((life.begin_ms, life.end_ms), last, "{terms:?}");
    }
    let far = Terms {
        lives: 2,
        return_after_ms: u64::MAX - 10_000,
        silence_ms: u64::MAX,
        deaths: shares(0, 0, 0, 0, 100),
        ..terms(10, 10, u64::MAX)
    };
    let plan = Plan::new(&far).expect("the terms are sound");
    assert!(plan.lives().all(|life| life.begin_ms < life.end_ms));
}

#[test]
fn shares_are_shown_as_they_are_typed() {
    assert_eq!(shares(0, 40, 20, 20, 20).to_string(), "disconnect=40,fin=20,rst=20,silence=20");
    assert_eq!(shares(10, 0, 0, 90, 0).to_string(), "stay=10,rst=90");
}
