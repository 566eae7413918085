//! A night of LMQ notices: the same bytes on every machine, however many are asked for.
//!
//! Clients connect, say goodbye or are lost, and come back on a new channel. One notice in fifty comes
//! twice, and neighbours change places; nothing is lost, so that every rule comes to the same answer.

use std::io::{self, Write};

/// Writes so many notices of so many clients.
pub fn write(notices: usize, clients: usize, mut out: impl Write) -> io::Result<()> {
    let mut night = Night::new(clients);
    // Notices that wait to be overtaken by one of those behind them.
    let mut waiting: Vec<Notice> = (0..notices.min(OVERTAKEN_MAX)).map(|_| night.next()).collect();
    for written in 0..notices {
        let chosen = night.random.below(waiting.len());
        let notice = waiting[chosen];
        notice.write(&mut out)?;
        if written + waiting.len() < notices {
            let comes_again = night.random.below(DUPLICATE_ONE_IN) == 0;
            waiting[chosen] = if comes_again { notice } else { night.next() };
        } else {
            waiting.swap_remove(chosen);
        }
    }
    out.flush()
}

const OVERTAKEN_MAX: usize = 16;
const DUPLICATE_ONE_IN: usize = 50;
const GOODBYE_ONE_IN: usize = 3;
/// How many notices are stamped with the same millisecond.
const PER_MS: u64 = 4;
/// 2025-10-09T08:53:20Z.
const BEGINS_MS: u64 = 1_760_000_000_000;

struct Night {
    random: Random,
    clients: Vec<Client>,
    made: u64,
}

#[derive(Clone, Copy, Default)]
struct Client {
    channel: u128,
    port: u16,
    is_open: bool,
    has_said_goodbye: bool,
}

#[derive(Clone, Copy)]
struct Notice {
    client: usize,
    time_ms: u64,
    event: &'static str,
    channel: u128,
    port: u16,
}

impl Night {
    fn new(clients: usize) -> Self {
        Self { random: Random(7), clients: vec![Client::default(); clients.max(1)], made: 0 }
    }

    fn next(&mut self) -> Notice {
        let number = self.random.below(self.clients.len());
        let client = &mut self.clients[number];
        let event = if !client.is_open {
            let channel = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
            let port = 40_000 + u16::try_from(self.random.below(20_000)).unwrap_or_default();
            *client = Client { channel, port, is_open: true, has_said_goodbye: false };
            "connect"
        } else if !client.has_said_goodbye && self.random.below(GOODBYE_ONE_IN) == 0 {
            client.has_said_goodbye = true;
            "disconnect"
        } else {
            client.is_open = false;
            "tcpclean"
        };
        let Client { channel, port, .. } = *client;
        let time_ms = BEGINS_MS + self.made / PER_MS;
        self.made += 1;
        Notice { client: number, time_ms, event, channel, port }
    }
}

impl Notice {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { client, time_ms, event, channel, port } = self;
        let host = client % 250;
        writeln!(
            out,
            r#"{{"clientId":"GID_night@@@device-{client:07}","time":{time_ms},"eventType":"{event}","channelId":"{channel:032x}","clientIp":"192.0.2.{host}:{port}"}}"#
        )
    }
}

/// SplitMix64: a few lines, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }
}
