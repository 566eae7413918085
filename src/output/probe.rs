//! What a broker tells of clients, as people read it on a terminal, and as JSON.

use super::number::counted;
use super::sanitize::{guard, sanitize};
use super::simulation::fine;
use super::style::{Style, Tone};
use super::table::{Cell, Table};
use crate::probe::findings::{Findings, Silences, Stamps, TakeOvers, Voice};
use crate::probe::step::{End, Kind, Step};
use crate::probe::{Answer, Deed, OldEnd, Topic};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;

/// What `--json` prints.
#[derive(Serialize, Clone, Debug)]
pub struct ProbeObject<'a> {
    #[serde(rename = "type")]
    pub kind: ProbeKind,
    pub instance: &'a str,
    /// Spoken with the broker: `3.1.1` or `5`.
    pub mqtt_version: &'static str,
    pub preflight: Vec<StepObject<'a>>,
    /// `null`: the way to the broker ended before anything was tried.
    pub findings: Option<&'a Findings>,
    /// Topics on which something may still be kept.
    pub left: &'a [String],
}

#[derive(Serialize, Clone, Copy, Debug)]
#[serde(rename_all = "lowercase")]
pub enum ProbeKind {
    Probe,
}

/// One step on the way to the broker.
#[derive(Serialize, Clone, Debug)]
pub struct StepObject<'a> {
    pub step: Kind,
    pub end: End,
    pub took_ms: f64,
    pub detail: &'a str,
}

impl<'a> From<&'a Step> for StepObject<'a> {
    fn from(step: &'a Step) -> Self {
        let took_ms = (step.took.as_secs_f64() * 1_000_000.0).round() / 1_000.0;
        Self { step: step.kind, end: step.end, took_ms, detail: &step.detail }
    }
}

/// Returns the way to the broker as a table.
#[must_use]
pub fn preflight(steps: &[Step], style: Style, columns: Option<u16>) -> String {
    let mut table = Table::new(&["step", "result", "took", "found"]);
    for step in steps {
        let tone = match step.end {
            End::Done => Tone::Plain,
            End::Partly => Tone::Warning,
            End::Failed => Tone::Error,
        };
        let took = u64::try_from(step.took.as_micros()).unwrap_or(u64::MAX);
        table.row([
            Cell::text(&step.kind.to_string()),
            Cell::text(&step.end.to_string()).tone(tone),
            Cell::text(&fine(took)).right(),
            Cell::text(&step.detail),
        ]);
    }
    table.render(style, columns)
}

/// Returns what was found.
#[must_use]
pub fn report(findings: &Findings, style: Style, columns: Option<u16>) -> String {
    let mut tables = vec![topics(&findings.topics), told(findings)];
    tables.retain(|table| !table.is_empty());
    let tables: Vec<String> =
        tables.into_iter().map(|table| table.render(style, columns)).collect();
    let mut text = tables.join("\n");
    text.push('\n');
    let mut lines: Vec<String> = silent(&findings.topics).into_iter().collect();
    if let Some(broker) = &findings.broker {
        lines.push(format!("The broker says it is {}.", sanitize(broker, BROKER_COLUMNS_MAX)));
    }
    lines.extend(findings.silence.as_ref().map(silence));
    lines.extend(findings.take_over.as_ref().map(take_over));
    lines.extend(retained(findings));
    lines.extend(findings.dialects.iter().filter_map(given));
    for line in lines {
        let _ = writeln!(text, "{}", guard(&line));
    }
    let _ = writeln!(text, "\n{}", style.paint(Tone::Bold, verdict(findings)));
    for limit in &findings.unknowable {
        let _ = writeln!(text, "cannot be known: {}", guard(&limit.text));
    }
    for refusal in &findings.refused {
        let label = style.paint(Tone::Warning, "not given:");
        let _ =
            writeln!(text, "{label} {}\n  next: {}", guard(&refusal.text), guard(&refusal.next));
    }
    text
}

/// Returns the filters at which something was heard, and those that were refused.
fn topics(topics: &[Topic]) -> Table {
    let mut table = Table::new(&["dialect", "filter", "answer", "ours", "others"]);
    for topic in topics.iter().filter(|topic| !is_silent(topic)) {
        let reason = topic.reason.as_deref().unwrap_or_default();
        let (answer, tone) = match topic.answer {
            Answer::Granted => (format!("granted, QoS {}", topic.qos.unwrap_or(0)), Tone::Plain),
            Answer::Refused => (format!("refused: {reason}"), Tone::Error),
            Answer::Closed => (format!("connection ended: {reason}"), Tone::Error),
        };
        table.row([
            Cell::text(&topic.dialect),
            Cell::text(&topic.filter),
            Cell::text(&answer).tone(tone),
            topic.heard.into(),
            topic.others.into(),
        ]);
    }
    table
}

/// Returns a line about the dialects whose subscriptions were granted, but that nobody spoke.
fn silent(topics: &[Topic]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for topic in topics.iter().filter(|topic| is_silent(topic)) {
        let name = &*topic.dialect;
        if !names.contains(&name) && topics.iter().all(|one| one.dialect != name || is_silent(one))
        {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| format!("Granted, and silent: {}.", names.join(", ")))
}

fn is_silent(topic: &Topic) -> bool {
    topic.answer == Answer::Granted && topic.heard == 0 && topic.others == 0
}

/// Returns what was told of each deed, by the dialects that told anything.
fn told(findings: &Findings) -> Table {
    let headers = ["deed", "dialect", "told", "median", "max", "messages", "retained", "qos"];
    let mut table = Table::new(&headers);
    let speaks =
        |name: &str| findings.evidence.iter().any(|one| one.dialect == name && one.messages > 0);
    for deed in Deed::ALL {
        let all = findings.evidence.iter().filter(|one| one.deed == deed);
        for one in all.filter(|one| speaks(&one.dialect)) {
            let time = |ms: Option<f64>| Cell::text(&ms.map_or("–".into(), shown)).right();
            let tone = if one.told == one.done { Tone::Plain } else { Tone::Warning };
            table.row([
                Cell::text(words(deed)),
                Cell::text(&one.dialect),
                Cell::text(&format!("{} of {}", one.told, one.done)).tone(tone),
                time(one.median_ms),
                time(one.max_ms),
                one.messages.into(),
                one.retained.into(),
                Cell::text(&one.qos.map_or("–".to_owned(), |qos| qos.to_string())).right(),
            ]);
        }
    }
    table
}

/// Returns what was done, for people.
const fn words(deed: Deed) -> &'static str {
    match deed {
        Deed::Connect => "connect",
        Deed::Disconnect => "goodbye (DISCONNECT)",
        Deed::Fin => "drop (FIN)",
        Deed::Rst => "drop (RST)",
        Deed::TakeOver => "take-over, the newer",
        Deed::TakenOver => "take-over, the older",
        Deed::Silence => "silence",
    }
}

fn silence(silence: &Silences) -> String {
    let keep_alive = silence.keepalive_s;
    let (Some(min), Some(max)) = (silence.min_ms, silence.max_ms) else {
        return format!(
            "Silence: with a keep alive of {keep_alive} s, none of {} was noticed within {}.",
            counted(silence.done, "silent client"),
            shown(silence.waited_ms)
        );
    };
    format!(
        "Silence: with a keep alive of {keep_alive} s, {} of {} were noticed {} to {} after the last packet, \
         {:.1} to {:.1} keep alives.",
        silence.noticed,
        counted(silence.done, "silent client"),
        shown(min),
        shown(max),
        silence.keep_alives(min),
        silence.keep_alives(max)
    )
}

fn take_over(take_over: &TakeOvers) -> String {
    let old = match take_over.old {
        OldEnd::Told => "is told by a DISCONNECT",
        OldEnd::Closed => "is closed without a word",
        OldEnd::LeftOpen => "is left open",
    };
    let mut text = format!("Take-over: the older connection {old}");
    if let Some(wills) = take_over.wills {
        let _ = write!(text, "; its will came in {wills} of {}", take_over.done);
    }
    if let Some(wrong) = take_over.last_word_wrong {
        let _ = write!(
            text,
            "; the last word on the status topic, of a client that was online, was right in {} of {}",
            take_over.done.saturating_sub(wrong),
            take_over.done
        );
    }
    text + "."
}

fn retained(findings: &Findings) -> Option<String> {
    let retained = findings.retained;
    if retained.due == 0 {
        return None;
    }
    let mut text = format!(
        "Retained: who subscribes later to a status topic gets its last word for {} of {}, {} of them \
         marked as retained",
        retained.found,
        counted(retained.due, "client"),
        retained.flagged
    );
    if let Some(count) = retained.found_by_wildcard {
        let _ = write!(text, "; by a filter with a wildcard for {count}");
    }
    Some(text + ".")
}

/// Returns what a dialect gives, `None` where it told nothing.
fn given(voice: &Voice) -> Option<String> {
    let mut given = vec![if voice.names_connections? {
        "names each connection for good"
    } else {
        "does not name connections for good"
    }];
    given.push(match voice.tells_goodbye {
        Some(true) => "tells a goodbye from a drop",
        Some(false) => "tells a goodbye in the words of a drop",
        None => "does not tell of both goodbyes and drops",
    });
    given.push(match voice.stamps? {
        Stamps::Milliseconds => "has times in ms",
        Stamps::Seconds => "has times in whole seconds",
        Stamps::Arrival => "has no times",
    });
    let mut text = format!("`{}` {}", voice.dialect, given.join(", "));
    if voice.others > 0 {
        let _ =
            write!(text, "; {} about other clients came meanwhile", counted(voice.others, "event"));
    }
    if voice.unread > 0 {
        let _ = write!(text, "; {} could not be read", counted(voice.unread, "message"));
    }
    Some(text + ".")
}

/// Returns which dialect to use, and why.
fn verdict(findings: &Findings) -> String {
    if findings.recommended.is_empty() {
        return "No evidence: this broker tells this account nothing of clients that come and go."
            .to_owned();
    }
    let told: Vec<&str> = Deed::ALL
        .into_iter()
        .filter(|deed| *deed != Deed::TakeOver && findings.tells(*deed))
        .map(|deed| match deed {
            Deed::Connect => "connects",
            Deed::Disconnect => "goodbyes",
            Deed::Fin => "drops",
            Deed::Rst => "resets",
            Deed::TakeOver | Deed::TakenOver => "take-overs",
            Deed::Silence => "silence",
        })
        .collect();
    // Silence takes keep alives, all else what the way takes.
    let slowest = |of_silence: bool| {
        let chosen = findings.evidence.iter().filter(|one| {
            (one.deed == Deed::Silence) == of_silence && findings.recommended.contains(&one.dialect)
        });
        chosen.filter_map(|one| one.max_ms).reduce(f64::max)
    };
    let silence =
        slowest(true).map_or(String::new(), |ms| format!(", silence within {}", shown(ms)));
    let devices = if findings.recommended == ["status"] {
        ", of devices that keep a status by birth and will"
    } else {
        ""
    };
    let is_spare =
        |voice: &&Voice| voice.is_usable && !findings.recommended.contains(&voice.dialect);
    let spare: Vec<&str> =
        findings.dialects.iter().filter(is_spare).map(|voice| &*voice.dialect).collect();
    let also = match spare.as_slice() {
        [] => String::new(),
        spare => format!(" `{}` works too, where devices keep a status.", listed(spare)),
    };
    format!(
        "Use `--dialect {}`: it tells of {}{devices}, within {}{silence}.{also}",
        findings.recommended.join(","),
        listed(&told),
        shown(slowest(false).unwrap_or_default())
    )
}

/// Returns words as a list: `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn shown(ms: f64) -> String {
    let time = Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or(Duration::MAX);
    fine(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

const BROKER_COLUMNS_MAX: usize = 80;
