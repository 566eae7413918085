//! From what was done and heard to what was found.

use super::findings::{Evidence, Findings, Retained, Silences, Stamps, TakeOvers, Voice};
use super::{Deed, Done, Heard, Report, Trial, limit, refusal};
use crate::dialect::facts::{Dated, Facts};
use crate::dialect::mosquitto::Mosquitto;
use crate::dialect::status::Status;
use crate::dialect::terms::Terms;
use crate::event::EventKind;
use std::time::Duration;

/// Judges a trial.
#[must_use]
pub fn judge(trial: &Trial) -> Findings {
    let mut dialects: Vec<&str> = Vec::new();
    for topic in &trial.topics {
        if !dialects.contains(&&*topic.dialect) {
            dialects.push(&topic.dialect);
        }
    }
    let deeds = Deed::ALL.into_iter().filter(|deed| done(trial, *deed).next().is_some());
    let deeds: Vec<Deed> = deeds.collect();
    let evidence: Vec<Evidence> = dialects
        .iter()
        .flat_map(|name| deeds.iter().map(move |deed| of_deed(trial, name, *deed)))
        .collect();
    let voices: Vec<Voice> = dialects.iter().map(|name| voice(trial, name, &evidence)).collect();
    let mut findings = Findings {
        broker: trial.broker.clone(),
        topics: trial.topics.clone(),
        silence: silences(trial),
        take_over: take_overs(trial, &evidence),
        retained: Retained {
            due: trial.kept.due,
            found: trial.kept.exact,
            flagged: trial.kept.flagged,
            found_by_wildcard: trial.kept.wildcard,
        },
        recommended: recommended(&voices),
        evidence,
        dialects: voices,
        unknowable: Vec::new(),
        refused: Vec::new(),
    };
    findings.unknowable = limit::limits(&findings);
    findings.refused = refusal::refusals(trial, &findings);
    findings
}

/// Returns everything of one kind that was done. A take-over is an end, too.
fn done(trial: &Trial, deed: Deed) -> impl Iterator<Item = &Done> {
    let wanted = if deed == Deed::TakenOver { Deed::TakeOver } else { deed };
    trial.done.iter().filter(move |done| done.deed == wanted)
}

/// Returns what a dialect said of a client from a deed on, until what is said is about something else.
fn said<'a>(
    trial: &'a Trial,
    dialect: &'a str,
    done: &'a Done,
) -> impl Iterator<Item = &'a Report> {
    trial.reports.iter().filter(move |report| {
        report.dialect == dialect
            && report.client == done.client
            && (done.at..done.until).contains(&report.at)
    })
}

/// Tells whether a message belongs to a deed: it tells of it, or it merely speaks of the client, before
/// anything else was done to that.
fn belongs(trial: &Trial, report: &Report, done: &Done, deed: Deed) -> bool {
    let next = || {
        let later = |other: &&Done| other.client == done.client && other.at > done.at;
        trial.done.iter().filter(later).map(|other| other.at).min().unwrap_or(Duration::MAX)
    };
    tells(report, deed) || (report.kinds.is_empty() && !report.is_take_over && report.at < next())
}

/// Tells whether a message tells of a deed.
fn tells(report: &Report, deed: Deed) -> bool {
    let says = |kinds: &[EventKind]| report.kinds.iter().any(|kind| kinds.contains(kind));
    match deed {
        Deed::Connect | Deed::TakeOver => says(&[EventKind::Opened, EventKind::Seen]),
        Deed::TakenOver => report.is_take_over || says(&ENDS),
        Deed::Disconnect | Deed::Fin | Deed::Rst | Deed::Silence => says(&ENDS),
    }
}

const ENDS: [EventKind; 2] = [EventKind::Farewell, EventKind::Closed];

fn of_deed(trial: &Trial, dialect: &str, deed: Deed) -> Evidence {
    let mut evidence = Evidence {
        dialect: dialect.to_owned(),
        deed,
        done: 0,
        told: 0,
        messages: 0,
        retained: 0,
        qos: None,
        median_ms: None,
        max_ms: None,
    };
    let mut delays = Vec::new();
    for done in done(trial, deed) {
        evidence.done += 1;
        let all = said(trial, dialect, done);
        for report in all.filter(|report| belongs(trial, report, done, deed)) {
            evidence.messages += 1;
            evidence.retained += u64::from(report.retain);
            evidence.qos = Some(evidence.qos.map_or(report.qos, |qos| qos.min(report.qos)));
        }
        let told = said(trial, dialect, done).filter(|report| tells(report, deed));
        if let Some(first) = told.map(|report| report.at).min() {
            evidence.told += 1;
            delays.push(first.saturating_sub(done.at));
        }
    }
    delays.sort();
    evidence.median_ms = delays.get(delays.len() / 2).copied().map(ms);
    evidence.max_ms = delays.last().copied().map(ms);
    evidence
}

fn voice(trial: &Trial, dialect: &str, evidence: &[Evidence]) -> Voice {
    let told = |deed: Deed| {
        evidence.iter().any(|one| one.dialect == dialect && one.deed == deed && one.told > 0)
    };
    let drops = Deed::DROPS.into_iter().any(told);
    let says_farewell = |deed: Deed| {
        done(trial, deed)
            .flat_map(|done| said(trial, dialect, done))
            .any(|report| report.kinds.contains(&EventKind::Farewell))
    };
    let spoken = || {
        let of_dialect = |report: &&Report| report.dialect == dialect;
        trial.reports.iter().filter(of_dialect).filter(|report| !report.kinds.is_empty())
    };
    let count = |heard: &[Heard]| {
        heard.iter().filter(|one| one.dialect == dialect).map(|one| one.messages).sum()
    };
    Voice {
        dialect: dialect.to_owned(),
        is_usable: told(Deed::Connect) && (told(Deed::Disconnect) || drops),
        names_connections: spoken().next().map(|_| spoken().all(|report| report.is_strong)),
        tells_goodbye: (told(Deed::Disconnect) && drops).then(|| {
            says_farewell(Deed::Disconnect) && !Deed::DROPS.into_iter().any(says_farewell)
        }),
        stamps: spoken().map(stamps).reduce(|all, one| match (all, one) {
            // The coarsest is what can be relied on.
            (Stamps::Arrival, _) | (_, Stamps::Arrival) => Stamps::Arrival,
            (Stamps::Seconds, _) | (_, Stamps::Seconds) => Stamps::Seconds,
            _ => Stamps::Milliseconds,
        }),
        others: count(&trial.others),
        unread: count(&trial.unread),
    }
}

/// Returns which times stand in a message. A log in ms is none that Mosquitto writes: without a stamp of
/// its own a line is dated by its arrival.
fn stamps(report: &Report) -> Stamps {
    let has_none = Facts::of(report.dialect).is_some_and(|facts| facts.dated == Dated::Arrival);
    match (report.dialect, report.resolution) {
        _ if has_none => Stamps::Arrival,
        (_, None) | (Mosquitto::NAME, Some(0)) => Stamps::Arrival,
        (_, Some(0)) => Stamps::Milliseconds,
        (_, Some(_)) => Stamps::Seconds,
    }
}

/// Returns what to listen with. What devices keep of themselves is only there where devices do that: beside
/// a broker's own word it counts where others were heard to.
fn recommended(voices: &[Voice]) -> Vec<String> {
    let usable = || voices.iter().filter(|voice| voice.is_usable);
    let is_brokers = |voice: &&Voice| !Terms::is_of_devices(&voice.dialect);
    let has_brokers = usable().any(|voice| is_brokers(&voice));
    usable()
        .filter(|voice| is_brokers(voice) || voice.others > 0 || !has_brokers)
        .map(|voice| voice.dialect.clone())
        .collect()
}

fn silences(trial: &Trial) -> Option<Silences> {
    if trial.silences.is_empty() {
        return None;
    }
    let closed = trial.silences.iter().filter_map(|silence| silence.closed_after);
    let mut closed: Vec<Duration> = closed.collect();
    closed.sort();
    Some(Silences {
        keepalive_s: trial.keep_alive,
        done: trial.silences.len() as u64,
        noticed: closed.len() as u64,
        min_ms: closed.first().copied().map(ms),
        median_ms: closed.get(closed.len() / 2).copied().map(ms),
        max_ms: closed.last().copied().map(ms),
        waited_ms: ms(trial.waited),
    })
}

fn take_overs(trial: &Trial, evidence: &[Evidence]) -> Option<TakeOvers> {
    let old = trial.take_overs.iter().map(|one| one.old).max()?;
    let of_status =
        |deed: Deed| evidence.iter().find(|one| one.dialect == Status::NAME && one.deed == deed);
    // Who hears no birth would hear no will either.
    let is_heard = of_status(Deed::Connect).is_some_and(|one| one.told > 0);
    let is_wrong = |done: &&Done| {
        let said = said(trial, Status::NAME, done).filter(|report| !report.kinds.is_empty());
        said.max_by_key(|report| report.at)
            .is_some_and(|last| last.kinds.contains(&EventKind::Closed))
    };
    Some(TakeOvers {
        done: trial.take_overs.len() as u64,
        old,
        wills: of_status(Deed::TakenOver).filter(|_| is_heard).map(|one| one.told),
        last_word_wrong: is_heard
            .then(|| done(trial, Deed::TakeOver).filter(is_wrong).count() as u64),
    })
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
