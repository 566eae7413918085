//! Simulated devices at a broker: what it sees of their lives and deaths, and what is left of them.

#[path = "driver/cleaned.rs"]
mod cleaned;
#[path = "driver/conduct.rs"]
mod conduct;
#[path = "driver/deaths.rs"]
mod deaths;
#[path = "driver/failing.rs"]
mod failing;
#[path = "driver/mosquitto.rs"]
mod mosquitto;
#[path = "driver/secure.rs"]
mod secure;
#[path = "driver/server.rs"]
mod server;
mod support;

use presence::cli::connection::Connection as Typed;
use presence::config::connection::{Connection, Surroundings, single};
use presence::failure::Failure;
use presence::simulate::deed::{Deed, What};
use presence::simulate::driver::{self, Ended, Stop};
use presence::simulate::fleet::{Conduct, Credentials, Fleet, Message, Names, Will};
use presence::simulate::plan::{Death, Life, Plan};
use presence::simulate::template::Template;
use presence::wire::Qos;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    connection: Typed,
}

fn connection(url: &str, flags: &str) -> Connection {
    let line = ["presence", "-b", url].into_iter().chain(flags.split_whitespace());
    let typed = <Cli as clap::Parser>::parse_from(line).connection;
    let mut stdin = "".as_bytes();
    let mut surroundings = Surroundings::with_stdin(&mut stdin);
    let (connection, _) = single(&typed, Duration::from_secs(1), &mut surroundings)
        .unwrap_or_else(|failure| panic!("{failure}"));
    connection
}

fn template(text: &str) -> Template {
    Template::read(text).expect("the test's own")
}

fn message(payload: &str, qos: Qos) -> Message {
    Message {
        topic: template("devices/{client}/status"),
        payload: template(payload),
        qos,
        retain: true,
    }
}

/// A fleet as `presence simulate` makes it by default.
fn fleet(url: &str, flags: &str) -> Fleet {
    let connection = connection(url, flags);
    let keep_alive = u16::try_from(connection.keep_alive.as_secs()).expect("MQTT has 16 bits");
    Fleet {
        connection,
        run: "3fa9".into(),
        client_id: Names::Template(template("sim-{run}-{n}")),
        credentials: Credentials::Anonymous,
        conduct: Conduct {
            keep_alive,
            will: Some(Will { message: message("offline", Qos::AtLeastOnce), delay: 0 }),
            birth: Some(message("online", Qos::AtLeastOnce)),
            session_expiry: 600,
            ..Conduct::default()
        },
        groups: Vec::new(),
        in_flight: 64,
        connect_timeout: Duration::from_secs(10),
        local_addresses: Vec::new(),
    }
}

fn life(begin_ms: u64, end_ms: u64, death: Death) -> Life {
    Life { begin_ms, end_ms, death }
}

/// A run in the background.
struct Run {
    stop: watch::Sender<Stop>,
    deeds: mpsc::UnboundedReceiver<Deed>,
    task: tokio::task::JoinHandle<Result<Ended, Failure>>,
    fleet: Arc<Fleet>,
}

impl Run {
    fn start(fleet: Fleet, devices: Vec<Vec<Life>>) -> Self {
        let end_ms = devices.iter().flatten().map(|life| life.end_ms).max().unwrap_or(0);
        Self::start_until(fleet, devices, end_ms)
    }

    fn start_until(fleet: Fleet, devices: Vec<Vec<Life>>, end_ms: u64) -> Self {
        Self::start_asked(Stop::Run, fleet, devices, end_ms)
    }

    fn start_asked(what: Stop, fleet: Fleet, devices: Vec<Vec<Life>>, end_ms: u64) -> Self {
        let fleet = Arc::new(fleet);
        let plan = Arc::new(Plan { devices: devices.into(), end_ms });
        let (stop, asked) = watch::channel(what);
        let (sender, deeds) = mpsc::unbounded_channel();
        let task = tokio::spawn(driver::run(Arc::clone(&fleet), plan, asked, sender));
        Self { stop, deeds, task, fleet }
    }

    async fn deed(&mut self) -> Deed {
        bounded(self.deeds.recv()).await.expect("the run goes on")
    }

    /// Waits for the next deed of this kind, and hands it out.
    async fn until(&mut self, is_it: impl Fn(&What) -> bool) -> Deed {
        loop {
            let deed = self.deed().await;
            if is_it(&deed.what) {
                return deed;
            }
        }
    }

    /// Has everybody say goodbye, and waits for the end as [`end`](Self::end) does.
    async fn stop(self) -> (Result<Ended, Failure>, Vec<Deed>) {
        self.stop.send(Stop::Goodbye).expect("the run listens");
        self.end().await
    }

    /// Waits for the end, and returns it with all deeds that were not handed out.
    async fn end(mut self) -> (Result<Ended, Failure>, Vec<Deed>) {
        let ended = bounded(self.task).await.expect("a run does not panic");
        let mut deeds = Vec::new();
        while let Ok(deed) = self.deeds.try_recv() {
            deeds.push(deed);
        }
        (ended, deeds)
    }
}

/// The limit only ends a test that hangs.
async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), work).await.expect("the test hangs")
}

/// Returns what was done to one device, without when and where.
fn whats(deeds: &[Deed], device: u32) -> Vec<String> {
    let of_device = deeds.iter().filter(|deed| deed.device == device);
    of_device
        .map(|deed| match &deed.what {
            What::Connected { session_present, .. } => {
                format!("{} connected {session_present}", deed.life)
            }
            What::Died(death) => format!("{} {death:?}", deed.life),
            What::GaveUp => format!("{} gave up", deed.life),
            What::Noticed => format!("{} noticed", deed.life),
            What::Stopped => format!("{} stopped", deed.life),
            What::Lost { reason } => format!("{} lost: {reason}", deed.life),
            What::Failed { reason, is_refusal: true } => format!("{} refused: {reason}", deed.life),
            What::Failed { reason, .. } => format!("{} failed: {reason}", deed.life),
            What::Refused { reason } => format!("{} objected: {reason}", deed.life),
        })
        .collect()
}
