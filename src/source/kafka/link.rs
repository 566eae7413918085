//! One connection to a broker, with one request under way: brokers answer one after the other anyway.

use super::fault;
use super::sasl::{Scram, plain};
use super::wire::{self, Api};
use crate::config::kafka::{Kafka, Login, Mechanism};
use crate::failure::Failure;
use crate::source::mqtt::tls;
use crate::source::remote::{CONNECT_MAX, Line, Setback};
use base64::prelude::{BASE64_STANDARD_NO_PAD as BASE64, Engine as _};
use bytes::{Buf as _, Bytes};
use rustls::ClientConfig;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// A connection.
pub struct Link {
    line: Line,
    server: String,
    number: i32,
}

/// Where somebody listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub host: String,
    pub port: u16,
    /// A broker told of it, rather than the user.
    pub is_advertised: bool,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, .. } = self;
        // Shown, and of strangers.
        let host: String = host.chars().take(HOST_MAX).flat_map(char::escape_debug).collect();
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Names of hosts are no longer (RFC 1035 §2.3.4).
const HOST_MAX: usize = 255;
/// How much room is made at a time for an answer.
const ROOM_MAX: usize = 1 << 20;
const NONCE_BYTES: usize = 24;
impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What is spoken: all of it in the version that stands there.
const SPOKEN: [Api; 3] = [wire::FETCH, wire::LIST_OFFSETS, wire::METADATA];

/// Whoever opens connections: all are alike but for where they go.
#[derive(Debug)]
pub struct Dialer {
    pub kafka: Kafka,
    tls: Option<Arc<ClientConfig>>,
    /// The mechanism that a broker agreed to last.
    agreed: Mutex<Option<Mechanism>>,
}

impl Dialer {
    /// Errors: certificates that cannot be read.
    pub fn new(kafka: Kafka) -> Result<Self, Failure> {
        let tls = kafka.tls.as_ref().map(tls::client_config).transpose()?;
        Ok(Self { kafka, tls, agreed: Mutex::default() })
    }

    /// Connects and says who we are, within five seconds.
    pub async fn open(&self, place: &Place) -> Result<Link, Setback> {
        timeout(CONNECT_MAX, self.enter(place)).await.unwrap_or_else(|_| {
            Err(Setback::new(
                format!("{place} did not answer within {}s", CONNECT_MAX.as_secs()),
                "check host and port, that no firewall is in the way, and whether the port wants TLS",
            ))
        })
    }

    async fn enter(&self, place: &Place) -> Result<Link, Setback> {
        let Some(login) = &self.kafka.login else { return self.connect(place).await };
        let chosen = login.mechanism.or(*self.agreed());
        let mut mechanism = chosen.unwrap_or(Mechanism::ScramSha512);
        loop {
            let mut link = self.connect(place).await?;
            let Err(offered) = link.handshake(mechanism, &self.kafka).await? else {
                link.log_in(login, mechanism, &self.kafka).await?;
                *self.agreed() = Some(mechanism);
                return Ok(link);
            };
            let is_offered = |one: &Mechanism| offered.iter().any(|name| name == one.name());
            // The broker ends a connection on which it was asked for one that it does not have.
            match Mechanism::ALL.into_iter().filter(is_offered).max() {
                Some(other) if login.mechanism.is_none() && other < mechanism => mechanism = other,
                _ => return Err(fault::no_mechanism(mechanism, &offered, &link.server)),
            }
        }
    }

    async fn connect(&self, place: &Place) -> Result<Link, Setback> {
        let server = place.to_string();
        let line = Line::open(place.host.clone(), place.port, self.tls.as_ref()).await;
        let line =
            line.map_err(|trouble| fault::trouble(&trouble, &server, place.is_advertised))?;
        let mut link = Link { line, server, number: 0 };
        link.check_versions(&self.kafka).await?;
        Ok(link)
    }

    fn agreed(&self) -> MutexGuard<'_, Option<Mechanism>> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Asks, and waits for the answer for so long. After an error nothing more can be asked.
    pub async fn ask(
        &mut self,
        api: Api,
        kafka: &Kafka,
        within: Duration,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Bytes, Setback> {
        let exchanged = async {
            self.number = self.number.wrapping_add(1);
            let request = wire::request(api, self.number, body);
            self.line.send(&request).await?;
            let length = self.room(4, kafka).await?.get_i32();
            let length = usize::try_from(length).ok().filter(|length| *length <= wire::FRAME_MAX);
            let Some(length) = length.filter(|length| *length >= 4) else {
                return Err(self.foreign("what it sent is no answer of Kafka's"));
            };
            let mut answer = self.room(length, kafka).await?;
            if answer.get_i32() != self.number {
                return Err(self.foreign("it answered something that was not asked"));
            }
            Ok(answer)
        };
        timeout(within, exchanged).await.unwrap_or_else(|_| {
            Err(Setback::new(
                format!("{} did not answer within {}s", self.server, within.as_secs()),
                "check the port, whether it wants TLS, and that the broker is not overloaded",
            ))
        })
    }

    pub fn unreadable(&self, api: Api) -> Setback {
        self.foreign(&format!("its answer to `{}` cannot be read", api.name))
    }

    /// Takes so many bytes of what comes.
    async fn room(&mut self, length: usize, kafka: &Kafka) -> Result<Bytes, Setback> {
        while self.line.input.len() < length {
            let missing = length - self.line.input.len();
            self.line.input.reserve(missing.min(ROOM_MAX));
            let read = self.line.read().await;
            read.map_err(|setback| fault::ended(&setback, &self.server, kafka))?;
        }
        Ok(self.line.input.split_to(length).freeze())
    }

    fn foreign(&self, cause: &str) -> Setback {
        Setback::foreign(format!("{}: {cause}", self.server))
    }

    /// Asks which versions it speaks, which any broker answers to anybody.
    async fn check_versions(&mut self, kafka: &Kafka) -> Result<(), Setback> {
        let api = wire::API_VERSIONS;
        let answer = self.ask(api, kafka, CONNECT_MAX, |_| {}).await?;
        let (code, versions) = wire::read_versions(answer).ok_or_else(|| self.unreadable(api))?;
        if code != fault::DONE {
            return Err(fault::refusal(code, &self.server, kafka));
        }
        let is_spoken = |api: &Api| {
            let known = versions.iter().find(|(key, ..)| *key == api.key);
            known.is_some_and(|(_, least, most)| (*least..=*most).contains(&api.version))
        };
        match SPOKEN.iter().find(|api| !is_spoken(api)) {
            None => Ok(()),
            Some(api) => Err(Setback::refusal(
                format!("{} does not speak `{}` in version {}", self.server, api.name, api.version),
                "Kafka 1.0 and later are understood",
            )),
        }
    }

    /// Shows that we know the password, and with SCRAM has the broker show the same.
    async fn log_in(
        &mut self,
        login: &Login,
        mechanism: Mechanism,
        kafka: &Kafka,
    ) -> Result<(), Setback> {
        let Login { username, password, .. } = login;
        if mechanism == Mechanism::Plain {
            return self.authenticate(&plain(username, password), kafka).await.map(|_| ());
        }
        let mut bytes = [0; NONCE_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            Setback::new(format!("there is no randomness: {error}"), "see to it that there is")
        })?;
        let mut scram = Scram::new(mechanism, username, BASE64.encode(bytes));
        let said = self.authenticate(&scram.first(), kafka).await?;
        let refuse = |server: &str, cause: String| {
            let next = "check that this is the broker that is meant";
            Setback::refusal(format!("{server}: {cause}"), next)
        };
        let last = scram.last(&said, password).map_err(|cause| refuse(&self.server, cause))?;
        let said = self.authenticate(&last, kafka).await?;
        scram.check(&said).map_err(|cause| refuse(&self.server, cause))
    }

    /// Names the mechanism. Returns those that there are where it is none of them.
    async fn handshake(
        &mut self,
        mechanism: Mechanism,
        kafka: &Kafka,
    ) -> Result<Result<(), Vec<String>>, Setback> {
        let api = wire::SASL_HANDSHAKE;
        let name = |bytes: &mut Vec<u8>| wire::text(bytes, mechanism.name());
        let answer = self.ask(api, kafka, CONNECT_MAX, name).await?;
        let (code, offered) = wire::read_handshake(answer).ok_or_else(|| self.unreadable(api))?;
        match code {
            fault::DONE => Ok(Ok(())),
            fault::UNKNOWN_MECHANISM => Ok(Err(offered)),
            _ => Err(fault::not_let_in(code, "", &self.server, kafka)),
        }
    }

    async fn authenticate(&mut self, said: &[u8], kafka: &Kafka) -> Result<Bytes, Setback> {
        let api = wire::SASL_AUTHENTICATE;
        let answer = self.ask(api, kafka, CONNECT_MAX, |bytes| wire::block(bytes, said)).await?;
        let answer = wire::read_authenticated(answer).ok_or_else(|| self.unreadable(api))?;
        match answer {
            (fault::DONE, _, said) => Ok(said),
            (code, words, _) => Err(fault::not_let_in(code, &words, &self.server, kafka)),
        }
    }
}
