//! Takes messages to a broker, over as many connections as it takes.

use super::outbox::{Limits, Message, Outbox, Tally};
use super::wire::Wire;
use crate::clock;
use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::simulate::dial::Route;
use crate::simulate::driver::clock::RunClock;
use crate::simulate::driver::line::Line;
use crate::simulate::fleet::{Conduct, Credentials, Fleet, Login, Names};
use crate::simulate::template::Template;
use crate::source::mqtt::Backoff;
use crate::source::mqtt::trouble::{Stage, Trouble};
use crate::wire::{Disconnect, Packet, Reason, Version};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, sleep_until, timeout};

/// Who takes messages where, and how patiently.
#[derive(Clone, Debug)]
pub struct Terms {
    pub connection: Connection,
    pub client_id: String,
    /// The first connection, and the last acknowledgements, may take so long.
    pub patience: Duration,
    /// The least time between two messages.
    pub pace: Option<Duration>,
}

/// What happens on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The connection is gone, and is tried again until it stands.
    Lost {
        cause: String,
    },
    Back,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Report {
    pub tally: Tally,
    pub took: Duration,
    /// Connections after the first one.
    pub reconnects: u64,
    /// Somebody asked for the end before all was sent.
    pub was_interrupted: bool,
}

/// Why nobody stays on a connection any longer.
enum Over {
    Done,
    Stopped,
    Lost(Trouble),
}

/// Takes all messages to the broker, and waits until they are acknowledged. `stop` is ready when
/// somebody asks for the end.
///
/// Errors: the broker could not be reached at first.
pub async fn run(
    terms: Terms,
    mut messages: Receiver<Message>,
    stop: impl Future<Output = ()>,
    tell: impl Fn(Notice),
) -> Result<Report, Failure> {
    let mut stop = pin!(stop);
    let fleet = Arc::new(fleet(&terms));
    let mut wire = tokio::select! {
        first = first_connection(&terms, &fleet) => first?,
        () = &mut stop => {
            let tally = Outbox::new(fleet.version(), None).close();
            return Ok(Report { tally, took: Duration::ZERO, reconnects: 0, was_interrupted: true });
        }
    };
    let mut outbox = Outbox::new(fleet.version(), terms.pace);
    let begun = clock::monotonic();
    let (mut reconnects, mut was_interrupted, mut failures) = (0, false, 0);
    let mut window_max = window_max(fleet.version());
    loop {
        let (connection, limits) = wire;
        outbox.connected(Limits { window: limits.window.min(window_max), ..limits });
        let mut serving = Serving { outbox: &mut outbox, begun, patience: terms.patience };
        let stood = clock::monotonic();
        match serving.serve(connection, &mut messages, stop.as_mut()).await {
            Over::Done => break,
            Over::Stopped => {
                was_interrupted = true;
                break;
            }
            Over::Lost(trouble) => {
                // It may have been too much at a time: a broker of MQTT 3.1.1 has no words for that.
                if !outbox.is_settled() {
                    window_max = (window_max / 2).max(1);
                }
                outbox.lost();
                tell(Notice::Lost { cause: trouble.to_string() });
            }
        }
        if stood.elapsed() >= STABLE {
            failures = 0;
        }
        let again = async {
            loop {
                failures += 1;
                sleep(Backoff::default().delay(failures, SEED)).await;
                // Whatever the cause, it may go away.
                if let Ok(connection) = connect(&fleet).await {
                    return connection;
                }
            }
        };
        wire = tokio::select! {
            connection = again => connection,
            () = &mut stop => {
                was_interrupted = true;
                break;
            }
        };
        reconnects += 1;
        tell(Notice::Back);
    }
    let took = begun.elapsed();
    Ok(Report { tally: outbox.close(), took, reconnects, was_interrupted })
}

/// A connection being served.
struct Serving<'a> {
    outbox: &'a mut Outbox,
    begun: Instant,
    patience: Duration,
}

impl Serving<'_> {
    async fn serve(
        &mut self,
        mut wire: Wire,
        messages: &mut Receiver<Message>,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Over {
        let mut has_all = messages.is_closed() && messages.is_empty();
        let mut progress = clock::monotonic();
        loop {
            self.fill(&mut wire, messages, &mut has_all);
            if has_all && self.outbox.is_empty() && wire.unsent.is_empty() {
                return self.leave(wire, Over::Done).await;
            }
            // Once there is nothing to do but wait, the broker has only so long.
            let waits_in_vain = has_all && self.outbox.poll_timeout().is_none();
            let now = clock::monotonic();
            if waits_in_vain && now.duration_since(progress) >= self.patience {
                return self.leave(wire, Over::Done).await;
            }
            let due = self.outbox.poll_timeout().filter(|_| wire.unsent.len() < UNSENT_MAX);
            let due = due.and_then(|due| self.begun.checked_add(due));
            let give_up = waits_in_vain.then(|| progress + self.patience);
            let alarm = [due, give_up, wire.probe_at()].into_iter().flatten().min();
            let has_room = !has_all && self.outbox.has_room();
            tokio::select! {
                biased;
                () = stop.as_mut() => {
                    messages.close();
                    while let Ok(message) = messages.try_recv() {
                        self.outbox.offer(message);
                    }
                    self.outbox.give_up();
                    return self.last_acknowledgements(wire).await;
                }
                packet = wire.turn() => match packet {
                    Ok(packet) => {
                        progress = clock::monotonic();
                        self.hear(packet.as_ref());
                    }
                    Err(trouble) => return Over::Lost(trouble),
                },
                message = messages.recv(), if has_room => match message {
                    Some(message) => {
                        progress = clock::monotonic();
                        self.outbox.offer(message);
                    }
                    None => has_all = true,
                },
                () = wait_until(alarm) => {
                    if let Err(trouble) = wire.probe(clock::monotonic()) {
                        return Over::Lost(trouble);
                    }
                }
            }
        }
    }

    /// Takes over what is there, and adds what is due to what is unsent.
    fn fill(&mut self, wire: &mut Wire, messages: &mut Receiver<Message>, has_all: &mut bool) {
        loop {
            while self.outbox.has_room()
                && let Ok(message) = messages.try_recv()
            {
                self.outbox.offer(message);
            }
            *has_all |= messages.is_closed() && messages.is_empty();
            let now = self.begun.elapsed();
            if wire.unsent.len() >= UNSENT_MAX || !self.outbox.poll_transmit(now, &mut wire.unsent)
            {
                return;
            }
        }
    }

    fn hear(&mut self, packet: Option<&Packet>) {
        if let Some(packet) = packet {
            self.outbox.handle_packet(packet);
        }
    }

    /// Waits a little for what is under way, and leaves.
    async fn last_acknowledgements(&mut self, mut wire: Wire) -> Over {
        let rest = async {
            while !self.outbox.is_settled() {
                match wire.turn().await {
                    Ok(packet) => self.hear(packet.as_ref()),
                    Err(_) => break,
                }
                while self.outbox.poll_transmit(Duration::ZERO, &mut wire.unsent) {}
            }
        };
        let _ = timeout(GOODBYE_MAX, rest).await;
        self.leave(wire, Over::Stopped).await
    }

    /// Says goodbye. The answer to a ping shows that the broker has taken all that was sent before.
    async fn leave(&mut self, mut wire: Wire, over: Over) -> Over {
        let last = async {
            wire.say(&Packet::PingReq)?;
            while wire.turn().await? != Some(Packet::PingResp) {}
            wire.say(&Packet::Disconnect(Disconnect {
                reason: Reason::SUCCESS,
                session_expiry: None,
            }))?;
            wire.written().await
        };
        match timeout(self.patience, last).await {
            Ok(Ok(())) => {
                let _ = timeout(GOODBYE_MAX, wire.closed()).await;
                over
            }
            // What was not acknowledged may not have come.
            Ok(Err(trouble)) if matches!(over, Over::Done) && !self.outbox.is_settled() => {
                Over::Lost(trouble)
            }
            _ => over,
        }
    }
}

async fn wait_until(alarm: Option<Instant>) {
    match alarm {
        Some(alarm) => sleep_until(alarm.into()).await,
        None => std::future::pending().await,
    }
}

/// Connects for the first time: again and again while there is patience, unless the broker has decided
/// about us.
async fn first_connection(terms: &Terms, fleet: &Arc<Fleet>) -> Result<(Wire, Limits), Failure> {
    let mut last = Trouble::Slow(Stage::Answer);
    let attempts = async {
        let mut failures = 0;
        loop {
            match connect(fleet).await {
                Ok(connection) => return Some(connection),
                Err(trouble) => {
                    let is_final = trouble.is_final();
                    last = trouble;
                    if is_final {
                        return None;
                    }
                }
            }
            failures += 1;
            sleep(Backoff::default().delay(failures, SEED)).await;
        }
    };
    let connected = timeout(terms.patience, attempts).await;
    connected.ok().flatten().ok_or_else(|| last.failure(&terms.connection))
}

/// Connects to the first address that answers.
async fn connect(fleet: &Arc<Fleet>) -> Result<(Wire, Limits), Trouble> {
    let failed = |failure: Failure| Trouble::Failed(failure.in_short());
    let mut last = Trouble::Slow(Stage::Answer);
    for route in Route::find(fleet).await.map_err(failed)? {
        let clock = RunClock::start_at(0);
        match Line::connect(&route, fleet, 0, clock, fleet.connect_timeout).await {
            Ok(accepted) => {
                let Line { transport, device, .. } = *accepted.line;
                let (qos_max, receive_maximum) = device.window();
                let limits = Limits {
                    qos_max,
                    retains: device.retains(),
                    packet_max: device.packet_max(),
                    window: receive_maximum,
                };
                let keep_alive = Duration::from_secs(device.keep_alive().into());
                return Ok((Wire::new(transport, fleet.version(), keep_alive), limits));
            }
            Err(trouble) if trouble.is_final() => return Err(trouble),
            Err(trouble) => last = trouble,
        }
    }
    Err(last)
}

/// Returns the one device that takes the messages: with a session that ends with its connection.
fn fleet(terms: &Terms) -> Fleet {
    let connection = terms.connection.clone();
    let credentials = match connection.login(&terms.client_id) {
        _ if connection.is_derived() => Credentials::Derived,
        (Some(username), password) => Credentials::Table(vec![Login { username, password }]),
        (None, None) => Credentials::Anonymous,
        (None, password) => Credentials::Template { username: None::<Template>, password },
    };
    let keep_alive = u16::try_from(connection.keep_alive.as_secs()).unwrap_or(u16::MAX);
    Fleet {
        connection,
        run: String::new(),
        client_id: Names::Table(vec![terms.client_id.clone()]),
        credentials,
        conduct: Conduct { keep_alive, ..Conduct::default() },
        groups: Vec::new(),
        in_flight: 1,
        connect_timeout: terms.patience.min(CONNECT_MAX),
        local_addresses: Vec::new(),
    }
}

/// Returns how many messages are under way at most. What a broker of MQTT 3.1.1 takes, it does not tell;
/// Mosquitto ends the connection above 20 of QoS 2 (`max_inflight_messages`).
const fn window_max(version: Version) -> u16 {
    match version {
        Version::V311 => 20,
        Version::V5 => 100,
    }
}

/// Bytes that wait to be written at most, but for the last message.
const UNSENT_MAX: usize = 64 << 10;
/// What one attempt to connect may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A connection that stood for so long has shown that the next attempt need not wait.
const STABLE: Duration = Duration::from_secs(10);
/// How long a goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
/// There is one of us: nobody has to be kept out of step.
const SEED: u64 = 0;
