//! What tests share: processes that end with the test, and the servers among them.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod activemq;
pub mod aedes;
pub mod artemis;
pub mod authority;
pub mod chromium;
pub mod clients;
pub mod hivemq;
pub mod http;
pub mod kafka;
pub mod mochi;
pub mod mosquitto;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod publisher;
pub mod rabbitmq;
pub mod redis;
pub mod remoting;
pub mod rocketmq;
pub mod signers;
pub mod verification;

use process::DEADLINE;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

/// Returns ports of loopback that nobody has at the moment.
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // Held at the same time, or two could be the same one.
    let bound = [(); COUNT]
        .map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port"));
    bound.map(|listener| listener.local_addr().expect("it is bound").port())
}

/// Waits until a log is as it should be; panics with the log if it does not come to that.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
pub fn wait_log(log: impl Fn() -> String, is_it: impl Fn(&str) -> bool) {
    let until = Instant::now() + DEADLINE;
    while !is_it(&log()) {
        assert!(Instant::now() < until, "the log is not as expected:\n{}", log());
        std::thread::sleep(LOOK_AGAIN);
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(5);
