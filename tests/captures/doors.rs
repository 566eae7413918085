//! The same comparison for what brokers tell at other doors than MQTT: queues, STOMP, web hooks, and hooks in
//! their own process. The files are the broker's own: what a client of the door got, one message a line.

use super::{
    Comparison, Differences, Explained, Limit, SETTLED_MS, dialects, differences_over_mqtt, key,
    steps, text_of, voice_alone,
};
use presence::dialect::{Message, claims, envelope};
use presence::event::Timestamp;
use serde::Deserialize;

/// A run, the file of its door, the voice, and what that voice gets wrong.
type Door = (&'static str, &'static str, &'static str, &'static [Explained]);

/// What the calls of NanoMQ's webhook get wrong. They name no connection, and have no time.
const NANOMQ_LIMITS: [Explained; 7] = [
    ("takeover", "nanomq-webhook", "dev-dup", Limit::EndOfTheOlderLooksLikeAny),
    ("persistent_session", "nanomq-webhook", "dev-persist", Limit::EndOfAKeptSessionIsNotTold),
    ("will_delay_v5", "nanomq-webhook", "dev-wd5", Limit::EndOfAKeptSessionIsNotTold),
    ("flap", "nanomq-webhook", "dev-flap", Limit::CallsOvertakeEachOther),
    ("flap_fin", "nanomq-webhook", "dev-flapfin", Limit::CallsOvertakeEachOther),
    ("broker_stop", "nanomq-webhook", "dev-stop", Limit::StopIsSilent),
    ("broker_stop", "nanomq-webhook", "dev-stop5", Limit::StopIsSilent),
];

const DOORS: &[Door] = &[
    ("rabbitmq-3.10.8", "events", "rabbitmq", &[]),
    (
        "activemq-5.18.3",
        "events",
        "activemq",
        &[("broker_stop", "activemq", "dev-stop", Limit::StopIsSilent)],
    ),
    (
        "artemis-2.40.0",
        "events",
        "artemis",
        &[
            ("broker_stop", "artemis", "dev-stop", Limit::StopIsSilent),
            ("broker_stop", "artemis", "dev-stop5", Limit::StopIsSilent),
        ],
    ),
    (
        "nats-server-2.15.2",
        "events",
        "nats",
        &[("broker_stop", "nats", "dev-stop", Limit::StopIsSilent)],
    ),
    ("nanomq-0.25.5", "webhook", "nanomq-webhook", &NANOMQ_LIMITS),
    ("mochi-mqtt-2.7.9", "events", "mochi", &[]),
    ("moquette-0.17", "events", "moquette", &[]),
];

#[test]
fn every_step_shows_at_the_other_doors_but_for_known_limits() {
    for (run, door, voice, limits) in DOORS {
        let known: Differences = limits.iter().map(key).collect();
        assert_eq!(differences(run, door, voice), known, "{run}");
    }
}

/// What devices say of themselves at each of these brokers, and what that gets wrong beside [`LEFT_ONLINE`].
const STATUSES: &[(&str, &[Explained])] = &[
    (
        "aedes-1.2.0",
        &[
            ("tcp_fin", "status", "dev-fin", Limit::WillIsNotDelivered),
            ("tcp_rst", "status", "dev-rst", Limit::WillIsNotDelivered),
        ],
    ),
    (
        "nanomq-0.25.5",
        &[
            ("takeover", "status", "dev-dup", Limit::WillOfTheOldConnection),
            ("takeover_v5", "status", "dev-dup5", Limit::WillOfTheOldConnection),
            ("will_delay_v5", "status", "dev-wd5", Limit::NoBirthAfterTheWill),
        ],
    ),
    ("rabbitmq-3.10.8", &[]),
    ("activemq-5.18.3", &[]),
    ("artemis-2.40.0", &[("will_delay_v5", "status", "dev-wd5", Limit::NoBirthAfterTheWill)]),
    (
        "mochi-mqtt-2.7.9",
        &[
            ("takeover", "status", "dev-dup", Limit::WillOfTheOldConnection),
            ("takeover_v5", "status", "dev-dup5", Limit::WillOfTheOldConnection),
            ("will_delay_v5", "status", "dev-wd5", Limit::NoBirthAfterTheWill),
        ],
    ),
    ("moquette-0.17", &[("takeover", "status", "dev-dup", Limit::WillOfTheOldConnection)]),
    ("nats-server-2.15.2", &[]),
];

const LEFT_ONLINE: Explained =
    ("connect_disconnect_will", "status", "dev-willclean", Limit::GoodbyeSendsNoWill);

#[test]
fn every_step_shows_in_what_devices_say_of_themselves_but_for_known_limits() {
    for (run, limits) in STATUSES {
        let known: Differences = limits.iter().chain([&LEFT_ONLINE]).map(key).collect();
        assert_eq!(differences_over_mqtt(run, dialects(), &[], &["status"]), known, "{run}");
    }
}

/// Compares before every step, where what the step before caused has had time to arrive.
fn differences(run: &str, door: &str, voice: &'static str) -> Differences {
    let mut dialects = voice_alone(voice);
    let text = text_of(&format!("{run}.{door}.jsonl"));
    let mut lines = text.lines().zip(1..).peekable();
    let mut comparison = Comparison::default();
    let steps = steps(run);
    for (step, next) in steps.iter().zip(steps.iter().skip(1)) {
        comparison.truth.take_in(step);
        if next.ms - step.ms < SETTLED_MS {
            continue;
        }
        let is_in = |line: &str| arrival(line) < next.ms - SETTLED_MS / 2;
        while let Some((line, tie)) = lines.next_if(|(line, _)| is_in(line)) {
            let envelope =
                if claims(voice, line.as_bytes()) { None } else { envelope::open(line.as_bytes()) };
            let payload = envelope.as_ref().map_or(line.as_bytes(), |envelope| &envelope.body);
            let (topic, tag, qos, retain) = (ANYWHERE, None, 1, false);
            let received = Timestamp(arrival(line));
            let message = Message { topic, payload, tag, qos, retain, received, tie };
            let (_, reading) = dialects.read(&message);
            comparison.believed.take_in(voice, &reading);
        }
        comparison.compare(&step.stimulus, &[voice], &[voice]);
    }
    comparison.found
}

/// When a message came, as the client of the door noted it.
fn arrival(line: &str) -> i64 {
    #[derive(Deserialize)]
    struct Arrived {
        rx_ms: i64,
    }
    serde_json::from_str::<Arrived>(line).expect(line).rx_ms
}

/// Where nobody speaks but whom the user says.
pub const ANYWHERE: &str = "site/door";
