//! `presence` tells whether an MQTT client is online, and shows the evidence.
//!
//! Data flows one way: *message → dialect → event → state → verdict → output*. The pure centre
//! (`event`, `state`, `dialect`) reads no clock, no network and no file; everything else hands it
//! time, seeds and bytes.

pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod dialect;
pub mod disorder;
#[cfg(feature = "broker")]
pub mod embedded;
pub mod event;
pub mod failure;
pub mod nearest;
pub mod output;
pub mod probe;
pub mod publish;
pub mod query;
pub mod random;
pub mod secret;
pub mod serve;
pub mod sign;
pub mod simulate;
pub mod source;
pub mod state;
pub mod store;
pub mod sys;
pub mod table;
pub mod web;
pub mod wire;
