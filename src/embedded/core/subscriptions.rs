//! Who wants which topics: a tree of the levels of filters.
//!
//! A topic is walked down level by level, so that a message finds its few takers among any number of
//! subscriptions.

use super::SessionKey;
use super::topic::Filter;
use crate::wire::Qos;
use foldhash::{HashMap, HashMapExt as _};
use smallvec::SmallVec;
use std::cell::Cell;
use std::collections::BTreeMap;

/// How one subscription wants its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub qos: Qos,
    pub no_local: bool,
    pub retain_as_published: bool,
    /// The client's own name for the subscription; version 5.
    pub id: Option<u32>,
}

/// Who gets one copy of a message, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    pub session: SessionKey,
    pub qos: Qos,
    pub retain_as_published: bool,
    /// The names of all subscriptions that brought the message.
    pub ids: SmallVec<[u32; 1]>,
}

/// All subscriptions of all sessions.
#[derive(Debug, Default)]
pub struct Subscriptions {
    root: Node,
}

#[derive(Debug)]
struct Node {
    /// By level; `+` and `#` are levels like others, since no topic has them.
    children: HashMap<Box<str>, Self>,
    /// Whose filters end here.
    plain: BTreeMap<SessionKey, Wish>,
    shared: BTreeMap<Box<str>, Group>,
}

/// The sessions that share one filter. Each message goes to one of them, in turn.
#[derive(Debug, Default)]
struct Group {
    members: BTreeMap<SessionKey, Wish>,
    last: Cell<Option<SessionKey>>,
}

impl Default for Node {
    fn default() -> Self {
        Self { children: HashMap::new(), plain: BTreeMap::new(), shared: BTreeMap::new() }
    }
}

impl Subscriptions {
    /// Adds or changes a subscription. Returns whether it is new.
    pub fn insert(&mut self, filter: Filter<'_>, session: SessionKey, wish: Wish) -> bool {
        let mut node = &mut self.root;
        for level in filter.filter.split('/') {
            if !node.children.contains_key(level) {
                node.children.insert(level.into(), Node::default());
            }
            node = node.children.get_mut(level).expect("it was put there if it was missing");
        }
        let members = match filter.group {
            Some(group) => &mut node.shared.entry(group.into()).or_default().members,
            None => &mut node.plain,
        };
        members.insert(session, wish).is_none()
    }

    /// Removes a subscription. Returns whether there was one.
    pub fn remove(&mut self, filter: Filter<'_>, session: SessionKey) -> bool {
        self.root.remove(Some(filter.filter), filter.group, session)
    }

    /// Returns who gets a message with this topic, `from` this session. A shared subscription goes to
    /// a member that is connected, where there is one.
    pub fn takers(
        &self,
        topic: &str,
        from: Option<SessionKey>,
        is_connected: impl Fn(SessionKey) -> bool,
    ) -> Vec<Taker> {
        let mut found = Vec::new();
        // MQTT 5.0 §4.7.2: what begins with a wildcard stays out of the broker's own topics.
        self.root.walk(Some(topic), !topic.starts_with('$'), &mut found);
        let mut takers: Vec<Taker> = Vec::new();
        for node in &found {
            for (session, wish) in &node.plain {
                if !(wish.no_local && from == Some(*session)) {
                    takers.push(Taker::new(*session, *wish));
                }
            }
        }
        // A client whose filters overlap gets one copy, with the highest QoS of them (§3.3.4).
        if found.len() > 1 {
            takers.sort_by_key(|taker| taker.session);
            takers.dedup_by(|second, first| first.join(second));
        }
        for group in found.iter().flat_map(|node| node.shared.values()) {
            takers.extend(group.next(&is_connected));
        }
        takers
    }
}

impl Taker {
    fn new(session: SessionKey, wish: Wish) -> Self {
        let Wish { qos, retain_as_published, id, .. } = wish;
        Self { session, qos, retain_as_published, ids: id.into_iter().collect() }
    }

    /// Takes the wishes of another subscription of the same session in; tells whether it was one.
    fn join(&mut self, other: &Self) -> bool {
        if self.session != other.session {
            return false;
        }
        self.qos = self.qos.max(other.qos);
        self.retain_as_published |= other.retain_as_published;
        self.ids.extend_from_slice(&other.ids);
        true
    }
}

impl Node {
    fn walk<'a>(&'a self, rest: Option<&str>, wildcards: bool, found: &mut Vec<&'a Self>) {
        if wildcards && let Some(all) = self.children.get("#") {
            found.push(all);
        }
        let Some(rest) = rest else {
            found.push(self);
            return;
        };
        let (level, rest) = split(rest);
        if let Some(child) = self.children.get(level) {
            child.walk(rest, true, found);
        }
        if wildcards && let Some(any) = self.children.get("+") {
            any.walk(rest, true, found);
        }
    }

    fn remove(&mut self, rest: Option<&str>, group: Option<&str>, session: SessionKey) -> bool {
        if let Some(rest) = rest {
            let (level, rest) = split(rest);
            let Some(child) = self.children.get_mut(level) else { return false };
            let removed = child.remove(rest, group, session);
            if child.is_empty() {
                self.children.remove(level);
            }
            return removed;
        }
        let Some(name) = group else { return self.plain.remove(&session).is_some() };
        let Some(group) = self.shared.get_mut(name) else { return false };
        let removed = group.members.remove(&session).is_some();
        if group.members.is_empty() {
            self.shared.remove(name);
        }
        removed
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.plain.is_empty() && self.shared.is_empty()
    }
}

impl Group {
    fn next(&self, is_connected: impl Fn(SessionKey) -> bool) -> Option<Taker> {
        let last = self.last.get();
        let after = self.members.iter().filter(|(session, _)| Some(**session) > last);
        let until = self.members.iter().filter(|(session, _)| Some(**session) <= last);
        let mut turn = after.chain(until);
        let first = turn.clone().next();
        let (session, wish) = turn.find(|(session, _)| is_connected(**session)).or(first)?;
        self.last.set(Some(*session));
        Some(Taker::new(*session, *wish))
    }
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::topic::matches;

    fn wish(qos: Qos) -> Wish {
        Wish { qos, ..Wish::default() }
    }

    fn filter(text: &str) -> Filter<'_> {
        Filter::read(text).expect("it is a filter")
    }

    fn sessions(takers: &[Taker]) -> Vec<u64> {
        takers.iter().map(|taker| taker.session.0).collect()
    }

    #[test]
    fn the_tree_finds_what_matching_one_by_one_finds() {
        let mut rng = fastrand::Rng::with_seed(7);
        let text = |rng: &mut fastrand::Rng, words: &[&str]| {
            let levels: Vec<&str> =
                (0..rng.usize(1..5)).map(|_| words[rng.usize(..words.len())]).collect();
            levels.join("/")
        };
        for seed in 0..200 {
            rng.seed(seed);
            let mut tree = Subscriptions::default();
            let mut list: Vec<(String, u64)> = Vec::new();
            for session in 0..30 {
                let candidate = text(&mut rng, &["a", "b", "", "+", "$x", "#"]);
                if let Some(filter) = Filter::read(&candidate) {
                    assert!(tree.insert(filter, SessionKey(session), wish(Qos::AtMostOnce)));
                    list.push((candidate.clone(), session));
                }
            }
            while list.len() > 10 {
                let (gone, session) = list.swap_remove(rng.usize(..list.len()));
                assert!(tree.remove(filter(&gone), SessionKey(session)), "seed {seed}: {gone}");
            }
            for _ in 0..50 {
                let topic = text(&mut rng, &["a", "b", "", "$x"]);
                if topic.is_empty() {
                    continue;
                }
                let mut expected: Vec<u64> = list
                    .iter()
                    .filter(|(filter, _)| matches(filter, &topic))
                    .map(|(_, session)| *session)
                    .collect();
                expected.sort_unstable();
                let mut found = sessions(&tree.takers(&topic, None, |_| true));
                found.sort_unstable();
                assert_eq!(found, expected, "seed {seed}: {topic}");
            }
            for (gone, session) in &list {
                assert!(tree.remove(filter(gone), SessionKey(*session)));
            }
            assert!(tree.root.is_empty(), "seed {seed}: what is gone takes no room");
        }
    }

    #[test]
    fn overlapping_filters_bring_one_copy() {
        let mut tree = Subscriptions::default();
        let mine = SessionKey(3);
        let first = Wish { qos: Qos::AtLeastOnce, id: Some(7), ..Wish::default() };
        tree.insert(filter("a/#"), mine, first);
        tree.insert(filter("a/+"), mine, Wish { qos: Qos::ExactlyOnce, id: Some(8), ..first });
        let takers = tree.takers("a/b", None, |_| true);
        assert_eq!(sessions(&takers), [3]);
        assert_eq!(takers[0].qos, Qos::ExactlyOnce);
        let mut ids = takers[0].ids.to_vec();
        ids.sort_unstable();
        assert_eq!(ids, [7, 8]);
    }

    #[test]
    fn no_local_leaves_out_only_the_publisher() {
        let mut tree = Subscriptions::default();
        let quiet = Wish { no_local: true, ..Wish::default() };
        for session in [1, 2] {
            tree.insert(filter("a"), SessionKey(session), quiet);
        }
        assert_eq!(sessions(&tree.takers("a", Some(SessionKey(1)), |_| true)), [2]);
        assert_eq!(sessions(&tree.takers("a", None, |_| true)), [1, 2]);
    }

    #[test]
    fn a_group_takes_turns_among_those_who_are_there() {
        let mut tree = Subscriptions::default();
        for session in 1..=3 {
            tree.insert(filter("$share/g/a"), SessionKey(session), Wish::default());
        }
        let next =
            |there: &[u64]| sessions(&tree.takers("a", None, |session| there.contains(&session.0)));
        assert_eq!([next(&[1, 3]), next(&[1, 3]), next(&[1, 3])], [[1], [3], [1]]);
        assert_eq!(next(&[1, 2, 3]), [2]);
        assert_eq!([next(&[]), next(&[])], [[3], [1]], "somebody keeps it for later");
        assert!(tree.remove(filter("$share/g/a"), SessionKey(2)));
        assert!(!tree.remove(filter("$share/h/a"), SessionKey(1)));
        assert!(!tree.remove(filter("a"), SessionKey(1)));
    }
}
