//! Notices on their way into a topic of RocketMQ, those of one client in the order in which they were told.

use crate::config::rocketmq::RocketMq;
use crate::failure::Failure;
use crate::random::Random;
use crate::source::kept::Tries;
use crate::source::rocketmq::client::Client;
use crate::source::rocketmq::route::Queue;
use bytes::Bytes;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Sends notices to a topic, each queue by a task of its own.
#[derive(Debug)]
pub struct Carrier {
    client: Arc<Client>,
    queues: Vec<Queue>,
}

/// What became of the notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    pub taken: u64,
    pub stored: u64,
}

/// Notices that may wait for one queue.
const WAITING_MAX: usize = 10_000;
/// More would not be quicker.
const QUEUES_MAX: usize = 16;
/// How long the last notices may take once nothing more comes.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// What of a notice decides where it goes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Notice<'a> {
    #[serde(borrow)]
    client_id: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
}

impl Carrier {
    /// Finds the queues of the topic.
    ///
    /// Errors: certificates that cannot be read; a name server that does not answer, or knows neither the topic
    /// nor a broker that would make it (exit 4).
    pub async fn find(topic: RocketMq) -> Result<Self, Failure> {
        let shown = topic.to_string();
        let client = Arc::new(Client::new(topic)?);
        let route = client.find_route_to_send().await.map_err(|setback| {
            Failure::new(format!("could not send notices to {shown}"))
                .because(setback.cause)
                .next(setback.next)
        })?;
        let queues = route.queues.iter().take(QUEUES_MAX).cloned().collect();
        Ok(Self { client, queues })
    }

    /// Sends notices until nothing more comes, or nobody makes any.
    pub async fn carry(self, mut notices: Receiver<Bytes>) -> Carried {
        let stored = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        let mut ways: Vec<Sender<(String, Bytes)>> = Vec::new();
        for queue in self.queues {
            let (way, waiting) = channel(WAITING_MAX);
            ways.push(way);
            tasks.spawn(send(Arc::clone(&self.client), queue, waiting, Arc::clone(&stored)));
        }
        let mut taken = 0;
        while let Some(notice) = notices.recv().await {
            taken += 1;
            let known: Notice<'_> = serde_json::from_slice(&notice).unwrap_or_default();
            let place = place_of(&known.client_id, ways.len());
            let tag = known.event_type.into_owned();
            // A task ends only when its way does.
            let _ = ways[place].send((tag, notice)).await;
        }
        drop(ways);
        let all = async { while tasks.join_next().await.is_some() {} };
        // What is not stored by then is lost, and counted.
        let _ = timeout(LEAVE_MAX, all).await;
        Carried { taken, stored: stored.load(Ordering::Relaxed) }
    }
}

/// Returns the place of a client's queue: always the same, so that its notices keep their order.
fn place_of(client: &str, queues: usize) -> usize {
    let state =
        client.bytes().fold(0_u64, |state, byte| Random::of_state(state ^ u64::from(byte)).next());
    usize::try_from(state % queues.max(1) as u64).unwrap_or(0)
}

async fn send(
    client: Arc<Client>,
    queue: Queue,
    mut waiting: Receiver<(String, Bytes)>,
    stored: Arc<AtomicU64>,
) {
    while let Some((tag, notice)) = waiting.recv().await {
        let mut tries = Tries::default();
        while let Err(setback) = client.send(&queue, &tag, &notice).await {
            let retry_in = tries.wait();
            tracing::warn!(
                "a notice for RocketMQ waits: {}; next attempt in {retry_in:?}",
                setback.cause
            );
            sleep(retry_in).await;
        }
        stored.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_places_of_their_own_and_spread_over_the_queues() {
        let mut counts = [0; 8];
        for number in 0..8_000 {
            let client = format!("GID_demo@@@dev-{number}");
            assert_eq!(place_of(&client, 8), place_of(&client, 8));
            counts[place_of(&client, 8)] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
        assert_eq!(place_of("", 1), 0);
    }
}
