//! Takes away what the clients may have left: retained messages on their status topics.

use super::clients::{Clients, ask_for};
use super::hearing::KEEP_ALIVE;
use crate::command::link::Link;
use crate::simulate::dial::Route;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{Packet, Publish, Qos};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What may still be there.
#[derive(Debug)]
pub struct Left {
    pub topics: Vec<String>,
    pub cause: String,
}

/// Clears every topic, and again where a will of a client that has just been cut off comes after that.
///
/// Errors: what may still be there, and why.
pub async fn clean(clients: &mut Clients, route: &Route, settle: Duration) -> Result<(), Left> {
    let mut left: BTreeSet<String> = clients.topics().into_iter().collect();
    if left.is_empty() {
        return Ok(());
    }
    let swept = sweep(clients, route, settle.max(QUIET), &mut left).await;
    if left.is_empty() {
        return Ok(());
    }
    let cause = match swept {
        Ok(()) => "the broker did not take the empty message that clears it".to_owned(),
        Err(trouble) => trouble.to_string(),
    };
    Err(Left { topics: left.into_iter().collect(), cause })
}

/// Clears topics, and takes those that are out of `left`: where it can be seen what is kept, all on which
/// nothing is.
async fn sweep(
    clients: &mut Clients,
    route: &Route,
    quiet: Duration,
    left: &mut BTreeSet<String>,
) -> Result<(), Trouble> {
    let id = clients.id();
    let (mut link, _) = clients.open(route, clients.connect(&id, KEEP_ALIVE)).await?;
    let topics: Vec<String> = left.iter().cloned().collect();
    let answers = ask_for(&mut link, &topics).await?;
    let mut due = left.clone();
    let seen = listen(&mut link, quiet, clients).await?;
    if seen.granted == answers {
        *left = seen.kept;
    }
    for _ in 0..SWEEPS_MAX {
        let mut sent = BTreeMap::new();
        for topic in due {
            let id = link.take_id();
            let (qos, retain) = (Qos::AtLeastOnce, true);
            let empty = Publish { qos, retain, id, topic: topic.clone(), ..Publish::default() };
            link.send(&Packet::Publish(empty)).await?;
            sent.insert(id, topic);
        }
        let seen = listen(&mut link, quiet, clients).await?;
        for topic in seen.taken.iter().filter_map(|id| sent.get(id)) {
            left.remove(topic);
        }
        // What has come after it was cleared.
        left.extend(seen.kept.iter().cloned());
        due = seen.kept;
        if due.is_empty() {
            break;
        }
    }
    link.leave().await;
    Ok(())
}

/// What came within a time.
#[derive(Default)]
struct Seen {
    /// Requests that were granted.
    granted: usize,
    /// Topics on which there was something.
    kept: BTreeSet<String>,
    /// Ids of messages that the broker took.
    taken: Vec<u16>,
}

async fn listen(link: &mut Link, quiet: Duration, clients: &Clients) -> Result<Seen, Trouble> {
    let mut seen = Seen::default();
    let note = |packet: &Packet| -> Option<()> {
        match packet {
            Packet::SubAck(ack) => {
                seen.granted += usize::from(!ack.reasons.iter().any(|reason| reason.is_error()));
            }
            Packet::PubAck(ack) if !ack.reason.is_error() => seen.taken.push(ack.id),
            Packet::Publish(message)
                if !message.payload.is_empty() && clients.has_status_at(&message.topic) =>
            {
                seen.kept.insert(message.topic.clone());
            }
            _ => {}
        }
        None
    };
    match link.expect(quiet, Trouble::Silent(quiet), note).await {
        Ok(()) | Err(Trouble::Silent(_)) => Ok(seen),
        Err(trouble) => Err(trouble),
    }
}

const SWEEPS_MAX: u32 = 5;
/// How long nothing may come before it is believed that nothing more will.
const QUIET: Duration = Duration::from_secs(1);
