//! From what was counted to what is shown.

use super::agenda::{Outline, Planned};
use crate::failure::{Failure, Outcome};
use crate::output::number::{counted, grouped};
use crate::output::simulation::{
    Columns, DeathObject, LeftObject, LifeKind, LifeObject, PlanKind, PlanObject, RemovedObject,
    ShardObject, SimulationKind, SimulationObject, TimesObject, Trouble, TroubleObject,
};
use crate::simulate::cleaning::{Cleaned, Kind};
use crate::simulate::fleet::Fleet;
use crate::simulate::plan::Plan;
use crate::simulate::tally::{Reasons, Tally, Times};

/// Returns what came of a run.
pub fn simulation(
    outline: &Outline,
    fleet: &Fleet,
    tally: &Tally,
    cleaned: &Cleaned,
    interrupted: bool,
) -> SimulationObject {
    SimulationObject {
        kind: SimulationKind::Simulation,
        instance: fleet.connection.instance.clone(),
        run: fleet.run.clone(),
        seed: outline.seed,
        devices: tally.devices,
        rate: outline.rate,
        duration_ms: outline.duration_ms,
        interrupted,
        lives: tally.planned.total(),
        connected: tally.connected,
        connect_us: tally.connect_times().map(times),
        deaths: tally
            .planned
            .kinds()
            .map(|death| DeathObject {
                death: death.word(),
                planned: tally.planned.of(death),
                done: tally.died.of(death),
            })
            .collect(),
        noticed: tally.noticed(),
        notice_us: tally.notice_times().map(times),
        stopped: tally.stopped,
        timed_out: tally.timed_out,
        troubles: troubles(tally),
        removed: RemovedObject {
            retained: cleaned.topics.into(),
            sessions: cleaned.sessions.into(),
        },
        left: cleaned.left.iter().map(left).collect(),
    }
}

fn times(times: Times) -> TimesObject {
    let us = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    TimesObject { median: us(times.median), p99: us(times.most), longest: us(times.longest) }
}

fn troubles(tally: &Tally) -> Vec<TroubleObject> {
    let of = |what: Trouble, reasons: &Reasons| {
        let object =
            |(reason, count): (&str, u64)| TroubleObject { what, reason: reason.to_owned(), count };
        reasons.by_count().into_iter().map(object).collect::<Vec<_>>()
    };
    let mut all = of(Trouble::NotConnected, &tally.failed);
    all.extend(of(Trouble::Lost, &tally.lost));
    all.extend(of(Trouble::Objection, &tally.objections));
    all.sort_by_key(|trouble| std::cmp::Reverse(trouble.count));
    all
}

fn left(left: &crate::simulate::cleaning::Left) -> LeftObject {
    LeftObject {
        kind: match left.kind {
            Kind::Retained => "retained",
            Kind::Session => "session",
            Kind::Will => "will",
        },
        count: left.count.into(),
        cause: left.cause.clone(),
        first: left.first.clone(),
    }
}

/// Returns what a run that came to its end amounts to for a script; a failure where it was in vain.
pub fn outcome(fleet: &Fleet, tally: &Tally, cleaned: &Cleaned) -> Result<Outcome, Failure> {
    let broker = &fleet.connection.broker;
    let most = |reasons: &Reasons| {
        reasons.by_count().first().map(|(reason, _)| (*reason).to_owned()).unwrap_or_default()
    };
    if tally.is_vain() {
        let next = if tally.refused > 0 {
            "check user and password (`--username`, `--password-file`, `--credentials`) and the client \
             ids; the broker's log may say more"
        } else {
            "check the broker, and the network on the way to it"
        };
        let what = match tally.devices {
            1 => format!("the device could not connect to {broker}"),
            devices => format!("none of {} devices could connect to {broker}", grouped(devices)),
        };
        return Err(Failure::new(what).because(most(&tally.failed)).next(next));
    }
    if tally.is_deserted() {
        return Err(Failure::new(format!("{broker} went away in the middle of the run"))
            .because(format!(
                "{} lost: {}",
                match tally.lost.total() {
                    1 => "1 connection was".to_owned(),
                    lost => format!("{} were", counted(lost, "connection")),
                },
                most(&tally.lost)
            ))
            .next("see whether the broker still runs; its log may say why it ended"));
    }
    Ok(if tally.is_whole() && cleaned.left.is_empty() { Outcome::Yes } else { Outcome::No })
}

/// Returns what is to be done.
pub fn plan<'a>(planned: &'a Planned, fleet: &'a Fleet) -> PlanObject<'a> {
    let Planned { plan, outline, .. } = planned;
    PlanObject {
        kind: PlanKind::Plan,
        instance: &fleet.connection.instance,
        run: &fleet.run,
        scenario: outline.scenario.as_deref(),
        seed: outline.seed,
        shard: outline.shard.map(|(index, count)| ShardObject { index, count }),
        devices: outline.devices.into(),
        rate: outline.rate,
        duration_ms: outline.duration_ms,
        lives: u64::try_from(plan.lives().count()).unwrap_or(u64::MAX),
        deaths: &outline.deaths,
    }
}

/// Returns how wide the lines of a plan have to be.
pub fn columns(plan: &Plan, fleet: &Fleet) -> Columns {
    let deaths = plan.lives().map(|life| life.death.word().len());
    let groups = fleet.groups.iter().map(|group| group.name.chars().count());
    Columns { death: deaths.max().unwrap_or(0), group: groups.max() }
}

/// Calls `show` for every life, device by device.
pub fn each_life<E>(
    plan: &Plan,
    fleet: &Fleet,
    mut show: impl FnMut(&LifeObject<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for (device, lives) in (0..).zip(&plan.devices) {
        let client = fleet.client_id(device);
        let place = fleet.groups.partition_point(|group| group.first <= device);
        let group = place.checked_sub(1).and_then(|place| fleet.groups.get(place));
        for (number, life) in (0..).zip(lives) {
            show(&LifeObject {
                kind: LifeKind::Life,
                device,
                client: &client,
                group: group.map(|group| &*group.name),
                life: number,
                begin_ms: life.begin_ms,
                end_ms: life.end_ms,
                death: life.death.word(),
            })?;
        }
    }
    Ok(())
}
