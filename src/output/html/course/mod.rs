//! The page about what was recorded: for people who would rather look than read.
//!
//! Its figures are those of `--concurrency`, `--outages`, `--anomalies` and `--uptime`, made by the same code.

mod anomalies;
mod chart;
mod choice;
mod data;
mod headline;
mod lane;
mod outages;

use super::Page;
use super::axis::TimeAxis;
use crate::event::Timestamp;
use crate::output::anomalies::Anomalies;
use crate::output::number::{counted, grouped};
use crate::output::object::Summary;
use crate::output::sanitize::sanitize;
use crate::output::style::Tone;
use crate::output::time::Zone;
use crate::output::uptime;
use crate::state::course::{Course, Curve};
use crate::state::diagnosis::{Finding, Outage, What};
use crate::state::verdict::Status;

/// All that is told.
#[derive(Debug)]
pub struct Account<'a> {
    pub summary: &'a Summary,
    pub anomalies: &'a Anomalies<'a>,
    pub brokers: Vec<Told<'a>>,
    /// Rows of a table that begins with the worst.
    pub worst: usize,
    /// Only a part of the clients or of the time was asked about.
    pub is_part: bool,
    /// Ids and addresses are pseudonyms.
    pub is_redacted: bool,
    /// Of the times.
    pub zone: Zone,
}

/// What is told of one broker.
#[derive(Debug)]
pub struct Told<'a> {
    pub instance: &'a str,
    /// Of the times.
    pub zone: Zone,
    pub bounds: (Timestamp, Timestamp),
    pub uptime: uptime::Report<'a>,
    /// In the order of the clients of `uptime`, as the next two are.
    pub courses: &'a [Course],
    pub beliefs: &'a [Belief],
    /// The numbers of the outages in which each client was lost, from 0.
    pub outages_of: &'a [Vec<u16>],
    pub curve: &'a Curve,
    pub peak: Option<(u64, Timestamp)>,
    /// Times of which something may have been lost, in order and apart.
    pub holes: &'a [(Timestamp, Timestamp)],
    /// A log that says nothing of who listened, and counts as heard without loss.
    pub is_plain: bool,
    /// Findings but for outages, and how many had no place.
    pub findings: &'a [Finding],
    pub left_out: u64,
    pub outages: &'a [Lost],
    /// Addresses without their ports.
    pub places: &'a [Box<str>],
    /// Connections whose address had no room.
    pub placeless: u64,
    /// The moment from which rasters count.
    pub begin: Timestamp,
    /// Brokers on the page, which share its room.
    pub beside: usize,
}

/// What is believed of a client at the moment judged.
#[derive(Clone, Debug)]
pub struct Belief {
    pub status: Status,
    pub anomalies: Vec<&'static str>,
}

/// An outage from the first word of it to the last.
#[derive(Clone, Debug)]
pub struct Lost {
    pub begins: Finding,
    pub last: Finding,
}

impl Lost {
    /// Returns what was last said of it.
    fn outage(&self) -> Option<&Outage> {
        match &self.last.what {
            What::MassOutage(outage) => Some(outage),
            _ => None,
        }
    }
}

impl Told<'_> {
    fn client(&self, at: usize) -> &str {
        &self.uptime.clients[at].0
    }

    /// Returns a time, to the millisecond.
    fn time(&self, time: Timestamp) -> String {
        self.zone.time(time)
    }

    /// Returns a moment as it stands in a sentence: to the second.
    fn moment(&self, time: Timestamp) -> String {
        self.zone.moment(time)
    }

    fn axis(&self, (first, last): (Timestamp, Timestamp)) -> TimeAxis {
        TimeAxis { first, last, zone: self.zone }
    }

    /// Returns who was lost in an outage, as far as it is known by name.
    fn lost_in(&self, number: usize) -> impl Iterator<Item = usize> {
        let is_in = move |outages: &[u16]| outages.iter().any(|of| usize::from(*of) == number);
        let all = (0..).zip(self.outages_of);
        all.filter(move |(_, outages)| is_in(outages)).map(|(at, _)| at)
    }
}

const SECTIONS: [(&str, &str); 7] = [
    ("time", "Online over time"),
    ("found", "What was found"),
    ("lanes", "Clients worth a look"),
    ("search", "Any client"),
    ("anomalies", "Anomalies"),
    ("uptime", "Uptime"),
    ("about", "About this page"),
];

/// Returns the page.
#[must_use]
pub fn course(account: &Account<'_>) -> String {
    let mut page = Page::new("What happened").styled(include_str!("page.css"));
    page.fixed(include_str!("patterns.svg"));
    page.block("lead", |page| {
        for sentence in headline::sentences(account) {
            page.text(&sentence, Tone::Plain);
        }
    });
    page.facts(&headline::facts(account));
    page.contents(&SECTIONS);
    let [time, found, lanes, search, anomalies, uptime, about] = SECTIONS;
    page.section(time.0, time.1);
    each(account, &mut page, chart::draw);
    page.section(found.0, found.1);
    each(account, &mut page, outages::tell);
    page.section(lanes.0, lanes.1);
    each(account, &mut page, lane::chosen);
    let (known, thinning) = data::data(account);
    page.section(search.0, search.1);
    page.fixed(include_str!("search.html"));
    page.section(anomalies.0, anomalies.1);
    anomalies::tell(account, &mut page);
    page.section(uptime.0, uptime.1);
    each(account, &mut page, |told, page| tables(told, account.worst, page));
    page.section(about.0, about.1);
    page.list(&remarks(account, &thinning));
    page.run(include_str!("page.js"), known);
    page.finish()
}

/// Tells of each broker, under its name where there are several.
fn each(account: &Account<'_>, page: &mut Page, mut tell: impl FnMut(&Told<'_>, &mut Page)) {
    for told in &account.brokers {
        if account.brokers.len() > 1 {
            page.subheading(&name(told.instance));
        }
        tell(told, page);
    }
    if account.brokers.is_empty() {
        page.text("Nothing was heard of any client.", Tone::Plain);
    }
}

/// Returns what a broker is called.
fn name(instance: &str) -> String {
    if instance.is_empty() {
        return "A log of no named broker".to_owned();
    }
    sanitize(instance, NAME_MAX).into_owned()
}

/// Returns words as they begin a sentence.
fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn tables(told: &Told<'_>, worst: usize, page: &mut Page) {
    page.text(
        "Available is the share of the known time that was online; known is the share of all time of which \
         anybody could know. MTBF is the mean time from one failure to the next, MTTR the mean time to \
         recovery.",
        Tone::Dim,
    );
    page.table(&told.uptime.group_table(worst));
    let clients = told.uptime.clients.len();
    if clients > 0 {
        let shown = worst.min(clients) as u64;
        page.text(
            &format!("The {} of {}.", worst_of(shown), counted(clients as u64, "client")),
            Tone::Plain,
        );
        page.table(&told.uptime.worst_table(worst));
    }
}

fn worst_of(shown: u64) -> String {
    if shown == 1 {
        "least available".to_owned()
    } else {
        format!("{} least available", grouped(shown))
    }
}

/// Returns what a reader must know to judge what the page says.
fn remarks(account: &Account<'_>, thinning: &[String]) -> Vec<String> {
    let zone = if account.zone.is_utc() {
        "All times are UTC.".to_owned()
    } else {
        let name = account.zone.name();
        format!("Times are those of {name}, with the offset from UTC that held then.")
    };
    let mut remarks = vec![
        format!(
            "{zone} The borders of connections are the broker's stamps; those of holes are on the clock of \
             whoever listened."
        ),
        "Time in which nobody listened is neither online nor offline, and drawn hatched."
            .to_owned(),
        "Addresses are shown without their ports.".to_owned(),
    ];
    remarks.extend(thinning.iter().cloned());
    if account.is_part {
        remarks.push(
            "Only a part of the clients or of the time was asked about; the counts in the summary are of all."
                .to_owned(),
        );
    }
    if account.is_redacted {
        remarks.push(
            "Ids, addresses and names of brokers are pseudonyms: the same key gives the same ones. Times, \
             counts and states are true."
                .to_owned(),
        );
    }
    remarks.push(format!(
        "Written by presence {} from recorded events. It fetches nothing: all there is stands in this file.",
        env!("CARGO_PKG_VERSION")
    ));
    remarks
}

/// Columns of a foreign name.
const NAME_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::capital;

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(capital("ghosts"), "Ghosts");
        assert_eq!(capital(""), "");
    }
}
