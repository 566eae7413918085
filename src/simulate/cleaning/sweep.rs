//! Removes retained messages over one connection.

use super::books::{Books, Kind};
use super::caller::Caller;
use crate::clock;
use crate::source::mqtt::reason;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{
    Filter, Packet, Properties, Publish, Qos, Reason, RetainedWanted, SubAck, Subscribe,
};
use bytes::Bytes;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Wills that a broker owes: their topics and payloads.
pub type Wills = HashMap<String, Bytes>;

/// Removes what is retained on these topics.
///
/// Wills come first: one that came after its topic was emptied would stay. A broker that publishes none for
/// [`NEWS_MAX`] is not waited for any longer.
pub async fn sweep(
    caller: &mut Caller,
    topics: &[String],
    wills: &mut Wills,
    books: &mut Books,
) -> Result<(), Trouble> {
    let of_these: Vec<_> = topics.iter().filter(|topic| wills.contains_key(*topic)).collect();
    for batch in of_these.chunks(FILTERS_MAX) {
        ask(caller, batch, wills, books).await?;
    }
    let mut until = until_news();
    while of_these.iter().any(|topic| wills.contains_key(*topic)) {
        match caller.receive(until).await? {
            None => break,
            Some(Packet::Publish(publish)) if hear(&publish, wills, books) => until = until_news(),
            Some(_) => {}
        }
    }
    for topic in of_these {
        if wills.remove(topic).is_some() {
            books.leave(Kind::Will, topic, UNSEEN.into());
        }
    }
    empty(caller, topics, books).await
}

/// Asks for the messages on these topics, and hears those that are retained.
async fn ask(
    caller: &mut Caller,
    topics: &[&String],
    wills: &mut Wills,
    books: &mut Books,
) -> Result<(), Trouble> {
    let filter = |topic: &&String| Filter {
        filter: (*topic).clone(),
        // Brokers drop what a queue does not hold, but not what is sent at once.
        qos: Qos::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        retained: RetainedWanted::Always,
    };
    let id = caller.take_id();
    let filters = topics.iter().map(filter).collect();
    caller.send(&[Packet::Subscribe(Subscribe { id, subscription_id: None, filters })]).await?;
    loop {
        match caller.answer().await? {
            Packet::Publish(publish) => {
                hear(&publish, wills, books);
            }
            Packet::SubAck(SubAck { id: of, reasons }) if of == id => {
                for (topic, reason) in topics.iter().zip(reasons) {
                    if reason.is_error() && wills.remove(*topic).is_some() {
                        books.leave(Kind::Will, topic, refused("to show it", reason));
                    }
                }
                return Ok(());
            }
            _ => {}
        }
    }
}

/// Crosses off a will that has come.
fn hear(publish: &Publish, wills: &mut Wills, books: &mut Books) -> bool {
    let is_will = wills.get(&publish.topic).is_some_and(|will| *will == publish.payload);
    if is_will {
        wills.remove(&publish.topic);
        books.done(Kind::Will, &publish.topic);
    }
    is_will
}

/// Publishes nothing, retained, on every topic, which removes what is there (MQTT 3.1.1 §3.3.1.3).
async fn empty(caller: &mut Caller, topics: &[String], books: &mut Books) -> Result<(), Trouble> {
    if !caller.broker_retains() {
        // Devices were told so too, and such a message would end the connection (MQTT 5.0 §3.2.2.3.5).
        for topic in topics {
            books.done(Kind::Retained, topic);
        }
        return Ok(());
    }
    let (qos, window) = caller.window();
    for batch in topics.chunks(window) {
        let mut under_way = HashMap::new();
        let mut packets = Vec::new();
        for topic in batch {
            let id = caller.take_id();
            under_way.insert(id, topic);
            packets.push(Packet::Publish(Publish {
                dup: false,
                qos,
                retain: true,
                topic: topic.clone(),
                id: if qos == Qos::AtMostOnce { 0 } else { id },
                payload: Bytes::new(),
                properties: Properties::default(),
            }));
        }
        // Where nothing is acknowledged, the answer to a ping comes after what was sent before.
        if qos == Qos::AtMostOnce {
            packets.push(Packet::PingReq);
        }
        caller.send(&packets).await?;
        while !under_way.is_empty() {
            match caller.answer().await? {
                Packet::PubAck(ack) => {
                    if let Some(topic) = under_way.remove(&ack.id) {
                        if ack.reason.is_error() {
                            let cause = refused("an empty message", ack.reason);
                            books.leave(Kind::Retained, topic, cause);
                        } else {
                            books.done(Kind::Retained, topic);
                        }
                    }
                }
                Packet::PingResp => {
                    for (_, topic) in under_way.drain() {
                        books.done(Kind::Retained, topic);
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn refused(what: &str, reason: Reason) -> String {
    let words = reason::described(reason.0, reason::of_v5(reason.0), None);
    format!("the broker refused {what}: {words}")
}

fn until_news() -> Instant {
    Instant::from(clock::monotonic()) + NEWS_MAX
}

/// How long to wait for the next will.
pub const NEWS_MAX: Duration = Duration::from_secs(2);
const UNSEEN: &str = "the broker owed a will that has not come within 2s";
/// Filters of one SUBSCRIBE.
const FILTERS_MAX: usize = 64;
