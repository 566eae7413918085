//! What a command runs on: flags and environment, joined and checked together.
//!
//! What clap cannot see, because it looks at one value at a time, is found here, and said with its
//! cause and what to do next. Nothing here talks to a network.

pub mod access_key;
pub mod api;
pub mod auth;
pub mod broker;
pub mod connection;
pub mod credentials;
pub mod described;
pub mod disorder;
pub mod division;
pub mod door;
pub mod kafka;
#[cfg(feature = "broker")]
pub mod listen;
pub mod metrics;
pub mod probed;
pub mod profile;
pub mod question;
pub mod reading;
pub mod rocketmq;
pub mod status_queue;
pub mod tables;
pub mod time;
pub mod topic;
pub mod warning;

pub use crate::secret;
