//! Stories of one device as its broker tells them.

use super::*;
use crate::simulate::plan::{Death, Life};
use crate::simulate::verify::findings::{Key, Naming, States};
use crate::simulate::verify::window::{PROMPT, Window};
use crate::simulate::verify::{Outstanding, Promise};
use crate::wire::Version;
use EventKind::{Closed, Farewell, Opened};

const LMQ: &str = "lmq";
const MOSQUITTO: &str = "mosquitto";
const STATUS: &str = "status";

const PLAIN: Promise = Promise {
    has_birth: true,
    will: Some(0),
    persistent: false,
    session_expiry: 0,
    version: Version::V311,
    is_half_open: false,
};

/// A device of version 5 whose will waits for 5 s and whose session for a minute.
const PATIENT: Promise =
    Promise { will: Some(5), persistent: true, session_expiry: 60, version: Version::V5, ..PLAIN };

const KEEP_ALIVE: u16 = 4;
/// What is expected of a silence: from 6 s on, up to 8.5 s.
const EXPECTED: &str = "mosquitto-2.1";

#[path = "end_tests.rs"]
mod end;
#[path = "will_tests.rs"]
mod will;

/// One device, `a`, and what happens to it. Times are in ms; its connections have the ports from 7000 on.
struct Story {
    verification: Verification,
    keep_alive: u16,
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn story(voices: &[&'static str], promise: Promise) -> Story {
    let terms = Terms {
        expectation: Expectation::parse(EXPECTED).expect("the test's own"),
        voices: voices.to_vec(),
        speaking: voices.to_vec(),
        promises: Promises::all(promise),
        begun: Duration::ZERO,
    };
    let clients = [(0, "a".to_owned())].into_iter();
    Story { verification: Verification::new(terms, clients), keep_alive: KEEP_ALIVE }
}

impl Story {
    fn deed(&mut self, connection: u32, at: u64, last_sent: u64, what: What) -> &mut Self {
        let (at, last_sent) = (ms(at), ms(last_sent));
        self.verification.deed(&Deed {
            device: 0,
            life: connection,
            connection,
            at,
            last_sent,
            what,
        });
        self
    }

    fn connect(&mut self, connection: u32, at: u64) -> &mut Self {
        let port = 7_000 + u16::try_from(connection).expect("the test's own");
        let what = What::Connected {
            local: Some(([127, 0, 0, 1], port).into()),
            session_present: false,
            took: Duration::ZERO,
            asked: ms(at),
            keep_alive: self.keep_alive,
        };
        self.deed(connection, at + 2, at + 1, what)
    }

    /// It dies, and what it sent last was a second before, unless it says goodbye.
    fn die(&mut self, connection: u32, at: u64, death: Death) -> &mut Self {
        let is_goodbye = matches!(death, Death::Disconnect | Death::DisconnectWith(_));
        let last_sent = if is_goodbye { at } else { at - 1_000 };
        self.deed(connection, at, last_sent, What::Died(death))
    }

    fn report(&mut self, report: &Report) -> &mut Self {
        self.verification.report(report);
        self
    }

    /// A notice of LMQ: by channel and address.
    fn lmq(&mut self, kind: EventKind, connection: u16, at: u64) -> &mut Self {
        let channel = Some(format!("channel-{connection}"));
        let address = format!("127.0.0.1:{}", 7_000 + connection);
        self.report(&Report { channel, address, ..report(LMQ, kind, at) })
    }

    /// A line of the log: the address in the beginning only.
    fn log(&mut self, kind: EventKind, connection: u16, at: u64) -> &mut Self {
        let address = format!("127.0.0.1:{}", 7_000 + connection);
        let address = if kind == EventKind::Opened { address } else { String::new() };
        self.report(&Report { address, ..report(MOSQUITTO, kind, at) })
    }

    fn status(&mut self, kind: EventKind, at: u64) -> &mut Self {
        self.report(&report(STATUS, kind, at))
    }

    fn findings(&self) -> Findings {
        self.verification.judge(ms(1_000_000))
    }

    /// What became of each deed, in all voices: `act outcome`, duplicates, false offlines and strays.
    fn told(&self) -> Vec<String> {
        self.told_at(1_000_000)
    }

    fn told_at(&self, now: u64) -> Vec<String> {
        let findings = self.verification.judge(ms(now));
        let mut told = Vec::new();
        for (Key { act, .. }, row) in &findings.rows {
            let act = match act {
                Act::Died(death) => death.word().into_owned(),
                other => format!("{other:?}"),
            };
            for (outcome, count) in &row.outcomes {
                told.extend((0..*count).map(|_| format!("{act} {outcome:?}")));
            }
            told.extend((0..row.duplicates).map(|_| format!("{act} again")));
        }
        for voice in findings.voices.values() {
            told.extend((0..voice.false_offline).map(|_| "false offline".to_owned()));
            told.extend((0..voice.strays).map(|_| "stray".to_owned()));
        }
        told
    }
}

fn report(voice: &'static str, kind: EventKind, at: u64) -> Report {
    Report {
        client: "a".into(),
        voice,
        kind,
        channel: None,
        address: String::new(),
        stamped: None,
        arrived: ms(at),
        standing: false,
    }
}

#[test]
fn a_life_that_is_told_as_it_was_is_reported_with_its_delay() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::Silence);
    story.lmq(Opened, 0, 1_005).lmq(Closed, 0, 15_000);
    assert_eq!(story.told(), ["Connect Reported", "silence Reported"]);
    let findings = story.findings();
    assert!(findings.is_verified());
    let silence = Window { earliest: ms(6_000), latest: ms(8_500) };
    let rows: Vec<_> = findings.rows.iter().map(|(key, row)| (key.act, key.window, row)).collect();
    // The silence counts from the last packet, a second before it.
    for ((act, window, row), (expected, within, delay_us)) in rows
        .into_iter()
        .zip([(Act::Connect, PROMPT, 5_000), (Act::Died(Death::Silence), silence, 7_000_000)])
    {
        assert_eq!((act, window), (expected, Some(within)));
        assert_eq!((row.delays_us.len(), row.delays_us.count_at(delay_us)), (1, 1), "{act:?}");
    }
    assert_eq!(findings.voices[LMQ].reports, 2);
    assert_eq!(findings.voices[LMQ].names, Naming::Address);
}

#[test]
fn a_silence_is_early_or_late_by_the_keep_alive_that_was_agreed_on() {
    for (keep_alive, at, expected) in [
        (4, 13_999, "silence Early"),
        (4, 14_000, "silence Reported"),
        (4, 16_500, "silence Reported"),
        (4, 16_501, "silence Late"),
        (6, 16_501, "silence Early"),
    ] {
        let mut story = story(&[LMQ], PLAIN);
        story.keep_alive = keep_alive;
        story.connect(0, 1_000).die(0, 9_000, Death::Silence);
        story.lmq(Opened, 0, 1_005).lmq(Closed, 0, at);
        assert_eq!(story.told(), ["Connect Reported", expected], "{keep_alive} s, {at}");
    }
}

#[test]
fn what_is_seen_at_once_is_late_after_a_second() {
    for death in [Death::Disconnect, Death::Fin, Death::Rst, Death::TlsCut] {
        for (at, outcome) in [(10_000, "Reported"), (10_001, "Late")] {
            let mut story = story(&[LMQ], PLAIN);
            story.connect(0, 1_000).die(0, 9_000, death);
            story.lmq(Opened, 0, 1_005).lmq(Closed, 0, at);
            if death == Death::Disconnect {
                story.lmq(Farewell, 0, at);
            }
            let expected = format!("{} {outcome}", death.word());
            assert_eq!(story.told(), ["Connect Reported".to_owned(), expected]);
        }
    }
}

#[test]
fn a_beginning_is_late_from_its_acceptance_on() {
    for (at, expected) in
        [(999, "Early"), (1_000, "Reported"), (2_002, "Reported"), (2_003, "Late")]
    {
        let mut story = story(&[LMQ], PLAIN);
        story.connect(0, 1_000).lmq(Opened, 0, at);
        assert_eq!(story.told(), [format!("Connect {expected}")]);
    }
}

#[test]
fn a_goodbye_told_as_a_loss_is_of_the_wrong_kind_and_so_is_the_reverse() {
    for (death, farewell, expected) in [
        (Death::Disconnect, true, "disconnect Reported"),
        (Death::Disconnect, false, "disconnect WrongKind"),
        (Death::Rst, false, "rst Reported"),
        (Death::Rst, true, "rst WrongKind"),
    ] {
        let mut story = story(&[LMQ], PLAIN);
        story.connect(0, 1_000).die(0, 9_000, death).lmq(Opened, 0, 1_005).lmq(Closed, 0, 9_010);
        if farewell {
            story.lmq(Farewell, 0, 9_005);
        }
        assert_eq!(story.told(), ["Connect Reported", expected]);
    }
}

#[test]
fn a_missing_report_is_missed_and_one_too_many_a_duplicate() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::Fin).connect(1, 20_000).die(1, 30_000, Death::Rst);
    story.lmq(Opened, 0, 1_005).lmq(Opened, 1, 20_005).lmq(Opened, 1, 20_006);
    story.lmq(Closed, 1, 30_005).lmq(Closed, 1, 40_000);
    let expected = [
        "Connect Reported",
        "Connect Reported",
        "Connect again",
        "fin Missed",
        "rst Reported",
        "rst again",
    ];
    assert_eq!(story.told(), expected);
    let findings = story.findings();
    assert!(!findings.is_verified());
    assert_eq!(findings.faults_total, 3);
    let faults: Vec<_> = findings.faults.iter().map(|f| (f.at, f.connection, f.what)).collect();
    assert_eq!(
        faults,
        [
            (ms(9_000), 0, Wrong::Told(Act::Died(Death::Fin), Outcome::Missed)),
            (ms(20_006), 1, Wrong::Duplicate(Act::Connect)),
            (ms(40_000), 1, Wrong::Duplicate(Act::Died(Death::Rst))),
        ]
    );
    assert_eq!(findings.faults[0].client, "a");
}

#[test]
fn an_end_told_of_an_open_connection_is_a_false_offline() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).lmq(Opened, 0, 1_005).lmq(Closed, 0, 5_000);
    assert_eq!(story.told(), ["Connect Reported", "false offline"]);
    // The right end comes as well.
    story.die(0, 9_000, Death::Fin).lmq(Closed, 0, 9_005);
    assert_eq!(story.told(), ["Connect Reported", "fin Reported", "false offline"]);
}

#[test]
fn an_end_told_only_before_it_came_is_early_and_false() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::Fin).lmq(Opened, 0, 1_005).lmq(Closed, 0, 1_006);
    assert_eq!(story.told(), ["Connect Reported", "fin Early", "false offline"]);
}

#[test]
fn an_end_told_before_its_beginning_is_in_the_wrong_order() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).die(0, 1_200, Death::Fin).lmq(Closed, 0, 1_300).lmq(Opened, 0, 1_400);
    assert_eq!(story.told(), ["Connect Reported", "fin WrongOrder"]);
}

#[test]
fn the_late_end_of_an_older_connection_is_no_end_of_the_newer() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).lmq(Opened, 0, 1_005);
    story.die(0, 9_000, Death::TakeOver).connect(1, 9_000);
    story.lmq(Opened, 1, 9_005).lmq(Closed, 0, 9_900);
    assert_eq!(story.told(), ["Connect Reported", "Connect Reported", "takeover Reported"]);
}

#[test]
fn a_report_of_a_connection_that_is_none_of_ours_is_a_stray() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).lmq(Opened, 0, 1_005).lmq(Opened, 9, 2_000).lmq(Closed, 9, 3_000);
    assert_eq!(story.told(), ["Connect Reported", "stray", "stray"]);
    // A connection that failed for us may have come about for the broker.
    let reason = "timed out".to_owned();
    story.deed(1, 4_000, 2_000, What::Failed { reason, is_refusal: false });
    assert_eq!(story.told(), ["Connect Reported"]);
}

#[test]
fn reports_may_come_before_their_deeds() {
    let mut story = story(&[LMQ], PLAIN);
    story.lmq(Opened, 0, 1_001).lmq(Closed, 0, 8_900);
    story.connect(0, 1_000).die(0, 9_000, Death::Fin);
    assert_eq!(story.told(), ["Connect Reported", "fin Reported"]);
}

#[test]
fn a_port_that_comes_back_is_another_connection() {
    let mut story = story(&[LMQ], PLAIN);
    for (connection, at) in [(0, 1_000), (1, 20_000)] {
        let what = What::Connected {
            local: Some(([127, 0, 0, 1], 7_000).into()),
            session_present: false,
            took: Duration::ZERO,
            asked: ms(at),
            keep_alive: 4,
        };
        story.deed(connection, at + 2, at, what).die(connection, at + 5_000, Death::Fin);
        let channel = Some(format!("channel-{connection}"));
        let address = "127.0.0.1:7000".to_owned();
        let opened = Report { channel, address, ..report(LMQ, Opened, at + 5) };
        let closed = Report { kind: Closed, arrived: ms(at + 5_010), ..opened.clone() };
        story.report(&opened).report(&closed);
    }
    let expected = ["Connect Reported", "Connect Reported", "fin Reported", "fin Reported"];
    assert_eq!(story.told(), expected);
}

#[test]
fn behind_a_router_channels_tell_what_addresses_do_not() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::TakeOver).connect(1, 9_000).die(
        1,
        12_000,
        Death::Fin,
    );
    for (kind, channel, at) in
        [(Opened, "x", 1_010), (Opened, "y", 9_010), (Closed, "x", 9_020), (Closed, "y", 12_010)]
    {
        let (channel, address) = (Some(channel.to_owned()), "192.0.2.7:40000".to_owned());
        story.report(&Report { channel, address, ..report(LMQ, kind, at) });
    }
    let expected = ["Connect Reported", "Connect Reported", "fin Reported", "takeover Reported"];
    assert_eq!(story.told(), expected);
    assert_eq!(story.findings().voices[LMQ].names, Naming::Channel);
}

#[test]
fn a_client_that_comes_back_takes_its_silent_connection_over() {
    // Before the silence can be noticed, and while it may be.
    for (back, closed) in [(10_000, 10_010), (15_000, 14_500), (15_000, 15_010)] {
        let mut story = story(&[LMQ], PLAIN);
        story.connect(0, 1_000).die(0, 9_000, Death::NatDrop).connect(1, back);
        story.lmq(Opened, 0, 1_005).lmq(Closed, 0, closed).lmq(Opened, 1, back + 5);
        let expected = ["Connect Reported", "Connect Reported", "nat-drop Reported"];
        assert_eq!(story.told(), expected, "{back}");
    }
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::NatDrop).connect(1, 10_000);
    story.lmq(Opened, 0, 1_005).lmq(Closed, 0, 14_000).lmq(Opened, 1, 10_005);
    assert_eq!(story.told(), ["Connect Reported", "Connect Reported", "nat-drop Late"]);
}

#[test]
fn without_a_keep_alive_a_silence_is_never_due() {
    let mut story = story(&[LMQ], PLAIN);
    story.keep_alive = 0;
    story.connect(0, 1_000).die(0, 9_000, Death::Silence).lmq(Opened, 0, 1_005);
    assert_eq!(story.told(), ["Connect Reported", "silence NotObservable"]);
    assert_eq!(story.verification.outstanding(ms(10_000), Duration::ZERO), Outstanding::default());
    story.connect(1, 50_000).lmq(Opened, 1, 50_005).lmq(Closed, 0, 50_005);
    assert_eq!(story.told(), ["Connect Reported", "Connect Reported", "silence Reported"]);
}

#[test]
fn one_that_gave_up_has_closed_unless_nothing_passes() {
    let mut story = story(&[LMQ], PLAIN);
    story.connect(0, 1_000).deed(0, 9_000, 5_000, What::GaveUp);
    story.lmq(Opened, 0, 1_005).lmq(Closed, 0, 9_005);
    assert_eq!(story.told(), ["Connect Reported", "GaveUp Reported"]);
    let mut story = self::story(&[LMQ], Promise { is_half_open: true, ..PLAIN });
    story.connect(0, 1_000).lmq(Opened, 0, 1_005).lmq(Closed, 0, 7_500);
    assert_eq!(story.told(), ["Connect Reported"], "it may be told before the device gives up");
    story.deed(0, 9_000, 8_900, What::GaveUp);
    assert_eq!(story.told(), ["Connect Reported", "GaveUp Reported"]);
}

#[test]
fn a_loss_after_a_long_silence_was_due_and_any_other_is_nobodys_fault() {
    for (last_sent, closed, expected) in [
        (9_000, None, "Lost NotObservable"),
        (9_000, Some(9_900), "Lost Reported"),
        (3_000, Some(9_900), "Lost Reported"),
        (3_000, Some(8_900), "Lost Early"),
        (3_000, None, "Lost Missed"),
    ] {
        let mut story = story(&[LMQ], PLAIN);
        let reason = "closed".to_owned();
        story.connect(0, 1_000).deed(0, 10_000, last_sent, What::Lost { reason });
        story.lmq(Opened, 0, 1_005);
        if let Some(closed) = closed {
            story.lmq(Closed, 0, closed);
        }
        assert_eq!(story.told(), ["Connect Reported", expected], "{last_sent} {closed:?}");
    }
}

#[test]
fn a_log_names_no_connection_at_the_end_and_tells_no_takeover() {
    let mut story = story(&[MOSQUITTO], PLAIN);
    story.connect(0, 1_000).die(0, 5_000, Death::TakeOver).connect(1, 5_000);
    story.die(1, 5_600, Death::Rst).connect(2, 8_000).die(2, 9_000, Death::Disconnect);
    story.connect(3, 12_000).die(3, 14_000, Death::Silence);
    for (connection, at) in [(0, 1_005), (1, 5_005), (2, 8_005), (3, 12_005)] {
        story.log(Opened, connection, at);
    }
    story
        .log(Closed, 1, 5_605)
        .log(Farewell, 2, 9_005)
        .log(Closed, 2, 9_005)
        .log(Closed, 3, 20_000);
    assert_eq!(
        story.told(),
        [
            "Connect Reported",
            "Connect Reported",
            "Connect Reported",
            "Connect Reported",
            "disconnect Reported",
            "rst Reported",
            "silence Reported",
            "takeover NotObservable",
        ]
    );
    assert_eq!(story.findings().voices[MOSQUITTO].names, Naming::Order);
}

#[test]
fn a_log_may_name_the_address_at_the_end() {
    let mut story = story(&[MOSQUITTO], PLAIN);
    story.connect(0, 1_000).die(0, 9_000, Death::Fin).log(Opened, 0, 1_005);
    let address = "127.0.0.1:7000".to_owned();
    story.report(&Report { address, ..report(MOSQUITTO, Closed, 9_005) });
    assert_eq!(story.told(), ["Connect Reported", "fin Reported"]);
    assert_eq!(story.findings().voices[MOSQUITTO].names, Naming::Address);
}

#[test]
fn a_log_without_names_finds_what_is_wrong_by_time() {
    // A false end, one of the wrong kind, one that is missed, one that comes twice, one that is late.
    let mut story = story(&[MOSQUITTO], PLAIN);
    for (connection, at, death) in [
        (0, 10_000, Death::Fin),
        (1, 20_000, Death::Fin),
        (2, 30_000, Death::Fin),
        (3, 40_000, Death::Fin),
        (4, 50_000, Death::Rst),
    ] {
        story.connect(connection, at).die(connection, at + 6_000, death);
        story.log(Opened, u16::try_from(connection).expect("the test's own"), at + 5);
    }
    story.log(Closed, 0, 12_000).log(Closed, 0, 16_010);
    story.log(Farewell, 1, 26_010).log(Closed, 1, 26_010);
    story.log(Closed, 3, 46_010).log(Closed, 3, 47_500);
    story.log(Closed, 4, 58_000);
    let told = story.told();
    let told: Vec<_> = told.iter().filter(|told| *told != "Connect Reported").collect();
    let expected = [
        "fin Reported",
        "fin Reported",
        "fin WrongKind",
        "fin Missed",
        "fin again",
        "rst Late",
        "false offline",
    ];
    assert_eq!(told, expected);
}
