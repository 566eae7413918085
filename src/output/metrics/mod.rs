//! Figures for a monitoring system, in the text format of OpenMetrics 1.0, which Prometheus reads.
//!
//! Whoever has figures implements [`Families`] and hands itself to a [`Board`]; the page is written anew
//! each time somebody asks for it. What there is stands in docs/metrics.md, which a test holds true.

mod clients;
mod doings;
mod figures;
mod watchers;

pub use clients::ClientSeries;
pub use doings::Doings;
pub use figures::{EventCounts, Figures, Histogram, Panel, QueueFigures};
pub use watchers::Watchers;

use crate::event::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;

/// What the page is, for the header of the answer.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Somebody with figures.
pub trait Families: fmt::Debug + Send + Sync + 'static {
    /// Writes them as they stand now.
    fn write(&self, page: &mut Page<'_>) -> fmt::Result;
}

/// All figures that can be fetched.
#[derive(Debug)]
pub struct Board(Registry);

impl Board {
    /// Returns a board that tells of the process alone, which started then.
    #[must_use]
    pub fn new(started: Timestamp) -> Self {
        let mut board = Self(Registry::default());
        board.add(Process { started });
        board
    }

    pub fn add(&mut self, families: impl Families) {
        self.0.register_collector(Box::new(Adapter(families)));
    }

    /// Returns the page.
    ///
    /// Errors: somebody could not write their figures, so that the page would not be whole.
    pub fn page(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.0)?;
        Ok(page)
    }
}

/// Names and values that tell the samples of a family apart. The values may be foreign: they are escaped
/// when they are written.
pub type Labels<'a> = Vec<(&'a str, &'a str)>;

/// Where families are written to. Names are complete, but for the `_total` of counters, which is added.
#[derive(Debug)]
pub struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    /// Writes a family that only grows.
    pub fn counter<'l, T: Into<f64>>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, T)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Counter, samples, |metric, value| {
            let value: f64 = value.into();
            metric.encode_counter::<NoLabelSet, f64, f64>(&value, None)
        })
    }

    /// Writes a family that goes up and down. What is not known is NaN.
    pub fn gauge<'l, T: Into<f64>>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, T)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Gauge, samples, |metric, value| {
            let value: f64 = value.into();
            metric.encode_gauge(&value)
        })
    }

    /// Writes a family of durations.
    pub fn histogram<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, &'l Histogram)>,
    ) -> fmt::Result {
        self.family(name, help, MetricType::Histogram, samples, |metric, histogram| {
            let (sum, count) = (histogram.sum(), histogram.count());
            metric.encode_histogram::<NoLabelSet>(sum, count, &histogram.buckets(), None)
        })
    }

    /// Writes what is told by labels alone. `_info` is added to the name.
    pub fn info(&mut self, name: &str, help: &str, labels: &Labels<'_>) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(labels)
    }

    fn family<'l, T>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels<'l>, T)>,
        write: impl Fn(&mut MetricEncoder<'_>, T) -> fmt::Result,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            write(&mut family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }
}

/// Returns a count as a sample. Exact up to 9·10^15, and right in 15 digits beyond.
#[expect(clippy::cast_precision_loss, reason = "the format knows no other numbers")]
#[must_use]
pub const fn sample(count: u64) -> f64 {
    count as f64
}

#[derive(Debug)]
struct Adapter<T>(T);

impl<T: Families> Collector for Adapter<T> {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.write(&mut Page(encoder))
    }
}

/// What runs, and since when.
#[derive(Debug)]
struct Process {
    started: Timestamp,
}

impl Families for Process {
    fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let labels = vec![("version", env!("CARGO_PKG_VERSION"))];
        page.info("presence_build", "The program that counts.", &labels)?;
        let started = sample(u64::try_from(self.started.0).unwrap_or(0)) / 1_000.0;
        let help = "When the process began, in s since 1970.";
        page.gauge("process_start_time_seconds", help, [(Labels::new(), started)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Hostile;

    impl Families for Hostile {
        fn write(&self, page: &mut Page<'_>) -> fmt::Result {
            let value = "a\"} 7\n# EOF\\";
            page.counter("x", "Help.", [(vec![("client", value)], 3u32)])?;
            page.gauge("y", "Help.", [(Labels::new(), f64::NAN)])
        }
    }

    #[test]
    fn foreign_values_cannot_leave_their_quotes() {
        let mut board = Board::new(Timestamp(1_760_000_000_500));
        board.add(Hostile);
        let page = board.page().expect("it can be written");
        assert!(page.contains("process_start_time_seconds 1760000000.5\n"), "{page}");
        assert!(page.contains("x_total{client=\"a\\\"} 7\\n# EOF\\\\\"} 3.0\n"), "{page}");
        assert!(page.contains("\ny NaN\n") && page.ends_with("\n# EOF\n"), "{page}");
        assert_eq!(page.matches("\n# EOF").count(), 1, "{page}");
    }
}
