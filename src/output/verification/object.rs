//! The lines of a verification, as they are printed and read.

use crate::output::object::Summary;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One line.
#[derive(Serialize, Clone, Debug)]
#[serde(untagged)]
pub enum Line<'a> {
    Act(ActObject<'a>),
    Told(ToldObject<'a>),
    Outcome(OutcomeObject<'a>),
    Voice(VoiceObject<'a>),
    State(StateObject<'a>),
    Fault(FaultObject<'a>),
    Timeline(TimelineObject<'a>),
    Summary(Box<SummaryObject<'a>>),
}

/// What a line is about.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Act,
    Told,
    Outcome,
    Voice,
    State,
    Fault,
    Timeline,
    Summary,
    /// Of another command, or of a later release.
    #[serde(other)]
    Other,
}

/// How often something was planned, and done.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ActObject<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub instance: Cow<'a, str>,
    pub act: Cow<'a, str>,
    pub planned: u64,
    pub done: u64,
}

/// How one voice told of one act.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ToldObject<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub instance: Cow<'a, str>,
    pub voice: Cow<'a, str>,
    pub act: Cow<'a, str>,
    pub window_ms: Option<[u64; 2]>,
    /// The sum of the outcomes.
    pub done: u64,
    pub duplicates: u64,
    pub delay: DelayObject,
}

/// How late reports came, in µs.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct DelayObject {
    pub count: u64,
    pub p50_us: Option<u64>,
    pub p90_us: Option<u64>,
    pub p99_us: Option<u64>,
    pub max_us: Option<u64>,
    /// Significant digits of the buckets.
    pub digits: u8,
    /// The lowest value of each bucket, and how many are in it.
    pub histogram: Vec<(u64, u64)>,
}

/// How often one voice told of one act in one way.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct OutcomeObject<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub instance: Cow<'a, str>,
    pub voice: Cow<'a, str>,
    pub act: Cow<'a, str>,
    pub window_ms: Option<[u64; 2]>,
    pub outcome: Cow<'a, str>,
    pub count: u64,
}

/// What one voice said in all.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct VoiceObject<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub instance: Cow<'a, str>,
    pub voice: Cow<'a, str>,
    pub reports: u64,
    pub false_offline: u64,
    pub strays: u64,
    pub names: Cow<'a, str>,
}

/// How what was believed at the end compares with the truth.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct StateObject<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub instance: Cow<'a, str>,
    pub right: u64,
    pub wrong: u64,
    pub unknown: u64,
    pub not_observable: u64,
}

/// One thing that somebody has to answer for.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct FaultObject<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub instance: Cow<'a, str>,
    pub at_us: u64,
    pub client: Cow<'a, str>,
    pub device: u32,
    pub connection: u32,
    pub voice: Cow<'a, str>,
    /// An outcome, `duplicate`, `false-offline`, `stray` or `state`.
    pub what: Cow<'a, str>,
    /// Of an outcome and a duplicate.
    pub act: Option<Cow<'a, str>>,
    /// Of a state: the truth.
    pub alive: Option<bool>,
    pub delay_us: Option<i64>,
}

/// How many devices were connected at one moment.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct TimelineObject<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub instance: Cow<'a, str>,
    pub at_ms: u64,
    pub alive: u64,
    pub online: Option<u64>,
}

/// What the run amounts to: the summary of every command, and more.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct SummaryObject<'a> {
    /// Has the `type`.
    #[serde(flatten)]
    pub heard: Summary,
    pub verified: bool,
    pub trusted: bool,
    pub distrust: Cow<'a, [String]>,
    pub faults: u64,
    pub instance: Cow<'a, str>,
    pub broker: Option<Cow<'a, str>>,
    pub run: Cow<'a, str>,
    pub seed: u64,
    pub scenario: Option<Cow<'a, str>>,
    pub options: Cow<'a, [String]>,
    pub begun_ms: i64,
    pub duration_ms: u64,
    pub devices: u64,
    pub keep_alive: u16,
    pub mqtt: Cow<'a, str>,
    pub presence: Cow<'a, str>,
    pub window: Cow<'a, str>,
    pub shards: Option<ShardsObject<'a>>,
    pub interrupted: bool,
    pub broker_died: bool,
}

/// Which parts of a run a report is about.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ShardsObject<'a> {
    pub of: u32,
    pub present: Cow<'a, [u32]>,
}
