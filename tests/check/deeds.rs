//! What is done to clients, one deed each, and what a check has to answer then.

use crate::client::Client;
use presence::wire::{Connect, Disconnect, Packet, Version};
use std::net::SocketAddr;

/// Notices of silence are due after this and half of it; some brokers take three times as long.
const KEEP_ALIVE_S: u16 = 2;

/// Something that was done to the client of an id of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    JustConnected,
    CleanEnd,
    Killed,
    SilentWithin,
    SilentAfter,
    TakenOver,
    PersistentAway,
    NeverSeen,
}

impl Deed {
    pub fn id(self) -> String {
        format!("deed-{self:?}")
    }

    /// Does it, and returns the clients that are to stay until the question was answered.
    pub fn done(self, address: SocketAddr) -> Vec<Client> {
        self.done_by(address, &Connect::new(Version::V311, self.id()))
    }

    /// Does it with the account of its own at a broker that lets nobody in without one.
    pub fn done_with(self, address: SocketAddr, password: &'static str) -> Vec<Client> {
        let (username, password) = (Some(self.id()), Some(password.into()));
        let connect = Connect::new(Version::V311, self.id());
        self.done_by(address, &Connect { username, password, ..connect })
    }

    fn done_by(self, address: SocketAddr, connect: &Connect) -> Vec<Client> {
        let connect = |keep_alive, clean_start| {
            Client::connect(address, Connect { keep_alive, clean_start, ..connect.clone() })
        };
        match self {
            Self::JustConnected => vec![connect(60, true)],
            Self::CleanEnd => {
                let mut client = connect(60, true);
                client.send(&Packet::Disconnect(Disconnect::default()));
                client.closed();
                Vec::new()
            }
            Self::Killed => {
                connect(60, true).die();
                Vec::new()
            }
            Self::SilentWithin => vec![connect(600, true)],
            Self::SilentAfter => {
                let mut client = connect(KEEP_ALIVE_S, true);
                client.closed();
                vec![client]
            }
            Self::TakenOver => {
                let mut first = connect(60, true);
                let second = connect(60, true);
                first.closed();
                vec![second]
            }
            Self::PersistentAway => {
                let mut client = connect(60, false);
                client.send(&Packet::Disconnect(Disconnect::default()));
                client.closed();
                Vec::new()
            }
            Self::NeverSeen => Vec::new(),
        }
    }

    /// Returns the states that it brings the client into, one after the other, for whoever listens.
    pub const fn course(self) -> &'static [&'static str] {
        match self {
            Self::JustConnected | Self::SilentWithin => &["online"],
            Self::CleanEnd | Self::Killed | Self::SilentAfter | Self::PersistentAway => {
                &["online", "offline"]
            }
            Self::TakenOver => &["online", "online"],
            Self::NeverSeen => &[],
        }
    }
}
