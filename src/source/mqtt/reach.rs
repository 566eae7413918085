//! Where an attempt to connect goes: the addresses of a host, looked up once.
//!
//! rumqttc looks a name up by itself, at every attempt, and gives the first address all the time there
//! is. So it is handed addresses instead, one after the other. Over `mqtts://` it cannot be: the host it
//! connects to is also the name it looks for in the certificate. There it is given the name, looks it
//! up once, and tries every address by itself; one that swallows packets eats the time of those behind.

use super::trouble::{Stage, Trouble};
use crate::config::broker::{Broker, Scheme};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::time::timeout;

/// One place to connect to.
#[derive(Debug)]
pub enum Place {
    Address(SocketAddr),
    /// A name that the library looks up, and the port.
    Name(String, u16),
}

impl Place {
    /// Returns the host for the library: an address of IPv6 in brackets, a name without.
    pub fn host(&self) -> String {
        match self {
            Self::Address(address) => {
                // Not `ip()`, which drops the zone of a link-local address.
                let both = address.to_string();
                both.rsplit_once(':').map_or(both.as_str(), |(host, _)| host).to_owned()
            }
            Self::Name(host, _) => host.clone(),
        }
    }

    /// Says that no TCP connection came about.
    pub fn unreachable(&self, error: io::Error) -> Trouble {
        match self {
            Self::Address(address) => Trouble::Unreachable(address.to_string(), error),
            // Errors of the system have a number, those of the resolver have none.
            Self::Name(host, _) if error.raw_os_error().is_none() => {
                Trouble::UnknownHost(host.clone(), Some(error))
            }
            Self::Name(host, port) => Trouble::Unreachable(format!("{host}:{port}"), error),
        }
    }
}

/// Looks up where a broker is. There is at least one place.
pub async fn places(broker: &Broker) -> Result<Vec<Place>, Trouble> {
    if broker.scheme == Scheme::Mqtts {
        return Ok(vec![Place::Name(broker.host_name(), broker.port)]);
    }
    Ok(addresses(broker.host_name(), broker.port).await?.into_iter().map(Place::Address).collect())
}

/// Looks the addresses of a broker up, within a time. There is at least one.
pub async fn addresses_within(
    broker: &Broker,
    limit: Duration,
) -> Result<Vec<SocketAddr>, Trouble> {
    let looked_up = addresses(broker.host_name(), broker.port);
    timeout(limit, looked_up).await.unwrap_or(Err(Trouble::Slow(Stage::Lookup)))
}

/// Looks the addresses of a host up. There is at least one.
pub async fn addresses(host: String, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
    match lookup_host((host.as_str(), port)).await.map(Iterator::collect::<Vec<_>>) {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(Trouble::UnknownHost(host, None)),
        Err(error) => Err(Trouble::UnknownHost(host, Some(error))),
    }
}
