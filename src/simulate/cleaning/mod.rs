//! Removes from the broker what a run has made there: sessions and retained messages.
//!
//! Sessions first. Only the device itself can end its session: somebody connects under its name, with a
//! clean start, and says goodbye. That also settles a will which the broker holds back: it is published or
//! cancelled. Then the retained messages, over one connection where all devices have the same
//! credentials, else over that of each device.
//!
//! Every wait is bounded, and what could not be removed is told with the cause.

mod books;
mod caller;
mod sweep;

pub use books::{Cleaned, Kind, Left};

use super::dial::Route;
use super::driver::{Ended, Stop, asked};
use super::fleet::{Conduct, Fleet, Names};
use super::template::Template;
use super::trace::{Call, Trace};
use crate::source::mqtt::trouble::Trouble;
use crate::wire::Version;
use books::Books;
use caller::Caller;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use sweep::{Wills, sweep};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Removes what a run has made.
pub async fn run(fleet: &Arc<Fleet>, ended: &Ended, mut stop: watch::Receiver<Stop>) -> Cleaned {
    let chores: Vec<_> = ended
        .traces
        .iter()
        .filter(|trace| trace.call != Call::None)
        .map(|trace| Chore::new(fleet, *trace))
        .collect();
    // Behind a lock, so that an abort leaves the account of what was done before.
    let books = Arc::new(Mutex::new(account(&chores)));
    tokio::select! {
        () = clean(fleet, ended, &chores, &books) => {}
        () = asked(&mut stop, &[Stop::Abort]) => lock(&books).leave_rest("it was interrupted"),
    }
    let books = std::mem::take(&mut *lock(&books));
    books.close()
}

/// What is to be done for one device.
#[derive(Clone)]
struct Chore {
    trace: Trace,
    client_id: String,
    topics: Vec<String>,
    /// The will that the broker owes.
    will: Option<(String, bytes::Bytes)>,
    /// Somebody has to connect as the device.
    needs_visit: bool,
}

impl Chore {
    fn new(fleet: &Fleet, trace: Trace) -> Self {
        let client_id = fleet.client_id(trace.device);
        let topics = fleet.retained_topics(trace.device, &client_id);
        let will = fleet.will(trace.device, &client_id).filter(|_| trace.is_abrupt);
        let is_delayed =
            fleet.version() == Version::V5 && will.as_ref().is_some_and(|will| will.delay > 0);
        // Whether there is a will nobody knows; that of a connection that there was comes with the
        // visit at the latest.
        let is_doubtful = will.is_some() && trace.call != Call::Accepted;
        let needs_visit = trace.has_session
            || is_delayed
            || is_doubtful
            || (!fleet.shares_login() && !topics.is_empty());
        let will = will
            .filter(|will| will.retain && !is_delayed && !is_doubtful)
            .map(|will| (will.topic, will.payload));
        Self { trace, client_id, topics, will, needs_visit }
    }
}

fn account(chores: &[Chore]) -> Books {
    let mut books = Books::default();
    for chore in chores {
        if chore.trace.has_session {
            books.add(Kind::Session, chore.client_id.clone());
        }
        for topic in &chore.topics {
            books.add(Kind::Retained, topic.clone());
        }
        if let Some((topic, _)) = &chore.will {
            books.add(Kind::Will, topic.clone());
        }
    }
    books
}

type Shared = Arc<Mutex<Books>>;

fn lock(books: &Shared) -> std::sync::MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn clean(fleet: &Arc<Fleet>, ended: &Ended, chores: &[Chore], books: &Shared) {
    if chores.iter().all(|chore| !chore.needs_visit && chore.topics.is_empty()) {
        return;
    }
    let route = match &ended.route {
        Some(route) => Ok(route.clone()),
        None => Route::find(fleet).await.map(|mut routes| routes.swap_remove(0)),
    };
    let route = match route {
        Ok(route) => route,
        Err(failure) => {
            return lock(books).leave_rest(&failure.cause.unwrap_or(failure.what));
        }
    };
    let sweeps_alone = fleet.shares_login();
    visit_all(&route, fleet, chores, books, !sweeps_alone).await;
    let topics = lock(books).open(Kind::Retained);
    if sweeps_alone && !topics.is_empty() {
        let wills = chores.iter().filter_map(|chore| chore.will.clone()).collect();
        let cleaner = Arc::new(bare(fleet, Some("sim-{run}-cleaner")));
        let swept = sweep_twice(&route, &cleaner, 0, topics, wills, books).await;
        if let Err(trouble) = swept {
            lock(books).leave_rest(&trouble.to_string());
        }
    }
}

/// Connects as every device that needs it, some at a time.
async fn visit_all(
    route: &Route,
    fleet: &Arc<Fleet>,
    chores: &[Chore],
    books: &Shared,
    sweeps: bool,
) {
    let visitors = Arc::new(bare(fleet, None));
    let in_flight = Arc::new(Semaphore::new(fleet.in_flight.max(1)));
    let gone = Arc::new(Gone::default());
    let mut visits = JoinSet::new();
    for chore in chores.iter().filter(|chore| chore.needs_visit) {
        // It is never closed.
        let Ok(permit) = Arc::clone(&in_flight).acquire_owned().await else { return };
        if gone.is_certain() {
            break;
        }
        let (route, visitors, books) = (route.clone(), Arc::clone(&visitors), Arc::clone(books));
        let (chore, gone) = (chore.clone(), Arc::clone(&gone));
        visits.spawn(async move {
            let _permit = permit;
            let done = visit(&route, &visitors, &chore, &books, sweeps).await;
            gone.note(&done);
            if let Err(trouble) = done {
                leave(&chore, &trouble.to_string(), &mut lock(&books), sweeps);
            }
        });
        while visits.try_join_next().is_some() {}
    }
    while visits.join_next().await.is_some() {}
}

/// Connects as a device, and ends its session with a goodbye.
async fn visit(
    route: &Route,
    visitors: &Arc<Fleet>,
    chore: &Chore,
    books: &Shared,
    sweeps: bool,
) -> Result<(), Trouble> {
    let number = chore.trace.device;
    if sweeps && !chore.topics.is_empty() {
        let wills = chore.will.clone().into_iter().collect();
        sweep_twice(route, visitors, number, chore.topics.clone(), wills, books).await?;
    } else {
        leave_twice(route, visitors, number).await?;
    }
    lock(books).done(Kind::Session, &chore.client_id);
    Ok(())
}

/// Leaves what is still open of a chore.
fn leave(chore: &Chore, cause: &str, books: &mut Books, sweeps: bool) {
    books.leave(Kind::Session, &chore.client_id, cause.to_owned());
    for topic in chore.topics.iter().filter(|_| sweeps) {
        books.leave(Kind::Retained, topic, cause.to_owned());
        books.leave(Kind::Will, topic, cause.to_owned());
    }
}

/// Counts visits in a row that found no broker. Thousands of them would take for ever.
#[derive(Default)]
struct Gone(AtomicUsize);

impl Gone {
    fn note(&self, done: &Result<(), Trouble>) {
        match done {
            Ok(()) | Err(Trouble::Refused(_)) => self.0.store(0, Ordering::Relaxed),
            Err(_) => _ = self.0.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn is_certain(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= GONE_MIN
    }
}

const GONE_MIN: usize = 3;

async fn leave_twice(route: &Route, fleet: &Arc<Fleet>, number: u32) -> Result<(), Trouble> {
    let once = || async { Caller::connect(route, fleet, number).await?.leave().await };
    match once().await {
        Err(trouble) if !trouble.is_final() => once().await,
        done => done,
    }
}

/// Removes what is retained on these topics; once more if the connection is lost.
async fn sweep_twice(
    route: &Route,
    fleet: &Arc<Fleet>,
    number: u32,
    topics: Vec<String>,
    mut wills: Wills,
    books: &Shared,
) -> Result<(), Trouble> {
    let mut own = Books::default();
    for topic in topics {
        own.add(Kind::Retained, topic);
    }
    for topic in wills.keys() {
        own.add(Kind::Will, topic.clone());
    }
    let mut done = Ok(());
    for _ in 0..2 {
        done = sweep_once(route, fleet, number, &mut wills, &mut own).await;
        lock(books).take_over(&own);
        match &done {
            Err(trouble) if !trouble.is_final() => {}
            _ => break,
        }
    }
    done
}

async fn sweep_once(
    route: &Route,
    fleet: &Arc<Fleet>,
    number: u32,
    wills: &mut Wills,
    own: &mut Books,
) -> Result<(), Trouble> {
    let mut caller = Caller::connect(route, fleet, number).await?;
    let topics = own.open(Kind::Retained);
    sweep(&mut caller, &topics, wills, own).await?;
    caller.leave().await
}

/// Returns a fleet that leaves nothing: for those who clean up.
fn bare(fleet: &Fleet, name: Option<&str>) -> Fleet {
    let name = name.and_then(|name| Template::read(name).ok()).map(Names::Template);
    let mut bare = Fleet {
        client_id: name.unwrap_or_else(|| fleet.client_id.clone()),
        groups: Vec::new(),
        ..fleet.clone()
    };
    bare.conduct = Conduct {
        // Nobody pings here; answers come sooner.
        keep_alive: 60,
        ..Conduct::default()
    };
    bare
}
