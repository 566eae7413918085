//! The least that clients can cost: a bare epoll loop over non-blocking sockets, and two threads that
//! pass messages through a broker. Everything else is measured against them.
//!
//! The loop lives in a process of its own, so that its cost can be told from that of others: a benchmark
//! starts itself again with [`FLAG`].
#![allow(dead_code, reason = "every benchmark uses a part of it")]

use super::support::process::{DEADLINE, Process, Stream};
use bytes::BytesMut;
use presence::clock;
use presence::wire::{Connect, Packet, Properties, Qos, Version, Will, write};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io::BufRead;
use std::net::SocketAddr;
use std::process::{Command, ExitCode};
use std::time::Duration;

const FLAG: &str = "--floor";
const IN_FLIGHT: usize = 64;
/// As `presence simulate` says by default.
const WILL_PAYLOAD: &[u8] = b"offline";

/// A floor in a process of its own.
pub struct Floor {
    pub process: Process,
    /// From the first connect to the last CONNACK.
    pub took: Duration,
    answers: usize,
}

impl Floor {
    /// Starts so many clients and returns when they all are connected.
    pub fn start(address: SocketAddr, count: usize) -> Self {
        let me = std::env::current_exe().expect("a benchmark knows where it is");
        let arguments = [FLAG, &address.to_string(), &count.to_string()];
        let process = Process::start(Command::new(me).args(arguments));
        let mut floor = Self { process, took: Duration::ZERO, answers: 0 };
        floor.took = floor.answer();
        floor
    }

    /// Has each client send a PINGREQ, all at once, and returns when every PINGRESP is there.
    pub fn ping(&mut self) -> Duration {
        self.process.write("ping\n");
        self.answer()
    }

    /// Has each client say goodbye, and waits for the end of the process.
    pub fn end(mut self) {
        let ended = self.process.ended(DEADLINE);
        assert!(ended.status.success(), "the floor: {ended:?}");
    }

    /// Waits for the next line, which says how long something took, in µs.
    fn answer(&mut self) -> Duration {
        let is_answer = |line: &str| line.parse::<u64>().is_ok();
        let (seen, line) =
            self.process.wait_line_from(Stream::Out, self.answers, is_answer, DEADLINE);
        self.answers = seen;
        Duration::from_micros(line.parse().expect("it was asked for a number"))
    }
}

/// Is the floor, if this process was started as one.
#[expect(clippy::print_stdout, reason = "that is how the benchmark hears of it")]
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip_while(|argument| argument != FLAG).skip(1);
    let address = arguments.next()?.parse().expect("an address follows the flag");
    let count = arguments.next()?.parse().expect("a count follows the address");
    let begun = clock::monotonic();
    let mut clients = Clients::connect(address, count).expect("the broker takes every client");
    println!("{}", begun.elapsed().as_micros());
    for _command in std::io::stdin().lock().lines() {
        let begun = clock::monotonic();
        clients.ask(&PING_REQ, PING_RESP.len()).expect("the broker answers every ping");
        println!("{}", begun.elapsed().as_micros());
    }
    for socket in &clients.sockets {
        // One that was closed before needs no goodbye.
        let _ = rustix::net::send(socket, &DISCONNECT, SendFlags::NOSIGNAL);
    }
    Some(ExitCode::SUCCESS)
}

/// Connected sockets, and nothing beside them.
struct Clients {
    epoll: OwnedFd,
    sockets: Vec<OwnedFd>,
    events: Vec<epoll::Event>,
}

impl Clients {
    fn connect(address: SocketAddr, count: usize) -> rustix::io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut clients = Self {
            epoll,
            sockets: Vec::with_capacity(count),
            events: Vec::with_capacity(IN_FLIGHT),
        };
        let (mut is_sent, mut up) = (vec![false; count], 0);
        while up < count {
            while clients.sockets.len() < count && clients.sockets.len() - up < IN_FLIGHT {
                clients.dial(address)?;
            }
            clients.wait()?;
            for event in &clients.events {
                let number = usize::try_from(event.data.u64()).expect("it was one of ours");
                let flags = event.flags;
                let socket = &clients.sockets[number];
                if flags.intersects(EventFlags::ERR | EventFlags::HUP) {
                    rustix::net::sockopt::socket_error(socket)??;
                    return Err(rustix::io::Errno::CONNRESET);
                }
                if flags.contains(EventFlags::OUT) && !is_sent[number] {
                    rustix::net::send(socket, &connect_packet(number), SendFlags::NOSIGNAL)?;
                    is_sent[number] = true;
                }
                if flags.contains(EventFlags::IN) {
                    let mut answer = [0; CONNACK.len()];
                    rustix::net::recv(socket, &mut answer, RecvFlags::empty())?;
                    assert_eq!(answer, CONNACK, "client {number} was refused");
                    up += 1;
                }
            }
        }
        Ok(clients)
    }

    fn dial(&mut self, address: SocketAddr) -> rustix::io::Result<()> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket =
            rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error),
        }
        let number = EventData::new_u64(self.sockets.len() as u64);
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(&self.epoll, &socket, number, interest)?;
        self.sockets.push(socket);
        Ok(())
    }

    /// Has each client send these bytes, and waits until each has received so many.
    fn ask(&mut self, question: &[u8], answer_len: usize) -> rustix::io::Result<()> {
        for socket in &self.sockets {
            rustix::net::send(socket, question, SendFlags::NOSIGNAL)?;
        }
        let mut missing = self.sockets.len() * answer_len;
        while missing > 0 {
            self.wait()?;
            for event in &self.events {
                let number = usize::try_from(event.data.u64()).expect("it was one of ours");
                let mut answer = [0; 16];
                match rustix::net::recv(&self.sockets[number], &mut answer, RecvFlags::empty()) {
                    Ok((_, 0)) => return Err(rustix::io::Errno::CONNRESET),
                    Ok((_, received)) => missing = missing.saturating_sub(received),
                    Err(rustix::io::Errno::AGAIN) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn wait(&mut self) -> rustix::io::Result<()> {
        self.events.clear();
        let room = rustix::buffer::spare_capacity(&mut self.events);
        epoll::wait(&self.epoll, room, None).map(drop)
    }
}

/// What a device says first: keep alive 60 s, and a will.
fn connect_packet(number: usize) -> BytesMut {
    let client_id = format!("floor-{number}");
    let will = Will {
        topic: format!("devices/{client_id}/status"),
        payload: WILL_PAYLOAD.into(),
        qos: Qos::AtLeastOnce,
        retain: true,
        delay: 0,
        properties: Properties::default(),
    };
    let connect = Connect { will: Some(will), ..plain_connect(client_id) };
    packed(&Packet::Connect(Box::new(connect)))
}

pub fn plain_connect(client_id: String) -> Connect {
    Connect { keep_alive: 60, ..Connect::new(Version::V311, client_id) }
}

pub fn packed(packet: &Packet) -> BytesMut {
    let mut bytes = BytesMut::new();
    write(packet, Version::V311, &mut bytes).expect("it can be said in 3.1.1");
    bytes
}

const CONNACK: [u8; 4] = [0x20, 2, 0, 0];
const PING_REQ: [u8; 2] = [0xc0, 0];
const PING_RESP: [u8; 2] = [0xd0, 0];
const DISCONNECT: [u8; 2] = [0xe0, 0];
