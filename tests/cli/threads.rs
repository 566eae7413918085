//! Files of notices read by several threads: what is told does not depend on their number.

use crate::run::{Home, Run, T};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;

/// Beyond four blocks of 256 KiB threads are started, and each reads four more of them at a time.
const SIZES: [usize; 4] = [0, 3_000, 1_300_000, 6_000_000];
/// What is read is taken in by twelve times as much.
const ROUNDS: usize = 14_500_000;

fn notice(rng: &mut fastrand::Rng, begin: i64) -> String {
    let client = match rng.u8(..60) {
        0 => "größe".to_owned(),
        1 => String::new(),
        2 => "x".repeat(70),
        3 => "a\\u0041\\\"".to_owned(),
        _ => format!("GID_x@@@device-{}", rng.u8(..40)),
    };
    let event = ["connect", "connect", "tcpclean", "disconnect"][rng.usize(..4)];
    let event = if rng.u8(..90) == 0 { "heartbeat" } else { event };
    let time = match rng.u8(..90) {
        0 => "0".to_owned(),
        1 => "\"1760000000123\"".to_owned(),
        2 => "1760000000".to_owned(),
        3 => "4102444800000".to_owned(),
        _ => (begin + rng.i64(0..20_000)).to_string(),
    };
    let (channel, host) = (rng.u8(..90), rng.u8(..4));
    if rng.u8(..20) == 0 {
        return format!(
            r#"{{ "eventType": "{event}", "clientIp": "192.0.2.{host}:1", "clientId": "{client}", "more": [1] }}"#
        );
    }
    format!(
        r#"{{"clientId":"{client}","time":{time},"eventType":"{event}","channelId":"{channel:032x}","clientIp":"192.0.2.{host}:40000"}}"#
    )
}

/// Returns a row, a few of which stand on several lines.
fn row(rng: &mut fastrand::Rng, begin: i64, is_mixed: bool) -> String {
    let note = match rng.u16(..if is_mixed { 20 } else { 40_000 }) {
        0 => ",\"went\naway\"",
        1 => ",\"a quote \"\"\n\n\"",
        2 => ",\"torn",
        3 => ",5\" more",
        _ => "",
    };
    let client = if is_mixed && rng.u16(..300) == 0 { "\"a\nb\"" } else { "d" };
    format!("{client}{},{begin},connect,{},{note}", rng.u8(..40), rng.u8(..90))
}

/// Returns a file of about this size: notices as they are, in messages of a queue or in a table, and
/// lines that are none, among them one of many bytes.
pub fn file(rng: &mut fastrand::Rng, size: usize) -> Vec<u8> {
    let (kind, is_mixed) = (rng.u8(..4), rng.bool());
    let mut file = Vec::new();
    if kind == 3 {
        file.extend_from_slice(b"clientId,time,eventType,channelId,clientIp\n");
    }
    let mut begin = T;
    while file.len() < size {
        begin += 2;
        match rng.u16(..2_000) {
            0..10 => file.extend_from_slice(b"no notice"),
            10..20 => file.extend_from_slice(b" \t"),
            20..30 => file.extend_from_slice(b"{\"clientId\":\"\xff\"}"),
            30..40 => file.extend_from_slice(b"{\"clientId\":\"a\0b\"}"),
            40 => file.extend(std::iter::repeat_n(b'z', 70_000)),
            _ => {
                let body = notice(rng, begin);
                let line = match kind {
                    0 => json!({"topic": "t", "payload": body}).to_string(),
                    1 => {
                        let properties = json!({"TAGS": "connect"});
                        json!({"body": BASE64.encode(body), "properties": properties}).to_string()
                    }
                    2 => body,
                    _ => row(rng, begin, is_mixed),
                };
                file.extend_from_slice(line.as_bytes());
            }
        }
        file.extend_from_slice(if rng.u8(..20) == 0 { b"\r\n" } else { b"\n" });
    }
    // The last line may be torn.
    file.truncate(file.len() - rng.usize(..30).min(file.len()));
    if rng.u8(..4) == 0 { gzip(&file) } else { file }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes it")
}

#[test]
fn nothing_that_is_told_depends_on_the_number_of_threads() {
    let questions =
        ["", "--strict", "--anomalies", "--at 1760000010000", "--at 1760000060000 --client *1*"];
    let mut told = 0;
    for seed in 0..12 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let home = Home::new();
        let mut names = String::new();
        for number in 0..=rng.usize(..3) {
            let size = SIZES[usize::try_from(seed).expect("it is small") % SIZES.len()];
            home.write(&format!("{number}.log"), file(&mut rng, size / (number + 1)));
            let _ = write!(names, " {number}.log");
        }
        let question = questions[rng.usize(..questions.len())];
        let run = |threads: usize| {
            let now = "--now 1770000000000";
            let run =
                home.run(&format!("replay -v --json {now} {question} --threads {threads}{names}"));
            (run.code, run.out, run.err)
        };
        let alone = run(1);
        for threads in [2, 3, 4, 8] {
            let together = run(threads);
            assert!(together == alone, "seed {seed}, {threads} threads, `{question}`{names}");
        }
        told += alone.1.lines().count();
    }
    assert!(told > 100, "{told} lines were told");
}

#[test]
fn what_is_taken_in_by_and_by_is_the_same() {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut lines = String::new();
    let mut begin = T;
    while lines.len() < ROUNDS {
        begin += 2;
        lines.push_str(&notice(&mut rng, begin));
        lines.push('\n');
    }
    let home = Home::with("night.log", &lines);
    let run = |threads: usize| {
        let at = begin - 20_000;
        home.run(&format!(
            "replay --json --now 1770000000000 --at {at} --threads {threads} night.log"
        ))
    };

    let alone = run(1);
    assert_eq!((alone.code, alone.summary()["clients"].as_u64()), (0, Some(43)));
    let together = run(2);
    assert_eq!((together.code, &together.out), (alone.code, &alone.out));
    assert_eq!(together.err, alone.err);
}

#[test]
fn a_file_that_breaks_off_is_told_of_after_all_that_came_before() {
    let mut rng = fastrand::Rng::with_seed(7);
    let lines: String = (0..20_000).map(|_| notice(&mut rng, T) + "\n").collect();
    let packed = gzip(lines.as_bytes());
    let home = Home::with("torn.gz", &packed[..packed.len() / 2]);
    let run = |threads: usize| -> Run {
        home.run(&format!("replay --json --now 1770000000000 --threads {threads} torn.gz"))
    };

    let alone = run(1);
    assert_eq!((alone.code, alone.summary()["clients"].as_u64()), (4, Some(43)));
    for threads in [2, 5] {
        let together = run(threads);
        assert_eq!((together.code, &together.out), (4, &alone.out), "{threads} threads");
        assert_eq!(together.err, alone.err, "{threads} threads");
    }
}
