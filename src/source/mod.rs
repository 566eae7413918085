//! Where messages come from.

pub mod amqp;
pub mod content;
pub mod ear;
pub mod found;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod kept;
pub mod lines;
pub mod mqtt;
pub mod origin;
mod post;
pub mod recording;
mod remote;
pub mod rocketmq;
pub mod rows;
pub mod stomp;
pub mod tail;
mod text;
pub mod webhook;
