//! `presence simulate`

use super::connection::Connection;
use super::merge::Action;
use super::verify::Verify;
use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, value_parser};
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub const COUNT: u32 = 100;
pub const RATE: u32 = 1_000;
pub const DURATION: &str = "20s";
pub const DEATHS: &str = "disconnect=100";
pub const RETURN_AFTER: &str = "2s";
pub const KEEP_ALIVE: &str = "5s";
pub const CLIENT_ID: &str = "sim-{run}-{n}";
pub const STATUS_TOPIC: &str = "devices/{client}/status";
pub const WILL_PAYLOAD: &str = "offline";
pub const BIRTH_PAYLOAD: &str = "online";
pub const STATUS_QOS: u8 = 1;
pub const PUBLISH_TOPIC: &str = "devices/{client}/data";
pub const PAYLOAD: &str = "{n}";
pub const QOS: u8 = 0;
pub const SESSION_EXPIRY: &str = "1h";
pub const IN_FLIGHT: u16 = 64;
pub const TIMEOUT: &str = "10s";
pub const RECONNECT: &str = "1s";
/// The first one is the default.
pub const PROFILES: [&str; 8] = [
    "spec",
    "paho-c-1.2",
    "paho-c-1.3.1",
    "paho-c-1.3.13",
    "paho-golang",
    "mobile-app",
    "never-pings",
    "half-open",
];

const EXAMPLE: &str = "\
Example:
  presence simulate --count 1000 --verify";

/// Lets devices come, live and die at a broker
///
/// Devices connect, say that they are online, keep their connections alive and die: by a goodbye, a
/// closed or a reset connection, by silence and in other ways. With --verify what the broker says of them
/// is held against what was done to them. The same seed gives the same run. At the end, and on
/// Ctrl-C, every retained message and session that the run made is removed; a second Ctrl-C ends it at
/// once. Client ids, user, password, topics, filters and payloads are templates: `{number}` is the number
/// of the device, `{client}` its client id, `{run}` the mark of the run. Exit code: 0 all went as
/// planned, 1 some devices could not connect or were lost, 4 none could connect or the broker went away;
/// with --verify: 1 it is not verified, 6 this machine was too slow to tell.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLE, args_conflicts_with_subcommands = true)]
pub struct Simulate {
    #[command(subcommand)]
    pub action: Option<Action>,

    /// How many devices [default: 100, or as the scenario says]
    // No default value: a scenario may have one of its own.
    #[arg(long, value_name = "COUNT", env = "PRESENCE_COUNT", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub count: Option<u32>,

    /// Print one JSON object
    #[arg(long, env = "PRESENCE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,

    /// Print who would live when, and connect to nothing
    #[arg(long, env = "PRESENCE_PLAN", value_parser = BoolishValueParser::new())]
    pub plan: bool,

    #[command(flatten)]
    pub lives: Lives,
    #[command(flatten)]
    pub devices: Devices,
    #[command(flatten)]
    pub status: Status,
    #[command(flatten)]
    pub traffic: Traffic,
    #[command(flatten)]
    pub verify: Verify,
    #[command(flatten)]
    pub load: Load,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub connection: Connection,
}

/// Who lives when, and how each life ends.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Lives")]
pub struct Lives {
    /// Devices that come, and later go, per second [default: 1000]
    ///
    /// `200` or `200/s`. Without it 50 where the broker is on a public address.
    // No default value: what was not asked for may be lowered.
    #[arg(long, value_name = "RATE", env = "PRESENCE_RATE")]
    pub rate: Option<Rate>,

    /// Time within which all devices come, instead of a rate
    #[arg(long, value_name = "DURATION", env = "PRESENCE_RAMP", value_parser = humantime::parse_duration, conflicts_with = "rate")]
    pub ramp: Option<Duration>,

    /// How long the whole run takes [default: 20s, or more if the devices need it to come]
    #[arg(long, value_name = "DURATION", env = "PRESENCE_DURATION", value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,

    /// Let devices do what a scenario says: a file, or the name of a preset
    ///
    /// Groups of devices that behave differently, and what each does step by step. `--count`,
    /// `--duration`, `--rate` and `--ramp` outrank what stands there; other options say what it leaves
    /// open. An unknown name lists the presets. The format is described in docs/scenarios.md.
    #[arg(long, value_name = "FILE|NAME", env = "PRESENCE_SCENARIO")]
    pub scenario: Option<String>,

    /// How devices die, in shares that add up to 100 [default: disconnect=100]
    ///
    /// `disconnect` is a goodbye, `disconnect-with-will` one that lets the will out and
    /// `disconnect-0x81` one with that reason (MQTT 5); `fin` is a connection that is closed without
    /// one, `rst` one that is reset, `tls-cut` one whose TCP is closed under TLS; `silence` one that
    /// stays open while nothing is sent or read any more, `nat-drop` one that a router has forgotten;
    /// `takeover` is a second connection with the same id. Who has `stay` lives on to the next turn,
    /// and in the last one to the end of the run. `every` is all there is on this connection, in equal
    /// shares. The shares are exact; whom they hit is up to the seed.
    // No default value: what was not asked for may be another one.
    #[arg(long, value_name = "KIND=SHARE,…", env = "PRESENCE_DEATHS")]
    pub deaths: Option<String>,

    /// Let a router forget devices this long after they connected
    ///
    /// From then on nothing passes in either direction, and neither side is told. All devices die so,
    /// or those that have `nat-drop` in `--deaths`.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_NAT_DROP", value_parser = humantime::parse_duration)]
    pub nat_drop: Option<Duration>,

    /// Reset a share of the devices at one moment, and let them return at once
    ///
    /// `30%@10s`: 30 % of all devices, 10 s after the run began.
    #[arg(long, value_name = "PERCENT@TIME", env = "PRESENCE_STORM")]
    pub storm: Option<Storm>,

    /// How often each device lives [default: 1, or 2 with --return-after]
    #[arg(long, value_name = "COUNT", env = "PRESENCE_LIVES", value_parser = value_parser!(u32).range(1..=10_000))]
    pub lives: Option<u32>,

    /// Time between a death and the next life of a device [default: 2s]
    #[arg(long, value_name = "DURATION", env = "PRESENCE_RETURN_AFTER", value_parser = humantime::parse_duration)]
    pub return_after: Option<Duration>,

    /// Number that decides whom a death hits [default: a random one, which is shown]
    #[arg(long, value_name = "NUMBER", env = "PRESENCE_SEED")]
    pub seed: Option<u64>,

    /// Carry out only a part of the plan, on one of several machines
    ///
    /// `3/10` is the third of ten. `10` alone takes the part from `JOB_COMPLETION_INDEX`, which counts
    /// from 0 and which Kubernetes sets in an Indexed Job. All parts need the same `--seed`, `--run` and
    /// options.
    #[arg(long, value_name = "I/N", env = "PRESENCE_SHARD")]
    pub shard: Option<Shard>,
}

/// Who the devices are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Devices")]
pub struct Devices {
    /// Mark of this run, `{run}` in templates [default: 6 random hexadecimal digits]
    #[arg(long, value_name = "MARK", env = "PRESENCE_RUN")]
    pub run: Option<String>,

    /// Allow client ids without the mark of the run
    ///
    /// A broker throws out whoever is connected with the same id, and what a run made is removed at its
    /// end: say so only where no other client has these ids.
    #[arg(long, env = "PRESENCE_IDS_ARE_MINE", value_parser = BoolishValueParser::new())]
    pub ids_are_mine: bool,

    /// Read user and password of each device from a CSV file
    ///
    /// Its first line names the columns: `client_id`, `username` and `password`, in any order. With
    /// `client_id` the ids come from there too. Takes the place of `--username` and the password.
    #[arg(long, value_name = "FILE", env = "PRESENCE_CREDENTIALS")]
    pub credentials: Option<PathBuf>,

    /// Ask the broker to keep a session for each device
    #[arg(long, env = "PRESENCE_PERSISTENT", value_parser = BoolishValueParser::new())]
    pub persistent: bool,

    /// How long a kept session outlives its connection, MQTT 5 only [default: 1h]
    #[arg(long, value_name = "DURATION", env = "PRESENCE_SESSION_EXPIRY", value_parser = humantime::parse_duration)]
    pub session_expiry: Option<Duration>,

    /// Whose way of keeping a connection alive devices have
    ///
    /// When they ping, and when they give up: `spec` is what MQTT asks for, others are what clients do.
    #[arg(long, value_name = "PROFILE", env = "PRESENCE_KEEPALIVE_PROFILE", value_parser = PROFILES, default_value = PROFILES[0])]
    pub keepalive_profile: String,

    /// Let devices read nothing after CONNACK
    #[arg(long, env = "PRESENCE_NO_READ", value_parser = BoolishValueParser::new())]
    pub no_read: bool,

    /// Let devices that were lost connect again, after this time or 1s
    ///
    /// Until their life is over; the time grows with every attempt that fails.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_RECONNECT", value_parser = humantime::parse_duration, num_args = 0..=1, require_equals = true, default_missing_value = RECONNECT)]
    pub reconnect: Option<Duration>,
}

/// What devices say about themselves, and have said when they die.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Will and birth")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Status {
    /// Topic on which the broker announces a death
    #[arg(long, value_name = "TOPIC", env = "PRESENCE_WILL_TOPIC", default_value = STATUS_TOPIC)]
    pub will_topic: String,

    /// What the broker announces
    #[arg(long, visible_alias = "will-message", value_name = "TEXT", env = "PRESENCE_WILL_PAYLOAD", default_value = WILL_PAYLOAD)]
    pub will_payload: String,

    /// QoS of the will
    #[arg(long, value_name = "QOS", env = "PRESENCE_WILL_QOS", value_parser = value_parser!(u8).range(0..=2), default_value_t = STATUS_QOS)]
    pub will_qos: u8,

    /// Let the broker keep the will for those who subscribe later; `false` for not
    #[arg(long, value_name = "BOOL", env = "PRESENCE_WILL_RETAIN", value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true")]
    pub will_retain: bool,

    /// How long the broker waits for a return before it announces the death, MQTT 5 only
    #[arg(long, value_name = "DURATION", env = "PRESENCE_WILL_DELAY", value_parser = humantime::parse_duration)]
    pub will_delay: Option<Duration>,

    /// Leave no will with the broker
    #[arg(long, env = "PRESENCE_NO_WILL", value_parser = BoolishValueParser::new(), conflicts_with_all = ["will_topic", "will_payload", "will_qos", "will_retain", "will_delay"])]
    pub no_will: bool,

    /// Topic on which a device says that it is there
    #[arg(long, value_name = "TOPIC", env = "PRESENCE_BIRTH_TOPIC", default_value = STATUS_TOPIC)]
    pub birth_topic: String,

    /// What a device says when it is there
    #[arg(long, value_name = "TEXT", env = "PRESENCE_BIRTH_PAYLOAD", default_value = BIRTH_PAYLOAD)]
    pub birth_payload: String,

    /// QoS of the birth message
    #[arg(long, value_name = "QOS", env = "PRESENCE_BIRTH_QOS", value_parser = value_parser!(u8).range(0..=2), default_value_t = STATUS_QOS)]
    pub birth_qos: u8,

    /// Let the broker keep the birth message; `false` for not
    #[arg(long, value_name = "BOOL", env = "PRESENCE_BIRTH_RETAIN", value_parser = BoolishValueParser::new(), num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true")]
    pub birth_retain: bool,

    /// Say nothing when a device is there
    #[arg(long, env = "PRESENCE_NO_BIRTH", value_parser = BoolishValueParser::new(), conflicts_with_all = ["birth_topic", "birth_payload", "birth_qos", "birth_retain"])]
    pub no_birth: bool,

    #[arg(skip)]
    pub chosen: Chosen,
}

/// What was said of will and birth, rather than left as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chosen {
    /// The first option of the will.
    pub will: Option<&'static str>,
    pub birth: bool,
    pub birth_retain: bool,
}

impl Chosen {
    /// Looks up what clap was told.
    #[must_use]
    pub fn of(matches: &ArgMatches) -> Self {
        let is_chosen = |id: &str| {
            let source = matches.value_source(id);
            source.is_some_and(|source| source != ValueSource::DefaultValue)
        };
        let will = [
            ("will_topic", "will-topic"),
            ("will_payload", "will-payload"),
            ("will_qos", "will-qos"),
            ("will_retain", "will-retain"),
            ("will_delay", "will-delay"),
        ];
        let birth = ["birth_topic", "birth_payload", "birth_qos", "birth_retain"];
        Self {
            will: will.into_iter().find_map(|(id, flag)| is_chosen(id).then_some(flag)),
            birth: birth.into_iter().any(is_chosen),
            birth_retain: is_chosen("birth_retain"),
        }
    }
}

/// What devices do while they live.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Traffic")]
pub struct Traffic {
    /// Let each device publish at this interval
    #[arg(long, value_name = "DURATION", env = "PRESENCE_PUBLISH_EVERY", value_parser = humantime::parse_duration)]
    pub publish_every: Option<Duration>,

    /// Topic that devices publish to
    #[arg(long, value_name = "TOPIC", env = "PRESENCE_PUBLISH_TOPIC", default_value = PUBLISH_TOPIC)]
    pub publish_topic: String,

    /// What devices publish
    ///
    /// `{client}`, `{number}` and `{run}` are filled in; other braces are text.
    #[arg(long, visible_alias = "message", value_name = "TEXT", env = "PRESENCE_PAYLOAD", default_value = PAYLOAD, conflicts_with = "payload_size")]
    pub payload: String,

    /// Publish this many bytes instead of a text
    #[arg(long, value_name = "BYTES", env = "PRESENCE_PAYLOAD_SIZE", value_parser = value_parser!(u32).range(0..=16_777_216))]
    pub payload_size: Option<u32>,

    /// QoS of what devices publish and subscribe to
    #[arg(long, value_name = "QOS", env = "PRESENCE_QOS", value_parser = value_parser!(u8).range(0..=2), default_value_t = QOS)]
    pub qos: u8,

    /// Let each device subscribe to this; may be given several times
    #[arg(long, value_name = "FILTER", env = "PRESENCE_SUBSCRIBE")]
    pub subscribe: Vec<String>,
}

/// What this machine and the broker have to bear.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub struct Load {
    /// Connect from this address of the machine; may be given several times
    ///
    /// Each address has ports of its own: more devices than one address has ports need a second one. To a
    /// broker on this machine as many of 127.0.0.0/8 are used as are needed.
    #[arg(
        long,
        visible_alias = "source-ip",
        value_name = "IP",
        env = "PRESENCE_BIND_ADDRESS",
        value_delimiter = ','
    )]
    pub bind_address: Vec<IpAddr>,

    /// Connections that are being made at the same time, at most
    #[arg(long, value_name = "COUNT", env = "PRESENCE_IN_FLIGHT", value_parser = value_parser!(u16).range(1..), default_value_t = IN_FLIGHT)]
    pub in_flight: u16,

    /// Longest time that a connection may take
    #[arg(long, value_name = "DURATION", env = "PRESENCE_TIMEOUT", value_parser = humantime::parse_duration, default_value = TIMEOUT)]
    pub timeout: Duration,

    /// Put load on a broker that is neither on this machine nor in a private network
    ///
    /// Needed there above 50 connects per second, 500 devices or 1,000 messages per second.
    #[arg(long, env = "PRESENCE_YES_LOAD", value_parser = BoolishValueParser::new())]
    pub yes_load: bool,
}

/// So many a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u32);

impl FromStr for Rate {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let number = typed.strip_suffix("/s").unwrap_or(typed);
        match number.parse() {
            Ok(0) => Err("at least one device has to come per second".into()),
            Ok(rate) => Ok(Self(rate)),
            Err(error) => Err(format!("{error}; write it as 200 or 200/s")),
        }
    }
}

/// A share of the devices, and when it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    pub percent: u32,
    pub at: Duration,
}

impl FromStr for Storm {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let (percent, at) =
            typed.split_once('@').ok_or("write it as 30%@10s: a share, and a moment of the run")?;
        let percent = percent.strip_suffix('%').unwrap_or(percent).parse();
        match percent.ok().filter(|percent| (1..=100).contains(percent)) {
            Some(percent) => humantime::parse_duration(at)
                .map(|at| Self { percent, at })
                .map_err(|error| format!("`{at}`: {error}")),
            None => Err("the share is a whole number from 1 to 100".into()),
        }
    }
}

/// One of several parts of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0; `None` leaves it to the surroundings.
    pub index: Option<u32>,
    pub count: u32,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<u32>().map_err(|error| format!("`{text}`: {error}"));
        let (index, count) = match typed.split_once('/') {
            Some((index, count)) => (Some(number(index)?), number(count)?),
            None => (None, number(typed)?),
        };
        match index {
            _ if count == 0 => Err("there is at least one part".into()),
            Some(index) if !(1..=count).contains(&index) => {
                Err(format!("parts are counted from 1 to {count}"))
            }
            index => Ok(Self { index: index.map(|index| index - 1), count }),
        }
    }
}

/// Tells of the connection what is different for devices, and names `{n}` by its name.
///
/// clap makes a new line of `{n}` wherever it stands in a help text, and knows no way to say it
/// otherwise. So doc comments say `{number}`, and here a code that does nothing is put into the middle:
/// terminals do not show it, and clap leaves it out of all else.
#[must_use]
pub fn describe(command: clap::Command) -> clap::Command {
    let named = |text: Option<&clap::builder::StyledStr>| {
        text.map(|text| text.to_string().replace("{number}", "{\u{1b}[0mn}"))
    };
    let client_id = CLIENT_ID.replace("{n}", "{number}");
    let command = command
        .mut_arg("client_id", |arg| {
            let first = format!("Client ids of the devices, a template [default: {client_id}]");
            arg.value_name("TEMPLATE").long_help(format!(
                "{first}\n\n`{{number}}` is the number of the device, `{{run}}` the mark of the run, \
                 `{{{{` and `}}}}` are braces. A template without `{{run}}` needs `--ids-are-mine`."
            )).help(first)
        })
        .mut_arg("username", |arg| {
            arg.value_name("TEMPLATE").help("User to connect as, a template like the password")
        })
        .mut_arg("keepalive", |arg| {
            let first = format!("Longest silence of a device [default: {KEEP_ALIVE}]");
            arg.long_help(format!(
                "{first}\n\n`30` or `30s`, at most 65535s; `0` for none. A broker notices the silence \
                 of a device after 1.5 times as long."
            )).help(first)
        })
        .mut_args(|arg| {
            let (short, long) = (named(arg.get_help()), named(arg.get_long_help()));
            let arg = if let Some(short) = short { arg.help(short) } else { arg };
            if let Some(long) = long { arg.long_help(long) } else { arg }
        });
    let about = named(command.get_long_about()).unwrap_or_default();
    command.long_about(about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_a_share_and_a_moment() {
        let storm = |percent, seconds| Storm { percent, at: Duration::from_secs(seconds) };
        assert_eq!("30%@10s".parse(), Ok(storm(30, 10)));
        assert_eq!("100@1m".parse(), Ok(storm(100, 60)));
        for wrong in ["", "30%", "@10s", "0@10s", "101%@1s", "30%@", "30%@soon", "-1@1s"] {
            assert!(wrong.parse::<Storm>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn parts_are_typed_from_one() {
        assert_eq!("3/10".parse(), Ok(Shard { index: Some(2), count: 10 }));
        assert_eq!("10".parse(), Ok(Shard { index: None, count: 10 }));
        for wrong in ["", "0/10", "11/10", "0", "0/0", "1/", "/3", "a/b", "1/2/3", "-1/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_a_number_per_second() {
        assert_eq!("200".parse(), Ok(Rate(200)));
        assert_eq!("200/s".parse(), Ok(Rate(200)));
        assert_eq!("4294967295/s".parse(), Ok(Rate(u32::MAX)));
        for wrong in ["0", "0/s", "-1", "4294967296", "5/m", "", "/s", "fast"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
