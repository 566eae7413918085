//! What is asked of brokers, and whom: partitions are read from whoever leads them.
//!
//! A broker answers the requests of one connection one after the other, and waits with the answer to a fetch
//! until there is something. So each partition has a connection of its own, up to a number.

use super::batch::{Record, Records};
use super::fault;
use super::link::{Dialer, Link, Place};
use super::wire::{self, Api, Fetched, Metadata, Wanted};
use crate::clock;
use crate::config::division::Division;
use crate::config::kafka::Kafka;
use crate::failure::Failure;
use crate::source::kept::{Found, Kind, Pulled, Topic, Unreadable};
use crate::source::remote::Setback;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as Turn;
use tokio::time::sleep;

/// A reader of one topic.
#[derive(Debug)]
pub struct Client {
    dialer: Dialer,
    route: RwLock<Arc<Route>>,
    /// Partitions are led by others than the route says, or may be.
    is_stale: AtomicBool,
    /// Held by whoever asks for another route, with when that failed last, and why.
    looking: Turn<Option<(Instant, Setback)>>,
    /// Which server is asked next, by its place.
    server: AtomicUsize,
    lanes: Mutex<HashMap<(Place, u32), Lane>>,
    /// How much is asked for at a time. Less where it becomes more when it is expanded.
    bytes: AtomicI32,
}

/// A connection, once there is one, which is used by one after the other.
type Lane = Arc<Turn<Option<Link>>>;

/// One part of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition(i32);

/// Who leads which partition.
#[derive(Debug, Default)]
struct Route {
    leaders: BTreeMap<i32, i32>,
    brokers: HashMap<i32, Place>,
}

/// Connections to one broker. Where there are more partitions, several share one and wait the shorter.
const LANES: u32 = 16;
/// No topic of notices has as many.
const PARTITIONS_MAX: usize = 4_096;
/// Beside those that fetch.
const LOOKING: u32 = LANES;
/// How long a broker is to wait for a message, and how long at least where many share a connection.
const PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE_MIN: Duration = Duration::from_millis(50);
/// How long an answer may take, beside what the broker was told to wait.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How much is to come at a time, and how much is asked for at least. A batch that is larger comes whole.
const BYTES: i32 = 512 << 10;
const BYTES_MIN: i32 = 32 << 10;
/// A broker that wants to be left alone for longer is asked again all the same.
const THROTTLE_MAX: Duration = Duration::from_secs(2);

impl Client {
    /// Errors: certificates that cannot be read. Nothing is sent yet.
    pub fn new(kafka: Kafka) -> Result<Self, Failure> {
        Ok(Self {
            dialer: Dialer::new(kafka)?,
            route: RwLock::default(),
            is_stale: AtomicBool::new(true),
            looking: Turn::default(),
            server: AtomicUsize::new(0),
            lanes: Mutex::default(),
            bytes: AtomicI32::new(BYTES),
        })
    }

    const fn kafka(&self) -> &Kafka {
        &self.dialer.kafka
    }

    /// Asks who leads what: the server that answered last, then the others, then the brokers that they told of.
    async fn find_route(&self) -> Result<Arc<Route>, Setback> {
        let named = self.kafka().servers.iter().map(|server| Place {
            host: server.host_name(),
            port: server.port,
            is_advertised: false,
        });
        let mut places: Vec<Place> = named.collect();
        let first = self.server.load(Ordering::Relaxed) % places.len().max(1);
        let named = places.len();
        places.rotate_left(first);
        places.extend(self.route().brokers.values().cloned());
        let mut setback: Option<Setback> = None;
        for (at, place) in places.iter().enumerate() {
            match self.ask_route(place).await {
                Ok(route) => {
                    if at < named {
                        self.server.store(first + at, Ordering::Relaxed);
                    }
                    let route = Arc::new(route);
                    *self.route.write().unwrap_or_else(PoisonError::into_inner) =
                        Arc::clone(&route);
                    self.is_stale.store(false, Ordering::Relaxed);
                    return Ok(route);
                }
                // What is wrong with one is said; that one refuses it says more.
                Err(other) if setback.as_ref().is_none_or(|known| !known.is_final) => {
                    if setback.is_none() || other.is_final {
                        setback = Some(other);
                    }
                }
                Err(_) => {}
            }
        }
        Err(setback.unwrap_or_else(|| Setback::new("no broker is known", "name one")))
    }

    async fn ask_route(&self, place: &Place) -> Result<Route, Setback> {
        let topic = &self.kafka().topic;
        let about = |bytes: &mut Vec<u8>| wire::metadata(bytes, topic);
        let read = |body| wire::read_metadata(body, topic);
        let metadata: Metadata =
            self.ask(place, LOOKING, wire::METADATA, ANSWER_MAX, &about, read).await?;
        if metadata.code != fault::DONE {
            return Err(fault::refusal(metadata.code, &place.to_string(), self.kafka()));
        }
        let count = metadata.partitions.len();
        if count > PARTITIONS_MAX {
            return Err(Setback::refusal(
                format!("the topic has {count} partitions, and at most {PARTITIONS_MAX} are read"),
                "check the name of the topic, and that this is its cluster",
            ));
        }
        let brokers = metadata.brokers.into_iter();
        let place = |(number, host, port)| (number, Place { host, port, is_advertised: true });
        Ok(Route {
            leaders: metadata.partitions.into_iter().collect(),
            brokers: brokers.map(place).collect(),
        })
    }

    fn route(&self) -> Arc<Route> {
        Arc::clone(&self.route.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for another route, one for all who wait for it.
    async fn look_again(&self) -> Result<(), Setback> {
        let since = clock::monotonic();
        let mut failed = self.looking.lock().await;
        if !self.is_stale.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some((_, setback)) = failed.as_ref().filter(|(when, _)| *when >= since) {
            return Err(setback.clone());
        }
        let Err(setback) = self.find_route().await else { return Ok(()) };
        // A broker that has just started may not know yet what it will.
        let setback = Setback { is_final: false, ..setback };
        *failed = Some((clock::monotonic(), setback.clone()));
        Err(setback)
    }

    /// Returns who leads a partition, as far as it is known now.
    async fn leader(&self, partition: Partition) -> Result<Place, Setback> {
        if self.is_stale.load(Ordering::Relaxed) {
            self.look_again().await?;
        }
        let route = self.route();
        let leader = route.leaders.get(&partition.0);
        leader.and_then(|leader| route.brokers.get(leader)).cloned().ok_or_else(|| {
            self.is_stale.store(true, Ordering::Relaxed);
            Setback::new(
                format!("nobody leads partition {partition} now"),
                "check that the brokers run that have it",
            )
        })
    }

    /// Asks whoever leads a partition; once more where that has changed. `code`: what an answer says of it.
    async fn ask_leader<T>(
        &self,
        partition: Partition,
        (api, within): (Api, Duration),
        body: &(impl Fn(&mut Vec<u8>) + Sync),
        read: impl Fn(Bytes) -> Option<T> + Sync,
        code: impl Fn(&T) -> i16 + Sync,
    ) -> Result<(T, Place), Setback> {
        let lane = partition.0.unsigned_abs() % LANES;
        let mut is_again = false;
        loop {
            let place = self.leader(partition).await?;
            let setback = match self.ask(&place, lane, api, within, body, &read).await {
                Ok(said) if !fault::is_moved(code(&said)) => return Ok((said, place)),
                Ok(said) => {
                    let setback = fault::refusal(code(&said), &place.to_string(), self.kafka());
                    Setback { is_final: false, ..setback }
                }
                Err(setback) => setback,
            };
            self.is_stale.store(true, Ordering::Relaxed);
            if std::mem::replace(&mut is_again, true) {
                return Err(setback);
            }
        }
    }

    /// Asks, by the connection that there is; by a new one where there is none, or where it has ended.
    async fn ask<T>(
        &self,
        place: &Place,
        lane: u32,
        api: Api,
        within: Duration,
        body: &(impl Fn(&mut Vec<u8>) + Sync),
        read: impl Fn(Bytes) -> Option<T>,
    ) -> Result<T, Setback> {
        let lane = {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lanes.entry((place.clone(), lane)).or_default())
        };
        let mut lane = lane.lock().await;
        // Taken out: whoever stops waiting leaves no answer behind for the next one.
        let asked = match lane.take() {
            Some(mut link) => {
                let began = clock::monotonic();
                match link.ask(api, self.kafka(), within, body).await {
                    Ok(answer) => Some((link, answer)),
                    // Who says nothing does not say more to somebody new.
                    Err(setback) if began.elapsed() >= within => return Err(setback),
                    Err(_) => None,
                }
            }
            None => None,
        };
        let (link, answer) = if let Some(asked) = asked {
            asked
        } else {
            let mut link = self.dialer.open(place).await?;
            let answer = link.ask(api, self.kafka(), within, body).await?;
            (link, answer)
        };
        let said = read(answer).ok_or_else(|| link.unreadable(api))?;
        *lane = Some(link);
        Ok(said)
    }

    /// Asks for the first offset with a message of this time or later; `None` if there is none.
    async fn offset(&self, partition: Partition, time: i64) -> Result<Option<i64>, Setback> {
        let Partition(number) = partition;
        let about = |bytes: &mut Vec<u8>| {
            wire::list_offsets(bytes, &self.kafka().topic, number, time);
        };
        let read = |body| wire::read_offset(body, number);
        let api = (wire::LIST_OFFSETS, ANSWER_MAX);
        let ((code, offset), place) =
            self.ask_leader(partition, api, &about, read, |(code, _)| *code).await?;
        if code != fault::DONE {
            return Err(fault::refusal(code, &place.to_string(), self.kafka()));
        }
        Ok((offset >= 0).then_some(offset))
    }

    /// Returns how long a broker may wait: those behind on the same connection wait too.
    fn patience(&self) -> Duration {
        let count = u32::try_from(self.route().leaders.len()).unwrap_or(u32::MAX);
        (PATIENCE / count.div_ceil(LANES).max(1)).max(PATIENCE_MIN)
    }

    async fn fetch(
        &self,
        partition: Partition,
        offset: i64,
        wait: Duration,
    ) -> Result<(Fetched, Place), Setback> {
        let Partition(number) = partition;
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let bytes = self.bytes.load(Ordering::Relaxed);
        let wanted = Wanted { partition: number, offset, wait_ms, bytes };
        let about = |bytes: &mut Vec<u8>| wire::fetch(bytes, &self.kafka().topic, wanted);
        let read = |body| wire::read_fetched(body, number);
        let api = (wire::FETCH, wait + ANSWER_MAX);
        self.ask_leader(partition, api, &about, read, |fetched| fetched.code).await
    }
}

impl Topic for Client {
    type Queue = Partition;
    type Body = Records;
    type Message<'a> = Record<'a>;

    const QUEUE: &'static str = "partition";
    /// They are their senders', unless the topic says otherwise.
    const ARE_TIMES_IN_ORDER: bool = false;

    fn name(&self) -> &str {
        &self.kafka().topic
    }

    fn tags(&self) -> &[String] {
        &[]
    }

    async fn look(&self, _read: &BTreeMap<String, i64>) -> Result<Found<Partition>, Setback> {
        let route = {
            let _turn = self.looking.lock().await;
            self.find_route().await?
        };
        let queues = route.leaders.keys().map(|number| Partition(*number)).collect();
        // A topic never has fewer partitions than before, and a leader that is away is waited for.
        let part = match self.dialer.kafka.span.division {
            Division::Shard(shard) => Some(shard),
            Division::Whole | Division::Join => None,
        };
        // None of whom it can be said that a partition of theirs is gone.
        let brokers = BTreeSet::new();
        Ok(Found { queues, brokers, part, are_there_others: false, missing: Vec::new() })
    }

    async fn bounds(&self, partition: &Partition) -> Result<(i64, i64), Setback> {
        let first = self.offset(*partition, wire::EARLIEST).await?.unwrap_or(0);
        let end = self.offset(*partition, wire::LATEST).await?.unwrap_or(first);
        Ok((first, end.max(first)))
    }

    async fn find(
        &self,
        partition: &Partition,
        stored_ms: i64,
        (min, max): (i64, i64),
    ) -> Result<i64, Setback> {
        // Smaller numbers are no times.
        let found = self.offset(*partition, stored_ms.max(0)).await?;
        Ok(found.map_or(max, |offset| offset.clamp(min, max)))
    }

    async fn pull(
        &self,
        partition: &Partition,
        offset: i64,
        waits: bool,
    ) -> Result<Pulled<Records>, Setback> {
        let wait = if waits { self.patience() } else { Duration::ZERO };
        let (fetched, place) = self.fetch(*partition, offset, wait).await?;
        if fetched.code == fault::OUT_OF_RANGE {
            let (min, max) = self.bounds(partition).await?;
            if (min..=max).contains(&offset) {
                return Err(Setback::new(
                    format!("{place} has {min} to {max}, and says that {offset} is not among them"),
                    "see what the broker logs about it",
                ));
            }
            let kind = Kind::Moved;
            return Ok(Pulled { kind, body: Records::default(), next: offset, min, max });
        }
        if fetched.code != fault::DONE {
            return Err(fault::refusal(fetched.code, &place.to_string(), self.kafka()));
        }
        let max = fetched.end;
        let compressed = fetched.records.len();
        let (body, next) = Records::read(fetched.records, offset, fetched.aborted);
        let factor = i32::try_from(body.size() / compressed.max(1)).unwrap_or(i32::MAX);
        self.bytes.store((BYTES / factor.max(1)).max(BYTES_MIN), Ordering::Relaxed);
        let next = match next {
            Some(next) => next,
            None if offset >= max => offset,
            None if fetched.throttle_ms > 0 => {
                let wait = u64::try_from(fetched.throttle_ms).unwrap_or(0);
                sleep(Duration::from_millis(wait).min(THROTTLE_MAX)).await;
                offset
            }
            None => {
                // It would be asked the same again and again.
                return Err(Setback::new(
                    format!("{place} says that there is more at {offset}, and does not send it"),
                    "see what the broker logs about it",
                ));
            }
        };
        Ok(Pulled { kind: Kind::Read, body, next, min: 0, max: max.max(next) })
    }

    fn messages(body: &Records) -> impl Iterator<Item = Result<Record<'_>, Unreadable>> {
        body.iter()
    }

    fn size(body: &Records) -> usize {
        body.size()
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kafka().fmt(f)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
