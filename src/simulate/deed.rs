//! What was done to a device, and when: one half of the join that everything here is for.

use super::plan::Death;
use crate::event::Timestamp;
use std::net::SocketAddr;
use std::time::Duration;

/// One thing that happened to a device on our side of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub device: u32,
    /// Which of the device's lives, from 0.
    pub life: u32,
    /// Our clock.
    pub at: Timestamp,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// CONNACK came. `took` counts from the intended moment.
    Connected { local: Option<SocketAddr>, session_present: bool, took: Duration },
    /// No connection came about. `reason` is short and the same for the same cause, to be counted by.
    Failed { reason: String, is_refusal: bool },
    /// It ended as planned. A silent one has fallen silent.
    Died(Death),
    /// The broker closed the connection of a silent one: it has noticed.
    Noticed,
    /// It ended otherwise: the broker closed it, or the network did.
    Lost { reason: String },
    /// Something that it sent was refused, a subscription or a message; it lives on. Once a life.
    Refused { reason: String },
    /// It ended by DISCONNECT before its time, because the run was stopped.
    Stopped,
}
