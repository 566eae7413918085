//! What `check` says after each thing that can happen to a client, at real brokers: one table.
//!
//! Tests wait for a packet or a line, never for time: deadlines only end a test that has failed.
#![cfg(feature = "broker")]

mod support;

#[path = "embedded/client.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod client;
#[path = "check/deeds.rs"]
mod deeds;
#[path = "check/dynsec.rs"]
mod dynsec;
#[path = "check/reconcile.rs"]
mod reconcile;
#[path = "support/schema.rs"]
mod schema;
#[path = "check/table.rs"]
mod table;
