//! Runs that were verified, made by hand.

use hdrhistogram::Histogram;
use presence::output::json::append_line;
use presence::output::object::Summary;
use presence::output::verification::{Context, Sample, Verified, lines};
use presence::simulate::plan::Death;
use presence::simulate::verify::findings::{
    Act, Done, Fault, Findings, Key, Naming, Outcome, Row, States, Voice, Wrong,
};
use presence::simulate::verify::window::Window;
use std::time::Duration;

pub const SILENCE: Act = Act::Died(Death::Silence);
pub const FIN: Act = Act::Died(Death::Fin);

/// A run in which everything is right but one missed silence, one early one, and a report that came
/// twice.
pub fn run() -> Verified {
    let mut findings = Findings::default();
    findings.done.insert(Act::Connect, Done { planned: 400, done: 400 });
    findings.done.insert(SILENCE, Done { planned: 200, done: 199 });
    findings.done.insert(FIN, Done { planned: 200, done: 200 });
    let prompt = Some(window(0, 1_000));
    let silent = Some(window(7_000, 8_500));
    let row = |outcomes: &[(Outcome, u64)], duplicates, delays: &[(u64, u64)]| Row {
        outcomes: outcomes.iter().copied().collect(),
        duplicates,
        delays_us: delays_us(delays),
    };
    for (voice, act, window, told) in [
        (
            "lmq",
            Act::Connect,
            prompt,
            row(&[(Outcome::Reported, 400)], 1, &[(900, 390), (2_500, 10)]),
        ),
        (
            "lmq",
            SILENCE,
            silent,
            row(
                &[(Outcome::Reported, 197), (Outcome::Early, 1), (Outcome::Missed, 1)],
                0,
                &[(7_600_000, 150), (8_100_000, 47), (5_000_000, 1)],
            ),
        ),
        ("lmq", FIN, prompt, row(&[(Outcome::Reported, 200)], 0, &[(1_200, 200)])),
        ("status", FIN, prompt, row(&[(Outcome::Reported, 200)], 0, &[(1_700, 200)])),
        ("status", Act::Connect, None, row(&[(Outcome::NotObservable, 400)], 0, &[])),
    ] {
        findings.rows.insert(Key { voice: voice.into(), act, window }, told);
    }
    let voice = |reports, names| Voice { reports, names, ..Voice::default() };
    findings.voices.insert("lmq".into(), voice(1_199, Naming::Address));
    findings.voices.insert("status".into(), voice(600, Naming::Order));
    findings.states = States { right: 398, wrong: 0, unknown: 2, not_observable: 0 };
    findings.faults = vec![
        fault(3_100_000, 7, "lmq", Wrong::Duplicate(Act::Connect), Some(2_500)),
        fault(12_000_000, 11, "lmq", Wrong::Told(SILENCE, Outcome::Early), Some(5_000_000)),
        fault(13_500_000, 13, "lmq", Wrong::Told(SILENCE, Outcome::Missed), None),
    ];
    findings.faults_total = 3;
    let mut heard = Summary::default();
    (heard.clients, heard.offline, heard.unknown) = (400, 398, 2);
    (heard.events, heard.duplicates) = (1_799, 1);
    Verified {
        context: context(),
        heard,
        findings,
        timeline: (0..=20)
            .map(|second| Sample {
                at_ms: second * 1_000,
                alive: second.min(20 - second) * 40,
                online: (second > 0).then_some(second.min(20 - second) * 39),
            })
            .collect(),
    }
}

/// The same run with nothing wrong.
pub fn clean() -> Verified {
    let mut clean = run();
    for row in clean.findings.rows.values_mut() {
        row.duplicates = 0;
        row.outcomes.retain(|outcome, _| !outcome.is_fault());
    }
    clean.findings.faults.clear();
    clean.findings.faults_total = 0;
    clean
}

pub fn context() -> Context {
    Context {
        instance: "localhost:1883".into(),
        broker: Some("mosquitto version 2.0.11".into()),
        run: "3fa92c".into(),
        seed: 42,
        scenario: Some("every-death".into()),
        options: ["simulate", "--count", "400", "-k", "5s"].map(Into::into).into(),
        begun_ms: 1_760_000_000_000,
        duration_ms: 20_000,
        devices: 400,
        keep_alive: 5,
        mqtt: "5".into(),
        presence: "0.1.0".into(),
        expectation: "mosquitto-2.0".into(),
        ..Context::default()
    }
}

pub fn fault(at_us: u64, device: u32, voice: &str, what: Wrong, delay_us: Option<i64>) -> Fault {
    Fault {
        at: Duration::from_micros(at_us),
        device,
        client: format!("sim-3fa92c-{device}"),
        connection: 0,
        voice: voice.into(),
        what,
        delay_us,
    }
}

pub fn window(earliest_ms: u64, latest_ms: u64) -> Window {
    Window {
        earliest: Duration::from_millis(earliest_ms),
        latest: Duration::from_millis(latest_ms),
    }
}

pub fn delays_us(delays: &[(u64, u64)]) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("3 digits are possible");
    for (delay, count) in delays {
        histogram.record_n(*delay, *count).expect("it grows");
    }
    histogram
}

/// Returns a report as it is printed.
pub fn printed(verified: &Verified) -> String {
    let mut bytes = Vec::new();
    for line in lines(verified) {
        append_line(&mut bytes, &line).expect("it is JSON");
    }
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// Returns what is read of a report that was printed.
pub fn read(printed: &str) -> Result<Verified, presence::failure::Failure> {
    Verified::read("report.json", printed.lines().map(str::as_bytes))
}

/// Compares with what is kept; `PRESENCE_BLESS=1` keeps it anew.
#[track_caller]
pub fn is_kept(name: &str, shown: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/verification");
    let path = format!("{folder}/{name}");
    if std::env::var_os("PRESENCE_BLESS").is_some() {
        std::fs::write(&path, shown).expect("it can be written");
    }
    assert_eq!(shown, std::fs::read_to_string(&path).unwrap_or_default(), "{path}");
}
