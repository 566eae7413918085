//! The whole program at a real RabbitMQ 3.10: a broker without notices of its own on MQTT, so what
//! devices say of themselves is all there is.
//!
//! The tests share one broker, as it takes about ten seconds to start, and keep apart by client ids.

mod support;

#[path = "rabbitmq/events.rs"]
mod events;
#[path = "mosquitto/fleet.rs"]
mod fleet;
#[path = "rabbitmq/probe.rs"]
mod probe;
#[path = "rabbitmq/query.rs"]
mod query;
#[path = "mosquitto/scene.rs"]
#[allow(dead_code, reason = "shared with the tests at Mosquitto")]
mod scene;
#[path = "rabbitmq/status.rs"]
mod status;
#[path = "rabbitmq/status_queue.rs"]
mod status_queue;
#[path = "rabbitmq/verify.rs"]
mod verify;

use scene::Watch;
use std::sync::{Arc, Mutex, Weak};
use support::process::{Presence, Process};
use support::rabbitmq::RabbitMq;

static SHARED: Mutex<Weak<RabbitMq>> = Mutex::new(Weak::new());

/// Returns the broker of these tests. The last one to hold it ends it.
fn broker() -> Arc<RabbitMq> {
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let broker = Arc::new(RabbitMq::start());
        *shared = Arc::downgrade(&broker);
        broker
    })
}

/// Starts a watcher of status topics below a prefix of the test's own, and waits until it listens.
fn watch(broker: &RabbitMq, topic: &str) -> Watch {
    let url = broker.url();
    let line = ["watch", "-b", &url, "--json", "--dialect", "status", "--status-topic", topic];
    let mut watch = Watch::of(Presence::start(line));
    watch.said("is known yet: each is with its next event");
    watch
}

/// Starts a client whose will says `offline`, and waits until it is connected.
fn device(broker: &RabbitMq, id: &str, topic: &str, options: &[&str]) -> Process {
    let connected = |log: &str| log.matches(&format!("client id: {id})")).count();
    let before = connected(&broker.log());
    let mut command = broker.client("mosquitto_sub");
    command.args(["-i", id, "-t", "nothing", "--will-topic", topic, "--will-payload", "offline"]);
    command.args(["--will-qos", "1", "--will-retain"]).args(options);
    let device = Process::start(&mut command);
    broker.wait_log(|log| connected(log) > before);
    device
}
