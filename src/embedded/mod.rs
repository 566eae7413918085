//! The built-in broker: a test stand and a teaching aid, in one thread.
//!
//! [`core`] decides everything and touches nothing; what is left here holds sockets and a clock. It
//! keeps nothing on disk: a broker that ends forgets sessions and retained messages.

mod connection;
pub mod core;
mod running;
mod shared;
mod websocket;

use self::core::Logins;
use self::core::faults::Faults;
use self::core::limits::Limits;
use self::core::notices::NoticeTopic;
use crate::config::listen::Address;
use crate::failure::Failure;
use bytes::Bytes;
pub use running::Running;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use tokio::sync::mpsc::Sender;

/// What a broker is made from.
#[derive(Clone, Debug)]
pub struct Options {
    pub listen: Vec<Address>,
    /// `None` lets everybody in, which is only possible on loopback.
    pub logins: Option<Logins>,
    pub notice_topic: NoticeTopic,
    pub limits: Limits,
    pub faults: Faults,
    /// Where a copy of each notice goes, if anywhere. What it has no room for is counted as dropped.
    pub copies: Option<Sender<Bytes>>,
}

impl Options {
    /// Returns those of a broker on a free port of loopback, with everything as usual.
    pub fn on_a_free_port() -> Self {
        Self {
            listen: vec![Address::loopback(0)],
            logins: None,
            notice_topic: NoticeTopic::default(),
            limits: Limits::default(),
            faults: Faults::default(),
            copies: None,
        }
    }
}

/// A broker that can be connected to, but does not answer before it [runs](Broker::run).
#[derive(Debug)]
pub struct Broker {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    options: Options,
}

impl Broker {
    /// Begins to listen.
    ///
    /// Errors: an address that cannot be listened on, or that others can reach while everybody would
    /// be let in.
    pub fn bind(options: Options) -> Result<Self, Failure> {
        let mut listeners = Vec::new();
        for address in &options.listen {
            let resolved = resolve(address)?;
            if let Some(public) = resolved.iter().find(|found| !found.ip().is_loopback())
                && options.logins.is_none()
            {
                return Err(Failure::misuse(format!("`--listen {address}` lets everybody in"))
                    .because(format!("others can reach {public}, and no passwords are known"))
                    .next("pass `--password-file`, or listen on 127.0.0.1"));
            }
            listeners.push(listen(address, &resolved)?);
        }
        let addresses: Result<Vec<_>, _> = listeners.iter().map(TcpListener::local_addr).collect();
        let addresses =
            addresses.map_err(|error| Failure::new("could not listen").because(error))?;
        Ok(Self { listeners, addresses, options })
    }

    /// Returns where it listens, one for each address asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

fn resolve(address: &Address) -> Result<Vec<SocketAddr>, Failure> {
    let refuse = |cause: String| {
        Failure::new(format!("could not listen on {address}"))
            .because(cause)
            .next("give an address of this machine, as in `--listen 127.0.0.1:1883`")
    };
    let found = (address.host.as_str(), address.port)
        .to_socket_addrs()
        .map_err(|error| refuse(error.to_string()))?;
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() { Err(refuse("it has no address".into())) } else { Ok(found) }
}

/// Listens on the first of the addresses of a host that can be listened on.
fn listen(address: &Address, resolved: &[SocketAddr]) -> Result<TcpListener, Failure> {
    let mut listener = Err(io::ErrorKind::AddrNotAvailable.into());
    for one in resolved {
        listener = listen_at(*one);
        if listener.is_ok() {
            break;
        }
    }
    listener.map_err(|error| {
        let refuse = Failure::new(format!("could not listen on {address}")).because(&error);
        match error.kind() {
            io::ErrorKind::AddrInUse => refuse.next(
                "stop what listens there, or let the system choose a free port: \
                 `--listen 127.0.0.1:0`",
            ),
            io::ErrorKind::PermissionDenied => {
                refuse.next("choose a port from 1024 on, as in `--listen 127.0.0.1:1883`")
            }
            _ => refuse.next("give an address of this machine, as in `--listen 127.0.0.1:1883`"),
        }
    })
}

/// The standard library lets 128 connections wait: a fleet that comes back at once is more, and each
/// of the others would try again a second later.
fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A broker that comes back need not wait until the last packets of the one before are gone.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Connections that wait to be accepted.
const BACKLOG: i32 = 4_096;
