//! The table itself, a column a test.

use crate::client::Client;
use crate::deeds::Deed;
use crate::support::activemq::ActiveMq;
use crate::support::mosquitto::{ADMIN, Mosquitto, PASSWORD};
use crate::support::process::{DEADLINE, Ended, Presence, Stream};
use crate::support::rabbitmq::RabbitMq;
use presence::wire::Version;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use tempfile::TempDir;

/// State and exit code after each deed.
type Column = [(Deed, &'static str, i32); 8];

const HEARD: Column = [
    (Deed::JustConnected, "online", 0),
    (Deed::CleanEnd, "offline", 1),
    (Deed::Killed, "offline", 1),
    (Deed::SilentWithin, "online", 0),
    (Deed::SilentAfter, "offline", 1),
    (Deed::TakenOver, "online", 0),
    (Deed::PersistentAway, "offline", 1),
    (Deed::NeverSeen, "unknown", 3),
];

/// Who is asked knows of everybody whether it is connected.
const ANSWERED: Column = {
    let mut column = HEARD;
    column[7] = (Deed::NeverSeen, "offline", 1);
    column
};

/// Mosquitto lists who is connected and who left a session alike; while one is away, it cannot say who.
const LISTED: Column = {
    let mut column = ANSWERED;
    column[6] = (Deed::PersistentAway, "unknown", 3);
    column
};

fn verdict(ended: &Ended) -> Value {
    let line = ended.out.lines().next().unwrap_or_else(|| panic!("no answer: {ended:?}"));
    serde_json::from_str(line).expect("check prints JSON")
}

#[track_caller]
fn is(ended: &Ended, deed: Deed, (state, code): (&str, i32)) {
    assert_eq!(ended.code, Some(code), "{deed:?}: {ended:?}");
    assert_eq!(verdict(ended)["state"], state, "{deed:?}: {ended:?}");
}

/// A watcher at a broker, and the store that it keeps.
struct Watched {
    home: TempDir,
    watch: Presence,
    url: String,
}

impl Watched {
    fn start(url: &str) -> Self {
        let home = TempDir::new().expect("a temporary folder can be made");
        let watch = Presence::start_in(home.path(), ["watch", "--json", "-b", url], &[]);
        watch.wait_line_of(Stream::Err, |line| line.contains("known yet"), DEADLINE);
        Self { home, watch, url: url.to_owned() }
    }

    fn check(&self, id: &str) -> Ended {
        // The store answers, or nobody: a listener of its own would say nothing about the past.
        let words = ["check", id, "--json", "--timeout", "1s", "-b", &self.url];
        Presence::start_in(self.home.path(), words, &[]).ended(DEADLINE)
    }

    /// Waits until the watcher has heard of all that a deed has brought about.
    fn wait(&self, deed: Deed) {
        let mut read = 0;
        for state in deed.course() {
            let is_it = |line: &str| {
                let object: Value = serde_json::from_str(line).expect("watch prints JSON");
                object["client"] == *deed.id() && object["to"] == *state
            };
            read = self.watch.wait_line_from(Stream::Out, read, is_it, DEADLINE).0;
        }
    }

    /// Fills the column of a broker that is watched, and then that of one that no longer is.
    fn column(mut self, address: SocketAddr, column: &Column) {
        let stay: Vec<_> = column
            .iter()
            .map(|(deed, state, code)| {
                let stay = deed.done(address);
                self.wait(*deed);
                is(&self.check(&deed.id()), *deed, (*state, *code));
                stay
            })
            .collect();
        let elsewhere = Presence::start_in(
            self.home.path(),
            ["check", &Deed::JustConnected.id(), "--evidence", "store", "-b", "elsewhere"],
            &[],
        )
        .ended(DEADLINE);
        assert_eq!(elsewhere.code, Some(3), "{elsewhere:?}");
        assert!(elsewhere.out.contains("known elsewhere: localhost:"), "{elsewhere:?}");
        self.watch.interrupt();
        assert_eq!(self.watch.ended(DEADLINE).code, Some(0));
        let words =
            ["check", &Deed::JustConnected.id(), "--json", "--evidence", "store", "-b", &self.url];
        let later = Presence::start_in(self.home.path(), words, &[]).ended(DEADLINE);
        is(&later, Deed::JustConnected, ("unknown", 3));
        assert_eq!(verdict(&later)["last_known"]["state"], "online", "{later:?}");
        drop(stay);
    }
}

/// Fills the column of a broker whose API is asked, by somebody who has watched nothing.
fn asked(address: SocketAddr, api: &[&str], environment: &[(&str, &str)], column: &Column) {
    for (deed, state, code) in column {
        let stay = deed.done(address);
        says(address, &deed.id(), api, environment, (state, *code));
        drop(stay);
    }
}

/// Asks about one client, in a home where nothing is known, and sees to it that the answer decides.
#[track_caller]
fn says(
    address: SocketAddr,
    id: &str,
    options: &[&str],
    environment: &[(&str, &str)],
    (state, code): (&str, i32),
) {
    let home = TempDir::new().expect("a temporary folder can be made");
    let url = format!("mqtt://{address}");
    let words = [&["check", id, "--json", "-b", &url][..], options].concat();
    let ended = Presence::start_in(home.path(), words, environment).ended(DEADLINE);
    assert_eq!(ended.code, Some(code), "{id}: {ended:?}");
    let verdict = verdict(&ended);
    assert_eq!(verdict["state"], state, "{id}: {ended:?}");
    let online = match state {
        "online" => true.into(),
        "offline" => false.into(),
        _ => Value::Null,
    };
    assert_eq!(verdict["answers"][0]["online"], online, "{id}: {ended:?}");
}

#[test]
fn the_built_in_broker_watched() {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let line = broker.wait_line(|line| line.starts_with("listening on mqtt://"), DEADLINE);
    let address = line["listening on mqtt://".len()..].split(' ').next().expect("an address");
    let address: SocketAddr = address.parse().expect("an address");
    Watched::start(&format!("mqtt://{address}")).column(address, &HEARD);
}

#[test]
fn a_goodbye_whose_end_is_held_back_is_closing_until_the_grace_is_over() {
    let faults = ["--fault", "late-tcpclean=1h"];
    let broker =
        Presence::start([&["broker", "--listen", "127.0.0.1:0"][..], &faults[..]].concat());
    let line = broker.wait_line(|line| line.starts_with("listening on mqtt://"), DEADLINE);
    let address = line["listening on mqtt://".len()..].split(' ').next().expect("an address");
    let address: SocketAddr = address.parse().expect("an address");
    let watched = Watched::start(&format!("mqtt://{address}"));
    Deed::CleanEnd.done(address);
    let is_it = |line: &str| line.contains(r#""to":"closing""#);
    watched.watch.wait_line(is_it, DEADLINE);
    is(&watched.check(&Deed::CleanEnd.id()), Deed::CleanEnd, ("closing", 0));
    let home = watched.home.path();
    let words =
        ["check", &Deed::CleanEnd.id(), "--json", "--close-grace", "0s", "-b", &watched.url];
    let later = Presence::start_in(home, words, &[]).ended(DEADLINE);
    is(&later, Deed::CleanEnd, ("offline", 1));
}

#[test]
#[ignore = "needs mosquitto"]
fn mosquitto_watched() {
    let broker = Mosquitto::start(&[]);
    Watched::start(&broker.url()).column(broker.address(), &HEARD);
}

#[test]
#[ignore = "needs rabbitmq"]
fn rabbitmq_asked() {
    let broker = RabbitMq::start();
    let api = format!("rabbitmq+http://127.0.0.1:{}", broker.api_port());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, broker.port()));
    let options = ["--api", &api, "--api-user", "guest"];
    asked(address, &options, &[("PRESENCE_API_PASSWORD", "guest")], &ANSWERED);
}

#[test]
#[ignore = "needs activemq"]
fn activemq_asked() {
    let broker = ActiveMq::start();
    let api = format!("activemq+http://127.0.0.1:{}", broker.api_port());
    let options = ["--api", &api, "--api-user", "admin"];
    asked(broker.address(), &options, &[("PRESENCE_API_PASSWORD", "admin")], &ANSWERED);
}

#[test]
#[ignore = "needs mosquitto 2.1"]
fn mosquitto_2_1_asked() {
    let ids = LISTED.map(|(deed, ..)| deed.id());
    let accounts = ids.each_ref().map(|id| (&**id, Some(&**id)));
    let broker = Mosquitto::start_2_1(&accounts, &[]);
    let home = TempDir::new().expect("a temporary folder can be made");
    let password = home.path().join("password");
    std::fs::write(&password, PASSWORD).expect("the folder is ours");
    let password = password.to_str().expect("it has a plain name");
    let options = ["-u", ADMIN, "--password-file", password, "--evidence", "store,dynsec"];
    let row = |(deed, state, code): (Deed, &str, i32)| {
        if state == "online" {
            broker.wait_all_said();
        }
        let stay = deed.done_with(broker.address(), PASSWORD);
        says(broker.address(), &deed.id(), &options, &[], (state, code));
        drop(stay);
    };
    LISTED.into_iter().filter(|(_, state, _)| *state == "offline").for_each(row);
    // Nobody is called online by a broker that was started just now.
    broker.wait_uptime(UPTIME_MIN_S);
    LISTED.into_iter().filter(|(_, state, _)| *state != "offline").for_each(row);
    // Another broker's: it has no account here.
    says(broker.address(), "elsewhere-1", &options, &[], ("offline", 1));
    // As many connections that say nothing as there are sessions away: the broker counts none.
    let address = broker.address();
    let nobody = Client::open(address, Version::V311);
    broker.wait_away("0");
    says(address, &Deed::PersistentAway.id(), &options, &[], ("unknown", 3));
    drop(nobody);
}

/// Longer than a connection may say nothing before it is closed.
const UPTIME_MIN_S: u64 = 35;
