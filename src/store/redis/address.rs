//! Where a Redis is, and who to be there.

use super::super::server::{Host, check_authorities, read_host, read_user};
use crate::failure::Failure;
use crate::secret::Secret;
use std::fmt;
use std::path::PathBuf;

const PORT: u16 = 6379;
/// Redis has 16 databases by default; an administrator may allow more.
const DATABASE_MAX: i64 = 65_535;
const EXAMPLE: &str = "write `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`, or `rediss://` for TLS; \
    several hosts of a Cluster are separated by commas";

/// How to reach a Redis, or any of the nodes of a Cluster.
///
/// Printed without user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub tls: bool,
    /// At least one. Several are nodes of one Cluster, any of which can tell of the others.
    pub hosts: Vec<Host>,
    pub database: i64,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// Believe only the authorities in this PEM file; without it those of the system.
    pub cafile: Option<PathBuf>,
}

impl Address {
    /// Tells whether a name of a store is meant to be read here, and not as a path.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        scheme(text).is_some()
    }

    /// Reads a URL. Errors never show it, since a password may stand in it.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let refuse = |cause: &str| {
            Failure::misuse("`--store` is no address of a Redis").because(cause).next(EXAMPLE)
        };
        let (tls, rest) = scheme(text).ok_or_else(|| refuse("it begins with another scheme"))?;
        if rest.contains(['?', '#']) {
            return Err(refuse("it holds a `?` or `#`, and there is nothing to ask for"));
        }
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(u, rest)| (Some(u), rest));
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (username, password) = read_user(user.unwrap_or_default())
            .ok_or_else(|| refuse("user or password are no percent-encoded UTF-8"))?;
        Ok(Self {
            tls,
            hosts: hosts
                .split(',')
                .map(|host| read_host(host, PORT))
                .collect::<Result<_, _>>()
                .map_err(refuse)?,
            database: read_database(database)
                .ok_or_else(|| refuse("the number of its database is none"))?,
            username,
            password,
            cafile: None,
        })
    }

    /// Looks at the file of authorities, so that what is wrong with it is not taken for a fault of the
    /// server.
    pub(super) fn check_authorities(&self) -> Result<(), Failure> {
        self.cafile.as_deref().filter(|_| self.tls).map_or(Ok(()), check_authorities)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss://" } else { "redis://" })?;
        for (at, host) in self.hosts.iter().enumerate() {
            write!(f, "{}{host}", if at == 0 { "" } else { "," })?;
        }
        if self.database != 0 {
            write!(f, "/{}", self.database)?;
        }
        Ok(())
    }
}

/// Returns whether it is about TLS, and what follows the scheme.
fn scheme(text: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "redis" => Some((false, rest)),
        "rediss" => Some((true, rest)),
        _ => None,
    }
}

fn read_database(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= DATABASE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_understood() {
        for (text, shown) in [
            ("redis://h", "redis://h:6379"),
            ("REDIS://H:7000/3", "redis://h:7000/3"),
            ("rediss://user:p%40ss@h/0", "rediss://h:6379"),
            ("redis://:pass@10.0.0.1:1,10.0.0.2:2,h3", "redis://10.0.0.1:1,10.0.0.2:2,h3:6379"),
            ("redis://[::1]:7000,[fe80::1]", "redis://[::1]:7000,[fe80::1]:6379"),
            ("redis://u:a:b@c@h/", "redis://h:6379"),
        ] {
            let read = Address::read(text).expect(text);
            assert_eq!(read.to_string(), shown, "{text}");
        }
        let read = Address::read("redis://us%20er:p%40s:s@h").expect("a user");
        assert_eq!(read.username.as_deref(), Some("us er"));
        assert_eq!(read.password.as_ref().map(Secret::reveal), Some("p@s:s"));
        assert_eq!(Address::read("redis://:x@h").expect("no user").username, None);
    }

    #[test]
    fn what_is_none_is_refused_without_a_word_of_the_password() {
        for text in [
            "redis://",
            "redis://u:hunter2@",
            "redis://u:hunter2@h:0",
            "redis://u:hunter2@h:99999",
            "redis://u:hunter2@h:x",
            "redis://u:hunter2@h/one",
            "redis://u:hunter2@h/-1",
            "redis://u:hunter2@h/+1",
            "redis://u:hunter2@h,,i",
            "redis://u:hunter2@h?ssl=1",
            "redis://u:hunter2@[::1",
            "redis://u:hunter2@::1",
            "redis://u:hunter2%ff@h",
        ] {
            let failure = Address::read(text).expect_err(text);
            assert_eq!(failure.outcome, crate::failure::Outcome::Misused);
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn paths_are_not_meant() {
        for path in ["presence.db", "/a/redis://", "file:redis", "redis:", "http://h"] {
            assert!(!Address::is_meant(path), "{path}");
        }
    }

    #[test]
    fn no_print_of_it_shows_the_password() {
        let read = Address::read("redis://u:hunter2@h").expect("read");
        assert!(!format!("{read} {read:?}").contains("hunter2"));
    }
}
