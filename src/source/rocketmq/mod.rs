//! Reading a topic of RocketMQ, where Alibaba's MQTT service and others put what they tell of clients.
//!
//! It only ever looks on: it pulls at offsets of its own, commits none, and is a member of no group but one of
//! watchers, so no application misses a message because of it. Pulling leaves no trace at a broker, unless the name of a group
//! is used that the broker does not know: it makes that group, for good. `TOOLS_CONSUMER`, the default, is
//! known to every broker.
//!
//! The protocol is spoken by hand, as far as it is needed: a route, an offset by time, pulls. The crates that
//! there are speak another one, or join groups.

pub mod client;
mod connection;
pub mod fault;
pub mod frame;
mod membership;
pub mod message;
pub mod route;
mod sign;
mod topic;
