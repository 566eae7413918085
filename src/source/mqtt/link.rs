//! One connection in a thread of its own: it connects, subscribes, keeps the line alive and hands out what
//! it hears, however slowly that is taken.
//!
//! It is a thread and not a task, because under load it rests (`gathering`), and a task cannot do that: the
//! reactor that it shares with others is woken for every message all the same.
//!
//! What waits to be taken is bounded by [`ROOM`]. When that is full, the thread stops reading, and the
//! back-pressure reaches the broker through the socket; it stops probing too, since the library probes
//! only while it reads. A broker then ends the connection after one and a half keep alives, and sends
//! again what was not acknowledged. A consumer that is slow with little traffic costs nothing.

use super::gathering::Gathering;
use super::reach::places;
use super::rumqtt::{Ack, Arrived, Order, Orders, Plan, Protocol, Step, V4, V5};
use super::subscribing::Subscribing;
use super::token::Notice;
use super::trouble::{RENEW, Stage, TAKEN_OVER, Trouble};
use super::{AckToken, Heard, PACKET_MAX, Publish, SHARED, reason, token};
use crate::clock;
use crate::config::broker::MqttVersion;
use compact_str::CompactString;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;
use std::vec;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// What may wait to be taken, in KiB; every report takes at least one. With a message or two in the
/// library's hands, this bounds the memory of a session.
const ROOM: u32 = 16 << 10;
/// Reports that are handed out together at most.
const TOGETHER_MAX: usize = 256;
/// How long a goodbye may take.
const LEAVE_MAX: Duration = Duration::from_secs(2);

/// A connection, or an attempt at one. Dropping it closes the connection at once.
pub struct Link {
    reports: UnboundedReceiver<Batch>,
    /// What is there and not taken yet.
    arrived: vec::IntoIter<Heard>,
    /// The room that it took.
    room: Option<Room>,
    orders: UnboundedSender<Order>,
    end: oneshot::Receiver<Trouble>,
    /// The thread notices that it is gone.
    _held: oneshot::Sender<Infallible>,
}

/// What was heard, and the room it takes until all of it is taken.
struct Batch {
    reports: Vec<Heard>,
    room: Room,
}

/// Room that was taken. It is given back when this is dropped.
struct Room {
    all: Arc<Semaphore>,
    taken: u32,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.all.add_permits(self.taken as usize);
    }
}

impl Batch {
    /// Returns an empty one, with memory for so many reports.
    fn new(all: &Arc<Semaphore>, reports: usize) -> Self {
        let room = Room { all: Arc::clone(all), taken: 0 };
        Self { reports: Vec::with_capacity(reports), room }
    }
}

impl Link {
    /// Begins to connect.
    pub fn start(plan: Plan) -> Self {
        let (sender, reports) = unbounded_channel();
        let (orders, incoming) = unbounded_channel();
        let desk = Desk::new(sender, &plan);
        let (held, dropped) = oneshot::channel();
        let (ended, end) = oneshot::channel();
        let listening = async move {
            tokio::select! {
                trouble = run(plan, desk, incoming) => trouble,
                _ = dropped => Trouble::Closed,
            }
        };
        // A thread that cannot be started drops `ended`, like one that panics.
        let _ = thread::Builder::new().name("connection".to_owned()).spawn(move || {
            let trouble = run_alone(listening);
            // Whoever is gone does not want to know.
            let _ = ended.send(trouble.unwrap_or_else(|error| Trouble::Failed(error.to_string())));
        });
        let arrived = Vec::new().into_iter();
        Self { reports, arrived, room: None, orders, end, _held: held }
    }

    /// Returns what was heard next, or how it ended, after which it must not be asked again.
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Trouble>> {
        loop {
            if let Some(heard) = self.arrived.next() {
                return Poll::Ready(Ok(heard));
            }
            self.room = None;
            let Some(more) = ready!(self.reports.poll_recv(cx)) else { break };
            self.arrived = more.reports.into_iter();
            self.room = Some(more.room);
        }
        let end = ready!(Pin::new(&mut self.end).poll(cx));
        let gone = |_| Trouble::Failed("its thread did not start, or panicked".to_owned());
        Poll::Ready(Err(end.unwrap_or_else(gone)))
    }

    /// Returns what is there that was handed out and not taken yet.
    pub fn at_hand(&self) -> &[Heard] {
        self.arrived.as_slice()
    }

    /// Acknowledges with the next turn of the thread.
    pub fn acknowledge(&self, acks: Vec<Ack>) {
        // Without a thread there is no connection to acknowledge on.
        let _ = self.orders.send(Order::Acknowledge(acks));
    }

    /// Stops listening to a filter, after all acknowledgements.
    pub fn unsubscribe(&self, filter: String) {
        let _ = self.orders.send(Order::Unsubscribe(filter));
    }

    /// Says goodbye, after all acknowledgements, and waits until the broker has closed the connection.
    /// To close first, with bytes unread, would be a reset, which can overtake the goodbye.
    pub async fn leave(mut self) {
        // Nobody takes anything more, so make room.
        self.reports.close();
        self.arrived = Vec::new().into_iter();
        self.room = None;
        while self.reports.try_recv().is_ok() {}
        if self.orders.send(Order::Leave).is_ok() {
            // Whatever happens now, the connection is over.
            let _ = timeout(LEAVE_MAX, &mut self.end).await;
        }
    }
}

/// Runs a connection on this thread, which has nothing else to do.
fn run_alone(listening: impl Future<Output = Trouble>) -> io::Result<Trouble> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let trouble = runtime.block_on(listening);
    // A name that is still looked up would keep us here.
    runtime.shutdown_background();
    Ok(trouble)
}

/// Where reports are handed out: together, when there is nothing more to do for the moment.
struct Desk {
    sender: UnboundedSender<Batch>,
    batch: Batch,
    room: Arc<Semaphore>,
    epoch: u64,
    /// Messages of the broker about our own tokens are for us alone.
    hears_of_tokens: bool,
    /// The last of them that counts.
    token: Option<Notice>,
}

impl Desk {
    fn new(sender: UnboundedSender<Batch>, plan: &Plan) -> Self {
        let room = Arc::new(Semaphore::new(ROOM as usize));
        Self {
            sender,
            batch: Batch::new(&room, 0),
            room,
            epoch: plan.epoch,
            hears_of_tokens: plan.options.connection.is_aliyun(),
            token: None,
        }
    }

    /// Waits for room, and adds a report to those that are handed out next.
    async fn put(&mut self, heard: Heard, size: usize) {
        // A topic and the places around it are no larger than the KiB that rounding adds.
        let units = u32::try_from(size / 1024).unwrap_or(u32::MAX).saturating_add(1).min(ROOM);
        if let Ok(room) = self.room.try_acquire_many(units) {
            room.forget();
        } else {
            // There will be room only when what lies here is taken too.
            self.hand_out();
            self.room.acquire_many(units).await.expect("nobody closes it").forget();
        }
        // The batch gives it back.
        self.batch.room.taken += units;
        self.batch.reports.push(heard);
        if self.batch.reports.len() >= TOGETHER_MAX {
            self.hand_out();
        }
    }

    fn hand_out(&mut self) {
        if !self.batch.reports.is_empty() {
            // Probably the next one will be as large.
            let next = Batch::new(&self.room, self.batch.reports.len());
            // When nobody listens any more, the thread is about to be told.
            let _ = self.sender.send(std::mem::replace(&mut self.batch, next));
        }
    }

    /// Puts a message there; returns what has to be acknowledged at once because it was skipped, or was for
    /// us.
    async fn put_message(&mut self, arrived: Arrived) -> Option<Ack> {
        let Arrived { topic, payload, ack, retain, dup, size } = arrived;
        if self.hears_of_tokens
            && let Ok(topic) = &topic
            && let Some(notice) = token::read(topic, &payload)
        {
            if let Some(what) = notice.ahead() {
                self.put(Heard::Ahead { what, next: RENEW }, 0).await;
            }
            self.token = Some(notice.after(self.token.take()));
            return Some(ack);
        }
        let cause = match topic {
            Ok(topic) if size <= PACKET_MAX => {
                let token = AckToken { epoch: self.epoch, id: ack.id, qos: ack.qos };
                let topic = CompactString::from(topic);
                let (qos, origin) = (ack.qos, None);
                let publish = Publish { topic, payload, qos, retain, dup, origin, ack: token };
                self.put(Heard::Message(publish), size).await;
                return None;
            }
            Ok(topic) => {
                let topic = reason::quoted(&topic);
                format!("a message on {topic} was skipped: it has {size} bytes")
            }
            Err(flaw) => format!("a message was skipped: {flaw}"),
        };
        self.put(Heard::Skipped { cause }, 0).await;
        Some(ack)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.hand_out();
    }
}

async fn run(plan: Plan, desk: Desk, orders: Orders) -> Trouble {
    match plan.options.connection.mqtt_version {
        MqttVersion::V311 => Box::pin(speak::<V4>(plan, desk, orders)).await,
        MqttVersion::V5 => Box::pin(speak::<V5>(plan, desk, orders)).await,
    }
}

async fn speak<P: Protocol>(plan: Plan, mut desk: Desk, mut orders: Orders) -> Trouble {
    let mut protocol = match connect::<P>(&plan, &mut orders).await {
        Err(trouble) => return trouble,
        Ok((protocol, session_present)) => {
            desk.put(Heard::Connected { session_present }, 0).await;
            protocol
        }
    };
    let Err(trouble) = listen(&mut protocol, &plan, &mut desk, &mut orders).await;
    // What came before the end was heard, and belongs to this connection.
    while let Some(step) = protocol.leftover() {
        if let Step::Publish(arrived) = step {
            desk.put_message(arrived).await;
        }
    }
    trouble.explained(desk.token.take(), clock::now())
}

/// Connects to the first place that answers. One that swallows packets must not eat the time of those
/// behind it, so each gets an equal share of what is left.
async fn connect<P: Protocol>(plan: &Plan, orders: &mut Orders) -> Result<(P, bool), Trouble> {
    let end = Instant::now() + plan.options.connect_timeout;
    let auth = &plan.options.connection.auth;
    auth.renew().map_err(|failure| Trouble::NoToken(failure.in_short()))?;
    let places = match timeout_at(end, places(&plan.options.connection.broker)).await {
        Ok(places) => places?,
        Err(_) => return Err(Trouble::Slow(Stage::Lookup)),
    };
    let mut last = Trouble::Slow(Stage::Answer);
    let mut left = u32::try_from(places.len()).unwrap_or(u32::MAX);
    for place in places {
        let share = end.saturating_duration_since(Instant::now()) / left;
        left -= 1;
        let mut protocol = P::new(plan, place);
        match timeout(share, protocol.next(orders)).await {
            Ok(Ok(Step::Connected { session_present, may_share })) => {
                let wanted = |filter: &&String| filter.starts_with(SHARED);
                return match plan.options.filters.iter().find(wanted) {
                    Some(filter) if !may_share => Err(Trouble::Unshared(filter.clone())),
                    _ => Ok((protocol, session_present)),
                };
            }
            Ok(Ok(step)) => return Err(Trouble::Malformed(format!("{step:?} before CONNACK"))),
            Ok(Err(trouble @ Trouble::Unreachable(..))) => last = trouble,
            Ok(Err(trouble)) => return Err(trouble),
            Err(_) => last = Trouble::Slow(Stage::Answer),
        }
    }
    Err(last)
}

/// Listens until the connection ends.
async fn listen<P: Protocol>(
    protocol: &mut P,
    plan: &Plan,
    desk: &mut Desk,
    orders: &mut Orders,
) -> Result<Infallible, Trouble> {
    let options = &plan.options;
    let version = options.connection.mqtt_version;
    let mut subscribing = Subscribing::new(&options.filters, version, &plan.experience);
    let silence_max = protocol.keep_alive() * 2;
    let mut silence = pin!(sleep(silence_max));
    let mut deaf = pin!(sleep(options.connect_timeout));
    let mut gathering = Gathering::new(clock::monotonic());
    loop {
        // Always, whatever the broker remembers: subscriptions may have changed, and retained messages
        // come at a subscription only.
        if let Some(filters) = subscribing.ask() {
            protocol.subscribe(filters)?;
            deaf.as_mut().reset(Instant::now() + options.connect_timeout);
        } else if let Some(granted) = subscribing.grants() {
            desk.put(Heard::Subscribed { granted }, 0).await;
        }
        // What was read together with the step before is there already, and need not be waited for.
        let step = if let Some(step) = protocol.leftover() {
            step
        } else {
            // From here, since it may have taken long to get here: the answer may be there, unread.
            silence.as_mut().reset(Instant::now() + silence_max);
            let next = pin!(protocol.next(orders));
            tokio::select! {
                biased;
                // Deaf without knowing it is the worst a listener can be. Asked first, as messages may
                // stream in all the same.
                () = &mut deaf, if subscribing.is_waiting() => {
                    return Err(Trouble::Deaf(options.connect_timeout));
                }
                step = gather(next, desk, &mut gathering) => {
                    step.map_err(|trouble| explain(trouble, &subscribing))?
                }
                () = &mut silence, if !silence_max.is_zero() => {
                    return Err(Trouble::Silent(silence_max));
                }
            }
        };
        let begun = subscribing.is_waiting().then(Instant::now);
        match step {
            Step::Publish(arrived) => {
                gathering.count();
                if let Some(ack) = desk.put_message(arrived).await {
                    protocol.acknowledge(&[ack]).await?;
                }
            }
            Step::SubAck { codes, said } => subscribing.note(&codes, said.as_deref()),
            Step::Unsubscribed => desk.put(Heard::Unsubscribed, 0).await,
            Step::Alive => desk.put(Heard::Alive, 0).await,
            Step::Connected { .. } => return Err(Trouble::Malformed("a second CONNACK".into())),
        }
        // The broker is not to blame for the time we waited for the consumer.
        if let Some(begun) = begun {
            let later = deaf.deadline() + begun.elapsed();
            deaf.as_mut().reset(later);
        }
    }
}

/// Waits for what happens next, once everything that was heard is handed out. Under load the thread rests
/// before that, and its reactor with it.
async fn gather<T>(
    mut next: Pin<&mut impl Future<Output = T>>,
    desk: &mut Desk,
    gathering: &mut Gathering,
) -> T {
    poll_fn(|cx| {
        let polled = next.as_mut().poll(cx);
        if polled.is_pending() {
            desk.hand_out();
            // A task that has had its turn is told to wait though more is there.
            if has_budget_remaining()
                && let Some(rest) = gathering.rest(clock::monotonic())
            {
                thread::sleep(rest);
            }
        }
        polled
    })
    .await
}

/// Adds what the library does not say: which filter the answer was for, or the end.
fn explain(trouble: Trouble, subscribing: &Subscribing<'_>) -> Trouble {
    let filter = || subscribing.asked_alone().map(Into::into);
    match trouble {
        Trouble::UnusualAnswer { code, filter: None } => {
            Trouble::UnusualAnswer { code, filter: filter() }
        }
        // Another client with our id may come at any time.
        Trouble::Dismissed { code: TAKEN_OVER, .. } => trouble,
        Trouble::Closed | Trouble::Broken(_) | Trouble::Dismissed { .. }
            if subscribing.is_waiting() =>
        {
            Trouble::ThrownOut { filter: filter(), cause: Box::new(trouble) }
        }
        other => other,
    }
}
