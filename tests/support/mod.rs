//! What tests share: processes that end with the test, and the servers among them.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod clients;
pub mod mosquitto;
pub mod process;
pub mod rabbitmq;

use std::net::{Ipv4Addr, TcpListener};

/// Returns ports of loopback that nobody has at the moment.
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // Held at the same time, or two could be the same one.
    let bound = [(); COUNT]
        .map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port"));
    bound.map(|listener| listener.local_addr().expect("it is bound").port())
}
