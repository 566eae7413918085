//! Reading a scenario file.

use super::{DEVICES_MAX, Group, Manners, STAYS, Scenario, Size, ms};
use crate::simulate::plan::{Come, Death, Down, EVERY, Shares, Span, Step, Up};
use crate::table::{At, Mistake, Parts, Table, duration};
use crate::wire::Version;

/// The connection that a scenario is for: not every death is possible on each.
#[derive(Clone, Copy, Debug)]
struct Means {
    version: Version,
    is_tls: bool,
    /// The file says when the run is over.
    has_end: bool,
}

impl Scenario {
    /// Reads a scenario for connections of this kind.
    ///
    /// Errors: the first mistake, with its line.
    pub fn read(text: &str, version: Version, is_tls: bool) -> Result<Self, Mistake> {
        Table::parse(text, PAGE, |mut table| {
            let name = table.text("name")?.map(|at| at.value.to_owned());
            let about = table.text("about")?.map(|at| at.value.to_owned());
            let count = table.number("count", &(1..DEVICES_MAX + 1))?;
            let duration = table.duration("duration")?;
            let all = Manners::read(&mut table, version)?;
            let groups = table.tables("group", |number| format!("group {number}"))?;
            table.end()?;
            if groups.is_empty() {
                return Err(table.mistake(
                    1,
                    "nothing is planned",
                    "there is no group of devices",
                    "write a `[[group]]` with at least one `[[group.step]]`",
                ));
            }
            let means = Means { version, is_tls, has_end: duration.is_some() };
            let is_alone = groups.len() == 1;
            let mut read = Vec::new();
            for (number, table) in (1..).zip(groups) {
                read.push(group(table, number, is_alone, &all, means)?);
            }
            check_groups(&table, &read)?;
            Ok(Self { name: name.unwrap_or_default(), about, count, duration, groups: read })
        })
    }
}

/// Names are there once, and shares add up.
fn check_groups(table: &Table<'_>, groups: &[Group]) -> Result<(), Mistake> {
    for (at, group) in groups.iter().enumerate() {
        if groups[..at].iter().any(|earlier| earlier.name == group.name) {
            return Err(table.mistake(
                group.line,
                format!("group `{}` is there twice", group.name),
                "reports name groups by their names",
                "write another `name`",
            ));
        }
    }
    let mut shares = groups.iter().filter_map(|group| match group.size {
        Size::Share(share) => Some((group.line, share)),
        Size::Count(_) => None,
    });
    let sum: u32 = shares.clone().map(|(_, share)| share).sum();
    match shares.next_back() {
        Some((line, _)) if sum != 100 => Err(table.mistake(
            line,
            "the shares of the groups do not add up to 100",
            format!("they add up to {sum}"),
            "write shares in per cent that do",
        )),
        _ => Ok(()),
    }
}

fn group(
    mut table: Table<'_>,
    number: usize,
    is_alone: bool,
    all: &Manners,
    means: Means,
) -> Result<Group, Mistake> {
    let name = table.text("name")?.map_or_else(|| number.to_string(), |at| at.value.to_owned());
    let count = table.number("count", &(1..DEVICES_MAX + 1))?;
    let share = table.number("share", &(0..101))?;
    let start = table.duration("start")?;
    let ramp = table.duration("ramp")?;
    let rate = table.number("rate", &(1..u32::MAX))?;
    let repeat = table.number("repeat", &(1..REPEAT_MAX + 1))?;
    let manners = Manners::read(&mut table, means.version)?;
    table.place = format!("group `{name}`");
    let steps = table.tables("step", |step| format!("group `{name}`, step {step}"))?;
    table.end()?;
    let size = match (&count, &share) {
        (Some(count), None) => Size::Count(count.value),
        (None, Some(share)) => Size::Share(share.value),
        (None, None) if is_alone => Size::Share(100),
        (Some(at), Some(_)) => return Err(contradiction(&table, at.line, "count", "share")),
        (None, None) => {
            return Err(table.mistake(
                table.line,
                "it does not say how many devices it has",
                "there are several groups",
                "write its `share` in per cent, or its `count`",
            ));
        }
    };
    let come = match (ramp, rate) {
        (Some(at), Some(_)) => return Err(contradiction(&table, at.line, "ramp", "rate")),
        (Some(ramp), None) => Some(Come::Ramp(ms(ramp.value))),
        (None, rate) => rate.map(|rate| Come::Rate(rate.value)),
    };
    let manners = manners.or(all);
    if manners.session_expiry.is_some() && manners.persistent != Some(true) {
        return Err(table.mistake(
            table.line,
            "`session-expiry` without `persistent`",
            "a session that is not kept does not expire",
            "write `persistent = true`, or take `session-expiry` out",
        ));
    }
    if steps.is_empty() {
        return Err(table.mistake(
            table.line,
            "nothing is planned",
            "it has no steps",
            "write a `[[group.step]]`",
        ));
    }
    let repeat = repeat.map_or(1, |repeat| repeat.value);
    let line = table.line;
    let steps = steps.into_iter().map(|table| step(table, repeat, means));
    Ok(Group {
        name,
        line,
        size,
        manners,
        start_ms: start.map_or(0, |start| ms(start.value)),
        come,
        repeat,
        steps: steps.collect::<Result<_, _>>()?,
    })
}

fn step(mut table: Table<'_>, repeat: u32, means: Means) -> Result<At<Step>, Mistake> {
    let up = table.read("up", &span)?;
    let until = table.duration("until")?;
    let nat_drop = table.read("nat-drop", &span)?;
    let death = table.text("death")?;
    let deaths = table.shares("deaths")?;
    let down = table.read("down", &span)?;
    let return_at = table.duration("return-at")?;
    table.end()?;
    for (key, at) in [("until", &until), ("return-at", &return_at)] {
        if let Some(at) = at.as_ref().filter(|_| repeat > 1) {
            return Err(table.mistake(
                at.line,
                format!("`{key}` in a group that repeats its steps"),
                "there is only one such moment in a run",
                "write `up` and `down` with lengths of time, or take `repeat` out",
            ));
        }
    }
    if let Some(at) = &nat_drop {
        for (key, is_there) in [
            ("up", up.is_some()),
            ("until", until.is_some()),
            ("death", death.is_some()),
            ("deaths", deaths.is_some()),
        ] {
            if is_there {
                return Err(contradiction(&table, at.line, "nat-drop", key));
            }
        }
    }
    let shares = match (death, deaths) {
        (Some(at), Some(_)) => return Err(contradiction(&table, at.line, "death", "deaths")),
        (Some(at), None) => one_death(&table, &at, means)?,
        (None, Some(at)) => several_deaths(&table, &at, means)?,
        (None, None) if nat_drop.is_some() => Shares::all(Death::NatDrop),
        (None, None) => Shares::all(Death::Disconnect),
    };
    let only_stays = shares.deaths().all(|death| death == Death::Stay);
    let up = match (up.or(nat_drop), until) {
        (Some(at), Some(_)) => return Err(contradiction(&table, at.line, "up", "until")),
        (Some(at), None) => Up::For(at.value),
        (None, Some(at)) => Up::Until(ms(at.value)),
        (None, None) if only_stays && means.has_end => STAYS,
        (None, None) => {
            return Err(table.mistake(
                table.line,
                "it does not say how long a device lives",
                "neither `up` nor `until` is there",
                "write `up = \"10s\"`, or `until = \"30s\"` since the run began",
            ));
        }
    };
    let down = match (down, return_at) {
        (Some(at), Some(_)) => return Err(contradiction(&table, at.line, "down", "return-at")),
        (Some(at), None) => Down::For(at.value),
        (None, Some(at)) => Down::At(ms(at.value)),
        (None, None) => Down::For(Span::exactly(0)),
    };
    let step = Step { up, deaths: shares, silence_ms: 0, nat_drop_ms: None, down };
    Ok(At { value: step, line: table.line })
}

fn one_death(table: &Table<'_>, at: &At<&str>, means: Means) -> Result<Shares, Mistake> {
    if at.value == EVERY {
        return Ok(Shares::every(means.version, means.is_tls));
    }
    Ok(Shares::all(death(table, at.line, at.value, means)?))
}

fn several_deaths(table: &Table<'_>, at: &At<Parts<'_>>, means: Means) -> Result<Shares, Mistake> {
    let mut parts = Vec::new();
    for (word, share) in &at.value {
        parts.push((death(table, at.line, word, means)?, *share));
    }
    Shares::of_hundred(parts).map_err(|cause| {
        table.mistake(
            at.line,
            "`deaths` cannot be used",
            cause,
            "write shares in per cent that add up to 100",
        )
    })
}

fn death(table: &Table<'_>, line: usize, word: &str, means: Means) -> Result<Death, Mistake> {
    let death = Death::read(word).map_err(|cause| {
        table.mistake(line, format!("`{word}` cannot be used"), cause, "write another death")
    })?;
    match death.lacks(means.version, means.is_tls) {
        None => Ok(death),
        Some(lack) => {
            let (cause, next) = lack.words();
            Err(table.mistake(line, format!("`{word}` is not possible here"), cause, next))
        }
    }
}

fn contradiction(table: &Table<'_>, line: usize, one: &str, other: &str) -> Mistake {
    table.mistake(
        line,
        format!("`{one}` and `{other}` contradict each other"),
        "both say the same thing",
        "take one of them out",
    )
}

/// Reads `10s`, or `5s..10s`.
fn span(text: &str) -> Result<Span, String> {
    let Some((least, most)) = text.split_once("..") else {
        return Ok(Span::exactly(ms(duration(text)?)));
    };
    let span = Span { least_ms: ms(duration(least.trim())?), most_ms: ms(duration(most.trim())?) };
    if span.least_ms > span.most_ms {
        return Err("the first bound is the greater one".to_owned());
    }
    Ok(span)
}

/// How often steps can be repeated.
const REPEAT_MAX: u32 = 1_000_000;

/// Where the format is described.
const PAGE: &str = "docs/scenarios.md";
