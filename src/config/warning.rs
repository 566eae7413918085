//! What is worth saying about a configuration that works.

use std::fmt;

/// Every warning about the options of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The password stands in the URL of this broker.
    PasswordInUrl { broker: String },
    /// Whoever answers for this broker is believed.
    Unverified { broker: String },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PasswordInUrl { broker } => write!(
                f,
                "the password of {broker} stands in its URL, where `ps` shows it to every user of \
                 this machine (use `--password-file`)"
            ),
            Self::Unverified { broker } => write!(
                f,
                "the certificate of {broker} is not verified (`--insecure`): anyone on the way can \
                 pose as the broker"
            ),
        }
    }
}
