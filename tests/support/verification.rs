//! What `presence simulate --verify` says at a real broker.
//!
//! A busy machine makes any report late: that is no word about the broker, and no test may depend on it.
//! So `late` counts as `reported` here, unless it is so late that no load explains it. What is early,
//! missed, unwanted or wrong is so on every machine.

use super::process::{DEADLINE, Ended, Presence};
use serde_json::Value;
use std::collections::BTreeMap;

/// By how much a busy machine may make half of the reports of a kind late, in µs. A window that is
/// wrong by a keep alive or more is found all the same.
const BUSY_MAX_US: u64 = 20_000_000;

/// Starts a verification at a broker.
pub fn verify(url: &str, line: &str) -> Presence {
    // The process may be held up as long as it likes: only what the broker does is looked at.
    let words = ["simulate", "--verify", "--json", "--lag-max", "1h", "-b", url];
    Presence::start(words.into_iter().chain(line.split_whitespace()))
}

/// What a verification that has ended has said.
pub struct Told {
    pub ended: Ended,
    lines: Vec<Value>,
}

impl Told {
    /// Waits for the end of a verification, whose lines have to be as the schemas say.
    #[track_caller]
    pub fn by(mut run: Presence) -> Self {
        let ended = run.ended(DEADLINE * 3);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        let lines: Vec<Value> =
            ended.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
        assert!(lines.len() > 2, "there is no report: {}", ended.err);
        let verification = schema(include_str!("../../schemas/verification.schema.json"));
        for line in &lines[1..lines.len() - 1] {
            assert!(verification.is_valid(line), "{line}");
        }
        let summary = schema(include_str!("../../schemas/verification-summary.schema.json"));
        assert!(summary.is_valid(&lines[lines.len() - 1]), "{}", ended.out);
        Self { ended, lines }
    }

    pub fn summary(&self) -> &Value {
        self.lines.last().expect("it was looked at")
    }

    /// Returns the lines of a type.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["type"] == kind)
    }

    /// Returns how often something was done, or was to be done.
    pub fn acts(&self, field: &str) -> BTreeMap<&str, u64> {
        self.of("act").map(|line| (text(line, "act"), number(line, field))).collect()
    }

    /// Returns what a voice made of each act, as `fin reported 20`.
    pub fn outcomes(&self, voice: &str) -> Vec<String> {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for line in self.of("outcome").filter(|line| line["voice"] == voice) {
            let outcome = match text(line, "outcome") {
                "late" => {
                    self.is_not_far_too_late(line);
                    "reported"
                }
                outcome => outcome,
            };
            *counts.entry((text(line, "act"), outcome)).or_default() += number(line, "count");
        }
        counts.iter().map(|((act, outcome), count)| format!("{act} {outcome} {count}")).collect()
    }

    /// Returns the line of a type that there is once.
    #[track_caller]
    pub fn only<'a>(&'a self, kind: &'a str) -> &'a Value {
        let mut lines = self.of(kind);
        let first = lines.next().unwrap_or_else(|| panic!("no `{kind}`: {}", self.ended.err));
        assert!(lines.next().is_none(), "more than one `{kind}`");
        first
    }

    /// Returns the ways in which devices died.
    pub fn deaths(&self) -> impl Iterator<Item = &str> {
        self.of("act").map(|line| text(line, "act")).filter(|act| *act != "connect")
    }

    /// Returns how often something was done.
    pub fn done(&self, act: &str) -> u64 {
        self.acts("done").get(act).copied().unwrap_or(0)
    }

    /// Returns how many deeds a voice told exactly so; of every act, if none is named.
    pub fn count(&self, voice: &str, act: Option<&str>, outcome: &str) -> u64 {
        let is_it = |line: &&Value| {
            line["voice"] == voice
                && line["outcome"] == outcome
                && act.is_none_or(|act| line["act"] == act)
        };
        self.of("outcome").filter(is_it).map(|line| number(line, "count")).sum()
    }

    /// Returns a sum over what a voice told.
    pub fn sum(&self, kind: &str, voice: &str, field: &str) -> u64 {
        self.of(kind).filter(|line| line["voice"] == voice).map(|line| number(line, field)).sum()
    }

    /// Returns the window of an act, in ms.
    #[track_caller]
    pub fn window(&self, voice: &str, act: &str) -> (u64, u64) {
        let mut told = self.of("told");
        let row = told.find(|line| line["voice"] == voice && line["act"] == act);
        let window = &row.unwrap_or_else(|| panic!("`{act}` is not told of"))["window_ms"];
        (window[0].as_u64().expect("a number"), window[1].as_u64().expect("a number"))
    }

    /// Asserts how the run ended. Where nothing else is to be answered for, reports that a busy machine
    /// made late are.
    #[track_caller]
    pub fn ended_with(&self, code: i32, faults: u64) {
        let late: u64 = self
            .of("outcome")
            .filter(|line| line["outcome"] == "late")
            .map(|line| number(line, "count"))
            .sum();
        let code = if code == 0 && late > 0 { 1 } else { code };
        assert_eq!(self.ended.code, Some(code), "{}{}", self.ended.err, self.shown());
        assert_eq!(self.summary()["faults"], faults + late, "{}", self.shown());
        assert_eq!(self.summary()["trusted"], true, "{}", self.summary());
    }

    /// Returns what it has said, without the long lines, for whoever reads of a failure.
    pub fn shown(&self) -> String {
        let is_short = |line: &&Value| line["type"] != "timeline" && line["type"] != "told";
        let lines = self.lines.iter().filter(is_short).map(Value::to_string);
        lines.collect::<Vec<_>>().join("\n")
    }

    fn is_not_far_too_late(&self, late: &Value) {
        let is_its = |line: &&Value| {
            ["voice", "act", "window_ms"].iter().all(|field| line[*field] == late[*field])
        };
        let row = self.of("told").find(is_its).expect("what was counted has a row");
        let (median_us, latest_ms) = (&row["delay"]["p50_us"], &row["window_ms"][1]);
        let median_us = median_us.as_u64().expect("one was late");
        let latest_ms = latest_ms.as_u64().expect("what is late has a window");
        assert!(median_us <= latest_ms * 1_000 + BUSY_MAX_US, "{row}");
    }
}

fn schema(text: &str) -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(text).expect("it is JSON")).expect("a schema")
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_else(|| panic!("no `{field}`: {line}"))
}

fn number(line: &Value, field: &str) -> u64 {
    line[field].as_u64().unwrap_or_else(|| panic!("no `{field}`: {line}"))
}
