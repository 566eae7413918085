//! What a verification printed, and what is in it.

use crate::support::process::{DEADLINE, Presence};
use serde_json::Value;

pub struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    lines: Vec<Value>,
}

impl Told {
    /// Waits for the end of a run.
    #[track_caller]
    pub fn of(mut run: Presence) -> Self {
        let ended = run.ended(DEADLINE * 2);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        let lines = ended.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON"));
        Self { code: ended.code, lines: lines.collect(), out: ended.out, err: ended.err }
    }

    /// Returns the lines of a type.
    pub fn each<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["type"] == kind)
    }

    /// Returns the line of a type that there is once.
    #[track_caller]
    pub fn only<'a>(&'a self, kind: &'a str) -> &'a Value {
        let mut lines = self.each(kind);
        let first = lines.next().unwrap_or_else(|| panic!("no `{kind}`: {}", self.err));
        assert!(lines.next().is_none(), "more than one `{kind}`");
        first
    }

    #[track_caller]
    pub fn summary(&self) -> &Value {
        assert_eq!(self.lines.last().map(|line| &line["type"]), Some(&"summary".into()));
        self.only("summary")
    }

    /// Returns the ways in which devices died.
    pub fn deaths(&self) -> impl Iterator<Item = &str> {
        self.each("act").filter_map(|act| act["act"].as_str()).filter(|act| *act != "connect")
    }

    /// Returns how often something was done.
    pub fn done(&self, act: &str) -> u64 {
        let is_it = |line: &&Value| line["act"] == act;
        self.each("act").find(is_it).and_then(|line| line["done"].as_u64()).unwrap_or(0)
    }

    /// Returns how many deeds a voice told so.
    pub fn count(&self, voice: &str, act: &str, outcome: &str) -> u64 {
        let is_it = |line: &&Value| {
            line["voice"] == voice && line["act"] == act && line["outcome"] == outcome
        };
        self.each("outcome").filter(is_it).filter_map(|line| line["count"].as_u64()).sum()
    }

    /// Returns how many deeds a voice told so, whatever they were.
    pub fn all(&self, voice: &str, outcome: &str) -> u64 {
        let is_it = |line: &&Value| line["voice"] == voice && line["outcome"] == outcome;
        self.each("outcome").filter(is_it).filter_map(|line| line["count"].as_u64()).sum()
    }

    /// Returns a sum over what a voice told.
    pub fn sum(&self, kind: &str, voice: &str, field: &str) -> u64 {
        let of_voice = self.each(kind).filter(|line| line["voice"] == voice);
        of_voice.filter_map(|line| line[field].as_u64()).sum()
    }

    /// Returns what is wrong, for messages.
    pub fn faults(&self) -> String {
        self.each("fault").map(Value::to_string).collect::<Vec<_>>().join("\n")
    }
}
