//! A run from its first connection to the last thing that is removed, with an ear for Ctrl-C.

use super::super::stop;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::simulation::progress;
use crate::output::status::Status;
use crate::simulate::cleaning::{self, Cleaned, Kind, Left};
use crate::simulate::deed::Deed;
use crate::simulate::driver::{self, Ended, Stop};
use crate::simulate::fleet::Fleet;
use crate::simulate::plan::Plan;
use crate::simulate::tally::Tally;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// What came of a run.
pub struct Lived {
    pub tally: Tally,
    pub cleaned: Cleaned,
    pub was_interrupted: bool,
}

/// Lets the devices live, and removes what they made.
///
/// Errors: what keeps the first device from the broker.
pub async fn live(
    fleet: &Arc<Fleet>,
    plan: &Arc<Plan>,
    console: &mut Console,
) -> Result<Lived, Failure> {
    let mut ear = Ear::new();
    let mut tally = Tally::new(plan);
    let ended = drive(fleet, plan, &mut tally, &mut ear, console).await;
    console.status().clear();
    let ended = ended?;
    let cleaned = if ended.was_aborted {
        left_by_abort(fleet, &tally)
    } else {
        clean(fleet, &ended, &mut ear, console).await
    };
    console.status().clear();
    Ok(Lived { tally, cleaned, was_interrupted: ear.heard > 0 })
}

async fn drive(
    fleet: &Arc<Fleet>,
    plan: &Arc<Plan>,
    tally: &mut Tally,
    ear: &mut Ear,
    console: &mut Console,
) -> Result<Ended, Failure> {
    let (teller, mut told) = mpsc::unbounded_channel();
    let stopped = ear.stop.subscribe();
    let mut driving = pin!(driver::run(Arc::clone(fleet), Arc::clone(plan), stopped, teller));
    let status = console.status();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut deeds: Vec<Deed> = Vec::new();
    let ended = loop {
        tokio::select! {
            ended = &mut driving => break ended,
            count = told.recv_many(&mut deeds, DEEDS_MAX), if !told.is_closed() || !told.is_empty() => {
                for deed in deeds.drain(..count) {
                    tally.take(deed);
                }
            }
            _ = ticks.tick(), if status.is_visible() => show(&status, tally),
            () = ear.asked() => ear.hear(console),
        }
    };
    while let Ok(deed) = told.try_recv() {
        tally.take(deed);
    }
    ended
}

async fn clean(fleet: &Arc<Fleet>, ended: &Ended, ear: &mut Ear, console: &mut Console) -> Cleaned {
    console.status().set("removing what the run made");
    let stopped = ear.stop.subscribe();
    let mut cleaning = pin!(cleaning::run(fleet, ended, stopped));
    loop {
        tokio::select! {
            cleaned = &mut cleaning => return cleaned,
            () = ear.asked() => ear.hear(console),
        }
    }
}

fn show(status: &Status, tally: &Tally) {
    let troubled = tally.failed.total() + tally.lost.total();
    if tally.tried() < tally.devices {
        let text = format!("connecting, {}", progress(tally.alive, tally.died.total(), troubled));
        status.progress(&text, tally.tried(), tally.devices);
    } else {
        status.set(&progress(tally.alive, tally.died.total(), troubled));
    }
}

/// Hears Ctrl-C: the first lets everybody say goodbye, the second ends everything at once.
struct Ear {
    stop: watch::Sender<Stop>,
    asked: Pin<Box<dyn Future<Output = ()> + Send>>,
    heard: u32,
}

impl Ear {
    fn new() -> Self {
        Self { stop: watch::Sender::new(Stop::Run), asked: Box::pin(stop::asked()), heard: 0 }
    }

    async fn asked(&mut self) {
        (&mut self.asked).await;
        // A future that is done is not to be asked again.
        self.asked = Box::pin(stop::asked());
    }

    fn hear(&mut self, console: &mut Console) {
        self.heard += 1;
        if self.heard == 1 {
            self.stop.send_replace(Stop::Goodbye);
            console.say("stopping: devices say goodbye, and what they made is removed");
            console.say("Ctrl-C again ends at once and leaves it behind");
        } else {
            self.stop.send_replace(Stop::Abort);
        }
    }
}

/// Returns what an end without any cleaning may leave: nobody has kept account of it.
fn left_by_abort(fleet: &Fleet, tally: &Tally) -> Cleaned {
    let count = u32::try_from(tally.devices.min(tally.connected)).unwrap_or(u32::MAX);
    let mut left = Vec::new();
    let client_id = fleet.client_id(0);
    let topics = fleet.retained_topics(0, &client_id);
    let mut add = |kind, first: Vec<String>, times: u32| {
        if times > 0 {
            left.push(Left { kind, cause: ABORTED.into(), count: times, first });
        }
    };
    let times = count.saturating_mul(u32::try_from(topics.len()).unwrap_or(u32::MAX));
    add(Kind::Retained, topics, times);
    let mut conducts = fleet.groups.iter().map(|group| &group.conduct).chain([&fleet.conduct]);
    let keeps = conducts.any(|conduct| conduct.persistent);
    add(Kind::Session, vec![client_id], if keeps { count } else { 0 });
    Cleaned { left, ..Cleaned::default() }
}

const ABORTED: &str = "the run was ended at once";
const TICK: Duration = Duration::from_millis(100);
const DEEDS_MAX: usize = 1_024;
