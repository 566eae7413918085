//! Scenarios as users meet them: the page that describes them, and the presets through the binary.

use presence::simulate::pinging::Pinging;
use presence::simulate::plan::Death;
use presence::simulate::scenario::{Call, PRESETS, Scenario};
use presence::wire::Version;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

#[test]
fn the_scenario_of_the_page_can_be_planned() {
    let page = page();
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let scenario = Scenario::read(example.expect("there is one"), Version::V311, false);
    let scenario = scenario.unwrap_or_else(|mistake| panic!("{mistake:?}"));
    let devices = scenario.devices(None, 100).expect("it is sound");
    assert_eq!((devices, scenario.sizes(devices)), (200, vec![180, 20]));
    let call = Call {
        devices,
        come: None,
        rate: 1_000,
        duration: None,
        keep_alive: 5,
        storm: None,
        seed: 7,
    };
    assert!(scenario.program(&call).plan().is_ok());
}

#[test]
fn the_page_describes_every_key_death_and_preset() {
    let page = page();
    let described: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split(" |").next())
        .flat_map(|cell| cell.split('`').step_by(2).chain(cell.split('`').skip(1).step_by(2)))
        .collect();
    // An unknown key is told with all that there are.
    for broken in ["x = 1\n", "[[group]]\nx = 1\n", "[[group]]\n[[group.step]]\nx = 1\n"] {
        let mistake = Scenario::read(broken, Version::V5, true).expect_err(broken);
        for key in mistake.cause.split('`').skip(1).step_by(2) {
            assert!(key == "step" || key == "group" || described.contains(key), "`{key}`");
        }
    }
    for death in Death::ALL {
        assert!(described.contains(&*death.word()), "`{}`", death.word());
    }
    for (name, _) in PRESETS {
        assert!(described.contains(name), "`{name}`");
    }
}

#[test]
fn presets_are_shown_with_their_groups_and_connect_to_nothing() {
    for (name, _) in PRESETS {
        let words = ["--plan", "--json", "--count", "5", "--mqtt-version", "5", "--seed", "7"];
        let shown = simulate(&[&["--scenario", name], &words[..]].concat());
        assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
        let objects: Vec<Value> = text(&shown.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is an object"))
            .collect();
        let (head, lives) = objects.split_first().expect("there is a head");
        assert_eq!(head["scenario"], name);
        assert_eq!(head["lives"], lives.len());
        assert!(lives.iter().all(|life| life["group"].is_string()), "{name}");
    }
}

#[test]
fn a_shard_shows_its_own_devices_with_their_numbers_in_the_whole() {
    let words = ["--plan", "--json", "--count", "10", "--seed", "7", "--run", "r"];
    let whole = simulate(&words);
    let mut parts: Vec<String> = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let part = simulate(&[&words[..], &["--shard", shard]].concat());
        parts.extend(text(&part.stdout).lines().skip(1).map(str::to_owned));
    }
    let mut lives: Vec<String> = text(&whole.stdout).lines().skip(1).map(str::to_owned).collect();
    lives.sort_unstable();
    parts.sort_unstable();
    assert_eq!(parts, lives);
    let missing = simulate(&[&words[..], &["--shard", "3"]].concat());
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("`JOB_COMPLETION_INDEX` is not set"));
}

#[test]
fn a_mistake_ends_with_2_and_connects_to_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("late.toml");
    let late = "[[group]]\nname = \"cars\"\n[[group.step]]\nuntil = \"5s\"\nreturn-at = \"4s\"\n";
    std::fs::write(&path, late).expect("the folder is ours");
    // Nobody listens there: a connection would end with 4.
    let run = simulate(&["--scenario", &path.display().to_string(), "-b", "127.0.0.1:1"]);
    let said = text(&run.stderr);
    assert_eq!((run.status.code(), &*text(&run.stdout)), (Some(2), ""), "{said}");
    for part in [
        "late.toml, line 3: group `cars`, step 1: a device would return before it has died",
        "\n  cause: it dies at 5s and is to return at 4s",
        "\n  next:  ",
    ] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
}

#[test]
fn the_command_line_knows_the_profiles_that_devices_have() {
    let words = Pinging::ALL.map(Pinging::word);
    assert_eq!(words, presence::cli::simulate::PROFILES);
    assert_eq!(Pinging::default().word(), words[0]);
}

fn simulate(words: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    Command::new(env!("CARGO_BIN_EXE_presence"))
        .arg("simulate")
        .args(words)
        .env_clear()
        .env("HOME", home.path())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it is UTF-8")
}

fn page() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/scenarios.md");
    std::fs::read_to_string(path).expect("the page is there")
}
