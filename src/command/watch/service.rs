//! What a service manager is told (`sd_notify`), where there is one.
//!
//! Told from the loop that shows what is heard, so that silence means that the loop hangs.

use super::health;
use crate::clock;
use crate::output::metrics::Panel;
use crate::output::number::{counted, grouped};
use crate::output::warning::Warning;
use crate::state::verdict::Status;
use sd_notify::NotifyState;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often it is looked whether there is something to tell.
const LOOK: Duration = Duration::from_secs(1);

/// The line to the service manager.
#[derive(Debug)]
pub struct Service {
    /// `None` where nobody listens.
    clock: Option<Interval>,
    /// The manager ends this process if it hears nothing for so long.
    patience: Option<Duration>,
    watchers: Vec<(String, Panel)>,
    is_ready: bool,
    status: String,
    told: Duration,
    failed: bool,
}

impl Service {
    /// Tells whether a service manager is there.
    pub fn is_run_by_one() -> bool {
        std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty())
    }

    pub fn new(watchers: Vec<(String, Panel)>) -> Self {
        let patience = sd_notify::watchdog_enabled();
        let clock = Self::is_run_by_one().then(|| {
            let mut clock = interval(patience.map_or(LOOK, |patience| LOOK.min(patience / 4)));
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            clock
        });
        Self {
            clock,
            patience,
            watchers,
            is_ready: false,
            status: String::new(),
            told: Duration::ZERO,
            failed: false,
        }
    }

    /// Waits until it is time to look again, for ever where nobody listens.
    pub async fn due(&mut self) {
        match &mut self.clock {
            Some(clock) => drop(clock.tick().await),
            None => std::future::pending().await,
        }
    }

    /// Tells what there is to tell. Returns what went wrong with that, once.
    pub fn look(&mut self) -> Option<Warning> {
        let now = clock::uptime();
        let mut news = Vec::new();
        if !self.is_ready && self.watchers.iter().all(|(_, panel)| panel.read().subscribed) {
            self.is_ready = true;
            news.push(NotifyState::Ready);
        }
        if let Some(patience) = self.patience
            && now.saturating_sub(self.told) >= patience / 4
            && health::all_move(&self.watchers, now, patience / 2)
        {
            self.told = now;
            news.push(NotifyState::Watchdog);
        }
        let status = status(&self.watchers);
        let is_new = status != self.status;
        self.status = status;
        if is_new {
            news.push(NotifyState::Status(&self.status));
        }
        if news.is_empty() {
            return None;
        }
        let error = sd_notify::notify(&news).err()?;
        let first = !std::mem::replace(&mut self.failed, true);
        let (source, cause) = ("the service manager".to_owned(), error.to_string());
        first.then_some(Warning::SourceSilent { source, cause })
    }

    /// Says that this is the end, once.
    pub fn stopping(&mut self) {
        if self.clock.take().is_some() {
            // Nobody is left to be told that it failed.
            let _ = sd_notify::notify(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
        }
    }
}

fn status(watchers: &[(String, Panel)]) -> String {
    let figures: Vec<_> = watchers.iter().map(|(_, panel)| panel.read()).collect();
    let connected = figures.iter().filter(|figures| figures.connected).count();
    let clients: usize = figures.iter().map(|figures| figures.clients.total()).sum();
    let online: usize = figures.iter().map(|figures| figures.clients.of(Status::Online)).sum();
    let unsaved: usize = figures.iter().map(|figures| figures.unsaved).sum();
    let mut text = format!(
        "{connected} of {} connected, {}, {} online",
        counted(watchers.len() as u64, "broker"),
        counted(clients as u64, "client"),
        grouped(online as u64)
    );
    if unsaved > 0 {
        text.push_str(", ");
        text.push_str(&counted(unsaved as u64, "message"));
        text.push_str(" not saved");
    }
    text
}
