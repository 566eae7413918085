//! Makes requests to an API: so fast and no faster, and never past the deadline.

use super::api::Api;
use super::client::{Client, Missed};
use super::exchange::{Question, Reply, Trouble};
use crate::clock;
use crate::event::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What all threads that ask an API have in common.
#[derive(Debug)]
pub struct Asker {
    pub api: Arc<dyn Api>,
    client: Arc<Client>,
    /// When the next request may be made.
    turn: Mutex<Instant>,
    requests: AtomicU32,
    /// Nobody waits for more, or all the rest would fail alike.
    over: AtomicBool,
    pub deadline: Instant,
}

impl Asker {
    #[must_use]
    pub fn new(api: &Arc<dyn Api>, client: &Arc<Client>, deadline: Instant) -> Self {
        Self {
            api: Arc::clone(api),
            client: Arc::clone(client),
            turn: Mutex::new(clock::monotonic()),
            requests: AtomicU32::new(0),
            over: AtomicBool::new(false),
            deadline,
        }
    }

    /// Returns how many requests were made.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(clock::monotonic())
    }

    /// Asks once more where the API wants to be asked later, if that is soon enough, and where a
    /// connection broke. Returns the reply, and when it was asked for.
    pub fn ask_patiently(&self, question: &Question) -> Result<(Reply, Timestamp), Missed> {
        let mut waits = BUSY_WAITS.iter();
        loop {
            let answered = self.ask_twice(question)?;
            match waits.next() {
                Some(wait) if self.api.is_busy(&answered.0) && self.hold(*wait) => {}
                // What it says then is read as it is.
                _ => return Ok(answered),
            }
        }
    }

    fn ask_twice(&self, question: &Question) -> Result<(Reply, Timestamp), Missed> {
        match self.ask(question) {
            Err(Missed::NotNow { trouble, after: Some(after) }) => {
                if !self.hold(after) {
                    let cause =
                        format!("{}; it asks for {} s of patience", trouble.cause, after.as_secs());
                    return Err(Missed::Trouble(Trouble { cause, ..trouble }));
                }
                self.ask(question)
            }
            Err(Missed::Broken(_)) => self.ask(question),
            other => other,
        }
    }

    fn ask(&self, question: &Question) -> Result<(Reply, Timestamp), Missed> {
        self.wait_turn()?;
        let at = clock::now();
        let left = self.left();
        if left.is_zero() {
            return Err(Missed::Late);
        }
        let mut question = question.clone();
        self.api.complete(&mut question, at);
        let proof = self.api.prove(&question, at);
        let request = self.client.request(&question, proof).map_err(Missed::Trouble)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let reply = self.client.carry(request, question.about.is_everyone(), left)?;
        let reply = if self.api.explains_refusals() {
            self.client.sort_strangers(reply)?
        } else {
            self.client.sort(reply, at.0.div_euclid(1_000))?
        };
        Ok((reply, at))
    }

    /// Lets everyone wait before the next request, since the others would be told the same. Returns whether
    /// that is before the deadline.
    fn hold(&self, time: Duration) -> bool {
        let until = clock::monotonic() + time.min(DAY);
        if until >= self.deadline {
            return false;
        }
        let mut turn = lock(&self.turn);
        *turn = (*turn).max(until);
        true
    }

    /// Waits until the next request may be made.
    fn wait_turn(&self) -> Result<(), Missed> {
        let now = clock::monotonic();
        let mut turn = lock(&self.turn);
        let mine = (*turn).max(now);
        if mine >= self.deadline {
            return Err(Missed::Late);
        }
        *turn = mine + Duration::from_secs(1) / self.api.facts().per_second.max(1);
        drop(turn);
        thread::sleep(mine.saturating_duration_since(now));
        if self.is_over() { Err(Missed::Late) } else { Ok(()) }
    }
}

/// How long an API that is busy is left alone, each time that it says so.
const BUSY_WAITS: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];
/// Longer patience is asked of nobody who has a deadline.
const DAY: Duration = Duration::from_hours(24);

/// A thread that died holds nothing half done.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
