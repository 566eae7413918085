//! Servers that keep state: which engine, where, who to be there, and whom to believe.

use super::{postgres, redis};
use crate::failure::Failure;
use crate::secret::Secret;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt;
use std::path::{Path, PathBuf};

/// How to reach a server, printed without user and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    Redis(redis::Address),
    Postgres(postgres::Address),
}

impl Server {
    /// Tells whether a name of a store is meant to be read here, and not as a path.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        redis::Address::is_meant(text) || postgres::Address::is_meant(text)
    }

    /// Reads a URL. Errors never show it, since a password may stand in it.
    pub fn read(text: &str) -> Result<Self, Failure> {
        if postgres::Address::is_meant(text) {
            return postgres::Address::read(text).map(Self::Postgres);
        }
        redis::Address::read(text).map(Self::Redis)
    }

    /// Returns what the engine is called where its name stands in that of a file.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Redis(_) => "redis",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Tells whether a server gives space back by itself.
    #[must_use]
    pub const fn compacts_itself(&self) -> bool {
        matches!(self, Self::Redis(_))
    }

    #[must_use]
    pub const fn has_password(&self) -> bool {
        match self {
            Self::Redis(address) => address.password.is_some(),
            Self::Postgres(address) => address.password.is_some(),
        }
    }

    pub fn set_password(&mut self, password: Secret) {
        match self {
            Self::Redis(address) => address.password = Some(password),
            Self::Postgres(address) => address.password = Some(password),
        }
    }

    /// Takes from the environment what clients of such a server usually take from there.
    pub fn fill(&mut self, variable: impl Fn(&str) -> Option<String>) {
        match self {
            Self::Redis(_) => {}
            Self::Postgres(address) => address.fill(variable),
        }
    }

    /// Tells whether the line is encrypted with whoever answers.
    #[must_use]
    pub fn is_unverified(&self) -> bool {
        matches!(self, Self::Postgres(address)
            if address.encryption == postgres::Encryption::Encrypted && address.cafile.is_none())
    }

    /// Sets whom to believe alone, a PEM file; `None`: whom the system believes.
    pub fn set_authorities(&mut self, cafile: Option<PathBuf>) {
        match self {
            Self::Redis(address) => address.cafile = cafile,
            Self::Postgres(address) => address.cafile = cafile,
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redis(address) => address.fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// One server, by its name or its number; of a PostgreSQL also the folder of a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host {
    pub name: String,
    pub port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

/// Reads `HOST[:PORT]`; without a port it is `port`. Errors say what of it is none.
pub(super) fn read_host(text: &str, port: u16) -> Result<Host, &'static str> {
    let is_v6 = text.starts_with('[');
    let (name, typed) = match text.rsplit_once(':') {
        Some((name, port)) if !is_v6 || name.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let name = if is_v6 {
        let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        inner.filter(|name| name.parse::<std::net::Ipv6Addr>().is_ok())
    } else {
        Some(name).filter(|name| !name.contains([':', '[', ']', '/', ' ']))
    };
    let name = name.filter(|name| !name.is_empty()).ok_or("a host of it is none")?;
    let port = match typed {
        None => port,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("a port of it is none")?,
    };
    Ok(Host { name: name.to_ascii_lowercase(), port })
}

/// Reads `[USER[:PASSWORD]]`, percent-encoded; `None` if that is no UTF-8.
pub(super) fn read_user(text: &str) -> Option<(Option<String>, Option<Secret>)> {
    let (name, password) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
    let filled = |text: &String| !text.is_empty();
    let password = password.map(decode).map_or(Some(None), |read| read.map(Some))?;
    Some((Some(decode(name)?).filter(filled), password.filter(filled).map(Secret::from)))
}

/// Returns a part of a URL as it is meant, `None` if that is no UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(String::from)
}

/// Looks at a file of authorities, so that what is wrong with it is not taken for a fault of the server.
pub(super) fn check_authorities(path: &Path) -> Result<(), Failure> {
    let refuse = |cause: &dyn fmt::Display| {
        Failure::new(format!("could not read `{}`", path.display()))
            .because(cause)
            .next("pass a PEM file with certificates to `--store-cafile`")
    };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(refuse(&"it holds no certificate")),
        Ok(_) => Ok(()),
        Err(error) => Err(refuse(&error)),
    }
}
