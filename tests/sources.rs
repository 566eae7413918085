//! The whole program at what it hears beside MQTT: requests of the tests' own, and real brokers that speak
//! STOMP. RabbitMQ has a file of its own, and so have brokers that post.

mod support;

#[path = "brokers/life.rs"]
mod life;
#[path = "sources/options.rs"]
mod options;
#[path = "sources/rocketmq.rs"]
mod rocketmq;
#[path = "mosquitto/scene.rs"]
#[allow(dead_code, reason = "shared with the tests at Mosquitto")]
mod scene;
#[path = "sources/stomp.rs"]
mod stomp;
#[path = "sources/webhook.rs"]
mod webhook;
