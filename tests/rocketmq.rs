//! What is told through a real RocketMQ 5.3.3.
//!
//! The tests share one cluster, as it takes about four seconds to start, and keep apart by topics.

#[path = "support/disordered.rs"]
mod disordered;
mod support;

#[path = "rocketmq/divided.rs"]
mod divided;
#[path = "rocketmq/old.rs"]
mod old;
#[cfg(feature = "broker")]
#[path = "rocketmq/pipeline.rs"]
mod pipeline;
#[path = "rocketmq/reading.rs"]
mod reading;
#[path = "rocketmq/rig.rs"]
mod rig;
#[path = "rocketmq/sample.rs"]
mod sample;
#[path = "mosquitto/scene.rs"]
#[allow(dead_code, reason = "shared with the tests at Mosquitto")]
mod scene;
#[path = "support/schema.rs"]
mod schema;

use scene::notice;
use std::sync::{Arc, Mutex, Weak};
use support::rocketmq::RocketMq;

static SHARED: Mutex<Weak<RocketMq>> = Mutex::new(Weak::new());

/// Returns the cluster of these tests. The last one to hold it ends it.
fn cluster() -> Arc<RocketMq> {
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let cluster = Arc::new(RocketMq::start());
        *shared = Arc::downgrade(&cluster);
        cluster
    })
}
