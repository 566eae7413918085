//! For how long clients were online: as tables and as objects.

use super::style::Style;
use super::table::{Cell, Table};
use super::time::duration_ms;
use super::verdict;
use crate::event::Timestamp;
use crate::state::course::Totals;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// For how long the clients of one broker were online.
#[derive(Debug)]
pub struct Report<'a> {
    pub instance: &'a str,
    pub first: Timestamp,
    pub last: Timestamp,
    /// By id.
    pub clients: &'a [(Box<str>, Totals)],
    pub groups: BTreeMap<&'a str, Group>,
    pub all: Group,
}

/// What several clients amount to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Group {
    pub clients: u64,
    pub totals: Totals,
}

impl Group {
    pub fn add(&mut self, totals: &Totals) {
        self.clients += 1;
        self.totals.add(totals);
    }
}

/// For how long a client was online; or a group, or all clients of a broker.
#[derive(Serialize, Debug)]
pub struct UptimeObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    client: Option<&'a str>,
    group: Option<&'a str>,
    clients: u64,
    from_ms: i64,
    to_ms: i64,
    up_ms: i64,
    down_ms: i64,
    unknown_ms: i64,
    availability: Option<f64>,
    known: Option<f64>,
    connections: u64,
    losses: u64,
    returns: u64,
    mtbf_ms: Option<i64>,
    mttr_ms: Option<i64>,
}

impl<'a> Report<'a> {
    /// Returns the report about these clients. `group_of` tells the group of an id.
    pub fn new(
        instance: &'a str,
        (first, last): (Timestamp, Timestamp),
        clients: &'a [(Box<str>, Totals)],
        group_of: impl Fn(&'a str) -> Option<&'a str>,
    ) -> Self {
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        let mut all = Group::default();
        for (id, totals) in clients {
            all.add(totals);
            if let Some(group) = group_of(id) {
                groups.entry(group).or_default().add(totals);
            }
        }
        Self { instance, first, last, clients, groups, all }
    }

    /// Returns an object for each client, then for each group, then for all.
    pub fn objects(&self) -> impl Iterator<Item = UptimeObject<'_>> {
        let clients = self.clients.iter().map(|(id, totals)| {
            let one = Group { clients: 1, totals: *totals };
            self.object(Some(id), None, &one)
        });
        let groups = self.groups.iter().map(|(name, group)| self.object(None, Some(name), group));
        clients.chain(groups).chain([self.object(None, None, &self.all)])
    }

    fn object<'b>(
        &'b self,
        client: Option<&'b str>,
        group: Option<&'b str>,
        sum: &Group,
    ) -> UptimeObject<'b> {
        let Totals { up_ms, down_ms, unknown_ms, connections, losses, returns } = sum.totals;
        UptimeObject {
            kind: "uptime",
            instance: self.instance,
            client,
            group,
            clients: sum.clients,
            from_ms: self.first.0,
            to_ms: self.last.0,
            up_ms,
            down_ms,
            unknown_ms,
            availability: sum.totals.availability(),
            known: sum.totals.known(),
            connections,
            losses,
            returns,
            mtbf_ms: sum.totals.mtbf_ms(),
            mttr_ms: sum.totals.mttr_ms(),
        }
    }

    /// Returns a table of all and of the groups, and one of so many clients, the worst first.
    #[must_use]
    pub fn text(&self, worst: usize, style: Style, columns: Option<u16>) -> String {
        let mut text = format!("{}\n", verdict::heading(self.instance, style));
        let span = duration_ms(self.last.since(self.first));
        let (first, last) = (style.time(self.first), style.time(self.last));
        let _ = writeln!(text, "{first} to {last}, {span}\n");
        text += &self.group_table(worst).render(style, columns);
        let clients = self.worst_table(worst);
        if !clients.is_empty() {
            text.push('\n');
            text += &clients.render(style, columns);
        }
        text
    }

    /// Returns a table of all, and of so many groups, the worst first.
    #[must_use]
    pub fn group_table(&self, worst: usize) -> Table {
        let groups = self.groups.iter().map(|(name, group)| (*name, &group.totals));
        let mut table = table("group");
        row(&mut table, "all", &self.all.totals);
        for (name, totals) in sorted(groups).into_iter().take(worst) {
            row(&mut table, name, totals);
        }
        table
    }

    /// Returns a table of so many clients, the worst first.
    #[must_use]
    pub fn worst_table(&self, worst: usize) -> Table {
        let mut table = table("client");
        for (id, totals) in self.worst_clients(worst) {
            row(&mut table, id, totals);
        }
        table
    }

    /// Returns so many clients with what they amount to, the worst first.
    #[must_use]
    pub fn worst_clients(&self, worst: usize) -> Vec<(&'a str, &'a Totals)> {
        let mut clients = sorted(self.clients.iter().map(|(id, totals)| (&**id, totals)));
        clients.truncate(worst);
        clients
    }
}

fn sorted<'a>(rows: impl Iterator<Item = (&'a str, &'a Totals)>) -> Vec<(&'a str, &'a Totals)> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(worse);
    rows
}

/// Orders by availability, the least first; those of which nothing is known come last.
fn worse(one: &(&str, &Totals), other: &(&str, &Totals)) -> Ordering {
    let rank = |totals: &Totals| (totals.known_ms() == 0, totals.up_ms, totals.known_ms());
    let ((one_unknown, one_up, one_known), (other_unknown, other_up, other_known)) =
        (rank(one.1), rank(other.1));
    one_unknown
        .cmp(&other_unknown)
        .then_with(|| {
            let across = |up: i64, known: i64| i128::from(up) * i128::from(known);
            across(one_up, other_known).cmp(&across(other_up, one_known))
        })
        .then_with(|| other.1.down_ms.cmp(&one.1.down_ms))
        .then_with(|| one.0.cmp(other.0))
}

fn table(what: &str) -> Table {
    Table::new(&[
        what,
        "available",
        "known",
        "online",
        "offline",
        "unknown",
        "connections",
        "mtbf",
        "mttr",
    ])
}

fn row(table: &mut Table, name: &str, totals: &Totals) {
    let time = |ms: i64| Cell::text(&duration_ms(ms)).right();
    let mean =
        |ms: Option<i64>| Cell::text(&ms.map_or_else(|| "–".to_owned(), duration_ms)).right();
    table.row([
        Cell::text(name),
        Cell::text(&percent(totals.up_ms, totals.known_ms())).right(),
        Cell::text(&percent(totals.known_ms(), totals.span_ms())).right(),
        time(totals.up_ms),
        time(totals.down_ms),
        time(totals.unknown_ms),
        Cell::number(totals.connections),
        mean(totals.mtbf_ms()),
        mean(totals.mttr_ms()),
    ]);
}

/// Returns a share in hundredths of a per cent, cut off: what is not all is never 100 %.
#[must_use]
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    let hundredths = i128::from(part) * 10_000 / i128::from(whole);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_all_is_never_all() {
        assert_eq!(percent(999_999_999, 1_000_000_000), "99.99 %");
        assert_eq!(percent(1, 1), "100.00 %");
        assert_eq!(percent(1, 3), "33.33 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(percent(i64::MAX, i64::MAX), "100.00 %");
    }

    #[test]
    fn the_worst_come_first_and_those_nobody_knows_last() {
        let of = |up_ms, down_ms| Totals { up_ms, down_ms, unknown_ms: 5, ..Totals::default() };
        let totals = [of(9, 1), of(0, 0), of(90, 10), of(0, 1), of(1, 0)];
        let mut order: Vec<(&str, &Totals)> =
            ["a", "b", "c", "d", "e"].into_iter().zip(&totals).collect();
        order.sort_by(worse);
        let names: Vec<&str> = order.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["d", "c", "a", "e", "b"]);
    }
}
