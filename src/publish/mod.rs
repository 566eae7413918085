//! Sends recorded messages to a broker, each at the time at which it is due.
//!
//! A [`schedule`] tells when a message is due by the times of the log; an [`outbox`] knows which packets
//! are to be sent now, which wait, and what became of those that were sent; a [`courier`] has the
//! connection and the clock. What is due is counted from the beginning: being late once makes nothing
//! after it late.

pub mod courier;
pub mod outbox;
pub mod rocketmq;
pub mod schedule;
mod wire;
