//! Single clients that were chosen to have a series of their own.

use super::{Families, Labels, Page, sample};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

/// Series that there may be. Each costs the monitoring system something for as long as it keeps them.
pub const SERIES_MAX: usize = 1_000;

/// Whether single clients are online.
#[derive(Debug, Default)]
pub struct ClientSeries {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By broker and client id; `None` where neither yes nor no can be said.
    shown: BTreeMap<(String, String), Option<bool>>,
    /// Hashes of those for whom there is no room: only their number is told.
    left_out: HashSet<u64>,
    hasher: RandomState,
}

impl ClientSeries {
    /// Sets what is believed of a client.
    pub fn set(&self, instance: &str, client: &str, online: Option<bool>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (instance.to_owned(), client.to_owned());
        if inner.shown.contains_key(&key) || inner.shown.len() < SERIES_MAX {
            inner.shown.insert(key, online);
        } else {
            let hash = inner.hasher.hash_one(&key);
            inner.left_out.insert(hash);
        }
    }
}

impl Families for std::sync::Arc<ClientSeries> {
    fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = inner.shown.iter().map(|((instance, client), online)| {
            let labels: Labels<'_> = vec![("instance", instance), ("client", client)];
            (labels, online.map_or(f64::NAN, f64::from))
        });
        let help = "1 online, 0 offline, NaN unknown; of the clients chosen.";
        page.gauge("presence_client_online", help, shown)?;
        let help = "Clients that were chosen, but for which there is no room.";
        let left_out = sample(inner.left_out.len() as u64);
        page.gauge("presence_client_series_left_out", help, [(Labels::new(), left_out)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;
    use crate::output::metrics::Board;
    use std::sync::Arc;

    #[test]
    fn series_have_a_bound_and_the_rest_is_counted_once() {
        let series = Arc::new(ClientSeries::default());
        let mut board = Board::new(Timestamp(0));
        board.add(series.clone());
        for _ in 0..2 {
            for number in 0..SERIES_MAX + 7 {
                series.set("b:1883", &format!("dev-{number}"), Some(number % 2 == 0));
            }
        }
        series.set("b:1883", "dev-3", None);
        let page = board.page().expect("it can be written");
        assert_eq!(page.matches("\npresence_client_online{").count(), SERIES_MAX);
        assert!(page.contains("\npresence_client_series_left_out 7.0\n"), "{page}");
        let sample = |number, value| {
            format!(
                "\npresence_client_online{{instance=\"b:1883\",client=\"dev-{number}\"}} {value}\n"
            )
        };
        for (number, value) in [(2, "1.0"), (1, "0.0"), (3, "NaN")] {
            assert!(page.contains(&sample(number, value)), "{number}");
        }
    }
}
