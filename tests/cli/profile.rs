//! Options from a file: which value counts, what is refused, and that nothing is written.

use crate::run::{Home, Run};
use std::collections::BTreeMap;

const FILE: &str = "config/presence/config.toml";

const PLANT: &str = "\
[profile.plant]
broker = [\"mqtt://one.example\", \"mqtts://two.example\"]
cafile = \"ca.pem\"
store = \"state/plant.db\"
timeout = \"3s\"
close-grace = \"never\"
client = [\"pump-*\"]
clean = true
keepalive = 20
count = 7
quiet = false

[profile.memory]
store = \"memory\"
";

fn home(text: &str) -> Home {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("config/presence")).expect("it is ours");
    home.write(FILE, text);
    home
}

/// Returns value and origin of each option.
#[track_caller]
fn config(run: &Run) -> BTreeMap<String, (String, String)> {
    assert_eq!((run.code, &*run.err), (0, ""), "{}", run.out);
    let objects = run.objects();
    let read = |object: &serde_json::Value| {
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        let values = object["values"].as_array().expect("there is").iter();
        let values: Vec<&str> = values.map(|value| value.as_str().expect("text")).collect();
        let line = object["line"].as_u64().map_or(String::new(), |line| format!(":{line}"));
        let origin = format!("{} {}{line}", text("origin"), text("source"));
        (text("option"), (values.join(" "), origin.trim_end().to_owned()))
    };
    objects.iter().map(read).collect()
}

#[track_caller]
fn told(config: &BTreeMap<String, (String, String)>, option: &str, value: &str, origin: &str) {
    let (found, from) = config.get(option).unwrap_or_else(|| panic!("no {option}: {config:#?}"));
    assert_eq!((&**found, &**from), (value, origin), "--{option}");
}

#[test]
fn the_nearest_to_the_command_line_counts() {
    let home = home(PLANT);
    let words = "watch --json --print-config --profile plant --client lamp --keepalive 9";
    let words: Vec<&str> = words.split(' ').collect();
    let environment = [("PRESENCE_TIMEOUT", "4s"), ("PRESENCE_CLEAN", "false")];
    let found = config(&home.run_with(&words, "", &environment));
    told(&found, "client", "lamp", "flag");
    told(&found, "keepalive", "9", "flag");
    told(&found, "timeout", "4s", "environment PRESENCE_TIMEOUT");
    told(&found, "clean", "false", "environment PRESENCE_CLEAN");
    told(&found, "close-grace", "never", "profile plant:6");
    told(&found, "broker", "mqtt://one.example mqtts://two.example", "profile plant:2");
    told(&found, "quiet", "false", "profile plant:11");
    told(&found, "skew", "1s", "default");
    told(&found, "record", "", "default");
    told(&found, "profile", "plant", "flag");
    let folder = home.path().join("config/presence");
    let below = |name: &str| folder.join(name).to_str().expect("it is text").to_owned();
    told(&found, "store", &below("state/plant.db"), "profile plant:4");
    told(&found, "cafile", &below("ca.pem"), "profile plant:3");

    let found = config(&home.run("watch --json --print-config"));
    told(&found, "broker", "mqtt://localhost:1883", "default");
    told(&found, "profile", "", "default");
}

#[test]
fn every_command_takes_what_it_knows() {
    let home = home(PLANT);
    for (line, option, value, origin) in [
        ("check", "timeout", "3s", "profile plant:5"),
        ("simulate", "count", "7", "profile plant:10"),
        ("replay", "close-grace", "never", "profile plant:6"),
        ("store import", "close-grace", "never", "profile plant:6"),
        ("store export", "instance", "", "default"),
    ] {
        let line = format!("{line} --print-config");
        let words: Vec<&str> = line.split(' ').collect();
        let environment = [("PRESENCE_PROFILE", "plant"), ("PRESENCE_JSON", "1")];
        let run = home.run_with(&words, "", &environment);
        if words[1] == "export" || words[1] == "import" {
            let shown = format!("--{option}");
            let row = run.out.lines().find(|row| row.starts_with(&format!("{shown} ")));
            let row: Vec<&str> = row.expect(&run.out).split_whitespace().skip(1).collect();
            assert_eq!(row[0], if value.is_empty() { "–" } else { value }, "{line}");
            assert!(run.code == 0 && row[1..].join(" ").starts_with(&origin[..7]), "{row:?}");
        } else {
            told(&config(&run), option, value, origin);
        }
    }
}

#[test]
fn a_profile_is_run_on_and_not_only_shown() {
    let home = home("[profile.p]\nstore = \"none.db\"\n");
    home.run("store info --profile p").failed(4, "config/presence/none.db");
    let wrong = self::home("[profile.p]\nclose-grace = \"soon\"\n");
    let run = wrong.run("check a --profile p");
    run.failed(2, "config.toml`, line 2: `close-grace` cannot be used");
    assert!(run.err.contains("soon"), "{}", run.err);
    // Nobody asked for the profile.
    assert_eq!(wrong.run("watch --print-config").code, 0);
}

#[test]
fn what_excludes_a_key_takes_its_place() {
    let home = home("[profile.p]\npassword-file = \"secret\"\nusername = \"u\"\n");
    let words = ["check", "a", "--profile", "p", "--password-stdin", "--store", "memory"];
    let words = [&words[..], &["--print-config", "--json"]].concat();
    let found = config(&home.run_with(&words, "", &[]));
    told(&found, "password-file", "", "default");
    told(&found, "password-stdin", "true", "flag");
    told(&found, "username", "u", "profile p:3");
}

#[test]
fn mistakes_have_their_line_and_what_was_probably_meant() {
    for (text, line, what, next) in [
        ("[profile.p]\nborker = 1\n", 2, "no `borker`", "`broker`"),
        ("[profile.p]\n\nstore = \"x\"\nstore = \"y\"\n", 4, "no TOML", "mend the line"),
        ("[profile.p]\nclean = \"yes\"\n", 2, "`clean` cannot", "write `true` or `false`"),
        ("[profile.p]\nstore = [\"a\"]\n", 2, "`store` cannot", "write one text"),
        ("[profile.p]\nclient = true\n", 2, "`client` cannot", "list of texts"),
        ("[profile.p]\npassword = \"hunter2\"\n", 2, "no `password`", "password-file"),
        ("[profile.p]\nbroker = \"mqtt://u:hunter2@h\"\n", 2, "`broker` cannot", "password-file"),
        ("[profile.p]\nprofile = \"q\"\n", 2, "no `profile`", "take it out, and type it"),
        ("[profile.p]\nca = \"a\"\ncafile = \"b\"\n", 3, "twice", "one of them"),
        ("store = \"x\"\n[profile.p]\n", 1, "no `store`", "below a line"),
        ("[profile.p]\n\"\x1b\" = 1\n", 2, "", "mend the line"),
    ] {
        let run = home(text).run("watch --profile p");
        run.failed(2, what);
        assert!(run.err.contains(&format!("config.toml`, line {line}: ")), "{text}: {}", run.err);
        let said = run.err.split("next:").nth(1).expect("it says what to do");
        assert!(said.contains(next), "{text}: {}", run.err);
        assert!(!run.err.contains("hunter2"), "{}", run.err);
    }
}

#[test]
fn a_missing_profile_or_file_is_named() {
    let home = home(PLANT);
    let run = home.run("watch --profile plont");
    run.failed(2, "there are `memory`, `plant`");
    assert!(run.err.contains("--profile plant"), "{}", run.err);
    let run = Home::new().run("watch --profile plant");
    run.failed(4, "config/presence/config.toml");
    let words = ["watch", "--profile", "plant"];
    let run = home.run_with(&words, "", &[("PRESENCE_CONFIG", "other.toml")]);
    run.failed(4, "`other.toml`");
}

#[test]
fn secrets_are_not_printed() {
    let home = home("[profile.p]\npassword-file = \"secret\"\n");
    let line = "watch --print-config --profile p -b mqtt://user:hunter2@h:1";
    let words: Vec<&str> = line.split(' ').collect();
    for json in [&[][..], &["--json"]] {
        let words = [&words[..], json].concat();
        let run = home.run_with(&words, "", &[("PRESENCE_PASSWORD", "hunter2")]);
        assert!(!format!("{run:?}").contains("hunter2"), "{}", run.out);
        assert!(run.out.contains("(redacted)") && run.out.contains("@h:1"), "{}", run.out);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_everybody_can_change_is_warned_of_and_none_is_ever_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home(PLANT);
    let listed = || {
        let folder = std::fs::read_dir(home.path()).expect("it is ours");
        let mut names: Vec<_> = folder.map(|entry| entry.expect("ours").file_name()).collect();
        names.sort();
        let file = std::fs::metadata(home.path().join(FILE)).expect("it is there");
        (names, file.modified().expect("it has a time"), file.len())
    };
    let before = listed();
    let quiet = home.run("watch --profile plant --print-config");
    assert_eq!((quiet.code, &*quiet.err), (0, ""), "{quiet:?}");
    assert!(quiet.out.starts_with("OPTION "), "{}", quiet.out);
    assert_eq!(listed(), before);
    let mode = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(home.path().join(FILE), mode).expect("it is ours");
    let run = home.run("watch --profile plant --print-config");
    assert!(run.err.starts_with("warning: everybody on this machine can change"), "{}", run.err);
    assert_eq!((run.code, run.out), (0, quiet.out));
}

#[test]
fn help_and_mistakes_of_the_command_line_stay_what_they_were() {
    let home = home("this is no TOML\n");
    let environment = [("PRESENCE_PROFILE", "p")];
    for (words, code) in [
        (&["--help"][..], 0),
        (&["watch", "-h"], 0),
        (&["--version"], 0),
        (&["completions", "bash"], 0),
        (&[], 2),
        (&["nonsense"], 2),
    ] {
        assert_eq!(home.run_with(words, "", &environment).code, code, "{words:?}");
        assert_eq!(home.run_with(words, "", &[]).code, code, "{words:?}");
    }
}
