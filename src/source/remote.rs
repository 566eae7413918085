//! The way to a broker's other door, gone again and again for as long as it takes.

use super::mqtt::reach::addresses;
use super::mqtt::trouble::Trouble;
use super::mqtt::{Answer, Backoff, Grant, Heard, tls};
use super::post::{Desk, Receipt};
use crate::clock;
use crate::config::door::Remote;
use crate::failure::Failure;
use bytes::BytesMut;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsConnector;

/// A connection that lived this long has shown that the next attempt need not wait for long.
const STABLE: Duration = Duration::from_secs(10);
/// From the first packet of TCP until everything is subscribed to.
pub const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long the broker may take nothing in.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// For how long a broker has to keep what we do not take.
pub const TAKE_MAX: Duration = Duration::from_secs(30);
/// Read at a time.
const READ_MAX: usize = 16 << 10;

/// Why there is no connection, or no longer one.
#[derive(Clone, Debug)]
pub struct Setback {
    pub cause: String,
    pub next: String,
    /// Trying again would give the same answer.
    pub is_final: bool,
    /// Going on would do harm, whatever was heard before.
    pub does_harm: bool,
}

impl Setback {
    pub fn new(cause: impl Into<String>, next: impl Into<String>) -> Self {
        Self { cause: cause.into(), next: next.into(), is_final: false, does_harm: false }
    }

    pub fn harm(cause: impl Into<String>, next: impl Into<String>) -> Self {
        Self { does_harm: true, ..Self::refusal(cause, next) }
    }

    pub fn refusal(cause: impl Into<String>, next: impl Into<String>) -> Self {
        Self { is_final: true, ..Self::new(cause, next) }
    }

    fn slow() -> Self {
        Self::new(
            format!("no answer within {}s", CONNECT_MAX.as_secs()),
            "check host and port, that no firewall is in the way, and whether the port wants TLS",
        )
    }

    /// What the broker sent is not taken in here.
    pub fn stuck(since: Duration) -> Self {
        let cause = format!(
            "what it sent was not taken in here for {}s, and it is not to keep more",
            since.as_secs()
        );
        Self::new(cause, "check that the store can be written")
    }

    /// Bytes that are no part of the protocol.
    pub fn foreign(cause: impl Into<String>) -> Self {
        Self::new(cause, "check the port: another service, or one with TLS, may be listening there")
    }

    fn of(trouble: &Trouble) -> Self {
        let next = match trouble {
            // As for MQTT, but for how its URLs begin.
            Trouble::Tls { next, .. } => next.replace("`mqtt://`", "`amqp://` or `stomp://`"),
            Trouble::UnknownHost(..) => {
                "check the host name, and that this machine can look names up".to_owned()
            }
            Trouble::Unreachable(_, error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "is the broker's plugin or connector on, and is this its port?".to_owned()
            }
            Trouble::Closed => {
                "does the port want TLS? If not, the broker's log says why".to_owned()
            }
            _ => "check host and port, and that no firewall is in the way".to_owned(),
        };
        Self::new(trouble.to_string(), next)
    }

    fn failure(&self, remote: &Remote) -> Failure {
        Failure::new(format!("could not listen to {remote}"))
            .because(&self.cause)
            .next(self.next.clone())
    }
}

/// Speaks one protocol on one connection after the other.
pub trait Speaker: Send + 'static {
    /// Says who we are, and subscribes. Returns what was subscribed to.
    fn open(
        &mut self,
        line: &mut Line,
    ) -> impl Future<Output = Result<Vec<String>, Setback>> + Send;

    /// Listens until the connection ends, or until it is to be left, after a goodbye.
    fn listen(&mut self, line: &mut Line, desk: &Desk) -> impl Future<Output = Setback> + Send;
}

/// Certificates are read here, so that what is wrong with them is known at once.
pub fn encryption(remote: &Remote) -> Result<Option<Arc<ClientConfig>>, Failure> {
    remote.tls.as_ref().map(tls::client_config).transpose()
}

/// Connects, has `speaker` listen, and does so again when the connection is lost.
pub async fn run(
    remote: Remote,
    tls: Option<Arc<ClientConfig>>,
    mut speaker: impl Speaker,
    desk: Desk,
) {
    let backoff = Backoff::default();
    // Without randomness the waits are merely those of others.
    let seed = getrandom::u64().unwrap_or_default();
    let (mut failures, mut succeeded) = (0_u32, false);
    loop {
        let opened = async {
            let line = Line::open(remote.host_name(), remote.port, tls.as_ref()).await;
            let mut line = line.map_err(|trouble| Setback::of(&trouble))?;
            let filters = speaker.open(&mut line).await?;
            Ok((line, filters))
        };
        let opened = tokio::select! {
            opened = timeout(CONNECT_MAX, opened) => opened.unwrap_or_else(|_| Err(Setback::slow())),
            () = desk.stopped() => return,
        };
        let setback = match opened {
            Err(setback) => setback,
            Ok((mut line, filters)) => {
                let since = clock::monotonic();
                succeeded = true;
                let granted = filters.into_iter();
                let granted = granted.map(|filter| Grant { filter, answer: Answer::Granted(1) });
                desk.put(Heard::Connected { session_present: false }, 0).await;
                desk.put(Heard::Subscribed { granted: granted.collect() }, 0).await;
                let setback = speaker.listen(&mut line, &desk).await;
                if since.elapsed() >= STABLE {
                    failures = 0;
                }
                setback
            }
        };
        if desk.is_stopped() {
            return;
        }
        let failure = setback.failure(&remote);
        if setback.is_final && !succeeded {
            desk.give_up(failure);
            return;
        }
        desk.note(failure);
        failures = failures.saturating_add(1);
        let retry_in = backoff.delay(failures, seed);
        desk.put_now(Heard::Lost { cause: setback.cause, retry_in });
        tokio::select! {
            () = sleep(retry_in) => {}
            () = desk.stopped() => return,
        }
    }
}

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One connection.
pub struct Line {
    stream: Box<dyn Stream>,
    /// What was read and not taken yet.
    pub input: BytesMut,
}

/// What happens on a line.
#[derive(Debug)]
pub enum Turn {
    /// Something was read.
    Read,
    /// It is time to say that we are there.
    Beat,
    /// It is time to go.
    Leave,
}

impl Line {
    /// Connects to the first address that answers.
    pub async fn open(
        host: String,
        port: u16,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, Trouble> {
        let deadline = Instant::now() + CONNECT_MAX;
        let places = addresses(host.clone(), port).await?;
        let mut left = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let mut last = None;
        for place in places {
            // One that swallows packets must not eat the time of those behind it.
            let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
            left -= 1;
            let tcp = match timeout(share, TcpStream::connect(place)).await {
                Ok(Ok(tcp)) => tcp,
                Ok(Err(error)) => {
                    last = Some(Trouble::Unreachable(place.to_string(), error));
                    continue;
                }
                Err(_) => {
                    let error = io::ErrorKind::TimedOut.into();
                    last = Some(Trouble::Unreachable(place.to_string(), error));
                    continue;
                }
            };
            tcp.set_nodelay(true).map_err(Trouble::Broken)?;
            let stream: Box<dyn Stream> = match tls {
                None => Box::new(tcp),
                Some(config) => {
                    let name = ServerName::try_from(host.clone())
                        .map_err(|_| Trouble::NoServerName(host))?;
                    let connector = TlsConnector::from(Arc::clone(config));
                    let layered = connector.connect(name, tcp).await;
                    Box::new(layered.map_err(|error| tls::trouble(&error))?)
                }
            };
            return Ok(Self { stream, input: BytesMut::new() });
        }
        Err(last.unwrap_or(Trouble::UnknownHost(host, None)))
    }

    #[cfg(test)]
    pub fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), input: BytesMut::new() }
    }

    /// Sends it all.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Setback> {
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(WRITE_MAX, written).await {
            Ok(written) => written.map_err(|error| Setback::of(&Trouble::from_io(error))),
            Err(_) => Err(Setback::of(&Trouble::Unread(WRITE_MAX))),
        }
    }

    /// Waits until something was read. Dropping the future loses nothing.
    pub async fn read(&mut self) -> Result<(), Setback> {
        self.input.reserve(READ_MAX);
        match self.stream.read_buf(&mut self.input).await {
            Ok(0) => Err(Setback::of(&Trouble::Closed)),
            Ok(_) => Ok(()),
            Err(error) => Err(Setback::of(&Trouble::from_io(error))),
        }
    }

    /// Waits until something was read, or there is something to do; fails after a silence.
    pub async fn turn(&mut self, desk: &Desk, pulse: &Pulse) -> Result<Turn, Setback> {
        tokio::select! {
            biased;
            () = desk.stopped() => Ok(Turn::Leave),
            () = sleep_until(pulse.beat_due) => Ok(Turn::Beat),
            read = self.read() => read.map(|()| Turn::Read),
            () = sleep_until(pulse.heard + pulse.silence_max) => {
                Err(Setback::of(&Trouble::Silent(pulse.silence_max)))
            }
        }
    }

    /// Hands something over, and goes on saying that we are there while there is no room.
    pub async fn hand(
        &mut self,
        desk: &Desk,
        heard: Heard,
        size: usize,
        pulse: &mut Pulse,
    ) -> Result<(), Setback> {
        self.hand_within(TAKE_MAX, desk.put(heard, size), pulse).await
    }

    /// The same; `receipt` is told once it is durable.
    pub async fn hand_with(
        &mut self,
        desk: &Desk,
        heard: Heard,
        size: usize,
        receipt: (u64, Receipt),
        pulse: &mut Pulse,
    ) -> Result<(), Setback> {
        self.hand_within(TAKE_MAX, desk.put_with(heard, size, Some(receipt)), pulse).await
    }

    async fn hand_within(
        &mut self,
        take_max: Duration,
        put: impl Future<Output = ()>,
        pulse: &mut Pulse,
    ) -> Result<(), Setback> {
        let end = Instant::now() + take_max;
        let mut put = std::pin::pin!(put);
        loop {
            if timeout_at(end.min(pulse.beat_due), &mut put).await.is_ok() {
                return Ok(());
            }
            if Instant::now() >= end {
                return Err(Setback::stuck(take_max));
            }
            self.beat(pulse).await?;
            // Nobody read meanwhile.
            pulse.heard = Instant::now();
        }
    }

    /// Says that we are there.
    pub async fn beat(&mut self, pulse: &mut Pulse) -> Result<(), Setback> {
        pulse.beat_due = Instant::now() + pulse.every;
        self.send(pulse.sign).await
    }
}

/// How a line is kept alive, and known to be.
#[derive(Debug)]
pub struct Pulse {
    /// What says that we are there.
    sign: &'static [u8],
    every: Duration,
    beat_due: Instant,
    /// When something was read last.
    pub heard: Instant,
    silence_max: Duration,
}

impl Pulse {
    /// `ours`: how often to say that we are there; `theirs`: how often they do.
    pub fn new(sign: &'static [u8], ours: Duration, theirs: Duration) -> Self {
        let now = Instant::now();
        Self { sign, every: ours, beat_due: now + ours, heard: now, silence_max: theirs * 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::post::Post;
    use tokio::io::duplex;
    use tokio::sync::oneshot;

    const HOUR: Duration = Duration::from_hours(1);
    const ALL: usize = 1 << 30;

    /// Returns a post that is full, and what became of one thing more.
    fn full(take_max: Duration, line: Line) -> (Post, oneshot::Receiver<Result<(), Setback>>) {
        let (sender, became) = oneshot::channel();
        let post = Post::start("test", |desk| async move {
            let mut line = line;
            desk.put(Heard::Alive, ALL).await;
            let mut pulse = Pulse::new(b"beat", Duration::from_millis(1), HOUR);
            let handed = line.hand_within(take_max, desk.put(Heard::Alive, 1), &mut pulse).await;
            let _ = sender.send(handed);
            desk.stopped().await;
        });
        (post, became)
    }

    #[tokio::test]
    async fn a_line_from_which_nothing_is_taken_for_too_long_is_given_up() {
        let (ours, _theirs) = duplex(1 << 20);
        let line = Line::over(ours);
        let (_post, became) = full(Duration::from_millis(20), line);
        let setback = became.await.expect("it ended").expect_err("nobody took anything");
        assert!(setback.cause.contains("was not taken in here"), "{setback:?}");
        assert!(!setback.is_final && setback.next.contains("store"), "{setback:?}");
    }

    #[tokio::test]
    async fn while_nothing_is_taken_the_line_is_kept_alive_and_what_waits_is_not_lost() {
        let (ours, mut theirs) = duplex(1 << 20);
        let line = Line::over(ours);
        let (mut post, became) = full(HOUR, line);
        let mut beats = [0; 8];
        theirs.read_exact(&mut beats).await.expect("we say that we are there");
        assert_eq!(&beats, b"beatbeat");
        for _ in 0..2 {
            assert!(matches!(post.next().await, Ok(Heard::Alive)));
        }
        assert!(became.await.expect("it ended").is_ok());
    }
}
