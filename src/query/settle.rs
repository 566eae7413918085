//! Lists that lag: who is missing from one may have connected just now, and is looked for again.

use super::api::Api;
use super::asked::Asked;
use super::client::Client;
use super::gather::gather;
use crate::clock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a list is looked at again, before who is missing counts as absent.
const LOOKS: u32 = 2;

/// Asks about clients; where the API lags, about those that are absent again, until nothing can have been
/// under way. Who could not be waited for in time is neither online nor offline.
pub fn ask(
    api: &Arc<dyn Api>,
    client: &Arc<Client>,
    source: &str,
    clients: &[String],
    deadline: Instant,
) -> Asked {
    let (begun, lag) = (clock::monotonic(), api.lag());
    let mut asked = gather(api, client, source, clients, deadline);
    if lag.is_zero() {
        return asked;
    }
    let mut settled = false;
    for look in 1..=LOOKS {
        let absent = absent(&asked);
        let due = begun + lag * look / LOOKS;
        if absent.is_empty() || due >= deadline {
            break;
        }
        sleep(due.saturating_duration_since(clock::monotonic()));
        let again = gather(api, client, source, &absent, deadline);
        asked.requests += again.requests;
        settled = look == LOOKS && again.failures.is_empty();
        let mut found: BTreeMap<_, _> =
            again.told.into_iter().map(|told| (told.client.clone(), told)).collect();
        for told in &mut asked.told {
            if let Some(now) = found.remove(&told.client).filter(|now| now.online == Some(true)) {
                *told = now;
            }
        }
    }
    if !settled {
        doubt(&mut asked, begun.elapsed(), lag);
    }
    asked.took = begun.elapsed();
    asked
}

fn absent(asked: &Asked) -> Vec<String> {
    let absent = asked.told.iter().filter(|told| told.online == Some(false));
    absent.map(|told| told.client.clone()).collect()
}

/// Takes back what absence for so long does not prove.
fn doubt(asked: &mut Asked, absent_for: Duration, lag: Duration) {
    for told in asked.told.iter_mut().filter(|told| told.online == Some(false)) {
        told.online = None;
        told.why = Some(format!(
            "not listed for {:.1} s, and a connection is listed up to {:.0} s late: allow more time \
             with `--timeout`",
            absent_for.as_secs_f64(),
            lag.as_secs_f64(),
        ));
    }
}
