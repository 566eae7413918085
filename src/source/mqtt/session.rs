//! The life of a session: connect, listen, lose the connection, wait, connect again.

use super::check::check;
use super::link::Link;
use super::rumqtt::{Ack, Plan};
use super::subscribing::Experience;
use super::trouble::{RENEW, Stage, TAKEN_OVER, Trouble};
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
/// The longest wait before we take our client id back from whoever else uses it.
const RIVAL_WAIT_MAX: Duration = Duration::from_mins(1);

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
    /// The wait before the present attempt or connection.
    waited: Duration,
    /// Whether a connection ever stood.
    succeeded: bool,
    /// Whether subscriptions were ever answered.
    was_granted: bool,
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
            waited: Duration::ZERO,
            succeeded: false,
            was_granted: false,
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

    /// Returns what is at hand, and was heard before this was asked.
    #[must_use]
    pub fn at_hand(&self) -> &[Heard] {
        if let Phase::Standing(link, _) = &self.phase { link.at_hand() } else { &[] }
    }

    /// Acknowledges messages, each once. Tokens of an earlier connection are dropped: the broker will
    /// send their messages again. Never waits; the connection's own task sends them.
    pub fn acknowledge(&mut self, tokens: impl IntoIterator<Item = AckToken>) {
        let Phase::Standing(link, _) = &self.phase else { return };
        let tokens = tokens.into_iter();
        let mut acks = Vec::with_capacity(tokens.size_hint().0);
        acks.extend(
            tokens
                .filter(|token| token.epoch == self.plan.epoch && token.qos > 0)
                .filter(|token| self.unacknowledged.remove(token.id))
                .map(|token| Ack { id: token.id, qos: token.qos }),
        );
        if !acks.is_empty() {
            link.acknowledge(acks);
        }
    }

    /// Stops listening to a filter, once everything acknowledged so far is. Never waits; what is heard
    /// tells when the broker has done it.
    pub fn unsubscribe(&self, filter: &str) {
        if let Phase::Standing(link, _) = &self.phase {
            link.unsubscribe(filter.to_owned());
        }
    }

    /// Tells whether the last connection most likely ended because somebody else connected with our client
    /// id: MQTT 5 says so, under 3.1.1 it only looks like it after a while.
    #[must_use]
    pub const fn is_usurped(&self) -> bool {
        match self.last {
            Some(Trouble::Dismissed { code: TAKEN_OVER, .. }) => true,
            Some(Trouble::Closed | Trouble::Broken(_)) => self.early_ends >= EARLY_ENDS_MANY,
            _ => false,
        }
    }

    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.plan.options.client_id
    }

    /// Returns what was subscribed to, or is with the next connection.
    #[must_use]
    pub fn filters(&self) -> &[String] {
        &self.plan.options.filters
    }

    /// Says goodbye, within two seconds.
    pub async fn leave(self) {
        if let Phase::Standing(link, _) = self.phase {
            link.leave().await;
        }
    }

    /// Says goodbye and leaves nothing behind at the broker, whatever it kept for us.
    pub async fn leave_for_good(self) -> Result<(), Failure> {
        let options = Arc::clone(&self.plan.options);
        self.leave().await;
        if options.clean { Ok(()) } else { forget_session(Options::clone(&options)).await }
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
            Heard::Subscribed { .. } => self.was_granted = true,
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
            // Whoever throws us out again and again waits as long as we do in between.
            let stable = if self.early_ends > 0 { STABLE.max(self.waited * 2) } else { STABLE };
            if since.elapsed() >= stable {
                self.failures = 0;
                self.early_ends = 0;
            } else if trouble.may_be_a_rival() {
                self.early_ends += 1;
            }
        }
        // Who has learnt something need not wait for long.
        if !self.learn(&trouble) || self.failures == 0 {
            self.failures = self.failures.saturating_add(1);
        }
        let cause = self.cause(&trouble);
        self.last = Some(trouble);
        let delay = self.plan.options.backoff.delay(self.failures, self.seed);
        let retry_in = if self.is_usurped() { delay.min(RIVAL_WAIT_MAX) } else { delay };
        self.waited = retry_in;
        self.phase = Phase::Resting(Box::pin(sleep(retry_in)));
        Heard::Lost { cause, retry_in }
    }

    /// Draws the lesson from an end that would otherwise come again and again. Returns whether there was one.
    fn learn(&mut self, trouble: &Trouble) -> bool {
        match trouble {
            // The broker keeps an unacknowledged message and sends it first thing: let it through once,
            // so that it can be skipped and acknowledged.
            Trouble::Oversized(size) => self.plan.packet_max = *size,
            // It granted all of this once: now it is something else that it does not like.
            Trouble::ThrownOut { .. } if self.was_granted => {}
            trouble => return self.plan.experience.learn(trouble),
        }
        false
    }

    fn cause(&self, trouble: &Trouble) -> String {
        let id = reason::quoted(&self.plan.options.client_id);
        match trouble {
            Trouble::Dismissed { code: TAKEN_OVER, .. } => {
                format!("another client connected with our client id {id}: {trouble}")
            }
            // MQTT 3.1.1 has no word for it, and rumqttc cannot read the shortest of MQTT 5.
            Trouble::Closed | Trouble::Broken(_) | Trouble::ThrownOut { .. }
                if self.early_ends >= EARLY_ENDS_MANY =>
            {
                format!(
                    "{trouble}, {} times in a row soon after accepting it: does another client use the \
                 client id {id}, or may this account not subscribe?",
                    self.early_ends
                )
            }
            // Nobody but who runs us can end it.
            Trouble::Token { .. } | Trouble::NoToken(_) => format!("{trouble}: {RENEW}"),
            Trouble::Refused(_) if self.plan.options.connection.auth.is_token() => {
                format!("{trouble}: {}", trouble.next(&self.plan.options.connection))
            }
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
