//! Any text as the address of a broker: reading must not panic, what is shown reads as the same broker,
//! and no password is ever shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::config::broker::Broker;

const PASSWORD: &str = "hunter2-hunter2";

fuzz_target!(|text: &str| {
    check(text);
    // The rest of a URL with a password before it, cut where the fuzzer likes.
    let (scheme, rest) = text.split_once(' ').unwrap_or(("mqtt", text));
    let url = format!("{scheme}://ann:{PASSWORD}@{rest}");
    let shown = match Broker::read(&url) {
        Ok((broker, user)) => format!("{broker} {broker:?} {user:?} {}", broker.instance()),
        Err(failure) => format!("{failure} {failure:?}"),
    };
    assert!(rest.contains(PASSWORD) || !shown.contains(PASSWORD), "{shown}");
});

fn check(url: &str) {
    let Ok((broker, user)) = Broker::read(url) else { return };
    let shown = broker.to_string();
    let (again, nobody) = Broker::read(&shown).expect("what is shown can be typed");
    assert_eq!(again.to_string(), shown);
    assert_eq!(again.instance(), broker.instance());
    assert!(nobody.username.is_none() && nobody.password.is_none(), "{user:?}");
    // The name of an instance is an address as well, of the same instance.
    let (named, _) = Broker::read(&broker.instance()).expect("a host and a port");
    assert_eq!(named.instance(), broker.instance());
}
