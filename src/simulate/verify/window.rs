//! When a broker has to notice a silence, and when it may.
//!
//! Brokers differ by design: some look every few seconds, some count ticks. What is within a broker's
//! design is not late. Nobody may notice before one and a half keep alives, in whole seconds.

use std::borrow::Cow;
use std::time::Duration;

/// From the last packet of a connection to the report of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    pub earliest: Duration,
    pub latest: Duration,
}

impl Window {
    /// Returns the window that lies so much later, and stays open for so much longer.
    #[must_use]
    pub const fn moved(self, by: Duration, longer: Duration) -> Self {
        let latest = self.latest.saturating_add(by).saturating_add(longer);
        Self { earliest: self.earliest.saturating_add(by), latest }
    }
}

/// When what a broker sees at once is reported: a beginning, a goodbye, a connection that was closed or
/// taken over.
pub const PROMPT: Window = Window { earliest: Duration::ZERO, latest: Duration::from_secs(1) };

/// How much later a report may be than a broker's design has it: the way to us, and our own clock.
pub const SLACK: Duration = Duration::from_millis(500);

/// How much later than asked for a will may come: brokers count its delay in whole seconds.
pub const WILL_SLACK: Duration = Duration::from_millis(1_500);

/// What is expected of a broker that hears nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// What a known broker does.
    Profile(&'static Profile),
    /// What the user expects, whatever the keep alive.
    Fixed(Window),
}

/// When one broker has noticed a silence, at the latest.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    pub name: &'static str,
    /// Keep alives, in quarters.
    quarters: u64,
    /// On top of that, in ms.
    more_ms: u64,
    /// On top of that, half a keep alive, but at most so many seconds and at least one; 0 for nothing.
    half_max: u64,
    /// A shorter keep alive counts as so many seconds.
    least: u64,
}

impl Expectation {
    /// What is expected of a broker of which nothing is known: three keep alives, which is as long as most
    /// of those take that are.
    pub const ANY: Self = Self::Profile(&PROFILES[PROFILES.len() - 1]);

    /// Reads an expectation as it is typed: the name of a broker, or a range such as `7s..13s`.
    ///
    /// Errors: a clause that says what is wrong, to be put behind what was typed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((earliest, latest)) = text.split_once("..") else {
            // The release that most have is meant where none is named.
            let text = if text.eq_ignore_ascii_case("mosquitto") { "mosquitto-2.0" } else { text };
            let wanted = |profile: &&Profile| profile.name.eq_ignore_ascii_case(text);
            return PROFILES.iter().find(wanted).map(Self::Profile).ok_or_else(|| {
                let names: Vec<_> = Self::names().collect();
                format!("it is neither a range such as `7s..13s` nor one of {}", names.join(", "))
            });
        };
        let read = |text: &str| {
            let text = text.trim();
            humantime::parse_duration(text).map_err(|error| format!("`{text}`: {error}"))
        };
        let (earliest, latest) = (read(earliest)?, read(latest)?);
        if earliest > latest {
            return Err("it ends before it begins".into());
        }
        Ok(Self::Fixed(Window { earliest, latest }))
    }

    /// Returns what is known by this name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().map(|profile| profile.name)
    }

    /// Returns the name, or the range as it would be typed.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Profile(profile) => profile.name.into(),
            Self::Fixed(Window { earliest, latest }) => {
                let text = |duration: &Duration| humantime::format_duration(*duration).to_string();
                format!("{}..{}", text(earliest), text(latest)).into()
            }
        }
    }

    /// Returns what to expect of the broker that says this about itself (`$SYS/broker/version`), at this
    /// host. What is not recognised may be any broker.
    pub fn of_broker(version: Option<&str>, host: &str) -> Self {
        Self::of_version(version.unwrap_or_default())
            .or_else(|| Self::of_host(host))
            .unwrap_or(Self::ANY)
    }

    fn of_version(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix("mosquitto") {
            let number = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
            let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
            let release = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
            return Self::parse(if release >= (2, 1) { "mosquitto-2.1" } else { "mosquitto-2.0" })
                .ok();
        }
        let is_it = |profile: &&Profile| {
            !matches!(profile.name, "spec" | "any" | "aws" | "lmq")
                && text.strip_prefix(profile.name).is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-')
                })
        };
        PROFILES.iter().find(is_it).map(Self::Profile)
    }

    fn of_host(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let known = HOSTS.iter().find(|(tail, _)| host.ends_with(tail));
        known.and_then(|(_, name)| Self::parse(name).ok())
    }

    /// Returns when the silence of a connection is to be reported, from its last packet on. `keep_alive` is
    /// the one that was agreed on, in seconds; without one a silence is never noticed.
    pub fn window(&self, keep_alive: u16) -> Option<Window> {
        if keep_alive == 0 {
            return None;
        }
        Some(match self {
            Self::Fixed(window) => *window,
            Self::Profile(profile) => {
                Window { earliest: earliest(keep_alive), latest: profile.latest(keep_alive) }
            }
        })
    }
}

/// Returns the earliest honest notice of a silence: one and a half keep alives (MQTT 3.1.1 §3.1.2.10),
/// rounded down as brokers do that count in whole seconds.
pub const fn earliest(keep_alive: u16) -> Duration {
    Duration::from_secs(keep_alive as u64 * 3 / 2)
}

impl Profile {
    fn latest(&self, keep_alive: u16) -> Duration {
        let seconds = u64::from(keep_alive).max(self.least);
        let half_ms = match self.half_max {
            0 => 0,
            max => (seconds * 500).clamp(1_000, max * 1_000),
        };
        SLACK + Duration::from_millis(seconds * 250 * self.quarters + self.more_ms + half_ms)
    }

    const fn new(name: &'static str, quarters: u64, more_ms: u64) -> Self {
        Self { name, quarters, more_ms, half_max: 0, least: 0 }
    }

    const fn with_half(self, half_max: u64) -> Self {
        Self { half_max, ..self }
    }

    const fn with_least(self, least: u64) -> Self {
        Self { least, ..self }
    }
}

/// What brokers do, as their sources say and as was measured; where the two differ, the wider.
static PROFILES: [Profile; 20] = [
    Profile::new("spec", 6, 0),
    // A look every 5 to 6 seconds, in whole seconds (`src/keepalive.c`).
    Profile::new("mosquitto-2.0", 6, 7_000),
    // Rings of one second.
    Profile::new("mosquitto-2.1", 6, 2_000),
    // A look every half keep alive, of which the first after traffic counts nothing
    // (`emqx_keepalive.erl`).
    Profile::new("emqx", 6, 0).with_half(30),
    // Ticks of 10 s, the first of which may come at once (`nmq_mqtt.c`).
    Profile::new("nanomq", 6, 20_000),
    // Two ticks of three quarters in a row without traffic; 2.2 to 3 were measured (3.10.8).
    Profile::new("rabbitmq", 12, 0),
    // Ticks of three quarters (`vmq_mqtt_fsm.erl`).
    Profile::new("vernemq", 9, 0),
    // Ends are gathered for 100 ms.
    Profile::new("hivemq", 6, 100),
    Profile::new("flashmq", 6, 2_000),
    Profile::new("aedes", 6, 1),
    // Rounded up to whole seconds, and 0.1 s more.
    Profile::new("moquette", 6, 600),
    // A look every 2 s.
    Profile::new("artemis", 6, 3_000),
    Profile::new("activemq", 12, 0),
    Profile::new("nats", 6, 0),
    Profile::new("mochi", 6, 0),
    Profile::new("bifromq", 12, 0).with_least(5),
    // "Typically less than a second" later; below 30 s counts as 30 s.
    Profile::new("aws", 6, 1_000).with_least(30),
    // The vendor says that it "may be longer" than one and a half, and not by how much.
    Profile::new("lmq", 12, 1_000),
    // The built-in broker.
    Profile::new("presence", 6, 0),
    // The last one.
    Profile::new("any", 12, 1_000),
];

/// Services that say nothing about themselves, by where they are.
const HOSTS: [(&str, &str); 3] =
    [(".amazonaws.com", "aws"), (".amazonaws.com.cn", "aws"), (".mqtt.aliyuncs.com", "lmq")];

#[cfg(test)]
mod tests {
    use super::*;

    fn window(name: &str, keep_alive: u16) -> (f64, f64) {
        let window = Expectation::parse(name).unwrap().window(keep_alive).unwrap();
        (window.earliest.as_secs_f64(), window.latest.as_secs_f64())
    }

    #[test]
    fn what_was_measured_lies_in_the_window() {
        // Broker, keep alive in s, shortest and longest time from the last packet to the end.
        for (name, keep_alive, shortest, longest) in [
            ("aedes", 5, 7.5, 7.5),
            ("aedes", 10, 15.0, 15.0),
            ("mochi", 5, 7.0, 7.0),
            ("mochi", 10, 15.0, 15.0),
            ("nats", 5, 7.0, 7.0),
            ("nats", 10, 15.0, 15.0),
            ("hivemq", 5, 7.0, 7.1),
            ("hivemq", 10, 15.0, 15.1),
            ("moquette", 5, 8.0, 8.1),
            ("moquette", 10, 15.0, 15.0),
            ("artemis", 5, 8.1, 10.0),
            ("artemis", 10, 16.3, 18.0),
            ("mosquitto-2.0", 2, 4.0, 8.0),
            ("mosquitto-2.0", 5, 7.1, 13.0),
            ("mosquitto-2.0", 10, 15.4, 21.0),
            ("bifromq", 2, 7.5, 7.5),
            ("bifromq", 5, 7.5, 14.4),
            ("bifromq", 10, 15.0, 29.3),
            ("activemq", 5, 9.0, 15.0),
            ("activemq", 10, 18.0, 30.0),
            ("rabbitmq", 2, 6.0, 6.0),
            ("rabbitmq", 5, 11.4, 15.0),
            ("rabbitmq", 10, 24.1, 30.0),
            // From their sources.
            ("emqx", 10, 15.0, 20.0),
            ("emqx", 60, 90.0, 120.0),
            ("nanomq", 10, 20.0, 30.0),
            ("nanomq", 60, 100.0, 110.0),
            ("vernemq", 10, 15.0, 22.5),
            ("flashmq", 5, 9.0, 9.5),
        ] {
            let (earliest, latest) = window(name, keep_alive);
            let case = format!("{name}, {keep_alive} s: {earliest} to {latest}");
            assert!(earliest <= shortest && longest <= latest, "{case}");
        }
    }

    #[test]
    fn a_window_is_that_of_the_rule() {
        for (name, keep_alive, expected) in [
            ("spec", 5, (7.0, 8.0)),
            ("spec", 1, (1.0, 2.0)),
            ("spec", u16::MAX, (98_302.0, 98_303.0)),
            ("mosquitto-2.0", 5, (7.0, 15.0)),
            ("mosquitto-2.1", 5, (7.0, 10.0)),
            ("emqx", 1, (1.0, 3.0)),
            ("emqx", 600, (900.0, 930.5)),
            ("vernemq", 10, (15.0, 23.0)),
            ("bifromq", 2, (3.0, 15.5)),
            ("aws", 5, (7.0, 46.5)),
            ("any", 5, (7.0, 16.5)),
            ("7s..13s", 60, (7.0, 13.0)),
        ] {
            assert_eq!(window(name, keep_alive), expected, "{name}, {keep_alive}");
        }
    }

    #[test]
    fn without_a_keep_alive_nothing_is_due() {
        for name in Expectation::names().chain(["7s..13s"]) {
            assert_eq!(Expectation::parse(name).unwrap().window(0), None, "{name}");
        }
    }

    #[test]
    fn an_expectation_is_read_as_it_is_told() {
        for text in Expectation::names().chain(["7s..13s", "0s..1m 30s", "500ms..500ms"]) {
            let read = Expectation::parse(text).unwrap();
            assert_eq!(read.name(), text);
            assert_eq!(Expectation::parse(&read.name()), Ok(read));
        }
        for (text, cause) in [
            ("", "it is neither a range"),
            ("nobody", "it is neither a range"),
            ("7s", "it is neither a range"),
            ("13s..7s", "it ends before it begins"),
            ("7..13", "`7`: "),
            ("..7s", "``: "),
        ] {
            let error = Expectation::parse(text).unwrap_err();
            assert!(error.starts_with(cause), "{text}: {error}");
        }
    }

    #[test]
    fn a_broker_is_recognised_by_what_it_says_or_where_it_is() {
        for (version, host, expected) in [
            (Some("mosquitto version 2.0.11"), "localhost", "mosquitto-2.0"),
            (Some("mosquitto version 1.6.9"), "", "mosquitto-2.0"),
            (Some("mosquitto version 2.1.2"), "", "mosquitto-2.1"),
            (Some("mosquitto version 10.0"), "", "mosquitto-2.1"),
            (Some("mosquitto"), "", "mosquitto-2.0"),
            (Some("presence 0.1.0"), "", "presence"),
            (Some("presences"), "", "any"),
            (Some("HiveMQ 4.9"), "", "hivemq"),
            (Some("2.7.9"), "", "any"),
            (Some("any"), "", "any"),
            (Some("spec"), "", "any"),
            (None, "a1b2.iot.eu-west-1.amazonaws.com", "aws"),
            (None, "a1b2.ATS.iot.cn-north-1.amazonaws.com.cn.", "aws"),
            (None, "post-cn-x.mqtt.aliyuncs.com", "lmq"),
            (None, "amazonaws.com.example", "any"),
            (Some(""), "127.0.0.1", "any"),
        ] {
            let name = Expectation::of_broker(version, host).name();
            assert_eq!(name, expected, "{version:?} {host}");
        }
    }
}
