//! Clients of rumqttc, each in a task of tokio: what a Rust program would have that brings no client of
//! its own. The benchmark starts itself again with [`FLAG`].

use super::floor::{IN_FLIGHT, KEEP_ALIVE, WILL_PAYLOAD, itself};
use presence::clock;
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS};
use std::net::SocketAddr;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

const FLAG: &str = "--tasks";
/// Requests of a client that may wait, as in the examples of the library.
const REQUESTS: usize = 10;

/// Returns the command that an address and a count are to follow.
pub fn command() -> Command {
    itself(FLAG)
}

/// Is the clients, if this process was started as them.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip_while(|argument| argument != FLAG).skip(1);
    let address = arguments.next()?.parse().expect("an address follows the flag");
    let count = arguments.next()?.parse().expect("a count follows the address");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started");
    runtime.block_on(run(address, count));
    Some(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "that is how the benchmark hears of it")]
async fn run(address: SocketAddr, count: usize) {
    let begun = clock::monotonic();
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    let (up, mut ups) = mpsc::unbounded_channel();
    let (mut clients, mut tasks) = (Vec::with_capacity(count), JoinSet::new());
    for number in 0..count {
        let permit = Arc::clone(&in_flight).acquire_owned().await.expect("nobody closes it");
        let (client, line) = AsyncClient::new(options(address, number), REQUESTS);
        clients.push(client);
        tasks.spawn(live(line, permit, up.clone()));
    }
    for _ in 0..count {
        ups.recv().await;
    }
    println!("{}", begun.elapsed().as_micros());
    let input = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin()));
    input.await.expect("reading does not panic").expect("the benchmark writes text");
    for client in &clients {
        client.try_disconnect().expect("nothing else was asked");
    }
    tasks.join_all().await;
}

fn options(address: SocketAddr, number: usize) -> MqttOptions {
    let client_id = format!("rumqttc-{number}");
    let topic = format!("devices/{client_id}/status");
    let mut options = MqttOptions::new(client_id, address.ip().to_string(), address.port());
    options.set_keep_alive(Duration::from_secs(KEEP_ALIVE.into()));
    options.set_last_will(LastWill::new(topic, WILL_PAYLOAD, QoS::AtLeastOnce, true));
    options
}

/// Keeps one client connected until it has said goodbye.
async fn live(mut line: EventLoop, permit: OwnedSemaphorePermit, up: mpsc::UnboundedSender<()>) {
    let mut permit = Some(permit);
    loop {
        match line.poll().await.expect("the broker takes every client") {
            Event::Incoming(Packet::ConnAck(_)) => {
                permit = None;
                up.send(()).expect("they are counted");
            }
            Event::Outgoing(Outgoing::Disconnect) => return drop(permit),
            _ => {}
        }
    }
}
