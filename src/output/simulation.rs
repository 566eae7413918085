//! What a simulation is to do, and what came of it: one object each, for people and for programs.

use crate::output::number::{counted, grouped};
use crate::output::sanitize::{guard, sanitize};
use crate::output::style::Style;
use crate::output::table::{Cell, Table};
use crate::output::time::duration;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// What came of a simulation.
#[derive(Serialize, Clone, Debug)]
pub struct SimulationObject {
    #[serde(rename = "type")]
    pub kind: SimulationKind,
    pub instance: String,
    pub run: String,
    pub seed: u64,
    pub devices: u64,
    pub rate: u32,
    pub duration_ms: u64,
    /// It was stopped before its end.
    pub interrupted: bool,
    /// Lives that were planned.
    pub lives: u64,
    /// Lives that began.
    pub connected: u64,
    /// From the intended moment to CONNACK.
    pub connect_us: Option<TimesObject>,
    pub deaths: Vec<DeathObject>,
    /// Silent devices whose connection the broker closed.
    pub noticed: u64,
    /// From the silence to the end of the connection.
    pub notice_us: Option<TimesObject>,
    /// Lives that ended by a goodbye before their time.
    pub stopped: u64,
    /// Connections that the broker ended because their keep alive had run out.
    pub timed_out: u64,
    /// What did not go as planned, the most frequent first.
    pub troubles: Vec<TroubleObject>,
    pub removed: RemovedObject,
    pub left: Vec<LeftObject>,
}

#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulationKind {
    #[serde(rename = "simulation")]
    Simulation,
}

/// How long something took, in µs.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimesObject {
    pub median: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    pub longest: u64,
}

#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct DeathObject {
    pub death: Cow<'static, str>,
    pub planned: u64,
    pub done: u64,
}

#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct TroubleObject {
    pub what: Trouble,
    pub reason: String,
    pub count: u64,
}

/// What can happen to a device that was not planned.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    NotConnected,
    Lost,
    /// A subscription or a message was refused, and the device lived on.
    Objection,
}

impl Trouble {
    const fn words(self) -> &'static str {
        match self {
            Self::NotConnected => "not connected",
            Self::Lost => "lost",
            Self::Objection => "refused something",
        }
    }
}

#[derive(Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovedObject {
    /// Topics that were cleared of what the run may have had retained there.
    pub retained: u64,
    pub sessions: u64,
}

/// What may still be at the broker.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct LeftObject {
    /// `retained`, `session` or `will`.
    pub kind: &'static str,
    pub count: u64,
    pub cause: String,
    /// Some topics or client ids.
    pub first: Vec<String>,
}

/// Returns the report as people read it.
#[must_use]
pub fn report(object: &SimulationObject, style: Style, columns: Option<u16>) -> String {
    let mut text = deaths(object, style, columns);
    let _ = write!(
        text,
        "\n{} of {} began",
        grouped(object.connected),
        match object.lives {
            1 => "1 life".to_owned(),
            lives => format!("{} lives", grouped(lives)),
        }
    );
    if let Some(times) = &object.connect_us {
        let _ = write!(text, "; from the intended moment to CONNACK {}", spread(times));
    }
    text.push('\n');
    let silent = object.deaths.iter().find(|death| death.death == "silence");
    if let Some(silent) = silent.filter(|silent| silent.done > 0) {
        let _ = write!(
            text,
            "{} of {} noticed by the broker",
            grouped(object.noticed),
            counted(silent.done, "silence")
        );
        if let Some(times) = &object.notice_us {
            let _ = write!(text, "; from the silence to the closed connection {}", spread(times));
        }
        text.push('\n');
    }
    if object.timed_out > 0 {
        let _ = writeln!(
            text,
            "{} ended by the broker, as the keep alive had run out",
            counted(object.timed_out, "connection")
        );
    }
    match object.stopped {
        0 => {}
        1 => text.push_str("1 life ended before its time, by a goodbye\n"),
        lives => {
            let _ =
                writeln!(text, "{} lives ended before their time, by a goodbye", grouped(lives));
        }
    }
    let _ = writeln!(
        text,
        "removed from the broker: what was retained on {}, {}",
        counted(object.removed.retained, "topic"),
        counted(object.removed.sessions, "session")
    );
    if !object.troubles.is_empty() {
        let mut table = Table::new(&["count", "device", "reason"]);
        for trouble in &object.troubles {
            table.row([
                Cell::number(trouble.count),
                Cell::text(trouble.what.words()),
                // A sentence of ours, in which foreign words are made safe already.
                Cell::text(&trouble.reason),
            ]);
        }
        let _ = write!(text, "\n{}", table.render(style, columns));
    }
    let _ = writeln!(
        text,
        "\nrun {}, seed {}: {} at {}, {}",
        object.run,
        object.seed,
        counted(object.devices, "device"),
        guard(&object.instance),
        duration(Duration::from_millis(object.duration_ms)),
    );
    text
}

fn deaths(object: &SimulationObject, style: Style, columns: Option<u16>) -> String {
    let mut table = Table::new(&["death", "planned", "done"]);
    let shown = object.deaths.iter().filter(|death| death.planned > 0 || death.done > 0);
    for death in shown.clone() {
        table.row([Cell::text(&death.death), death.planned.into(), death.done.into()]);
    }
    if shown.clone().count() > 1 {
        let sum = |of: fn(&DeathObject) -> u64| object.deaths.iter().map(of).sum::<u64>();
        table.row(["all".into(), sum(|d| d.planned).into(), sum(|d| d.done).into()]);
    }
    table.render(style, columns)
}

fn spread(times: &TimesObject) -> String {
    format!(
        "{} (median), {} (99 %), {} (longest)",
        fine(times.median),
        fine(times.p99),
        fine(times.longest)
    )
}

/// Returns a time of µs: below 100 ms with a digit more than others have.
pub(super) fn fine(us: u64) -> String {
    if us < 100_000 {
        format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
    } else {
        duration(Duration::from_micros(us))
    }
}

/// What a simulation is to do.
#[derive(Serialize, Clone, Debug)]
pub struct PlanObject<'a> {
    #[serde(rename = "type")]
    pub kind: PlanKind,
    pub instance: &'a str,
    pub run: &'a str,
    /// What the scenario is called.
    pub scenario: Option<&'a str>,
    pub seed: u64,
    /// Which part of the plan is shown.
    pub shard: Option<ShardObject>,
    /// Of all shards.
    pub devices: u64,
    pub rate: u32,
    pub duration_ms: u64,
    pub lives: u64,
    pub deaths: &'a str,
}

/// One of several parts of a plan.
#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardObject {
    /// From 0.
    pub index: u32,
    pub count: u32,
}

#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanKind {
    #[serde(rename = "plan")]
    Plan,
}

/// One connection that a device is to have. Times count from the beginning of the run.
#[derive(Serialize, Clone, Debug)]
pub struct LifeObject<'a> {
    #[serde(rename = "type")]
    pub kind: LifeKind,
    pub device: u32,
    pub client: &'a str,
    /// That of the scenario.
    pub group: Option<&'a str>,
    /// From 0.
    pub life: u32,
    pub begin_ms: u64,
    /// Of a silent one: when it falls silent.
    pub end_ms: u64,
    pub death: Cow<'static, str>,
}

#[derive(Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeKind {
    #[serde(rename = "life")]
    Life,
}

/// How wide the columns of a plan are, as far as that differs.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    pub death: usize,
    /// `None` where there are no groups.
    pub group: Option<usize>,
}

impl Columns {
    fn line(self, [begin, end, death, life, group, client]: [&str; 6]) -> String {
        let width = self.death.max(DEATH_COLUMNS_MIN);
        let group = self.group.map_or_else(String::new, |columns| {
            let columns = columns.clamp("GROUP".len(), GROUP_COLUMNS_MAX);
            format!("  {group:<columns$}")
        });
        format!("{begin:>10}  {end:>10}  {death:<width$}  {life:>5}{group}  {client}\n")
    }
}

/// Returns a plan's first lines, up to the heads of the columns of [`life_line`].
#[must_use]
pub fn plan_head(plan: &PlanObject<'_>, columns: Columns) -> String {
    let scenario = plan.scenario.map_or_else(String::new, |name| format!("{}, ", guard(name)));
    let shard = plan.shard.map_or_else(String::new, |shard| {
        format!(", shard {}/{}", u64::from(shard.index) + 1, shard.count)
    });
    format!(
        "run {}, seed {}: {scenario}{} at {}/s to {}, {}, deaths {}{shard}\n\n{}",
        plan.run,
        plan.seed,
        counted(plan.devices, "device"),
        grouped(plan.rate.into()),
        guard(plan.instance),
        duration(Duration::from_millis(plan.duration_ms)),
        plan.deaths,
        columns.line(["BEGIN", "END", "DEATH", "LIFE", "GROUP", "CLIENT"]),
    )
}

/// Returns the line of one life.
#[must_use]
pub fn life_line(life: &LifeObject<'_>, columns: Columns) -> String {
    let seconds = |ms: u64| format!("{}.{:03} s", ms / 1_000, ms % 1_000);
    columns.line([
        &seconds(life.begin_ms),
        &seconds(life.end_ms),
        &life.death,
        &(u64::from(life.life) + 1).to_string(),
        &sanitize(life.group.unwrap_or_default(), GROUP_COLUMNS_MAX),
        &sanitize(life.client, ID_COLUMNS_MAX),
    ])
}

const DEATH_COLUMNS_MIN: usize = 10;
const GROUP_COLUMNS_MAX: usize = 40;

const ID_COLUMNS_MAX: usize = 256;

/// Returns the line at the bottom of the terminal while devices live.
#[must_use]
pub fn progress(alive: u64, deaths: u64, troubled: u64) -> String {
    let mut text = format!("{} alive · {}", grouped(alive), counted(deaths, "death"));
    if troubled > 0 {
        let _ = write!(text, " · {} not as planned", grouped(troubled));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> SimulationObject {
        let death =
            |death: &'static str, planned, done| DeathObject { death: death.into(), planned, done };
        SimulationObject {
            kind: SimulationKind::Simulation,
            instance: "localhost:1883".into(),
            run: "3fa92c".into(),
            seed: 42,
            devices: 1_000,
            rate: 1_000,
            duration_ms: 20_000,
            interrupted: false,
            lives: 1_000,
            connected: 997,
            connect_us: Some(TimesObject { median: 1_234, p99: 20_000, longest: 1_500_000 }),
            deaths: vec![
                death("disconnect", 400, 399),
                death("fin", 600, 598),
                death("rst", 0, 0),
                death("silence", 0, 0),
            ],
            noticed: 0,
            notice_us: None,
            stopped: 0,
            timed_out: 0,
            troubles: vec![],
            removed: RemovedObject { retained: 1_000, sessions: 1 },
            left: vec![],
        }
    }

    #[test]
    fn a_report_says_what_was_done_and_how_its_times_were_measured() {
        let expected = "\
DEATH       PLANNED  DONE
disconnect      400   399
fin             600   598
all           1,000   997

997 of 1,000 lives began; from the intended moment to CONNACK 1.2 ms (median), 20.0 ms (99 %), 1.5 s (longest)
removed from the broker: what was retained on 1,000 topics, 1 session

run 3fa92c, seed 42: 1,000 devices at localhost:1883, 20.0 s
";
        assert_eq!(report(&object(), Style::PLAIN, None), expected);
    }

    #[test]
    fn what_went_wrong_and_what_was_noticed_is_there_if_it_happened() {
        let mut object = object();
        object.deaths[3] = DeathObject { death: "silence".into(), planned: 10, done: 10 };
        object.noticed = 9;
        object.notice_us =
            Some(TimesObject { median: 7_500_000, p99: 8_100_000, longest: 8_100_000 });
        object.stopped = 1;
        object.timed_out = 2;
        let trouble =
            |what, reason: &str, count| TroubleObject { what, reason: reason.into(), count };
        object.troubles = vec![
            trouble(Trouble::NotConnected, "it refused: \x1b[2J", 12),
            trouble(Trouble::Lost, "it closed the connection", 3),
        ];
        let text = report(&object, Style::PLAIN, None);
        for line in [
            "9 of 10 silences noticed by the broker; from the silence to the closed connection 7.5 s (median), 8.1 s (99 %), 8.1 s (longest)",
            "1 life ended before its time",
            "2 connections ended by the broker, as the keep alive had run out",
            "COUNT  DEVICE         REASON",
            r"   12  not connected  it refused: \x1b[2J",
            "    3  lost           it closed the connection",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn a_plan_is_a_line_for_each_life() {
        let plan = PlanObject {
            kind: PlanKind::Plan,
            instance: "localhost:1883",
            run: "3fa92c",
            scenario: None,
            seed: 7,
            shard: None,
            devices: 1,
            rate: 1_000,
            duration_ms: 20_000,
            lives: 1,
            deaths: "fin=100",
        };
        let life = LifeObject {
            kind: LifeKind::Life,
            device: 0,
            client: "sim-3fa92c-0\n",
            group: None,
            life: 0,
            begin_ms: 7,
            end_ms: 19_999,
            death: "fin".into(),
        };
        let expected = "\
run 3fa92c, seed 7: 1 device at 1,000/s to localhost:1883, 20.0 s, deaths fin=100

     BEGIN         END  DEATH        LIFE  CLIENT
   0.007 s    19.999 s  fin             1  sim-3fa92c-0\\n
";
        let columns = Columns { death: 3, group: None };
        assert_eq!(plan_head(&plan, columns) + &life_line(&life, columns), expected);
    }

    #[test]
    fn progress_is_a_line() {
        assert_eq!(progress(1_000, 0, 0), "1,000 alive · 0 deaths");
        assert_eq!(progress(10, 3, 2), "10 alive · 3 deaths · 2 not as planned");
    }
}
