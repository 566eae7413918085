//! What the demo shows. Pure: what is printed comes back as a string.

use crate::output::style::Style;
use crate::output::time::{duration, duration_ms};
use crate::output::verdict::tone;
use crate::output::verification::{Verified, brief};
use crate::simulate::plan::Death;
use crate::simulate::verify::Told;
use crate::simulate::verify::findings::{Act, Outcome};
use crate::state::verdict::Verdict;
use std::borrow::Cow;
use std::time::Duration;

/// What is typed next, to see it with more devices and in one's own time.
pub const NEXT: &str = "\
Now in your own time, each in a terminal of its own:

  presence broker                             the broker of this demo, on port 1883
  presence watch                              who comes and goes
  presence simulate --count 1000 --run tour   a thousand devices for 20 seconds
  presence check sim-tour-7 --explain         is it online, and how do we know?

The broker speaks as Alibaba Cloud's MQTT does (LMQ). `-b HOST` takes any other, in its own words or
by births and wills; with `--verify` the devices of `presence simulate` end in a report like this.
";

/// Returns the heads of the columns of [`line`].
pub fn heads(style: Style) -> String {
    let text = columns("AT", "DEVICE", "WHAT WAS DONE", "WHAT THE BROKER SAID", "LATE", "VERDICT");
    style.dim(text).to_string()
}

/// Returns one deed with what the broker said of it and what is believed since. `at` counts from the start.
pub fn line(
    told: &Told,
    client: &str,
    at: Duration,
    verdict: Option<&Verdict>,
    style: Style,
) -> String {
    let verdict = verdict.map_or_else(String::new, |verdict| {
        let word = style.paint(tone(verdict.status), verdict.status.word());
        match verdict.how {
            Some(how) => format!("{word}, {}", how.word()),
            None => word.to_string(),
        }
    });
    let late = late(told.delay_us);
    columns(&duration(at), client, &done(told.act), said(told), &late, &verdict)
}

fn columns(at: &str, device: &str, done: &str, said: &str, late: &str, verdict: &str) -> String {
    format!("{at:>7}  {device:<6}  {done:<27}  {said:<20}  {late:>6}  {verdict}")
        .trim_end()
        .to_owned()
}

/// Returns the word that the report has for an act, and what it means here.
fn done(act: Act) -> Cow<'static, str> {
    match act {
        Act::Connect => "connect".into(),
        Act::Died(Death::Disconnect) => "disconnect: said goodbye".into(),
        Act::Died(Death::Fin) => "fin: closed, no goodbye".into(),
        Act::Died(Death::Rst) => "rst: connection reset".into(),
        Act::Died(Death::Silence) => "silence: connection open".into(),
        Act::Died(Death::TakeOver) => "takeover: same id once more".into(),
        Act::Died(other) => other.word(),
        Act::GaveUp => "gave-up: found no answer".into(),
        Act::Lost => "lost: connection broken".into(),
    }
}

fn said(told: &Told) -> &'static str {
    if told.delay_us.is_none() {
        return "nothing";
    }
    let is_goodbye = told.act == Act::Died(Death::Disconnect);
    match told.act {
        Act::Connect => "connect",
        _ if is_goodbye != (told.outcome == Outcome::WrongKind) => "disconnect, tcpclean",
        _ => "tcpclean",
    }
}

/// Returns how late a report was. One that was stamped before its deed, in another thread, was not late.
fn late(us: Option<i64>) -> String {
    match us.map(|us| us / 1_000) {
        None => "–".to_owned(),
        Some(..=0) => "<1 ms".to_owned(),
        Some(ms) => duration_ms(ms),
    }
}

/// Returns the verifier's report in short, and how to read it.
pub fn report(verified: &Verified, style: Style, width: Option<u16>) -> String {
    brief(verified, style, width) + HOW_TO_READ
}

const HOW_TO_READ: &str = "
Late is the time from the deed to the arrival of the report here, on one clock; for a silence from
the last packet: the broker waits one and a half times the keep alive of 3 s. demo-9 came back before
that, so its old connection ended with the new one, like that of demo-1, and neither is offline for
it. A goodbye sends no will, which was withheld.
";

/// Returns how verdicts and truth compare at a moment, which counts from the start.
pub fn agreement(at: Duration, devices: usize, wrong: &[String]) -> String {
    let right = devices.saturating_sub(wrong.len());
    let about = if wrong.is_empty() {
        String::new()
    } else {
        format!("; wrong about {}", wrong.join(", "))
    };
    format!("{:>7}  {right} of {devices} verdicts are the truth{about}", duration(at))
}
