//! Anomalies: how many clients have each, and some of them.

use super::style::Style;
use super::table::{Cell, Table};
use serde::Serialize;
use std::collections::BTreeMap;

/// The clients of one broker with one anomaly.
#[derive(Clone, Debug, Default)]
pub struct Anomaly {
    pub clients: u64,
    /// The first of them by id.
    pub examples: Vec<String>,
}

/// By broker and code.
pub type Anomalies<'a> = BTreeMap<(&'a str, &'a str), Anomaly>;

#[derive(Serialize, Debug)]
pub struct AnomalyObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    code: &'a str,
    clients: u64,
    examples: &'a [String],
}

pub fn objects<'a>(found: &'a Anomalies<'_>) -> impl Iterator<Item = AnomalyObject<'a>> {
    found.iter().map(|((instance, code), anomaly)| AnomalyObject {
        kind: "anomaly",
        instance,
        code,
        clients: anomaly.clients,
        examples: &anomaly.examples,
    })
}

/// Returns a table of the codes. `instances` adds a column for the broker.
#[must_use]
pub fn table(found: &Anomalies<'_>, instances: bool, style: Style, columns: Option<u16>) -> String {
    let mut headers = vec!["anomaly", "clients", "for example"];
    if instances {
        headers.insert(0, "broker");
    }
    let mut table = Table::new(&headers);
    for ((instance, code), anomaly) in found {
        let mut cells = vec![
            Cell::text(code),
            Cell::number(anomaly.clients),
            Cell::text(&anomaly.examples.join(" ")),
        ];
        if instances {
            cells.insert(0, Cell::text(instance));
        }
        table.row(cells);
    }
    table.render(style, columns)
}
