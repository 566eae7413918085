//! What is asked of name servers and brokers, and how often it is tried.
//!
//! Whoever reads asks nothing that changes anything: routes, offsets, and pulls without the flag that commits
//! and without membership in a group. [`Client::send`] is for whoever writes.

use super::connection::{Changed, Connection};
use super::fault::{self, Asked};
use super::frame::{Fields, Frame};
use super::membership::Membership;
use super::route::{Queue, Route};
use super::sign::sign;
use crate::config::division::{Division, Shard};
use crate::config::rocketmq::RocketMq;
use crate::failure::Failure;
use crate::source::kept::{Kind, Pulled};
use crate::source::mqtt::tls;
use crate::source::remote::{CONNECT_MAX, Setback};
use bytes::Bytes;
use rustls::ClientConfig;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex as Mutual;

/// A reader of one topic.
#[derive(Debug)]
pub struct Client {
    pub topic: RocketMq,
    tls: Option<Arc<ClientConfig>>,
    route: RwLock<Arc<Route>>,
    connections: Mutex<HashMap<String, Arc<Connection>>>,
    /// Which name server is asked next, by its place.
    server: AtomicUsize,
    /// The tags, as brokers want to be told.
    subscription: String,
    /// Where we are a member of a group.
    membership: Option<Mutual<Membership>>,
    changed: Changed,
}

/// Stands for all topics that a broker makes when they are needed, and the queues that one gets.
const ANY_NEW_TOPIC: &str = "TBW102";
const NEW_QUEUES: &str = "8";

const SEND: u16 = 10;
const PULL: u16 = 11;
const SEARCH: u16 = 29;
const ROUTE: u16 = 105;

const DONE: i64 = 0;
const NOT_FOUND: i64 = 19;
const AGAIN: i64 = 20;
const MOVED: i64 = 21;

/// Wait for a message; the subscription comes with the request. Never 1, which commits an offset.
const WAIT: u32 = 2;
const WITH_SUBSCRIPTION: u32 = 4;
/// Brokers give 32 whatever is asked for, unless they were set up to give more.
const AT_A_TIME: &str = "1024";
/// How long a broker is to wait for a message. It looks only every five seconds whether that is over.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer to a pull that waits may take.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How long any other answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

impl Client {
    /// Errors: certificates that cannot be read. Nothing is sent yet.
    pub fn new(topic: RocketMq) -> Result<Self, Failure> {
        let tls = topic.tls.as_ref().map(tls::client_config).transpose()?;
        let subscription =
            if topic.tags.is_empty() { "*".to_owned() } else { topic.tags.join("||") };
        Ok(Self {
            topic,
            tls,
            route: RwLock::default(),
            connections: Mutex::default(),
            server: AtomicUsize::new(0),
            subscription,
            membership: None,
            changed: Changed::default(),
        })
    }

    /// Joins the group of the topic with the first look, if its members are to divide the queues.
    /// `name`: what we go by.
    #[must_use]
    pub fn joining(mut self, name: &str) -> Self {
        let joins = self.topic.span.division == Division::Join;
        self.membership = joins.then(|| Mutual::new(Membership::new(name)));
        self
    }

    /// Tells whether we are a member of a group.
    pub(super) const fn is_joining(&self) -> bool {
        self.membership.is_some()
    }

    /// Returns which queues are read here, if not all, and whether others read the others.
    pub(super) async fn part(&self, route: &Route) -> Result<(Option<Shard>, bool), Setback> {
        if let Some(membership) = &self.membership {
            let (shard, are_there_others) = membership.lock().await.refresh(self, route).await?;
            return Ok((Some(shard), are_there_others));
        }
        Ok(match self.topic.span.division {
            Division::Shard(shard) => (Some(shard), false),
            Division::Whole | Division::Join => (None, false),
        })
    }

    /// Waits until a member of our group has come or gone, perhaps we.
    pub(super) async fn members_changed(&self) {
        if self.membership.is_none() {
            return std::future::pending().await;
        }
        self.changed.notified().await;
    }

    /// Leaves our group, if we are in one.
    pub(super) async fn leave_group(&self) {
        let route = self.route();
        if let Some(membership) = &self.membership {
            membership.lock().await.leave(self, &route).await;
        }
    }

    /// Asks where the queues are: the name server that answered last, then the others. What is found is kept
    /// for all who ask brokers.
    pub async fn find_route(&self) -> Result<Arc<Route>, Setback> {
        self.find_route_of(&self.topic.topic).await
    }

    /// Asks where messages may be sent to. Where there is no such topic yet, brokers that make topics when
    /// they are needed are found by the topic that stands for those.
    pub async fn find_route_to_send(&self) -> Result<Arc<Route>, Setback> {
        match self.find_route().await {
            Ok(route) => Ok(route),
            Err(setback) => self.find_route_of(ANY_NEW_TOPIC).await.map_err(|_| setback),
        }
    }

    async fn find_route_of(&self, topic: &str) -> Result<Arc<Route>, Setback> {
        let mut fields = Fields::new();
        fields.insert("topic".into(), topic.to_owned());
        fields.insert("acceptStandardJsonOnly".into(), "true".to_owned());
        let mut setback = None;
        for _ in &self.topic.servers {
            match self.ask_name_server(fields.clone()).await {
                Ok(route) => {
                    let route = Arc::new(route);
                    *self.route.write().unwrap_or_else(PoisonError::into_inner) =
                        Arc::clone(&route);
                    return Ok(route);
                }
                Err(other) => {
                    self.server.fetch_add(1, Ordering::Relaxed);
                    // What is wrong with one is said; that none of them knows the topic says more.
                    if setback.as_ref().is_none_or(|known: &Setback| !known.is_final) {
                        setback = Some(other);
                    }
                }
            }
        }
        Err(setback.unwrap_or_else(|| Setback::new("no name server is known", "name one")))
    }

    async fn ask_name_server(&self, fields: Fields) -> Result<Route, Setback> {
        let servers = &self.topic.servers;
        let place = &servers[self.server.load(Ordering::Relaxed) % servers.len()];
        let connection = self.connection(&place.to_string(), "").await?;
        let answer = self.ask(&connection, "", ROUTE, fields, Bytes::new(), ANSWER_MAX).await?;
        if answer.code != DONE {
            return Err(fault::refusal(&answer, Asked::Route, connection.server(), &self.topic));
        }
        let route = Route::read(&answer.body).ok_or_else(|| {
            let cause = format!("{place} answered something else than a route");
            Setback::foreign(cause)
        })?;
        if route.queues.is_empty() {
            return Err(Setback::refusal(
                format!("no queue of the topic `{}` may be read", self.topic.topic),
                "give it queues, and the right to read them (perm 4 or 6)",
            ));
        }
        Ok(route)
    }

    /// Asks for what is stored at an offset and after it; with `waits`, an answer comes when there is
    /// something, or after a few seconds. `is_all`: whatever its tag; then one message is enough.
    pub async fn pull_tagged(
        &self,
        queue: &Queue,
        offset: i64,
        waits: bool,
        is_all: bool,
    ) -> Result<Pulled<Bytes>, Setback> {
        let mut fields = self.about(queue);
        let mut put = |name: &'static str, value: Cow<'_, str>| {
            fields.insert(Cow::Borrowed(name), value.into_owned());
        };
        let flags = WITH_SUBSCRIPTION | if waits { WAIT } else { 0 };
        put("consumerGroup", Cow::Borrowed(&self.topic.group));
        put("queueOffset", offset.to_string().into());
        put("maxMsgNums", if is_all { "1" } else { AT_A_TIME }.into());
        put("sysFlag", flags.to_string().into());
        put("commitOffset", "0".into());
        put("suspendTimeoutMillis", PATIENCE.as_millis().to_string().into());
        put("subscription", if is_all { "*" } else { &self.subscription }.into());
        put("subVersion", "0".into());
        put("expressionType", "TAG".into());
        let within = if waits { WAIT_MAX } else { ANSWER_MAX };
        let (answer, server) = self.ask_broker(queue, PULL, fields, &Bytes::new(), within).await?;
        let kind = match answer.code {
            DONE | NOT_FOUND | AGAIN => Kind::Read,
            MOVED => Kind::Moved,
            _ if fault::is_queue_gone(&answer) => Kind::Gone,
            _ => return Err(fault::refusal(&answer, Asked::Queue, &server, &self.topic)),
        };
        let number = |name: &str| {
            answer.number(name).ok_or_else(|| {
                Setback::foreign(format!("{server} answered a pull without `{name}`"))
            })
        };
        if kind == Kind::Gone {
            return Ok(Pulled { kind, next: offset, min: offset, max: offset, body: answer.body });
        }
        let (next, max) = (number("nextBeginOffset")?, number("maxOffset")?);
        if kind == Kind::Read && next <= offset && offset < max {
            // It would be asked the same again and again.
            return Err(Setback::new(
                format!("{server} says that there is more at {offset}, and does not send it"),
                "see what the broker logs about it",
            ));
        }
        Ok(Pulled { kind, next, min: number("minOffset")?, max, body: answer.body })
    }

    /// Asks for the first offset that was stored then or later; `None` where this may not be asked.
    pub async fn search(&self, queue: &Queue, stored_ms: i64) -> Result<Option<i64>, Setback> {
        let mut fields = self.about(queue);
        fields.insert("timestamp".into(), stored_ms.to_string());
        let nothing = Bytes::new();
        let asked = self.ask_broker(queue, SEARCH, fields, &nothing, ANSWER_MAX);
        let (answer, server) = asked.await?;
        match (answer.code, answer.number("offset")) {
            (DONE, Some(offset)) => Ok(Some(offset)),
            _ if fault::is_forbidden(&answer) => Ok(None),
            _ => Err(fault::refusal(&answer, Asked::Queue, &server, &self.topic)),
        }
    }

    /// Stores a message in a queue.
    pub async fn send(&self, queue: &Queue, tag: &str, body: &Bytes) -> Result<(), Setback> {
        let mut fields = self.about(queue);
        let born = crate::clock::now().0.to_string();
        for (name, value) in [
            ("producerGroup", "presence"),
            ("defaultTopic", ANY_NEW_TOPIC),
            ("defaultTopicQueueNums", NEW_QUEUES),
            ("sysFlag", "0"),
            ("bornTimestamp", &born),
            ("flag", "0"),
            ("properties", &format!("TAGS\u{1}{tag}\u{2}")),
            ("reconsumeTimes", "0"),
            ("unitMode", "false"),
            ("batch", "false"),
        ] {
            fields.insert(Cow::Borrowed(name), value.to_owned());
        }
        let (answer, server) = self.ask_broker(queue, SEND, fields, body, ANSWER_MAX).await?;
        if answer.code == DONE {
            return Ok(());
        }
        Err(fault::refusal(&answer, Asked::Queue, &server, &self.topic))
    }

    /// Asks about a queue.
    pub(super) async fn ask_of_queue(
        &self,
        queue: &Queue,
        code: u16,
        fields: Fields,
    ) -> Result<(Frame, String), Setback> {
        self.ask_broker(queue, code, fields, &Bytes::new(), ANSWER_MAX).await
    }

    /// Says something to a broker as a member of a group: always by the same connection, whose end is that of
    /// the membership.
    pub(super) async fn ask_member(
        &self,
        broker: &str,
        code: u16,
        fields: Fields,
        body: &Bytes,
    ) -> Result<(Frame, String), Setback> {
        // Of no queue: those have connections of their own at a proxy.
        let master = Queue { broker: broker.to_owned(), number: u32::MAX };
        self.ask_broker(&master, code, fields, body, ANSWER_MAX).await
    }

    fn route(&self) -> Arc<Route> {
        Arc::clone(&self.route.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn about(&self, queue: &Queue) -> Fields {
        let mut fields = Fields::new();
        fields.insert("topic".into(), self.topic.topic.clone());
        fields.insert("queueId".into(), queue.number.to_string());
        // Proxies need it, brokers do not mind.
        fields.insert("bname".into(), queue.broker.clone());
        fields
    }

    /// Asks the broker of a queue: its master, or whoever copies it where that cannot be reached.
    async fn ask_broker(
        &self,
        queue: &Queue,
        code: u16,
        fields: Fields,
        body: &Bytes,
        within: Duration,
    ) -> Result<(Frame, String), Setback> {
        let route = self.route();
        let addresses = route.brokers.get(&queue.broker).map_or(&[][..], Vec::as_slice);
        let mut setback = None;
        for address in addresses {
            // A proxy names itself in place of brokers, and drops answers when several are under way.
            let is_proxy = self.topic.servers.iter().any(|server| server.to_string() == *address);
            let lane = if is_proxy { queue.to_string() } else { String::new() };
            let asked = async {
                let connection = self.connection(address, &lane).await?;
                let asked =
                    self.ask(&connection, &lane, code, fields.clone(), body.clone(), within);
                let answer = asked.await?;
                Ok((answer, connection.server().to_owned()))
            };
            match asked.await {
                Ok(answer) => return Ok(answer),
                Err(other) => setback = setback.or(Some(other)),
            }
        }
        Err(setback.unwrap_or_else(|| {
            Setback::new(
                format!("the name server knows no address of the broker `{}`", queue.broker),
                "check that it runs, and that it knows this name server",
            )
        }))
    }

    async fn ask(
        &self,
        connection: &Arc<Connection>,
        lane: &str,
        code: u16,
        mut fields: Fields,
        body: Bytes,
        within: Duration,
    ) -> Result<Frame, Setback> {
        if let Some(key) = &self.topic.access_key {
            sign(&mut fields, &body, key, self.topic.is_alibaba);
        }
        let answer = connection.ask(code, fields, body, within).await;
        if answer.is_err() {
            // The next request goes by a new one.
            self.forget(lane, connection);
        }
        answer
    }

    /// Returns the connection to an address, a new one where there is none.
    async fn connection(&self, address: &str, lane: &str) -> Result<Arc<Connection>, Setback> {
        let key = format!("{address} {lane}");
        let known = self.connections().get(&key).cloned();
        if let Some(known) = known.filter(|known| !known.is_closed()) {
            return Ok(known);
        }
        let (host, port) = split(address).ok_or_else(|| {
            let cause = format!("`{}` is no address of a broker", address.escape_debug());
            Setback::foreign(cause)
        })?;
        let opened =
            Connection::open(host, port, address.to_owned(), self.tls.as_ref(), &self.changed);
        let opened = tokio::time::timeout(CONNECT_MAX, opened).await.unwrap_or_else(|_| {
            Err(Setback::new(
                format!("{address} did not answer within {}s", CONNECT_MAX.as_secs()),
                "check host and port, that no firewall is in the way, and whether the port wants TLS",
            ))
        });
        let opened = Arc::new(opened?);
        // Another queue may have been as quick: both stay as long as they are used.
        self.connections().insert(key, Arc::clone(&opened));
        Ok(opened)
    }

    fn forget(&self, lane: &str, connection: &Arc<Connection>) {
        let key = format!("{} {lane}", connection.server());
        let mut connections = self.connections();
        if connections.get(&key).is_some_and(|known| Arc::ptr_eq(known, connection)) {
            connections.remove(&key);
        }
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Splits `host:port`, as servers name each other.
fn split(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some((host.to_owned(), port.parse().ok()?))
}
