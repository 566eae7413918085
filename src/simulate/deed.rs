//! What was done to a device, and when: one half of the join that everything here is for.

use super::plan::Death;
use std::net::SocketAddr;
use std::time::Duration;

/// One thing that happened to a device on our side of the line. Times are those of
/// [`uptime`](crate::clock::uptime).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub device: u32,
    /// Which of the device's planned lives, from 0.
    pub life: u32,
    /// Which of the device's connections, from 0: a device that comes back within a life has more
    /// connections than lives.
    pub connection: u32,
    pub at: Duration,
    /// When the last packet of the connection was handed to the network.
    pub last_sent: Duration,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// CONNACK came.
    Connected {
        local: Option<SocketAddr>,
        session_present: bool,
        /// From the intended moment.
        took: Duration,
        /// When CONNECT was handed to the network.
        asked: Duration,
        /// The keep alive that holds, in seconds: the broker's own where it has one (MQTT 5).
        keep_alive: u16,
    },
    /// No connection came about. `reason` is short and the same for the same cause, to be counted by.
    Failed { reason: String, is_refusal: bool },
    /// It ended as planned. A silent one has fallen silent; of one that was taken over, `at` is when
    /// the newcomer sent its CONNECT.
    Died(Death),
    /// The device found no answer and closed the connection without a goodbye. Where nothing passes
    /// any more, the broker cannot have seen that.
    GaveUp,
    /// The broker closed the connection of a silent one: it has noticed.
    Noticed,
    /// It ended otherwise: the broker closed it, or the network did.
    Lost { reason: String },
    /// Something that it sent was refused, a subscription or a message; it lives on. Once a life.
    Refused { reason: String },
    /// It ended by DISCONNECT before its time, because the run was stopped.
    Stopped,
}
