//! Promises of the store: what it says is what memory says, whoever wrote it in whatever pieces, and
//! nothing that was acknowledged is ever lost.

#[path = "store/cluster.rs"]
mod cluster;
#[path = "store/conformance.rs"]
mod conformance;
#[path = "store/durability.rs"]
mod durability;
#[path = "store/files.rs"]
mod files;
#[path = "store/keeping.rs"]
mod keeping;
#[path = "store/postgres.rs"]
mod postgres;
#[path = "store/redis.rs"]
mod redis;
#[path = "store/several.rs"]
mod several;
#[path = "support/mod.rs"]
mod shared;
#[path = "store/support.rs"]
mod support;
