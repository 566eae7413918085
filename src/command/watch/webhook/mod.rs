//! `--webhook`: changes posted in batches from a thread of their own, again until they are taken.
//!
//! Who watches never waits for it: what it leaves lies in an [`Outbox`], which is bounded.

mod outbox;
mod target;

use crate::cli::watch::Acting;
use crate::clock;
use crate::failure::Failure;
use crate::output::acted::Posts;
use crate::output::number::grouped;
use crate::output::object::ChangeObject;
use crate::output::warning::Warning;
use crate::random::Random;
use crate::state::presence::Change;
use outbox::Outbox;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use target::{Answer, Target};

/// The webhook of one run of `watch`.
#[derive(Debug)]
pub struct Webhook {
    shared: Arc<Shared>,
    /// How long is waited at the end.
    patience: Duration,
    told: Told,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
    target: Target,
    pace: Pace,
    /// Names the run: with the number of a batch it tells a repetition.
    run: String,
}

#[derive(Debug)]
struct State {
    outbox: Outbox,
    posts: Posts,
    /// Changes of the batch that is being posted.
    in_flight: usize,
    trouble: Option<Trouble>,
    /// Nothing more is pushed, and nothing is tried again after that.
    closing: Option<Instant>,
    done: bool,
}

/// Why the last attempt failed; nothing since it went well.
#[derive(Clone, Debug)]
struct Trouble {
    cause: String,
    refused: bool,
    told: bool,
}

/// What the user has been warned of.
#[derive(Debug, Default)]
struct Told {
    dropped: u64,
    at: Option<Instant>,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// For a batch to fill.
    gather: Duration,
    /// Before the first repetition, which is doubled each time, and at most.
    again: Duration,
    again_max: Duration,
}

const PACE: Pace = Pace {
    gather: Duration::from_secs(1),
    again: Duration::from_secs(1),
    again_max: Duration::from_mins(1),
};
/// However much later the other side asks for.
const AFTER_MAX: Duration = Duration::from_mins(10);
const WARN_EVERY: Duration = Duration::from_secs(30);
/// At the end, for an attempt that is at its own limit of time.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

impl Webhook {
    /// Makes ready what was asked for.
    pub fn new(options: &Acting) -> Result<Option<(Self, Vec<Warning>)>, Failure> {
        let Some((target, warnings)) = Target::new(options)? else { return Ok(None) };
        let waiting_max = usize::try_from(options.webhook_queue).unwrap_or(usize::MAX);
        let webhook = Self::start(target, waiting_max, options.webhook_timeout, PACE)?;
        Ok(Some((webhook, warnings)))
    }

    fn start(
        target: Target,
        waiting_max: usize,
        patience: Duration,
        pace: Pace,
    ) -> Result<Self, Failure> {
        let could_not = |error: &dyn std::fmt::Display| {
            Failure::new("could not make the webhook ready").because(error)
        };
        let seed = getrandom::u64().map_err(|error| could_not(&error))?;
        let state = State {
            outbox: Outbox::new(waiting_max),
            posts: Posts::default(),
            in_flight: 0,
            trouble: None,
            closing: None,
            done: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            bell: Condvar::new(),
            target,
            pace,
            run: format!("{seed:016x}"),
        });
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("webhook".into())
            .spawn(move || worker.work(Random::new(seed, 0)))
            .map_err(|error| could_not(&error))?;
        Ok(Self { shared, patience, told: Told::default() })
    }

    /// Leaves a change to be posted. Never waits.
    pub fn push(&self, instance: &str, change: &Change) {
        let object = serde_json::to_string(&ChangeObject::new(instance, change));
        if let Ok(object) = object {
            self.shared.state().outbox.push(object, clock::monotonic());
            self.shared.bell.notify_all();
        }
    }

    /// Returns what there is to warn of, now and then.
    pub fn warnings(&mut self) -> Vec<Warning> {
        let now = clock::monotonic();
        if self.told.at.is_some_and(|at| now.duration_since(at) < WARN_EVERY) {
            return Vec::new();
        }
        let warnings = self.news();
        if !warnings.is_empty() {
            self.told.at = Some(now);
        }
        warnings
    }

    fn news(&mut self) -> Vec<Warning> {
        let mut state = self.shared.state();
        let mut warnings = Vec::new();
        if let Some(trouble) = state.trouble.as_mut().filter(|trouble| !trouble.told) {
            trouble.told = true;
            let Trouble { cause, refused, .. } = trouble.clone();
            let url = self.shared.target.shown.clone();
            warnings.push(Warning::NotPosted { url, cause, refused });
        }
        let changes = state.outbox.dropped() - self.told.dropped;
        if changes > 0 {
            let next = "see why it is slow, raise `--webhook-queue`, or choose with `--webhook-on`";
            warnings.push(Warning::LeftOut { option: "--webhook", changes, next });
        }
        self.told.dropped = state.outbox.dropped();
        warnings
    }

    /// Returns what became of the changes so far.
    pub fn so_far(&self) -> Posts {
        let state = self.shared.state();
        Posts { dropped: state.outbox.dropped(), ..state.posts }
    }

    /// Returns what is worth a place on the status line.
    pub fn status(&self) -> Option<String> {
        let state = self.shared.state();
        let waiting = state.outbox.waiting() + state.in_flight;
        (waiting > 0).then(|| format!("{} for --webhook", grouped(waiting as u64)))
    }

    /// Begins the end: what is left gets as long as one attempt may take. Returns what makes it shorter.
    pub fn begin_close(&self) -> Hurry {
        self.shared.state().closing = Some(clock::monotonic() + self.patience);
        self.shared.bell.notify_all();
        Hurry(Arc::clone(&self.shared))
    }

    /// Waits for what is left after `begin_close`; returns what became of all, and the last warnings.
    pub fn close(mut self) -> (Posts, Vec<Warning>) {
        let mut state = self.shared.state();
        while !state.done {
            let now = clock::monotonic();
            let until = state.closing.unwrap_or(now);
            let left = (until + CLOSE_GRACE).saturating_duration_since(now);
            if left.is_zero() {
                break;
            }
            state = self.shared.wait(state, left);
        }
        let unsent = (state.outbox.waiting() + state.in_flight) as u64;
        drop(state);
        (Posts { unsent, ..self.so_far() }, self.news())
    }
}

/// Ends the wait of a webhook that is being closed.
#[derive(Debug)]
pub struct Hurry(Arc<Shared>);

impl Hurry {
    pub fn hurry(&self) {
        self.0.state().closing = Some(clock::monotonic());
        self.0.bell.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, longest: Duration) -> MutexGuard<'a, State> {
        let waited = self.bell.wait_timeout(state, longest);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn work(&self, mut random: Random) {
        let mut sequence = 0;
        while let Some((batch, dropped)) = self.next_batch() {
            sequence += 1;
            let body = self.body(&batch, sequence, dropped);
            if !self.deliver(&body, batch.len(), &mut random) {
                break;
            }
        }
        self.state().done = true;
        self.bell.notify_all();
    }

    /// Waits for a batch, and returns it with how many were dropped so far; `None` at the end.
    fn next_batch(&self) -> Option<(Vec<String>, u64)> {
        let mut state = self.state();
        loop {
            let now = clock::monotonic();
            match state.outbox.due_in(self.pace.gather, now) {
                None if state.closing.is_some() => return None,
                None => state = self.wait(state, AFTER_MAX),
                Some(wait) if wait.is_zero() || state.closing.is_some() => {
                    let batch = state.outbox.take_batch(now);
                    state.in_flight = batch.len();
                    return Some((batch, state.outbox.dropped()));
                }
                Some(wait) => state = self.wait(state, wait),
            }
        }
    }

    fn body(&self, batch: &[String], sequence: u64, dropped: u64) -> String {
        format!(
            r#"{{"type":"changes","run":"{}","sequence":{sequence},"dropped":{dropped},"changes":[{}]}}"#,
            self.run,
            batch.join(",")
        )
    }

    /// Posts a batch until it is taken or refused. Returns false where the end came first.
    fn deliver(&self, body: &str, changes: usize, random: &mut Random) -> bool {
        let mut wait = self.pace.again;
        loop {
            let answer = self.target.post(body.as_bytes(), clock::now().0.div_euclid(1_000));
            let mut state = self.state();
            match answer {
                Answer::Taken => {
                    state.posts.delivered += changes as u64;
                    state.posts.batches += 1;
                    state.trouble = None;
                    state.in_flight = 0;
                    return true;
                }
                Answer::Refused { cause } => {
                    state.posts.refused += changes as u64;
                    state.trouble = Some(Trouble { cause, refused: true, told: false });
                    state.in_flight = 0;
                    return true;
                }
                Answer::NotNow { cause, after } => {
                    let told = state.trouble.as_ref().is_some_and(|trouble| trouble.told);
                    state.trouble = Some(Trouble { cause, refused: false, told });
                    // Half of it is by chance, so that many watchers do not come back together.
                    let half = wait.as_millis().try_into().unwrap_or(u32::MAX) / 2;
                    let jittered = wait / 2 + Duration::from_millis(random.below(half + 1).into());
                    let pause = after.map_or(jittered, |after| after.min(AFTER_MAX).max(jittered));
                    wait = (wait * 2).min(self.pace.again_max);
                    if !self.pause(state, pause) {
                        return false;
                    }
                }
            }
        }
    }

    /// Waits before a repetition. Returns false where there is no time for one.
    fn pause(&self, mut state: MutexGuard<'_, State>, pause: Duration) -> bool {
        let until = clock::monotonic() + pause;
        loop {
            if state.closing.is_some_and(|end| until >= end) {
                return false;
            }
            let left = until.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                state.posts.retries += 1;
                return true;
            }
            state = self.wait(state, left);
        }
    }
}

#[cfg(test)]
mod tests;
