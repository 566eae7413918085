//! Which voices speak at all: one client comes and goes before the fleet does.

use super::evidence::Evidence;
use crate::clock;
use crate::command::watcher::{News, Testimony};
use crate::event::EventKind;
use crate::failure::Failure;
use crate::output::warning::Warning;
use crate::simulate::cleaning::{self, Cleaned};
use crate::simulate::deed::What;
use crate::simulate::driver::{self, Stop};
use crate::simulate::fleet::{Conduct, Fleet, Names, Will};
use crate::simulate::plan::{Death, Life, Plan};
use crate::simulate::report::Report;
use crate::simulate::template::Template;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

/// What was found out.
#[derive(Debug, Default)]
pub struct Probed {
    /// The voices that spoke of the probe.
    pub voices: Vec<&'static str>,
    /// Why the broker did not let it in, if it did not. Then nobody knows which voices there are.
    pub refused: Option<String>,
    /// What the broker says it is.
    pub broker: Option<String>,
    pub cleaned: Cleaned,
}

/// Lets a client come and go, and hears who speaks of it. Removes what it leaves.
///
/// Errors: the network in the way of it.
pub async fn probe(
    fleet: &Fleet,
    evidence: &mut Evidence,
    stop: watch::Receiver<Stop>,
    patience: Duration,
) -> Result<(Probed, Vec<Warning>), Failure> {
    let fleet = Arc::new(alone(fleet));
    let client = fleet.client_id(0);
    let life = Life { begin_ms: 0, end_ms: LIFE_MS, death: Death::Fin };
    let plan = Arc::new(Plan { devices: vec![vec![life]].into(), end_ms: LIFE_MS });
    let (teller, mut told) = mpsc::unbounded_channel();
    let ended = driver::run(Arc::clone(&fleet), plan, stop.clone(), teller).await?;
    let mut probed = Probed { broker: evidence.broker.take(), ..Probed::default() };
    while let Ok(deed) = told.try_recv() {
        if let What::Failed { reason, .. } = deed.what {
            probed.refused = Some(reason);
        }
    }
    let mut heard = Heard::default();
    let mut warnings = Vec::new();
    // Who was not let in was not spoken of either.
    let patience = if probed.refused.is_some() { Duration::ZERO } else { patience };
    let mut until = Instant::from(clock::monotonic()) + patience;
    while let Ok(Some(news)) = timeout_at(until, evidence.next()).await {
        match news {
            News::Testimony(Testimony::Reports(reports)) => {
                for report in reports.iter().filter(|report| report.client == client) {
                    if heard.take(report) {
                        // The others have as long again.
                        until = until.min(Instant::from(clock::monotonic()) + OTHERS);
                    }
                }
            }
            News::Testimony(Testimony::Broker(text)) => probed.broker = Some(text),
            News::Warning(warning) => warnings.push(warning),
            News::Known(_)
            | News::Changes(_)
            | News::Testimony(_)
            | News::Debug(_)
            | News::Messages(_)
            | News::Voice(_)
            | News::Part { .. }
            | News::Pulse(_) => {}
        }
    }
    probed.voices = heard.0.into_keys().collect();
    probed.cleaned = cleaning::run(&fleet, &ended, stop).await;
    Ok((probed, warnings))
}

/// Who spoke, and whether of both its beginning and its end.
#[derive(Default)]
struct Heard(BTreeMap<&'static str, (bool, bool)>);

impl Heard {
    /// Returns whether the voice has said all that it will.
    fn take(&mut self, report: &Report) -> bool {
        let (opened, closed) = self.0.entry(report.voice).or_default();
        match report.kind {
            EventKind::Opened => *opened = true,
            EventKind::Closed => *closed = true,
            EventKind::Seen | EventKind::Farewell => {}
        }
        *opened && *closed
    }
}

/// Returns a fleet of one, which says of itself what the devices say.
fn alone(fleet: &Fleet) -> Fleet {
    let will = fleet.conducts().find_map(|conduct| conduct.will.clone());
    let conduct = Conduct {
        keep_alive: KEEP_ALIVE_S,
        will: will.map(|will| Will { delay: 0, ..will }),
        birth: fleet.conducts().find_map(|conduct| conduct.birth.clone()),
        ..Conduct::default()
    };
    // Where only a device's own id is let in, the first one has not come yet.
    let is_shared = fleet.connection.auth.is_shared();
    let id = if is_shared { fleet.fellow("probe") } else { fleet.client_id(0) };
    Fleet {
        client_id: Names::Template(Template::plain(id)),
        conduct,
        groups: Vec::new(),
        ..fleet.clone()
    }
}

const KEEP_ALIVE_S: u16 = 60;
/// Long enough for a birth to be published.
const LIFE_MS: u64 = 300;
/// What the other voices have when one has spoken.
const OTHERS: Duration = Duration::from_secs(1);
