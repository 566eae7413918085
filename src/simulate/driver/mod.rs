//! Lets devices live and die at a broker as it was planned, and reports every deed.
//!
//! Each device has a task of its own; what it says is decided in [`device`](super::device). Every wait is
//! bounded: connecting by the fleet's limit, a goodbye by a few seconds, all else by the plan.

pub mod clock;
pub mod line;
mod lives;
mod open;

use super::deed::Deed;
use super::dial::Route;
use super::fleet::Fleet;
use super::plan::Plan;
use super::trace::Trace;
use crate::failure::Failure;
use crate::source::mqtt::trouble::Trouble;
use clock::RunClock;
use line::Line;
use lives::{Start, live_all};
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What a run is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    #[default]
    Run,
    /// The run goes on beyond its plan: who lives to its end, or is silent until then, stays until told to
    /// say goodbye. To be asked before the run begins. Where nobody is left it ends as always.
    Hold,
    /// Every device says goodbye, and no further life begins.
    Goodbye,
    /// Everything ends at once, and nothing is removed.
    Abort,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// What devices may have left at the broker, by number. Incomplete after an abort.
    pub traces: Vec<Trace>,
    pub was_aborted: bool,
    /// The way to the broker, if it was found.
    pub route: Option<Route>,
}

/// What all devices of a run share.
struct Shared {
    fleet: Arc<Fleet>,
    plan: Arc<Plan>,
    route: Route,
    clock: RunClock,
    stop: watch::Receiver<Stop>,
    /// Those who may connect at the same time.
    in_flight: Semaphore,
    deeds: mpsc::UnboundedSender<Deed>,
}

impl Shared {
    /// Returns when the run is over.
    fn end_ms(&self) -> u64 {
        if *self.stop.borrow() == Stop::Hold { u64::MAX } else { self.plan.end_ms }
    }

    fn tell(&self, deed: Deed) {
        // When nobody listens any more, the run is over.
        let _ = self.deeds.send(deed);
    }
}

/// Carries a plan out; returns when the last life is over.
///
/// The first device connects alone: what keeps it from reaching the broker would keep all of them.
/// The time of the run counts from the moment it was answered.
///
/// Errors: the network, a name or a certificate in the way of the first device. A broker that refuses a
/// device is no error: that is a deed.
pub async fn run(
    fleet: Arc<Fleet>,
    plan: Arc<Plan>,
    mut stop: watch::Receiver<Stop>,
    deeds: mpsc::UnboundedSender<Deed>,
) -> Result<Ended, Failure> {
    let mut numbers = in_order(&plan);
    let Some((begin_ms, first)) = numbers.next() else { return Ok(Ended::default()) };
    let begin = async {
        // In a part of a run nobody may come for a while: what is planned is when, not how soon.
        sleep(Duration::from_millis(begin_ms)).await;
        first_call(&fleet, first, begin_ms).await
    };
    let start = tokio::select! {
        start = begin => start?,
        () = asked(&mut stop, &[Stop::Goodbye, Stop::Abort]) => {
            let mut trace = Trace::none(first);
            trace.call(fleet.conduct(first).persistent);
            let was_aborted = *stop.borrow() == Stop::Abort;
            return Ok(Ended { traces: vec![trace], was_aborted, route: None });
        }
    };
    let (route, start) = start;
    let shared = Arc::new(Shared {
        in_flight: Semaphore::new(fleet.in_flight.max(1)),
        fleet,
        plan: Arc::clone(&plan),
        route,
        clock: RunClock::start_at(begin_ms),
        stop: stop.clone(),
        deeds,
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(live_all(Arc::clone(&shared), first, Some(Box::new(start))));
    for (_, number) in numbers {
        tasks.spawn(live_all(Arc::clone(&shared), number, None));
    }
    let mut ended = Ended { route: Some(shared.route.clone()), ..Ended::default() };
    loop {
        tokio::select! {
            joined = tasks.join_next() => match joined {
                Some(Ok(trace)) => ended.traces.push(trace),
                Some(Err(_)) => {}
                None => break,
            },
            () = asked(&mut stop, &[Stop::Abort]) => {
                ended.was_aborted = true;
                break;
            }
        }
    }
    ended.traces.sort_by_key(|trace| trace.device);
    Ok(ended)
}

/// Connects the first device, by whichever address of the broker answers.
async fn first_call(
    fleet: &Arc<Fleet>,
    number: u32,
    begin_ms: u64,
) -> Result<(Route, Start), Failure> {
    let routes = Route::find(fleet).await?;
    // What the device has to do by the clock counts from its CONNACK, and that is when the run begins.
    let clock = RunClock::standing_at(begin_ms);
    let mut left = u32::try_from(routes.len()).unwrap_or(u32::MAX);
    let mut trouble = None;
    for route in routes {
        // An address that swallows packets must not eat the time of those behind it.
        let limit = fleet.connect_timeout.saturating_sub(clock.elapsed()) / left;
        left = left.saturating_sub(1).max(1);
        let answer = Line::connect(&route, fleet, number, clock, limit).await;
        match answer {
            Err(Trouble::Unreachable(..) | Trouble::Slow(_)) => {
                trouble = answer.err().map(|trouble| (route, trouble));
            }
            Err(refusal @ Trouble::Refused(_)) => {
                return Ok((route, Start { answer: Err(refusal), took: clock.elapsed() }));
            }
            Err(other) => return Err(other.failure(&fleet.connection)),
            Ok(accepted) => {
                return Ok((route, Start { answer: Ok(accepted), took: clock.elapsed() }));
            }
        }
    }
    Err(match trouble {
        Some((route, trouble)) => unreachable(&route, &trouble, fleet),
        None => Trouble::Closed.failure(&fleet.connection),
    })
}

/// Says what to do about a broker that is not there.
fn unreachable(route: &Route, trouble: &Trouble, fleet: &Fleet) -> Failure {
    let failure = trouble.failure(&fleet.connection);
    match trouble {
        Trouble::Unreachable(_, error)
            if error.kind() == io::ErrorKind::ConnectionRefused && route.is_loopback() =>
        {
            failure
                .next("start a broker, for example `presence broker`, or look at `presence demo`")
        }
        _ => failure,
    }
}

/// Returns the devices that live at all with the times at which they come, in order.
fn in_order(plan: &Plan) -> impl Iterator<Item = (u64, u32)> + use<> {
    let mut numbers: Vec<(u64, u32)> = (0..)
        .zip(&plan.devices)
        .filter_map(|(number, lives)| lives.first().map(|life| (life.begin_ms, number)))
        .collect();
    numbers.sort_unstable();
    numbers.into_iter()
}

/// Waits until a run is asked to do one of these. Nobody asks any more once the asker is gone.
pub async fn asked(stop: &mut watch::Receiver<Stop>, what: &[Stop]) {
    if stop.wait_for(|asked| what.contains(asked)).await.is_err() {
        pending::<()>().await;
    }
}

/// After an abort a device does not say goodbye: its task ends.
const GOODBYE: &[Stop] = &[Stop::Goodbye];
