use super::*;
use crate::cli::simulate::{COUNT, RATE};
use crate::cli::{Cli, Command};
use clap::Parser as _;

const KEEP_ALIVE: Duration = Duration::from_secs(5);

fn schedule(line: &str) -> Result<Schedule, Failure> {
    let words = ["presence", "simulate"].into_iter().chain(line.split_whitespace());
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    let Command::Simulate(options) = cli.command else { panic!("another command") };
    let means = Means { version: Version::V5, is_tls: false, keep_alive: KEEP_ALIVE };
    let devices = options.count.unwrap_or(COUNT);
    Schedule::new(devices, &options.lives, means, Shares::all(Death::Disconnect), 7)
}

fn terms(line: &str) -> Terms {
    schedule(line).unwrap_or_else(|failure| panic!("{line}: {failure}")).terms(RATE)
}

#[test]
fn without_options_a_hundred_live_once_and_say_goodbye() {
    let expected = Terms {
        devices: 100,
        come: Come::Rate(1_000),
        duration_ms: 20_000,
        lives: 1,
        return_after_ms: 0,
        deaths: Shares::all(Death::Disconnect),
        silence_ms: 17_000,
        nat_drop_ms: None,
        storm: None,
        seed: 7,
    };
    assert_eq!(terms(""), expected);
}

#[test]
fn who_returns_lives_twice_unless_told_otherwise() {
    for (line, lives, return_after_ms) in [
        ("--return-after 5s", 2, 5_000),
        ("--lives 3", 3, 2_000),
        ("--lives 3 --return-after 0s", 3, 0),
        ("--lives 1", 1, 0),
    ] {
        let terms = terms(line);
        assert_eq!((terms.lives, terms.return_after_ms), (lives, return_after_ms), "{line}");
    }
    let failure = schedule("--lives 1 --return-after 5s").expect_err("they contradict");
    assert!(failure.cause.is_some_and(|cause| cause.contains("does not return")));
}

#[test]
fn a_run_grows_with_the_time_that_devices_need_to_come() {
    for (line, duration_ms) in [
        ("--count 10000", 20_000),
        ("--count 10001", 30_001),
        ("--count 100000", 120_000),
        ("--count 100000 --duration 2m", 120_000),
        ("--count 100 --rate 1", 120_000),
        ("--lives 3 --return-after 6s", 32_100),
    ] {
        let schedule = schedule(line).expect("it can be planned");
        let terms = schedule.terms(RATE);
        assert_eq!(terms.duration_ms, duration_ms, "{line}");
        let has_grown = duration_ms > 20_000 && !line.contains("--duration");
        assert_eq!(schedule.longer(&terms).is_some(), has_grown, "{line}");
    }
    let longer = schedule("--count 100000").expect("it can be planned");
    let said = longer.longer(&longer.terms(1_000)).expect("it has grown");
    assert_eq!(
        said,
        "the run takes 2m instead of 20s: 100,000 devices at 1,000/s need 1m 40s to come"
    );
}

#[test]
fn a_rate_that_was_asked_for_outranks_the_usual_one() {
    let asked = schedule("--rate 200/s").expect("it can be planned");
    assert_eq!(asked.terms(50).come, Come::Rate(200));
    let silent = schedule("").expect("it can be planned");
    assert_eq!(silent.terms(50).come, Come::Rate(50));
    let ramp = schedule("--ramp 1m").expect("it can be planned");
    assert_eq!(ramp.terms(50).come, Come::Ramp(60_000));
}

#[test]
fn shares_of_deaths_are_read_as_they_are_typed() {
    for (typed, shown) in [
        ("fin=20,disconnect=40,rst=20,silence=20", "disconnect=40,fin=20,rst=20,silence=20"),
        ("silence=100%", "silence=100"),
        ("fin=50,stay=50,rst=0", "stay=50,fin=50"),
        ("disconnect-0x04=30,disconnect-0x81=70", "disconnect-with-will=30,disconnect-0x81=70"),
        ("takeover=50,nat-drop=50", "nat-drop=50,takeover=50"),
        ("every", "every"),
    ] {
        let deaths = terms(&format!("--deaths {typed}")).deaths;
        assert_eq!(deaths.to_string(), shown, "{typed}");
    }
    for (typed, cause) in [
        ("disconnect=40,fin=20", "the shares add up to 60, not to 100"),
        ("disconnect=60,fin=60", "add up to 120"),
        ("fin=4294967295,rst=4294967295", "add up to 8589934590"),
        ("crash=100", "`crash` is no way to die"),
        ("fin=50,fin=50", "`fin` is there twice"),
        ("disconnect-0x8e=100", "no reason that a client may send"),
        ("disconnect-0x4=100", "no reason that a client may send"),
        ("tls-cut=100", "no TLS on this connection"),
        ("fin", "`fin` is not of the form"),
        ("fin=", "the share of `fin`"),
        ("fin=-1", "the share of `fin`"),
        ("fin=99.5,rst=0.5", "the share of `fin`"),
        (",", "is not of the form"),
    ] {
        let failure = schedule(&format!("--deaths {typed}")).expect_err(typed);
        assert_eq!(failure.outcome, crate::failure::Outcome::Misused);
        let shown = failure.to_string();
        assert!(shown.contains(cause) && failure.next.is_some(), "{typed}: {shown}");
    }
}

#[test]
fn a_silence_that_cannot_be_noticed_is_said_with_what_would_help() {
    for line in ["", "--deaths silence=100", "--deaths fin=100 --duration 2s"] {
        let schedule = schedule(line).expect("it can be planned");
        assert_eq!(schedule.unnoticed(&schedule.terms(1_000)), None, "{line}");
    }
    let short = schedule("--deaths silence=100 --duration 10100ms").expect("it can be planned");
    let (what, next) = short.unnoticed(&short.terms(1_000)).expect("it is too short");
    assert_eq!(
        what,
        "silent devices are silent for 7.5 s, but with a keep alive of 5.0 s a broker may need 12.5 s"
    );
    assert_eq!(next, "pass `--keepalive 1s`, or `--duration 17s`");
    // What is advised helps.
    let longer = schedule("--deaths silence=100 --duration 17s").expect("it can be planned");
    assert_eq!(longer.unnoticed(&longer.terms(1_000)), None);
    let quick = Schedule { keep_alive: Duration::from_secs(1), ..short.clone() };
    assert_eq!(quick.unnoticed(&quick.terms(1_000)), None);

    let never = Schedule { keep_alive: Duration::ZERO, ..short };
    let (what, _) = never.unnoticed(&never.terms(1_000)).expect("it is off");
    assert!(what.contains("keep alive is off"), "{what}");
}

#[test]
fn terms_without_a_plan_are_explained() {
    for (line, what, cause) in [
        (
            "--count 100000 --duration 20s",
            "a run of 20.0 s leaves no time to live",
            "100,000 devices at 1,000/s need 1m 40s to come",
        ),
        (
            "--lives 3 --return-after 10s --duration 20s",
            "a run of 20.0 s leaves",
            "need 100 ms to come, and 20.0 s more between lives",
        ),
        ("--duration 0s", "a run of 0 ms leaves", "to come"),
        ("--count 1000000 --lives 100", "are too many lives", "100,000,000 of 10,000,000 at most"),
    ] {
        let terms = terms(line);
        let failure = flaw(crate::simulate::plan::Plan::new(&terms).expect_err(line), &terms);
        let shown = failure.to_string();
        assert!(shown.contains(what) && shown.contains(cause), "{line}: {shown}");
        assert!(failure.next.is_some(), "{line}");
    }
}

#[test]
fn a_router_that_forgets_makes_a_run_as_long_as_it_takes_to_be_noticed() {
    let nat = schedule("--nat-drop 1m").expect("it can be planned");
    let terms = nat.terms(RATE);
    assert_eq!(
        (terms.nat_drop_ms, terms.deaths.to_string()),
        (Some(60_000), "nat-drop=100".into())
    );
    // 100 ms to come, a minute, and three keep alives and 2 s.
    assert_eq!(terms.duration_ms, 77_100);
    let said = nat.longer(&terms).expect("it has grown");
    assert_eq!(said, "the run takes 1m 17s instead of 20s: a router forgets devices after 1m");
    let plan = crate::simulate::plan::Plan::new(&terms).expect("the terms are sound");
    assert!(plan.lives().all(|life| life.end_ms - life.begin_ms == 60_000));

    let some = schedule("--nat-drop 5s --deaths nat-drop=10,fin=90").expect("it can be planned");
    assert_eq!(some.terms(RATE).deaths.to_string(), "fin=90,nat-drop=10");
    for (line, what) in [
        ("--nat-drop 5s --deaths fin=100", "nobody dies so"),
        ("--nat-drop 0s", "`--nat-drop` is too short"),
    ] {
        let failure = schedule(line).expect_err(line);
        assert!(failure.to_string().contains(what) && failure.next.is_some(), "{line}: {failure}");
    }
    let terms = schedule("--nat-drop 1m --duration 20s").expect("it is typed well").terms(RATE);
    let failure = flaw(terms.check().expect_err("it is too short"), &terms).to_string();
    assert!(failure.contains("they live for 19.9 s"), "{failure}");
    assert!(failure.contains("--duration 80s"), "{failure}");
}

#[test]
fn what_a_connection_cannot_do_is_told_with_what_could() {
    let cli = Cli::try_parse_from(["presence", "simulate", "--deaths", "disconnect-with-will=100"]);
    let Command::Simulate(options) = cli.expect("it can be typed").command else {
        panic!("another command")
    };
    let means = Means { version: Version::V311, is_tls: false, keep_alive: KEEP_ALIVE };
    let usual = Shares::all(Death::Disconnect);
    let failure = Schedule::new(1, &options.lives, means, usual, 7).expect_err("it cannot");
    assert_eq!(failure.next.as_deref(), Some("add `--mqtt-version 5`"));
}
