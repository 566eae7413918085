//! The lives of clients, one below the other, as time runs from left to right.

use super::Told;
use super::choice::{self, Chosen};
use crate::output::html::axis::{TimeAxis, WORDS};
use crate::output::html::{Flow, Page};
use crate::output::number::counted;
use crate::output::sanitize::sanitize;
use crate::output::style::Tone;
use crate::output::table::{Cell, Table};
use crate::output::time::duration_ms;
use crate::output::{timeline, uptime, verdict};
use crate::state::course::{Blindness, Column, Course, Kind, Note, Spell};
use crate::state::verdict::How;

const HEIGHT: u32 = 30;
/// Columns of an id that heads a lane.
const ID_MAX: usize = 120;
/// Spells that are drawn each; more are drawn as a raster.
const DRAWN_MAX: usize = 200;
/// Rows of a table of spells, from the first.
const ROWS_MAX: usize = 60;

/// Draws the lives of the clients that are worth a look.
pub fn chosen(told: &Told<'_>, page: &mut Page) {
    let chosen = choice::choose(told);
    if chosen.is_empty() {
        page.text("Nothing out of the ordinary: nobody was lost, nobody flaps.", Tone::Plain);
        return;
    }
    page.fixed(LEGEND);
    page.block("lanes", |page| {
        for chosen in &chosen {
            page.block("lane", |page| draw(told, chosen, page));
        }
        let axis = told.axis(told.bounds);
        let title = format!("the time from left to right, {}", told.zone.name());
        let mut words = Flow::new(WORDS, &title);
        axis.words(&mut words, WORDS - 5);
        page.flow(&words);
    });
}

fn draw(told: &Told<'_>, Chosen { at, why }: &Chosen, page: &mut Page) {
    let (course, belief) = (&told.courses[*at], &told.beliefs[*at]);
    let totals = &told.uptime.clients[*at].1;
    let id = sanitize(told.client(*at), ID_MAX);
    page.lane_heading(&id, belief.status.word(), verdict::tone(belief.status));
    page.text(&why.join("; "), Tone::Plain);
    let title = format!(
        "{id}: {} online, {} offline, {} unknown, {}",
        duration_ms(totals.up_ms),
        duration_ms(totals.down_ms),
        duration_ms(totals.unknown_ms),
        counted(totals.connections, "connection")
    );
    let axis = told.axis(told.bounds);
    let mut flow = Flow::new(HEIGHT, &title);
    axis.grid(&mut flow, 0, HEIGHT);
    match &course.spells {
        Some(spells) if spells.len() <= DRAWN_MAX => draw_spells(&mut flow, &axis, spells, told),
        _ => draw_raster(&mut flow, &axis, course, told),
    }
    for lost in told.outages {
        flow.upright("outage-line", axis.share(lost.last.since), 0, HEIGHT);
    }
    page.flow(&flow);
    match &course.spells {
        Some(spells) => page.details(&summary(totals, spells.len()), |page| {
            page.table(&table(spells, told));
            if spells.len() > ROWS_MAX {
                let all = counted(spells.len() as u64, "spell");
                page.text(
                    &format!("The first {ROWS_MAX} of {all}; search for the id to see all."),
                    Tone::Dim,
                );
            }
        }),
        None => page.text(
            &format!(
                "{}: too many to keep, drawn in pieces of {}. `--timeline` tells each.",
                counted(totals.connections, "connection"),
                duration_ms(course.raster.width_ms())
            ),
            Tone::Dim,
        ),
    }
}

fn summary(totals: &crate::state::course::Totals, spells: usize) -> String {
    format!(
        "{}, online {} of the time that is known: {} as a table",
        counted(totals.connections, "connection"),
        uptime::percent(totals.up_ms, totals.known_ms()),
        counted(spells as u64, "spell")
    )
}

fn draw_spells(flow: &mut Flow, axis: &TimeAxis, spells: &[Spell<Note>], told: &Told<'_>) {
    let next = spells.iter().skip(1).map(Some).chain([None]);
    for (spell, next) in spells.iter().zip(next) {
        let mut tip = format!(
            "{} from {} for {}",
            timeline::status(spell.kind).word(),
            told.time(spell.from),
            duration_ms(spell.length_ms())
        );
        for detail in [place(spell, told).unwrap_or_default(), &end(spell, next)] {
            if !detail.is_empty() {
                tip.push_str(", ");
                tip.push_str(detail);
            }
        }
        shape(flow, column(spell.kind), axis.shares(spell.from, spell.to), &tip);
    }
}

fn draw_raster(flow: &mut Flow, axis: &TimeAxis, course: &Course, told: &Told<'_>) {
    let width = course.raster.width_ms();
    let mut from = told.begin;
    for column in course.raster.columns() {
        let to = from.plus(width);
        let tip = format!("{} from {} for {}", word(column), told.time(from), duration_ms(width));
        shape(flow, column, axis.shares(from, to), &tip);
        from = to;
    }
}

/// Draws a piece of a life: by its height as well as its colour.
fn shape(flow: &mut Flow, column: Column, across: (f64, f64), tip: &str) {
    let (class, y, height) = match column {
        Column::Blank => return,
        Column::Up => ("piece up", 4, HEIGHT - 8),
        Column::Partly => ("piece partly", 9, HEIGHT - 13),
        Column::Down => ("piece down", HEIGHT - 9, 5),
        Column::Unknown => ("piece unknown", 4, HEIGHT - 8),
    };
    flow.bar(class, across, y, height, tip);
}

const fn column(kind: Kind) -> Column {
    match kind {
        Kind::Up => Column::Up,
        Kind::Down => Column::Down,
        Kind::Unknown => Column::Unknown,
    }
}

const fn word(column: Column) -> &'static str {
    match column {
        Column::Blank => "",
        Column::Up => "online",
        Column::Partly => "online in part",
        Column::Down => "offline",
        Column::Unknown => "unknown in part",
    }
}

fn table(spells: &[Spell<Note>], told: &Told<'_>) -> Table {
    let mut table = Table::new(&["from", "for", "state", "end", "address"]);
    let next = spells.iter().skip(1).map(Some).chain([None]);
    for (spell, next) in spells.iter().zip(next).take(ROWS_MAX) {
        let state = timeline::status(spell.kind);
        table.row([
            Cell::text(&told.time(spell.from)),
            Cell::text(&duration_ms(spell.length_ms())).right(),
            Cell::text(state.word()).tone(verdict::tone(state)),
            Cell::text(&end(spell, next)),
            Cell::text(place(spell, told).unwrap_or_default()),
        ]);
    }
    table
}

/// Returns how a connection ended, or why nobody knows.
fn end(spell: &Spell<Note>, next: Option<&Spell<Note>>) -> String {
    match spell.kind {
        Kind::Unknown => blindness(spell.note.blind).to_owned(),
        Kind::Up => ended(spell, next).map_or_else(String::new, |how| how.word().to_owned()),
        Kind::Down => String::new(),
    }
}

/// Returns how a connection ended, as the spell after it tells.
pub fn ended(spell: &Spell<Note>, next: Option<&Spell<Note>>) -> Option<How> {
    timeline::ended(spell.kind, next.map(|next| (next.kind, next.note.how)))
}

/// Returns why nobody knows.
pub const fn blindness(blind: Option<Blindness>) -> &'static str {
    match blind {
        None => "not heard of yet",
        Some(Blindness::NeverListened) => "nobody is listening",
        Some(Blindness::Silent) => "no one listened any more",
        Some(Blindness::Away) => "the watcher was away",
    }
}

fn place<'a>(spell: &Spell<Note>, told: &Told<'a>) -> Option<&'a str> {
    let place = spell.note.place.filter(|_| spell.kind == Kind::Up)?;
    told.places.get(place as usize).map(|place| &**place)
}

const LEGEND: &str = "<ul class=\"legend\" aria-label=\"Legend\">\
    <li><svg><rect class=\"up\"/></svg>online</li>\
    <li><svg><rect class=\"partly\" y=\"3\"/></svg>online in part</li>\
    <li><svg><rect class=\"down\" y=\"9\"/></svg>offline</li>\
    <li><svg><rect class=\"unknown\"/></svg>nobody knows</li>\
    <li><svg><line class=\"outage-line\" x1=\"8\" x2=\"8\" y1=\"0\" y2=\"14\"/></svg>mass outage</li></ul>\n";
