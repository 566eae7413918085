//! Findings in the making: counts by what is counted together, and the first faults.

use super::connection::Micros;
use super::findings::{Act, FAULTS_MAX, Fault, Findings, Key, Naming, Outcome, Row, Voice, Wrong};
use super::judge::{Finding, Verdict};
use super::window::Window;
use foldhash::quality::FixedState;
use hashbrown::HashMap;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Whose findings are taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub device: u32,
    pub client: &'a str,
}

/// What was counted so far.
#[derive(Debug)]
pub(super) struct Gathering {
    begun: Micros,
    pub findings: Findings,
    /// Of the voice in hand.
    voice: &'static str,
    told: Voice,
    rows: HashMap<(Act, Option<Window>), Row, FixedState>,
    /// The first ones; the last of them on top.
    faults: BinaryHeap<Fault>,
}

impl Gathering {
    pub(super) fn new(begun: Micros) -> Self {
        Self {
            begun,
            findings: Findings::default(),
            voice: "",
            told: Voice::default(),
            rows: HashMap::default(),
            faults: BinaryHeap::new(),
        }
    }

    /// Begins with another voice, which said so much in all.
    pub(super) fn begin(&mut self, voice: &'static str, reports: u64) {
        self.end_voice();
        self.voice = voice;
        self.told = Voice { reports, ..Voice::default() };
    }

    /// Takes in what a voice made of one client. `number` gives the number of the connection at a place.
    pub(super) fn take(
        &mut self,
        subject: Subject<'_>,
        findings: &[Finding],
        naming: Naming,
        number: impl Fn(usize) -> u32,
    ) {
        self.told.names = self.told.names.min(naming);
        for finding in findings {
            match *finding {
                Finding::Deed { place, act, window, from, verdict } => {
                    let Verdict { outcome, delay, .. } = verdict;
                    let is_told = !matches!(outcome, Outcome::Unwanted | Outcome::NotObservable);
                    let row = self.rows.entry((act, window)).or_default();
                    row.count(outcome, delay.filter(|_| is_told));
                    if outcome.is_fault() {
                        let what = Wrong::Told(act, outcome);
                        self.fault(subject, from, number(place), what, delay);
                    }
                }
                Finding::Duplicate { place, act, window, arrived, delay } => {
                    self.rows.entry((act, window)).or_default().duplicates += 1;
                    let what = Wrong::Duplicate(act);
                    self.fault(subject, arrived, number(place), what, Some(delay));
                }
                Finding::FalseOffline { place, arrived } => {
                    self.told.false_offline += 1;
                    self.fault(subject, arrived, number(place), Wrong::FalseOffline, None);
                }
                Finding::Stray { place, arrived } => {
                    self.told.strays += 1;
                    self.fault(subject, arrived, number(place), Wrong::Stray, None);
                }
            }
        }
    }

    pub(super) fn fault(
        &mut self,
        subject: Subject<'_>,
        at: Micros,
        connection: u32,
        what: Wrong,
        delay_us: Option<i64>,
    ) {
        self.findings.faults_total += 1;
        let at = Duration::from_micros(at.saturating_sub(self.begun));
        let is_full = self.faults.len() >= FAULTS_MAX;
        if is_full
            && self.faults.peek().is_some_and(|last| (last.at, last.device) < (at, subject.device))
        {
            return;
        }
        self.faults.push(Fault {
            at,
            device: subject.device,
            client: subject.client.to_owned(),
            connection,
            voice: self.voice.to_owned(),
            what,
            delay_us,
        });
        if is_full {
            self.faults.pop();
        }
    }

    /// Ends with the last voice: what follows is nobody's word.
    pub(super) fn end_voice(&mut self) {
        if self.voice.is_empty() {
            return;
        }
        for ((act, window), row) in self.rows.drain() {
            let key = Key { voice: self.voice.to_owned(), act, window };
            self.findings.rows.insert(key, row);
        }
        self.findings.voices.insert(self.voice.to_owned(), self.told);
        self.voice = "";
    }

    pub(super) fn finish(mut self) -> Findings {
        self.end_voice();
        self.findings.faults = self.faults.into_sorted_vec();
        self.findings
    }
}
