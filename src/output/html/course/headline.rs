//! What happened, in a few sentences: what, when, who, and why as far as is known.

use super::{Account, Lost, Told, capital};
use crate::event::Timestamp;
use crate::output::finding;
use crate::output::number::{counted, grouped};
use crate::output::time::duration_ms;
use crate::output::uptime::percent;
use crate::state::course::Totals;
use crate::state::diagnosis::{Code, Finding, Phase};
use crate::state::verdict::Status;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Outages that are told in the first lines.
const OUTAGES_MAX: usize = 3;
/// Other findings that are told there each.
const OTHERS_MAX: usize = 3;

/// Returns the sentences, what matters most first.
pub fn sentences(account: &Account<'_>) -> Vec<String> {
    if account.brokers.iter().all(|told| told.uptime.clients.is_empty()) {
        return vec!["Nothing was heard of any client that was asked about.".to_owned()];
    }
    let mut sentences = outages(account);
    sentences.extend(others(account));
    sentences.push(end(account));
    sentences.push(over_all(account));
    sentences.push(blind(account));
    sentences
}

fn outages(account: &Account<'_>) -> Vec<String> {
    let all =
        account.brokers.iter().flat_map(|told| (0..told.outages.len()).map(move |at| (told, at)));
    let mut all: Vec<(&Told<'_>, usize)> = all.collect();
    if all.is_empty() {
        return vec!["No mass outage: clients came and went one by one.".to_owned()];
    }
    let count = all.len();
    let lost =
        |(told, at): &(&Told<'_>, usize)| told.outages[*at].outage().map(|outage| outage.lost);
    all.sort_by_key(|outage| std::cmp::Reverse(lost(outage)));
    all.truncate(OUTAGES_MAX);
    all.sort_by_key(|(told, at)| told.outages[*at].begins.since);
    let mut sentences: Vec<String> = all.iter().map(|(told, at)| of_outage(told, *at)).collect();
    if count > OUTAGES_MAX {
        let more = counted((count - OUTAGES_MAX) as u64, "smaller mass outage");
        sentences.push(format!("{more} more: see below."));
    }
    sentences
}

/// Tells one outage from its beginning to its end.
pub fn of_outage(told: &Told<'_>, number: usize) -> String {
    let lost = &told.outages[number];
    let mut text = format!(
        "Mass outage at {}: {}.",
        told.moment(lost.last.since),
        finding::text(told.instance, &told_of(lost), told.zone)
    );
    let Some(outage) = lost.outage() else { return text };
    let (back, all) = (grouped(outage.back as u64), grouped(outage.lost as u64));
    let after = duration_ms(outage.after_ms);
    let _ = write!(text, " {back} of {all} were back after {after}.");
    if lost.last.phase != Phase::Ends {
        let hit: Vec<usize> = told.lost_in(number).collect();
        let is_online = |at: &&usize| told.beliefs[**at].status.online() == Some(true);
        let online = hit.iter().filter(is_online).count() as u64;
        let known = counted(hit.len() as u64, "client");
        let _ = write!(
            text,
            " The record ends before the outage does: of {known} known by name, {} online then.",
            if online == 1 { "1 was".to_owned() } else { format!("{} were", grouped(online)) }
        );
    }
    text
}

/// Returns the outage in the words of its beginning, with the numbers that were known last.
fn told_of(lost: &Lost) -> Finding {
    Finding { phase: Phase::Begins, ..lost.last.clone() }
}

/// Tells the other findings: each where they are few, else how many there are.
fn others(account: &Account<'_>) -> Vec<String> {
    let begun = account.brokers.iter().flat_map(|told| {
        let begun = told.findings.iter().filter(|finding| finding.phase == Phase::Begins);
        begun.map(move |finding| (told.instance, finding))
    });
    let begun: Vec<_> = begun.collect();
    if begun.len() <= OTHERS_MAX {
        let tell = |(instance, finding): &(&str, &Finding)| {
            let name = capital(finding::name(finding.what.code(), 1));
            format!("{name}: {}.", finding::text(instance, finding, account.zone))
        };
        return begun.iter().map(tell).collect();
    }
    let mut counts: BTreeMap<Code, u64> = BTreeMap::new();
    for (_, finding) in begun {
        *counts.entry(finding.what.code()).or_default() += 1;
    }
    let counts = finding::counts(&counts);
    counts
        .map(|counts| format!("{}.", counts.replacen("findings", "Also found", 1)))
        .into_iter()
        .collect()
}

fn end(account: &Account<'_>) -> String {
    let beliefs = || account.brokers.iter().flat_map(|told| told.beliefs);
    let of = |status| beliefs().filter(|belief| belief.status == status).count() as u64;
    let states = Status::ALL.into_iter().map(|status| (status, of(status)));
    let states: Vec<String> = states
        .filter(|(status, count)| *count > 0 || *status == Status::Online)
        .map(|(status, count)| format!("{} {}", grouped(count), status.word()))
        .collect();
    let all = counted(beliefs().count() as u64, "client");
    format!("At the end, of {all}: {}.", states.join(", "))
}

fn over_all(account: &Account<'_>) -> String {
    let mut all = Totals::default();
    for told in &account.brokers {
        all.add(&told.uptime.all.totals);
    }
    format!(
        "Clients were online for {} of the time that is known, which is {} of all time; being online \
         ended {}, being offline {}.",
        percent(all.up_ms, all.known_ms()),
        percent(all.known_ms(), all.span_ms()),
        counted(all.losses, "time"),
        counted(all.returns, "time"),
    )
}

fn blind(account: &Account<'_>) -> String {
    let holes: Vec<(Timestamp, Timestamp)> =
        account.brokers.iter().flat_map(|told| told.holes).copied().collect();
    match holes.as_slice() {
        [] if account.brokers.iter().any(|told| told.is_plain) => {
            "A log does not tell who listened: it counts as heard without loss.".to_owned()
        }
        [] => "Nothing is missing, as far as the listener tells.".to_owned(),
        [(from, to)] => format!(
            "Nobody listened for {}, from {} to {}: what happened then is not known.",
            duration_ms(to.since(*from)),
            account.zone.moment(*from),
            account.zone.moment(*to)
        ),
        holes => {
            let sum =
                holes.iter().fold(0_i64, |sum, (from, to)| sum.saturating_add(to.since(*from)));
            format!(
                "{} times, for {} in all, nobody listened: what happened then is not known.",
                grouped(holes.len() as u64),
                duration_ms(sum)
            )
        }
    }
}

/// Returns what the page rests on.
pub fn facts(account: &Account<'_>) -> Vec<(&'static str, String)> {
    let summary = account.summary;
    let mut facts = Vec::new();
    for told in &account.brokers {
        let label = if account.brokers.len() == 1 { "broker" } else { "brokers" };
        facts.push((label, format!("{}, {}", super::name(told.instance), period(told))));
    }
    facts.push(("clients", grouped(summary.clients)));
    facts.push(("events", grouped(summary.events)));
    let counts = [
        ("not readable", summary.malformed, "line"),
        ("not about presence", summary.not_mine, "line"),
        ("holes", summary.gaps, "time"),
    ];
    for (name, count, noun) in counts {
        if count > 0 {
            facts.push((name, counted(count, noun)));
        }
    }
    facts
}

fn period(told: &Told<'_>) -> String {
    let (first, last) = told.bounds;
    let span = duration_ms(last.since(first));
    format!("{} to {}, {span}", told.moment(first), told.moment(last))
}
