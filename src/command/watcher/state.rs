//! Where a watcher stands, between one thing heard and the next.

use super::recognised::Recognised;
use super::{Arrival, Taken};
use crate::clock;
use crate::command::hear::Tally;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::metrics::Figures;
use crate::source::mqtt::{AckToken, Publish};
use crate::source::origin::Position;
use crate::source::webhook::Refused;
use crate::state::coverage::Hole;
use crate::state::diagnosis::Lags;
use crate::state::hearing::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where a watcher stands.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of their own, not states of one thing")]
pub struct State {
    pub(super) tally: Tally,
    pub(super) recognised: Recognised,
    pub(super) acks: Vec<AckToken>,
    /// What came before the subscriptions were answered.
    pub(super) early: Vec<(Publish, Arrival)>,
    /// Retained messages that came before it was decided whether anything was lost.
    pub(super) held: Vec<(Publish, Arrival)>,
    /// Since when, and how often, nothing could be made durable.
    pub(super) stuck: Option<Moment>,
    pub(super) last_commit: Instant,
    pub(super) last_forget: Instant,
    pub(super) last_look: Instant,
    pub(super) begun: Instant,
    pub(super) connected: bool,
    pub(super) ever_connected: bool,
    pub(super) known_told: bool,
    pub(super) epochs: u64,
    /// The latest hole that the user knows of.
    pub(super) hole: Option<Hole>,
    /// The store does not know yet who is listening now.
    pub(super) owed: bool,
    /// The last packet, by [`clock::uptime`].
    pub(super) last_heard: Duration,
    pub(super) deaf: bool,
    /// The member of our group that the user knows to be missed, and since when.
    pub(super) missing: Option<(String, Option<Timestamp>)>,
    /// Since when the broker may have taken a shared subscription for a plain one.
    pub(super) may_be_literal: Option<Instant>,
    /// Why watching this broker makes no sense.
    pub(super) hopeless: Option<Failure>,
    /// The user knows that somebody else uses our client id.
    pub(super) rival_told: bool,
    /// The user knows that what others stored cannot be read.
    pub(super) others_unread: bool,
    /// Queues whose position is not to be stored yet.
    pub(super) withheld: BTreeSet<Arc<str>>,
    /// All that was to be heard was heard.
    pub(super) is_over: bool,
    /// How many queues are read here.
    pub(super) ours: Option<usize>,
    /// Others take over what we read when we stop.
    pub(super) are_there_others: bool,
    /// What was not taken in, as far as the user knows, and since when they know.
    pub(super) refused: Refused,
    pub(super) refused_at: Option<Instant>,
    /// How far each queue was read, where queues are read.
    pub(super) queues: BTreeMap<Arc<str>, Position>,
    /// Messages of queues that are to be told one by one.
    pub(super) taken: Vec<Taken>,
    pub(super) lags: Lags,
    pub(super) figures: Figures,
}

impl Default for State {
    fn default() -> Self {
        let now = clock::monotonic();
        Self {
            tally: Tally::default(),
            recognised: Recognised::default(),
            acks: Vec::new(),
            early: Vec::new(),
            held: Vec::new(),
            stuck: None,
            last_commit: now,
            last_forget: now,
            last_look: now,
            begun: now,
            connected: false,
            ever_connected: false,
            known_told: false,
            epochs: 0,
            hole: None,
            owed: false,
            last_heard: clock::uptime(),
            deaf: false,
            missing: None,
            may_be_literal: None,
            hopeless: None,
            rival_told: false,
            others_unread: false,
            withheld: BTreeSet::new(),
            is_over: false,
            ours: None,
            are_there_others: false,
            refused: Refused::default(),
            refused_at: None,
            queues: BTreeMap::new(),
            taken: Vec::new(),
            lags: Lags::default(),
            figures: Figures::default(),
        }
    }
}
