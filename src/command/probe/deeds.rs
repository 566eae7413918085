//! What is done to the clients: they come, and go in every way there is, a few times over.

use super::clients::{Clients, ONLINE, Taken, ask_for, publish};
use crate::clock;
use crate::command::link::Link;
use crate::probe::{Deed, Done, Kept, OldEnd, Silence, TakenOver, Trial};
use crate::simulate::dial::Route;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{Connect, Packet, Publish, SubAck};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Where clients are made to come and go.
#[derive(Debug)]
pub struct Bench {
    pub clients: Clients,
    pub route: Route,
    /// Between one deed and the next: long enough for what is told of the first.
    pub settle: Duration,
    /// Seconds of keep alive of those who fall silent; 0: nobody does.
    pub keep_alive: u16,
    /// What was done; reports and answers are filled in by others.
    pub trial: Trial,
    silent: JoinSet<Quiet>,
}

/// A client that fell silent, and what became of its connection.
#[derive(Debug)]
struct Quiet {
    client: String,
    link: Link,
    closed_after: Option<Duration>,
}

/// A client that is connected.
#[derive(Debug)]
struct Client {
    id: String,
    link: Link,
}

impl Bench {
    pub fn new(clients: Clients, route: Route, settle: Duration, keep_alive: u16) -> Self {
        let trial = Trial::default();
        Self { clients, route, settle, keep_alive, trial, silent: JoinSet::new() }
    }

    /// Returns how long a silence is waited for: three keep alives are what most brokers take, and some
    /// look up every few seconds only.
    pub fn silence_max(&self) -> Duration {
        Duration::from_secs(3 * u64::from(self.trial.keep_alive.max(self.keep_alive)))
            + SILENCE_MORE
    }

    /// Lets clients come and go. Nothing of it is left connected.
    ///
    /// Errors: a client that cannot connect.
    pub async fn run(&mut self) -> Result<(), Trouble> {
        for _ in 0..ROUNDS {
            self.round().await?;
        }
        self.trial.waited = self.silence_max();
        while let Some(quiet) = self.silent.join_next().await {
            // A task that panicked has reported that itself.
            let Ok(Quiet { client, link, closed_after }) = quiet else { continue };
            if closed_after.is_none() {
                self.end_note(&client, clock::uptime());
                link.leave().await;
            }
            self.trial.silences.push(Silence { client, closed_after });
        }
        sleep(self.settle).await;
        self.look_up().await
    }

    /// Lets go of those who are still silent.
    pub fn drop_silent(&mut self) {
        self.silent.abort_all();
    }

    /// One client for each way to go.
    async fn round(&mut self) -> Result<(), Trouble> {
        if self.keep_alive > 0 {
            let client = self.enter(self.keep_alive).await?;
            self.fall_silent(client);
        }
        let mut leaving = self.enter(KEEP_ALIVE).await?;
        let cut = self.enter(KEEP_ALIVE).await?;
        let reset = self.enter(KEEP_ALIVE).await?;
        let old = self.enter(KEEP_ALIVE).await?;
        sleep(self.settle).await;
        leaving.link.say_goodbye().await?;
        self.note(&leaving.id, Deed::Disconnect, leaving.link.last_sent);
        self.note(&cut.id, Deed::Fin, clock::uptime());
        cut.link.cut();
        self.note(&reset.id, Deed::Rst, clock::uptime());
        reset.link.reset();
        let newer = self.take_over(old).await?;
        sleep(self.settle).await;
        self.end_note(&newer.id, clock::uptime());
        newer.link.leave().await;
        leaving.link.leave().await;
        Ok(())
    }

    /// Connects a client of its own id, with a will and a birth as far as the broker takes them.
    async fn enter(&mut self, keep_alive: u16) -> Result<Client, Trouble> {
        let id = self.clients.id();
        self.enter_as(id, keep_alive, Deed::Connect).await
    }

    async fn enter_as(
        &mut self,
        id: String,
        keep_alive: u16,
        deed: Deed,
    ) -> Result<Client, Trouble> {
        let mut connect = self.clients.connect(&id, keep_alive);
        if self.trial.will_refused.is_none() {
            connect.will = self.clients.will(&id);
        }
        let (mut link, connack) = match self.clients.open(&self.route, connect.clone()).await {
            Err(trouble) if connect.will.is_some() && is_about_will(&trouble) => {
                let without = Connect { will: None, ..connect };
                let opened = self.clients.open(&self.route, without).await?;
                self.trial.will_refused = Some(trouble.to_string());
                opened
            }
            opened => opened?,
        };
        self.note(&id, deed, link.last_sent);
        if keep_alive == self.keep_alive {
            self.trial.keep_alive = connack.server_keep_alive.unwrap_or(keep_alive);
        }
        let topic = self.clients.status_topic(&id).filter(|_| self.trial.publish_refused.is_none());
        if let Some(topic) = topic {
            match publish(&mut link, &topic, ONLINE, true, self.clients.limit).await {
                Taken::Acknowledged => {}
                Taken::Refused(why) => self.trial.publish_refused = Some(why),
                Taken::Closed(trouble) => {
                    self.trial.publish_refused = Some(trouble.to_string());
                    // What was told of the first attempt is of no use.
                    self.trial.done.pop();
                    return Box::pin(self.enter_as(id, keep_alive, deed)).await;
                }
            }
        }
        Ok(Client { id, link })
    }

    fn fall_silent(&mut self, client: Client) {
        let Client { id, mut link } = client;
        let last_sent = link.last_sent;
        self.note(&id, Deed::Silence, last_sent);
        let limit = self.silence_max();
        self.silent.spawn(async move {
            let closed = timeout(limit, link.hung_up()).await;
            let closed_after = closed.ok().map(|()| clock::uptime().saturating_sub(last_sent));
            Quiet { client: id, link, closed_after }
        });
    }

    /// Connects a client again, with its connection open, and sees what becomes of the older one.
    async fn take_over(&mut self, old: Client) -> Result<Client, Trouble> {
        let Client { id, link: mut older } = old;
        let newer = self.enter_as(id, KEEP_ALIVE, Deed::TakeOver).await?;
        let end = async {
            loop {
                match older.next().await {
                    Ok(Packet::Disconnect(_)) => return OldEnd::Told,
                    Ok(_) => {}
                    Err(_) => return OldEnd::Closed,
                }
            }
        };
        let old = timeout(self.settle.max(OLD_END_MAX), end).await.unwrap_or(OldEnd::LeftOpen);
        self.trial.take_overs.push(TakenOver { client: newer.id.clone(), old });
        Ok(newer)
    }

    /// Notes what was done to a client. By a take-over what was done to it before is over; what is told
    /// later of other deeds may still be about those before, and what it says tells which.
    fn note(&mut self, client: &str, deed: Deed, at: Duration) {
        if deed == Deed::TakeOver {
            self.end_note(client, at);
        }
        let client = client.to_owned();
        self.trial.done.push(Done { client, deed, at, until: Duration::MAX });
    }

    fn end_note(&mut self, client: &str, at: Duration) {
        let is_open = |done: &&mut Done| done.client == client && done.until == Duration::MAX;
        for done in self.trial.done.iter_mut().filter(is_open) {
            done.until = at;
        }
    }

    /// Subscribes to the status of all clients as somebody who comes later, by topic and by wildcard.
    async fn look_up(&mut self) -> Result<(), Trouble> {
        let is_told = self.trial.publish_refused.is_none() && !self.trial.keeps_nothing;
        let connected = || self.trial.done.iter().filter(|done| done.deed == Deed::Connect);
        let topics: Vec<String> = connected()
            .filter_map(|done| self.clients.status_topic(&done.client))
            .filter(|_| is_told)
            .collect();
        if topics.is_empty() {
            return Ok(());
        }
        let Some((exact, flagged)) = self.kept(&topics, &topics).await? else { return Ok(()) };
        let wide: Option<Vec<String>> = topics.iter().map(|topic| widened(topic)).collect();
        let wildcard = match wide {
            Some(filters) => self.kept(&filters, &topics).await?.map(|(count, _)| count),
            None => None,
        };
        let due = topics.len() as u64;
        self.trial.kept = Kept { due, exact, flagged, wildcard };
        Ok(())
    }

    /// Returns of how many topics something comes to a new subscriber, and how much of it is marked as
    /// retained; `None` if a subscription is not granted.
    async fn kept(
        &mut self,
        filters: &[String],
        topics: &[String],
    ) -> Result<Option<(u64, u64)>, Trouble> {
        let id = self.clients.id();
        let (mut link, _) =
            self.clients.open(&self.route, self.clients.connect(&id, KEEP_ALIVE)).await?;
        let Ok(answers) = ask_for(&mut link, filters).await else { return Ok(None) };
        let (mut found, mut flagged) = (BTreeSet::new(), 0);
        let (mut granted, mut answered) = (0, 0);
        let all = |packet: &Packet| {
            match packet {
                Packet::SubAck(SubAck { reasons, .. }) => {
                    answered += 1;
                    granted += usize::from(!reasons.iter().any(|reason| reason.is_error()));
                }
                Packet::Publish(Publish { topic, retain, payload, .. })
                    if topics.contains(topic) && !payload.is_empty() =>
                {
                    flagged += u64::from(*retain && found.insert(topic.clone()));
                    found.insert(topic.clone());
                }
                _ => {}
            }
            (answered == answers && found.len() == topics.len()).then_some(())
        };
        // Where something is missing, that is seen by waiting.
        let waited = link.expect(self.settle.max(KEPT_MAX), Trouble::Silent(KEPT_MAX), all).await;
        if waited.is_ok() || matches!(waited, Err(Trouble::Silent(_))) {
            link.leave().await;
        }
        Ok((granted == answers).then_some((found.len() as u64, flagged)))
    }
}

/// Tells whether a connection may have been refused for the will alone.
const fn is_about_will(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused(_) | Trouble::Unanswered)
}

/// Returns a filter with a wildcard that matches the topic and hardly another: a level beside that of the
/// client is free. `None` where there is no such level.
fn widened(topic: &str) -> Option<String> {
    let is_client = |level: &str| level.contains(super::clients::PREFIX);
    let mut levels: Vec<&str> = topic.split('/').collect();
    let free = levels.iter().rposition(|level| !is_client(level))?;
    if free == 0 && topic.starts_with('$') {
        return None;
    }
    levels[free] = "+";
    Some(levels.join("/"))
}

/// How often everything is done.
const ROUNDS: u32 = 3;
/// Of clients that are not to fall silent, in seconds.
const KEEP_ALIVE: u16 = super::hearing::KEEP_ALIVE;
/// On top of three keep alives.
const SILENCE_MORE: Duration = Duration::from_secs(10);
const OLD_END_MAX: Duration = Duration::from_secs(3);
const KEPT_MAX: Duration = Duration::from_secs(3);
