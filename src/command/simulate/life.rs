//! A run from its first connection to the last thing that is removed, with an ear for Ctrl-C.

use super::super::stop;
use super::verify::witness::Witness;
use crate::command::watcher::News;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::number::counted;
use crate::output::simulation::progress;
use crate::output::status::Status;
use crate::simulate::cleaning::{self, Cleaned, Kind, Left};
use crate::simulate::deed::Deed;
use crate::simulate::driver::{self, Ended, Stop};
use crate::simulate::fleet::Fleet;
use crate::simulate::plan::Plan;
use crate::simulate::tally::Tally;
use crate::simulate::verify::findings::Findings;
use std::future::pending;
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
    /// What a witness makes of it.
    pub findings: Option<Findings>,
}

/// Lets the devices live, and removes what they made.
///
/// With a witness the run goes on beyond its plan, until everything that is due was told; who lives to the
/// end lives until then.
///
/// Errors: what keeps the first device from the broker.
pub async fn live(
    fleet: &Arc<Fleet>,
    plan: &Arc<Plan>,
    ear: &mut Ear,
    mut witness: Option<&mut Witness>,
    console: &mut Console,
) -> Result<Lived, Failure> {
    let mut tally = Tally::new(plan);
    if witness.is_some() {
        ear.hold();
    }
    let driven = drive(fleet, plan, &mut tally, ear, witness.as_deref_mut(), console).await;
    console.status().clear();
    let ended = driven?;
    let findings = witness.map(Witness::judge);
    let cleaned = if ended.was_aborted {
        left_by_abort(fleet, &tally)
    } else {
        clean(fleet, &ended, ear, console).await
    };
    console.status().clear();
    Ok(Lived { tally, cleaned, was_interrupted: ear.was_heard(), findings })
}

async fn drive(
    fleet: &Arc<Fleet>,
    plan: &Arc<Plan>,
    tally: &mut Tally,
    ear: &mut Ear,
    mut witness: Option<&mut Witness>,
    console: &mut Console,
) -> Result<Ended, Failure> {
    let (teller, mut told) = mpsc::unbounded_channel();
    let stopped = ear.stop.subscribe();
    let mut driving = pin!(driver::run(Arc::clone(fleet), Arc::clone(plan), stopped, teller));
    let status = console.status();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut deeds: Vec<Deed> = Vec::new();
    let mut ended = None;
    while ended.is_none() || witness.as_deref().is_some_and(Witness::is_waiting) {
        tokio::select! {
            result = &mut driving, if ended.is_none() => ended = Some(result?),
            count = told.recv_many(&mut deeds, DEEDS_MAX), if !told.is_closed() || !told.is_empty() => {
                for deed in deeds.drain(..count) {
                    if let Some(witness) = &mut witness {
                        witness.deed(&deed);
                    }
                    tally.take(deed);
                }
            }
            news = heard(&mut witness) => {
                if let Some(witness) = &mut witness {
                    witness.news(news, console);
                }
            }
            _ = ticks.tick(), if status.is_visible() || witness.is_some() => {
                show(&status, tally, witness.as_deref());
                if let Some(witness) = &mut witness {
                    witness.tick(ended.is_some(), ear.was_heard());
                    if !witness.is_waiting() {
                        ear.release();
                    }
                }
            }
            () = ear.asked() => ear.hear(console),
        }
        if ended.as_ref().is_some_and(|ended: &Ended| ended.was_aborted) {
            break;
        }
    }
    while let Ok(deed) = told.try_recv() {
        tally.take(deed);
    }
    Ok(ended.unwrap_or_default())
}

/// Returns what a witness hears; never, if there is none or nothing more to hear.
async fn heard(witness: &mut Option<&mut Witness>) -> Option<News> {
    match witness {
        Some(witness) if !witness.is_gone() => witness.next().await,
        _ => pending().await,
    }
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

fn show(status: &Status, tally: &Tally, witness: Option<&Witness>) {
    if let Some(outstanding) = witness.and_then(Witness::outstanding_after_plan) {
        status.set(&format!("{} still to come", counted(outstanding, "report")));
        return;
    }
    let troubled = tally.failed.total() + tally.lost.total();
    if tally.tried() < tally.devices {
        let text = format!("connecting, {}", progress(tally.alive, tally.died.total(), troubled));
        status.progress(&text, tally.tried(), tally.devices);
    } else {
        status.set(&progress(tally.alive, tally.died.total(), troubled));
    }
}

/// Hears Ctrl-C: the first lets everybody say goodbye, the second ends everything at once.
pub struct Ear {
    pub stop: watch::Sender<Stop>,
    asked: Pin<Box<dyn Future<Output = ()> + Send>>,
    heard: u32,
}

impl Ear {
    pub fn new() -> Self {
        Self { stop: watch::Sender::new(Stop::Run), asked: Box::pin(stop::asked()), heard: 0 }
    }

    pub const fn was_heard(&self) -> bool {
        self.heard > 0
    }

    pub async fn asked(&mut self) {
        (&mut self.asked).await;
        // A future that is done is not to be asked again.
        self.asked = Box::pin(stop::asked());
    }

    pub fn hear(&mut self, console: &mut Console) {
        self.heard += 1;
        if self.heard == 1 {
            self.stop.send_replace(Stop::Goodbye);
            console.say("stopping: devices say goodbye, and what they made is removed");
            console.say("Ctrl-C again ends at once and leaves it behind");
        } else {
            self.stop.send_replace(Stop::Abort);
        }
    }

    /// Keeps a run going beyond its plan, unless somebody wants its end.
    fn hold(&self) {
        self.stop.send_if_modified(|stop| replace(stop, Stop::Run, Stop::Hold));
    }

    fn release(&self) {
        self.stop.send_if_modified(|stop| replace(stop, Stop::Hold, Stop::Goodbye));
    }
}

fn replace(stop: &mut Stop, from: Stop, to: Stop) -> bool {
    let is_so = *stop == from;
    if is_so {
        *stop = to;
    }
    is_so
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
    let keeps = fleet.conducts().any(|conduct| conduct.persistent);
    add(Kind::Session, vec![client_id], if keeps { count } else { 0 });
    Cleaned { left, ..Cleaned::default() }
}

const ABORTED: &str = "the run was ended at once";
const TICK: Duration = Duration::from_millis(100);
const DEEDS_MAX: usize = 1_024;
