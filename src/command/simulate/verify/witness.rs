//! Both sides of the line while a run goes on: deeds as they are done, and what is said of them.

use super::evidence::Evidence;
use super::lag::Lag;
use crate::clock;
use crate::command::watcher::{End, News, Testimony};
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::verification::{SAMPLES_MAX, Sample};
use crate::simulate::deed::{Deed, What};
use crate::simulate::plan::Plan;
use crate::simulate::verify::Verification;
use crate::simulate::verify::findings::Findings;
use crate::state::presence::Change;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Living,
    /// The plan is carried out, and reports may still come.
    Settling,
    /// Everything that was done until then is judged.
    Over(Duration),
}

/// Who hears what is said, and knows what was done.
pub struct Witness {
    evidence: Evidence,
    verification: Verification,
    /// What is believed of a device, by number; nothing is believed of who was never heard of.
    believed: HashMap<u32, Option<bool>>,
    alive: BTreeSet<u32>,
    online: u64,
    deaf_since: Option<Duration>,
    /// The watcher has given up.
    is_gone: bool,
    last_news: Duration,
    begun: Option<Duration>,
    /// When the first life begins by the plan.
    first_ms: u64,
    plan_ms: u64,
    stage: Stage,
    /// Reports that are due and have not come, as counted last.
    outstanding: u64,
    timeline: Vec<Sample>,
}

impl Witness {
    pub fn new(evidence: Evidence, verification: Verification, plan: &Plan) -> Self {
        let now = clock::uptime();
        Self {
            evidence,
            verification,
            believed: HashMap::new(),
            alive: BTreeSet::new(),
            online: 0,
            deaf_since: None,
            is_gone: false,
            last_news: now,
            begun: None,
            first_ms: plan.lives().map(|life| life.begin_ms).min().unwrap_or_default(),
            plan_ms: plan.end_ms,
            stage: Stage::Living,
            outstanding: 0,
            timeline: Vec::new(),
        }
    }

    /// Returns what was heard next; `None` if the watcher has given up.
    pub async fn next(&mut self) -> Option<News> {
        self.evidence.next().await
    }

    /// Tells whether nothing will be heard any more.
    pub const fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Tells whether something may still be done or told that counts.
    pub const fn is_waiting(&self) -> bool {
        !matches!(self.stage, Stage::Over(_))
    }

    /// Returns how many reports are still to come, once the plan is carried out.
    pub fn outstanding_after_plan(&self) -> Option<u64> {
        (self.stage == Stage::Settling).then_some(self.outstanding)
    }

    pub fn deed(&mut self, deed: &Deed) {
        match &deed.what {
            What::Connected { .. } => {
                let since_begun = Duration::from_millis(self.first_ms);
                self.begun.get_or_insert(deed.at.saturating_sub(since_begun));
                self.alive.insert(deed.device);
            }
            What::Died(_) | What::GaveUp | What::Lost { .. } | What::Stopped => {
                self.alive.remove(&deed.device);
            }
            What::Failed { .. } | What::Noticed | What::Refused { .. } => {}
        }
        if self.is_waiting() {
            self.last_news = self.last_news.max(deed.at);
            self.verification.deed(deed);
        }
    }

    pub fn news(&mut self, news: Option<News>, console: &mut Console) {
        let Some(news) = news else {
            self.is_gone = true;
            self.deaf_since.get_or_insert_with(clock::uptime);
            return;
        };
        match news {
            News::Testimony(testimony) => self.testimony(testimony),
            News::Changes(changes) => changes.iter().for_each(|change| self.change(change)),
            News::Warning(warning) => console.warn(&warning),
            News::Debug(text) => console.debug(text),
            News::Known(_)
            | News::Messages(_)
            | News::Voice(_)
            | News::Part { .. }
            | News::Pulse(_) => {}
        }
    }

    fn testimony(&mut self, testimony: Testimony) {
        match testimony {
            // What comes now is about goodbyes that nobody looks at any more.
            Testimony::Reports(_) if !self.is_waiting() => {}
            Testimony::Reports(reports) => {
                for report in reports {
                    self.last_news = self.last_news.max(report.arrived);
                    self.verification.report(&report);
                }
            }
            Testimony::Deaf(since) => {
                self.deaf_since.get_or_insert(since);
            }
            Testimony::Hearing(now) => {
                if let Some(since) = self.deaf_since.take() {
                    self.verification.deaf(since, now);
                }
            }
            Testimony::Missed(since) => self.verification.deaf(since, clock::uptime()),
            Testimony::Broker(_) => {}
        }
    }

    fn change(&mut self, change: &Change) {
        let Some(number) = self.verification.device(&change.verdict.client) else { return };
        let now = change.verdict.status.online();
        let before = self.believed.insert(number, now).flatten();
        self.online += u64::from(now == Some(true));
        self.online -= u64::from(before == Some(true));
    }

    /// Takes the state of the fleet down, and decides whether all has been told. The run ends early if
    /// nobody lives any more, or if it was interrupted.
    pub fn tick(&mut self, nobody_lives: bool, was_interrupted: bool) {
        let now = clock::uptime();
        self.sample(now);
        let has_lived = nobody_lives
            || self.begun.is_some_and(|begun| now >= begun + Duration::from_millis(self.plan_ms));
        if self.stage == Stage::Living && has_lived {
            self.stage = Stage::Settling;
        }
        let gives_up = was_interrupted && nobody_lives && self.is_quiet(now);
        if self.stage == Stage::Settling && (gives_up || self.is_settled(now)) {
            self.end_at(now);
        }
    }

    /// Ends what counts, and notes what is believed of each device now, and what is true.
    fn end_at(&mut self, now: Duration) {
        self.stage = Stage::Over(now);
        for number in self.verification.devices().collect::<Vec<_>>() {
            let believed = self.believed.get(&number).copied().flatten();
            self.verification.state(number, self.alive.contains(&number), believed);
        }
    }

    fn is_quiet(&self, now: Duration) -> bool {
        now.saturating_sub(self.last_news) >= QUIET
    }

    /// Tells whether everything that is due has been told, or has not for so long that it never will.
    fn is_settled(&mut self, now: Duration) -> bool {
        let outstanding = self.verification.outstanding(now, PATIENCE).count;
        self.outstanding = u64::try_from(outstanding).unwrap_or(u64::MAX);
        if !self.is_quiet(now) {
            return false;
        }
        let ends = self.begun.unwrap_or_default() + Duration::from_millis(self.plan_ms);
        // A broker that is heard no more says nothing more.
        self.outstanding == 0 || self.deaf_since.is_some() || now >= ends + SETTLE_MAX
    }

    fn sample(&mut self, now: Duration) {
        let Some(begun) = self.begun else { return };
        let step = u64::max(self.plan_ms.div_ceil(SAMPLES), SAMPLE_MIN_MS);
        let next = self.timeline.last().map_or(0, |last| last.at_ms + step);
        let passed = u64::try_from(now.saturating_sub(begun).as_millis()).unwrap_or(u64::MAX);
        if passed >= next && self.timeline.len() < SAMPLES_MAX {
            self.timeline.push(Sample {
                at_ms: next,
                alive: u64::try_from(self.alive.len()).unwrap_or(u64::MAX),
                online: self.deaf_since.is_none().then_some(self.online),
            });
        }
    }

    /// Judges what was done and said until everything was told.
    pub fn judge(&mut self) -> Findings {
        let over_at = if let Stage::Over(at) = self.stage {
            at
        } else {
            let now = clock::uptime();
            self.end_at(now);
            now
        };
        if let Some(since) = self.deaf_since {
            self.verification.deaf(since, Duration::MAX);
        }
        self.verification.judge(over_at)
    }

    /// Returns when the run began, by [`clock::uptime`].
    pub fn begun(&self) -> Option<Duration> {
        self.begun
    }

    /// Stops listening. Returns how many lived and were believed to live in the course of the run, how late
    /// the watcher got its turn, and what it heard in all.
    ///
    /// Errors: why the watcher had to give up.
    pub async fn end(self) -> (Vec<Sample>, Arc<Lag>, Result<End, Failure>) {
        let lag = Arc::clone(&self.evidence.lag);
        (self.timeline, lag, self.evidence.end().await)
    }
}

/// How long nothing may have come in before the end is believed.
const QUIET: Duration = Duration::from_secs(1);
/// How long after its window a report may still come, so that late is told from missed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long after the plan reports are waited for at most: who promised to be silent for hours is not.
const SETTLE_MAX: Duration = Duration::from_mins(5);
/// Moments that are noted while the plan is carried out.
const SAMPLES: u64 = 500;
const SAMPLE_MIN_MS: u64 = 100;
