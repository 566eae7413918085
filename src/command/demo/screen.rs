//! What the demo shows. Pure: what is printed comes back as a string.

use crate::dialect::lmq::Lmq;
use crate::dialect::status::Status as StatusTopics;
use crate::output::style::Style;
use crate::output::table::{Cell, Table};
use crate::output::time::{duration, duration_ms};
use crate::output::verdict::tone;
use crate::simulate::matching::{Done, Joined, Matching, Said, Totals};
use crate::simulate::plan::Death;
use crate::state::verdict::Verdict;
use std::time::Duration;

/// What is typed next, to see it with more devices and in one's own time.
pub const NEXT: &str = "\
Now in your own time, each in a terminal of its own:

  presence broker                             the broker of this demo, on port 1883
  presence watch                              who comes and goes
  presence simulate --count 1000 --run tour   a thousand devices for 20 seconds
  presence check sim-tour-7 --explain         is it online, and how do we know?

The broker speaks as Alibaba Cloud's MQTT does (LMQ). Other brokers have words of their own:
`presence watch -b HOST` with Mosquitto, or with status topics, works the same way.
";

/// Returns the heads of the columns of [`line`].
pub fn heads(style: Style) -> String {
    let text = columns("AT", "DEVICE", "WHAT WAS DONE", "WHAT THE BROKER SAID", "LATE", "VERDICT");
    style.dim(text).to_string()
}

/// Returns one deed with what was said of it and what is believed since. `at` counts from the start.
pub fn line(joined: &Joined, at: Duration, verdict: Option<&Verdict>, style: Style) -> String {
    let late = late(joined.said.late_ms());
    let verdict = verdict.map_or_else(String::new, |verdict| {
        let word = style.paint(tone(verdict.status), verdict.status.word());
        match verdict.how {
            Some(how) => format!("{word}, {}", how.word()),
            None => word.to_string(),
        }
    });
    columns(&duration(at), &joined.client, done(joined.done), said(joined), &late, &verdict)
}

fn columns(at: &str, device: &str, done: &str, said: &str, late: &str, verdict: &str) -> String {
    format!("{at:>7}  {device:<6}  {done:<29}  {said:<20}  {late:>6}  {verdict}")
        .trim_end()
        .to_owned()
}

const fn done(done: Done) -> &'static str {
    match done {
        Done::Connected => "connected",
        Done::Died(Death::Disconnect) => "said goodbye (DISCONNECT)",
        Done::Died(Death::Fin) => "connection closed, no goodbye",
        Done::Died(Death::Rst) => "connection reset",
        Done::Died(_) => "fell silent, connection open",
    }
}

const fn said(joined: &Joined) -> &'static str {
    match (joined.said, joined.done) {
        (Said::Nothing, _) => "nothing",
        (Said::Rightly { .. }, Done::Connected) => "connect",
        (Said::Rightly { .. }, Done::Died(Death::Disconnect)) => "disconnect, tcpclean",
        (Said::Rightly { .. }, Done::Died(_)) | (Said::WrongKind { .. }, _) => "tcpclean",
    }
}

/// Returns the joined deeds as a table, and how to read it.
pub fn report(matching: &Matching, style: Style, width: Option<u16>) -> String {
    let mut table = Table::new(&[
        "told by",
        "what was done",
        "times",
        "told",
        "missed",
        "wrong",
        "half within",
        "all within",
    ]);
    for (voice, name) in [(Lmq::NAME, "broker's notices"), (StatusTopics::NAME, "births and wills")]
    {
        for (deed, totals) in Totals::of(&matching.joined(voice)) {
            let half = totals.late_ms.get(totals.late_ms.len().saturating_sub(1) / 2);
            table.row([
                Cell::text(name),
                Cell::text(done(deed)),
                Cell::number(totals.done),
                Cell::number(totals.rightly),
                Cell::number(totals.missed()),
                Cell::number(totals.wrong_kind),
                Cell::text(&late(half.copied())).right(),
                Cell::text(&late(totals.late_ms.last().copied())).right(),
            ]);
        }
    }
    table.render(style, width) + HOW_TO_READ
}

/// Returns how late a report was; the clock counts in whole ms.
fn late(ms: Option<i64>) -> String {
    match ms {
        None => "–".to_owned(),
        Some(0) => "<1 ms".to_owned(),
        Some(ms) => duration_ms(ms),
    }
}

const HOW_TO_READ: &str = "
Late is the time from the deed to the arrival of the report here, on one clock. Silence is told late
by nature: the broker waits one and a half times the keep alive of 1 s. A goodbye sends no will.
demo-9 came back before its silence was noticed: the end of its old connection came with the new one,
and does not make it offline.
";

/// Returns how verdicts and truth compare.
pub fn agreement(when: &str, right: usize, wrong: &[String]) -> String {
    let all = right + wrong.len();
    let about = if wrong.is_empty() {
        String::new()
    } else {
        format!("; wrong about {}", wrong.join(", "))
    };
    format!("Verdicts {when}: {right} of {all} right{about}\n")
}
