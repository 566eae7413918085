//! From a verification to its lines.

use super::object::{
    ActObject, DelayObject, FaultObject, Kind, Line, OutcomeObject, ShardsObject, StateObject,
    SummaryObject, TimelineObject, ToldObject, VoiceObject,
};
use super::{Verified, words};
use crate::simulate::verify::findings::{Act, Fault, Row, Wrong};
use crate::simulate::verify::window::Window;
use hdrhistogram::Histogram;
use std::borrow::Cow;
use std::time::Duration;

/// Returns the lines of a verification, the summary last.
pub fn lines(verified: &Verified) -> impl Iterator<Item = Line<'_>> {
    let instance = verified.context.instance.as_str();
    let findings = &verified.findings;
    let acts = findings.done.iter().map(move |(act, done)| {
        Line::Act(ActObject {
            kind: Kind::Act,
            instance: instance.into(),
            act: words::act(*act),
            planned: done.planned,
            done: done.done,
        })
    });
    let rows = findings.rows.iter().flat_map(move |(key, row)| {
        let of = Of { instance, voice: &key.voice, act: key.act, window: key.window };
        std::iter::once(told(of, row)).chain(outcomes(of, row))
    });
    let voices = findings.voices.iter().map(move |(name, voice)| {
        Line::Voice(VoiceObject {
            kind: Kind::Voice,
            instance: instance.into(),
            voice: name.into(),
            reports: voice.reports,
            false_offline: voice.false_offline,
            strays: voice.strays,
            names: words::naming(voice.names).into(),
        })
    });
    let states = Line::State(StateObject {
        kind: Kind::State,
        instance: instance.into(),
        right: findings.states.right,
        wrong: findings.states.wrong,
        unknown: findings.states.unknown,
        not_observable: findings.states.not_observable,
    });
    let faults = findings.faults.iter().map(move |found| fault(instance, found));
    let timeline = verified.timeline.iter().map(move |sample| {
        Line::Timeline(TimelineObject {
            kind: Kind::Timeline,
            instance: instance.into(),
            at_ms: sample.at_ms,
            alive: sample.alive,
            online: sample.online,
        })
    });
    acts.chain(rows)
        .chain(voices)
        .chain([states])
        .chain(faults)
        .chain(timeline)
        .chain([Line::Summary(Box::new(summary(verified)))])
}

/// What a row is about.
#[derive(Clone, Copy)]
struct Of<'a> {
    instance: &'a str,
    voice: &'a str,
    act: Act,
    window: Option<Window>,
}

fn told<'a>(of: Of<'a>, row: &'a Row) -> Line<'a> {
    Line::Told(ToldObject {
        kind: Kind::Told,
        instance: of.instance.into(),
        voice: of.voice.into(),
        act: words::act(of.act),
        window_ms: of.window.map(window_ms),
        done: row.outcomes.values().copied().fold(0, u64::saturating_add),
        duplicates: row.duplicates,
        delay: delay(&row.delays_us),
    })
}

fn outcomes<'a>(of: Of<'a>, row: &'a Row) -> impl Iterator<Item = Line<'a>> {
    row.outcomes.iter().filter(|(_, count)| **count > 0).map(move |(outcome, count)| {
        Line::Outcome(OutcomeObject {
            kind: Kind::Outcome,
            instance: of.instance.into(),
            voice: of.voice.into(),
            act: words::act(of.act),
            window_ms: of.window.map(window_ms),
            outcome: words::outcome(*outcome).into(),
            count: *count,
        })
    })
}

fn delay(delays_us: &Histogram<u64>) -> DelayObject {
    let known = |value: u64| (!delays_us.is_empty()).then_some(value);
    DelayObject {
        count: delays_us.len(),
        p50_us: known(delays_us.value_at_quantile(0.50)),
        p90_us: known(delays_us.value_at_quantile(0.90)),
        p99_us: known(delays_us.value_at_quantile(0.99)),
        max_us: known(delays_us.max()),
        digits: delays_us.sigfig(),
        histogram: delays_us
            .iter_recorded()
            .map(|bucket| {
                let value = delays_us.lowest_equivalent(bucket.value_iterated_to());
                (value, bucket.count_at_value())
            })
            .collect(),
    }
}

fn fault<'a>(instance: &'a str, fault: &'a Fault) -> Line<'a> {
    let (what, act, alive): (Cow<'_, str>, _, _) = match fault.what {
        Wrong::Told(act, outcome) => (words::outcome(outcome).into(), Some(act), None),
        Wrong::Duplicate(act) => (words::DUPLICATE.into(), Some(act), None),
        Wrong::FalseOffline => (words::FALSE_OFFLINE.into(), None, None),
        Wrong::Stray => (words::STRAY.into(), None, None),
        Wrong::State { alive } => (words::STATE.into(), None, Some(alive)),
    };
    Line::Fault(FaultObject {
        kind: Kind::Fault,
        instance: instance.into(),
        at_us: u64::try_from(fault.at.as_micros()).unwrap_or(u64::MAX),
        client: (&fault.client).into(),
        device: fault.device,
        connection: fault.connection,
        voice: (&fault.voice).into(),
        what,
        act: act.map(words::act),
        alive,
        delay_us: fault.delay_us,
    })
}

fn summary(verified: &Verified) -> SummaryObject<'_> {
    let context = &verified.context;
    SummaryObject {
        heard: verified.heard.clone(),
        verified: verified.findings.is_verified(),
        trusted: verified.is_trusted(),
        distrust: (&context.distrust).into(),
        faults: verified.findings.faults_total,
        instance: (&context.instance).into(),
        broker: context.broker.as_ref().map(Into::into),
        run: (&context.run).into(),
        seed: context.seed,
        scenario: context.scenario.as_ref().map(Into::into),
        options: (&context.options).into(),
        begun_ms: context.begun_ms,
        duration_ms: context.duration_ms,
        devices: context.devices,
        keep_alive: context.keep_alive,
        mqtt: (&context.mqtt).into(),
        presence: (&context.presence).into(),
        window: (&context.expectation).into(),
        shards: context
            .shards
            .as_ref()
            .map(|shards| ShardsObject { of: shards.of, present: (&shards.present).into() }),
        interrupted: context.interrupted,
        broker_died: context.broker_died,
    }
}

fn window_ms(window: Window) -> [u64; 2] {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    [ms(window.earliest), ms(window.latest)]
}
