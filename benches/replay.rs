//! Replaying a million LMQ notices to their verdicts, and the pieces of that: finding lines, reading them,
//! taking in what they say, and judging. `benches/core.rs` takes the last two apart.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use presence::cli::policy::Chosen;
use presence::command::input::{Asked, Input};
use presence::dialect::Message;
use presence::dialect::lmq::Lmq;
use presence::dialect::terms::Terms;
use presence::event::Timestamp;
use presence::source::lines::{Block, Lines, texts};
use presence::state::policy::Policy;
use std::fmt::Write as _;

fn main() {
    divan::main();
}

/// A run as a test only shows that the benchmark works.
fn notices() -> usize {
    if std::env::args().any(|arg| arg == "--bench") { 1_000_000 } else { 2_000 }
}

const NOW: Timestamp = Timestamp(1_770_000_000_000);

/// Returns notices of clients that come and go, a tenth as many clients as notices.
fn log(notices: usize) -> String {
    let mut random = fastrand::Rng::with_seed(7);
    let clients = (notices / 10).max(1);
    let mut open = vec![None; clients];
    let mut time = 1_760_000_000_000_u64;
    let mut text = String::new();
    for _ in 0..notices {
        let client = random.usize(..clients);
        time += random.u64(..3);
        let (kind, channel) = match open[client].take() {
            Some(channel) => ("tcpclean", channel),
            None => ("connect", *open[client].insert(random.u128(..))),
        };
        let _ = writeln!(
            text,
            r#"{{"clientId":"GID_demo@@@dev-{client:07}","time":{time},"eventType":"{kind}","channelId":"{channel:032x}","clientIp":"192.0.2.{}:{}"}}"#,
            client % 250,
            40_000 + client % 20_000,
        );
    }
    text
}

fn terms() -> Terms {
    Terms {
        dialects: vec![Lmq::NAME.to_owned()],
        by_auto: vec![],
        topics: vec![],
        status_topic: "devices/{client}/status".to_owned(),
        status_online: vec!["online".to_owned()],
        status_offline: vec!["offline".to_owned()],
        status_pointer: None,
        time_zone: None,
        described: Vec::new(),
    }
}

#[divan::bench(sample_count = 10)]
fn find_lines(bencher: Bencher<'_, '_>) {
    let text = log(notices());
    let count = text.lines().count();
    bencher.counter(ItemsCount::new(count)).counter(BytesCount::of_str(&text)).bench(|| {
        let mut lines = Lines::new(text.as_bytes());
        let mut buffer = Vec::new();
        let mut found = 0;
        while let Ok(Some(Block::Lines(block))) = lines.next_block(std::mem::take(&mut buffer)) {
            found += texts(&block).count();
            buffer = block;
        }
        assert_eq!(found, count);
    });
}

#[divan::bench(sample_count = 10)]
fn read_notices(bencher: Bencher<'_, '_>) {
    let text = log(notices() / 10);
    let lines = text.lines().count();
    bencher.counter(ItemsCount::new(lines)).counter(BytesCount::of_str(&text)).bench(|| {
        for line in text.lines() {
            let payload = black_box(line.as_bytes());
            let message = Message {
                topic: "",
                payload,
                tag: None,
                qos: 1,
                retain: false,
                received: NOW,
                tie: 0,
            };
            black_box(Lmq.read(&message));
        }
    });
}

/// Takes in what a log says.
fn take(text: &str, threads: usize) -> Input {
    let asked = Asked { policy: Policy::DEFAULT, chosen: Chosen::default() };
    let mut input = Input::new(terms(), None, asked, NOW);
    input.threads = threads;
    input.read(text.as_bytes(), "log").expect("readable");
    input
}

fn judge(input: &Input) -> usize {
    let verdicts = input.brokers.values().flat_map(|broker| {
        broker.presence.verdicts(broker.moment(&Policy::DEFAULT, NOW)).collect::<Vec<_>>()
    });
    verdicts.count()
}

#[divan::bench(sample_count = 5, args = [1, 2])]
fn read_and_merge(bencher: Bencher<'_, '_>, threads: usize) {
    let text = log(notices());
    let lines = text.lines().count();
    bencher
        .counter(ItemsCount::new(lines))
        .counter(BytesCount::of_str(&text))
        .bench(|| black_box(take(&text, threads)));
}

#[divan::bench(sample_count = 5)]
fn verdicts(bencher: Bencher<'_, '_>) {
    let input = take(&log(notices()), 1);
    bencher.counter(ItemsCount::new(judge(&input))).bench_local(|| black_box(judge(&input)));
}

#[divan::bench(sample_count = 5)]
fn replay_notices(bencher: Bencher<'_, '_>) {
    let text = log(notices());
    let lines = text.lines().count();
    bencher
        .counter(ItemsCount::new(lines))
        .counter(BytesCount::of_str(&text))
        .bench(|| black_box(judge(&take(&text, 1))));
}
