//! The built-in broker on real sockets, and as a command.
//!
//! Tests wait for a packet or a line, never for time: deadlines only end a test that has failed.
#![cfg(feature = "broker")]

mod support;

#[path = "embedded/asking.rs"]
mod asking;
#[path = "embedded/client.rs"]
mod client;
#[path = "embedded/described.rs"]
mod described;
#[path = "embedded/findings.rs"]
mod findings;
#[path = "embedded/gates.rs"]
mod gates;
#[path = "embedded/hostile.rs"]
mod hostile;
#[path = "embedded/mosquitto.rs"]
mod mosquitto;
#[path = "embedded/program.rs"]
mod program;
#[path = "embedded/websocket.rs"]
mod websocket;
