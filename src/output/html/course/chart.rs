//! How many clients were online at a time, with outages and holes.

use super::Told;
use crate::output::concurrency;
use crate::output::html::axis::{TimeAxis, WORDS};
use crate::output::html::{Flow, Page};
use crate::output::number::{counted, grouped};
use crate::output::style::Tone;
use crate::output::table::{Cell, Table};
use crate::output::time::duration_ms;
use crate::state::course::Mean;

/// Pieces of time that are drawn, and that a table shows.
const DRAWN_MAX: usize = 512;
const ROWS_MAX: usize = concurrency::COLUMNS;
const OVERLAP: f64 = 0.0005;
const TOP: u32 = 18;
const PLOT: u32 = 200;
const BOTTOM: u32 = TOP + PLOT;

/// Draws it.
pub fn draw(told: &Told<'_>, page: &mut Page) {
    let clients = told.uptime.all.clients;
    let drawn = (DRAWN_MAX / told.beside.max(1)).max(ROWS_MAX);
    let means = told.curve.clone().means(told.bounds, clients, drawn);
    let (Some(first), Some(last)) = (means.first(), means.last()) else {
        page.text("No time lies between the bounds.", Tone::Plain);
        return;
    };
    let axis = told.axis((first.from, last.to));
    let peak = told.peak.map_or_else(String::new, |(online, at)| {
        format!("; at most {} online at once, known at {}", grouped(online), told.moment(at))
    });
    let width = means.iter().map(|mean| mean.to.since(mean.from)).max().unwrap_or(0);
    let caption = format!(
        "{} from {} to {}, each bar a mean over {}{peak}.",
        counted(clients, "client"),
        told.moment(first.from),
        told.moment(last.to),
        duration_ms(width),
    );
    let mut flow = Flow::new(BOTTOM + WORDS, &caption);
    bars(&mut flow, &axis, &means, told);
    axis.grid(&mut flow, TOP, BOTTOM);
    for (from, to) in told.holes {
        let tip = format!("nobody listened from {} to {}", told.time(*from), told.time(*to));
        flow.bar("hole", axis.shares(*from, *to), TOP, PLOT, &tip);
    }
    outages(&mut flow, &axis, told);
    scale(&mut flow, clients);
    axis.words(&mut flow, BOTTOM + WORDS - 5);
    page.fixed(LEGEND);
    page.flow(&flow);
    page.text(&caption, Tone::Dim);
    page.details("The figures as a table", |page| {
        page.table(&table(&told.curve.clone().means(told.bounds, clients, ROWS_MAX), told));
    });
}

fn bars(flow: &mut Flow, axis: &TimeAxis, means: &[Mean], told: &Told<'_>) {
    let clients = told.uptime.all.clients;
    for mean in means {
        let (from, to) = axis.shares(mean.from, mean.to);
        // A little over the next one, or the paper shines through between them.
        let across = (from, (to + OVERLAP).min(1.0));
        let online = height(mean.online, clients);
        let offline = height(mean.online + mean.offline, clients);
        let tip = format!(
            "{} to {}: {:.1} online, {:.1} offline, {:.1} unknown",
            told.time(mean.from),
            told.time(mean.to),
            mean.online,
            mean.offline,
            mean.unknown
        );
        for (class, y, height) in [
            ("many unknown", TOP, PLOT - offline),
            ("many down", BOTTOM - offline, offline.saturating_sub(online)),
            ("many up", BOTTOM - online, online),
        ] {
            if height > 0 {
                flow.rect(class, across, y, height);
            }
        }
        flow.bar("feel", across, TOP, PLOT, &tip);
    }
}

/// Marks outages by their numbers.
fn outages(flow: &mut Flow, axis: &TimeAxis, told: &Told<'_>) {
    for (number, lost) in told.outages.iter().enumerate() {
        let since = lost.last.since;
        let within = lost.outage().map_or(0, |outage| outage.within_ms);
        let tip = format!("outage {}, {}", number + 1, told.time(since));
        flow.bar("outage", axis.shares(since, since.plus(within)), TOP, PLOT, &tip);
        flow.upright("outage-line", axis.share(since), TOP - 4, BOTTOM);
        flow.text("outage-word", axis.share(since), TOP - 6, &(number + 1).to_string());
    }
}

/// Writes numbers of clients beside lines at a half and at all.
fn scale(flow: &mut Flow, clients: u64) {
    flow.level("axis", BOTTOM);
    for (count, is_shown) in [(clients / 2, clients >= 2), (clients, true)] {
        if is_shown {
            let y = BOTTOM - height(f64_of(count), clients);
            flow.level("grid", y);
            flow.text("scale", 0.0, y + 12, &grouped(count));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a pixel is far wider than what is lost")]
fn f64_of(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the height is between 0 and the height"
)]
fn height(count: f64, clients: u64) -> u32 {
    if clients == 0 {
        return 0;
    }
    let height = (count / f64_of(clients) * f64::from(PLOT)).round().max(0.0) as u32;
    height.min(PLOT)
}

fn table(means: &[Mean], told: &Told<'_>) -> Table {
    let mut table = Table::new(&["from", "online", "offline", "unknown"]);
    for mean in means {
        let figure = |value: f64| Cell::text(&format!("{value:.1}")).right();
        table.row([
            Cell::text(&told.time(mean.from)),
            figure(mean.online),
            figure(mean.offline),
            figure(mean.unknown),
        ]);
    }
    table
}

const LEGEND: &str = "<ul class=\"legend\" aria-label=\"Legend\">\
    <li><svg><rect class=\"up\"/></svg>online</li>\
    <li><svg><rect class=\"down\"/></svg>offline</li>\
    <li><svg><rect class=\"unknown\"/></svg>nobody knows</li>\
    <li><svg><rect class=\"hole\"/></svg>nobody listened</li>\
    <li><svg><line class=\"outage-line\" x1=\"8\" x2=\"8\" y1=\"0\" y2=\"14\"/></svg>mass outage</li></ul>\n";
