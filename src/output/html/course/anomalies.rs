//! Anomalies: what each means, what to do next, and who has it.

use super::{Account, capital};
use crate::output::explain::{meaning, remedy};
use crate::output::html::Page;
use crate::output::number::counted;
use crate::output::sanitize::sanitize;
use crate::output::style::Tone;

/// Columns that an id may take.
const ID_MAX: usize = 80;

/// Tells them.
pub fn tell(account: &Account<'_>, page: &mut Page) {
    if account.anomalies.is_empty() {
        page.text("No client has an odd history at the moment judged.", Tone::Plain);
        return;
    }
    page.text(
        "What is odd about the connections remembered of each client at the moment judged. None of it changes \
         a verdict.",
        Tone::Dim,
    );
    for ((instance, code), anomaly) in account.anomalies {
        let broker = match account.brokers.len() {
            0 | 1 => String::new(),
            _ => format!(" at {}", super::name(instance)),
        };
        page.subheading(&format!("{code}: {}{broker}", counted(anomaly.clients, "client")));
        page.text(&format!("{}. Next: {}.", capital(meaning(code)), remedy(code)), Tone::Plain);
        let examples: Vec<_> = anomaly.examples.iter().map(|id| sanitize(id, ID_MAX)).collect();
        let some = if anomaly.clients > examples.len() as u64 { "For example" } else { "Whose" };
        page.text(&format!("{some}: {}", examples.join(", ")), Tone::Plain);
    }
}
