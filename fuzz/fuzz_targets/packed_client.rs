//! Any bytes as a client out of a store: refused, or a client on which everything works.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::event::{Flags, Timestamp};
use presence::source::recording::known::KnownClient;
use presence::state::fleet::Fleet;
use presence::state::packed::{Client, Marking, VoiceKey};
use presence::state::policy::Policy;

const MOMENTS: [Timestamp; 3] = [Timestamp::MIN, Timestamp(1_760_000_000_000), Timestamp::MAX];
const NO_LIMIT: usize = usize::MAX;

fuzz_target!(|data: &[u8]| {
    let Some(client) = Client::from_body("pump-7", data) else { return };
    assert_eq!((client.id(), client.body()), ("pump-7", data));
    assert!(!format!("{client:?}").is_empty());
    // What was loaded may hold a voice or a channel twice; joined once it does not.
    let mut joined = Client::new("pump-7");
    joined.join(&client, NO_LIMIT);
    assert!(!joined.join(&client, NO_LIMIT).anything());
    let itself = joined.clone();
    assert!(!joined.join(&itself, NO_LIMIT).anything());
    assert_eq!(Client::from_body("pump-7", joined.body()), Some(joined.clone()));

    // Its lowest observation may be the higher one as well; written down once it is not.
    let written = |client: &Client| {
        KnownClient::of("b:1883", client)
            .to_client(NO_LIMIT)
            .expect("a store could have written it")
    };
    let normal = written(&joined);
    assert_eq!(written(&normal), normal);
    change(client.clone());
    let mut fleet = Fleet::default();
    for client in [client, joined] {
        fleet.join_client(&client, &Policy::DEFAULT);
        for now in MOMENTS {
            let _ = fleet.verdict_of(&client, now, &Policy::DEFAULT);
            let _ = fleet.idle_clients(now, now, &Policy::DEFAULT);
        }
    }
});

/// Makes every change that can be made.
fn change(mut client: Client) {
    let before = client.clone();
    for voice in before.voices() {
        client.flag(voice.key, Flags::FUTURE_TIME);
        client.mark_forgotten(voice.key);
        for record in &voice.records {
            for marking in [Marking::News, Marking::Always] {
                client.join_record(voice.key, record, marking, 2);
            }
        }
    }
    let new = VoiceKey { authority: 4, name: "new" };
    assert!(client.flag(new, Flags::FUTURE_TIME).news);
    assert!(!client.voices().is_empty());
}
