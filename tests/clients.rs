//! Client libraries of other people at the built-in broker, and at Mosquitto, which shows that the
//! scripts ask for nothing unusual.
//!
//! The scripts are `tests/clients/with_*`. They name what they have checked, and each name is looked
//! for here.

mod support;

#[path = "clients/embedded.rs"]
mod embedded;
#[path = "clients/mosquitto.rs"]
mod mosquitto;

use support::clients::{Library, Version};

/// Runs a script, and compares what it has found with what is expected: everything well but for these.
#[track_caller]
fn works(library: Library, version: Version, url: &str, but: &[&str]) {
    let found = library.check(url, version);
    let expected: Vec<_> = CHECKS
        .iter()
        .chain((version == Version::V5).then_some(CHECKS_5).into_iter().flatten())
        .chain((library == Library::Paho && version == Version::V5).then_some(&ONLY_PAHO_5))
        .collect();
    for check in &expected {
        match found.get(**check) {
            Some(None) => {}
            Some(Some(detail)) if but.contains(check) => assert!(!detail.is_empty()),
            Some(Some(detail)) => panic!("{check}: {detail}\nall: {found:#?}"),
            None => panic!("`{check}` was not checked; these were: {found:#?}"),
        }
    }
    assert_eq!(found.len(), expected.len(), "checks nobody has asked for: {found:#?}");
}

const CHECKS: &[&str] = &[
    "each qos arrives, and not above what was asked for",
    "qos 2 arrives exactly once and in order",
    "a long message arrives whole",
    "wildcards match what they should",
    "a wildcard in front does not match topics with a dollar",
    "a retained message is kept, replaced and cleared",
    "a killed client leaves its will",
    "a silent client leaves its will",
    "a client that says goodbye leaves no will",
    "a newcomer takes over",
    "a session is resumed with what came meanwhile",
    "a clean start forgets the session",
    "messages of a shared subscription go to one member each",
    "nothing comes after an unsubscribe",
    "a client without an id is let in",
];

const CHECKS_5: &[&str] = &[
    "a goodbye can ask for the will",
    "a delayed will comes late",
    "a delayed will does not come after a return",
    "a delayed will comes with the end of the session",
    TOLD,
    "a session ends when its time is up",
    "a goodbye can end the session",
    "properties of a message pass through",
    "a message does not outlive its time",
    "subscription options are kept to",
];

const ONLY_PAHO_5: &str = "no more messages are under way than the client takes";

const TOLD: &str = "who is taken over is told";
