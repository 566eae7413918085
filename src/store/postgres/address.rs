//! Where a PostgreSQL is, and who to be there.

use super::super::server::{self, Host, decode, read_host, read_user};
use crate::failure::Failure;
use crate::secret::Secret;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

const PORT: u16 = 5432;
const EXAMPLE: &str = "write `postgres://USER@HOST[:PORT]/DATABASE`, with `?sslmode=` `verify-full`, `require` \
    or `disable`; several hosts, of which one takes writes, are separated by commas";
/// What would have a meaning in a URL.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'/').add(b'?').add(b'@');

/// How to reach a PostgreSQL, or whichever of several takes writes.
///
/// Printed without user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// At least one.
    pub hosts: Vec<Host>,
    pub database: String,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub encryption: Encryption,
    /// Believe only the authorities in this PEM file; without it those of the system.
    pub cafile: Option<PathBuf>,
}

/// What is asked of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// None.
    Clear,
    /// TLS, with whoever answers: against those who listen, not against those who step in between.
    Encrypted,
    /// TLS, with whom an authority certifies to be the host.
    Verified,
}

impl Address {
    /// Tells whether a name of a store is meant to be read here, and not as a path.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        rest_of(text).is_some()
    }

    /// Reads a URL. Errors never show it, since a password may stand in it.
    ///
    /// Without `sslmode` the line is verified TLS, but to this machine itself: there it is clear.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let refuse = |cause: &str| {
            Failure::misuse("`--store` is no address of a PostgreSQL").because(cause).next(EXAMPLE)
        };
        let rest = rest_of(text).ok_or_else(|| refuse("it begins with another scheme"))?;
        if rest.contains('#') {
            return Err(refuse("it holds a `#`, which has no meaning there"));
        }
        let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(u, rest)| (Some(u), rest));
        let (hosts, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (username, password) = read_user(user.unwrap_or_default())
            .ok_or_else(|| refuse("user or password are no percent-encoded UTF-8"))?;
        let database = decode(database).filter(|name| !name.is_empty() && !name.contains('\0'));
        let asked = read_query(query).map_err(|cause| refuse(&cause))?;
        let hosts: Vec<Host> = match (&asked.socket, hosts) {
            (Some(folder), "") => vec![Host { name: folder.clone(), port: PORT }],
            (Some(_), _) => return Err(refuse("it names a host twice")),
            (None, hosts) => hosts
                .split(',')
                .map(read_host_or_socket)
                .collect::<Result<_, _>>()
                .map_err(refuse)?,
        };
        let encryption = asked.encryption.unwrap_or_else(|| {
            let is_here = hosts.iter().all(is_here);
            if is_here { Encryption::Clear } else { Encryption::Verified }
        });
        let address = Self {
            hosts,
            database: database.ok_or_else(|| refuse("it names no database"))?,
            username,
            password,
            encryption,
            cafile: None,
        };
        if encryption != Encryption::Clear && address.hosts.iter().any(is_socket) {
            return Err(refuse("a socket of this machine speaks no TLS"));
        }
        Ok(address)
    }

    /// Takes user and password from the environment where the URL names none, as other clients do.
    pub fn fill(&mut self, variable: impl Fn(&str) -> Option<String>) {
        let filled = |name| variable(name).filter(|text| !text.is_empty());
        self.username = self.username.take().or_else(|| filled("PGUSER"));
        self.password = self.password.take().or_else(|| filled("PGPASSWORD").map(Secret::from));
    }

    /// Looks at what else has to be there, before it is taken for a fault of the server.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.username.is_none() {
            return Err(Failure::misuse(format!("could not tell who to be at {self}"))
                .because("its URL names no user, and `PGUSER` is not set")
                .next("write `postgres://USER@HOST/DATABASE`"));
        }
        match (&self.cafile, self.encryption) {
            (Some(path), Encryption::Verified) => server::check_authorities(path),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        for (at, host) in self.hosts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            if is_socket(host) {
                write!(f, "{}:{}", utf8_percent_encode(&host.name, ENCODED), host.port)?;
            } else {
                host.fmt(f)?;
            }
        }
        write!(f, "/{}", utf8_percent_encode(&self.database, ENCODED))
    }
}

/// Tells whether a host is the folder of a socket.
pub fn is_socket(host: &Host) -> bool {
    host.name.starts_with('/')
}

/// Tells whether a host is this machine.
fn is_here(host: &Host) -> bool {
    is_socket(host)
        || host.name == "localhost"
        || host.name.parse::<IpAddr>().is_ok_and(|number| number.is_loopback())
}

/// Returns what follows the scheme.
fn rest_of(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_ours = ["postgres", "postgresql"].contains(&&*scheme.to_ascii_lowercase());
    is_ours.then_some(rest)
}

/// A folder has its slashes encoded, or it could not be told from the name of the database.
fn read_host_or_socket(text: &str) -> Result<Host, &'static str> {
    let (name, port) = text.rsplit_once(':').unwrap_or((text, ""));
    match decode(name).filter(|name| name.starts_with('/')) {
        None => read_host(text, PORT),
        Some(name) => {
            let port = if port.is_empty() { Ok(PORT) } else { port.parse() };
            Ok(Host { name, port: port.map_err(|_| "a port of it is none")? })
        }
    }
}

/// What a URL asks for after its `?`.
#[derive(Default)]
struct Query {
    encryption: Option<Encryption>,
    socket: Option<String>,
}

fn read_query(query: &str) -> Result<Query, String> {
    let mut asked = Query::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "sslmode" => asked.encryption = Some(read_encryption(value)?),
            "host" => {
                let folder = decode(value).filter(|folder| folder.starts_with('/'));
                let folder = folder.ok_or("its `host=` is no folder of a socket")?;
                asked.socket = Some(folder);
            }
            // Not shown: whatever stands there may be a secret.
            _ => {
                return Err("it asks for something other than `sslmode=` or `host=`".to_owned());
            }
        }
    }
    Ok(asked)
}

fn read_encryption(mode: &str) -> Result<Encryption, String> {
    match mode {
        "disable" => Ok(Encryption::Clear),
        "require" => Ok(Encryption::Encrypted),
        "verify-full" => Ok(Encryption::Verified),
        "allow" | "prefer" => {
            Err(format!("`sslmode={mode}` would go on in the clear without a word"))
        }
        "verify-ca" => Err("`sslmode=verify-ca` would believe any host of an authority".to_owned()),
        _ => Err("its `sslmode=` is none".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Outcome;

    #[test]
    fn what_is_typed_is_understood() {
        use Encryption::{Clear, Encrypted, Verified};
        for (text, shown, encryption) in [
            ("postgres://u@h/d", "postgres://h:5432/d", Verified),
            ("POSTGRESQL://u@H:7000/D", "postgres://h:7000/D", Verified),
            ("postgres://u@h/d?sslmode=require", "postgres://h:5432/d", Encrypted),
            ("postgres://u@h/d?sslmode=disable", "postgres://h:5432/d", Clear),
            ("postgres://u@127.0.0.1/d", "postgres://127.0.0.1:5432/d", Clear),
            ("postgres://u@localhost/d", "postgres://localhost:5432/d", Clear),
            ("postgres://u@[::1]:1/d", "postgres://[::1]:1/d", Clear),
            (
                "postgres://u@localhost/d?sslmode=verify-full",
                "postgres://localhost:5432/d",
                Verified,
            ),
            ("postgres://u@localhost,h:1/d", "postgres://localhost:5432,h:1/d", Verified),
            ("postgres://u@/d?host=/run/pg", "postgres://%2Frun%2Fpg:5432/d", Clear),
            ("postgres://%2Frun%2Fpg:1/d", "postgres://%2Frun%2Fpg:1/d", Clear),
            ("postgres://u:a:b@c@h/a%2Fb%20c", "postgres://h:5432/a%2Fb%20c", Verified),
        ] {
            let read = Address::read(text).expect(text);
            assert_eq!((read.to_string().as_str(), read.encryption), (shown, encryption), "{text}");
            let again = Address::read(&read.to_string()).expect(shown);
            assert_eq!(again.hosts, read.hosts, "{text}");
        }
        let read = Address::read("postgres://us%20er:p%40s:s@h/d").expect("a user");
        assert_eq!(read.username.as_deref(), Some("us er"));
        assert_eq!(read.password.as_ref().map(Secret::reveal), Some("p@s:s"));
    }

    #[test]
    fn what_is_none_is_refused_without_a_word_of_the_password() {
        for text in [
            "postgres://",
            "postgres://u:hunter2@",
            "postgres://u:hunter2@h",
            "postgres://u:hunter2@h/",
            "postgres://u:hunter2@h:0/d",
            "postgres://u:hunter2@h:x/d",
            "postgres://u:hunter2@h,,i/d",
            "postgres://u:hunter2@/d",
            "postgres://u:hunter2@h/d#x",
            "postgres://u:hunter2@h/d?sslmode=prefer",
            "postgres://u:hunter2@h/d?sslmode=allow",
            "postgres://u:hunter2@h/d?sslmode=verify-ca",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u@h/d?password=hunter2",
            "postgres://u:hunter2@h/d?host=/run",
            "postgres://u:hunter2@/d?host=h",
            "postgres://u:hunter2@/d?host=/run&sslmode=require",
            "postgres://u:hunter2%ff@h/d",
            "postgres://u:hunter2@h/%ff",
        ] {
            let failure = Address::read(text).expect_err(text);
            assert_eq!(failure.outcome, Outcome::Misused);
            assert!(!failure.to_string().contains("hunter2"), "{failure}");
        }
    }

    #[test]
    fn the_environment_fills_in_what_the_url_does_not_say() {
        let variable = |name: &str| match name {
            "PGUSER" => Some("of-env".to_owned()),
            "PGPASSWORD" => Some("hunter2".to_owned()),
            _ => None,
        };
        let filled = |text: &str| {
            let mut read = Address::read(text).expect("read");
            read.fill(variable);
            (read.username.clone(), read.password.clone().map(|it| it.reveal().to_owned()))
        };
        let both = |user: &str, password: &str| (Some(user.into()), Some(password.into()));
        assert_eq!(filled("postgres://h/d"), both("of-env", "hunter2"));
        assert_eq!(filled("postgres://u:p@h/d"), both("u", "p"));
        let nobody = Address::read("postgres://h/d").expect("read").check().expect_err("nobody");
        assert_eq!(nobody.outcome, Outcome::Misused);
    }

    #[test]
    fn no_print_of_it_shows_the_password() {
        let read = Address::read("postgres://u:hunter2@h/d").expect("read");
        assert!(!format!("{read} {read:?}").contains("hunter2"));
    }
}
