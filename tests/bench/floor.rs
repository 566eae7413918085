//! The least that clients can cost: a bare epoll loop over non-blocking sockets. Everything else is
//! measured against it.
//!
//! The loop lives in a process of its own, so that its cost can be told from that of others: a benchmark
//! starts itself again with [`FLAG`].
#![allow(dead_code, reason = "every benchmark uses a part of it")]

use super::support::process::{DEADLINE, Process, Stream};
use bytes::BytesMut;
use presence::clock;
use presence::wire::{Connect, Packet, Properties, Qos, Version, Will, write};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io::BufRead;
use std::net::SocketAddr;
use std::process::{Command, ExitCode};
use std::time::Duration;

const FLAG: &str = "--floor";
pub const IN_FLIGHT: usize = 64;
/// In seconds.
pub const KEEP_ALIVE: u16 = 60;
/// As `presence simulate` says by default.
pub const WILL_PAYLOAD: &[u8] = b"offline";
/// What is due is done so often, as devices do it too.
const TICK: Duration = Duration::from_millis(50);

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
        let process = Process::start(itself(FLAG).args([address.to_string(), count.to_string()]));
        let mut floor = Self { process, took: Duration::ZERO, answers: 0 };
        floor.took = floor.answer();
        floor
    }

    /// Has each client send a PINGREQ, all at once, and returns when every PINGRESP is there.
    pub fn ping(&mut self) -> Duration {
        self.process.write("ping\n");
        self.answer()
    }

    /// Has the clients ping for so long, each once in a keep alive and spread over it, and returns when
    /// every PINGRESP is there.
    pub fn hold(&mut self, time: Duration) -> Duration {
        self.process.write(&format!("hold {}\n", time.as_secs()));
        self.answer_within(time + DEADLINE)
    }

    /// Has each client say goodbye, and waits for the end of the process.
    pub fn end(mut self) {
        let ended = self.process.ended(DEADLINE);
        assert!(ended.status.success(), "the floor: {ended:?}");
    }

    /// Waits for the next line, which says how long something took, in µs.
    fn answer(&mut self) -> Duration {
        self.answer_within(DEADLINE)
    }

    fn answer_within(&mut self, deadline: Duration) -> Duration {
        let is_answer = |line: &str| line.parse::<u64>().is_ok();
        let (seen, line) =
            self.process.wait_line_from(Stream::Out, self.answers, is_answer, deadline);
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
    for command in std::io::stdin().lock().lines().map_while(Result::ok) {
        let begun = clock::monotonic();
        let answered = match command.strip_prefix("hold ") {
            Some(seconds) => {
                clients.hold(Duration::from_secs(seconds.parse().expect("seconds follow")))
            }
            None => clients.ask(&PING_REQ, PING_RESP.len()),
        };
        answered.expect("the broker answers every ping");
        println!("{}", begun.elapsed().as_micros());
    }
    for socket in &clients.sockets {
        // One that was closed before needs no goodbye.
        let _ = rustix::net::send(socket, &DISCONNECT, SendFlags::NOSIGNAL);
    }
    Some(ExitCode::SUCCESS)
}

/// Returns a command that starts this benchmark again, as something else.
pub fn itself(flag: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a benchmark knows where it is"));
    command.arg(flag);
    command
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
            clients.wait(None)?;
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
            self.wait(None)?;
            missing = missing.saturating_sub(self.take()?);
        }
        Ok(())
    }

    /// Pings one client after the other, all of them in a keep alive, and gathers what is due in ticks.
    fn hold(&mut self, time: Duration) -> rustix::io::Result<()> {
        let (begun, count) = (clock::monotonic(), self.sockets.len());
        let (mut sent, mut answered) = (0, 0);
        let mut tick = Duration::ZERO;
        while tick <= time {
            while count as u128 * tick.as_millis() > sent as u128 * KEEP_ALIVE_MS {
                rustix::net::send(&self.sockets[sent % count], &PING_REQ, SendFlags::NOSIGNAL)?;
                sent += 1;
            }
            tick += TICK;
            loop {
                let left = tick.saturating_sub(begun.elapsed());
                if left.is_zero() {
                    break;
                }
                self.wait(Some(left))?;
                answered += self.take()?;
            }
        }
        while answered < sent * PING_RESP.len() {
            self.wait(None)?;
            answered += self.take()?;
        }
        Ok(())
    }

    /// Reads what has come for those who were named by the last wait, and returns how many bytes it was.
    fn take(&self) -> rustix::io::Result<usize> {
        let mut taken = 0;
        for event in &self.events {
            let number = usize::try_from(event.data.u64()).expect("it was one of ours");
            let mut answer = [0; 16];
            match rustix::net::recv(&self.sockets[number], &mut answer, RecvFlags::empty()) {
                Ok((_, 0)) => return Err(rustix::io::Errno::CONNRESET),
                Ok((_, received)) => taken += received,
                Err(rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    /// Waits for something to happen, or for so long.
    fn wait(&mut self, time: Option<Duration>) -> rustix::io::Result<()> {
        let time = time.map(|time| Timespec::try_from(time).expect("it is short"));
        self.events.clear();
        let room = rustix::buffer::spare_capacity(&mut self.events);
        epoll::wait(&self.epoll, room, time.as_ref()).map(drop)
    }
}

/// What a device says first.
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
    Connect { keep_alive: KEEP_ALIVE, ..Connect::new(Version::V311, client_id) }
}

pub fn packed(packet: &Packet) -> BytesMut {
    let mut bytes = BytesMut::new();
    write(packet, Version::V311, &mut bytes).expect("it can be said in 3.1.1");
    bytes
}

const KEEP_ALIVE_MS: u128 = KEEP_ALIVE as u128 * 1000;
const CONNACK: [u8; 4] = [0x20, 2, 0, 0];
const PING_REQ: [u8; 2] = [0xc0, 0];
const PING_RESP: [u8; 2] = [0xd0, 0];
const DISCONNECT: [u8; 2] = [0xe0, 0];
