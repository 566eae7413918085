//! What is told through a real Kafka 4.3.1.
//!
//! The tests share one server, as it takes seconds to start, and keep apart by topics.
#![cfg(feature = "kafka")]

#[path = "support/disordered.rs"]
mod disordered;
#[path = "kafka/hostile.rs"]
mod hostile;
#[path = "kafka/reading.rs"]
mod reading;
#[path = "mosquitto/scene.rs"]
#[allow(dead_code, reason = "shared with the tests at Mosquitto")]
mod scene;
#[path = "support/schema.rs"]
mod schema;
mod support;

use std::sync::{Arc, Mutex, Weak};
use support::kafka::Kafka;

static SHARED: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());

/// Returns the server of these tests. The last one to hold it ends it.
fn server() -> Arc<Kafka> {
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Kafka::start());
        *shared = Arc::downgrade(&server);
        server
    })
}
