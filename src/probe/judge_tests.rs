use super::*;
use crate::probe::findings::Stamps;
use crate::probe::{Answer, Kept, OldEnd, Silence, TakenOver, Topic};
use EventKind::{Closed, Farewell, Opened};

const TOPICS: [(&str, &str); 3] =
    [("lmq", "$presence/#"), ("mosquitto", "$SYS/broker/log/#"), ("status", "devices/+/status")];

fn trial() -> Trial {
    let topic = |(dialect, filter): (&str, &str)| Topic {
        dialect: dialect.to_owned(),
        filter: filter.to_owned(),
        answer: Answer::Granted,
        qos: Some(1),
        reason: None,
        heard: 0,
        others: 0,
    };
    Trial {
        topics: TOPICS.map(topic).to_vec(),
        status_topic: "devices/{client}/status".to_owned(),
        ..Trial::default()
    }
}

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Trial {
    fn did(mut self, client: &str, deed: Deed, ms: u64) -> Self {
        let client = client.to_owned();
        self.done.push(Done { client, deed, at: at(ms), until: Duration::MAX });
        self
    }

    fn until(mut self, ms: u64) -> Self {
        self.done.last_mut().expect("something was done").until = at(ms);
        self
    }

    fn heard(mut self, dialect: &'static str, client: &str, kinds: &[EventKind], ms: u64) -> Self {
        self.reports.push(Report {
            dialect,
            filter: String::new(),
            client: client.to_owned(),
            kinds: kinds.to_vec(),
            is_take_over: false,
            is_strong: dialect == "lmq",
            resolution: Some(if dialect == "mosquitto" { 1_000 } else { 0 }),
            at: at(ms),
            qos: 1,
            retain: false,
        });
        self
    }

    /// A broker whose notices tell everything, and devices that keep a status.
    fn telling() -> Self {
        trial()
            .did("a", Deed::Connect, 100)
            .heard("lmq", "a", &[Opened], 103)
            .heard("status", "a", &[Opened], 105)
            .did("a", Deed::Disconnect, 1_000)
            .heard("lmq", "a", &[Farewell], 1_002)
            .heard("lmq", "a", &[Closed], 1_004)
            .did("b", Deed::Connect, 200)
            .heard("lmq", "b", &[Opened], 201)
            .heard("status", "b", &[Opened], 202)
            .did("b", Deed::Fin, 1_000)
            .heard("lmq", "b", &[Closed], 1_010)
            .heard("status", "b", &[Closed], 1_020)
    }
}

fn codes(findings: &Findings) -> Vec<&str> {
    findings.unknowable.iter().map(|limit| &*limit.code).collect()
}

fn refused(findings: &Findings) -> Vec<&str> {
    findings.refused.iter().map(|refusal| &*refusal.code).collect()
}

#[test]
fn a_deed_is_told_by_the_first_message_of_its_kind() {
    let findings = judge(&Trial::telling());

    let of = |dialect, deed| findings.of(dialect, deed).expect("it was done and listened for");
    let connect = of("lmq", Deed::Connect);
    assert_eq!((connect.done, connect.told, connect.messages), (2, 2, 2));
    assert_eq!((connect.median_ms, connect.max_ms), (Some(3.0), Some(3.0)));
    let goodbye = of("lmq", Deed::Disconnect);
    assert_eq!((goodbye.told, goodbye.messages, goodbye.median_ms), (1, 2, Some(2.0)));
    assert_eq!((of("lmq", Deed::Fin).told, of("lmq", Deed::Fin).max_ms), (1, Some(10.0)));
    let silent = of("status", Deed::Disconnect);
    assert_eq!((silent.done, silent.told, silent.median_ms, silent.qos), (1, 0, None, None));
    assert!(findings.of("lmq", Deed::Rst).is_none(), "that was not done");
}

#[test]
fn a_brokers_own_word_is_recommended_and_the_status_only_where_others_keep_one() {
    assert_eq!(judge(&Trial::telling()).recommended, ["lmq"]);
    let others =
        vec![Heard { dialect: "status", filter: "devices/+/status".to_owned(), messages: 7 }];
    assert_eq!(judge(&Trial { others, ..Trial::telling() }).recommended, ["lmq", "status"]);
    let mut alone = Trial::telling();
    alone.reports.retain(|report| report.dialect == "status");
    assert_eq!(judge(&alone).recommended, ["status"]);
}

#[test]
fn a_voice_that_tells_no_end_is_not_to_be_used() {
    let mut trial = Trial::telling();
    trial.reports.retain(|report| report.kinds == [Opened]);
    let findings = judge(&trial);

    assert!(findings.recommended.is_empty());
    assert_eq!(codes(&findings), ["anything"]);
}

#[test]
fn what_a_dialect_gives_is_seen_in_what_it_said() {
    let findings = judge(&Trial::telling());
    let voice = |name| findings.voice(name).expect("it was listened for");
    let seen = |name| {
        let voice = voice(name);
        (voice.names_connections, voice.tells_goodbye, voice.stamps)
    };
    assert_eq!(seen("lmq"), (Some(true), Some(true), Some(Stamps::Milliseconds)));
    assert_eq!(seen("status"), (Some(false), None, Some(Stamps::Arrival)));
    assert_eq!(seen("mosquitto"), (None, None, None));

    let log = trial()
        .did("a", Deed::Connect, 0)
        .heard("mosquitto", "a", &[Opened], 1)
        .did("a", Deed::Disconnect, 10)
        .heard("mosquitto", "a", &[Closed], 11)
        .did("b", Deed::Rst, 10)
        .heard("mosquitto", "b", &[Closed], 11);
    let findings = judge(&log);
    let voice = findings.voice("mosquitto").expect("it was listened for");
    assert_eq!((voice.tells_goodbye, voice.stamps), (Some(false), Some(Stamps::Seconds)));
    assert!(codes(&findings).contains(&"how"), "{:?}", codes(&findings));
}

#[test]
fn notices_that_tell_everything_leave_only_the_past_unknown() {
    let mut trial = Trial::telling()
        .did("c", Deed::Connect, 100)
        .heard("lmq", "c", &[Opened], 101)
        .did("c", Deed::Silence, 100)
        .heard("lmq", "c", &[Closed], 3_100);
    trial.keep_alive = 2;
    trial.silences = vec![Silence { client: "c".to_owned(), closed_after: Some(at(3_000)) }];
    let findings = judge(&trial);

    assert_eq!(codes(&findings), ["before"]);
    let silence = findings.silence.as_ref().expect("one fell silent");
    assert_eq!(
        (silence.noticed, silence.min_ms, silence.max_ms),
        (1, Some(3_000.0), Some(3_000.0))
    );
    assert!((silence.keep_alives(3_000.0) - 1.5).abs() < 1e-9);
    assert_eq!(findings.of("lmq", Deed::Silence).and_then(|one| one.max_ms), Some(3_000.0));
}

#[test]
fn silence_that_nobody_notices_or_nobody_tells_of_cannot_be_known() {
    let trial = Trial::telling().did("c", Deed::Silence, 100);
    let silent = |closed_after| {
        let silences = vec![Silence { client: "c".to_owned(), closed_after }];
        judge(&Trial { silences, keep_alive: 2, waited: at(16_000), ..trial.clone() })
    };
    for (closed_after, words) in
        [(None, "within 16 s of its last packet"), (Some(at(3_000)), "nobody tells of it")]
    {
        let findings = silent(closed_after);
        let limit = findings.unknowable.iter().find(|limit| limit.code == "silence");
        assert!(limit.is_some_and(|limit| limit.text.contains(words)), "{limit:?}");
    }
    let text = &judge(&Trial::telling()).unknowable[0].text;
    assert!(text.contains("left out"), "{text}");
}

/// A client that was taken over, and what its status topic said then.
fn taken_over(said: &[(EventKind, u64)]) -> Findings {
    let mut trial = Trial::telling()
        .did("t", Deed::Connect, 500)
        .until(1_000)
        .heard("status", "t", &[Opened], 501)
        .did("t", Deed::TakeOver, 1_000)
        .until(2_000);
    for (kind, ms) in said {
        trial = trial.heard("status", "t", &[*kind], *ms);
    }
    trial.take_overs = vec![TakenOver { client: "t".to_owned(), old: OldEnd::Closed }];
    trial.reports.retain(|report| report.dialect == "status");
    judge(&trial)
}

#[test]
fn the_last_word_after_a_take_over_should_be_the_birth() {
    for (said, wills, wrong) in [
        (&[(Closed, 1_001), (Opened, 1_002)][..], 1, 0),
        (&[(Opened, 1_001), (Closed, 1_002)], 1, 1),
        (&[(Opened, 1_001)], 0, 0),
        // What comes when the newer one has ended is about that.
        (&[(Opened, 1_001), (Closed, 2_000)], 0, 0),
    ] {
        let findings = taken_over(said);
        let take_over = findings.take_over.as_ref().expect("there was one");
        let seen = (take_over.old, take_over.wills, take_over.last_word_wrong);
        assert_eq!(seen, (OldEnd::Closed, Some(wills), Some(wrong)), "{said:?}");
        assert_eq!(codes(&findings).contains(&"last-word"), wrong > 0, "{said:?}");
        assert_eq!(codes(&findings).contains(&"take-over"), wills == 0, "{said:?}");
    }
}

#[test]
fn a_remark_is_enough_to_tell_of_a_take_over() {
    let mut trial = trial()
        .did("t", Deed::TakeOver, 1_000)
        .heard("mosquitto", "t", &[], 1_003)
        .heard("mosquitto", "t", &[Opened], 1_004);
    trial.reports[0].is_take_over = true;
    let findings = judge(&trial);

    let of = |deed| findings.of("mosquitto", deed).expect("it was done");
    assert_eq!((of(Deed::TakenOver).told, of(Deed::TakenOver).max_ms), (1, Some(3.0)));
    assert_eq!((of(Deed::TakeOver).told, of(Deed::TakeOver).messages), (1, 1));
}

#[test]
fn what_is_kept_for_those_who_come_later_decides_whether_the_past_is_known() {
    let mut trial = Trial::telling();
    trial.reports.retain(|report| report.dialect == "status");
    for (exact, wildcard, words) in [
        (2, Some(2), None),
        (2, None, None),
        (2, Some(0), Some("to the very topic only")),
        (0, Some(0), Some("not delivered later")),
    ] {
        trial.kept = Kept { due: 2, exact, flagged: exact, wildcard };
        let findings = judge(&trial);
        let limit = findings.unknowable.iter().find(|limit| limit.code == "before");
        match words {
            None => assert_eq!(limit, None),
            Some(words) => {
                assert!(limit.is_some_and(|limit| limit.text.contains(words)), "{limit:?}");
            }
        }
        assert_eq!(refused(&findings).contains(&"retain"), exact == 0);
    }
}

#[test]
fn a_voice_at_qos_0_may_lose_something() {
    let mut trial = Trial::telling();
    assert!(!codes(&judge(&trial)).contains(&"loss"));
    trial.reports[3].qos = 0;
    let findings = judge(&trial);
    assert!(codes(&findings).contains(&"loss"), "{:?}", codes(&findings));
}

#[test]
fn what_was_refused_is_told_with_what_to_do() {
    let mut trial = Trial::telling();
    trial.topics[0].answer = Answer::Refused;
    trial.topics[0].reason = Some("0x87, not authorized".to_owned());
    trial.topics[1].answer = Answer::Closed;
    trial.topics[2].heard = 4;
    let findings = judge(&trial);

    assert_eq!(refused(&findings), ["subscribe", "subscribe"]);
    assert!(findings.refused[0].text.contains("0x87, not authorized"), "{findings:?}");
    assert!(findings.refused[0].next.contains("`topic read $presence/#`"), "{findings:?}");
    assert!(findings.refused[1].next.contains("`topic read $SYS/broker/log/#`"), "{findings:?}");
}

#[test]
fn a_silent_log_is_a_matter_of_its_settings_at_mosquitto_only() {
    for (broker, expected) in [
        (None, &["log"][..]),
        (Some("mosquitto version 2.0.11"), &["log"]),
        (Some("presence 0.1.0"), &[]),
    ] {
        let broker = broker.map(str::to_owned);
        let findings = judge(&Trial { broker, ..Trial::telling() });
        assert_eq!(refused(&findings), expected);
    }
    let mut trial = Trial::telling();
    trial.topics[1].heard = 1;
    assert!(refused(&judge(&trial)).is_empty());
}

#[test]
fn births_and_wills_that_do_not_come_are_told_apart() {
    let status = |change: fn(&mut Trial)| {
        let mut trial = Trial::telling();
        trial.topics[1].heard = 1;
        change(&mut trial);
        let findings = judge(&trial);
        let refused = refused(&findings).iter().map(ToString::to_string).collect::<Vec<_>>();
        (refused, findings.refused.first().map_or(String::new(), |one| one.text.clone()))
    };
    let (codes, text) = status(|trial| trial.reports.retain(|one| one.dialect != "status"));
    assert_eq!(codes, ["status"], "{text}");
    let (codes, text) = status(|trial| {
        trial.reports.retain(|one| one.dialect != "status" || one.kinds == [Opened]);
    });
    assert_eq!(codes, ["will"], "{text}");
    let (codes, text) = status(|trial| trial.will_refused = Some("CONNACK 0x05".to_owned()));
    assert_eq!((codes, text.contains("CONNACK 0x05")), (vec!["will".to_owned()], true), "{text}");
    let (codes, text) = status(|trial| trial.publish_refused = Some("PUBACK 0x87".to_owned()));
    assert_eq!((codes, text.contains("PUBACK 0x87")), (vec!["publish".to_owned()], true), "{text}");
    let (codes, _) = status(|trial| trial.keeps_nothing = true);
    assert_eq!(codes, ["retain"]);
}

#[test]
fn when_others_are_to_be_noticed_follows_from_who_was() {
    let seen = |min_ms: f64, max_ms: f64| Silences {
        keepalive_s: 2,
        done: 3,
        noticed: 3,
        min_ms: Some(min_ms),
        median_ms: Some(max_ms),
        max_ms: Some(max_ms),
        waited_ms: 16_000.0,
    };
    for (silences, keep_alive, earliest, latest) in [
        // At once after one and a half keep alives: it grows with them.
        (seen(3_000.0, 3_000.0), 2, 3_000, 3_001),
        (seen(3_000.0, 3_000.0), 10, 15_000, 15_001),
        (seen(3_000.0, 3_000.0), 5, 7_000, 7_501),
        // Up to three keep alives.
        (seen(4_000.0, 6_000.0), 10, 15_000, 32_001),
        // Up to six seconds more, whatever the keep alive.
        (seen(3_500.0, 9_000.0), 1, 1_000, 12_501),
    ] {
        let expected = Some((at(earliest), at(latest)));
        assert_eq!(silences.window(keep_alive), expected, "{silences:?} {keep_alive}");
    }
    let never = Silences { min_ms: None, max_ms: None, noticed: 0, ..seen(0.0, 0.0) };
    assert_eq!(never.window(2), None);
}

#[test]
fn findings_can_be_kept_and_read_again() {
    let findings = judge(&Trial::telling());
    let kept = serde_json::to_string(&findings).expect("it is JSON");
    assert_eq!(serde_json::from_str::<Findings>(&kept).expect("it was just written"), findings);
}
