//! `presence simulate merge` from beginning to end.

use super::joining::split;
use super::sample::{clean, printed, run};
use super::support::process::{DEADLINE, Presence};
use presence::output::style::Style;
use presence::output::verification::{Verified, text};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn shards_are_told_of_as_one_run() {
    let place = Place::new();
    let names = place.write_shards(&run(), 3);
    let ended = place.run(&format!("simulate merge --json {names}"));
    assert_eq!((ended.code, &*ended.err), (1, ""));
    assert_eq!(ended.out, printed(&run()));
    let ended = place.run(&format!("simulate merge {names} --report run.html"));
    assert_eq!((ended.code, &*ended.err), (1, ""));
    assert_eq!(ended.out, text(&run(), Style::PLAIN, Some(100)));
    assert_eq!(place.read("run.html"), presence::output::html::verification(&run()));
}

#[test]
fn the_exit_code_says_what_came_of_it() {
    let place = Place::new();
    let mut slow = clean();
    slow.context.distrust = vec!["timers were late".into()];
    for (name, verified, code) in [("clean", clean(), 0), ("run", run(), 1), ("slow", slow, 6)] {
        let names = place.write_shards(&verified, 2);
        let ended = place.run(&format!("simulate merge {names}"));
        assert_eq!((ended.code, &*ended.err), (code, ""), "{name}");
    }
}

#[test]
fn a_run_is_compared_with_an_earlier_one() {
    let place = Place::new();
    place.write("base.json", &printed(&clean()));
    let mut later = clean();
    let of_connects = later.findings.voices.get_mut("lmq").expect("it speaks");
    of_connects.strays = 1;
    later.context.keep_alive = 60;
    let names = place.write_shards(&later, 2);
    let ended = place.run(&format!("simulate merge {names} --compare base.json"));
    assert_eq!(ended.code, 1, "it is verified, but worse: {}", ended.out);
    assert!(ended.out.contains("\n1 thing became worse\n"), "{}", ended.out);
    let ended = place.run(&format!("simulate merge {names} --json --compare base.json"));
    assert_eq!(ended.code, 1);
    let caveat = "warning: the keep alive in s was `5`, and is `60`\n";
    assert_eq!(ended.err, caveat);
    let lines: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    assert_eq!(lines[0]["type"], "comparison");
    assert_eq!(lines.last().expect("there are lines")["type"], "summary");
    assert_valid(&lines);
    // What was printed beside a comparison is a report all the same.
    place.write("again.json", &ended.out);
    let ended = place.run(&format!("simulate merge {names} --compare again.json"));
    assert_eq!((ended.code, &*ended.err), (0, ""), "{}", ended.out);
    assert!(ended.out.starts_with("TOLD BY"), "{}", ended.out);
}

#[test]
fn a_part_of_a_run_is_told_of_with_a_warning() {
    let place = Place::new();
    let names = place.write_shards(&clean(), 3);
    let (first, _) = names.split_once(' ').expect("there are three");
    let ended = place.run(&format!("simulate merge {first}"));
    assert_eq!(
        ended.err,
        "warning: 2 of 3 shards are missing: 2, 3\n  next:  join them as well: what is shown is true of a part only\n"
    );
}

#[test]
fn what_cannot_be_joined_ends_with_what_why_and_what_next() {
    let place = Place::new();
    let names = place.write_shards(&run(), 2);
    let (first, _) = names.split_once(' ').expect("there are two");
    place.write("whole.json", &printed(&run()));
    place.write("torn.json", &printed(&run())[..300]);
    place.write("empty.json", "");
    place.write("long.json", &"x".repeat(9 * 1024 * 1024));
    for (line, code, what) in [
        ("none.json".to_owned(), 4, "could not read `none.json`"),
        (".".to_owned(), 4, "could not read `.`"),
        ("whole.json".to_owned(), 2, "`whole.json` is no part of a run"),
        (format!("{first} {first}"), 2, "shard 1 is there twice"),
        ("torn.json".to_owned(), 2, "torn.json, line 4: no line of a report"),
        ("empty.json".to_owned(), 2, "there is no `summary`"),
        ("long.json".to_owned(), 2, "long.json, line 1: no line of a report"),
        (format!("{names} --compare torn.json"), 2, "torn.json, line 4"),
        (format!("{names} --report none/run.html"), 4, "could not write the report"),
        (format!("{names} --report ."), 4, "it is no regular file"),
    ] {
        let ended = place.run(&format!("simulate merge {line}"));
        assert_eq!((ended.code, &*ended.out), (code, ""), "{line}: {}", ended.err);
        assert!(ended.err.contains(what), "{line}: {}", ended.err);
        assert!(ended.err.contains("\n  cause: ") && ended.err.contains("\n  next:  "), "{line}");
    }
}

#[test]
fn every_line_is_as_its_schema_says() {
    for verified in [run(), clean(), Verified::default()] {
        let printed = printed(&verified);
        let lines: Vec<Value> =
            printed.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        assert_valid(&lines);
    }
    let schema = schema("verification");
    let printed = printed(&run());
    for (from, to) in [
        (r#""outcome":"early""#, r#""outcome":"soon""#),
        (r#""act":"fin""#, r#""act":7"#),
        (r#""names":"address""#, r#""names":"guess""#),
        (r#""window_ms":[7000,8500]"#, r#""window_ms":[7000]"#),
        (r#""planned":200"#, r#""planned":-1"#),
        (r#""type":"state""#, r#""type":"weather""#),
        (r#""digits":3,"#, ""),
        (r#""alive":0,"#, ""),
    ] {
        let line = printed.lines().find(|line| line.contains(from)).expect(from);
        let broken = serde_json::from_str(&line.replacen(from, to, 1)).expect("it is JSON");
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

/// Checks lines of a verification, the last of which is the summary.
#[track_caller]
fn assert_valid(lines: &[Value]) {
    let (summary, rest) = lines.split_last().expect("there are lines");
    for (schema, lines) in [
        (schema("verification"), rest),
        (schema("verification-summary"), std::slice::from_ref(summary)),
        (schema("summary"), std::slice::from_ref(summary)),
    ] {
        for line in lines {
            let wrong: Vec<String> =
                schema.iter_errors(line).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{line}\n{}", wrong.join("\n"));
        }
    }
}

fn schema(name: &str) -> jsonschema::Validator {
    let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the schema is there");
    let schema: Value = serde_json::from_str(&text).expect("it is JSON");
    jsonschema::draft202012::meta::validate(&schema)
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A folder in which reports lie.
struct Place {
    folder: TempDir,
}

struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder can be made") }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("it can be written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect("it is there")
    }

    /// Returns the names of the reports of shards, separated by spaces.
    fn write_shards(&self, whole: &Verified, of: u32) -> String {
        let names: Vec<String> = (1..)
            .zip(split(whole, of, 9))
            .map(|(at, shard)| {
                let name = format!("{at}.json");
                self.write(&name, &printed(&shard));
                name
            })
            .collect();
        names.join(" ")
    }

    fn run(&self, line: &str) -> Run {
        let mut run = Presence::start_in(self.folder.path(), line.split_whitespace(), &[]);
        let ended = run.ended(DEADLINE);
        assert!(!ended.err.contains("panicked"), "{line}: {}", ended.err);
        Run { code: ended.code.expect("no signal ended it"), out: ended.out, err: ended.err }
    }
}
