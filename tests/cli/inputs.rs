//! Files as they lie about: compressed, damaged, missing, many at once.

use crate::run::{Home, Run, T, lines, notice};
use crate::support::process::{DEADLINE, Presence};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::io::Write as _;

fn notices(count: usize) -> String {
    let all = (0..count).map(|at| notice(&format!("pump-{at}"), 0, "connect", &format!("c{at}")));
    lines(&all.collect::<Vec<_>>())
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes.as_ref()).and_then(|()| encoder.finish()).expect("memory takes it")
}

fn zstd(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(bytes.as_ref(), 1).expect("memory takes it")
}

/// Runs it through a shell: `"$@"` in the script is `presence replay -q --json -`.
fn piped(home: &Home, script: &str) -> Run {
    let words = ["replay", "-q", "--json", "-"];
    let ended = Presence::start_through(home.path(), script, words).ended(DEADLINE);
    Run { code: ended.code.expect("no signal ended it"), out: ended.out, err: ended.err }
}

#[test]
fn what_is_compressed_is_told_by_its_content_and_judged_as_if_it_were_not() {
    let home = Home::with("plain", notices(3_000));
    home.write("night.zst", gzip(notices(3_000)));
    home.write("night.log", zstd(notices(3_000)));
    home.write("several.gz", [gzip(notices(2_000)), gzip(notices(3_000))].concat());

    let plain = home.run("replay -q --json plain");

    assert_eq!((plain.code, plain.verdicts().len()), (0, 3_000));
    for name in ["night.zst", "night.log", "several.gz"] {
        let run = home.run(&format!("replay --json {name}"));
        assert_eq!((run.code, &run.err), (0, &format!("{name}: LMQ notices\n")));
        assert_eq!(run.verdicts(), plain.verdicts(), "{name}");
        let run = piped(&home, &format!("\"$@\" < {name}"));
        assert_eq!((run.code, run.verdicts()), (0, plain.verdicts()), "{name}");
    }
    home.run("store import --instance b:1 night.zst").is(
        0,
        &format!(
            "3,000 clients joined into {}/state/presence/presence.db\n",
            home.path().display()
        ),
        "night.zst: LMQ notices\n",
    );
}

#[test]
fn other_ways_of_compressing_are_named_with_the_way_out() {
    let home = Home::with("night.bz2", b"BZh91AY&SY");
    home.run("replay night.bz2")
        .failed(4, "could not read `night.bz2`\n  cause: it is compressed with bzip2");
    let run = home.run("replay night.bz2");
    assert!(run.err.ends_with("`bzcat night.bz2 | presence replay -`\n"), "{}", run.err);
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_from_it_and_is_told_at_the_end() {
    let home = Home::with("a.jsonl", notices(1));
    home.write("b.jsonl", lines(&[notice("b", 0, "connect", "d")]));
    home.write("prose", "It was a dark night.\n");
    let last = "\
error: could not read `missing`
  cause: No such file or directory (os error 2)
  next:  check the name; paths are taken from the folder you are in
";

    let run = home.run("replay --json a.jsonl missing b.jsonl");

    assert_eq!(run.err, format!("a.jsonl: LMQ notices\nb.jsonl: LMQ notices\n{last}"));
    assert_eq!((run.code, run.states().len(), &run.summary()["events"]), (4, 2, &2.into()));

    let run = home.run("replay -q --json a.jsonl prose");
    assert_eq!((run.code, run.states().len()), (2, 1), "{}", run.err);
    let run = home.run("replay -q --json prose missing a.jsonl");
    assert_eq!((run.code, run.states().len()), (4, 1), "{}", run.err);
    assert!(run.err.ends_with(last), "{}", run.err);
    home.run("replay --strict a.jsonl missing").failed(4, "could not read `missing`");
    home.run("replay missing none").failed(4, "could not read `missing`");

    let run = home.run("store import --instance b:1 a.jsonl missing");
    assert_eq!((run.code, run.out.lines().count()), (4, 1), "{}", run.err);
    assert_eq!(home.run("check pump-0 -b b:1 --evidence store").code, 3);
}

#[test]
fn what_can_be_read_of_a_damaged_file_is_reported() {
    let home = Home::new();
    for (name, mut packed) in [("a.gz", gzip(notices(3_000))), ("a.zst", zstd(notices(20_000)))] {
        packed.truncate(packed.len() - packed.len() / 4);
        home.write(name, packed);

        let run = home.run(&format!("replay -q --json {name}"));

        assert_eq!(run.code, 4, "{}", run.err);
        assert!(run.states().len() > 100, "{}", run.out);
        let what = format!("error: could not read on in `{name}`\n  cause: its ");
        assert!(run.err.contains(&what), "{}", run.err);
    }
}

#[test]
fn a_bomb_is_put_out_and_what_came_before_it_counts() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("memory takes it");
    encoder.write_all(notices(1).as_bytes()).expect("memory takes it");
    let zeros = vec![0; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&zeros).expect("memory takes it");
    }
    let home = Home::with("bomb", encoder.finish().expect("memory takes it"));

    let run = home.run("replay -q --json bomb");

    assert_eq!((run.code, run.states().len()), (4, 1), "{}", run.err);
    assert!(run.err.contains("beyond 250 times their size"), "{}", run.err);
    assert!(run.err.ends_with("`zstdcat --long=31 bomb | presence replay -`\n"), "{}", run.err);
}

#[test]
fn a_folder_and_a_pattern_stand_for_their_files() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("logs/old")).expect("it is writable");
    home.write("logs/a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    home.write("logs/old/b.jsonl.gz", gzip(lines(&[notice("b", 0, "connect", "c")])));
    home.write("logs/README", "These are logs.\n");

    let run = home.run("replay --json logs");
    let said = "\
warning: `logs/README` is left out: no line of it is of a known form
  next:  if it belongs to the others, name it with `--dialect`
logs/a.jsonl: LMQ notices
logs/old/b.jsonl.gz: LMQ notices
";
    assert_eq!((run.code, &*run.err, run.states().len()), (0, said, 2));
    let run = home.run("replay --json logs/**/*.jsonl*");
    let said = "logs/a.jsonl: LMQ notices\nlogs/old/b.jsonl.gz: LMQ notices\n";
    assert_eq!((run.code, &*run.err, run.states().len()), (0, said, 2));
    home.run("replay logs/*.log")
        .failed(4, "could not read `logs/*.log`\n  cause: no file matches it");
}

#[test]
fn notices_in_the_messages_of_a_queue_are_read_as_if_they_came_alone() {
    let home = Home::new();
    let bare: Vec<String> =
        (0..3).map(|at| notice(&format!("pump-{at}"), at, "connect", "c")).collect();
    let wrapped = |wrap: &dyn Fn(&String) -> Value| {
        lines(&bare.iter().map(|notice| wrap(notice).to_string()).collect::<Vec<_>>())
    };
    home.write("bare", lines(&bare));
    home.write(
        "rocketmq",
        wrapped(&|notice| {
            let properties = json!({"TAGS": "connect", "KEYS": ""});
            json!({"msgId": "7F", "body": BASE64.encode(notice), "properties": properties})
        }),
    );
    home.write("kcat", wrapped(&|notice| json!({"topic": "t", "offset": 1, "payload": notice})));
    home.write("mqtt", wrapped(&|notice| json!({"topic": "t", "qos": 1, "payload": notice})));
    let expected = home.run("replay -q --json bare");

    for (name, carrier) in [("rocketmq", "RocketMQ"), ("kcat", "Kafka"), ("mqtt", "MQTT")] {
        for options in ["", "--dialect lmq"] {
            let run = home.run(&format!("replay --json {name} {options}"));
            let said = format!("{name}: LMQ notices in {carrier} messages\n");
            assert_eq!((run.code, run.err, &run.out), (0, said, &expected.out), "{options}");
        }
    }
}

#[test]
fn a_message_that_holds_no_notice_is_counted_and_a_tag_stands_in_for_the_type() {
    let untyped = r#"{"clientId":"a","channelId":"c","time":1760000000000}"#;
    let messages = [
        json!({"body": untyped, "properties": {"TAGS": "connect"}}).to_string(),
        json!({"body": "hello", "properties": {"TAGS": "connect"}}).to_string(),
        json!({"topic": "tombstone", "payload": null}).to_string(),
        notice("b", 0, "connect", "c"),
    ];
    let home = Home::with("a", lines(&messages));

    let run = home.run("replay --json a");

    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.states(), [("a".into(), "online".into()), ("b".into(), "online".into())]);
    assert_eq!(run.summary()["malformed"], 2);
    assert!(run.err.contains("the first is a, line 2: unreadable: no JSON object: `hello`"));
}

#[test]
fn a_table_is_judged_as_the_notices_themselves_would_be() {
    let notices = [notice("a", 0, "connect", "c"), notice("a", 5_000, "tcpclean", "c")];
    let home = Home::with("a.jsonl", lines(&notices));
    let rows = format!("a,{T},in,c,192.0.2.1:50001\na,{},out,c,192.0.2.1:50001\n", T + 5_000);
    home.write("own.csv", format!("Device,At,Type,Chan,Addr\r\n{}", rows.replace('\n', "\r\n")));
    let rows = rows.replace("in", "connect").replace("out", "tcpclean");
    home.write("usual.csv", format!("\u{feff}client_id,time,event,channel,ip\n{rows}"));
    let expected = home.run("replay -q --json a.jsonl");

    let map = "--csv-map client=Device,event=Type,time=At,channel=Chan,ip=Addr";
    for (name, options) in [
        ("own.csv", format!("{map} --csv-event connect=in --csv-event tcpclean=out")),
        ("usual.csv", String::new()),
        ("usual.csv", "--dialect lmq".to_owned()),
    ] {
        let run = home.run(&format!("replay --json {name} {options}"));
        let said = format!("{name}: LMQ notices in a table\n");
        assert_eq!((run.code, run.err, &run.out), (0, said, &expected.out), "{options}");
    }
    let run = home.run(&format!("store import --instance b:1 own.csv {map}"));
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("own.csv, line 2: unknown-event: event type `in`"), "{}", run.err);
}

#[test]
fn a_row_may_stand_on_several_lines_and_counts_under_its_first() {
    let rows = [
        "client,event,time,note".to_owned(),
        format!("a,connect,{T},\"came\r\nback\""),
        format!("\"b\nc\",connect,{T},\"it said \"\"no\"\",\n\nthen nothing\""),
        "d,heartbeat,1,".to_owned(),
        format!("e,connect,{T},\"torn"),
        format!("f,connect,{T},\"closed\""),
        format!("g,connect,{T},a 5\" pipe"),
    ];
    let home = Home::with("a.csv", lines(&rows));
    let run = home.run("replay --json a.csv");
    let clients: Vec<String> = run.states().into_iter().map(|(client, _)| client).collect();
    // The quote of line 9 is closed by the first one of line 10, as every reader of tables has it.
    assert_eq!(clients, ["a", "b\nc", "d", "e", "g"], "{}", run.err);
    assert_eq!(run.summary()["malformed"], 1, "{}", run.err);
    assert!(run.err.contains("a.csv, line 8: unknown-event"), "{}", run.err);

    // One that is not closed before the end of the file holds nothing together.
    home.write("a.csv", lines(&[rows[0].clone(), rows[4].clone(), rows[1].replace('"', "")]));
    let run = home.run("replay --json a.csv");
    assert_eq!((run.code, &run.summary()["malformed"]), (0, &json!(2)), "{}", run.err);
    assert!(run.err.contains("a.csv, line 2: unreadable: no whole row"), "{}", run.err);
    assert_eq!(run.states()[0].0, "a", "the rest is read: {}", run.err);
}

#[test]
fn a_file_in_which_there_is_nothing_is_told_with_what_was_read() {
    let home = Home::with("empty", "");
    home.write("blank", "\n \n\r\n");
    home.write("header.csv", "client,event\n");
    home.write("notices", notices(3));
    home.write("other.log", "1795312995: mosquitto is here\n1795312995: and there\n");
    let if_it_is = "\n  next:  check that it is the file you mean, and that it is written to\n";
    let if_told = "\n  next:  check that it is the file you mean; without `--dialect` its lines tell what it is\n";
    for (name, options, why, next) in [
        ("empty", "", "it is empty, without a single line", if_it_is),
        ("blank", "", "all of its lines are blank", if_it_is),
        ("header.csv", "", "it has a header, and no row below it", if_it_is),
        (
            "notices",
            "--dialect mosquitto",
            "of its 3 lines none tells of a client, read as a log of Mosquitto",
            if_told,
        ),
        (
            "other.log",
            "--dialect mosquitto",
            "of its 2 lines none tells of a client, read as a log of Mosquitto",
            if_told,
        ),
    ] {
        let run = home.run(&format!("replay -q --json {name} {options}"));
        let said = format!("warning: nothing was read from `{name}`: {why}{next}");
        assert!(run.err.starts_with(&said), "{}", run.err);
        assert_eq!((run.code, &run.summary()["clients"]), (0, &json!(0)), "{name}");
        // Beside others it is told as well, and does not keep them from being judged.
        let run = home.run(&format!("replay -q --json {name} notices"));
        assert_eq!(run.states().len(), 3, "{name}: {}", run.err);
    }
    let run = home.run("replay -q --json notices");
    assert_eq!(run.err, "");
}

#[test]
fn a_column_that_is_not_there_is_a_misuse_and_what_was_meant_is_said() {
    let home = Home::with("a.csv", "ClientId;Type\na;connect\n");
    for (map, next) in [
        ("client=clientid,event=Type", "did you mean `--csv-map client=ClientId`?"),
        ("client=ClientId,event=Typ", "did you mean `--csv-map event=Type`?"),
        ("client=Gerät,event=Type", "name one of them with `--csv-map client=…`"),
    ] {
        let run = home.run(&format!("replay a.csv --csv-map {map}"));
        run.failed(2, "`a.csv` has no column `");
        assert!(run.err.contains("its header names `ClientId`, `Type`"), "{}", run.err);
        assert!(run.err.contains(next), "{}", run.err);
    }
    home.run("replay a.csv --csv-map client=ClientId").failed(2, "names no column for `event`");
    home.run("replay a.csv --csv-event up").failed(2, "`--csv-event up` is not two words");
}

#[test]
fn a_table_in_local_time_needs_its_zone() {
    let home = Home::with("a.csv", "client,event,time\na,connect,2025-10-09 10:53:20\n");

    home.run("replay a.csv").failed(2, "a.csv, line 2: local time of no zone");
    let run = home.run("replay -q --json a.csv --time-zone +02:00");
    assert_eq!((run.code, &run.objects()[0]["since_ms"]), (0, &json!(T)), "{}", run.err);
}

#[test]
fn a_log_in_local_time_is_known_by_its_lines_and_needs_its_zone() {
    let line = "2025-10-09 10:53:20,000 - Client ID: a, IP: h, Clean Start: true, Session Expiry: 0 connected.\n";
    let home = Home::with("event.log", line);

    home.run("replay event.log").failed(2, "event.log, line 1: local time of no zone");
    let run = home.run("replay --json event.log --time-zone +02:00");
    assert_eq!(run.err, "event.log: an event log of HiveMQ\n");
    assert_eq!((run.code, &run.objects()[0]["since_ms"]), (0, &json!(T)));
    home.run("watch --dialect hivemq").failed(2, "`--dialect hivemq` without `--topic`");
}

#[test]
fn of_two_dialects_that_claim_a_line_none_is_chosen() {
    let event = json!({"event": "client.connected", "clientid": "a", "connected_at": T});
    let home = Home::with("events.jsonl", lines(&[event.to_string()]));

    home.run("replay events.jsonl").failed(2, "it may be `tencent-tdmq` as well as `emqx-rule`");
    let run = home.run("replay --json --dialect emqx-rule events.jsonl");
    assert_eq!(run.err, "events.jsonl: rule events of EMQX\n");
    assert_eq!((run.code, &run.objects()[0]["since_ms"]), (0, &json!(T)));
}

#[test]
fn a_damaged_notice_counts_as_one_wherever_in_its_file_it_stands() {
    let whole = notice("b", 0, "connect", "c");
    let mut damaged = Vec::new();
    for key in ["clientId", "eventType", "channelId", "time"] {
        let mut notice: Value = serde_json::from_str(&whole).expect("it is JSON");
        notice.as_object_mut().expect("it is an object").remove(key);
        damaged.push(notice.to_string());
    }
    let alone = r#"{"clientId":"b","time":1}"#.to_owned();
    let cut = whole[..whole.len() / 2].to_owned();
    damaged.extend([alone, cut]);
    let whole = [whole];
    for parts in [[&damaged[..], &whole[..]], [&whole[..], &damaged[..]]] {
        let home = Home::with("a", lines(&parts.concat()));
        let run = home.run("replay --json a");
        assert_eq!((run.code, run.summary()["malformed"].as_u64()), (0, Some(4)), "{}", run.err);
        assert!(run.err.starts_with("a: LMQ notices\n"), "{}", run.err);
    }
}

#[test]
fn the_mark_that_some_programs_put_before_utf8_is_no_part_of_the_first_line() {
    let home = Home::with("a.jsonl", "\u{feff}".to_owned() + &notices(1));
    home.write("a.log", "\u{feff}1795312995: New client connected from h:1 as b (p2, c1, k60).\n");
    for name in ["a.jsonl", "a.log"] {
        let run = home.run(&format!("replay -q --json {name}"));
        assert_eq!((run.code, &*run.err, run.states().len()), (0, "", 1), "{name}");
        assert_eq!(run.summary()["malformed"], 0, "{name}");
    }
}

#[test]
fn a_way_out_can_be_typed_whatever_the_name_of_the_file() {
    let home = Home::with("it's night.xz", b"\xfd7zXZ\0");
    let run = home.run_with(&["replay", "it's night.xz"], "", &[]);
    assert!(run.err.contains(r"`xzcat 'it'\''s night.xz' | presence replay -`"), "{}", run.err);
    let run = home.run_with(&["replay", "-"], "BZh91AY", &[]);
    assert!(run.err.contains("`bzcat FILE | presence replay -`"), "{}", run.err);
}
