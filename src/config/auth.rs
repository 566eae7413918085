//! How a client says who it is: by a user and a password as they were typed, or by what Alibaba Cloud's
//! MQTT wants in their places, which is made anew for each client id.

use super::access_key::{self, AccessKey, Secrets};
use super::broker::{Broker, UserInfo};
use super::connection::password_from;
use crate::cli::connection as cli;
use crate::failure::Failure;
use crate::secret::Secret;
use crate::sign::hmac_sha1;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use cli::Auth as Word;

/// How a client says who it is.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// User and password are those of the connection.
    #[default]
    Plain,
    Aliyun(Aliyun),
}

/// What Alibaba Cloud's MQTT is shown.
#[derive(Clone, Debug)]
pub struct Aliyun {
    /// Its instance.
    pub instance: String,
    pub way: Way,
}

#[derive(Clone, Debug)]
pub enum Way {
    /// An account's access key signs every client id.
    Signature(AccessKey),
    /// Each client has a key of its own; `None` where a table has them.
    Device(Option<AccessKey>),
    /// Tokens that somebody applied for with this access key.
    Token { id: String, tokens: Tokens },
}

/// User and password of one client.
pub type Login = (Option<String>, Option<Secret>);

impl Auth {
    /// Reads the options that say so, for one broker.
    ///
    /// Errors: options that contradict each other or lack something (exit 2); a file that cannot be read
    /// (exit 4).
    pub fn read(
        options: &cli::Connection,
        broker: &Broker,
        url: &UserInfo,
        secrets: &Secrets,
    ) -> Result<Self, Failure> {
        let word = options.auth;
        if word != Word::AliyunToken && options.auth_token_file.is_some() {
            return Err(Failure::misuse("`--auth-token-file` without `--auth aliyun-token`")
                .because("no other way of saying who we are takes a token")
                .next("add `--auth aliyun-token`, or leave `--auth-token-file` out"));
        }
        if word == Word::Plain {
            return Ok(Self::Plain);
        }
        check_alone(options, url)?;
        let instance = instance(options, &broker.host_name(), &broker.to_string())?;
        let needs_id = || {
            Failure::misuse(format!("`--auth {word}` without an access key"))
                .because("the user name that the service wants holds the id of one")
                .next("add `--access-key-id`")
        };
        let key = || access_key::read(&options.access_key, secrets);
        let way = match word {
            Word::AliyunToken => {
                let id = access_key::id(&options.access_key)?.ok_or_else(needs_id)?.to_owned();
                let Some(path) = &options.auth_token_file else {
                    return Err(Failure::misuse("`--auth aliyun-token` without a token")
                        .because("the tokens are the password that the service wants")
                        .next("write `RW|` and the token into a file, and name that with `--auth-token-file`"));
                };
                Way::Token { id, tokens: Tokens::read(path)? }
            }
            Word::AliyunDevice => Way::Device(key()?),
            _ => Way::Signature(key()?.ok_or_else(needs_id)?),
        };
        Ok(Self::Aliyun(Aliyun { instance, way }))
    }

    #[must_use]
    pub const fn is_token(&self) -> bool {
        matches!(self, Self::Aliyun(Aliyun { way: Way::Token { .. }, .. }))
    }

    /// Tells whether other clients can say who they are in the same way.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Aliyun(aliyun) => aliyun.is_shared(),
        }
    }

    /// Reads tokens again where they stand in a file, so that renewed ones are used from now on. To be done
    /// before each connection.
    ///
    /// Errors: a file that cannot be read any more, or holds no tokens.
    pub fn renew(&self) -> Result<(), Failure> {
        match self {
            Self::Aliyun(Aliyun { way: Way::Token { tokens, .. }, .. }) => tokens.renew(),
            _ => Ok(()),
        }
    }
}

impl Aliyun {
    /// Returns user and password of a client; none where only a table knows its key.
    #[must_use]
    pub fn login(&self, client_id: &str) -> Login {
        match &self.way {
            Way::Signature(key) => self.signed("Signature", &key.id, &key.secret, client_id),
            Way::Device(Some(key)) => self.of_device(&key.id, &key.secret, client_id),
            Way::Device(None) => (None, None),
            Way::Token { id, tokens } => (Some(self.user("Token", id)), Some(tokens.now())),
        }
    }

    /// Tells whether one key is good for any client.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        !matches!(self.way, Way::Device(_))
    }

    /// Returns user and password of a client that has a key of its own.
    #[must_use]
    pub fn of_device(&self, id: &str, secret: &Secret, client_id: &str) -> Login {
        self.signed("DeviceCredential", id, secret, client_id)
    }

    fn signed(&self, word: &str, id: &str, secret: &Secret, client_id: &str) -> Login {
        (Some(self.user(word, id)), Some(hmac_sha1(secret, client_id.as_bytes())))
    }

    fn user(&self, word: &str, id: &str) -> String {
        format!("{word}|{id}|{}", self.instance)
    }

    /// Checks the client id that is to be used.
    ///
    /// Errors: one that the service does not take, or that nobody can sign (exit 2).
    pub fn check_client(&self, client_id: &str) -> Result<(), Failure> {
        self.check_key()?;
        if has_group(client_id) { Ok(()) } else { Err(no_group()) }
    }

    /// Checks that there is a key, where no table has one for each client.
    pub fn check_key(&self) -> Result<(), Failure> {
        if !matches!(self.way, Way::Device(None)) {
            return Ok(());
        }
        Err(Failure::misuse("`--auth aliyun-device` without the key of the device")
            .because("each device has a key of its own, which the service gave out for its id")
            .next("add `--access-key-id` and `--access-key-secret-file`"))
    }
}

/// Tells whether a client id has the form that the service demands.
#[must_use]
pub fn has_group(client_id: &str) -> bool {
    let parts = client_id.split_once(BETWEEN);
    parts.is_some_and(|(group, device)| !group.is_empty() && !device.is_empty())
}

/// Says that a client id has none.
#[must_use]
pub fn no_group() -> Failure {
    Failure::misuse("the client id has no group")
        .because(format!(
            "Alibaba Cloud's MQTT takes `GROUP{BETWEEN}DEVICE`, and closes the connection on any other id"
        ))
        .next(format!(
            "pass one of a group that exists, as in `--client-id 'GID_ops{BETWEEN}presence-1'`"
        ))
}

/// Tells whether a host is one of Alibaba Cloud's MQTT.
#[must_use]
pub fn is_aliyun_host(host: &str) -> bool {
    host.to_ascii_lowercase().ends_with(HOSTS)
}

/// What the user name holds cannot be chosen, too.
fn check_alone(options: &cli::Connection, url: &UserInfo) -> Result<(), Failure> {
    let flag = match (options, url) {
        (cli::Connection { username: Some(_), .. }, _) => "`--username`",
        (cli::Connection { password_file: Some(_), .. }, _) => "`--password-file`",
        (cli::Connection { password_stdin: true, .. }, _) => "`--password-stdin`",
        (_, UserInfo { username: Some(_), .. } | UserInfo { password: Some(_), .. }) => {
            "a user in the URL"
        }
        _ => return Ok(()),
    };
    let word = options.auth;
    Err(Failure::misuse(format!("{flag} with `--auth {word}`"))
        .because("user and password are made of the access key and the client id")
        .next(format!("leave it out, or leave `--auth {word}` out")))
}

/// Returns the instance: as it was typed, or as the host begins.
pub(super) fn instance(
    options: &cli::Connection,
    host: &str,
    shown: &str,
) -> Result<String, Failure> {
    let typed = options.aliyun_instance.as_deref();
    let found = typed.or_else(|| {
        let (first, _) = host.split_once('.').filter(|_| is_aliyun_host(host))?;
        // At its other doors, and within its own network, an instance has another name.
        Some(INNER.iter().find_map(|end| first.strip_suffix(end)).unwrap_or(first))
    });
    let is_id = |id: &&str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !id.is_empty() && id.len() <= ID_MAX && id.chars().all(is_part)
    };
    match found.filter(is_id) {
        Some(id) => Ok(id.to_owned()),
        None if typed.is_some() => {
            Err(Failure::misuse("`--aliyun-instance` cannot be used as given")
                .because("the id of an instance has letters, digits, `-` and `_`")
                .next("pass it as the console shows it, as in `--aliyun-instance post-cn-0pp12gl`"))
        }
        None => Err(Failure::misuse(format!("{shown} does not say which instance it is"))
            .because("the user name that the service wants holds the id of the instance")
            .next("add `--aliyun-instance`, as in `--aliyun-instance post-cn-0pp12gl`")),
    }
}

/// Tokens in a file, as they were when it was read last. Whoever shares them sees it.
#[derive(Clone)]
pub struct Tokens {
    path: PathBuf,
    now: Arc<Mutex<Secret>>,
}

impl Tokens {
    fn read(path: &Path) -> Result<Self, Failure> {
        let now = Arc::new(Mutex::new(tokens_from(path)?));
        Ok(Self { path: path.to_owned(), now })
    }

    fn renew(&self) -> Result<(), Failure> {
        let tokens = tokens_from(&self.path)?;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
        Ok(())
    }

    fn now(&self) -> Secret {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("path", &self.path).finish_non_exhaustive()
    }
}

fn tokens_from(path: &Path) -> Result<Secret, Failure> {
    joined(password_from(path)?.reveal()).map_err(|cause| {
        Failure::misuse(format!("`{}` holds no tokens", path.display()))
            .because(cause)
            .next("write `RW|` and the token, or a line with `R|` and one with `W|`")
    })
}

/// Joins tokens to the password that the service wants: types and tokens by turns.
///
/// Shape: `RW|token`, `R|token|W|token`, or the same on lines of their own.
/// Source: "Client operations for token-based authentication" of the vendor (2026-01).
fn joined(text: &str) -> Result<Secret, &'static str> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let joined = lines.join("|");
    let parts: Vec<&str> = joined.split('|').collect();
    let (pairs, rest) = parts.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("before each token stands its type, `R`, `W` or `RW`, and a `|`");
    }
    for (at, [kind, token]) in pairs.iter().enumerate() {
        if !matches!(*kind, "R" | "W" | "RW") {
            return Err("the type of a token is `R`, `W` or `RW`");
        }
        if token.is_empty() {
            return Err("a token is empty");
        }
        if pairs[..at].iter().any(|[other, _]| other == kind) {
            return Err("a client has one token of each type");
        }
    }
    Ok(Secret::from(joined))
}

/// Between group and device in a client id.
pub const BETWEEN: &str = "@@@";
const HOSTS: &str = ".mqtt.aliyuncs.com";
const INNER: [&str; 5] =
    ["-server-internet", "-server-internal", "-internal-vpc", "-internal", "-vpc"];
const ID_MAX: usize = 64;

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
