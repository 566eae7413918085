//! The figures of all watchers of a run, family by family.

use super::{Families, Figures, Histogram, Labels, Page, Panel, QueueFigures, sample};
use crate::state::verdict::Status;
use std::fmt;

/// Watchers, each with the name of its broker.
#[derive(Debug)]
pub struct Watchers(pub Vec<(String, Panel)>);

impl Families for Watchers {
    fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        // Read once, so that the families of one page agree with each other.
        let read: Vec<(&str, Figures)> =
            self.0.iter().map(|(instance, panel)| (instance.as_str(), panel.read())).collect();
        clients(page, &read)?;
        events(page, &read)?;
        listening(page, &read)?;
        queues(page, &read)?;
        keeping(page, &read)
    }
}

type Read<'a> = [(&'a str, Figures)];

fn clients(page: &mut Page<'_>, read: &Read<'_>) -> fmt::Result {
    let samples = read.iter().flat_map(|(instance, figures)| {
        Status::ALL.map(|status| {
            let labels = vec![("instance", *instance), ("state", status.word())];
            (labels, sample(figures.clients.of(status) as u64))
        })
    });
    page.gauge("presence_clients", "Clients that are known, by what is believed of them.", samples)
}

fn events(page: &mut Page<'_>, read: &Read<'_>) -> fmt::Result {
    let events = read.iter().flat_map(|(instance, figures)| {
        figures.events.iter().map(|(voice, kind, outcome, count)| {
            let labels: Labels<'_> = vec![
                ("instance", instance),
                ("voice", voice),
                ("kind", kind),
                ("outcome", outcome),
            ];
            (labels, sample(count))
        })
    });
    page.counter("presence_events", "Events that were understood.", events)?;
    let malformed = read.iter().flat_map(|(instance, figures)| {
        figures.malformed.iter().map(|(reason, count)| {
            (vec![("instance", *instance), ("reason", *reason)], sample(*count))
        })
    });
    let help = "Messages that were set aside because they could not be read.";
    page.counter("presence_malformed_messages", help, malformed)?;
    let help = "Messages that no dialect claimed.";
    page.counter("presence_not_mine_messages", help, each(read, |f| sample(f.not_mine)))?;
    let refused = read.iter().flat_map(|(instance, figures)| {
        figures.refused.iter().map(|(reason, count)| {
            (vec![("instance", *instance), ("reason", *reason)], sample(*count))
        })
    });
    let help = "Requests to a webhook that were not taken in.";
    page.counter("presence_refused_requests", help, refused)?;
    let help = "From the broker's stamp to the arrival, of events that were new.";
    page.histogram("presence_lag_seconds", help, histograms(read, |figures| &figures.lag))
}

fn listening(page: &mut Page<'_>, read: &Read<'_>) -> fmt::Result {
    let help = "Times in which something may have been lost.";
    page.counter("presence_gaps", help, each(read, |figures| sample(figures.gaps)))?;
    let help = "Length of all gaps together.";
    let blind = each(read, |figures| sample(figures.blind_ms) / 1_000.0);
    page.counter("presence_blind_seconds", help, blind)?;
    let help = "1 while the broker is connected, else 0.";
    page.gauge("presence_connection_up", help, each(read, |f| f64::from(f.connected)))?;
    let help = "Connections after the first one.";
    let again = each(read, |figures| sample(figures.connects.saturating_sub(1)));
    page.counter("presence_reconnects", help, again)
}

fn queues(page: &mut Page<'_>, read: &Read<'_>) -> fmt::Result {
    let each = |value: fn(&QueueFigures) -> f64| {
        read.iter().flat_map(move |(instance, figures)| {
            figures.queues.iter().map(move |queue| {
                let labels: Labels<'_> = vec![("instance", instance), ("queue", &queue.name)];
                (labels, value(queue))
            })
        })
    };
    let help = "Messages of a queue that are stored and not read yet.";
    page.gauge("presence_queue_unread_messages", help, each(|queue| sample(queue.unread)))?;
    let help = "Since the last message that was read was stored, while there are more.";
    let behind = each(|queue| sample(queue.behind_ms) / 1_000.0);
    page.gauge("presence_queue_lag_seconds", help, behind)
}

fn keeping(page: &mut Page<'_>, read: &Read<'_>) -> fmt::Result {
    let help = "Messages that were heard and are not acknowledged yet.";
    let waiting = each(read, |figures| sample(figures.unacknowledged as u64));
    page.gauge("presence_unacknowledged_messages", help, waiting)?;
    let help = "Messages that cannot be made durable at the moment.";
    let unsaved = each(read, |figures| sample(figures.unsaved as u64));
    page.gauge("presence_unsaved_messages", help, unsaved)?;
    let help = "Time to make a batch durable.";
    page.histogram("presence_store_commit_seconds", help, histograms(read, |f| &f.commit))?;
    let help = "Batches that could not be made durable at an attempt.";
    page.counter("presence_store_errors", help, each(read, |f| sample(f.store_errors)))?;
    // All watchers write one recording.
    let recording = read.iter().filter_map(|(_, figures)| figures.recording_bytes).max();
    let recording = recording.map(|bytes| (Labels::new(), sample(bytes)));
    page.gauge("presence_recording_bytes", "Size of the recording.", recording)
}

fn each<'l>(
    read: &'l Read<'_>,
    value: impl Fn(&Figures) -> f64,
) -> impl Iterator<Item = (Labels<'l>, f64)> {
    read.iter().map(move |(instance, figures)| (vec![("instance", *instance)], value(figures)))
}

fn histograms<'l>(
    read: &'l Read<'_>,
    of: impl Fn(&'l Figures) -> &'l Histogram,
) -> impl Iterator<Item = (Labels<'l>, &'l Histogram)> {
    read.iter().map(move |(instance, figures)| (vec![("instance", *instance)], of(figures)))
}
