//! The whole program at what it hears beside MQTT: requests of the tests' own, and real brokers that speak
//! STOMP, post, or write a log. RabbitMQ has a file of its own.

mod support;

#[path = "sources/hivemq.rs"]
mod hivemq;
#[path = "sources/life.rs"]
mod life;
#[path = "sources/options.rs"]
mod options;
#[path = "mosquitto/scene.rs"]
#[allow(dead_code, reason = "shared with the tests at Mosquitto")]
mod scene;
#[path = "sources/stomp.rs"]
mod stomp;
#[path = "sources/webhook.rs"]
mod webhook;
