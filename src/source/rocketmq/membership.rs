//! Being a member of a consumer group of watchers: the broker tells who else is, and the queues are divided.
//!
//! Nothing is committed in the name of the group, so one that has committed anything is not one of watchers
//! alone: an application reads with it, and would miss what its broker leaves to us. It is never joined, and
//! left again when an application comes.

use super::client::Client;
use super::fault::{self, Asked};
use super::frame::Fields;
use super::route::{Queue, Route};
use crate::config::division::Shard;
use crate::source::mqtt::reason::quoted;
use crate::source::remote::Setback;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the name of every watcher begins with.
const WATCHER: &str = "presence-";

const HEARTBEAT: u16 = 34;
const UNREGISTER: u16 = 35;
const MEMBERS: u16 = 38;
const COMMITTED: u16 = 14;

const DONE: i64 = 0;
/// The group never committed anything of this queue.
const NONE_COMMITTED: i64 = 22;
/// Strangers that are named at most.
const NAMED_MAX: usize = 3;

/// One member of a group: us.
#[derive(Debug)]
pub struct Membership {
    name: String,
    /// Nobody has read as this group before.
    is_unused: bool,
}

impl Membership {
    /// `watcher`: what we go by.
    pub fn new(watcher: &str) -> Self {
        let name = if watcher.starts_with(WATCHER) {
            watcher.to_owned()
        } else {
            format!("{WATCHER}{watcher}")
        };
        Self { name, is_unused: false }
    }

    /// Says to all brokers of the topic that we are there, and asks them who else is. Returns our part, and
    /// whether there are others.
    ///
    /// Errors: one of them cannot be asked, or somebody who is no watcher is a member. Then we are none.
    pub async fn refresh(
        &mut self,
        client: &Client,
        route: &Route,
    ) -> Result<(Shard, bool), Setback> {
        if !self.is_unused {
            for queue in &route.queues {
                check_unused(client, queue).await?;
            }
            self.is_unused = true;
        }
        self.members(client, route).await?;
        let beat = Bytes::from(heartbeat(&self.name, client).to_string());
        for broker in route.brokers.keys() {
            let asked = client.ask_member(broker, HEARTBEAT, Fields::new(), &beat).await?;
            if asked.0.code != DONE {
                return Err(fault::refusal(&asked.0, Asked::Queue, &asked.1, &client.topic));
            }
        }
        let members = self.members(client, route).await?;
        let place = members.iter().position(|member| *member == self.name);
        let Some(place) = place else {
            return Err(Setback::new(
                "the broker does not count us among the members of the group",
                "see what the broker logs about it",
            ));
        };
        Ok((Shard { number: place + 1, of: members.len() }, members.len() > 1))
    }

    /// Returns who is in the group, and leaves it where that is anybody but watchers.
    async fn members(&self, client: &Client, route: &Route) -> Result<BTreeSet<String>, Setback> {
        let members = check_members(client, route).await;
        if matches!(&members, Err(setback) if setback.does_harm) {
            self.leave(client, route).await;
        }
        members
    }

    /// Says that we leave. Brokers that cannot be told notice it by the end of the connection.
    pub async fn leave(&self, client: &Client, route: &Route) {
        let mut fields = Fields::new();
        fields.insert("clientID".into(), self.name.clone());
        fields.insert("consumerGroup".into(), client.topic.group.clone());
        let nothing = Bytes::new();
        for broker in route.brokers.keys() {
            let asked = client.ask_member(broker, UNREGISTER, fields.clone(), &nothing);
            if let Err(setback) = asked.await {
                tracing::debug!(broker, cause = setback.cause, "left without a word");
            }
        }
    }
}

/// Returns who is in the group, at all brokers together: each knows those that have reached it.
///
/// Errors: one of them cannot be asked, or somebody who is no watcher is a member.
async fn check_members(client: &Client, route: &Route) -> Result<BTreeSet<String>, Setback> {
    let mut members = BTreeSet::new();
    for broker in route.brokers.keys() {
        let mut fields = Fields::new();
        fields.insert("consumerGroup".into(), client.topic.group.clone());
        let (answer, _) = client.ask_member(broker, MEMBERS, fields, &Bytes::new()).await?;
        // A group that nobody is in is refused.
        if answer.code == DONE {
            members.extend(names(&answer.body));
        }
    }
    let is_stranger = |name: &&String| !name.starts_with(WATCHER);
    let strangers: Vec<String> =
        members.iter().filter(is_stranger).take(NAMED_MAX).map(|name| quoted(name)).collect();
    if strangers.is_empty() {
        return Ok(members);
    }
    Err(Setback::harm(
        format!(
            "an application is in the group {}, and would miss what is left to us: {}",
            quoted(&client.topic.group),
            strangers.join(", ")
        ),
        ANOTHER_GROUP,
    ))
}

const ANOTHER_GROUP: &str = "name a group with `--consumer-group` that only watchers use";

/// Fails if the group has committed how far it came in a queue: no watcher does.
async fn check_unused(client: &Client, queue: &Queue) -> Result<(), Setback> {
    let mut fields = client.about(queue);
    fields.insert("consumerGroup".into(), client.topic.group.clone());
    // Otherwise brokers say 0 where nothing was committed.
    fields.insert("setZeroIfNotFound".into(), "false".to_owned());
    let (answer, server) = client.ask_of_queue(queue, COMMITTED, fields).await?;
    match (answer.code, answer.number("offset")) {
        (NONE_COMMITTED, _) | (DONE, Some(..=0)) => Ok(()),
        (DONE, Some(offset)) => Err(Setback::harm(
            format!(
                "an application reads as the group {}: it committed {offset} in queue {queue}, and \
                 would miss what is left to us",
                quoted(&client.topic.group)
            ),
            ANOTHER_GROUP,
        )),
        _ => Err(fault::refusal(&answer, Asked::Queue, &server, &client.topic)),
    }
}

fn heartbeat(name: &str, client: &Client) -> Value {
    let subscription = json!({
        "classFilterMode": false,
        "codeSet": [],
        "expressionType": "TAG",
        "subString": "*",
        "subVersion": 0,
        "tagsSet": [],
        "topic": client.topic.topic,
    });
    json!({
        "clientID": name,
        "consumerDataSet": [{
            "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
            "consumeType": "CONSUME_ACTIVELY",
            "groupName": client.topic.group,
            "messageModel": "CLUSTERING",
            "subscriptionDataSet": [subscription],
            "unitMode": false,
        }],
        "producerDataSet": [],
    })
}

/// Reads who is in a group.
fn names(body: &[u8]) -> Vec<String> {
    let said: Option<Value> = serde_json::from_slice(body).ok();
    let names = said.as_ref().and_then(|said| said["consumerIdList"].as_array());
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_broker_says_of_members_is_read() {
        assert_eq!(names(br#"{"consumerIdList":["a","presence-1",3]}"#), ["a", "presence-1"]);
        for said in [&b""[..], b"{}", b"[]", b"{", br#"{"consumerIdList":{}}"#] {
            assert!(names(said).is_empty());
        }
    }

    #[test]
    fn every_watcher_is_known_as_one() {
        for (watcher, name) in [("presence-x", "presence-x"), ("mine", "presence-mine")] {
            assert_eq!(Membership::new(watcher).name, name);
        }
    }
}
