//! The life of a session: connect, listen, lose the connection, wait, connect again.

use super::line::Line;
use super::live::Live;
use super::packet::{ConnAck, Connect};
use super::transport::{self, Patience};
use super::trouble::{Stage, TAKEN_OVER, Trouble};
use super::{AckToken, Heard, Options, reason, tls};
use crate::clock;
use crate::config::broker::MqttVersion;
use crate::config::connection::TEXT_MAX;
use crate::config::secret::Secret;
use crate::failure::Failure;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Sleep, sleep, timeout};

/// A connection that lived this long has shown that the next attempt need not wait for long.
const STABLE: Duration = Duration::from_secs(10);
/// From this many early ends in a row on, chance is no explanation.
const EARLY_ENDS_MANY: u32 = 3;
/// How long a goodbye may take.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// A listener at one broker.
pub struct Session {
    options: Arc<Options>,
    tls: Option<Arc<rustls::ClientConfig>>,
    phase: Phase,
    /// Counts the connections.
    epoch: u64,
    /// Failures in a row.
    failures: u32,
    /// Connections in a row that the broker closed soon and without a word.
    early_ends: u32,
    seed: u64,
    last: Option<Trouble>,
}

type Attempt = Pin<Box<dyn Future<Output = Result<(Line, ConnAck), Trouble>> + Send>>;

enum Phase {
    Resting(Pin<Box<Sleep>>),
    /// Held here rather than awaited, so that dropping `next` does not begin it anew.
    Connecting(Attempt),
    Live(Box<Live>),
}

impl Session {
    /// Checks the options and reads certificates. Nothing is sent before [`Session::next`].
    pub fn new(options: Options) -> Result<Self, Failure> {
        check(&options)?;
        let tls = options.connection.tls.as_ref().map(tls::client_config).transpose()?;
        let options = Arc::new(options);
        Ok(Self {
            phase: Phase::Connecting(Box::pin(connect(Arc::clone(&options), tls.clone()))),
            options,
            tls,
            epoch: 0,
            failures: 0,
            early_ends: 0,
            // Without randomness the waits are merely those of other sessions.
            seed: getrandom::u64().unwrap_or_default(),
            last: None,
        })
    }

    /// Waits for what is heard next. Dropping the future loses nothing.
    ///
    /// Fails only if the broker refuses the very first connection for a reason that will not go away.
    /// Whoever does not want to wait for ever for the first connection ends it with
    /// [`Session::could_not_connect`].
    pub async fn next(&mut self) -> Result<Heard, Failure> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns what is heard next if it is there already, without waiting.
    pub fn drain(&mut self) -> Option<Heard> {
        match &mut self.phase {
            Phase::Live(live) => match live.poll_heard(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(heard)) => Some(heard),
                Poll::Ready(Err(trouble)) => Some(self.lost(trouble)),
                Poll::Pending => None,
            },
            _ => None,
        }
    }

    /// Acknowledges messages. Tokens of an earlier connection are dropped: the broker will send their
    /// messages again. Never waits; what does not fit into the socket goes out with the next call of
    /// [`Session::next`].
    pub fn acknowledge(&mut self, tokens: impl IntoIterator<Item = AckToken>) {
        if let Phase::Live(live) = &mut self.phase {
            live.acknowledge(tokens, &mut Context::from_waker(Waker::noop()));
        }
    }

    /// Says goodbye, within two seconds.
    pub async fn leave(self) {
        if let Phase::Live(live) = self.phase {
            // Whatever happens now, the connection is over.
            let _ = timeout(LEAVE_MAX, live.leave()).await;
        }
    }

    /// Returns why the broker was not reached, as the failure that ends a run.
    #[must_use]
    pub fn could_not_connect(&self) -> Failure {
        self.last.as_ref().unwrap_or(&Trouble::Slow(Stage::Reach)).failure(&self.options.connection)
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Failure>> {
        loop {
            match &mut self.phase {
                Phase::Resting(wait) => {
                    std::task::ready!(wait.as_mut().poll(cx));
                    let attempt = connect(Arc::clone(&self.options), self.tls.clone());
                    self.phase = Phase::Connecting(Box::pin(attempt));
                }
                Phase::Connecting(attempt) => match std::task::ready!(attempt.as_mut().poll(cx)) {
                    Ok((line, answer)) => return Poll::Ready(Ok(self.connected(line, &answer))),
                    Err(trouble) if self.epoch == 0 && trouble.is_final() => {
                        let failure = trouble.failure(&self.options.connection);
                        self.lost(trouble);
                        return Poll::Ready(Err(failure));
                    }
                    Err(trouble) => return Poll::Ready(Ok(self.lost(trouble))),
                },
                Phase::Live(live) => {
                    return match std::task::ready!(live.poll_heard(cx)) {
                        Ok(heard) => Poll::Ready(Ok(heard)),
                        Err(trouble) => Poll::Ready(Ok(self.lost(trouble))),
                    };
                }
            }
        }
    }

    fn connected(&mut self, mut line: Line, answer: &ConnAck) -> Heard {
        let own = self.options.connection.keep_alive;
        // The broker's keep alive replaces ours (MQTT 5.0 §3.2.2.3.14). A shorter one has to be
        // kept; a longer one, or none, does not forbid to ask more often, and it is we who want to
        // know whether the line is alive.
        let period = match answer.properties.server_keep_alive.map(u64::from) {
            Some(seconds @ 1..) if own.is_zero() => Duration::from_secs(seconds),
            Some(seconds @ 1..) => own.min(Duration::from_secs(seconds)),
            _ => own,
        };
        line.probe_every(period);
        self.epoch += 1;
        let standing = Live::new(line, &self.options, self.epoch, clock::monotonic());
        self.phase = Phase::Live(Box::new(standing));
        Heard::Connected { session_present: answer.session_present }
    }

    /// Notes the end of a connection or attempt, and rests before the next one. All that belonged to
    /// the connection goes with it: what was received but not handed out would otherwise be taken for
    /// news of the next one.
    fn lost(&mut self, trouble: Trouble) -> Heard {
        if let Phase::Live(live) = &self.phase {
            if clock::monotonic().saturating_duration_since(live.since) >= STABLE {
                self.failures = 0;
                self.early_ends = 0;
            } else if matches!(trouble, Trouble::Closed | Trouble::Broken(_)) {
                self.early_ends += 1;
            }
        }
        self.failures = self.failures.saturating_add(1);
        let retry_in = self.options.backoff.delay(self.failures, self.seed);
        self.phase = Phase::Resting(Box::pin(sleep(retry_in)));
        let cause = self.cause(&trouble);
        self.last = Some(trouble);
        Heard::Lost { cause, retry_in }
    }

    fn cause(&self, trouble: &Trouble) -> String {
        let id = reason::quoted(&self.options.client_id);
        match trouble {
            Trouble::Dismissed { code: TAKEN_OVER, .. } => {
                format!("another client connected with our client id {id}: {trouble}")
            }
            // MQTT 3.1.1 has no word for it: the broker just closes.
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
            Phase::Resting(_) => "resting",
            Phase::Connecting(_) => "connecting",
            Phase::Live(_) => "live",
        };
        f.debug_struct("Session")
            .field("options", &self.options)
            .field("phase", &phase)
            .field("epoch", &self.epoch)
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

/// One attempt, from the host name to CONNACK. It owns all it needs.
async fn connect(
    options: Arc<Options>,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> Result<(Line, ConnAck), Trouble> {
    let connection = &options.connection;
    let limit = options.connect_timeout;
    let mut patience = Patience::new(limit);
    let carrier = transport::open(&connection.broker, tls, limit, &mut patience).await?;
    let mut line = Line::new(carrier, connection.mqtt_version);
    let expiry = u32::try_from(options.session_expiry.as_secs()).unwrap_or(u32::MAX);
    let hello = Connect {
        version: connection.mqtt_version,
        client_id: &options.client_id,
        username: connection.username.as_deref(),
        password: connection.password.as_ref().map(Secret::reveal),
        clean: options.clean,
        keep_alive: u16::try_from(connection.keep_alive.as_secs()).unwrap_or(u16::MAX),
        session_expiry: if options.clean { 0 } else { expiry },
    };
    let answer = patience.during(Stage::Connack, line.greet(&hello)).await?;
    match answer.code {
        0 => Ok((line, answer)),
        code => Err(Trouble::Refused {
            code,
            said: answer.properties.reason,
            moved_to: answer.properties.server_reference,
        }),
    }
}

/// Checks what would make a broker close the connection again and again.
fn check(options: &Options) -> Result<(), Failure> {
    let connection = &options.connection;
    let fits = |text: &str| text.len() <= TEXT_MAX && !text.contains('\0');
    let too_long = |what: &str| {
        Failure::misuse(format!("{what} is longer than MQTT can carry, or holds a NUL"))
            .because("a text of MQTT has at most 65,535 bytes (MQTT 3.1.1 §1.5.3)")
            .next("pass a shorter one")
    };
    if options.client_id.is_empty() {
        return Err(Failure::misuse("the client id is empty")
            .because("the broker would give us another id at every connection")
            .next("pass an id with `--client-id`"));
    }
    if !fits(&options.client_id) {
        return Err(too_long("the client id"));
    }
    if !connection.username.as_deref().is_none_or(fits) {
        return Err(too_long("the user name"));
    }
    if connection.password.as_ref().is_some_and(|secret| secret.reveal().len() > TEXT_MAX) {
        return Err(too_long("the password"));
    }
    if connection.mqtt_version == MqttVersion::V311
        && connection.password.is_some()
        && connection.username.is_none()
    {
        return Err(Failure::misuse("a password without a user name")
            .because("MQTT 3.1.1 cannot carry it (§3.1.2.9)")
            .next("add `--username`, or pass `--mqtt-version 5`"));
    }
    match options.filters.iter().find(|filter| !fits(filter) || !is_filter(filter)) {
        None => Ok(()),
        Some(filter) => {
            Err(Failure::misuse(format!("{} is no topic filter", reason::quoted(filter)))
                .because("`#` stands alone and last, `+` stands alone (MQTT 3.1.1 §4.7.1)")
                .next("correct the filter, as in `devices/+/status` or `$SYS/#`"))
        }
    }
}

/// Tells whether a filter is one. Brokers close the connection on any other.
fn is_filter(filter: &str) -> bool {
    let levels = filter.split('/').count();
    !filter.is_empty()
        && filter.split('/').enumerate().all(|(place, level)| match level {
            "#" => place + 1 == levels,
            "+" => true,
            other => !other.contains(['#', '+']),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_told_from_what_brokers_throw_out() {
        for good in ["#", "+", "a", "/", "a/+/b", "a/#", "+/+", "$SYS/#", "$share/g/a/#", "é"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/##"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }
}
