//! Mosquitto's dynamic security, asked over MQTT: which accounts have a session, and what the broker counts.

use crate::clock;
use crate::command::link::Link;
use crate::config::connection::Connection;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::query::dynsec::{
    Account, Counts, LIMITS, Listing, RESPONSE_TOPIC, Response, TOPIC, list_clients, read,
};
use crate::query::exchange::{Found, Trouble as Unreadable};
use crate::query::{Asked, Told};
use crate::simulate::dial::Route;
use crate::simulate::fleet::version_of;
use crate::source::mqtt::random_client_id;
use crate::source::mqtt::reach::addresses_within;
use crate::source::mqtt::trouble::{Stage, Trouble};
use crate::wire::{Connect, Filter, Packet, Publish, Qos, RetainedWanted, Subscribe};
use bytes::Bytes;
use std::time::{Duration, Instant};

/// Accounts of one response.
const PAGE: u32 = 1_000;
/// The plugin answers at once, or is not there.
const RESPONSE_MAX: Duration = Duration::from_secs(2);
/// Longer than a count is waited for.
const KEEP_ALIVE_S: u16 = 60;
const COUNT_MAX: Duration = Duration::from_mins(1);
/// What is left for the list after a count that was waited for.
const LIST_TAKES: Duration = Duration::from_secs(1);
/// How long a count may be waited for: Mosquitto's `sys_interval`, unless it was told otherwise.
pub const LAG: Duration = Duration::from_secs(10);

/// Asks about clients, with a connection of its own, until the deadline.
pub async fn ask(connection: Connection, clients: Vec<String>, deadline: Instant) -> Asked {
    let begun = clock::monotonic();
    let source = format!("dynamic security of {}", connection.instance);
    let mut inquiry =
        Inquiry { connection: &connection, deadline, requests: 0, counts: Counts::default() };
    let listed = inquiry.list(&clients).await;
    let Inquiry { requests, counts, .. } = inquiry;
    let (told, failures) = match listed {
        Ok((accounts, at)) => {
            let user = connection.username.as_deref();
            let listing = Listing::new(&accounts, &counts, user);
            let told = clients.iter().map(|client| told(listing.tell(client), at));
            (told.collect(), Vec::new())
        }
        Err(failure) => (Vec::new(), vec![(None, failure)]),
    };
    let took = begun.elapsed();
    Asked { source, told, failures, requests, took, limits: LIMITS, cached: false }
}

fn told(found: Found, at: Timestamp) -> Told {
    let Found { client, online, why, details } = found;
    Told { client, online, why, at, cached: false, details }
}

struct Inquiry<'a> {
    connection: &'a Connection,
    deadline: Instant,
    requests: u32,
    counts: Counts,
}

impl Inquiry<'_> {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(clock::monotonic())
    }

    fn failed(&self, trouble: &Trouble) -> Failure {
        trouble.failure(self.connection)
    }

    /// Returns all accounts, and when they were asked for: at once, or right after the broker has counted,
    /// where that tells more.
    async fn list(&mut self, clients: &[String]) -> Result<(Vec<Account>, Timestamp), Failure> {
        let client_id = random_client_id()?;
        let mut link = self.open(&client_id).await?;
        self.subscribe(&mut link).await?;
        let mut at = clock::now();
        let mut accounts = self.accounts(&mut link, &client_id).await?;
        let user = self.connection.username.as_deref();
        let listing = Listing::new(&accounts, &self.counts, user);
        if listing.wants_count(clients) && self.counted(&mut link).await? {
            at = clock::now();
            accounts = self.accounts(&mut link, &client_id).await?;
        }
        link.leave().await;
        Ok((accounts, at))
    }

    async fn accounts(
        &mut self,
        link: &mut Link,
        client_id: &str,
    ) -> Result<Vec<Account>, Failure> {
        let mut accounts: Vec<Account> = Vec::new();
        loop {
            let offset = u32::try_from(accounts.len()).unwrap_or(u32::MAX);
            // Whoever may read the responses hears those to others too: ours bear our name.
            let correlation = format!("{client_id}-{}", self.requests);
            let (more, total) = self.page(link, offset, &correlation).await?;
            let is_last = more.is_empty();
            accounts.extend(more);
            if is_last || accounts.len() as u64 >= total {
                return Ok(accounts);
            }
        }
    }

    /// Waits until the broker has counted; false if it does not in time.
    async fn counted(&mut self, link: &mut Link) -> Result<bool, Failure> {
        let limit = self.left().saturating_sub(LIST_TAKES).min(COUNT_MAX);
        let counts = &mut self.counts;
        let count = |packet: &Packet| {
            hear(counts, packet);
            counts.are_fresh().then_some(())
        };
        match link.expect(limit, Trouble::Slow(Stage::Answer), count).await {
            Ok(()) => Ok(true),
            Err(Trouble::Slow(_)) => Ok(false),
            Err(trouble) => Err(self.failed(&trouble)),
        }
    }

    async fn open(&self, client_id: &str) -> Result<Link, Failure> {
        let connection = self.connection;
        let addresses = addresses_within(&connection.broker, self.left())
            .await
            .map_err(|trouble| self.failed(&trouble))?;
        let (username, password) = connection.login(client_id);
        let connect = Connect {
            keep_alive: KEEP_ALIVE_S,
            username,
            password: password.map(|secret| Bytes::from(secret.reveal().to_owned())),
            ..Connect::new(version_of(connection), client_id)
        };
        let mut last = Trouble::Slow(Stage::Answer);
        for address in addresses {
            let route = Route::to(connection, address, &[])?;
            match self.open_at(&route, connect.clone()).await {
                Ok(link) => return Ok(link),
                Err(trouble) => last = trouble,
            }
        }
        Err(self.failed(&last))
    }

    async fn open_at(&self, route: &Route, connect: Connect) -> Result<Link, Trouble> {
        let version = connect.version;
        let late = Trouble::Slow(Stage::Answer);
        let transport = tokio::time::timeout(self.left(), route.open(0)).await;
        let transport = transport.unwrap_or(Err(late))?;
        let (link, connack) = Link::open(transport, connect, self.left()).await?;
        if connack.reason.is_error() {
            return Err(Trouble::Refused(connack.reason.in_connack(version)));
        }
        Ok(link)
    }

    async fn subscribe(&mut self, link: &mut Link) -> Result<(), Failure> {
        let filter = |topic: &str, qos, retained| Filter {
            filter: topic.to_owned(),
            qos,
            no_local: false,
            retain_as_published: false,
            retained,
        };
        let responses = filter(RESPONSE_TOPIC, Qos::AtLeastOnce, RetainedWanted::Never);
        // At QoS 0 they are there before the response to what is asked later.
        let counts =
            Counts::TOPICS.map(|topic| filter(topic, Qos::AtMostOnce, RetainedWanted::Always));
        let id = link.take_id();
        let filters = [responses].into_iter().chain(counts).collect();
        let subscribe = Subscribe { id, subscription_id: None, filters };
        let (limit, counts) = (self.left(), &mut self.counts);
        let granted = async {
            link.send(&Packet::Subscribe(subscribe)).await?;
            let late = Trouble::Slow(Stage::Answer);
            let answer = |packet: &Packet| match packet {
                // Without the counts, less can be told.
                Packet::SubAck(ack) if ack.id == id => {
                    Some(ack.reasons.first().is_some_and(|reason| !reason.is_error()))
                }
                packet => {
                    hear(counts, packet);
                    None
                }
            };
            link.expect(limit, late, answer).await
        };
        match granted.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused(&format!("`{RESPONSE_TOPIC}` may not be read"))),
            Err(trouble) => Err(self.failed(&trouble)),
        }
    }

    /// Returns some accounts, and how many there are.
    async fn page(
        &mut self,
        link: &mut Link,
        offset: u32,
        correlation: &str,
    ) -> Result<(Vec<Account>, u64), Failure> {
        self.requests += 1;
        let command = Publish {
            topic: TOPIC.to_owned(),
            payload: Bytes::from(list_clients(Some(PAGE), offset, correlation)),
            qos: Qos::AtLeastOnce,
            id: link.take_id(),
            ..Publish::default()
        };
        let (limit, counts) = (self.left().min(RESPONSE_MAX), &mut self.counts);
        let response = async {
            link.send(&Packet::Publish(command)).await?;
            let ours = |packet: &Packet| match packet {
                Packet::Publish(publish) if publish.topic == RESPONSE_TOPIC => {
                    match read(&publish.payload, correlation) {
                        Ok(Response::NotOurs) => None,
                        response => Some(response),
                    }
                }
                packet => {
                    hear(counts, packet);
                    None
                }
            };
            link.expect(limit, Trouble::Slow(Stage::Answer), ours).await
        };
        match response.await {
            Ok(Ok(Response::Accounts { accounts, total })) => Ok((accounts, total)),
            Ok(Ok(Response::Unknown | Response::NotOurs)) => Ok((Vec::new(), 0)),
            Ok(Err(Unreadable { cause, .. })) => Err(refused(&cause)),
            Err(Trouble::Slow(_)) => Err(refused("no response came")),
            Err(trouble) => Err(self.failed(&trouble)),
        }
    }
}

fn hear(counts: &mut Counts, packet: &Packet) {
    if let Packet::Publish(publish) = packet {
        counts.hear(&publish.topic, &publish.payload, publish.retain);
    }
}

fn refused(cause: &str) -> Failure {
    Failure::new("could not ask Mosquitto's dynamic security")
        .because(cause)
        .next("load `mosquitto_dynamic_security.so`, and give the account a role that may use `$CONTROL/dynamic-security/#`")
}
