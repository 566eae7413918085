//! Client ids of watchers, kept on the machine that they run on, each in a file of its own.
//!
//! For what no store can keep: several watchers share one store, and each needs an id that survives its
//! restarts and that no other one ever gets. A file in use is locked; the system takes the lock back from
//! a process that died.

use super::{Place, stable_hash};
use crate::failure::Failure;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// A client id, and the right to use it until it is dropped.
#[derive(Debug)]
pub struct Identity {
    pub client_id: String,
    /// It was not kept before.
    pub is_new: bool,
    _file: File,
}

/// What a client id is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    pub place: &'a Place,
    pub instance: &'a str,
    /// The shared group, where there is one.
    pub group: Option<&'a str>,
}

/// Watchers of one group on one machine; there are not that many.
const MEMBERS_MAX: u32 = 1_000;
const DIRECTORY: &str = "identities";
/// Bytes of an identity that are read: MQTT carries no longer client id.
const ID_MAX: u64 = 65_535;

impl Identity {
    /// Takes the first id for this purpose that nobody uses, or keeps a new one that `make` makes.
    ///
    /// `state` is the directory in which this program keeps what it has to remember.
    pub fn take(
        state: &Path,
        purpose: &Purpose<'_>,
        make: impl Fn() -> Result<String, Failure>,
    ) -> Result<Self, Failure> {
        for number in 0..MEMBERS_MAX {
            let path = path(state, purpose, &format!("{number}"))?;
            if let Some(file) = lock(&path)? {
                return of(file, &path, purpose, make);
            }
        }
        Err(Failure::new(format!("could not find a client id for {}", purpose.instance))
            .because(format!("{MEMBERS_MAX} watchers on this machine use one"))
            .next("stop some of them"))
    }

    /// Returns the first id that is kept for this purpose, whether it is in use or not.
    pub fn first(state: &Path, purpose: &Purpose<'_>) -> Option<String> {
        read(&mut File::open(name(state, purpose, "0")).ok()?)
    }

    /// Notes that this id, which somebody asked for, is used for this purpose. Returns `None` if it is in
    /// use.
    pub fn note(
        state: &Path,
        purpose: &Purpose<'_>,
        client_id: &str,
    ) -> Result<Option<Self>, Failure> {
        let name = format!("id-{:016x}", stable_hash(client_id.as_bytes()));
        let path = path(state, purpose, &name)?;
        let Some(file) = lock(&path)? else { return Ok(None) };
        let mut known = of(file, &path, purpose, || Ok(client_id.to_owned()))?;
        if known.client_id != client_id {
            // Another id with the same hash: it is as good as new.
            (known.client_id, known.is_new) = (client_id.to_owned(), true);
        }
        Ok(Some(known))
    }
}

/// Returns the file of one identity, in a directory that is made if there is none.
fn path(state: &Path, purpose: &Purpose<'_>, end: &str) -> Result<PathBuf, Failure> {
    let path = name(state, purpose, end);
    super::place::make_directory(&path)?;
    Ok(path)
}

/// Returns the name of the file of one identity; all of one purpose have the same but for its end.
fn name(state: &Path, purpose: &Purpose<'_>, end: &str) -> PathBuf {
    let Purpose { place, instance, group } = purpose;
    // None of them holds a NUL, so they cannot run into each other.
    let named = format!("{}\0{instance}\0{}", place.name(), group.unwrap_or(""));
    state.join(DIRECTORY).join(format!("{:016x}.{end}", stable_hash(named.as_bytes())))
}

fn lock(path: &Path) -> Result<Option<File>, Failure> {
    let file = super::lock::open(path).map_err(|error| failed(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(path, &error)),
    }
}

/// Returns the id in a file. What follows its first line is for people; a line without its end was torn by
/// a crash before anybody connected with it.
fn read(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(ID_MAX + 1).read_to_string(&mut text).ok()?;
    let (id, _) = text.split_once('\n')?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// Returns the id in a file, or writes a new one.
fn of(
    mut file: File,
    path: &Path,
    purpose: &Purpose<'_>,
    make: impl Fn() -> Result<String, Failure>,
) -> Result<Identity, Failure> {
    if let Some(client_id) = read(&mut file) {
        return Ok(Identity { client_id, is_new: false, _file: file });
    }
    let client_id = make()?;
    let mut write = || {
        file.set_len(0)?;
        file.rewind()?;
        let Purpose { place, instance, group } = purpose;
        let group = group.map_or(String::new(), |group| format!(", group {group}"));
        write!(file, "{client_id}\n{instance}{group}\n{}\n", place.name())?;
        file.sync_all()
    };
    write().map_err(|error| failed(path, &error))?;
    Ok(Identity { client_id, is_new: true, _file: file })
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("could not keep a client id in `{}`", path.display()))
        .because(error)
        .next("see that you may write there, or set `XDG_STATE_HOME` to a directory where you may")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Ids {
        state: tempfile::TempDir,
        made: Cell<u32>,
    }

    impl Ids {
        fn new() -> Self {
            let state = tempfile::tempdir().expect("a directory");
            Self { state, made: Cell::new(0) }
        }

        fn take(&self, instance: &str, group: Option<&str>) -> Identity {
            let place = Place::File(self.state.path().join("presence.db"));
            let purpose = Purpose { place: &place, instance, group };
            let make = || {
                self.made.set(self.made.get() + 1);
                Ok(format!("presence-{}", self.made.get()))
            };
            Identity::take(self.state.path(), &purpose, make).expect("an identity")
        }

        fn note(&self, client_id: &str) -> Option<Identity> {
            let place = Place::File(self.state.path().join("presence.db"));
            let purpose = Purpose { place: &place, instance: "a", group: None };
            Identity::note(self.state.path(), &purpose, client_id).expect("noted")
        }
    }

    #[test]
    fn a_restart_gets_its_id_back_and_two_watchers_never_share_one() {
        let ids = Ids::new();
        let one = ids.take("a", Some("g"));
        let two = ids.take("a", Some("g"));
        assert_eq!((one.client_id.as_str(), one.is_new), ("presence-1", true));
        assert_eq!((two.client_id.as_str(), two.is_new), ("presence-2", true));
        drop(one);
        let back = ids.take("a", Some("g"));
        assert_eq!((back.client_id.as_str(), back.is_new), ("presence-1", false));
        drop((two, back));
        let place = Place::File(ids.state.path().join("presence.db"));
        let of = |instance| Purpose { place: &place, instance, group: Some("g") };
        assert_eq!(Identity::first(ids.state.path(), &of("a")).as_deref(), Some("presence-1"));
        assert_eq!(Identity::first(ids.state.path(), &of("b")), None);
    }

    #[test]
    fn ids_of_other_brokers_and_groups_are_others() {
        let ids = Ids::new();
        let all = [("a", Some("g")), ("b", Some("g")), ("a", Some("h")), ("a", None)];
        for (instance, group) in all {
            assert!(ids.take(instance, group).is_new, "{instance} {group:?}");
        }
        for (instance, group) in all {
            assert!(!ids.take(instance, group).is_new, "{instance} {group:?}");
        }
    }

    #[test]
    fn what_a_crash_tore_is_made_anew() {
        let ids = Ids::new();
        drop(ids.take("a", None));
        let folder = ids.state.path().join(DIRECTORY);
        let file = std::fs::read_dir(&folder).expect("made").next().expect("a file");
        let path = file.expect("readable").path();
        for torn in [&b""[..], b"presen", b"\n", b"\xff\n"] {
            std::fs::write(&path, torn).expect("ours");
            assert!(ids.take("a", None).is_new, "{torn:?}");
            assert!(!ids.take("a", None).is_new, "{torn:?}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode =
                |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        }
    }

    #[test]
    fn an_id_that_was_asked_for_is_known_again_and_used_once_at_a_time() {
        let ids = Ids::new();
        let first = ids.note("pump-watch").expect("free");
        assert!(first.is_new);
        assert!(ids.note("pump-watch").is_none(), "in use");
        assert!(ids.note("other").is_some());
        drop(first);
        assert!(!ids.note("pump-watch").expect("free again").is_new);
    }
}
