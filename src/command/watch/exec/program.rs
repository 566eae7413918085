//! The command line of `--exec`: split once, and its program found once, before anything is watched.

use crate::failure::Failure;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<String>,
}

impl Program {
    /// Reads a command line; `search` is the value of `PATH`.
    ///
    /// Errors: a command line that does not end, is empty, or names no program that can be run (exit 2).
    pub fn read(line: &str, search: Option<&OsStr>) -> Result<Self, Failure> {
        let misuse = || Failure::misuse("`--exec` cannot be run as given");
        let mut words = shell_words::split(line)
            .map_err(|_| misuse().because("a quote is never closed").next("close it"))?;
        if words.is_empty() || words[0].is_empty() {
            return Err(misuse()
                .because("it names no program")
                .next("pass a program and its arguments, as in `--exec 'notify-send pump'`"));
        }
        let name = words.remove(0);
        let path = find(&name, search).map_err(|cause| {
            misuse().because(cause).next(
                "pass a program of your `PATH`, or the path of one that may be run (`chmod +x`)",
            )
        })?;
        Ok(Self { path, arguments: words })
    }
}

/// Returns where a program lies, as an absolute path, so that it stays the same one.
fn find(name: &str, search: Option<&OsStr>) -> Result<PathBuf, String> {
    if name.contains('/') {
        let path = Path::new(name);
        if is_program(path) {
            return std::path::absolute(path).map_err(|error| format!("`{name}`: {error}"));
        }
        let what = if path.exists() { "may not be run" } else { "is not there" };
        return Err(format!("`{name}` {what}"));
    }
    std::env::split_paths(search.unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
        .and_then(|path| std::path::absolute(path).ok())
        .ok_or_else(|| format!("there is no program `{name}` in `PATH`"))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Program, Failure> {
        Program::read(line, Some(OsStr::new("/usr/bin:/bin")))
    }

    #[test]
    fn quotes_and_backslashes_keep_together_and_nothing_else_means_anything() {
        let line = r#"/bin/sh -c 'a b' "c \"d" e\ f $HOME *.txt ; | `x` ''"#;
        let read = read(line).expect("there is a shell");
        let expected = ["-c", "a b", "c \"d", "e f", "$HOME", "*.txt", ";", "|", "`x`", ""];
        assert_eq!(
            (read.path, read.arguments),
            ("/bin/sh".into(), expected.map(Into::into).into())
        );
    }

    #[test]
    fn a_program_is_found_once_and_absolutely() {
        assert!(read("sh").is_ok_and(|program| program.path.is_absolute()));
        for (line, cause) in [
            ("", "it names no program"),
            ("   ", "it names no program"),
            ("''", "it names no program"),
            ("sh 'x", "a quote is never closed"),
            ("no-such-program-here x", "there is no program `no-such-program-here`"),
            ("/bin", "`/bin` may not be run"),
            ("/etc/passwd", "`/etc/passwd` may not be run"),
            ("./not/there", "`./not/there` is not there"),
        ] {
            let failure = read(line).expect_err(line);
            assert_eq!(failure.outcome.code(), 2);
            assert!(failure.to_string().contains(cause), "{failure}");
        }
        assert!(Program::read("sh", None).is_err(), "without a PATH nothing is found");
    }
}
