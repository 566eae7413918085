//! A broker for one test, as small as can be: it answers what it is told to, and reports what it sees.

use bytes::BytesMut;
use presence::wire::{self, Ack, ConnAck, Connect, Packet, Publish, Qos, Reason, SubAck, Version};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// What the broker sees. The text is the client id.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Connect(Box<Connect>),
    Packet(String, Packet),
    Ended(String, How),
}

/// How a connection ended, as the broker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Goodbye,
    Fin,
    /// TCP ended under a layer that was not told.
    Cut,
    Rst,
    /// Another connection of the same client took its place.
    TakenOver,
    /// The broker ended it after one and a half keep alives without a packet.
    Silence,
}

pub type Greet = Arc<dyn Fn(usize, &Connect) -> Option<ConnAck> + Send + Sync>;

/// How the broker behaves.
#[derive(Clone)]
pub struct Habits {
    /// The answer to the CONNECT of this number, from 0; `None` closes the connection.
    pub greet: Greet,
    /// How long the first CONNECT waits for its answer.
    pub delay: Duration,
    /// The answer to every PUBLISH.
    pub reason: Reason,
    pub answers_pings: bool,
    /// Sent after SUBACK.
    pub gift: Option<Publish>,
    /// Sent after CONNACK to the client with this number, before its connection is closed.
    pub last_word: Option<(usize, Publish)>,
    /// A CONNECT ends the older connection of the same client, as it must (MQTT 3.1.1 §3.1.4).
    pub takes_over: bool,
    /// Ends no connection for silence, whatever was promised.
    pub is_patient: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            greet: Arc::new(|_, _| Some(ConnAck::default())),
            delay: Duration::ZERO,
            reason: Reason::SUCCESS,
            answers_pings: true,
            gift: None,
            last_word: None,
            takes_over: false,
            is_patient: false,
        }
    }
}

pub struct Server {
    pub address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(habits: Habits) -> Self {
        Self::at(FREE_PORT, habits).await
    }

    /// Starts at an address, for one that died there.
    pub async fn at(address: SocketAddr, habits: Habits) -> Self {
        Self::layered(address, habits, |stream| async { Some(stream) }).await
    }

    /// Starts a broker with something between TCP and MQTT.
    pub async fn layered<S, F>(
        address: SocketAddr,
        habits: Habits,
        layer: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            // Dropped with the task, so that all connections end with the broker.
            let mut peers = JoinSet::new();
            let clients = Clients::default();
            for count in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (sender, habits, layered) = (sender.clone(), habits.clone(), layer(stream));
                let clients = clients.clone();
                peers.spawn(async move {
                    if let Some(stream) = layered.await {
                        Peer { stream, input: BytesMut::new(), version: Version::V311, clients }
                            .serve(count, &habits, &sender)
                            .await;
                    }
                });
            }
        });
        Self { address, seen, task }
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    pub async fn next(&mut self) -> Seen {
        super::bounded(self.seen.recv()).await.expect("the broker is there")
    }

    /// Returns all that was seen, and ends.
    pub async fn finish(mut self) -> Vec<Seen> {
        self.task.abort();
        let _ = (&mut self.task).await;
        let mut all = Vec::new();
        while let Some(seen) = super::bounded(self.seen.recv()).await {
            all.push(seen);
        }
        all
    }

    /// Ends like a crash.
    pub fn die(&self) {
        self.task.abort();
    }
}

struct Peer<S> {
    stream: S,
    input: BytesMut,
    version: Version,
    clients: Clients,
}

/// Whoever is connected under a name, and how to have him go.
type Clients = Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>;

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Peer<S> {
    async fn serve(mut self, count: usize, habits: &Habits, seen: &mpsc::UnboundedSender<Seen>) {
        let Some(connect) = self.connect().await else { return };
        self.version = connect.version;
        let client = connect.client_id.clone();
        let patience = match connect.keep_alive {
            _ if habits.is_patient => Duration::from_hours(1),
            0 => Duration::from_mins(1),
            seconds => Duration::from_millis(u64::from(seconds) * 1500),
        };
        let answer = (habits.greet)(count, &connect);
        let _ = seen.send(Seen::Connect(Box::new(connect)));
        let Some(connack) = answer else { return };
        if count == 0 {
            tokio::time::sleep(habits.delay).await;
        }
        let is_refusal = connack.reason.is_error();
        let (leaver, mut left) = oneshot::channel();
        // Kept, so that it does not fire where nobody takes over.
        let mut leaver = Some(leaver);
        if habits.takes_over && !is_refusal {
            let mut clients = self.clients.lock().expect("no test panics with it");
            if let Some(old) = leaver.take().and_then(|new| clients.insert(client.clone(), new)) {
                let _ = old.send(());
            }
        }
        self.say(Packet::ConnAck(connack)).await;
        if is_refusal {
            return;
        }
        if let Some((number, publish)) = &habits.last_word
            && *number == count
        {
            self.say(Packet::Publish(publish.clone())).await;
            return;
        }
        let how = loop {
            let heard = tokio::select! {
                heard = timeout(patience, self.packet()) => heard,
                Ok(()) = &mut left => break How::TakenOver,
            };
            let packet = match heard {
                Ok(Ok(packet)) => packet,
                Ok(Err(how)) => break how,
                Err(_) => break How::Silence,
            };
            let _ = seen.send(Seen::Packet(client.clone(), packet.clone()));
            if let Some(answer) = answer_to(&packet, habits) {
                self.say(answer).await;
            }
            if let (Packet::Subscribe(_), Some(gift)) = (&packet, &habits.gift) {
                self.say(Packet::Publish(gift.clone())).await;
            }
            if matches!(packet, Packet::Disconnect(_)) {
                break How::Goodbye;
            }
        };
        let _ = seen.send(Seen::Ended(client, how));
    }

    async fn connect(&mut self) -> Option<Connect> {
        loop {
            match wire::read_connect(&mut self.input, PACKET_MAX) {
                Ok(Some(connect)) => return Some(connect),
                Ok(None) => {}
                Err(malformed) => panic!("{malformed:?}"),
            }
            if self.stream.read_buf(&mut self.input).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn packet(&mut self) -> Result<Packet, How> {
        loop {
            match wire::read(&mut self.input, self.version, PACKET_MAX) {
                Ok(Some(packet)) => return Ok(packet),
                Ok(None) => {}
                Err(malformed) => panic!("{malformed:?}"),
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) => return Err(How::Fin),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    return Err(How::Rst);
                }
                // TLS without close_notify, a WebSocket without a closing frame.
                Err(_) => return Err(How::Cut),
            }
        }
    }

    async fn say(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        wire::write(&packet, self.version, &mut bytes).expect("the test's own");
        // Who is not there any more does not hear it.
        let _ = self.stream.write_all(&bytes).await;
        let _ = self.stream.flush().await;
    }
}

fn answer_to(packet: &Packet, habits: &Habits) -> Option<Packet> {
    let ack = |id| Ack { id, reason: Reason::SUCCESS };
    match packet {
        Packet::Publish(publish) => {
            let ack = Ack { id: publish.id, reason: habits.reason };
            match publish.qos {
                Qos::AtMostOnce => None,
                Qos::AtLeastOnce => Some(Packet::PubAck(ack)),
                Qos::ExactlyOnce => Some(Packet::PubRec(ack)),
            }
        }
        Packet::PubRel(Ack { id, .. }) => Some(Packet::PubComp(ack(*id))),
        Packet::PubRec(Ack { id, .. }) => Some(Packet::PubRel(ack(*id))),
        Packet::Subscribe(subscribe) => {
            let reasons = vec![habits.reason; subscribe.filters.len()];
            Some(Packet::SubAck(SubAck { id: subscribe.id, reasons }))
        }
        Packet::PingReq if habits.answers_pings => Some(Packet::PingResp),
        _ => None,
    }
}

/// Returns how the connections of this client ended, in order.
pub fn ends(seen: &[Seen], client: &str) -> Vec<How> {
    let ends = seen.iter().filter_map(|seen| match seen {
        Seen::Ended(of, how) if of == client => Some(*how),
        _ => None,
    });
    ends.collect()
}

/// Whichever port of loopback is free.
pub const FREE_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const PACKET_MAX: usize = 1 << 20;
