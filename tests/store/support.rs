//! Small events and stores for the tests of the store.

use presence::event::{Channel, ChannelEvent, EventKind, Stamp, Timestamp};
use presence::failure::{Failure, Outcome};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::{Client, VoiceKey};
use presence::state::policy::Policy;
use presence::state::verdict::Status;
use presence::store::{self, Access, Batch, Server, Sqlite, Store};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub const POLICY: Policy = Policy::DEFAULT;
pub const LMQ: VoiceKey<'static> = VoiceKey { authority: 1, name: "lmq" };
pub const STATUS: VoiceKey<'static> = VoiceKey { authority: 4, name: "status" };
pub const BROKER: &str = "broker.example:1883";

/// A directory of its own, and a path in it.
pub struct Place {
    directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    /// A place for what is not about the disk: in memory where the system offers that, because a
    /// thousand commits wait for a thousand writes elsewhere.
    pub fn off_disk() -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self { directory: directory.expect("a directory") }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("presence.db")
    }

    pub fn writer(&self) -> Sqlite {
        Sqlite::open(&self.path(), Access::Write, &POLICY).expect("a store to write")
    }

    pub fn reader(&self) -> Sqlite {
        Sqlite::open(&self.path(), Access::Read, &POLICY).expect("a store to read")
    }
}

/// Where writers and readers of one store meet, whatever its engine.
pub trait Stores: Sync {
    fn a_writer(&self) -> Box<dyn Store>;
    fn a_reader(&self) -> Box<dyn Store>;
}

impl Stores for Place {
    fn a_writer(&self) -> Box<dyn Store> {
        Box::new(self.writer())
    }

    fn a_reader(&self) -> Box<dyn Store> {
        Box::new(self.reader())
    }
}

/// A store in a Redis.
pub struct Remote(pub store::Place);

impl Remote {
    pub fn at(url: &str) -> Self {
        let server = Server::read(url).expect("a URL");
        Self(store::Place::remote(server, Path::new("/nowhere/presence.db")))
    }
}

impl Stores for Remote {
    fn a_writer(&self) -> Box<dyn Store> {
        store::open(&self.0, Access::Write, &POLICY).expect("a store to write")
    }

    fn a_reader(&self) -> Box<dyn Store> {
        store::open(&self.0, Access::Read, &POLICY).expect("a store to read")
    }
}

/// Returns the place of a store on a server.
pub fn place(url: &str) -> store::Place {
    Remote::at(url).0
}

/// Returns why a server is refused.
pub fn refused(url: &str, access: Access) -> Failure {
    explained(store::open(&place(url), access, &POLICY).map(|_| ()).expect_err("refused"))
}

/// Asserts that a failure says what, why, and what to do.
#[track_caller]
pub fn explained(failure: Failure) -> Failure {
    assert_eq!(failure.outcome, Outcome::CouldNotAsk, "{failure}");
    assert!(failure.what.contains("the store ") && failure.what.contains("://"), "{failure}");
    assert!(failure.cause.is_some() && failure.next.is_some(), "{failure}");
    assert!(!failure.to_string().contains("hunter2"), "{failure}");
    failure
}

/// Commits one client.
pub fn commit(store: &mut dyn Store, id: &str) -> Result<(), Failure> {
    store.commit(BROKER, &batch([&client(id, "x", 1_000_000)]))
}

/// Asserts that a commit fails for this reason, and works once the reason is gone.
#[track_caller]
pub fn fails_until(store: &mut dyn Store, id: &str, cause: &str, mend: impl FnOnce()) {
    for _ in 0..2 {
        let failure = explained(commit(store, id).expect_err(cause));
        assert!(failure.cause.as_deref().expect("a cause").contains(cause), "{failure}");
    }
    mend();
    commit(store, id).expect("committed");
    let fleet = store.load(BROKER).expect("loaded");
    assert_eq!(status(fleet, id), Status::Online);
}

pub fn at(ms: i64) -> Stamp {
    Stamp { time: Timestamp(ms), tie: 0, resolution: 0 }
}

pub fn hearsay(voice: VoiceKey<'static>) -> Hearsay<'static> {
    Hearsay { voice, mark: None, received: Timestamp(1_000_000_000) }
}

/// Takes "opened" of a channel in.
pub fn open_channel(fleet: &mut Fleet, client: &str, channel: &str, ms: i64) {
    let channel = Channel::Strong(channel.into());
    let event = ChannelEvent::new(client, channel, EventKind::Opened, Some(at(ms)));
    fleet.take(&event, &hearsay(LMQ), &POLICY);
}

/// Returns a client with one open channel.
pub fn client(id: &str, channel: &str, ms: i64) -> Client {
    let mut fleet = Fleet::default();
    open_channel(&mut fleet, id, channel, ms);
    fleet.clients.at(0).clone()
}

/// Returns a batch of these clients and nothing else.
pub fn batch<'a>(clients: impl IntoIterator<Item = &'a Client>) -> Batch<'a> {
    Batch { clients: clients.into_iter().collect(), ..Batch::default() }
}

/// Returns the state of a client as if everything had been heard.
pub fn status(mut fleet: Fleet, client: &str) -> Status {
    fleet.coverage.hear_whole(LMQ.name);
    fleet.verdict(client, Timestamp(1_000_000_000), &POLICY).status
}
