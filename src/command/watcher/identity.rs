//! Which client id a watcher has: one that it finds again after a restart, and that no other one gets.

use super::Setup;
use crate::clock;
use crate::config::division::Division;
use crate::failure::Failure;
use crate::source::mqtt::{Options, forget_session, random_client_id};
use crate::store::identity::Purpose;
use crate::store::place::state_directory;
use crate::store::{self, Access, Identity, Place, Sqlite, WatchLock};
use std::path::Path;
use tokio::time::timeout;

/// A client id, and the rights to it.
#[derive(Debug)]
pub struct Chosen {
    pub client_id: String,
    pub past: Past,
    pub rights: Rights,
}

/// The right to watch one broker into one store as one client, held until it is dropped.
#[derive(Debug, Default)]
pub struct Rights {
    _lock: Option<WatchLock>,
    _identity: Option<Identity>,
}

/// What is known about the session that the broker may have under a client id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// There is none: the id was made a moment ago.
    None,
    /// It is the store's.
    Kept,
    /// It is the store's if the store knows its listener: the store may be newer than the id.
    Noted,
    /// It may be anybody's.
    Foreign,
}

/// What those who divide a topic are called together, where their names are kept. No group of MQTT is called
/// so.
const JOINED: &str = "/";

impl Setup {
    /// Chooses the client id to watch with. Whoever watches alone has the one that its store keeps; where
    /// several watch, each has one that this machine keeps. A shard goes by its number, and is there once.
    pub(super) fn choose(
        &self,
        instance: &str,
        wanted: Option<&str>,
        division: Division,
    ) -> Result<Chosen, Failure> {
        let Some(place) = &self.store else {
            let client_id = wanted.map(str::to_owned).map_or_else(random_client_id, Ok)?;
            return Ok(Chosen { client_id, past: Past::None, rights: Rights::default() });
        };
        let group = match division {
            Division::Whole => self.share.as_deref(),
            Division::Join => Some(JOINED),
            Division::Shard(shard) => {
                let name = format!("shard-{}-of-{}", shard.number, shard.of);
                return Self::kept_by_the_machine(place, instance, Some(&name), Some(JOINED));
            }
        };
        match place.keeps_client_id().filter(|_| group.is_none()) {
            Some(path) => self.kept_by_the_store(path, place, instance, wanted),
            None => Self::kept_by_the_machine(place, instance, wanted, group),
        }
    }

    fn kept_by_the_store(
        &self,
        path: &Path,
        place: &Place,
        instance: &str,
        wanted: Option<&str>,
    ) -> Result<Chosen, Failure> {
        let _turn = WatchLock::wait_to_choose(path, instance)?;
        let mut store = Sqlite::open(path, Access::Write, &self.policy)?;
        let known = store.session(instance)?.map(|session| session.client_id);
        let (client_id, past) = match (wanted, known) {
            (None, Some(known)) => (known, Past::Kept),
            (Some(wanted), Some(known)) if wanted == known => (known, Past::Kept),
            // Beside the store's own watcher, or after it.
            (Some(_), Some(_)) => return Self::kept_by_the_machine(place, instance, wanted, None),
            (wanted, None) => {
                let past = wanted.map_or(Past::None, |_| Past::Foreign);
                (wanted.map(str::to_owned).map_or_else(random_client_id, Ok)?, past)
            }
        };
        let lock = place.lock(instance, &client_id)?;
        if past != Past::Kept {
            let made = store::Session {
                client_id: client_id.clone(),
                made: clock::now(),
                expiry_s: u32::try_from(super::setup::SESSION_EXPIRY.as_secs()).ok(),
            };
            store.remember_session(instance, &made)?;
        }
        Ok(Chosen { client_id, past, rights: Rights { _lock: Some(lock), _identity: None } })
    }

    fn kept_by_the_machine(
        place: &Place,
        instance: &str,
        wanted: Option<&str>,
        group: Option<&str>,
    ) -> Result<Chosen, Failure> {
        let state = state_directory(|name| std::env::var_os(name))?;
        let purpose = Purpose { place, instance, group };
        let (client_id, identity) = if let Some(wanted) = wanted {
            (wanted.to_owned(), Identity::note(&state, &purpose, wanted)?)
        } else {
            let identity = Identity::take(&state, &purpose, random_client_id)?;
            (identity.client_id.clone(), Some(identity))
        };
        // Says who has it, where somebody has.
        let lock = place.lock(instance, &client_id)?;
        let is_new = identity.as_ref().is_none_or(|identity| identity.is_new);
        let past = match (is_new, wanted) {
            (false, _) => Past::Noted,
            (true, None) => Past::None,
            (true, Some(_)) => Past::Foreign,
        };
        Ok(Chosen { client_id, past, rights: Rights { _lock: Some(lock), _identity: identity } })
    }

    /// Removes the session that the broker may have under our client id: what it holds was never heard
    /// by this store.
    pub(super) async fn start_clean(&self, options: &Options) -> Result<(), Failure> {
        let broker = options.connection.broker.to_string();
        let forgotten = timeout(self.timeout, forget_session(options.clone())).await;
        forgotten.unwrap_or_else(|_| {
            Err(Failure::new(format!("could not connect to {broker}"))
                .because("it did not answer in time")
                .next("check host and port, or give it longer with `--timeout`"))
        })
    }
}
