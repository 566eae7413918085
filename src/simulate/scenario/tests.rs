use super::*;
use crate::simulate::plan::{Death, Plan};
use crate::wire::Version;

const CALL: Call = Call {
    devices: 100,
    come: None,
    rate: 1_000,
    duration: None,
    keep_alive: 5,
    storm: None,
    seed: 7,
};

fn read(text: &str) -> Scenario {
    Scenario::read(text, Version::V5, false).unwrap_or_else(|mistake| panic!("{mistake:?}\n{text}"))
}

fn plan(scenario: &Scenario, devices: u32) -> Result<Plan, Flaw> {
    scenario.program(&Call { devices, ..CALL }).plan()
}

#[track_caller]
fn refused(text: &str, line: usize, what: &str, cause: &str) {
    let mistake = match Scenario::read(text, Version::V311, false) {
        Err(mistake) => mistake,
        Ok(scenario) => {
            let flaw = plan(&scenario, 100).expect_err(text);
            scenario.mistake(flaw).expect("it is up to the scenario")
        }
    };
    assert!(mistake.what.contains(what), "`{what}` is not in {mistake:?}");
    assert!(mistake.cause.contains(cause), "`{cause}` is not in {mistake:?}");
    assert_eq!(mistake.line, Some(line), "{mistake:?}");
    assert!(!mistake.next.is_empty(), "{mistake:?}");
}

#[test]
fn every_preset_can_be_planned_small_and_large() {
    for (name, text) in PRESETS {
        assert!(text.starts_with("# "), "{name} says what it shows");
        let scenario = read(text);
        assert_eq!(scenario.name, name);
        assert!(scenario.about.is_some(), "{name}");
        for devices in [1, 2, 7, 100, 20_000] {
            assert_eq!(scenario.devices(Some(devices), 100), Ok(devices), "{name}");
            let plan = plan(&scenario, devices).unwrap_or_else(|flaw| {
                panic!("{name}, {devices} devices: {:?}", scenario.mistake(flaw))
            });
            assert_eq!(plan.devices.len(), devices as usize, "{name}");
            assert_eq!(plan.inhabitants(), u64::from(devices), "{name}");
            assert!(plan.end_ms <= 120_000, "{name} takes {} ms", plan.end_ms);
            for lives in &plan.devices {
                assert!(lives.windows(2).all(|pair| pair[0].end_ms <= pair[1].begin_ms), "{name}");
                assert!(lives.iter().all(|life| life.begin_ms < life.end_ms), "{name}");
                assert!(lives.iter().all(|life| life.end_ms <= plan.end_ms), "{name}");
                // A take-over needs a newcomer, and nobody else one.
                let (last, _) = lives.split_last().expect("everybody lives");
                assert_ne!(last.death, Death::TakeOver, "{name}");
                for pair in lives.windows(2).filter(|pair| pair[0].death == Death::TakeOver) {
                    assert_eq!(pair[0].end_ms, pair[1].begin_ms, "{name}");
                }
            }
        }
    }
    assert!(PRESETS.is_sorted(), "they are listed in the order of the alphabet");
}

#[test]
fn presets_do_what_their_names_say() {
    let planned = |name: &str| {
        let scenario = read(preset(name).expect("it is one"));
        (plan(&scenario, 100).expect("it is sound"), scenario)
    };
    let (flapping, _) = planned("flapping");
    assert_eq!((flapping.count(Death::Stay), flapping.lives().count()), (90, 290));
    let (storm, _) = planned("reconnect-storm");
    let hit = storm.lives().filter(|life| (life.end_ms, life.death) == (10_000, Death::Rst));
    assert_eq!((hit.count(), storm.count(Death::Rst)), (50, 50));
    let (viewers, _) = planned("viewers");
    assert!(viewers.lives().all(|life| life.end_ms == 20_000));
    let (pairs, _) = planned("takeover-loop");
    assert_eq!(pairs.count(Death::TakeOver), 2_000);
    let (_, extremes) = planned("keepalive-extremes");
    let keep_alives: Vec<_> =
        extremes.groups.iter().map(|group| group.manners.keep_alive).collect();
    assert_eq!(keep_alives, [Some(0), Some(65_535)]);
    let (_, profiles) = planned("profiles");
    let words: Vec<_> = profiles.groups.iter().filter_map(|group| group.manners.pinging).collect();
    assert_eq!(words, crate::simulate::pinging::Pinging::ALL);
    let (every, _) = planned("every-death");
    assert!(every.count(Death::DisconnectWith(4)) > 0 && every.count(Death::NatDrop) > 0);
}

#[test]
fn what_is_said_for_all_holds_where_a_group_says_nothing() {
    let scenario = read(
        r#"
count = 10
duration = "1m 30s"
keepalive = "20s"
qos = 1
subscribe = ["a/{n}", "b"]
[[group]]
name = "one"
share = 70
keepalive = 0
[[group.step]]
up = "5s..10s"
[[group]]
name = "two"
share = 30
start = "3s"
rate = 2
will = false
[[group.step]]
nat-drop = "1m"
"#,
    );
    let [one, two] = &scenario.groups[..] else { panic!("there are two") };
    assert_eq!((one.manners.keep_alive, two.manners.keep_alive), (Some(0), Some(20)));
    assert_eq!((one.manners.will, two.manners.will), (None, Some(false)));
    assert_eq!(one.manners.subscribe.as_ref().map(Vec::len), Some(2));
    assert_eq!(scenario.devices(None, 100), Ok(10));
    assert_eq!(scenario.sizes(10), [7, 3]);
    let plan = plan(&scenario, 10).expect("it is sound");
    let first = |number: usize| plan.devices[number][0];
    assert_eq!((first(7).begin_ms, first(9).begin_ms), (3_000, 4_000));
    assert_eq!((first(9).end_ms, first(9).death), (64_000, Death::NatDrop));
    assert_eq!(plan.end_ms, 90_000);
}

#[test]
fn sizes_are_exact_whatever_is_counted() {
    let steps = "[[group.step]]\nup = \"1s\"\n";
    let sizes = |groups: &[&str]| {
        let group = |size: &&str| format!("[[group]]\n{size}\n{steps}");
        read(&groups.iter().map(group).collect::<Vec<_>>().concat())
    };
    let mixed = sizes(&["count = 3", "share = 50", "share = 50"]);
    assert_eq!(mixed.sizes(10), [3, 4, 3]);
    assert_eq!(mixed.devices(None, 100), Ok(100));
    assert!(mixed.devices(Some(2), 100).is_err());
    let counted = sizes(&["count = 3", "count = 4"]);
    assert_eq!(counted.devices(None, 100), Ok(7));
    assert_eq!(counted.sizes(7), [3, 4]);
    let mistake = counted.devices(Some(100), 100).expect_err("they are seven");
    assert!(mistake.cause.contains("have 7 together"), "{mistake:?}");
    let many = sizes(&["count = 1_000_000", "count = 1_000_000"]);
    let mistake = many.devices(None, 100).expect_err("they are too many");
    assert!(mistake.what.contains("2000000 devices are too many"), "{mistake:?}");
    assert_eq!(sizes(&["share = 33", "share = 33", "share = 34"]).sizes(1), [0, 0, 1]);
}

#[test]
fn mistakes_are_told_with_their_line() {
    let step = "[[group.step]]\nup = \"1s\"\n";
    for (text, line, what, cause) in [
        ("", 1, "nothing is planned", "no group"),
        ("kepalive = 5\n", 1, "there is no `kepalive` here", "`keepalive`"),
        ("[[group]]\n", 1, "nothing is planned", "no steps"),
        ("[[group]]\nname = \"a\"\n[[group.step]]\n", 3, "group `a`, step 1: it does not say", ""),
        ("[[group]]\n[[group.step]]\nup = \"1\"\n", 3, "`up = \"1\"` cannot be used", "unit"),
        ("[[group]]\n[[group.step]]\nup = 1\n", 3, "`up` cannot be used", "no text"),
        ("[[group]]\n[[group.step]]\nup = \"5s..1s\"\n", 3, "cannot be used", "greater"),
        ("[[group]]\n[[group.step]]\nup = \"2000000h\"\n", 3, "cannot be used", "1,000 days"),
        ("[[group]]\n[[group.step]]\nup = \"0s\"\n", 2, "would die before it lives", "begins at"),
        ("[[group]]\n[[group.step]]\nupp = \"1s\"\n", 3, "there is no `upp` here", "`up`"),
        (
            "[[group]]\n[[group.step]]\nuntil = \"5s\"\nreturn-at = \"4s\"\n",
            2,
            "group `1`, step 1: a device would return before it has died",
            "it dies at 5s and is to return at 4s",
        ),
        (
            "[[group]]\nstart = \"9s\"\n[[group.step]]\nuntil = \"5s\"\n",
            3,
            "would die before it lives",
            "begins at 9s and is to end at 5s",
        ),
        (
            "duration = \"5s\"\n[[group]]\n[[group.step]]\nup = \"6s\"\n",
            3,
            "live on after the end of the run",
            "dies at",
        ),
        (
            "[[group]]\n[[group.step]]\nup = \"1s\"\ndeath = \"crash\"\n",
            4,
            "`crash` cannot be used",
            "no way to die",
        ),
        (
            "[[group]]\n[[group.step]]\nup = \"1s\"\ndeaths = { fin = 50, rst = 40 }\n",
            4,
            "`deaths` cannot be used",
            "add up to 90, not to 100",
        ),
        (
            "[[group]]\n[[group.step]]\nup = \"1s\"\ndeath = \"disconnect-with-will\"\n",
            4,
            "is not possible here",
            "MQTT 3.1.1",
        ),
        (
            "[[group]]\n[[group.step]]\nup = \"1s\"\ndeath = \"tls-cut\"\n",
            4,
            "is not possible here",
            "no TLS",
        ),
        (
            "[[group]]\n[[group.step]]\nup = \"1s\"\nuntil = \"2s\"\n",
            3,
            "`up` and `until` contradict",
            "",
        ),
        (
            "[[group]]\n[[group.step]]\nnat-drop = \"1s\"\ndeath = \"fin\"\n",
            3,
            "`nat-drop` and `death` contradict",
            "",
        ),
        (
            "[[group]]\nrepeat = 2\n[[group.step]]\nuntil = \"2s\"\n",
            4,
            "in a group that repeats",
            "only one such moment",
        ),
        ("will-delay = \"5s\"\n", 1, "`will-delay` needs MQTT 5", ""),
        ("keepalive = 65536\n", 1, "`keepalive = 65536` cannot be used", "65535 s at most"),
        ("keepalive = \"500ms\"\n", 1, "cannot be used", "whole seconds"),
        ("keepalive = true\n", 1, "`keepalive` cannot be used", "neither"),
        ("qos = 3\n", 1, "`qos` cannot be used", "from 0 to 2"),
        ("count = 0\n", 1, "`count` cannot be used", "from 1 to 1000000"),
        ("count = 1000001\n", 1, "`count` cannot be used", "from 1 to 1000000"),
        ("count = -1\n", 1, "`count` cannot be used", ""),
        ("profile = \"paho\"\n", 1, "cannot be used", "`paho-c-1.2`"),
        ("publish-every = \"1ms\"\n", 1, "cannot be used", "steps of 50 ms"),
        ("subscribe = [1]\n", 1, "`subscribe` cannot be used", "list of texts"),
        ("group = 5\n", 1, "`group` cannot be used", "no list of tables"),
        ("group = [5]\n", 1, "`group` cannot be used", "no list of tables"),
        ("a = [\n", 1, "it is no TOML", ""),
    ] {
        refused(text, line, what, cause);
        if !text.is_empty() {
            refused(&format!("# Before it.\n{text}"), line + 1, what, cause);
        }
    }
    let two =
        |one: &str, other: &str| format!("[[group]]\n{one}\n{step}[[group]]\n{other}\n{step}");
    refused(&two("share = 50", "share = 40"), 5, "do not add up to 100", "add up to 90");
    refused(&two("share = 50", ""), 5, "group `2`: it does not say how many", "several groups");
    refused(&two("share = 50\nname = \"2\"", "share = 50"), 6, "`2` is there twice", "");
    refused(&two("share = 50\ncount = 5", "share = 50"), 3, "contradict each other", "");
}

#[test]
fn no_text_makes_a_reader_fail_otherwise_than_by_telling_why() {
    let text = preset("every-death").expect("it is one");
    for (at, _) in text.char_indices() {
        let _ = Scenario::read(&text[..at], Version::V5, true);
        let broken = format!("{}\u{0}\"{}", &text[..at], &text[at..]);
        let _ = Scenario::read(&broken, Version::V5, true);
    }
    let deep = format!("a = {}", "[".repeat(10_000));
    assert!(Scenario::read(&deep, Version::V5, true).is_err());
}
