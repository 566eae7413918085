use super::*;
use crate::cli::{Cli, Command};
use crate::config::connection::{Surroundings, single};
use crate::failure::Outcome;
use clap::Parser as _;

fn agenda(line: &str) -> Result<Agenda, Failure> {
    let words = ["presence", "simulate"].into_iter().chain(line.split_whitespace());
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    let Command::Simulate(options) = cli.command else { panic!("another command") };
    let mut stdin = &b""[..];
    let mut surroundings = Surroundings::with_stdin(&mut stdin);
    let keep_alive = Duration::from_secs(5);
    let (connection, _) = single(&options.connection, keep_alive, &mut surroundings)?;
    Agenda::new(&options, &connection, Shares::all(Death::Disconnect), 7)
}

fn planned(line: &str) -> Planned {
    agenda(line)
        .and_then(|agenda| agenda.planned(1_000))
        .unwrap_or_else(|failure| panic!("{line}: {failure}"))
}

#[track_caller]
fn refused(line: &str, what: &str) {
    let failure = agenda(line).and_then(|agenda| agenda.planned(1_000)).expect_err(line);
    assert_eq!(failure.outcome, Outcome::Misused, "{failure}");
    assert!(failure.to_string().contains(what), "`{what}` is not in:\n{failure}");
    assert!(failure.cause.is_some() && failure.next.is_some(), "{failure}");
}

#[test]
fn options_outrank_a_scenario_where_they_may_and_contradict_it_elsewhere() {
    let usual = planned("--scenario viewers");
    assert_eq!(usual.outline.devices, 100);
    assert_eq!(
        (usual.outline.duration_ms, &*usual.outline.deaths),
        (22_000, "disconnect=40,fin=50,rst=10")
    );
    assert_eq!(planned("--scenario viewers --count 7").outline.devices, 7);
    assert_eq!(planned("--scenario viewers --duration 1m").plan.end_ms, 60_000);
    let fast = planned("--scenario viewers --rate 10");
    assert_eq!(fast.plan.devices[99][0].begin_ms, 9_900);
    let slow = planned("--scenario viewers --ramp 15s");
    assert_eq!(slow.plan.devices[99][0].begin_ms, 14_850);
    for flag in ["--deaths fin=100", "--lives 2", "--return-after 1s", "--nat-drop 5s"] {
        refused(&format!("--scenario viewers {flag}"), "contradict each other");
    }
    refused("--scenario viewers --duration 10s", "pass at least `--duration 20000ms`");
    refused("--scenario viewers --ramp 30s", "viewers, line 9: group `viewers`, step 1");
    refused("--scenario will-delay", "add `--mqtt-version 5`");
    planned("--scenario will-delay --mqtt-version 5");
}

#[test]
fn a_scenario_that_is_not_there_is_told_with_those_that_are() {
    refused("--scenario viewer", "sleepy-sensors, slow-ramp, takeover");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("mine.toml");
    let line = format!("--scenario {}", path.display());
    std::fs::write(&path, b"\xff").expect("the folder is ours");
    refused(&line, "no UTF-8 text");
    std::fs::write(&path, "#".repeat(2 << 20)).expect("the folder is ours");
    refused(&line, "larger than 1 MiB");
    std::fs::write(&path, "\"\\u001b[2J\" = 1\n").expect("the folder is ours");
    refused(&line, "mine.toml, line 1: there is no `\\x1b[2J` here");
    std::fs::write(&path, "[[group]]\n[[group.step]]\nup = \"1s\"\n").expect("the folder is ours");
    let planned = planned(&line);
    assert!(planned.outline.scenario.is_some_and(|name| name.ends_with("mine.toml")));
}

#[test]
fn shards_agree_on_the_whole_and_live_apart() {
    let whole = planned("--count 10 --deaths fin=50,rst=50");
    let terms = "--count 10 --deaths fin=50,rst=50 --seed 7 --run r";
    let parts: Vec<Planned> =
        (1..=3).map(|part| planned(&format!("{terms} --shard {part}/3"))).collect();
    for (number, lives) in whole.plan.devices.iter().enumerate() {
        assert_eq!(parts[number % 3].plan.devices[number], *lives);
        assert_eq!(parts[(number + 1) % 3].plan.devices[number], []);
    }
    let said = parts[1].outline.announcement("r", "b");
    assert!(said.contains("10 devices come to b") && said.ends_with("shard 2/3 is here"), "{said}");
    refused("--shard 1/3 --run r", "`--shard` without `--seed`");
    refused("--shard 1/3 --seed 7", "`--shard` without `--run`");
    refused("--shard 3/3 --seed 7 --run r --count 2", "nobody is in shard 3/3");
}

#[test]
fn a_job_tells_which_shard_it_is() {
    let index = |text: &str| index_of_job(Some(text.to_owned()), 10);
    assert_eq!((index("0"), index("9")), (Ok(0), Ok(9)));
    for (variable, cause) in [
        (None, "`JOB_COMPLETION_INDEX` is not set"),
        (Some("10"), "is 10, and counts from 0"),
        (Some("x"), "is x: invalid digit"),
    ] {
        let failure = index_of_job(variable.map(str::to_owned), 10).expect_err(cause);
        assert!(failure.to_string().contains(cause), "{failure}");
        assert!(failure.next.is_some_and(|next| next.contains("`--shard 10/10`")));
    }
}

#[test]
fn a_storm_hits_those_who_are_there() {
    let stormy = planned("--storm 30%@5s");
    assert_eq!((stormy.plan.count(Death::Rst), stormy.outline.rate), (30, 1_000));
    assert_eq!(planned("--count 4000 --storm 100@10s").outline.rate, 4_000);
    let both = planned("--scenario slow-ramp --storm 5@30s");
    assert_eq!(
        (both.plan.count(Death::Rst), both.outline.deaths),
        (5, "disconnect=100,rst=5".into())
    );
    refused("--storm 30%@1ms", "`--storm` is to hit 30 devices");
    refused("--scenario slow-ramp --storm 50@30s", "are connected at that moment");
}

#[test]
fn the_extremes_of_keep_alive_can_be_planned() {
    for keep_alive in ["0", "65535"] {
        for lives in ["", "--deaths every", "--lives 3", "--scenario tunnel"] {
            planned(&format!("-k {keep_alive} {lives}"));
        }
    }
    assert!(planned("-k 65535 --deaths silence=100").unnoticed.is_some());
    assert!(planned("-k 0 --deaths nat-drop=100").unnoticed.is_some());
}
