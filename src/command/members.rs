//! The members of shared groups, and the queues of topics, as a store knows them.

use crate::event::Timestamp;
use crate::failure::Failure;
use crate::output::sanitize::sanitize;
use crate::output::table::{Cell, Table};
use crate::output::time::rfc3339;
use crate::state::coverage::{Coverage, Member, QUEUES};
use serde::Serialize;
use std::collections::BTreeSet;

/// One member of a group, for one voice.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct MemberObject {
    pub group: String,
    pub member: String,
    pub voice: String,
    pub state: State,
    pub heard_ms: Option<i64>,
}

/// Whether a member does its part.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Listening,
    /// It waits for a sign of the others that nothing went unheard before it came.
    Joining,
    /// It is missed: what it holds is not heard by the others.
    Silent,
    /// It handed over what it held, or was removed.
    Left,
}

impl State {
    fn of(member: &Member, now: Timestamp) -> Self {
        if member.left {
            Self::Left
        } else if !member.listens(now) {
            Self::Silent
        } else if member.is_established() {
            Self::Listening
        } else {
            Self::Joining
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Joining => "joining",
            Self::Silent => "silent",
            Self::Left => "left",
        }
    }
}

/// Returns the members of all groups of one broker, sorted by voice, group and name.
pub fn of(coverage: &Coverage, now: Timestamp) -> Vec<MemberObject> {
    let mut all = Vec::new();
    for (key, source) in coverage.sources() {
        let group = key.ear.strip_prefix(super::watcher::EAR);
        let Some(group) = group.or((key.ear == QUEUES).then_some(QUEUES)) else { continue };
        for (name, member) in &source.members {
            all.push(MemberObject {
                group: group.to_owned(),
                member: name.clone(),
                voice: key.voice.clone(),
                state: State::of(member, now),
                heard_ms: (member.epoch > 0 && !member.is_unread()).then_some(member.heard.0),
            });
        }
    }
    all
}

/// Returns the table of members; each comes with its broker.
pub fn table(members: &[(String, MemberObject)]) -> Table {
    let mut table = Table::new(&["broker", "group", "member", "hears", "state", "last heard"]);
    for (instance, member) in members {
        let heard = member.heard_ms.map_or("–".to_owned(), |ms| rfc3339(Timestamp(ms)));
        table.row([
            Cell::text(instance),
            Cell::text(&member.group),
            Cell::text(&member.member),
            Cell::text(&member.voice),
            Cell::text(member.state.word()),
            Cell::text(&heard),
        ]);
    }
    table
}

/// Returns the names of the queues of a topic.
pub fn queues(coverage: &Coverage) -> BTreeSet<&str> {
    let of_queues = coverage.sources().filter(|(key, _)| key.ear == QUEUES);
    of_queues.flat_map(|(_, source)| source.members.keys().map(String::as_str)).collect()
}

/// Fails if somebody reads a queue.
pub fn check_unread(coverage: &Coverage, queue: &str, now: Timestamp) -> Result<(), Failure> {
    let Some(member) = at_work(coverage, queue, now) else { return Ok(()) };
    Err(Failure::new(format!("could not forget how far `{}` was read", sanitize(queue, 100)))
        .because(format!("a watcher reads it: it was at its end at {}", rfc3339(member.heard)))
        .next("stop all watchers of this source first"))
}

/// Fails if a member is still at work.
pub fn check_gone(coverage: &Coverage, name: &str, now: Timestamp) -> Result<(), Failure> {
    let Some(member) = at_work(coverage, name, now) else { return Ok(()) };
    Err(Failure::new(format!("could not remove the member `{}`", sanitize(name, 100)))
        .because(format!("it listens: it was heard of at {}", rfc3339(member.heard)))
        .next("stop it: then it hands over what it holds and leaves by itself"))
}

/// Returns the account of a listener that is at work, by its last word.
fn at_work<'a>(coverage: &'a Coverage, name: &str, now: Timestamp) -> Option<&'a Member> {
    let accounts = coverage.sources().filter_map(|(_, source)| source.members.get(name));
    accounts.filter(|member| !member.left && member.listens(now)).max_by_key(|m| m.heard)
}
