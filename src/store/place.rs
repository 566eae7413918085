//! Where the store lies.

use super::{Server, WatchLock};
use crate::failure::Failure;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "presence";
const FILE: &str = "presence.db";

/// Where a store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A server.
    Remote {
        server: Box<Server>,
        /// A path on this machine that stands for it, beside which lies what is only for this
        /// machine. There is no file of this name itself.
        local: PathBuf,
    },
}

impl Place {
    /// Makes what must be there before a store can be made: the directory of a file.
    pub fn prepare(&self) -> Result<(), Failure> {
        match self {
            Self::File(path) | Self::Remote { local: path, .. } => make_directory(path),
        }
    }

    /// Takes the right to watch an instance with this store as this client, or says who holds it.
    pub fn lock(&self, instance: &str, client_id: &str) -> Result<WatchLock, Failure> {
        match self {
            Self::File(path) | Self::Remote { local: path, .. } => {
                // Whoever looks after a store before anything watched has no directory yet.
                self.prepare()?;
                WatchLock::acquire(path, instance, client_id)
            }
        }
    }

    /// Returns the file of a store that keeps the client id of its watcher itself. Where several machines
    /// write one store, each has to keep its own.
    #[must_use]
    pub fn keeps_client_id(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Remote { .. } => None,
        }
    }

    /// Returns a name that is the same whichever way leads to the store.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => {
                let real = path.canonicalize().unwrap_or_else(|_| path.clone());
                real.display().to_string()
            }
            Self::Remote { server, .. } => server.to_string(),
        }
    }
}

impl Place {
    /// Returns the place of a store on a server. `beside` is the default store of this machine.
    pub fn remote(server: Server, beside: &Path) -> Self {
        let hash = super::stable_hash(server.to_string().as_bytes());
        let local = beside.with_file_name(format!("{}-{hash:016x}", server.kind()));
        Self::Remote { server: Box::new(server), local }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Remote { server, .. } => server.fmt(f),
        }
    }
}

/// Returns the path of the default store, `presence.db` in the state directory.
pub fn default_path(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Failure> {
    Ok(state_directory(variable)?.join(FILE))
}

/// Returns where this program keeps what it has to remember. `variable` looks a variable of the
/// environment up.
///
/// `$XDG_STATE_HOME/presence`; without that variable, or where it is not absolute (as the
/// XDG Base Directory Specification wants), below the home directory.
pub fn state_directory(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, Failure> {
    let absolute =
        |name| variable(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            absolute("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            absolute("HOME").map(|home| home.join(".local/state"))
        }
    });
    state.map(|state| state.join(DIRECTORY)).ok_or_else(|| {
        let home = if cfg!(windows) { "LOCALAPPDATA" } else { "HOME" };
        Failure::new("could not tell where the store lies")
            .because(format_args!(
                "neither `XDG_STATE_HOME` nor `{home}` is set to an absolute path"
            ))
            .next("set one of them, or name a file with `--store`")
    })
}

/// Makes the directory of a store, with those above it, accessible to its owner only. One that is
/// there stays as it is.
pub fn make_directory(store: &Path) -> Result<(), Failure> {
    let Some(directory) = store.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| {
        Failure::new(format!("could not make the directory `{}`", directory.display()))
            .because(error)
            .next("name a file in a directory that you may write with `--store`")
    })
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    fn path(variables: &[(&str, &str)]) -> Result<PathBuf, Failure> {
        default_path(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_state_directory_comes_before_the_home() {
        let both = path(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]);
        assert_eq!(both, Ok(PathBuf::from("/s/presence/presence.db")));
        let home = path(&[("HOME", "/h")]);
        assert_eq!(home, Ok(PathBuf::from("/h/.local/state/presence/presence.db")));
    }

    #[test]
    fn a_relative_or_empty_variable_counts_as_unset() {
        let home = Ok(PathBuf::from("/h/.local/state/presence/presence.db"));
        assert_eq!(path(&[("XDG_STATE_HOME", "state"), ("HOME", "/h")]), home);
        assert_eq!(path(&[("XDG_STATE_HOME", ""), ("HOME", "/h")]), home);
    }

    #[test]
    fn without_a_home_the_failure_says_what_to_set() {
        let failure = path(&[]).expect_err("no home");
        assert!(failure.to_string().contains("`--store`"), "{failure}");
    }

    #[test]
    fn directories_are_made_for_the_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a directory");
        let made = directory.path().join("a/b");
        make_directory(&made.join("presence.db")).expect("made");
        for made in [made.as_path(), &directory.path().join("a")] {
            let mode = std::fs::metadata(made).expect("made").permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }
}
