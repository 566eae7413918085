//! The laws of verification, over many seeds: for any run, what is found wrong is what was made wrong.
//!
//! A run is drawn, an ideal broker tells of it in every voice, then something is done to its reports, and
//! what must be found is noted down along the way. In voices that name no connection, only that is done
//! which order and time can tell.

use fastrand::Rng;
use presence::event::EventKind::{self, Closed, Farewell, Opened};
use presence::simulate::deed::{Deed, What};
use presence::simulate::plan::Death;
use presence::simulate::report::Report;
use presence::simulate::verify::findings::{Act, Findings, Outcome};
use presence::simulate::verify::window::Expectation;
use presence::simulate::verify::{Promise, Promises, Terms, Verification};
use presence::wire::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const SEEDS: u64 = 200;
const VOICES: [&str; 3] = ["lmq", "mosquitto", "status"];
const LMQ: &[&str] = &["lmq"];

/// A silence is due 6 to 8.5 s after the last packet.
const KEEP_ALIVE: u16 = 4;
const EXPECTED: &str = "6s..8500ms";

/// When everything is over, in ms.
const END: u64 = 10_000_000;

#[test]
fn an_ideal_broker_is_verified() {
    for seed in 0..SEEDS {
        let story = Story::new(seed, false);
        let findings = story.verified(&VOICES, &mut Rng::with_seed(seed));
        assert!(findings.is_verified(), "seed {seed}: {:?}", findings.faults.first());
        assert_found(&findings, &story, seed);
    }
}

#[test]
fn what_is_found_is_what_was_made() {
    for seed in 0..SEEDS {
        let story = Story::new(seed, true);
        let findings = story.verified(&VOICES, &mut Rng::with_seed(seed));
        assert_found(&findings, &story, seed);
    }
}

#[test]
fn the_order_in_which_both_sides_come_in_does_not_matter() {
    for seed in 0..SEEDS {
        let story = Story::new(seed, true);
        let mut rng = Rng::with_seed(seed);
        let first = story.verified(&VOICES, &mut rng);
        for _ in 0..2 {
            assert!(story.verified(&VOICES, &mut rng) == first, "seed {seed}");
        }
    }
}

#[test]
fn shards_add_up_to_the_whole() {
    for seed in 0..SEEDS {
        let story = Story::new(seed, true);
        let mut rng = Rng::with_seed(seed);
        let whole = story.verified(&VOICES, &mut rng);
        let shards = rng.u32(1..=4);
        let mut sum = Findings::default();
        for shard in 0..shards {
            let mut verification = story.verification(&VOICES, |device| device % shards == shard);
            for deed in story.deeds.iter().filter(|deed| deed.device % shards == shard) {
                verification.deed(deed);
            }
            story.reports.iter().for_each(|report| verification.report(report));
            sum.merge(verification.judge(ms(END)));
        }
        assert!(sum == whole, "seed {seed}");
    }
}

#[test]
fn a_truth_that_was_altered_is_not_verified() {
    for seed in 0..SEEDS {
        let mut story = Story::new(seed, false);
        let mut rng = Rng::with_seed(seed);
        let how = story.falsify(&mut rng);
        let findings = story.verified(LMQ, &mut rng);
        assert!(!findings.is_verified(), "seed {seed}: {how}");
    }
}

#[test]
fn what_is_awaited_is_what_is_not_due() {
    for seed in 0..SEEDS / 4 {
        let story = Story::new(seed, true);
        let mut verification = story.verification(&VOICES, |_| true);
        let (mut deeds, mut reports) = (story.deeds.clone(), story.reports.clone());
        let mut rng = Rng::with_seed(seed);
        let mut moments: Vec<_> = (0..10).map(|_| rng.u64(0..200_000)).chain([END]).collect();
        moments.sort_unstable();
        for now in moments.into_iter().map(ms) {
            // Both sides have come in as far as they have happened.
            deeds.extract_if(.., |deed| deed.at <= now).for_each(|it| verification.deed(&it));
            let heard = reports.extract_if(.., |report| report.arrived <= now);
            heard.for_each(|it| verification.report(&it));
            let not_due = format!("{:?}", Outcome::NotDue);
            let found = counts(&verification.judge(now));
            let expected: u64 =
                found.iter().filter(|((_, _, what), _)| *what == not_due).map(|it| it.1).sum();
            let outstanding = verification.outstanding(now, Duration::ZERO);
            assert_eq!(outstanding.count as u64, expected, "seed {seed}, {now:?}");
            assert_eq!(outstanding.due_by.is_some(), expected > 0);
            assert!(outstanding.due_by.is_none_or(|due_by| due_by > now));
        }
        assert!(deeds.is_empty(), "seed {seed}: {deeds:?}");
        assert_eq!(verification.outstanding(ms(END), Duration::ZERO).count, 0, "seed {seed}");
    }
}

/// Voice, act and what came of it; or voice, nothing, and what it said beside the deeds.
type Counted = (String, Option<Act>, String);

fn counts(findings: &Findings) -> BTreeMap<Counted, u64> {
    let mut counts = BTreeMap::new();
    for (key, row) in &findings.rows {
        let told = row.outcomes.iter().map(|(outcome, count)| (format!("{outcome:?}"), *count));
        for (what, count) in told.chain([(AGAIN.to_owned(), row.duplicates)]) {
            *counts.entry((key.voice.clone(), Some(key.act), what)).or_default() += count;
        }
    }
    for (voice, said) in &findings.voices {
        for (what, count) in [(FALSE, said.false_offline), (STRAY, said.strays)] {
            counts.insert((voice.clone(), None, what.to_owned()), count);
        }
    }
    counts.retain(|_, count| *count > 0);
    counts
}

/// Names only what differs: all of it would be pages.
fn assert_found(findings: &Findings, story: &Story, seed: u64) {
    let (found, expected) = (counts(findings), &story.expected);
    let differs = |key: &&Counted| found.get(*key) != expected.get(*key);
    let wrong: BTreeSet<_> = found.keys().chain(expected.keys()).filter(differs).collect();
    let shown: Vec<_> =
        wrong.iter().map(|key| (key, found.get(*key), expected.get(*key))).collect();
    assert!(wrong.is_empty(), "seed {seed}, found, expected: {shown:#?}");
}

const AGAIN: &str = "again";
const FALSE: &str = "false offline";
const STRAY: &str = "stray";

/// What happened to some devices, what was said of it, and what must be found. Times are in ms.
struct Story {
    promise: Promise,
    devices: u32,
    deeds: Vec<Deed>,
    reports: Vec<Report>,
    expected: BTreeMap<Counted, u64>,
}

/// One connection of a device.
#[derive(Clone, Copy)]
struct Life {
    device: u32,
    number: u32,
    asked: u64,
    last_sent: u64,
    end: u64,
    death: Death,
    /// When the client came back, if that ended the connection.
    taken_over: Option<u64>,
}

impl Story {
    fn new(seed: u64, is_flawed: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let v5 = rng.bool();
        let delay = if v5 && rng.bool() { 3 } else { 0 };
        let promise = Promise {
            has_birth: true,
            will: Some(delay),
            persistent: delay > 0,
            session_expiry: 60,
            version: if v5 { Version::V5 } else { Version::V311 },
            is_half_open: false,
        };
        let devices = rng.u32(1..=6);
        let (deeds, reports, expected) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut story = Self { promise, devices, deeds, reports, expected };
        for device in 0..devices {
            let lives = story.lives(device, &mut rng);
            for voice in VOICES {
                let mut owes = false;
                for life in &lives {
                    let mut telling = Telling { story: &mut story, voice, life, owes };
                    telling.tell(&mut rng, is_flawed);
                    owes = telling.owes;
                }
            }
        }
        story
    }

    /// Draws the lives of a device, and does them.
    fn lives(&mut self, device: u32, rng: &mut Rng) -> Vec<Life> {
        let mut lives: Vec<Life> = Vec::new();
        let mut asked = rng.u64(1_000..5_000);
        let count = rng.u32(1..=6);
        for number in 0..count {
            let is_last = number + 1 == count;
            let end = asked + rng.u64(10_000..15_000);
            let death = loop {
                let death = Death::ALL[rng.usize(..Death::ALL.len())];
                let is_of_v5 = matches!(death, Death::DisconnectWith(_));
                if (!is_last || death != Death::TakeOver)
                    && (!is_of_v5 || self.promise.version == Version::V5)
                {
                    break death;
                }
            };
            let is_silent = matches!(death, Death::Silence | Death::NatDrop);
            let last_sent = end - if is_silent { rng.u64(0..1_000) } else { 0 };
            let next = if death == Death::TakeOver {
                end
            } else if is_silent && !is_last && rng.bool() {
                // Before anybody can have noticed.
                end + rng.u64(100..4_000)
            } else {
                end + rng.u64(30_000..40_000)
            };
            let taken_over = (next < end + 30_000).then_some(next);
            lives.push(Life { device, number, asked, last_sent, end, death, taken_over });
            asked = next;
        }
        for life in &lives {
            let local = Some(([127, 0, 0, 1], life.port()).into());
            let (took, asked) = (Duration::ZERO, ms(life.asked));
            let keep_alive = KEEP_ALIVE;
            let session_present = false;
            let what = What::Connected { local, session_present, took, asked, keep_alive };
            self.deeds.push(life.deed(life.asked + 2, life.asked + 1, what));
            self.deeds.push(life.deed(life.end, life.last_sent, What::Died(life.death)));
        }
        lives
    }

    fn verification(&self, voices: &[&'static str], ours: impl Fn(u32) -> bool) -> Verification {
        let terms = Terms {
            expectation: Expectation::parse(EXPECTED).expect("it is a range"),
            voices: voices.to_vec(),
            speaking: voices.to_vec(),
            promises: Promises::all(self.promise),
            begun: Duration::ZERO,
        };
        let ids = (0..self.devices).filter(|device| ours(*device));
        Verification::new(terms, ids.map(|device| (device, client(device))))
    }

    /// Takes both sides in, in some order: deeds of a device as they happened, reports as it comes.
    fn verified(&self, voices: &[&'static str], rng: &mut Rng) -> Findings {
        let mut verification = self.verification(voices, |_| true);
        let mut reports: Vec<_> = self.reports.iter().collect();
        rng.shuffle(&mut reports);
        let mut reports = reports.into_iter();
        let share = rng.usize(0..=3);
        for deed in &self.deeds {
            reports.by_ref().take(rng.usize(0..=share)).for_each(|it| verification.report(it));
            verification.deed(deed);
        }
        reports.for_each(|report| verification.report(report));
        verification.judge(ms(END))
    }

    /// Alters one thing that was done, and says what.
    fn falsify(&mut self, rng: &mut Rng) -> String {
        let at = rng.usize(..self.deeds.len());
        let deed = &mut self.deeds[at];
        let before = format!("{deed:?}");
        match &mut deed.what {
            What::Connected { local, .. } if rng.bool() => {
                *local = Some(([127, 0, 0, 2], 1).into());
                // With one connection in all, no address would be ours.
                self.devices += 1;
                let mut other = self.deeds.clone();
                for deed in &mut other {
                    deed.device = self.devices - 1;
                }
                self.deeds.extend(other);
            }
            What::Died(death) if rng.bool() => {
                *death = match death {
                    Death::Disconnect | Death::DisconnectWith(_) | Death::Stay => Death::Fin,
                    _ => Death::Disconnect,
                };
            }
            _ => {
                self.deeds.remove(at);
            }
        }
        before
    }
}

impl Life {
    fn port(&self) -> u16 {
        u16::try_from(7_000 + self.device * 100 + self.number).expect("few devices")
    }

    fn deed(&self, at: u64, last_sent: u64, what: What) -> Deed {
        let (device, life, connection) = (self.device, self.number, self.number);
        Deed { device, life, connection, at: ms(at), last_sent: ms(last_sent), what }
    }

    fn is_goodbye(&self) -> bool {
        matches!(self.death, Death::Disconnect | Death::DisconnectWith(_) | Death::Stay)
    }

    fn is_silent(&self) -> bool {
        matches!(self.death, Death::Silence | Death::NatDrop)
    }
}

/// One voice telling of one life.
struct Telling<'a> {
    story: &'a mut Story,
    voice: &'static str,
    life: &'a Life,
    /// An end of an earlier life has not been told, so that one that comes now may be that.
    owes: bool,
}

impl Telling<'_> {
    fn tell(&mut self, rng: &mut Rng, is_flawed: bool) {
        let flaw = if is_flawed { rng.u32(0..12) } else { u32::MAX };
        let opened = self.life.asked + rng.u64(10..900);
        let connect = Act::Connect;
        match flaw {
            0 => self.find(connect, Outcome::Missed),
            1 => {
                // Its beginning may be told last of all, if the end names its connection.
                self.say(Opened, self.life.asked + rng.u64(1_003..8_000));
                self.find(connect, Outcome::Late);
            }
            _ => {
                self.say(Opened, opened);
                self.find(connect, Outcome::Reported);
            }
        }
        if flaw == 2 {
            self.say(Opened, opened + rng.u64(0..5_000));
            self.count(Some(connect), AGAIN);
        }
        if flaw == 3 && self.voice == "lmq" {
            let channel = Some(format!("other-{}-{}", self.life.device, self.life.number));
            let address = "192.0.2.1:9".to_owned();
            let report = self.report(Closed, rng.u64(0..END));
            self.story.reports.push(Report { channel, address, ..report });
            self.count(None, STRAY);
        }
        if flaw == 4 && !self.owes {
            // Before that it might be a will that was to be cancelled.
            self.say(Closed, self.life.asked + rng.u64(6_000..9_000));
            self.count(None, FALSE);
        }
        self.tell_end(rng, flaw);
    }

    fn tell_end(&mut self, rng: &mut Rng, flaw: u32) {
        let act = Act::Died(self.life.death);
        let Some((earliest, latest)) = self.due() else {
            let is_withheld = self.voice == "status";
            if flaw == 5 && is_withheld && self.life.taken_over.is_none() && !self.owes {
                self.say(Closed, self.life.end + rng.u64(10..900));
                return self.find(act, Outcome::Unwanted);
            }
            let quiet = if is_withheld { Outcome::Withheld } else { Outcome::NotObservable };
            return self.find(act, quiet);
        };
        let closed = rng.u64(earliest..latest);
        let is_brokers = self.voice != "status";
        let is_named = self.voice == "lmq";
        let is_goodbye = is_brokers && self.life.is_goodbye();
        let is_kept = is_named || self.life.taken_over.is_none();
        let (arrived, outcome) = match flaw {
            6 => {
                self.owes = true;
                return self.find(act, Outcome::Missed);
            }
            7 if is_kept => (latest + rng.u64(10..5_000), Outcome::Late),
            8 if is_brokers => {
                if !is_goodbye {
                    self.say(Farewell, closed);
                }
                self.say(Closed, closed);
                self.owes = false;
                return self.find(act, Outcome::WrongKind);
            }
            9 if self.life.is_silent() && self.life.taken_over.is_none() => {
                (rng.u64(self.life.end..earliest), Outcome::Early)
            }
            10 if is_named && !self.life.is_silent() => {
                self.count(None, FALSE);
                (rng.u64(self.life.asked + 8_500..self.life.end - 600), Outcome::Early)
            }
            _ => (closed, Outcome::Reported),
        };
        if is_goodbye {
            self.say(Farewell, arrived);
        }
        self.say(Closed, arrived);
        self.find(act, outcome);
        self.owes = false;
        if flaw == 11 && is_kept {
            self.say(Closed, arrived + rng.u64(0..1_000));
            self.count(Some(act), AGAIN);
        }
    }

    /// When its end is to be told, in ms; `None` if it is not.
    fn due(&self) -> Option<(u64, u64)> {
        let life = self.life;
        let delay = u64::from(self.story.promise.will_delay_s());
        let is_device = self.voice == "status";
        if let Some(back) = life.taken_over {
            return match self.voice {
                "mosquitto" => None,
                // Before the birth of the newcomer.
                "status" => (delay == 0).then_some((back, back + 9)),
                _ => Some((back, back + 1_002)),
            };
        }
        if is_device && matches!(life.death, Death::Disconnect | Death::Stay) {
            return None;
        }
        let (mut earliest, mut latest) = (life.end, life.end + 1_000);
        if life.is_silent() {
            (earliest, latest) = (life.last_sent + 6_000, life.last_sent + 8_500);
        }
        if is_device && delay > 0 {
            (earliest, latest) = (earliest + delay * 1_000, latest + delay * 1_000 + 1_500);
        }
        Some((earliest, latest))
    }

    fn say(&mut self, kind: EventKind, arrived: u64) {
        let report = self.report(kind, arrived);
        self.story.reports.push(report);
    }

    fn report(&self, kind: EventKind, arrived: u64) -> Report {
        let life = self.life;
        let is_named = self.voice == "lmq" || (self.voice == "mosquitto" && kind == Opened);
        let address = if is_named { format!("127.0.0.1:{}", life.port()) } else { String::new() };
        let channel = format!("channel-{}-{}", life.device, life.number);
        Report {
            client: client(life.device),
            voice: self.voice,
            kind,
            channel: (self.voice == "lmq").then_some(channel),
            address,
            stamped: None,
            arrived: ms(arrived),
            standing: false,
        }
    }

    fn find(&mut self, act: Act, outcome: Outcome) {
        self.count(Some(act), &format!("{outcome:?}"));
    }

    fn count(&mut self, act: Option<Act>, what: &str) {
        let key = (self.voice.to_owned(), act, what.to_owned());
        *self.story.expected.entry(key).or_default() += 1;
    }
}

trait Delay {
    fn will_delay_s(&self) -> u32;
}

impl Delay for Promise {
    fn will_delay_s(&self) -> u32 {
        self.will.unwrap_or(0)
    }
}

fn client(device: u32) -> String {
    format!("client-{device}")
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
