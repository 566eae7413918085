//! `presence demo`: a broker, a small fleet and a watcher in one process, and whether they agree.

mod screen;
mod script;

use super::stop;
use super::watcher::{News, Setup, Testimony, Watcher};
use crate::clock;
use crate::config;
use crate::config::broker::{Broker, MqttVersion};
use crate::config::connection::Connection;
use crate::dialect::lmq::Lmq;
use crate::embedded;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::simulate::deed::Deed;
use crate::simulate::driver::{self, Stop};
use crate::simulate::fleet::Fleet;
use crate::simulate::matching::{Done, Joined, Matching, Said};
use crate::simulate::plan::Plan;
use crate::state::policy::Policy;
use crate::state::verdict::{Status, Verdict};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};

/// How long reports may take after the last deed.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn run(console: &mut Console) -> Result<Outcome, Failure> {
    let broker = embedded::Broker::bind(embedded::Options::on_a_free_port())?.start()?;
    let address = *broker.addresses().first().expect("it was bound to one");
    console.print_line(format_args!(
        "A broker on {address}, ten devices and a watcher, all in this process, for 13 seconds.\n"
    ))?;
    let connection = connection(&address.to_string())?;
    let fleet = Arc::new(script::fleet(connection.clone())?);
    let mut show = Show::new(fleet, console);
    let (news, mut heard) = mpsc::channel(64);
    let (stop_watcher, watcher_stopped) = watch::channel(false);
    let (watcher, _) = setup().watcher(0, &connection, &news).await?;
    drop(news);
    let watcher = tokio::spawn(Watcher::run(watcher, watcher_stopped));
    listening(&mut heard).await;
    let outcome = show.perform(&mut heard).await;
    stop_watcher.send_replace(true);
    // It has something to tell to the very end, and must not wait for a listener.
    while heard.recv().await.is_some() {}
    watcher.await.map_err(|panic| Failure::new("the watcher failed").because(panic))??;
    broker.stop()?;
    outcome
}

/// Waits until the watcher hears: what was done before would be missed by nobody's fault but ours.
async fn listening(heard: &mut mpsc::Receiver<(usize, News)>) {
    while let Some((_, news)) = heard.recv().await {
        if matches!(news, News::Known(_)) {
            return;
        }
    }
}

fn connection(url: &str) -> Result<Connection, Failure> {
    let (broker, _) = Broker::read(url)?;
    Ok(Connection {
        instance: broker.instance(),
        broker,
        username: None,
        password: None,
        client_id: None,
        keep_alive: script::KEEP_ALIVE,
        mqtt_version: MqttVersion::V311,
        tls: None,
    })
}

/// Watches as `presence watch` does by default, but keeps nothing.
fn setup() -> Setup {
    Setup {
        terms: config::reading::usual(),
        zone: None,
        policy: Policy::DEFAULT,
        store: None,
        recorder: None,
        timeout: Duration::from_secs(10),
        clean: true,
        broker_queue: crate::cli::watch::BROKER_QUEUE,
        bridge_gaps: Duration::ZERO,
        forget_clients: Duration::MAX,
        reports: true,
    }
}

/// The performance: what was done, heard and believed so far.
struct Show<'a> {
    console: &'a mut Console,
    fleet: Arc<Fleet>,
    plan: Arc<Plan>,
    begun: (Duration, Instant),
    matching: Matching,
    believed: HashMap<String, Verdict>,
    /// Reports have come whose changes are still to come.
    is_ahead: bool,
    /// Deeds whose line is printed.
    shown: HashSet<(u32, u32, Done)>,
    agreements: String,
    all_right: bool,
}

impl<'a> Show<'a> {
    fn new(fleet: Arc<Fleet>, console: &'a mut Console) -> Self {
        Self {
            console,
            fleet,
            plan: Arc::new(script::plan()),
            begun: (clock::uptime(), clock::monotonic()),
            matching: Matching::default(),
            believed: HashMap::new(),
            is_ahead: false,
            shown: HashSet::new(),
            agreements: String::new(),
            all_right: true,
        }
    }

    async fn perform(
        &mut self,
        heard: &mut mpsc::Receiver<(usize, News)>,
    ) -> Result<Outcome, Failure> {
        self.begun = (clock::uptime(), clock::monotonic());
        let heads = screen::heads(self.console.style());
        self.console.print_line(heads)?;
        let (deed, mut deeds) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(Stop::Run);
        let driver = driver::run(Arc::clone(&self.fleet), Arc::clone(&self.plan), stopped, deed);
        let mut driver = std::pin::pin!(driver);
        let mut driven = false;
        let mut asked = std::pin::pin!(stop::asked());
        let mut interrupted = false;
        let check = self.begun.1 + Duration::from_millis(script::CHECK_MS);
        let mut check = std::pin::pin!(sleep_until(check.into()));
        let mut checked = false;
        while !driven {
            tokio::select! {
                ended = &mut driver => { ended?; driven = true; }
                Some(deed) = deeds.recv() => self.deed(&deed)?,
                Some((_, news)) = heard.recv() => self.news(news)?,
                () = &mut check, if !checked => {
                    checked = true;
                    self.check("in the middle, at 10.5 s", script::CHECK_MS);
                }
                () = &mut asked, if !interrupted => {
                    interrupted = true;
                    stop.send_replace(Stop::Goodbye);
                }
            }
        }
        while let Ok(deed) = deeds.try_recv() {
            self.deed(&deed)?;
        }
        if interrupted {
            return Ok(Outcome::Interrupted);
        }
        let _ = timeout(PATIENCE, self.last_words(heard)).await;
        self.finish()
    }

    /// Takes in what is still said after the last deed, until nothing is missing.
    async fn last_words(
        &mut self,
        heard: &mut mpsc::Receiver<(usize, News)>,
    ) -> Result<(), Failure> {
        let is_over = |show: &Self| {
            let said = |joined: Vec<Joined>| joined.iter().all(|one| one.said != Said::Nothing);
            said(show.matching.joined(Lmq::NAME))
                && show.believed.values().all(|verdict| verdict.status == Status::Offline)
        };
        while !is_over(self) {
            let Some((_, news)) = heard.recv().await else { break };
            self.news(news)?;
        }
        Ok(())
    }

    fn deed(&mut self, deed: &Deed) -> Result<(), Failure> {
        self.matching.deed(&self.fleet.client_id(deed.device), deed);
        self.show(false)
    }

    fn news(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Testimony(Testimony::Reports(reports)) => {
                for report in reports {
                    self.matching.report(report);
                }
                self.is_ahead = true;
            }
            News::Changes(changes) => {
                for change in changes {
                    self.believed.insert(change.verdict.client.clone(), change.verdict);
                }
            }
            News::Warning(warning) => self.console.warn(&warning),
            News::Debug(text) => self.console.debug(text),
            // Comes last.
            News::Pulse(_) => self.is_ahead = false,
            News::Known(_) | News::Testimony(_) => {}
        }
        self.show(false)
    }

    /// Prints what has been told since; at the end what was never told as well.
    fn show(&mut self, even_untold: bool) -> Result<(), Failure> {
        if self.is_ahead {
            return Ok(());
        }
        let mut joined = self.matching.joined(Lmq::NAME);
        joined.sort_by_key(|one| one.at);
        for one in joined {
            let told = one.said != Said::Nothing || even_untold;
            if told && self.shown.insert((one.device, one.life, one.done)) {
                let at = one.at.saturating_sub(self.begun.0);
                let verdict = self.believed.get(&one.client);
                let style = self.console.style();
                let line = screen::line(&one, at, verdict, style);
                self.console.print_line(line)?;
            }
        }
        Ok(self.console.flush()?)
    }

    /// Compares what is believed with the truth, which is the plan.
    fn check(&mut self, when: &str, at_ms: u64) {
        let mut wrong = Vec::new();
        for (number, device) in (0..).zip(0..self.plan.devices.len()) {
            let client = self.fleet.client_id(number);
            let believed = self.believed.get(&client).map_or(Status::Unknown, |one| one.status);
            if believed.online() != Some(script::is_up(&self.plan, device, at_ms)) {
                wrong.push(client);
            }
        }
        self.all_right &= wrong.is_empty();
        let right = self.plan.devices.len() - wrong.len();
        self.agreements += &screen::agreement(when, right, &wrong);
    }

    fn finish(&mut self) -> Result<Outcome, Failure> {
        self.is_ahead = false;
        self.show(true)?;
        self.check("at the end", self.plan.end_ms);
        let report = screen::report(&self.matching, self.console.style(), self.console.columns());
        self.console.print(&format!("\n{report}\n{}\n{}", self.agreements, screen::NEXT))?;
        let all_told = self.matching.joined(Lmq::NAME);
        let all_told = all_told.iter().all(|one| matches!(one.said, Said::Rightly { .. }));
        Ok(if all_told && self.all_right { Outcome::Yes } else { Outcome::No })
    }
}
