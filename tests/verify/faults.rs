//! A broker whose notices lie: just that is found, by just the voice that lies.

use crate::support::verification::Told;
use crate::{SHORT, broker, url, verify};
use presence::source::mqtt::random_client_id;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Somebody else who listens to the notices, and counts them: what the broker really sent.
struct Other {
    client: Client,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Other {
    fn listen(url: &str) -> Self {
        let (host, port) = url.trim_start_matches("mqtt://").rsplit_once(':').expect("it is ours");
        let id = random_client_id().expect("there is chance");
        let mut options = MqttOptions::new(id, host, port.parse().expect("it is a port"));
        options.set_keep_alive(Duration::from_mins(1));
        let (client, mut connection) = Client::new(options, 16);
        client.subscribe("$presence/#", QoS::AtLeastOnce).expect("the loop runs");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ready, is_ready) = mpsc::channel();
        let into = Arc::clone(&heard);
        std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::SubAck(_))) => _ = ready.send(()),
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        let notice = serde_json::from_slice(&publish.payload).expect("it is JSON");
                        into.lock().expect("nobody panics with it").push(notice);
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        is_ready.recv().expect("the broker answers");
        Self { client, heard }
    }

    /// Returns how many notices of a kind there were about the devices of a run.
    fn count(&self, kind: &str, run: &str) -> u64 {
        let heard = self.heard.lock().expect("nobody panics with it");
        let is_device = |id: &str| {
            let number = id.strip_prefix(&format!("sim-{run}-"));
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let of_kind = heard.iter().filter(|notice| notice["eventType"] == kind);
        let of_run = of_kind.filter(|notice| notice["clientId"].as_str().is_some_and(is_device));
        of_run.count() as u64
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.client.disconnect();
    }
}

/// The devices' own word is true: only the broker's notices lie.
#[track_caller]
fn assert_only_lmq_lies(told: &Told) {
    assert_eq!(told.ended.code, Some(1), "{}", told.ended.err);
    assert_eq!(told.summary()["verified"], false);
    for outcome in ["missed", "early", "wrong-kind", "wrong-order", "unwanted"] {
        assert_eq!(told.count("status", None, outcome), 0, "{outcome}: {}", told.shown());
    }
    assert_eq!(told.sum("voice", "status", "false_offline"), 0);
    assert_eq!(told.sum("told", "status", "duplicates"), 0);
}

/// Returns how many deeds were told rightly; on a busy machine some are told late.
fn rightly(told: &Told, act: Option<&str>) -> u64 {
    told.count("lmq", act, "reported") + told.count("lmq", act, "late")
}

fn ends(told: &Told) -> u64 {
    told.deaths().map(|act| told.done(act)).sum()
}

#[test]
fn notices_that_are_lost_are_missed() {
    let broker = broker(&["drop-notice=30%"]);
    let url = url(&broker);
    let other = Other::listen(&url);
    let told = verify(&url, &format!("{SHORT} --no-birth"));
    assert_only_lmq_lies(&told);
    let (begun, ended) = (told.done("connect"), ends(&told));
    let missed = |acts: &mut dyn Iterator<Item = &str>| -> u64 {
        acts.map(|act| told.count("lmq", Some(act), "missed")).sum()
    };
    let missed_ends = missed(&mut told.deaths());
    // A goodbye whose second half was lost is told by its first half, and the reverse is no goodbye.
    let said = other.count("tcpclean", "v1");
    assert_eq!(missed(&mut ["connect"].into_iter()), begun - other.count("connect", "v1"));
    assert_eq!(missed_ends, ended - said, "{}", told.shown());
    let goodbyes = told.done("disconnect");
    let wrong_kind = told.count("lmq", Some("disconnect"), "wrong-kind");
    assert!(wrong_kind <= goodbyes && wrong_kind > 0, "{}", told.shown());
    assert!(missed_ends > 0 && missed_ends < ended);
}

#[test]
fn notices_that_come_twice_are_duplicates() {
    let broker = broker(&["repeat"]);
    let told = verify(&url(&broker), SHORT);
    assert_only_lmq_lies(&told);
    // A goodbye is two notices.
    let notices = told.done("connect") + ends(&told) + told.done("disconnect");
    assert_eq!(told.sum("told", "lmq", "duplicates"), notices);
    assert_eq!(rightly(&told, None), told.done("connect") + ends(&told));
}

#[test]
fn notices_that_are_held_back_are_late() {
    let broker = broker(&["delay=2s"]);
    let told = verify(&url(&broker), SHORT);
    assert_only_lmq_lies(&told);
    assert_eq!(
        told.count("lmq", None, "late"),
        told.done("connect") + ends(&told),
        "{}",
        told.shown()
    );
    assert_eq!(told.count("lmq", None, "missed"), 0);
}

#[test]
fn an_end_before_its_time_is_early_and_a_living_device_called_dead() {
    let broker = broker(&["early"]);
    let told = verify(&url(&broker), SHORT);
    assert_only_lmq_lies(&told);
    assert_eq!(told.count("lmq", None, "early"), ends(&told), "{}", told.shown());
    assert_eq!(told.sum("voice", "lmq", "false_offline"), ends(&told));
    assert_eq!(rightly(&told, Some("connect")), told.done("connect"));
}

#[test]
fn an_end_that_is_held_back_until_the_next_beginning_is_late_and_no_more() {
    let broker = broker(&["hold-tcpclean=2s"]);
    let told = verify(&url(&broker), SHORT);
    assert_only_lmq_lies(&told);
    let takeovers = told.done("takeover");
    assert!(takeovers > 0);
    assert_eq!(told.count("lmq", Some("takeover"), "late"), takeovers, "{}", told.shown());
    assert_eq!(told.only("state")["wrong"], 0, "a late end of an old connection fools nobody");
}
