//! What is to be removed, what has been, and what may be left.

use std::collections::BTreeMap;

/// What a run has left at the broker when it was cleaned up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Retained messages removed; topics on which there may have been one.
    pub topics: u32,
    /// Sessions ended, beside those that ended with a goodbye.
    pub sessions: u32,
    /// What may still be there, by kind and cause.
    pub left: Vec<Left>,
}

/// Things of one kind that may still be at the broker, for one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub kind: Kind,
    pub cause: String,
    pub count: u32,
    /// The first few, by name: topics or client ids. They come from templates.
    pub first: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A retained message on this topic.
    Retained,
    /// A session of this client.
    Session,
    /// A retained message that is still to come: the will on this topic has not been seen.
    Will,
}

/// Keeps account of every single thing.
#[derive(Debug, Default)]
pub struct Books {
    entries: BTreeMap<(Kind, String), State>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Open,
    Done,
    Left(String),
}

impl Books {
    pub fn add(&mut self, kind: Kind, name: String) {
        self.entries.entry((kind, name)).or_insert(State::Open);
    }

    pub fn done(&mut self, kind: Kind, name: &str) {
        if let Some(state) = self.entries.get_mut(&(kind, name.to_owned())) {
            *state = State::Done;
        }
    }

    /// Gives up on an entry that is open.
    pub fn leave(&mut self, kind: Kind, name: &str, cause: String) {
        let state = self.entries.get_mut(&(kind, name.to_owned()));
        if let Some(state) = state.filter(|state| **state == State::Open) {
            *state = State::Left(cause);
        }
    }

    /// Enters what others have found out about entries that are open here.
    pub fn take_over(&mut self, others: &Self) {
        for (entry, found) in &others.entries {
            if let Some(state) = self.entries.get_mut(entry).filter(|state| **state == State::Open)
            {
                state.clone_from(found);
            }
        }
    }

    /// Returns what is still to be done of a kind.
    pub fn open(&self, kind: Kind) -> Vec<String> {
        let open = |((of, name), state): (&(Kind, String), &State)| {
            (*of == kind && *state == State::Open).then(|| name.clone())
        };
        self.entries.iter().filter_map(open).collect()
    }

    /// Leaves all that is still to be done.
    pub fn leave_rest(&mut self, cause: &str) {
        for state in self.entries.values_mut().filter(|state| **state == State::Open) {
            *state = State::Left(cause.to_owned());
        }
    }

    pub fn close(mut self) -> Cleaned {
        self.leave_rest("it was not come to");
        let mut cleaned = Cleaned::default();
        for ((kind, name), state) in self.entries {
            match (state, kind) {
                (State::Done, Kind::Retained) => cleaned.topics += 1,
                (State::Done, Kind::Session) => cleaned.sessions += 1,
                (State::Done, Kind::Will) | (State::Open, _) => {}
                (State::Left(cause), _) => {
                    let found = cleaned
                        .left
                        .iter_mut()
                        .find(|left| left.kind == kind && left.cause == cause);
                    if let Some(left) = found {
                        left.count += 1;
                        if left.first.len() < FIRST_MAX {
                            left.first.push(name);
                        }
                    } else {
                        cleaned.left.push(Left { kind, cause, count: 1, first: vec![name] });
                    }
                }
            }
        }
        cleaned
    }
}

/// Names told of each kind and cause.
const FIRST_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_counted_by_kind_and_cause() {
        let mut books = Books::default();
        for number in 0..5 {
            books.add(Kind::Retained, format!("t/{number}"));
        }
        books.add(Kind::Session, "c".into());
        books.done(Kind::Retained, "t/0");
        books.done(Kind::Retained, "unheard of");
        for number in 1..5 {
            books.leave(Kind::Retained, &format!("t/{number}"), "forbidden".into());
        }
        books.leave_rest("stopped");
        assert!(books.open(Kind::Session).is_empty());
        let left = |kind, cause: &str, count, first: &[&str]| Left {
            kind,
            cause: cause.into(),
            count,
            first: first.iter().map(ToString::to_string).collect(),
        };
        let expected = Cleaned {
            topics: 1,
            sessions: 0,
            left: vec![
                left(Kind::Retained, "forbidden", 4, &["t/1", "t/2", "t/3"]),
                left(Kind::Session, "stopped", 1, &["c"]),
            ],
        };
        assert_eq!(books.close(), expected);
    }
}
