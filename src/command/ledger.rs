//! What must be durable before a message is acknowledged: the store and the recording.

use crate::dialect::Message;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::source::recording::line::{AnswerLine, JudgedLine, MessageLine, RestartLine};
use crate::source::recording::{Heading, Line, Recorder, SourceLine, known::KnownClient};
use crate::state::coverage::{Member, SourceKey};
use crate::state::hearing::{Hearing, Speaker};
use crate::state::presence::Presence;
use crate::store::{Account, Author, Batch, Position, Store};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::block_in_place;

/// Where one watcher's hearing is kept.
#[derive(Debug)]
pub struct Ledger {
    instance: String,
    store: Option<Box<dyn Store>>,
    recorder: Option<SharedRecorder>,
    /// The accounts as they were last recorded, and as they were last stored.
    recorded: BTreeMap<String, BTreeMap<String, Member>>,
    stored: BTreeMap<String, BTreeMap<String, Member>>,
    /// How far queues were read, as far as that is not stored yet.
    positions: BTreeMap<Arc<str>, i64>,
    /// The last tie given out.
    tie: u64,
}

/// A recording that several watchers of one process write.
#[derive(Clone, Debug)]
pub struct SharedRecorder {
    recorder: Arc<Mutex<Recorder>>,
    /// Several brokers are in it, so every line names its own.
    pub several: bool,
}

impl SharedRecorder {
    pub fn new(recorder: Recorder, several: bool) -> Self {
        Self { recorder: Arc::new(Mutex::new(recorder)), several }
    }

    fn with<T>(&self, write: impl FnOnce(&mut Recorder) -> T) -> T {
        write(&mut self.recorder.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ledger {
    pub fn new(
        instance: &str,
        mut store: Option<Box<dyn Store>>,
        recorder: Option<SharedRecorder>,
    ) -> Result<Self, Failure> {
        let tie = store.as_mut().map_or(Ok(0), |store| store.tie(instance))?;
        Ok(Self {
            instance: instance.to_owned(),
            store,
            recorder,
            recorded: BTreeMap::new(),
            stored: BTreeMap::new(),
            positions: BTreeMap::new(),
            tie,
        })
    }

    pub fn store_mut(&mut self) -> Option<&mut dyn Store> {
        Some(self.store.as_mut()?.as_mut())
    }

    /// Returns the size of the recording, where there is one.
    pub fn recorded_bytes(&self) -> Option<u64> {
        self.recorder.as_ref().map(|recorder| recorder.with(|recorder| recorder.written()))
    }

    /// Returns the next place in the order of arrival.
    pub const fn next_tie(&mut self) -> u64 {
        self.tie += 1;
        self.tie
    }

    /// Begins the recording with who listens and what is known already.
    pub fn begin(&mut self, heading: Heading<'_>, presence: &Presence) {
        let Some(recorder) = &self.recorder else { return };
        let instance = &self.instance;
        let fleet = presence.fleet();
        recorder.with(|recorder| {
            recorder.add(&Line::Recording(Box::new(heading)));
            if let Some(restart) = fleet.restart() {
                recorder.add(&Line::Restart(RestartLine::new(instance, restart)));
            }
            for (key, source) in fleet.coverage.sources() {
                for (name, member) in &source.members {
                    recorder.add(&Line::Source(SourceLine::new(instance, key, name, member)));
                }
            }
            for client in fleet.clients.sorted() {
                recorder.add(&Line::Client(KnownClient::of(instance, client)));
            }
        });
    }

    /// Records a message as it came off the wire.
    pub fn record(&self, message: &Message<'_>) {
        let Some(recorder) = &self.recorder else { return };
        let mut line = MessageLine::new(message.topic, message.payload);
        line.received_ms = message.received.0;
        line.tie = message.tie;
        line.tag = message.tag.map(Into::into);
        line.qos = message.qos;
        line.retain = message.retain;
        line.instance = recorder.several.then(|| self.instance.as_str().into());
        recorder.with(|recorder| recorder.add(&Line::Message(line)));
    }

    /// A queue was read up to there: that is to be stored with what was read.
    pub fn position(&mut self, queue: Arc<str>, next: i64) {
        self.positions.insert(queue, next);
    }

    /// Records an answer of the broker.
    pub fn record_answer(&self, answer: AnswerLine<'_>) {
        if let Some(recorder) = &self.recorder {
            recorder.with(|recorder| recorder.add(&Line::Answer(answer)));
        }
    }

    /// Records the accounts that changed in what replaying depends on.
    pub fn record_accounts(&mut self, presence: &Presence, hearing: &Hearing) {
        let Some(recorder) = &self.recorder else { return };
        for (key, name, member) in all_accounts(presence, hearing) {
            let known = self.recorded.get(&key.voice).and_then(|members| members.get(name));
            let same = known.is_some_and(|known| {
                (known.epoch, known.lossy, known.patience_ms, known.left)
                    == (member.epoch, member.lossy, member.patience_ms, member.left)
            });
            if !same {
                let line = SourceLine::new(&self.instance, key, name, member);
                recorder.with(|recorder| recorder.add(&Line::Source(line)));
                let members = self.recorded.entry(key.voice.clone()).or_default();
                members.insert(name.to_owned(), member.clone());
            }
        }
    }

    /// Ends the recording: who listened until when, and the moment judged.
    pub fn end(&mut self, presence: &Presence, hearing: &Hearing, now: Timestamp) {
        let Some(recorder) = &self.recorder else { return };
        let instance = self.instance.clone();
        recorder.with(|recorder| {
            for (key, name, member) in all_accounts(presence, hearing) {
                let line = SourceLine::new(&instance, key, name, member);
                recorder.add(&Line::Source(line));
            }
            recorder.add(&Line::Judged(JudgedLine { instance, now_ms: now.0 }));
        });
    }

    /// Makes everything heard so far durable: first the recording, then the store, which is what
    /// decides. After a failure it may be called again. Other tasks of the thread go on meanwhile.
    pub fn commit(&mut self, presence: &mut Presence, hearing: &Hearing) -> Result<(), Failure> {
        if self.recorder.is_none() && self.store.is_none() {
            // To hand the other tasks over costs more than all that there is to do.
            presence.saved();
            return Ok(());
        }
        block_in_place(|| self.write(presence, hearing))
    }

    fn write(&mut self, presence: &mut Presence, hearing: &Hearing) -> Result<(), Failure> {
        if let Some(recorder) = &self.recorder {
            recorder.with(Recorder::commit)?;
        }
        let Some(store) = &mut self.store else {
            presence.saved();
            return Ok(());
        };
        let restart = presence.fleet().restart();
        let stored = |key: &SourceKey, name: &str| self.stored.get(&key.voice)?.get(name);
        let changed: Vec<(SourceKey, String, Member, Author)> = accounts(presence, hearing)
            .filter(|(key, name, member, _)| stored(key, name) != Some(member))
            .map(|(key, name, member, author)| {
                (key.clone(), name.to_owned(), member.clone(), author)
            })
            .collect();
        let batch = Batch {
            clients: presence.unsaved(),
            restart,
            tie: self.tie,
            dropped: hearing.dropped_so_far(),
            accounts: changed
                .iter()
                .map(|(source, member, account, author)| Account {
                    source,
                    member,
                    account,
                    author: *author,
                })
                .collect(),
            positions: self
                .positions
                .iter()
                .map(|(queue, next)| Position { queue, next: *next })
                .collect(),
        };
        store.commit(&self.instance, &batch)?;
        presence.saved();
        self.positions.clear();
        for (key, name, member, _) in changed {
            self.stored.entry(key.voice).or_default().insert(name, member);
        }
        Ok(())
    }

    /// Closes the store.
    pub fn close(self) -> Result<(), Failure> {
        self.store.map_or(Ok(()), Store::close)
    }
}

/// Returns the accounts on which it depends what the watcher hears: its own, and those of the others of
/// its group.
fn all_accounts<'a>(
    presence: &'a Presence,
    hearing: &'a Hearing,
) -> impl Iterator<Item = (&'a SourceKey, &'a str, &'a Member)> {
    let heard = presence.fleet().coverage.sources().filter(|(key, _)| hearing.accounts_for(key));
    heard.flat_map(|(key, source)| {
        let begun = source.members.iter().filter(|(_, member)| member.epoch > 0);
        begun.map(move |(name, member)| (key, name.as_str(), member))
    })
}

/// Returns the accounts that are the watcher's to write: by their sources, the names of the listeners, and
/// who speaks for each.
fn accounts<'a>(
    presence: &'a Presence,
    hearing: &'a Hearing,
) -> impl Iterator<Item = (&'a SourceKey, &'a str, &'a Member, Author)> {
    presence.fleet().coverage.sources().flat_map(|(key, source)| {
        hearing.accounts_of(key).into_iter().filter_map(move |(name, speaker)| {
            let author = match speaker {
                Speaker::Itself => Author::Itself,
                Speaker::Another => Author::Another,
            };
            let member = source.members.get(name).filter(|member| member.epoch > 0)?;
            Some((key, name, member, author))
        })
    })
}
