//! Reading a topic of Kafka, where clouds and bridges put what they tell of clients.
//!
//! It only ever looks on: it fetches at offsets of its own from whoever leads a partition, is a member of no
//! group, commits nothing, and has no topic made by asking for it.
//!
//! The protocol is spoken by hand, as far as it is needed: six requests, each in the oldest version that every
//! broker from 1.0 to 4 understands. The crates that there are retry by themselves, without a word of why, and
//! copy each record several times.

pub mod batch;
pub mod client;
mod fault;
mod link;
mod sasl;
pub mod wire;
