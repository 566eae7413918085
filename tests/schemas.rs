//! What `--json` prints, what a recording holds and what a store exports is what `schemas/` says; and
//! the schemas say enough to be broken.

#[path = "support/schema.rs"]
mod schema;

use jsonschema::Validator;
use presence::disorder::{Tally, Terms};
use presence::event::Timestamp;
use presence::output::acted::{Commands, Held, Posts};
use presence::output::finding::{FindingObject, LagObject};
use presence::output::object::{Altered, ChangeObject, Summary, WatchSummary};
use presence::output::probe::{ProbeKind, ProbeObject};
use presence::output::published::Published;
use presence::probe::judge::judge;
use presence::probe::step::{End, Kind, Step};
use presence::probe::{Answer, Deed, Done, OldEnd, Silence, TakenOver, Topic, Trial};
use presence::publish::courier::Report;
use presence::publish::outbox::Outbox;
use presence::publish::schedule::Skipped;
use presence::state::diagnosis::{
    Code, Crowd, Factor, FactorKind, Finding, Lag, Offset, Outage, Phase, Sharing, What,
};
use presence::state::presence::{Cause, Change};
use presence::state::verdict::{Blind, How, LastKnown, Status, Verdict};
use presence::wire::Version;
use schema::{assert_valid, schema};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;

const NIGHT: &str = "docs/examples/night.jsonl";
const NOTICES: &str = "docs/examples/notices.jsonl";
const LOG: &str = "tests/fixtures/dialects/mosquitto-2.1.log";

#[test]
fn replay_prints_verdicts_and_a_summary() {
    for (files, lines_min) in [(vec![NIGHT], 12), (vec![NOTICES], 5), (vec![LOG, NIGHT], 20)] {
        let printed = lines(&run(&[&["replay", "--json"], &files[..]].concat()));
        let (summary, verdicts) = printed.split_last().expect("there is a summary");
        assert!(printed.len() >= lines_min, "{files:?}");
        assert_valid(&schema("verdict"), verdicts);
        assert_valid(&schema("summary"), std::slice::from_ref(summary));
    }
}

#[test]
fn every_dialect_is_told() {
    let schema = schema("dialect");
    let told = lines(&run(&["dialects", "--json"]));
    assert_eq!(told.len(), presence::dialect::terms::Terms::names().count());
    assert_valid(&schema, &told);
    for field in told[0].as_object().expect("it is an object").keys() {
        let mut broken = told[0].clone();
        broken.as_object_mut().expect("it is an object").remove(field);
        assert!(!schema.is_valid(&broken), "without `{field}`");
    }
    let one = lines(&run(&["dialects", "--json", "emqx", "lmq"]));
    let names: Vec<&Value> = one.iter().map(|dialect| &dialect["name"]).collect();
    assert_eq!(names, ["emqx", "lmq"]);
}

#[test]
fn every_message_of_a_sample_is_told() {
    let files = ["docs/examples/acme.toml", "docs/examples/acme.jsonl"];
    let home = TempDir::new().expect("a temporary folder can be made");
    let output = presence(&[&["dialects", "test", "--json"], &files[..]].concat(), home.path());
    assert_eq!(output.status.code(), Some(1), "one of them is malformed");
    let printed = lines(&output);
    let (sums, readings) = printed.split_last().expect("there are sums");
    assert_eq!(readings.len(), 7);
    assert_valid(&schema("readings"), std::slice::from_ref(sums));
    let schema = schema("reading");
    assert_valid(&schema, readings);
    for field in readings[0].as_object().expect("it is an object").keys() {
        let mut broken = readings[0].clone();
        broken.as_object_mut().expect("it is an object").remove(field);
        assert!(!schema.is_valid(&broken), "without `{field}`");
    }
    for (at, field, value) in [
        (0, "reason", json!("unreadable")),
        (5, "reason", json!(null)),
        (6, "remark", json!("removed")),
    ] {
        let mut broken = readings[at].clone();
        broken[field] = value;
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

#[test]
fn replay_prints_changes_and_a_summary() {
    for file in [NIGHT, NOTICES, LOG] {
        let printed = lines(&run(&["replay", "--json", "--changes", file]));
        let (summary, changes) = printed.split_last().expect("there is a summary");
        assert_valid(&schema("change"), changes);
        assert_valid(&schema("summary"), std::slice::from_ref(summary));
    }
}

#[test]
fn replay_prints_spells_and_a_summary() {
    let schema = schema("spell");
    for client in ["lamp-5", "dryer-10", "GID_plant@@@press-7"] {
        let printed = lines(&run(&["replay", "--json", "--timeline", client, NIGHT]));
        let (_, spells) = printed.split_last().expect("there is a summary");
        assert_valid(&schema, spells);
        for field in spells[0].as_object().expect("it is an object").keys() {
            let mut broken = spells[0].clone();
            broken.as_object_mut().expect("it is an object").remove(field);
            assert!(!schema.is_valid(&broken), "without `{field}`");
        }
        for (field, value) in
            [("state", json!("closing")), ("reason", json!(null)), ("how", json!("abrupt"))]
        {
            let mut broken = spells[0].clone();
            broken[field] = value;
            assert!(!schema.is_valid(&broken), "{broken}");
        }
    }
}

#[test]
fn replay_prints_uptimes_and_a_summary() {
    let schema = schema("uptime");
    for file in [NIGHT, NOTICES, LOG] {
        let printed = lines(&run(&["replay", "--json", "--uptime", file]));
        let (_, uptimes) = printed.split_last().expect("there is a summary");
        assert_valid(&schema, uptimes);
        for field in uptimes[0].as_object().expect("it is an object").keys() {
            let mut broken = uptimes[0].clone();
            broken.as_object_mut().expect("it is an object").remove(field);
            assert!(!schema.is_valid(&broken), "without `{field}`");
        }
        for (field, value) in
            [("availability", json!(1.1)), ("up_ms", json!(-1)), ("known", json!("all"))]
        {
            let mut broken = uptimes[0].clone();
            broken[field] = value;
            assert!(!schema.is_valid(&broken), "{broken}");
        }
    }
}

#[test]
fn replay_prints_pieces_of_time_and_the_peak() {
    let schema = schema("concurrency");
    let printed = lines(&run(&["replay", "--json", "--concurrency", NIGHT]));
    let (_, printed) = printed.split_last().expect("there is a summary");
    assert_valid(&schema, printed);
    assert_eq!(types(printed), ["concurrency", "peak"]);
    for whole in [&printed[0], printed.last().expect("there is a peak")] {
        for field in whole.as_object().expect("it is an object").keys() {
            let mut broken = whole.clone();
            broken.as_object_mut().expect("it is an object").remove(field);
            assert!(!schema.is_valid(&broken), "without `{field}`");
        }
        let mut broken = whole.clone();
        broken["online"] = json!(-0.5);
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

#[test]
fn replay_prints_anomalies_and_a_summary() {
    let schema = schema("anomaly");
    let printed = lines(&run(&["replay", "--json", "--anomalies", NIGHT]));
    let (_, anomalies) = printed.split_last().expect("there is a summary");
    assert_valid(&schema, anomalies);
    for field in anomalies[0].as_object().expect("it is an object").keys() {
        let mut broken = anomalies[0].clone();
        broken.as_object_mut().expect("it is an object").remove(field);
        assert!(!schema.is_valid(&broken), "without `{field}`");
    }
    for (field, value) in [("clients", json!(0)), ("examples", json!([]))] {
        let mut broken = anomalies[0].clone();
        broken[field] = value;
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

#[test]
fn replay_prints_what_rules_would_have_believed() {
    let schema = schema("what-if");
    for file in [NIGHT, NOTICES, LOG] {
        let rules = "last-event-wins,vendor-sample,counter,debounce=5s";
        let printed = lines(&run(&["replay", "--json", "--what-if", rules, file]));
        let (_, printed) = printed.split_last().expect("there is a summary");
        assert_valid(&schema, printed);
        for whole in printed {
            miss_each_field(&schema, whole);
        }
    }
    let printed = lines(&run(&["replay", "--json", "--what-if", "last-event-wins", NIGHT]));
    let fooled = printed.iter().find(|object| object["example"].is_object()).expect("one was");
    for (field, value) in [
        ("right_ms", json!(-1)),
        ("fooled", json!({ "bad-luck": 1 })),
        ("example", json!({ "client": "a" })),
    ] {
        let mut broken = fooled.clone();
        broken[field] = value;
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

#[test]
fn replay_prints_graces_and_an_advice() {
    let schema = schema("advice");
    let printed = lines(&run(&["replay", "--json", "--debounce-advisor", NIGHT]));
    let (_, printed) = printed.split_last().expect("there is a summary");
    assert_valid(&schema, printed);
    assert_eq!(types(printed), ["advice", "grace"]);
    for whole in [&printed[0], printed.last().expect("there is an advice")] {
        miss_each_field(&schema, whole);
    }
    let mut broken = printed.last().expect("there is an advice").clone();
    broken["advice"] = json!("pray");
    assert!(!schema.is_valid(&broken), "{broken}");
}

#[test]
fn a_summary_tells_what_was_done_to_the_stream() {
    let printed = lines(&run(&["replay", "--json", "--drop", "5%", "--seed", "1", NIGHT]));
    let summary = printed.last().expect("there is a summary");
    assert_valid(&schema("summary"), std::slice::from_ref(summary));
    let mut broken = summary.clone();
    broken["altered"].as_object_mut().expect("it is an object").remove("dropped");
    assert!(!schema("summary").is_valid(&broken), "{broken}");
}

#[test]
fn what_was_published_is_described() {
    let mut tally = Outbox::new(Version::V5, None).close();
    let terms = Terms { seed: 7, ..Terms::default() };
    for altered in [None, Some(Altered::new(&terms, &Tally::default()))] {
        let (took, reconnects, was_interrupted) = (Duration::from_millis(1_500), 1, false);
        let report = Report { tally: tally.clone(), took, reconnects, was_interrupted };
        let skipped = Skipped::default();
        let (broker, left_out, not_chosen, rounds) = ("mqtt://localhost:1883", 2, 3, 1);
        let report = &report;
        let published =
            Published { broker, report, skipped, left_out, not_chosen, rounds, altered };
        let object = serde_json::to_value(published.object()).expect("it is JSON");
        let schema = schema("published");
        assert_valid(&schema, std::slice::from_ref(&object));
        if altered.is_none() {
            miss_each_field(&schema, &object);
        }
        let late = if altered.is_some() { json!("soon") } else { json!(-0.5) };
        let mut broken = object;
        broken["late_max_ms"] = late;
        assert!(!schema.is_valid(&broken), "{broken}");
        tally.lateness.saturating_record(1_500);
    }
}

#[test]
fn what_a_probe_finds_is_described() {
    let schema = schema("probe");
    let step = Step {
        kind: Kind::Subscribe,
        end: End::Partly,
        took: Duration::from_micros(1_500),
        detail: "1 of 3 granted".into(),
    };
    let topic = Topic {
        dialect: "lmq".into(),
        filter: "$presence/#".into(),
        answer: Answer::Refused,
        qos: None,
        reason: Some("0x87, not authorized".into()),
        heard: 0,
        others: 0,
    };
    let done = |deed| Done { client: "a".into(), deed, at: Duration::ZERO, until: Duration::MAX };
    let trial = Trial {
        topics: vec![topic],
        done: [Deed::Connect, Deed::TakeOver, Deed::Silence].map(done).to_vec(),
        silences: vec![Silence { client: "a".into(), closed_after: Some(Duration::from_secs(3)) }],
        take_overs: vec![TakenOver { client: "a".into(), old: OldEnd::LeftOpen }],
        keep_alive: 2,
        ..Trial::default()
    };
    let findings = judge(&trial);
    let steps = [step];
    let object = |findings| ProbeObject {
        kind: ProbeKind::Probe,
        instance: "localhost:1883",
        mqtt_version: "5",
        preflight: steps.iter().map(Into::into).collect(),
        findings,
        left: &[],
    };
    for findings in [Some(&findings), None] {
        let object = serde_json::to_value(object(findings)).expect("it is JSON");
        assert_valid(&schema, std::slice::from_ref(&object));
        miss_each_field(&schema, &object);
    }
    let whole = serde_json::to_value(object(Some(&findings))).expect("it is JSON");
    for part in
        ["", "/silence", "/take_over", "/retained", "/topics/0", "/evidence/0", "/dialects/0"]
    {
        let at = format!("/findings{part}");
        let fields = whole.pointer(&at).and_then(Value::as_object).expect("it is an object");
        for field in fields.keys() {
            let mut broken = whole.clone();
            let holder = broken.pointer_mut(&at).and_then(Value::as_object_mut);
            holder.expect("it is an object").remove(field);
            assert!(!schema.is_valid(&broken), "{at} without `{field}`");
        }
    }
    for (at, value) in [
        ("/preflight/0/end", json!("well")),
        ("/findings/evidence/0/deed", json!("vanish")),
        ("/findings/silence/noticed", json!(-1)),
        ("/findings/take_over/old", json!("lost")),
    ] {
        let mut broken = whole.clone();
        *broken.pointer_mut(at).expect("it is there") = value;
        assert!(!schema.is_valid(&broken), "{at}");
    }
}

#[track_caller]
fn miss_each_field(schema: &Validator, whole: &Value) {
    for field in whole.as_object().expect("it is an object").keys() {
        let mut broken = whole.clone();
        broken.as_object_mut().expect("it is an object").remove(field);
        assert!(!schema.is_valid(&broken), "without `{field}`");
    }
}

#[test]
fn a_moment_is_told_with_its_hindsight() {
    let schema = schema("verdict");
    let printed = lines(&run(&["replay", "--json", "--at", "2026-11-24T14:41:30Z", NIGHT]));
    let (_, verdicts) = printed.split_last().expect("there is a summary");
    assert_valid(&schema, verdicts);
    for verdict in verdicts {
        assert!(verdict["now_known"].is_object(), "{verdict}");
        let mut broken = verdict.clone();
        broken["now_known"]["state"] = json!("away");
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

#[test]
fn a_recording_holds_lines_of_known_types() {
    let lines = lines_of(&std::fs::read(root().join(NIGHT)).expect("it is there"));
    assert_valid(&schema("recording"), &lines);
    assert_eq!(types(&lines), ["client", "judged", "message", "recording", "source"]);
}

#[test]
fn a_plan_is_a_head_and_its_lives() {
    let words = ["simulate", "--plan", "--json", "--count", "3", "--return-after", "1s"];
    let deaths = ["--deaths", "fin=40,rst=30,silence=30"];
    let printed = lines(&run(&[&words[..], &deaths].concat()));
    assert_valid(&schema("plan"), &printed);
    assert_eq!(types(&printed), ["life", "plan"]);
    assert_eq!(printed[0]["lives"], json!(printed.len() - 1));
    let shard = ["--shard", "2/2", "--seed", "7", "--run", "r"];
    let scenario = ["simulate", "--plan", "--json", "--scenario", "every-death"];
    assert_valid(&schema("plan"), &lines(&run(&[&scenario[..], &shard].concat())));
    let schema = schema("plan");
    for (field, value) in [("death", json!("crash")), ("begin_ms", json!(-1)), ("type", json!("x"))]
    {
        let mut broken = printed[1].clone();
        broken[field] = value;
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

#[test]
fn an_export_is_made_of_lines_of_a_recording() {
    let store = Stored::new();
    let exported = lines(&store.run(&["store", "export"]));
    assert_valid(&schema("recording"), &exported);
    assert_eq!(types(&exported), ["client", "restart", "source"]);
    let known = lines(&store.run(&["store", "info", "--json"]));
    assert_valid(&schema("store"), &known);
    assert_eq!(known.len(), 2);
}

#[test]
fn a_configuration_is_a_setting_for_each_option() {
    let printed = lines(&run(&["watch", "--print-config", "--json", "--client", "a"]));
    assert_valid(&schema("setting"), &printed);
    assert_eq!(types(&printed), ["setting"]);
    assert!(printed.len() > 30, "{}", printed.len());
    let mut broken = printed[0].clone();
    broken["origin"] = json!("luck");
    assert!(!schema("setting").is_valid(&broken));
}

#[test]
fn check_prints_a_verdict_with_its_evidence() {
    let store = Stored::new();
    // Known; known to another broker only; known to nobody.
    let ids = ["check", "pump-1", "dev-ka", "nobody", "--evidence", "store", "--json"];
    let output = store.run(&[&ids[..], &["-b", "broker.example:1883"]].concat());
    assert_eq!(output.status.code(), Some(3), "nobody listens");
    let printed = lines(&output);
    assert_valid(&schema("check"), &printed);
    assert_valid(&schema("verdict"), &printed);
    assert_eq!(printed[0]["evidence"].as_array().map(Vec::len), Some(2));
    assert_eq!(printed[1]["elsewhere"], json!(["other:1883"]));
}

#[test]
fn a_change_is_described_whatever_brought_it_about() {
    let schema = schema("change");
    let causes = [
        Cause::Connect,
        Cause::Disconnect,
        Cause::Tcpclean,
        Cause::Seen,
        Cause::Restart,
        Cause::Grace,
        Cause::Answer,
        Cause::Gap,
        Cause::Covered,
    ];
    for cause in causes {
        for (from, to) in Status::ALL.into_iter().zip(Status::ALL.into_iter().rev()) {
            let at = Timestamp(1_760_000_000_000);
            let last_known = LastKnown {
                status: from,
                channel: None,
                since: None,
                until: Some(at),
                blind: Blind::SilentSince(at),
            };
            let verdict = Verdict {
                status: to,
                channel: Some("2b9b".into()),
                how: (to == Status::Offline).then_some(How::TakenOver),
                last_known: (to == Status::Unknown).then(|| Box::new(last_known)),
                ..Verdict::unknown("pump-7")
            };
            let held_ms = (to == Status::Offline).then_some(30_000);
            let change = Change { at, from, cause, verdict, held_ms };
            let object = ChangeObject::new("broker.example:1883", &change);
            assert_valid(&schema, &[serde_json::to_value(object).expect("it is JSON")]);
        }
    }
}

fn findings() -> Vec<What> {
    let kinds = [FactorKind::Group, FactorKind::Prefix, FactorKind::Subnet, FactorKind::Voice];
    let factor = |kind| Factor { kind, value: "GID_x".to_owned(), of_lost: 1.0, of_stayed: 0.25 };
    let outage = Outage {
        lost: 312,
        within_ms: 4_000,
        stayed: 5_000,
        everybody: false,
        restart: false,
        how: Some(How::Abrupt),
        abrupt_by: vec!["lmq".to_owned()],
        common: kinds.map(factor).to_vec(),
        back: 298,
        after_ms: 41_000,
    };
    let crowd = Crowd { count: 3, first: "pump-7".to_owned() };
    vec![
        What::SharedId(Sharing {
            client: "dev-17".to_owned(),
            addresses: ["10.0.3.4", "::1"].map(|text| text.parse().expect("an address")).to_vec(),
            more: true,
            take_overs: 4,
            every_ms: Some(1_000),
        }),
        What::Flapping { client: "pump-7".to_owned(), connections: 4, span_ms: 60_000 },
        What::MassOutage(outage),
        What::Ghosts(crowd.clone()),
        What::LostNotices(crowd),
        What::ClockOffset(Offset::Ahead { least_ms: 1_200, resolution_ms: 0 }),
        What::ClockOffset(Offset::BehindOrLate { least_ms: 3_000, resolution_ms: 1_000 }),
    ]
}

#[test]
fn a_finding_is_described_whatever_was_found() {
    let schema = schema("finding");
    let at = Timestamp(1_760_000_000_000);
    let mut codes = Vec::new();
    for what in findings() {
        codes.push(what.code());
        for phase in [Phase::Begins, Phase::GoesOn, Phase::Ends] {
            let finding = Finding { phase, at, since: at, what: what.clone() };
            let object = FindingObject::new("broker.example:1883", &finding);
            let whole = serde_json::to_value(object).expect("it is JSON");
            assert_valid(&schema, std::slice::from_ref(&whole));
            for field in whole.as_object().expect("it is an object").keys() {
                let mut broken = whole.clone();
                broken.as_object_mut().expect("it is an object").remove(field);
                assert!(!schema.is_valid(&broken), "{broken} without `{field}`");
            }
        }
    }
    codes.dedup();
    codes.sort_unstable();
    assert_eq!(codes, Code::ALL, "each is here");
}

#[test]
fn watching_sums_up_with_what_was_found() {
    let lag = Lag { latest_ms: 412, least_ms: 12, resolution_ms: 0, samples: 9, span_ms: 90_000 };
    let (summary, counts) = (Summary::default(), [(Code::SharedId, 3)].into());
    let lags = vec![LagObject::new("broker.example:1883", &lag)];
    let object = WatchSummary::new(&summary, &counts, 0, lags);
    let whole = serde_json::to_value(object).expect("it is JSON");
    let schema = schema("summary");
    assert_valid(&schema, std::slice::from_ref(&whole));
    for (field, value) in [
        ("findings", json!({ "shared-id": -1 })),
        ("overlooked", json!(null)),
        ("lags", json!([{ "last_ms": 1 }])),
    ] {
        let mut broken = whole.clone();
        broken[field] = value;
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}

#[test]
fn a_summary_tells_what_was_done_with_changes() {
    let mut summary = Summary::default();
    summary.debounce = Some(Held::default());
    summary.exec = Some(Commands::default());
    summary.webhook = Some(Posts::default());
    summary.failed_on = Some("lag>30s".to_owned());
    let whole = serde_json::to_value(summary).expect("it is JSON");
    let schema = schema("summary");
    assert_valid(&schema, std::slice::from_ref(&whole));
    for part in ["debounce", "exec", "webhook"] {
        for field in whole[part].as_object().expect("it is there").keys() {
            let mut broken = whole.clone();
            broken[part].as_object_mut().expect("it is an object").remove(field);
            assert!(!schema.is_valid(&broken), "without `{part}.{field}`");
        }
    }
}

#[test]
fn broken_objects_are_refused() {
    let printed = lines(&run(&["replay", "--json", NIGHT]));
    let (summary, verdicts) = printed.split_last().expect("there is a summary");
    let offline = verdicts.iter().find(|verdict| verdict["state"] == "offline").expect("one is");
    let recorded = lines_of(&std::fs::read(root().join(NIGHT)).expect("it is there"));
    let of_type = |wanted| recorded.iter().find(|line| line["type"] == wanted).expect("one is");
    for (name, whole, breaks) in [
        (
            "verdict",
            offline,
            vec![
                ("state", json!("away")),
                ("state", json!("online")),
                ("online", json!(null)),
                ("online", json!("no")),
                ("since_ms", json!("2026-11-24T14:41:30Z")),
                ("how", json!("violent")),
                ("anomalies", json!(["odd"])),
                ("covered", json!(false)),
                ("last_known", json!({ "state": "online" })),
                ("type", json!("change")),
            ],
        ),
        ("summary", summary, vec![("events", json!(-1)), ("gaps", json!("none"))]),
        ("recording", of_type("recording"), vec![("version", json!(2)), ("policy", json!({}))]),
        (
            "recording",
            of_type("message"),
            vec![
                ("payload_b64", json!("b25saW5l")),
                ("qos", json!(3)),
                ("type", json!("remark")),
                ("received_ms", json!(null)),
            ],
        ),
        ("recording", of_type("client"), vec![("voices", json!([{ "voice": "lmq" }]))]),
        ("recording", of_type("source"), vec![("holes", json!([{ "epoch": 1 }]))]),
        ("recording", of_type("judged"), vec![("now_ms", json!(1.5))]),
    ] {
        let schema = schema(name);
        assert!(schema.is_valid(whole), "{whole}");
        for (field, value) in breaks {
            let mut broken = whole.clone();
            broken[field] = value;
            assert!(!schema.is_valid(&broken), "{name} accepts {broken}");
        }
        let mut grown = whole.clone();
        grown["a_field_of_a_later_release"] = json!({});
        assert!(schema.is_valid(&grown), "{name} refuses a field that was added");
    }
}

#[test]
fn a_field_that_is_missing_is_missed() {
    let printed = lines(&run(&["replay", "--json", NIGHT]));
    let (summary, verdicts) = printed.split_last().expect("there is a summary");
    for (schema, whole) in [(schema("verdict"), &verdicts[0]), (schema("summary"), summary)] {
        for field in whole.as_object().expect("it is an object").keys() {
            let mut broken = whole.clone();
            broken.as_object_mut().expect("it is an object").remove(field);
            assert!(!schema.is_valid(&broken), "without `{field}`");
        }
    }
}

/// A store that knows two brokers.
struct Stored {
    home: TempDir,
}

impl Stored {
    fn new() -> Self {
        let store = Self { home: TempDir::new().expect("a temporary folder can be made") };
        for import in [vec!["store", "import", NIGHT], vec!["store", "import", LOG]] {
            let output = store.run(&[&import[..], &["--instance", "other:1883"]].concat());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        store
    }

    fn run(&self, arguments: &[&str]) -> Output {
        presence(arguments, self.home.path())
    }
}

fn run(arguments: &[&str]) -> Output {
    let home = TempDir::new().expect("a temporary folder can be made");
    let output = presence(arguments, home.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn presence(arguments: &[&str], home: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_presence"))
        .args(arguments)
        .current_dir(root())
        .env_clear()
        .env("HOME", home)
        .env("XDG_STATE_HOME", home)
        .output()
        .expect("the binary runs")
}

fn lines(output: &Output) -> Vec<Value> {
    lines_of(&output.stdout)
}

fn lines_of(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("it is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

/// Returns which types of lines there are, sorted.
fn types(lines: &[Value]) -> Vec<&str> {
    let mut types: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    types.sort_unstable();
    types.dedup();
    types
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
