//! `--exec`: a command for each change, a few at a time, without ever holding up who watches.

mod job;
mod program;
mod queue;
mod run;

use crate::cli::watch::{Acting, On};
use crate::clock;
use crate::failure::Failure;
use crate::output::acted::Commands;
use crate::output::number::grouped;
use crate::output::warning::Warning;
use crate::state::presence::Change;
use job::Job;
use program::Program;
use queue::{Key, Queue};
use run::{Ran, run};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// The commands of one run of `watch`.
#[derive(Debug)]
pub struct Exec {
    shared: Arc<Shared>,
    worker: JoinHandle<()>,
    stop: watch::Sender<bool>,
    longest: Duration,
    told: Told,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue<Job>,
    commands: Commands,
    /// Whose run failed last, and how.
    last: Option<(String, String)>,
    /// Nothing more is pushed.
    closing: bool,
}

/// What the user has been warned of.
#[derive(Debug, Default)]
struct Told {
    failed: u64,
    dropped: u64,
    at: Option<Instant>,
}

/// Between two warnings.
const WARN_EVERY: Duration = Duration::from_secs(10);

impl Exec {
    /// Makes ready what was asked for. Needs a running tokio.
    pub fn new(options: &Acting) -> Result<Option<Self>, Failure> {
        let Some(line) = &options.exec else { return Ok(None) };
        let program = Program::read(line, std::env::var_os("PATH").as_deref())?;
        let waiting_max = usize::try_from(options.exec_queue).unwrap_or(usize::MAX);
        let parallel = usize::from(options.exec_parallel);
        Ok(Some(Self::start(program, parallel, waiting_max, options.exec_timeout)))
    }

    fn start(program: Program, parallel: usize, waiting_max: usize, longest: Duration) -> Self {
        let state = State {
            queue: Queue::new(waiting_max),
            commands: Commands::default(),
            last: None,
            closing: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), bell: Notify::new() });
        let (stop, stopped) = watch::channel(false);
        let worker = Arc::clone(&shared).work(Arc::new(program), parallel, longest, stopped);
        Self { shared, worker: tokio::spawn(worker), stop, longest, told: Told::default() }
    }

    /// Leaves a change to the commands. Never waits.
    pub fn push(&self, broker: usize, instance: &str, change: &Change, on: &[On]) {
        let key = (broker, change.verdict.client.as_str().into());
        self.shared.state().queue.push(key, Job::new(instance, change, on));
        self.shared.bell.notify_one();
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
        let state = self.shared.state();
        let mut warnings = Vec::new();
        let failed = state.commands.failed - self.told.failed;
        if let Some((client, cause)) = &state.last
            && failed > 0
        {
            let (client, cause) = (client.clone(), cause.clone());
            warnings.push(Warning::CommandsFailed { count: failed, client, cause });
        }
        let (_, dropped) = state.queue.left_out();
        let changes = dropped - self.told.dropped;
        if changes > 0 {
            let next = "raise `--exec-parallel` or `--exec-queue`, or choose with `--exec-on`";
            warnings.push(Warning::LeftOut { option: "--exec", changes, next });
        }
        self.told.failed = state.commands.failed;
        self.told.dropped = dropped;
        warnings
    }

    /// Returns what became of the commands so far.
    pub fn so_far(&self) -> Commands {
        let state = self.shared.state();
        let (superseded, dropped) = state.queue.left_out();
        Commands { superseded, dropped, ..state.commands }
    }

    /// Returns what is worth a place on the status line.
    pub fn status(&self) -> Option<String> {
        let state = self.shared.state();
        let left = state.queue.waiting() + state.queue.at_work();
        (left > 0).then(|| format!("{} for --exec", grouped(left as u64)))
    }

    /// Begins the end: nothing more is pushed. Returns what ends all that is at work.
    pub fn begin_close(&self) -> watch::Sender<bool> {
        self.shared.state().closing = true;
        self.shared.bell.notify_one();
        self.stop.clone()
    }

    /// Waits for what is at work and what waits after `begin_close`, but not for longer than one command
    /// may take; returns what became of all, and the last warnings.
    pub async fn close(mut self) -> (Commands, Vec<Warning>) {
        if timeout(self.longest, &mut self.worker).await.is_err() {
            self.stop.send_replace(true);
            // They are all being ended, which is bounded itself.
            let _ = (&mut self.worker).await;
        }
        let warnings = self.news();
        let not_run = self.shared.state().queue.waiting() as u64;
        (Commands { not_run, ..self.so_far() }, warnings)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what waits, at most `parallel` at a time, until there is nothing left and nothing to come.
    async fn work(
        self: Arc<Self>,
        program: Arc<Program>,
        parallel: usize,
        longest: Duration,
        stop: watch::Receiver<bool>,
    ) {
        let mut running: JoinSet<(Key, String, Ran)> = JoinSet::new();
        loop {
            while running.len() < parallel && !*stop.borrow() {
                let Some((key, job)) = self.state().queue.start() else { break };
                let (program, stop) = (Arc::clone(&program), stop.clone());
                running.spawn(async move {
                    let ran = run(&program, &job, longest, stop).await;
                    (key, job.client, ran)
                });
            }
            if running.is_empty() && self.state().closing {
                return;
            }
            tokio::select! {
                () = self.bell.notified() => {}
                Some(ended) = running.join_next() => match ended {
                    Ok((key, client, ran)) => self.state().ended(&key, client, &ran),
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                },
            }
        }
    }
}

impl State {
    fn ended(&mut self, key: &Key, client: String, ran: &Ran) {
        self.queue.finished(key);
        self.commands.run += 1;
        let (Ran::Failed(cause) | Ran::TimedOut(cause)) = ran else { return };
        self.commands.failed += 1;
        self.commands.timed_out += u64::from(matches!(ran, Ran::TimedOut(_)));
        self.last = Some((client, cause.clone()));
    }
}

#[cfg(test)]
mod tests;
