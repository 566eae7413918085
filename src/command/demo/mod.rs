//! `presence demo`: a broker, a small fleet and a watcher in one process, and whether they agree.

mod screen;
mod script;

use super::stop;
use super::watcher::{News, Setup, Source, Testimony, Watcher};
use crate::clock;
use crate::config;
use crate::config::auth::Auth;
use crate::config::broker::{Broker, MqttVersion};
use crate::config::connection::Connection;
use crate::dialect::lmq::Lmq;
use crate::dialect::status::Status as StatusTopics;
use crate::embedded;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::verification::Verified;
use crate::simulate::deed::Deed;
use crate::simulate::driver::{self, Stop};
use crate::simulate::fleet::Fleet;
use crate::simulate::plan::Plan;
use crate::simulate::verify::findings::{Act, Outcome as Told};
use crate::simulate::verify::window::Expectation;
use crate::simulate::verify::{Promises, Terms, Verification};
use crate::state::verdict::Verdict;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};

/// How long after its window a report may still come, so that late is told from missed.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn run(console: &mut Console) -> Result<Outcome, Failure> {
    let broker = embedded::Broker::bind(embedded::Options::on_a_free_port())?.start()?;
    let address = *broker.addresses().first().expect("it was bound to one");
    console.print_line(format_args!(
        "A broker on {address}, ten devices and a watcher, all in this process, for 13 seconds.\n"
    ))?;
    let connection = connection(&address.to_string())?;
    let fleet = Arc::new(script::fleet(connection.clone())?);
    let (news, mut heard) = mpsc::channel(64);
    let (stop_watcher, watcher_stopped) = watch::channel(false);
    let setup = Setup::of_witness(config::reading::usual(), Duration::from_secs(10));
    let (watcher, _) = setup.watcher(0, Source::Broker(&connection), &news).await?;
    drop(news);
    let watcher = tokio::spawn(Watcher::run(watcher, watcher_stopped));
    listening(&mut heard).await;
    let outcome = Show::new(fleet, console).perform(&mut heard).await;
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
        auth: Auth::Plain,
        username: None,
        password: None,
        client_id: None,
        keep_alive: script::KEEP_ALIVE,
        mqtt_version: MqttVersion::V311,
        tls: None,
    })
}

/// Expects what the vendor says whose notices the broker speaks, which is more than it takes.
fn verification(fleet: &Fleet, plan: &Plan, begun: Duration) -> Verification {
    let terms = Terms {
        expectation: Expectation::parse("lmq").unwrap_or(Expectation::ANY),
        voices: vec![Lmq::NAME, StatusTopics::NAME],
        speaking: vec![Lmq::NAME, StatusTopics::NAME],
        promises: Promises::of(fleet),
        begun,
    };
    let numbers = (0..).zip(&plan.devices).map(|(number, _)| number);
    let clients = numbers.map(|number| (number, fleet.client_id(number)));
    let mut verification = Verification::new(terms, clients);
    verification.plan(plan);
    verification
}

/// The performance: what was done, heard and believed so far.
struct Show<'a> {
    console: &'a mut Console,
    fleet: Arc<Fleet>,
    plan: Arc<Plan>,
    begun: (Duration, Instant),
    verification: Verification,
    believed: HashMap<String, Verdict>,
    /// Reports have come whose changes are still to come.
    is_ahead: bool,
    /// Deeds whose line is printed, by device and connection.
    shown: HashSet<(u32, u32, Act)>,
    /// What was believed in the middle was the truth.
    was_right: bool,
}

impl<'a> Show<'a> {
    fn new(fleet: Arc<Fleet>, console: &'a mut Console) -> Self {
        let plan = script::plan();
        let begun = (clock::uptime(), clock::monotonic());
        let verification = verification(&fleet, &plan, begun.0);
        Self {
            console,
            fleet,
            plan: Arc::new(plan),
            begun,
            verification,
            believed: HashMap::new(),
            is_ahead: false,
            shown: HashSet::new(),
            was_right: false,
        }
    }

    async fn perform(
        mut self,
        heard: &mut mpsc::Receiver<(usize, News)>,
    ) -> Result<Outcome, Failure> {
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
                    self.check()?;
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
        self.last_words(heard).await?;
        self.finish()
    }

    /// Takes in what is still said after the last deed, until nothing is missing.
    async fn last_words(
        &mut self,
        heard: &mut mpsc::Receiver<(usize, News)>,
    ) -> Result<(), Failure> {
        loop {
            let now = clock::uptime();
            let Some(due_by) = self.verification.outstanding(now, PATIENCE).due_by else {
                return Ok(());
            };
            match timeout(due_by.saturating_sub(now), heard.recv()).await {
                Ok(Some((_, news))) => self.news(news)?,
                Ok(None) => return Ok(()),
                // Nothing more can come in time.
                Err(_) => {}
            }
        }
    }

    fn deed(&mut self, deed: &Deed) -> Result<(), Failure> {
        self.verification.deed(deed);
        self.show(false)
    }

    fn news(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Testimony(Testimony::Reports(reports)) => {
                for report in &reports {
                    self.verification.report(report);
                }
                self.is_ahead = true;
            }
            News::Changes(changes) => {
                for change in changes {
                    self.believed.insert(change.verdict.client.to_string(), change.verdict);
                }
            }
            News::Warning(warning) => self.console.warn(&warning),
            News::Debug(text) => self.console.debug(text),
            // Comes last.
            News::Pulse(_) => self.is_ahead = false,
            News::Known(_)
            | News::Voice(_)
            | News::Part { .. }
            | News::Messages(_)
            | News::Testimony(_) => {}
        }
        self.show(false)
    }

    /// Prints what has been told since; at the end what was never told as well.
    fn show(&mut self, even_untold: bool) -> Result<(), Failure> {
        if self.is_ahead {
            return Ok(());
        }
        let mut deeds = self.verification.told(Lmq::NAME, clock::uptime());
        deeds.sort_by_key(|told| told.at);
        for told in deeds {
            // Of a goodbye the first half may have been told.
            let is_told = told.delay_us.is_some() && told.outcome != Told::NotDue;
            if (is_told || even_untold)
                && self.shown.insert((told.device, told.connection, told.act))
            {
                let client = self.fleet.client_id(told.device);
                let at = told.at.saturating_sub(self.begun.0);
                let verdict = self.believed.get(&client);
                let line = screen::line(&told, &client, at, verdict, self.console.style());
                self.console.print_line(line)?;
            }
        }
        Ok(self.console.flush()?)
    }

    /// Returns the devices, each with whether it is connected, which the plan knows, and with what is
    /// believed.
    fn states(&self, at_ms: u64) -> impl Iterator<Item = (u32, bool, Option<bool>)> {
        (0..).zip(0..self.plan.devices.len()).map(move |(number, device)| {
            let believed = self.believed.get(&self.fleet.client_id(number));
            let believed = believed.and_then(|verdict| verdict.status.online());
            (number, script::is_up(&self.plan, device, at_ms), believed)
        })
    }

    /// Compares what is believed in the middle with the truth.
    fn check(&mut self) -> Result<(), Failure> {
        let is_wrong = |(_, is_up, believed): &(u32, bool, Option<bool>)| *believed != Some(*is_up);
        let wrong = self.states(script::CHECK_MS).filter(is_wrong);
        let wrong: Vec<_> = wrong.map(|(number, ..)| self.fleet.client_id(number)).collect();
        self.was_right = wrong.is_empty();
        let at = Duration::from_millis(script::CHECK_MS);
        let line = screen::agreement(at, self.plan.devices.len(), &wrong);
        Ok(self.console.print_line(line)?)
    }

    fn finish(mut self) -> Result<Outcome, Failure> {
        self.is_ahead = false;
        self.show(true)?;
        for (number, is_up, believed) in self.states(self.plan.end_ms).collect::<Vec<_>>() {
            self.verification.state(number, is_up, believed);
        }
        let findings = self.verification.judge(clock::uptime());
        let is_verified = findings.is_verified() && findings.states.unknown == 0;
        let verified = Verified { findings, ..Verified::default() };
        let (style, columns) = (self.console.style(), self.console.columns());
        let report = screen::report(&verified, style, columns);
        self.console.print(&format!("\n{report}\n{}", screen::NEXT))?;
        Ok(if is_verified && self.was_right { Outcome::Yes } else { Outcome::No })
    }
}
