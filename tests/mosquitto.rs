//! The whole program at a real Mosquitto 2.0: what an operator sees in two terminals.
//!
//! Every test has a broker and a home of its own, so they run side by side. They wait for a line, a
//! packet or a line of the broker's log, never for time: deadlines only end a test that has failed.
//!
//! What Mosquitto 2.0.11 does, and the stories rest on: clients may publish below `$presence/`; a
//! plain `acl_file` never refuses a subscription, the dynamic security plugin does (SUBACK 0x80); the
//! retained `$SYS/broker/uptime` and `.../dropped` expire after a minute, and the second one is
//! published only when it has changed; `mosquitto_sub` comes back by itself a second after it was cut
//! off, so whoever is to stay away must be stopped first.
#![expect(clippy::print_stdout, reason = "some tests measure, and say what they found")]

mod support;

#[path = "mosquitto/acting.rs"]
mod acting;
#[path = "mosquitto/connection.rs"]
mod connection;
#[path = "mosquitto/coverage.rs"]
mod coverage;
#[path = "mosquitto/crashes.rs"]
mod crashes;
#[path = "mosquitto/cuts.rs"]
mod cuts;
#[path = "mosquitto/disk.rs"]
mod disk;
#[path = "mosquitto/durability.rs"]
mod durability;
#[path = "mosquitto/findings.rs"]
mod findings;
#[path = "mosquitto/fleet.rs"]
mod fleet;
#[path = "mosquitto/lives.rs"]
mod lives;
#[path = "mosquitto/lmq.rs"]
mod lmq;
#[path = "mosquitto/metrics.rs"]
mod metrics;
#[path = "mosquitto/output.rs"]
mod output;
#[path = "mosquitto/overflow.rs"]
mod overflow;
#[path = "mosquitto/publishing.rs"]
mod publishing;
#[path = "mosquitto/recording.rs"]
mod recording;
#[path = "mosquitto/scene.rs"]
mod scene;
#[cfg(feature = "tui")]
#[path = "mosquitto/screen.rs"]
mod screen;
#[path = "mosquitto/servers.rs"]
mod servers;
#[path = "mosquitto/sharing.rs"]
mod sharing;
#[path = "mosquitto/status.rs"]
mod status;
#[path = "mosquitto/terminals.rs"]
mod terminals;
#[path = "mosquitto/verify.rs"]
mod verify;
