use super::*;

/// What a client says, and when; in ms.
#[derive(Clone, Copy)]
struct Habits {
    keep_alive: u16,
    /// From a ping to its answer; `None`: there is none.
    answers_after: Option<u64>,
    /// It publishes so often, and nobody answers that.
    publishes_every: Option<u64>,
    /// Until then nothing is lost. From then on nothing is heard.
    hears_until: u64,
}

const IDLE: Habits = Habits {
    keep_alive: 60,
    answers_after: Some(200),
    publishes_every: None,
    hears_until: u64::MAX,
};

/// Lives up to a time, and returns when pings were sent, and when the client gave up.
fn live(pinging: Pinging, habits: Habits, until: u64) -> (Vec<u64>, Option<u64>) {
    let mut pinger = Pinger::new(pinging, habits.keep_alive, 0);
    let (mut pings, mut answer_at) = (Vec::new(), None::<u64>);
    let mut publish_at = habits.publishes_every;
    loop {
        let ping_at = pinger.poll_timeout();
        let times = [ping_at, answer_at, publish_at];
        let Some(now) = times.into_iter().flatten().min().filter(|now| *now <= until) else {
            return (pings, None);
        };
        if answer_at == Some(now) {
            answer_at = None;
            pinger.answered();
            pinger.heard(now, false);
        } else if publish_at == Some(now) {
            pinger.sent(now);
            publish_at = habits.publishes_every.map(|every| now + every);
        } else {
            match pinger.handle_timeout(now) {
                Due::Nothing => panic!("{pinging:?} was woken for nothing at {now}"),
                Due::GiveUp => return (pings, Some(now)),
                Due::Ping => {
                    pings.push(now);
                    let answer = habits.answers_after.map(|after| now + after);
                    answer_at = answer.filter(|at| *at <= habits.hears_until);
                }
            }
        }
    }
}

fn seconds(times: &[u64]) -> Vec<u64> {
    assert!(times.iter().all(|time| time.is_multiple_of(1000)), "{times:?}");
    times.iter().map(|time| time / 1000).collect()
}

#[test]
fn an_idle_client_pings_at_the_first_look_after_a_keep_alive() {
    for (pinging, keep_alive, expected) in [
        (Pinging::Spec, 60, vec![60, 120, 180, 240, 300]),
        (Pinging::HalfOpen, 60, vec![60, 120, 180, 240, 300]),
        (Pinging::PahoC12, 60, vec![60, 120, 180, 240, 300]),
        (Pinging::PahoC131, 60, vec![60, 120, 180, 240, 300]),
        (Pinging::PahoC1313, 60, vec![60, 120, 180, 240, 300]),
        (Pinging::PahoGolang, 60, vec![60, 120, 180, 240, 300]),
        // Looks every 5 s do not meet 63 s; those of a keep alive of 30 s come every 3 s.
        (Pinging::PahoC131, 63, vec![65, 130, 195, 260, 325]),
        (Pinging::PahoGolang, 63, vec![65, 130, 195, 260, 325]),
        (Pinging::PahoC1313, 30, vec![30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330]),
        (Pinging::PahoC12, 100, vec![100, 200, 300]),
        (Pinging::NeverPings, 60, vec![]),
    ] {
        let (pings, end) = live(pinging, Habits { keep_alive, ..IDLE }, 340_000);
        assert_eq!((seconds(&pings), end), (expected, None), "{pinging:?} {keep_alive}");
    }
}

#[test]
fn short_keep_alives_are_looked_at_more_often() {
    for (pinging, keep_alive, first) in [
        (Pinging::Spec, 1, 1_000),
        (Pinging::PahoC12, 1, 1_000),
        (Pinging::PahoC131, 1, 1_000),
        (Pinging::PahoC131, 2, 2_000),
        (Pinging::PahoGolang, 3, 3_000),
        (Pinging::PahoGolang, 10, 10_000),
        (Pinging::PahoGolang, 11, 15_000),
        (Pinging::PahoC12, 15, 15_000),
        (Pinging::PahoC1313, 15, 15_000),
        // Every 2 s until 1.3.0, every 2.9 s since.
        (Pinging::PahoC12, 29, 30_000),
        (Pinging::PahoC1313, 29, 29_000),
    ] {
        let (pings, _) = live(pinging, Habits { keep_alive, ..IDLE }, first + 100);
        assert_eq!(pings, [first], "{pinging:?} {keep_alive}");
    }
}

#[test]
fn a_silent_network_is_given_up_when_the_library_does() {
    // Nothing is heard after CONNACK.
    let deaf = Habits { hears_until: 0, ..IDLE };
    for (pinging, keep_alive, pings, gives_up) in [
        (Pinging::Spec, 60, vec![60], Some(120)),
        (Pinging::HalfOpen, 60, vec![60], Some(120)),
        // Nothing was heard for a keep alive at the next look already.
        (Pinging::PahoC12, 60, vec![60], Some(65)),
        (Pinging::PahoC12, 10, vec![10], Some(11)),
        (Pinging::PahoC131, 60, vec![60], Some(120)),
        (Pinging::PahoC1313, 60, vec![60], Some(150)),
        (Pinging::PahoGolang, 60, vec![60], Some(70)),
        (Pinging::PahoGolang, 300, vec![300], Some(310)),
        // The first alarm comes after 9 minutes, two keep alives and more after CONNECT.
        (Pinging::MobileApp, 60, vec![], Some(540)),
        (Pinging::MobileApp, 270, vec![], Some(540)),
        (Pinging::MobileApp, 300, vec![540], Some(1080)),
        (Pinging::MobileApp, 600, vec![600], Some(1200)),
        (Pinging::NeverPings, 60, vec![], None),
    ] {
        let (sent, end) = live(pinging, Habits { keep_alive, ..deaf }, 3_600_000);
        let end = end.map(|end| seconds(&[end])[0]);
        assert_eq!((seconds(&sent), end), (pings, gives_up), "{pinging:?} {keep_alive}");
    }
}

#[test]
fn a_network_that_falls_silent_later_is_given_up_later() {
    // Lost between the ping at 120 s and the one at 180 s; the last answer came at 120.2 s.
    let habits = Habits { hears_until: 150_000, ..IDLE };
    for (pinging, expected) in [
        (Pinging::Spec, 240_000),
        (Pinging::PahoC12, 185_000),
        (Pinging::PahoC131, 240_000),
        (Pinging::PahoC1313, 270_000),
        (Pinging::PahoGolang, 190_000),
    ] {
        assert_eq!(live(pinging, habits, 600_000).1, Some(expected), "{pinging:?}");
    }
}

#[test]
fn who_only_publishes_pings_for_an_answer_if_it_is_a_paho() {
    let busy = Habits { publishes_every: Some(10_000), ..IDLE };
    for (pinging, expected) in [
        (Pinging::Spec, vec![]),
        (Pinging::NeverPings, vec![]),
        (Pinging::PahoC12, vec![60, 125, 190]),
        (Pinging::PahoC131, vec![60, 125, 190]),
        (Pinging::PahoC1313, vec![60, 125, 190]),
        (Pinging::PahoGolang, vec![60, 125, 190]),
    ] {
        let (pings, end) = live(pinging, busy, 200_000);
        assert_eq!((seconds(&pings), end), (expected, None), "{pinging:?}");
    }
}

#[test]
fn a_slow_answer_makes_paho_c_1_2_drop_a_healthy_connection() {
    // Issue 570 of Paho C: the answer is on its way when the next look comes.
    let slow = Habits { publishes_every: Some(10_000), answers_after: Some(5_200), ..IDLE };
    assert_eq!(live(Pinging::PahoC12, slow, 600_000), (vec![60_000], Some(65_000)));
    for pinging in [Pinging::PahoC131, Pinging::PahoC1313, Pinging::PahoGolang, Pinging::Spec] {
        assert_eq!(live(pinging, slow, 600_000).1, None, "{pinging:?}");
    }
}

#[test]
fn an_app_in_a_pocket_pings_in_time_only_if_its_keep_alive_is_long() {
    for (keep_alive, expected) in
        [(300, vec![540, 1080, 1620]), (540, vec![540, 1080, 1620]), (900, vec![900, 1800])]
    {
        let (pings, end) = live(Pinging::MobileApp, Habits { keep_alive, ..IDLE }, 1_800_000);
        assert_eq!((seconds(&pings), end), (expected, None), "{keep_alive}");
    }
}

#[test]
fn only_the_standard_waits_for_answers_to_other_things() {
    for pinging in Pinging::ALL {
        let mut pinger = Pinger::new(pinging, 60, 0);
        pinger.sent(10_000);
        pinger.ask(10_000);
        let is_by_standard = matches!(pinging, Pinging::Spec | Pinging::HalfOpen);
        assert_eq!(pinger.handle_timeout(70_000) == Due::GiveUp, is_by_standard, "{pinging:?}");
        // Whatever is heard renews the patience, and the last answer ends it.
        let mut pinger = Pinger::new(pinging, 60, 0);
        pinger.sent(10_000);
        pinger.ask(10_000);
        pinger.heard(20_000, true);
        pinger.heard(30_000, false);
        assert_ne!(pinger.handle_timeout(70_000), Due::GiveUp, "{pinging:?}");
    }
}

#[test]
fn the_ends_of_the_range_work() {
    for pinging in Pinging::ALL {
        assert_eq!(Pinger::new(pinging, 0, 5).poll_timeout(), None, "{pinging:?}: never");
        let pinger = Pinger::new(pinging, u16::MAX, 5);
        assert_eq!(pinger.keep_alive(), u16::MAX);
        let due = pinger.poll_timeout();
        let is_in_time = due.is_some_and(|due| (65_535_005..65_540_006).contains(&due));
        assert_eq!(is_in_time, pinging != Pinging::NeverPings, "{pinging:?} {due:?}");
    }
}

#[test]
fn only_the_standard_lets_a_first_ping_be_early() {
    for pinging in Pinging::ALL {
        let mut pinger = Pinger::new(pinging, 60, 0);
        pinger.bring_forward(20_000);
        let is_early = pinger.poll_timeout() == Some(20_000);
        assert_eq!(is_early, matches!(pinging, Pinging::Spec | Pinging::HalfOpen), "{pinging:?}");
    }
}
