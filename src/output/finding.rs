//! Findings as text and as JSON. Pure: what is printed comes back as a string.

use super::number::{counted, grouped};
use super::sanitize::sanitize;
use super::style::{Style, Tone};
use super::time::{Zone, duration_ms};
use crate::simulate::verify::voice::Knowledge;
use crate::state::diagnosis::{Code, Factor, FactorKind, Finding, Lag, Offset, Outage, Phase};
use crate::state::diagnosis::{Sharing, What};
use crate::state::verdict::How;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Columns that one foreign value may take.
const VALUE_MAX: usize = 80;

/// Returns what a finding is called, of one or of several.
#[must_use]
pub const fn name(code: Code, count: u64) -> &'static str {
    match (code, count) {
        (Code::MassOutage, 1) => "mass outage",
        (Code::MassOutage, _) => "mass outages",
        (Code::SharedId, 1) => "shared id",
        (Code::SharedId, _) => "shared ids",
        (Code::Flapping, 1) => "flapping client",
        (Code::Flapping, _) => "flapping clients",
        (Code::Ghosts, _) => "ghosts",
        (Code::LostNotices, _) => "lost notices",
        (Code::ClockOffset, 1) => "clock offset",
        (Code::ClockOffset, _) => "clock offsets",
    }
}

/// Returns a finding in one line.
#[must_use]
pub fn line(instance: &str, finding: &Finding, style: Style) -> String {
    let label = format!("! {}", name(finding.what.code(), 1));
    let (at, label) = (style.time(finding.at), style.paint(Tone::Warning, label));
    format!("{}  {label}  {}", style.dim(at), text(instance, finding, style.zone()))
}

/// Returns how many findings of a kind there were. Some kinds are one finding about many cases.
#[must_use]
pub fn several(code: Code, count: u64) -> String {
    match code {
        Code::Ghosts | Code::LostNotices => name(code, count).to_owned(),
        _ => format!("{} {}", grouped(count), name(code, count)),
    }
}

/// Returns how many there were of each kind, as a line; `None` without any.
#[must_use]
pub fn counts(counts: &BTreeMap<Code, u64>) -> Option<String> {
    let kinds: Vec<String> = counts.iter().map(|(code, count)| several(*code, *count)).collect();
    (!kinds.is_empty()).then(|| format!("findings: {}", kinds.join(", ")))
}

/// Returns what was found, in a sentence.
#[must_use]
pub fn text(instance: &str, finding: &Finding, zone: Zone) -> String {
    let since = zone.clock(finding.since);
    let phase = finding.phase;
    match &finding.what {
        What::SharedId(sharing) => shared(sharing, phase, &since),
        What::Flapping { client, connections, span_ms } => {
            let client = sanitize(client, VALUE_MAX);
            let verb = if phase == Phase::Ends { "is steady again" } else { "flaps" };
            let count = counted(*connections, "connection");
            format!("{client} {verb}: {count} in {}, since {since}", duration_ms(*span_ms))
        }
        What::MassOutage(outage) if phase == Phase::Begins => lost(outage, instance),
        What::MassOutage(outage) => format!(
            "{} of {} back after {}",
            grouped(outage.back as u64),
            grouped(outage.lost as u64),
            duration_ms(outage.after_ms),
        ),
        What::Ghosts(crowd) => format!(
            "{} replaced, and no end was ever told (first: {})",
            counted(crowd.count, "connection"),
            sanitize(&crowd.first, VALUE_MAX),
        ),
        What::LostNotices(crowd) => format!(
            "{} ended a connection whose beginning was not told (first: {}): notices are lost",
            counted(crowd.count, "client"),
            sanitize(&crowd.first, VALUE_MAX),
        ),
        What::ClockOffset(_) if phase == Phase::Ends => {
            "the clocks agree, as far as can be told".to_owned()
        }
        What::ClockOffset(Offset::Ahead { least_ms, resolution_ms }) => format!(
            "the broker's clock is ahead by {} or more ({})",
            duration_ms(*least_ms),
            stamps(*resolution_ms),
        ),
        What::ClockOffset(Offset::BehindOrLate { least_ms, resolution_ms }) => format!(
            "every notice is {} late, or the broker's clock is behind by up to that ({})",
            duration_ms(*least_ms),
            stamps(*resolution_ms),
        ),
    }
}

fn stamps(resolution_ms: u32) -> String {
    match resolution_ms {
        0 => "stamps in ms".to_owned(),
        1_000 => "stamps in whole seconds".to_owned(),
        ms => format!("stamps in steps of {}", duration_ms(i64::from(ms))),
    }
}

fn shared(sharing: &Sharing, phase: Phase, since: &str) -> String {
    let client = sanitize(&sharing.client, VALUE_MAX);
    let addresses = addresses(&sharing.addresses, sharing.more);
    let mut text = match sharing.addresses.as_slice() {
        _ if phase == Phase::Ends => format!("{client} is no longer fought over"),
        [] => format!("{client}: two connections throw each other out"),
        [one] => format!("{client}: two connections from {one} throw each other out"),
        _ => format!("{client} is used by {addresses}"),
    };
    if phase != Phase::Begins {
        let _ = write!(text, ", {}", counted(sharing.take_overs, "take-over"));
    }
    if let Some(every) = sharing.every_ms {
        let _ = write!(text, ", every {}", duration_ms(every));
    }
    let _ = write!(text, " since {since}");
    text
}

fn addresses(addresses: &[IpAddr], more: bool) -> String {
    let mut names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    if more {
        names.push("others".to_owned());
    }
    match names.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        names => names.concat(),
    }
}

fn lost(outage: &Outage, instance: &str) -> String {
    let count = counted(outage.lost as u64, "client");
    let mut text = format!("{count} lost within {}", duration_ms(outage.within_ms));
    if outage.restart {
        text.push_str(": the broker restarted");
    }
    if outage.everybody {
        let broker = if instance.is_empty() { "the broker" } else { instance };
        let _ = write!(text, "; everybody of {}", sanitize(broker, VALUE_MAX));
    } else {
        let _ = write!(text, ", {} stayed", grouped(outage.stayed as u64));
    }
    if let Some(how) = outage.how.filter(|_| !outage.restart) {
        match silent(outage).as_slice() {
            [] => {
                let _ = write!(text, "; ended {}", how.word());
            }
            silent => {
                let _ = write!(
                    text,
                    "; how they ended is not known: {} tells no goodbye",
                    silent.join(", ")
                );
            }
        }
    }
    let common: Vec<String> = outage.common.iter().map(factor).collect();
    match common.as_slice() {
        [] if outage.everybody || outage.restart => {}
        [] => text.push_str("; nothing in common that the others have not"),
        common => {
            let _ = write!(text, "; common: {}", common.join(", "));
        }
    }
    text
}

/// Returns the voices that have no word for a goodbye, and so tell nothing by an end without one.
fn silent(outage: &Outage) -> Vec<Cow<'_, str>> {
    let is_silent = |voice: &&String| Knowledge::of(voice).is_some_and(|known| !known.goodbyes);
    let told = outage.abrupt_by.iter().filter(|_| outage.how == Some(How::Abrupt));
    told.filter(is_silent).map(|voice| sanitize(voice, VALUE_MAX)).collect()
}

fn factor(factor: &Factor) -> String {
    let value = sanitize(&factor.value, VALUE_MAX);
    match factor.kind {
        FactorKind::Group => format!("group {value}"),
        FactorKind::Prefix => format!("ids {value}…"),
        FactorKind::Subnet => value.into_owned(),
        FactorKind::Voice => format!("told by {value}"),
    }
}

/// Returns how late notices are, with what is uncertain about it.
///
/// From what is certain to the difference itself. Where the broker's clock is shown to be ahead, the
/// difference is no bound.
#[must_use]
pub fn lag(lag: &Lag) -> String {
    let certain = duration_ms(lag.certain_ms());
    if let Some(ahead) = lag.ahead_ms() {
        return format!("{certain} or more (clock ahead by {} or more)", duration_ms(ahead));
    }
    match duration_ms(lag.latest_ms) {
        latest if latest == certain => latest,
        latest => format!("{certain} to {latest}"),
    }
}

/// What was found.
#[derive(Serialize, Debug)]
pub struct FindingObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    at_ms: i64,
    code: &'static str,
    phase: &'static str,
    since_ms: i64,
    client: Option<&'a str>,
    text: String,
    #[serde(flatten)]
    details: Details<'a>,
}

#[derive(Serialize, Debug)]
#[serde(untagged)]
enum Details<'a> {
    SharedId {
        addresses: &'a [IpAddr],
        more_addresses: bool,
        take_overs: u64,
        every_ms: Option<i64>,
    },
    Flapping {
        connections: u64,
        span_ms: i64,
    },
    MassOutage {
        lost: usize,
        within_ms: i64,
        stayed: usize,
        everybody: bool,
        restart: bool,
        how: Option<&'static str>,
        common: Vec<FactorObject<'a>>,
        back: usize,
        after_ms: i64,
    },
    Crowd {
        count: u64,
        first: &'a str,
    },
    ClockOffset {
        ahead_ms: Option<i64>,
        late_ms: Option<i64>,
        resolution_ms: u32,
    },
}

#[derive(Serialize, Debug)]
struct FactorObject<'a> {
    kind: &'static str,
    value: &'a str,
    of_lost: f64,
    of_stayed: f64,
}

impl<'a> FindingObject<'a> {
    #[must_use]
    pub fn new(instance: &'a str, finding: &'a Finding) -> Self {
        Self {
            kind: "finding",
            instance,
            at_ms: finding.at.0,
            code: finding.what.code().code(),
            phase: finding.phase.word(),
            since_ms: finding.since.0,
            client: finding.what.client(),
            text: text(instance, finding, Zone::UTC),
            details: Details::of(&finding.what),
        }
    }
}

impl<'a> Details<'a> {
    fn of(what: &'a What) -> Self {
        match what {
            What::SharedId(sharing) => Self::SharedId {
                addresses: &sharing.addresses,
                more_addresses: sharing.more,
                take_overs: sharing.take_overs,
                every_ms: sharing.every_ms,
            },
            What::Flapping { connections, span_ms, .. } => {
                Self::Flapping { connections: *connections, span_ms: *span_ms }
            }
            What::MassOutage(outage) => Self::MassOutage {
                lost: outage.lost,
                within_ms: outage.within_ms,
                stayed: outage.stayed,
                everybody: outage.everybody,
                restart: outage.restart,
                how: outage.how.filter(|_| silent(outage).is_empty()).map(How::word),
                common: outage.common.iter().map(FactorObject::of).collect(),
                back: outage.back,
                after_ms: outage.after_ms,
            },
            What::Ghosts(crowd) | What::LostNotices(crowd) => {
                Self::Crowd { count: crowd.count, first: &crowd.first }
            }
            What::ClockOffset(offset) => {
                let (ahead_ms, late_ms, resolution_ms) = match *offset {
                    Offset::Ahead { least_ms, resolution_ms } => {
                        (Some(least_ms), None, resolution_ms)
                    }
                    Offset::BehindOrLate { least_ms, resolution_ms } => {
                        (None, Some(least_ms), resolution_ms)
                    }
                };
                Self::ClockOffset { ahead_ms, late_ms, resolution_ms }
            }
        }
    }
}

impl<'a> FactorObject<'a> {
    fn of(factor: &'a Factor) -> Self {
        Self {
            kind: factor.kind.word(),
            value: &factor.value,
            of_lost: factor.of_lost,
            of_stayed: factor.of_stayed,
        }
    }
}

/// How late the notices of one broker are.
#[derive(Serialize, Debug)]
pub struct LagObject<'a> {
    instance: &'a str,
    last_ms: i64,
    certain_ms: i64,
    least_ms: i64,
    resolution_ms: u32,
    samples: u64,
}

impl<'a> LagObject<'a> {
    #[must_use]
    pub fn new(instance: &'a str, lag: &Lag) -> Self {
        Self {
            instance,
            last_ms: lag.latest_ms,
            certain_ms: lag.certain_ms(),
            least_ms: lag.least_ms,
            resolution_ms: lag.resolution_ms,
            samples: lag.samples,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn told(phase: Phase, what: What) -> String {
        let at = Timestamp(1_760_000_000_000);
        text("localhost:1883", &Finding { phase, at, since: at, what }, Zone::UTC)
    }

    fn sharing(addresses: &[&str]) -> What {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        let client = "dev\x1b-17".to_owned();
        What::SharedId(Sharing {
            client,
            addresses,
            more: false,
            take_overs: 60,
            every_ms: Some(1_000),
        })
    }

    #[test]
    fn a_shared_id_is_told_with_who_and_how_often() {
        for (addresses, phase, expected) in [
            (
                &["10.0.3.4", "10.0.9.8"][..],
                Phase::Begins,
                r"dev\x1b-17 is used by 10.0.3.4 and 10.0.9.8, every 1.0 s since 08:53:20.000Z",
            ),
            (
                &["10.0.3.4"],
                Phase::GoesOn,
                r"dev\x1b-17: two connections from 10.0.3.4 throw each other out, 60 take-overs, every 1.0 s since 08:53:20.000Z",
            ),
            (
                &[],
                Phase::Ends,
                r"dev\x1b-17 is no longer fought over, 60 take-overs, every 1.0 s since 08:53:20.000Z",
            ),
        ] {
            assert_eq!(told(phase, sharing(addresses)), expected);
        }
    }

    #[test]
    fn an_outage_is_told_with_what_is_common_and_who_is_back() {
        let subnet = Factor {
            kind: FactorKind::Subnet,
            value: "10.0.3.0/24".to_owned(),
            of_lost: 1.0,
            of_stayed: 0.0,
        };
        let group = Factor { kind: FactorKind::Group, value: "GID_x".to_owned(), ..subnet.clone() };
        let outage = Outage {
            lost: 312,
            within_ms: 4_000,
            stayed: 5_000,
            everybody: false,
            restart: false,
            how: Some(How::Abrupt),
            abrupt_by: vec!["emqx".to_owned()],
            common: vec![group, subnet],
            back: 298,
            after_ms: 41_000,
        };
        assert_eq!(
            told(Phase::Begins, What::MassOutage(outage.clone())),
            "312 clients lost within 4.0 s, 5,000 stayed; ended abrupt; common: group GID_x, 10.0.3.0/24"
        );
        assert_eq!(
            told(Phase::Ends, What::MassOutage(outage.clone())),
            "298 of 312 back after 41.0 s"
        );
        let silent = Outage { abrupt_by: vec!["emqx".into(), "rabbitmq".into()], ..outage.clone() };
        assert_eq!(
            told(Phase::Begins, What::MassOutage(silent.clone())),
            "312 clients lost within 4.0 s, 5,000 stayed; how they ended is not known: rabbitmq tells no goodbye; \
             common: group GID_x, 10.0.3.0/24"
        );
        let of = |outage| {
            serde_json::to_value(Details::of(&What::MassOutage(outage))).expect("it is JSON")
        };
        assert_eq!(of(silent.clone())["how"], serde_json::Value::Null);
        assert_eq!(of(outage.clone())["how"], "abrupt");
        // A goodbye was told.
        let graceful = Outage { how: Some(How::Graceful), ..silent };
        assert_eq!(of(graceful)["how"], "graceful");
        let restart = Outage { restart: true, everybody: true, common: Vec::new(), ..outage };
        assert_eq!(
            told(Phase::Begins, What::MassOutage(restart)),
            "312 clients lost within 4.0 s: the broker restarted; everybody of localhost:1883"
        );
    }

    #[test]
    fn a_delay_is_told_with_its_uncertainty() {
        let of = |latest_ms, least_ms, resolution_ms| {
            lag(&Lag { latest_ms, least_ms, resolution_ms, samples: 9, span_ms: 0 })
        };
        assert_eq!(of(412, 12, 0), "400 ms to 412 ms");
        assert_eq!(of(412, 0, 0), "412 ms");
        assert_eq!(of(700, 100, 1_000), "0 ms to 700 ms");
        assert_eq!(of(-900, -1_200, 0), "300 ms or more (clock ahead by 1.2 s or more)");
    }

    #[test]
    fn what_was_found_is_summed_up() {
        assert_eq!(counts(&BTreeMap::new()), None);
        let found = BTreeMap::from([(Code::SharedId, 3), (Code::MassOutage, 1), (Code::Ghosts, 1)]);
        assert_eq!(
            counts(&found).as_deref(),
            Some("findings: 1 mass outage, 3 shared ids, ghosts")
        );
    }
}
