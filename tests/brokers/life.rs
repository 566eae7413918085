//! What clients do at any broker, and what must be told of it.

use crate::scene::{Believed, Watch, believed, now_ms, objects};
use crate::support::process::{DEADLINE, Presence, Process};
use crate::support::proxy::Proxy;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Some brokers take their time to notice, on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How far the clock may be set meanwhile.
const CLOCK_MS: i64 = 1_000;

/// What a broker tells, as far as they differ.
#[derive(Clone, Copy)]
pub struct Telling<'a> {
    pub voice: &'a str,
    pub instance: &'a str,
    /// Connections have names.
    pub has_channels: bool,
    /// A goodbye is told from a drop.
    pub has_goodbyes: bool,
}

impl Telling<'_> {
    /// Has clients come, be killed, be reset, say goodbye and be taken over at the broker of this port, and
    /// holds what is told of them against it. Returns what is believed in the end, and the summary.
    #[track_caller]
    pub fn holds(self, port: u16, mut watch: Watch) -> (Believed, Value) {
        watch.within(PATIENCE);
        let began_ms = now_ms();
        let mut pump = device(port, "pump-1");
        let online = watch.change("pump-1", "online");
        let told = (&online["from"], &online["voice"], &online["instance"]);
        assert_eq!(told, (&"unknown".into(), &self.voice.into(), &self.instance.into()));
        let at_ms = online["at_ms"].as_i64().expect("it is a time");
        let span = began_ms - CLOCK_MS..=now_ms() + CLOCK_MS;
        assert!(span.contains(&at_ms), "{at_ms} is not in {span:?}");
        pump.kill();
        assert_eq!(watch.change("pump-1", "offline")["how"], "abrupt");

        let line = Proxy::start((Ipv4Addr::LOCALHOST, port).into());
        let fan = device(line.port(), "fan-1");
        watch.change("fan-1", "online");
        // It would come back at once.
        fan.suspend();
        line.reset();
        assert_eq!(watch.change("fan-1", "offline")["how"], "abrupt");

        let tank = device(port, "tank-1");
        watch.change("tank-1", "online");
        tank.terminate();
        let offline = watch.change("tank-1", "offline");
        assert!(!self.has_goodbyes || offline["how"] == "graceful", "{offline}");

        let mut old = device(port, "valve-1");
        let first = watch.change("valve-1", "online");
        assert_ne!(self.has_channels, first["channel"].is_null(), "{first}");
        // It would take over in its turn.
        old.suspend();
        let _new = device(port, "valve-1");
        watch.object(|line| {
            let is_other = !self.has_channels || line["channel"] != first["channel"];
            line["client"] == "valve-1" && line["to"] == "online" && is_other
        });
        old.kill();
        let _marker = device(port, "marker");
        watch.change("marker", "online");

        let (believed, summary, _) = watch.finish();
        let amiss = (&summary["malformed"], &summary["gaps"]);
        assert_eq!(amiss, (&0.into(), &0.into()), "{summary}");
        // Nobody else is told of: who listens is no client.
        let states: Vec<_> = believed.iter().map(|(id, (state, _))| (&**id, &**state)).collect();
        let expected = [
            ("fan-1", "offline"),
            ("marker", "online"),
            ("pump-1", "offline"),
            ("tank-1", "offline"),
            ("valve-1", "online"),
        ];
        assert_eq!(states, expected);
        (believed, summary)
    }
}

/// Starts a client that says goodbye when it is asked to end.
pub fn device(port: u16, id: &str) -> Process {
    let mut command = Command::new("mosquitto_sub");
    command.args(["-V", "311", "-h", "127.0.0.1", "-p", &port.to_string(), "-t", "nothing"]);
    Process::start(command.args(["-i", id]))
}

/// Returns what is believed at the end of a file.
#[track_caller]
pub fn replayed(home: &Path, file: &str) -> Believed {
    let line = ["replay", "--json", "--quiet", file];
    let ended = Presence::start_in(home, line, &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    believed(&objects(&ended.out))
}
