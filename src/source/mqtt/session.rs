//! The life of a session: connect, listen, lose the connection, wait, connect again.

use super::check::check;
use super::link::Link;
use super::rumqtt::{Ack, Plan};
use super::subscribing::Experience;
use super::trouble::{Stage, TAKEN_OVER, Trouble};
use super::unacknowledged::Unacknowledged;
use super::{AckToken, Heard, Options, PACKET_MAX, reason, tls};
use crate::failure::Failure;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// A connection that lived this long has shown that the next attempt need not wait for long.
const STABLE: Duration = Duration::from_secs(10);
/// From this many early ends in a row on, chance is no explanation.
const EARLY_ENDS_MANY: u32 = 3;

/// A listener at one broker.
pub struct Session {
    /// What the next connection is made from.
    plan: Plan,
    phase: Phase,
    unacknowledged: Unacknowledged,
    /// Failures in a row.
    failures: u32,
    /// Connections in a row that the broker closed soon and without a word.
    early_ends: u32,
    /// Whether a connection ever stood.
    succeeded: bool,
    seed: u64,
    last: Option<Trouble>,
}

enum Phase {
    New,
    Resting(Pin<Box<Sleep>>),
    Connecting(Link),
    /// Connected, since this moment.
    Standing(Link, Instant),
}

impl Session {
    /// Checks the options and reads certificates. Nothing is sent before [`Session::next`].
    pub fn new(options: Options) -> Result<Self, Failure> {
        check(&options)?;
        let tls = options.connection.tls.as_ref().map(tls::client_config).transpose()?;
        let options = Arc::new(options);
        let experience = Experience::default();
        Ok(Self {
            plan: Plan { options, tls, epoch: 0, packet_max: PACKET_MAX, experience },
            phase: Phase::New,
            unacknowledged: Unacknowledged::new(),
            failures: 0,
            early_ends: 0,
            succeeded: false,
            // Without randomness the waits are merely those of other sessions.
            seed: getrandom::u64().unwrap_or_default(),
            last: None,
        })
    }

    /// Waits for what is heard next. Dropping the future loses nothing. Runs within tokio.
    ///
    /// Fails only if the broker refuses the very first connection for a reason that will not go away.
    /// Whoever does not want to wait for ever for the first connection ends it with
    /// [`Session::could_not_connect`].
    pub async fn next(&mut self) -> Result<Heard, Failure> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns what is heard next if it is there already, without waiting.
    pub fn drain(&mut self) -> Option<Heard> {
        let Phase::Standing(link, _) = &mut self.phase else { return None };
        match link.poll_heard(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(heard)) => Some(self.noted(heard)),
            Poll::Ready(Err(trouble)) => Some(self.lost(trouble)),
            Poll::Pending => None,
        }
    }

    /// Acknowledges messages, each once. Tokens of an earlier connection are dropped: the broker will
    /// send their messages again. Never waits; the connection's own task sends them.
    pub fn acknowledge(&mut self, tokens: impl IntoIterator<Item = AckToken>) {
        let Phase::Standing(link, _) = &self.phase else { return };
        let acks: Vec<Ack> = tokens
            .into_iter()
            .filter(|token| token.epoch == self.plan.epoch && token.qos > 0)
            .filter(|token| self.unacknowledged.remove(token.id))
            .map(|token| Ack { id: token.id, qos: token.qos })
            .collect();
        if !acks.is_empty() {
            link.acknowledge(acks);
        }
    }

    /// Says goodbye, within two seconds.
    pub async fn leave(self) {
        if let Phase::Standing(link, _) = self.phase {
            link.leave().await;
        }
    }

    /// Returns why the broker was not reached, as the failure that ends a run.
    #[must_use]
    pub fn could_not_connect(&self) -> Failure {
        let trouble = self.last.as_ref().unwrap_or(&Trouble::Slow(Stage::Answer));
        trouble.failure(&self.plan.options.connection)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Failure>> {
        loop {
            match &mut self.phase {
                Phase::New => self.phase = Phase::Connecting(self.connect()),
                Phase::Resting(wait) => {
                    ready!(wait.as_mut().poll(cx));
                    self.phase = Phase::Connecting(self.connect());
                }
                Phase::Connecting(link) | Phase::Standing(link, _) => {
                    return match ready!(link.poll_heard(cx)) {
                        Ok(heard) => Poll::Ready(Ok(self.noted(heard))),
                        Err(trouble) if !self.succeeded && trouble.is_final() => {
                            let failure = trouble.failure(&self.plan.options.connection);
                            self.lost(trouble);
                            Poll::Ready(Err(failure))
                        }
                        Err(trouble) => Poll::Ready(Ok(self.lost(trouble))),
                    };
                }
            }
        }
    }

    fn connect(&mut self) -> Link {
        self.plan.epoch += 1;
        Link::start(self.plan.clone())
    }

    /// Notes what matters to the session itself.
    fn noted(&mut self, heard: Heard) -> Heard {
        match &heard {
            Heard::Connected { .. } => {
                self.phase = match std::mem::replace(&mut self.phase, Phase::New) {
                    Phase::Connecting(link) => Phase::Standing(link, Instant::now()),
                    other => other,
                };
                self.succeeded = true;
                self.unacknowledged = Unacknowledged::new();
                // Raised for one connection only, see `learn`.
                self.plan.packet_max = PACKET_MAX;
            }
            Heard::Message(publish) if publish.qos > 0 => {
                self.unacknowledged.insert(publish.ack.id);
            }
            _ => {}
        }
        heard
    }

    /// Notes the end of a connection or attempt, and rests before the next one. The event loop goes with
    /// the link, and with it all that belonged to the connection.
    fn lost(&mut self, trouble: Trouble) -> Heard {
        if let Phase::Standing(_, since) = &self.phase {
            if since.elapsed() >= STABLE {
                self.failures = 0;
                self.early_ends = 0;
            } else if matches!(trouble, Trouble::Closed | Trouble::Broken(_)) {
                self.early_ends += 1;
            }
        }
        self.learn(&trouble);
        self.failures = self.failures.saturating_add(1);
        let retry_in = self.plan.options.backoff.delay(self.failures, self.seed);
        self.phase = Phase::Resting(Box::pin(sleep(retry_in)));
        let cause = self.cause(&trouble);
        self.last = Some(trouble);
        Heard::Lost { cause, retry_in }
    }

    /// Draws the lesson from ends that would otherwise come again and again.
    fn learn(&mut self, trouble: &Trouble) {
        match trouble {
            // The broker keeps an unacknowledged message and sends it first thing: let it through once,
            // so that it can be skipped and acknowledged.
            Trouble::Oversized(size) => self.plan.packet_max = *size,
            Trouble::UnusualAnswer { filter: None, .. } => self.plan.experience.one_by_one = true,
            Trouble::UnusualAnswer { code, filter: Some(filter) } => {
                self.plan.experience.unusual.insert(filter.clone(), *code);
            }
            _ => {}
        }
    }

    fn cause(&self, trouble: &Trouble) -> String {
        let id = reason::quoted(&self.plan.options.client_id);
        match trouble {
            Trouble::Dismissed { code: TAKEN_OVER, .. } => {
                format!("another client connected with our client id {id}: {trouble}")
            }
            // MQTT 3.1.1 has no word for it, and rumqttc cannot read the shortest of MQTT 5.
            Trouble::Closed | Trouble::Broken(_) if self.early_ends >= EARLY_ENDS_MANY => format!(
                "{trouble}, {} times in a row soon after accepting it: does another client use the \
                 client id {id}, or may this account not subscribe?",
                self.early_ends
            ),
            _ => trouble.to_string(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase {
            Phase::New => "new",
            Phase::Resting(_) => "resting",
            Phase::Connecting(_) => "connecting",
            Phase::Standing(..) => "standing",
        };
        f.debug_struct("Session")
            .field("options", &self.plan.options)
            .field("phase", &phase)
            .field("epoch", &self.plan.epoch)
            .finish_non_exhaustive()
    }
}

/// Removes the session of this client id at the broker: connects clean, and leaves.
pub async fn forget_session(options: Options) -> Result<(), Failure> {
    let mut session = Session::new(Options { clean: true, filters: Vec::new(), ..options })?;
    if let Heard::Lost { .. } = session.next().await? {
        return Err(session.could_not_connect());
    }
    session.leave().await;
    Ok(())
}
