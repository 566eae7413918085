//! Takes away what the clients may have left: retained messages on their status topics.

use super::clients::{Clients, Taken, publish};
use super::hearing::KEEP_ALIVE;
use crate::simulate::dial::Route;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{Filter, Packet, Qos, RetainedWanted, SubAck, Subscribe};
use std::collections::BTreeSet;
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
    let topics = clients.topics();
    if topics.is_empty() {
        return Ok(());
    }
    let mut left = topics.into_iter().collect();
    match sweep(clients, route, settle, &mut left).await {
        Ok(()) if left.is_empty() => Ok(()),
        Ok(()) => Err(Left {
            topics: left.into_iter().collect(),
            cause: "the broker did not take the empty message that clears it".into(),
        }),
        Err(trouble) => {
            Err(Left { topics: left.into_iter().collect(), cause: trouble.to_string() })
        }
    }
}

async fn sweep(
    clients: &mut Clients,
    route: &Route,
    settle: Duration,
    left: &mut BTreeSet<String>,
) -> Result<(), Trouble> {
    let all = left.clone();
    let id = clients.id();
    let (mut link, _) = clients.open(route, clients.connect(&id, KEEP_ALIVE)).await?;
    let id = link.take_id();
    let filters = all.iter().map(|topic| Filter {
        filter: topic.clone(),
        qos: Qos::AtLeastOnce,
        no_local: false,
        retain_as_published: false,
        retained: RetainedWanted::Always,
    });
    let subscribe = Subscribe { id, subscription_id: None, filters: filters.collect() };
    link.send(&Packet::Subscribe(subscribe)).await?;
    let is_answer = |packet: &Packet| matches!(packet, Packet::SubAck(SubAck { .. })).then_some(());
    // Without an answer it is cleared all the same, only nobody sees what comes after that.
    match link.expect(clients.limit, Trouble::Deaf(clients.limit), is_answer).await {
        Ok(()) | Err(Trouble::Deaf(_)) => {}
        Err(trouble) => return Err(trouble),
    }
    let mut due = all;
    for _ in 0..SWEEPS_MAX {
        for topic in &due {
            match publish(&mut link, topic, "", true, clients.limit).await {
                Taken::Acknowledged => drop(left.remove(topic)),
                Taken::Refused(_) => {}
                Taken::Closed(trouble) => return Err(trouble),
            }
        }
        // What comes now has come after it was cleared, or was on its way.
        let mut again = BTreeSet::new();
        let late = |packet: &Packet| -> Option<()> {
            if let Packet::Publish(message) = packet
                && !message.payload.is_empty()
                && clients.status_topic_is_ours(&message.topic)
            {
                again.insert(message.topic.clone());
            }
            None
        };
        match link.expect(settle.max(QUIET), Trouble::Silent(settle), late).await {
            Ok(()) | Err(Trouble::Silent(_)) => {}
            Err(trouble) => return Err(trouble),
        }
        if again.is_empty() {
            break;
        }
        left.extend(again.iter().cloned());
        due = again;
    }
    link.leave().await;
    Ok(())
}

const SWEEPS_MAX: u32 = 5;
/// How long nothing may come before it is believed that nothing more will.
const QUIET: Duration = Duration::from_millis(500);
