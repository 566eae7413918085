//! Verdicts, changes and summaries as text for people. Pure: what is printed comes back as a string.

use super::finding;
use super::number::{counted, grouped};
use super::object::Summary;
use super::sanitize::sanitize;
use super::style::{Style, Tone};
use super::table::{Cell, Table};
use super::time::{Zone, duration_ms};
use crate::event::Timestamp;
use crate::state::diagnosis::Lag;
use crate::state::presence::{Change, Counts};
use crate::state::verdict::{Blind, Status, Verdict};
use std::fmt::Write as _;

/// Columns that one foreign value may take on a line of its own.
const VALUE_MAX: usize = 80;

/// Returns the tone that goes with a status.
#[must_use]
pub const fn tone(status: Status) -> Tone {
    match status {
        Status::Online => Tone::Online,
        Status::Closing => Tone::Closing,
        Status::Offline => Tone::Offline,
        Status::Unknown => Tone::Unknown,
        Status::Suspect => Tone::Suspect,
    }
}

/// Returns why nobody can say more, as a clause.
#[must_use]
pub fn blindness(blind: &Blind, zone: Zone) -> String {
    match blind {
        Blind::NeverListened => "nobody is listening".to_owned(),
        Blind::SilentSince(since) => format!("no one has listened since {}", zone.time(*since)),
        Blind::MemberSilent { member, since } => {
            format!("member {} has not listened since {}", sanitize(member, 80), zone.time(*since))
        }
        Blind::QueueUnread { queue, since: None } => {
            format!("nobody has read queue {} yet", sanitize(queue, 80))
        }
        Blind::QueueUnread { queue, since: Some(since) } => format!(
            "nobody has read queue {} to its end since {}",
            sanitize(queue, 80),
            zone.time(*since)
        ),
        Blind::Away { from, to } if from == to => {
            format!("something was lost at {}", zone.time(*from))
        }
        Blind::Away { from, to } => {
            format!("watcher was away {} to {}", zone.time(*from), zone.time(*to))
        }
        Blind::Outdated(asked) => {
            format!("what the broker answered at {} is outdated", zone.time(*asked))
        }
    }
}

/// Returns the verdicts as a table. `instances` adds a column for the broker.
#[must_use]
pub fn table(
    verdicts: &[(&str, Verdict)],
    instances: bool,
    style: Style,
    columns: Option<u16>,
) -> String {
    let mut headers = vec!["client", "state", "since", "channel", "how", "anomalies"];
    if instances {
        headers.insert(0, "broker");
    }
    let mut table = Table::new(&headers);
    for (instance, verdict) in verdicts {
        let since = verdict.since.map_or_else(|| "–".to_owned(), |since| style.time(since));
        let mut cells = vec![
            Cell::text(&verdict.client),
            Cell::text(&state(verdict)).tone(tone(verdict.status)),
            Cell::time(&since),
            Cell::text(verdict.channel.as_deref().unwrap_or("–")),
            Cell::text(&how(verdict)),
            Cell::text(&verdict.anomalies.join(" ")),
        ];
        if instances {
            cells.insert(0, Cell::text(instance));
        }
        table.row(cells);
    }
    table.render(style, columns)
}

fn state(verdict: &Verdict) -> String {
    match &verdict.last_known {
        Some(known) => format!("{} (was {})", verdict.status.word(), known.status.word()),
        None => verdict.status.word().to_owned(),
    }
}

fn how(verdict: &Verdict) -> String {
    match verdict.how {
        Some(how) if verdict.inferred && how.word() != "inferred" => {
            format!("{}, inferred", how.word())
        }
        Some(how) => how.word().to_owned(),
        None => "–".to_owned(),
    }
}

/// Returns a verdict in one line: what is known of a client when watching begins, and what `check`
/// answers.
#[must_use]
pub fn line(verdict: &Verdict, style: Style) -> String {
    let mut text = format!(
        "{}  {}",
        sanitize(&verdict.client, VALUE_MAX),
        style.paint(tone(verdict.status), verdict.status.word())
    );
    if let Some(since) = verdict.since {
        let _ = write!(text, "  since {}", style.time(since));
    }
    if let Some(known) = &verdict.last_known {
        let _ = write!(text, "  was {}", known.status.word());
        if let Some(until) = known.until {
            let _ = write!(text, " until {}", style.time(until));
        }
        let _ = write!(text, ": {}", blindness(&known.blind, style.zone()));
    }
    if verdict.status == Status::Unknown && verdict.last_known.is_none() {
        text.push_str("  no evidence");
    }
    append_details(&mut text, verdict);
    text
}

/// Returns a change in one line.
#[must_use]
pub fn change(change: &Change, style: Style) -> String {
    let verdict = &change.verdict;
    let to = verdict.status;
    let mut text = format!(
        "{}  {}  {} → {}  {}",
        style.dim(style.time(change.at)),
        sanitize(&verdict.client, VALUE_MAX),
        change.from.word(),
        style.paint(tone(to), to.word()),
        change.cause.word(),
    );
    if change.from == to {
        text.push_str(" (a new connection took over)");
    }
    if let Some(held) = change.held_ms {
        let _ = write!(text, "  for {}", duration_ms(held));
    }
    if let Some(known) = &verdict.last_known {
        let _ = write!(text, ": {}", blindness(&known.blind, style.zone()));
    }
    append_details(&mut text, verdict);
    text
}

/// Returns the line above what is said of one broker.
#[must_use]
pub fn heading(instance: &str, style: Style) -> String {
    let name = if instance.is_empty() { "a log of no named broker" } else { instance };
    style.dim(format!("at {}:", sanitize(name, VALUE_MAX))).to_string()
}

fn append_details(text: &mut String, verdict: &Verdict) {
    if verdict.how.is_some() {
        let _ = write!(text, "  {}", how(verdict));
    }
    if let Some(channel) = &verdict.channel {
        let _ = write!(text, "  channel {}", sanitize(channel, VALUE_MAX));
    }
    if let Some(address) = &verdict.address {
        let _ = write!(text, "  from {}", sanitize(address, VALUE_MAX));
    }
    if !verdict.anomalies.is_empty() {
        let _ = write!(text, "  [{}]", verdict.anomalies.join(" "));
    }
}

/// Returns what a run amounts to, as two lines.
#[must_use]
pub fn summary(summary: &Summary, style: Style) -> String {
    let mut text = counted(summary.clients, "client");
    for (status, count) in states(summary) {
        if count > 0 {
            let word = style.paint(tone(status), status.word());
            let _ = write!(text, " · {} {word}", grouped(count));
        }
    }
    text.push('\n');
    text += &heard(summary);
    if let Some(altered) = &summary.altered {
        text.push('\n');
        text += &altered.line();
    }
    text
}

/// Returns how many clients there are of each status.
const fn states(summary: &Summary) -> [(Status, u64); Status::ALL.len()] {
    [
        (Status::Online, summary.online),
        (Status::Closing, summary.closing),
        (Status::Offline, summary.offline),
        (Status::Unknown, summary.unknown),
        (Status::Suspect, summary.suspect),
    ]
}

/// Returns what was heard, in one line.
fn heard(summary: &Summary) -> String {
    let mut text = counted(summary.events, "event");
    let counts = [
        (summary.duplicates, "that changed nothing", "that changed nothing"),
        (summary.take_overs, "unnamed take-over", "unnamed take-overs"),
        (summary.foreign_ends, "end of another connection", "ends of other connections"),
        (summary.malformed, "malformed", "malformed"),
        (summary.not_mine, "not about presence", "not about presence"),
        (summary.gaps, "gap", "gaps"),
    ];
    for (count, one, several) in counts {
        if count > 0 {
            let what = if count == 1 { one } else { several };
            let _ = write!(text, " · {} {what}", grouped(count));
        }
    }
    text
}

/// Returns how long ago something was, `in the future` if the clocks disagree.
#[must_use]
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    let age = now.since(time);
    if age < 0 {
        format!("{} in the future", duration_ms(-age))
    } else {
        format!("{} ago", duration_ms(age))
    }
}

/// How all watchers are doing, for the status line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vitals {
    counts: [usize; Status::ALL.len()],
    away: usize,
    /// The worst.
    lag: Option<Lag>,
    unsaved: usize,
}

impl Vitals {
    /// Adds one watcher.
    pub fn add(&mut self, counts: &Counts, connected: bool, lag: Option<Lag>, unsaved: usize) {
        for status in Status::ALL {
            self.counts[status as usize] += counts.of(status);
        }
        self.away += usize::from(!connected);
        let lags = self.lag.into_iter().chain(lag);
        self.lag = lags.max_by_key(|lag| lag.latest_ms);
        self.unsaved += unsaved;
    }
}

/// Returns the status line: clients by state, events per second, and how late they are.
#[must_use]
pub fn status_line(vitals: &Vitals, rate: f64) -> String {
    let mut text = String::new();
    for status in Status::ALL {
        let count = vitals.counts[status as usize];
        let always = matches!(status, Status::Online | Status::Offline | Status::Unknown);
        if always || count > 0 {
            let _ = write!(text, "{} {} · ", status.word(), grouped(count as u64));
        }
    }
    let _ = write!(text, "{rate:.1} events/s · lag ");
    match &vitals.lag {
        Some(lag) => text.push_str(&finding::lag(lag)),
        None => text.push('–'),
    }
    if vitals.away > 0 {
        text.push_str(" · not connected");
    }
    if vitals.unsaved > 0 {
        let _ = write!(text, " · {} not saved", counted(vitals.unsaved as u64, "message"));
    }
    text
}

/// Returns what a run amounts to, as a table and a line.
#[must_use]
pub fn summary_table(summary: &Summary, style: Style, columns: Option<u16>) -> String {
    let mut table = Table::new(&["state", "clients"]);
    for (status, count) in states(summary) {
        table.row([Cell::text(status.word()).tone(tone(status)), Cell::number(count)]);
    }
    table.row([Cell::text("all"), Cell::number(summary.clients)]);
    let acted = [
        summary.debounce.map(|held| held.line()),
        summary.exec.map(|commands| commands.line()),
        summary.webhook.map(|posts| posts.line()),
    ];
    let mut text = format!("{}\n{}\n", table.render(style, columns), heard(summary));
    for line in acted.into_iter().flatten() {
        text.push_str(&line);
        text.push('\n');
    }
    text
}
