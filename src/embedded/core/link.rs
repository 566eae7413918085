//! One connection, as the broker keeps it.

use super::{LinkKey, Moment, SessionKey};
use crate::wire::{self, Packet, Version};
use bytes::BytesMut;
use std::net::SocketAddr;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not said who it is.
    HalfOpen,
    Open(SessionKey),
    /// The last word is said. The other end has a little time to read it.
    Closing,
    /// Whoever holds the connection drops it.
    Dead,
}

#[derive(Debug)]
pub struct Link {
    pub address: SocketAddr,
    pub state: State,
    pub version: Version,
    /// What is to be written next.
    pub out: BytesMut,
    /// Bytes that were taken to be written, and are not yet.
    pub unsent: usize,
    /// Is in the list of those that have something to do.
    pub is_woken: bool,
    pub last_packet: u64,
    /// 0 for never.
    pub silence_max: u64,
    pub timer: Option<u64>,
    /// The longest packet that the client takes.
    pub packet_max: usize,
    /// Messages that may be unacknowledged.
    pub window: u16,
}

impl Link {
    pub fn new(address: SocketAddr, now: Moment) -> Self {
        Self {
            address,
            state: State::HalfOpen,
            version: Version::V311,
            out: BytesMut::new(),
            unsent: 0,
            is_woken: false,
            last_packet: now.steady_ms,
            silence_max: 0,
            timer: None,
            packet_max: usize::MAX,
            window: u16::MAX,
        }
    }

    /// Tells whether there is more to be written than the other end has read so far.
    pub fn is_congested(&self, out_max: usize) -> bool {
        self.out.len() + self.unsent >= out_max
    }

    pub fn is_v5(&self) -> bool {
        self.version == Version::V5
    }

    /// Appends a packet. Returns `false`, and does nothing, if the client cannot take it.
    pub fn write(&mut self, packet: &Packet) -> bool {
        let before = self.out.len();
        let written = wire::write(packet, self.version, &mut self.out).is_ok();
        let fits = written && self.out.len() - before <= self.packet_max;
        if !fits {
            self.out.truncate(before);
        }
        fits
    }
}

/// Tells a link from all others, for ever.
impl LinkKey {
    pub(super) const fn after(self) -> Self {
        Self(self.0 + 1)
    }
}
