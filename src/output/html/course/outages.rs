//! Outages and other findings, in words.

use super::{Told, capital, headline};
use crate::output::finding;
use crate::output::html::Page;
use crate::output::number::{counted, grouped};
use crate::output::sanitize::sanitize;
use crate::output::style::Tone;
use crate::state::diagnosis::{Code, Finding, Phase};

/// Clients that are named of each outage; findings of each kind that are shown, and that are told.
const NAMED_MAX: usize = 12;
const SHOWN_MAX: usize = 5;
const TOLD_MAX: usize = 100;
const ID_MAX: usize = 80;

/// Tells them.
pub fn tell(told: &Told<'_>, page: &mut Page) {
    if told.outages.is_empty() && told.findings.is_empty() {
        page.text("No mass outage, no shared id, no flapping client, no ghost.", Tone::Plain);
    }
    for number in 0..told.outages.len() {
        page.subheading(&format!("Outage {}", number + 1));
        page.text(&headline::of_outage(told, number), Tone::Plain);
        page.text(&hit(told, number), Tone::Plain);
    }
    for code in Code::ALL {
        let of_code = told.findings.iter().filter(|finding| finding.what.code() == code);
        let begun: Vec<&Finding> = of_code.filter(|it| it.phase == Phase::Begins).collect();
        if begun.is_empty() {
            continue;
        }
        let count = begun.len() as u64;
        page.subheading(&capital(&finding::several(code, count)));
        page.text(meaning(code), Tone::Dim);
        let line = |finding: &&Finding| {
            let text = finding::text(told.instance, finding, told.zone);
            format!("{}: {text}", told.moment(finding.since))
        };
        let lines: Vec<String> = begun.iter().take(TOLD_MAX).map(line).collect();
        let (first, more) = lines.split_at(lines.len().min(SHOWN_MAX));
        page.list(first);
        if !more.is_empty() {
            let left_out = begun.len() - lines.len();
            let of = if left_out > 0 { format!(" of {}", grouped(count)) } else { String::new() };
            page.details(&format!("{} more{of}", grouped(more.len() as u64)), |page| {
                page.list(more);
            });
        }
    }
    if told.left_out > 0 {
        page.text(
            &format!("{} had no place on this page.", counted(told.left_out, "finding")),
            Tone::Warning,
        );
    }
}

/// Says who was lost in an outage.
fn hit(told: &Told<'_>, number: usize) -> String {
    let hit: Vec<usize> = told.lost_in(number).collect();
    let names: Vec<_> =
        hit.iter().take(NAMED_MAX).map(|at| sanitize(told.client(*at), ID_MAX)).collect();
    match hit.len() {
        0 => "Who was lost is not known by name.".to_owned(),
        count if count > NAMED_MAX => {
            let all = told.outages[number].outage().map_or(count, |outage| outage.lost);
            let search = if count < all {
                "The search below tells of these that they were lost, of the others only when they were offline."
            } else {
                "The search below tells of every client whether it was lost."
            };
            let (count, names) = (grouped(count as u64), names.join(", "));
            format!("{count} are known by name, among them {names}. {search}")
        }
        _ => format!("Lost were: {}.", names.join(", ")),
    }
}

/// Returns what a kind of finding means, and what to do next.
const fn meaning(code: Code) -> &'static str {
    match code {
        Code::MassOutage => "Many clients were lost at once. Look for what they have in common.",
        Code::SharedId => {
            "Several users of one client id throw each other out. Give every device an id of its own."
        }
        Code::Flapping => {
            "Connections come and go in a hurry. Look at the link, the power supply, and the keep alive of \
             the device."
        }
        Code::Ghosts => {
            "Connections were replaced, and no end was ever told. Whoever believes the last notice alone \
             would call such clients online for ever."
        }
        Code::LostNotices => {
            "Ends were told without their beginnings. Look at the limits of the queue between broker and \
             listener."
        }
        Code::ClockOffset => {
            "The clocks of broker and listener differ, or notices are late. Let both follow one time server."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_finding_has_words_of_its_own() {
        let words: std::collections::BTreeSet<&str> = Code::ALL.into_iter().map(meaning).collect();
        assert_eq!(words.len(), Code::ALL.len());
    }
}
