//! Text that must never be shown.

use std::ffi::{OsStr, OsString};
use std::fmt;

/// A password, or what may hold one. Printing it in any way gives `(redacted)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text itself. For the wire; never for a message.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// What was typed where a password may stand in it, such as a URL. It need not be text: it may be the
/// path of a file too. Printing it gives `(redacted)`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretPlace(OsString);

impl SecretPlace {
    /// Returns what was typed. For parsing; never for a message.
    #[must_use]
    pub fn reveal(&self) -> &OsStr {
        &self.0
    }
}

impl From<OsString> for SecretPlace {
    fn from(typed: OsString) -> Self {
        Self(typed)
    }
}

impl fmt::Debug for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let secret = Secret::from("hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)).matches("hunter2").count(),
            0
        );
        assert_eq!(secret.reveal(), "hunter2");
    }
}
