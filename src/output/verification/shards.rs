//! Reports of shards of one run make the report of the run.

use super::{Context, SAMPLES_MAX, Sample, Shards, Verified};
use crate::failure::Failure;
use crate::output::object::Summary;
use crate::output::sanitize::sanitize;
use crate::output::warning::Warning;
use std::collections::{BTreeMap, BTreeSet};

/// Joins the reports of shards of one run, each with the name of its file.
///
/// The order of the files does not matter. Returns also what limits what the whole is worth.
///
/// Errors: exit code 2 if they are not of one run, or a shard is there twice.
pub fn merge(parts: Vec<(String, Verified)>) -> Result<(Verified, Vec<Warning>), Failure> {
    let mut parts = ordered(parts)?.into_iter();
    let Some(Part { name: first_name, mut shards, verified: mut whole }) = parts.next() else {
        return Err(Failure::misuse("there is nothing to join").next("name the reports of shards"));
    };
    let mut warnings = Vec::new();
    let mut timelines = vec![std::mem::take(&mut whole.timeline)];
    for part in parts {
        let (ours, theirs) = (&whole.context, &part.verified.context);
        let of = ("shards", shards.of.to_string(), part.shards.of.to_string());
        if let Some((what, ours, theirs)) =
            identity(ours, theirs).into_iter().chain([of]).find(differ)
        {
            let names = format!("{} and {}", shown(&first_name), shown(&part.name));
            return Err(Failure::misuse(format!("{names} are not of one run"))
                .because(format!("{what}: {} and {}", shown(&ours), shown(&theirs)))
                .next("run every shard with the same `--run`, `--seed` and options"));
        }
        for (what, first, other) in surroundings(ours, theirs).into_iter().filter(differ) {
            warnings.push(Warning::ShardsDiffer { what, first, other, file: part.name.clone() });
        }
        shards.present.extend(part.shards.present);
        timelines.push(join(&mut whole, part.verified));
    }
    shards.present.sort_unstable();
    whole.timeline = superposed(&timelines);
    if (shards.present.len() as u64) < u64::from(shards.of) {
        let present = shards.present.clone();
        warnings.push(Warning::ShardsMissing { present, of: shards.of });
        whole.context.shards = Some(shards);
    }
    Ok((whole, warnings))
}

/// The report of one shard, or of several.
struct Part {
    name: String,
    shards: Shards,
    verified: Verified,
}

/// Returns the reports in the order of their shards.
fn ordered(reports: Vec<(String, Verified)>) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::new();
    let mut seen: BTreeMap<u32, String> = BTreeMap::new();
    for (name, mut verified) in reports {
        let Some(shards) = verified.context.shards.take() else {
            return Err(Failure::misuse(format!("{} is no part of a run", shown(&name)))
                .because("it is the report of a whole one")
                .next("name the reports of shards"));
        };
        for shard in &shards.present {
            if let Some(before) = seen.insert(*shard, name.clone()) {
                return Err(Failure::misuse(format!("shard {shard} is there twice"))
                    .because(format!("in {} and in {}", shown(&before), shown(&name)))
                    .next("name the report of each shard once"));
            }
        }
        verified.context.options = without_shard(&verified.context.options);
        parts.push(Part { name, shards, verified });
    }
    parts.sort_by_key(|part| part.shards.present.first().copied());
    Ok(parts)
}

type Pair = (&'static str, String, String);

fn differ((_, ours, theirs): &Pair) -> bool {
    ours != theirs
}

/// Returns what shards of one run have in common.
fn identity(ours: &Context, theirs: &Context) -> Vec<Pair> {
    let each = |what, of: fn(&Context) -> String| (what, of(ours), of(theirs));
    vec![
        each("run", |context| context.run.clone()),
        each("seed", |context| context.seed.to_string()),
        each("scenario", |context| context.scenario.clone().unwrap_or_else(|| "none".to_owned())),
        each("devices", |context| context.devices.to_string()),
        each("duration in ms", |context| context.duration_ms.to_string()),
        each("keep alive in s", |context| context.keep_alive.to_string()),
        each("MQTT version", |context| context.mqtt.clone()),
        each("expected window", |context| context.expectation.clone()),
    ]
}

/// Returns what may differ from machine to machine, but is worth a word if it does.
fn surroundings(ours: &Context, theirs: &Context) -> Vec<Pair> {
    let each = |what, of: fn(&Context) -> String| (what, of(ours), of(theirs));
    vec![
        each("the broker's name", |context| context.instance.clone()),
        each("the broker", |context| {
            context.broker.clone().unwrap_or_else(|| "not known".to_owned())
        }),
        each("the version of presence", |context| context.presence.clone()),
        each("options", |context| context.options.join(" ")),
    ]
}

/// Adds a part to the whole, but for its timeline, which is returned.
fn join(whole: &mut Verified, part: Verified) -> Vec<Sample> {
    add(&mut whole.heard, &part.heard);
    whole.findings.merge(part.findings);
    let context = &mut whole.context;
    context.begun_ms = context.begun_ms.min(part.context.begun_ms);
    context.interrupted |= part.context.interrupted;
    context.broker_died |= part.context.broker_died;
    let distrust: BTreeSet<String> =
        context.distrust.drain(..).chain(part.context.distrust).collect();
    context.distrust = distrust.into_iter().collect();
    part.timeline
}

fn add(sum: &mut Summary, part: &Summary) {
    for (sum, count) in [
        (&mut sum.clients, part.clients),
        (&mut sum.online, part.online),
        (&mut sum.closing, part.closing),
        (&mut sum.offline, part.offline),
        (&mut sum.unknown, part.unknown),
        (&mut sum.suspect, part.suspect),
        (&mut sum.events, part.events),
        (&mut sum.duplicates, part.duplicates),
        (&mut sum.malformed, part.malformed),
        (&mut sum.unreadable, part.unreadable),
        (&mut sum.client_missing, part.client_missing),
        (&mut sum.unknown_event, part.unknown_event),
        (&mut sum.ambiguous, part.ambiguous),
        (&mut sum.not_mine, part.not_mine),
        (&mut sum.gaps, part.gaps),
        (&mut sum.take_overs, part.take_overs),
        (&mut sum.foreign_ends, part.foreign_ends),
    ] {
        *sum = sum.saturating_add(count);
    }
}

/// Returns the sum of timelines: each keeps its last value until its next one.
fn superposed(timelines: &[Vec<Sample>]) -> Vec<Sample> {
    let times: BTreeSet<u64> = timelines.iter().flatten().map(|sample| sample.at_ms).collect();
    // Shards that look at other moments than the rest have more moments together than are kept.
    let step = times.len().div_ceil(SAMPLES_MAX).max(1);
    let mut open: Vec<_> =
        timelines.iter().map(|timeline| (timeline.iter().peekable(), None)).collect();
    let sum = |at_ms: u64| {
        let mut sum = Sample { at_ms, alive: 0, online: Some(0) };
        for (rest, last) in &mut open {
            while let Some(next) = rest.next_if(|next| next.at_ms <= at_ms) {
                *last = Some(*next);
            }
            let Some(last) = last else { continue };
            sum.alive += last.alive;
            sum.online = sum.online.zip(last.online).map(|(sum, online)| sum + online);
        }
        sum
    };
    times.into_iter().step_by(step).map(sum).collect()
}

/// Returns a command line without what tells the shards of a run apart.
fn without_shard(options: &[String]) -> Vec<String> {
    let mut words = options.iter();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if word == SHARD {
            words.next();
        } else if !word.strip_prefix(SHARD).is_some_and(|rest| rest.starts_with('=')) {
            kept.push(word.clone());
        }
    }
    kept
}

fn shown(text: &str) -> String {
    format!("`{}`", sanitize(text, VALUE_COLUMNS_MAX))
}

/// The option that names the part.
const SHARD: &str = "--shard";
const VALUE_COLUMNS_MAX: usize = 200;
