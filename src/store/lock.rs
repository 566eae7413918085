//! One watcher per store, instance and client id: two would take each other's session at the broker.

use super::stable_hash;
use crate::failure::Failure;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The right to watch an instance with a store under a client id, held until it is dropped. The system
/// takes it back from a process that died, so a stale file beside the store stops nobody.
#[derive(Debug)]
pub struct WatchLock {
    /// The lock is on the open file. The file itself stays: removing it would let a third watcher
    /// lock a new one while a second one still waits at the old.
    _file: File,
}

impl WatchLock {
    /// Takes the right to watch `instance` with this store as this client, or says who holds it.
    pub fn acquire(store: &Path, instance: &str, client_id: &str) -> Result<Self, Failure> {
        let path = lock_path(store, instance, client_id);
        let failed = |error: std::io::Error| failed(&path, &error);
        let mut file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(store, instance, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        sign(&mut file, instance).map_err(failed)?;
        Ok(Self { _file: file })
    }

    /// Waits for the right to choose the client id to watch `instance` with. Nobody holds it for long.
    pub fn wait_to_choose(store: &Path, instance: &str) -> Result<Self, Failure> {
        let path = lock_path(store, instance, "");
        let failed = |error: std::io::Error| failed(&path, &error);
        let file = open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("could not lock `{}`", path.display()))
        .because(error)
        .next("see that you may write there, or name another file with `--store`")
}

/// Bytes read of the note in a lock file.
const NOTE_MAX: u64 = 64;

/// Returns the lock file of a client of an instance. Its name is a hash, because both may be called
/// anything; it lies beside the real file, whichever link to it was named.
fn lock_path(store: &Path, instance: &str, client_id: &str) -> PathBuf {
    let store = store.canonicalize().unwrap_or_else(|_| store.to_owned());
    // A client id holds no NUL, so the two cannot run into each other.
    let named = format!("{client_id}\0{instance}");
    let suffix = format!(".{:016x}.lock", stable_hash(named.as_bytes()));
    super::sqlite::beside(&store, &suffix)
}

/// Opens a file that is to be locked, or makes it, for its owner only.
pub(super) fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    // Not truncated: until it is locked, the note in it is another watcher's.
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Notes for people who the watcher is.
fn sign(file: &mut File, instance: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}\n{instance}\n", std::process::id())
}

fn held(store: &Path, instance: &str, file: &mut File) -> Failure {
    let mut note = String::new();
    // Where a lock keeps others from reading (Windows), the number stays unknown.
    let read = file.take(NOTE_MAX).read_to_string(&mut note);
    let holder = read.ok().and_then(|_| note.lines().next()?.parse::<u32>().ok());
    Failure::new(format!(
        "could not start a second watcher of {instance} with the store `{}`",
        store.display()
    ))
    .because(holder.map_or_else(
        || "another process holds it".to_owned(),
        |holder| format!("process {holder} holds it"),
    ))
    .next("share the work with `--share`, use another `--store` or `--client-id`, or stop that process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_watcher_is_told_who_the_first_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = directory.path().join("presence.db");
        let first = WatchLock::acquire(&store, "broker:1883", "presence-1").expect("the first");
        let failure =
            WatchLock::acquire(&store, "broker:1883", "presence-1").expect_err("the second");
        assert!(failure.what.contains("a second watcher of broker:1883"), "{failure}");
        let holder = format!("process {} holds it", std::process::id());
        assert_eq!(failure.cause, Some(holder));
        drop(first);
        WatchLock::acquire(&store, "broker:1883", "presence-1").expect("free again");
    }

    #[test]
    fn other_instances_other_stores_and_other_clients_are_free() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = directory.path().join("presence.db");
        let _first = WatchLock::acquire(&store, "a", "presence-1").expect("the first");
        let _second = WatchLock::acquire(&store, "b", "presence-1").expect("another instance");
        let _other = WatchLock::acquire(&store, "a", "presence-2").expect("another client");
        let elsewhere = directory.path().join("other.db");
        let _third = WatchLock::acquire(&elsewhere, "a", "presence-1").expect("another store");
    }

    #[test]
    fn whoever_chooses_a_client_id_waits_for_whoever_chooses_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = directory.path().join("presence.db");
        let first = WatchLock::wait_to_choose(&store, "a").expect("the first");
        let second = std::thread::spawn({
            let store = store.clone();
            move || WatchLock::wait_to_choose(&store, "a").map(drop)
        });
        assert!(!second.is_finished());
        drop(first);
        second.join().expect("no panic").expect("its turn");
    }

    #[test]
    fn an_instance_may_be_called_anything() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = directory.path().join("presence.db");
        let names = ["", "../../etc/passwd", "\0", "\u{1f4a5}"];
        for name in names.into_iter().map(str::to_owned).chain(["a".repeat(65_536)]) {
            let _lock = WatchLock::acquire(&store, &name, "presence-1").expect("a lock");
            WatchLock::acquire(&store, &name, "presence-1").expect_err("the same again");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_store_is_the_same_store() {
        let directory = tempfile::tempdir().expect("a directory");
        let (store, link) = (directory.path().join("presence.db"), directory.path().join("link"));
        std::fs::write(&store, "").expect("a file");
        std::os::unix::fs::symlink(&store, &link).expect("a link");
        let _first = WatchLock::acquire(&store, "a", "presence-1").expect("the first");
        WatchLock::acquire(&link, "a", "presence-1").expect_err("the same store");
    }
}
