//! `presence probe`: which evidence a broker gives to this account, seen on clients that come and go.

mod cleaning;
mod clients;
mod deeds;
mod hearing;
mod listening;
mod preflight;

use super::stop;
use crate::cli::connection::MqttVersion;
use crate::cli::probe::Probe;
use crate::config::auth::{Aliyun, Auth, has_group, no_group};
use crate::config::connection::Connection;
use crate::config::described;
use crate::config::reading::{named, usual, without_topic};
use crate::dialect::status::Status;
use crate::dialect::terms::Terms;
use crate::dialect::topic::Template;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::number::counted;
use crate::output::probe::{ProbeKind, ProbeObject, preflight as table, report};
use crate::output::warning::Warning;
use crate::probe::findings::Findings;
use crate::probe::judge::judge;
use crate::probe::step::Step;
use crate::source::mqtt::trouble::Trouble;
use cleaning::{Left, clean};
use clients::Clients;
use deeds::Bench;
use hearing::Hearing;
use listening::{Ready, prepare};
use preflight::Way;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;

pub fn run(options: &Probe, console: &mut Console) -> Result<Outcome, Failure> {
    let connection = super::connection(&options.connection, SILENT_KEEP_ALIVE, console)?;
    check(options, &connection)?;
    let mut terms = Terms {
        dialects: named(&options.dialect, &[]),
        status_topic: options.status_topic.clone(),
        ..usual()
    };
    described::join(&options.files, &mut terms)?;
    if let Some(name) = without_topic(&terms) {
        return Err(Failure::misuse(format!("`--dialect {name}` cannot be probed"))
            .because("it is no broker's habit to publish it over MQTT")
            .next(format!("leave it out; `presence dialects {name}` tells where it is heard")));
    }
    let misuse = |wrong| {
        Failure::misuse("could not use the options of the dialects")
            .because(wrong)
            .next("see the section `Dialects` of `presence probe --help`")
    };
    let dialects = terms.dialects(None).map_err(misuse)?;
    let has_status = terms.dialects.iter().any(|name| name == Status::NAME);
    let template = Template::parse(&terms.status_topic).map_err(misuse)?;
    let (prefix, template) = (&options.id_prefix, has_status.then_some(template));
    let clients = Clients::new(connection.clone(), prefix, template, options.timeout)?;
    let keep_alive = if options.no_silence { 0 } else { seconds(connection.keep_alive) };
    let run = Run { connection, keep_alive, status_topic: terms.status_topic };
    super::runtime()?.block_on(run.probe(clients, dialects, console))
}

fn check(options: &Probe, connection: &Connection) -> Result<(), Failure> {
    if connection.client_id.is_some() {
        return Err(Failure::misuse("`--client-id` cannot be used here")
            .because(
                "a probe takes over its own clients, so it uses none but ids of its own making",
            )
            .next("leave it out, in the environment and the profile too"));
    }
    if let Auth::Aliyun(aliyun) = &connection.auth {
        check_ids(&options.id_prefix, aliyun)?;
    }
    if connection.keep_alive.is_zero() && !options.no_silence {
        return Err(Failure::misuse("`--keepalive 0` would never be noticed")
            .because("without a keep alive no broker misses a client that falls silent")
            .next("pass a few seconds, or leave silence out with `--no-silence`"));
    }
    Ok(())
}

/// Checks that clients of ids that are made here can say who they are.
fn check_ids(prefix: &str, aliyun: &Aliyun) -> Result<(), Failure> {
    if !aliyun.is_shared() {
        return Err(Failure::misuse("`--auth aliyun-device` cannot be used here")
            .because("a probe makes ids of its own, and a device has a key for its own id alone")
            .next("pass `--auth aliyun-signature` or `--auth aliyun-token`"));
    }
    if has_group(&format!("{prefix}1")) {
        return Ok(());
    }
    Err(no_group().next("name a group that exists, as in `--id-prefix 'GID_ops@@@'`"))
}

/// One probe.
struct Run {
    connection: Connection,
    /// Of those who fall silent, in seconds; 0: nobody does.
    keep_alive: u16,
    status_topic: String,
}

impl Run {
    async fn probe(
        &self,
        clients: Clients,
        dialects: crate::dialect::Dialects,
        console: &mut Console,
    ) -> Result<Outcome, Failure> {
        let mut stop = pin!(stop::asked());
        let mut way = Way::default();
        let ready = tokio::select! {
            ready = prepare(&mut way, clients, dialects) => ready,
            () = &mut stop => return Ok(Outcome::Interrupted),
        };
        let Ready { hearing, mut bench } = match ready {
            Ok(ready) => ready,
            Err(failure) => {
                self.print_way(&way.steps, console)?;
                if console.is_json() {
                    self.print(&way.steps, None, &[], console)?;
                }
                return Err(failure);
            }
        };
        self.print_way(&way.steps, console)?;
        bench.keep_alive = self.keep_alive;
        bench.trial.status_topic.clone_from(&self.status_topic);
        let wait = bench.silence_max() + bench.settle * 8;
        console.say(format_args!("clients come and go, for up to {} s", wait.as_secs()));
        let (stopper, stopped) = watch::channel(false);
        let listener = tokio::spawn(hearing.run(stopped));
        let ran = tokio::select! {
            ran = bench.run() => Some(ran),
            () = &mut stop => None,
        };
        bench.drop_silent();
        stopper.send_replace(true);
        let (hearing, lost) =
            listener.await.map_err(|error| Failure::new("the listener failed").because(error))?;
        let (cleaned, was_interrupted) = cleaned(&mut bench, ran.is_none(), console).await;
        let left = cleaned.err();
        if let Some(Left { topics, cause }) = &left {
            console.warn(&Warning::LeftBehind {
                kind: "retained",
                count: topics.len() as u64,
                first: topics.first().cloned().unwrap_or_default(),
                cause: cause.clone(),
            });
        }
        if was_interrupted {
            return Ok(Outcome::Interrupted);
        }
        // What one of them met the other may not have: the first cause is that of the clients.
        if let Some(Err(trouble)) = ran {
            return Err(self.broken("a client of the probe could not go on", &trouble));
        }
        if let Some(trouble) = lost {
            return Err(self.broken("the listener lost its connection", &trouble));
        }
        let findings = found(hearing, bench).await;
        if console.is_json() {
            let left = left.map(|left| left.topics).unwrap_or_default();
            self.print(&way.steps, Some(&findings), &left, console)?;
        } else {
            let (style, columns) = (console.style(), console.columns());
            console.print(&report(&findings, style, columns))?;
        }
        Ok(Outcome::Yes)
    }

    fn broken(&self, what: &str, trouble: &Trouble) -> Failure {
        let what = format!("{what} at {}", self.connection.broker);
        Failure::new(what).because(trouble).next(trouble.next(&self.connection))
    }

    /// Shows people the way to the broker, before anything else takes its time.
    fn print_way(&self, steps: &[Step], console: &mut Console) -> Result<(), Failure> {
        if !console.is_json() {
            let text = table(steps, console.style(), console.columns());
            console.print(&format!("{}\n{text}\n", self.connection.broker))?;
            console.flush()?;
        }
        Ok(())
    }

    fn print(
        &self,
        steps: &[Step],
        findings: Option<&Findings>,
        left: &[String],
        console: &mut Console,
    ) -> Result<(), Failure> {
        console.json_line(&ProbeObject {
            kind: ProbeKind::Probe,
            instance: &self.connection.instance,
            mqtt_version: match self.connection.mqtt_version {
                MqttVersion::V311 => "3.1.1",
                MqttVersion::V5 => "5",
            },
            preflight: steps.iter().map(Into::into).collect(),
            findings,
            left,
        })?;
        // A run that fails after this prints nothing more.
        Ok(console.flush()?)
    }
}

/// Takes away what the clients left, whoever loses patience once; asked again, it ends. Returns whether
/// somebody did.
async fn cleaned(
    bench: &mut Bench,
    mut was_interrupted: bool,
    console: &mut Console,
) -> (Result<(), Left>, bool) {
    let topics = bench.clients.topics();
    let Bench { clients, route, settle, .. } = bench;
    if was_interrupted && !topics.is_empty() {
        let topics = counted(topics.len() as u64, "topic");
        console.say(format_args!("interrupted; clearing {topics}, Ctrl-C again leaves them"));
    }
    let mut cleaning = pin!(clean(clients, route, *settle));
    loop {
        tokio::select! {
            done = &mut cleaning => return (done, was_interrupted),
            () = stop::asked() => {
                if was_interrupted {
                    return (Err(Left { topics, cause: "it was interrupted".into() }), true);
                }
                was_interrupted = true;
            }
        }
    }
}

/// Joins what was done with what was heard of it.
async fn found(hearing: Hearing, bench: Bench) -> Findings {
    let Hearing { link, heard, .. } = hearing;
    link.leave().await;
    let mut trial = bench.trial;
    for topic in &mut trial.topics {
        let is_there =
            |dialect: &str, filter: &str| dialect == topic.dialect && filter == topic.filter;
        let ours = heard.reports.iter().filter(|one| is_there(one.dialect, &one.filter));
        let others = heard.others.iter().filter(|one| is_there(one.dialect, &one.filter));
        (topic.heard, topic.others) = (ours.count() as u64, others.map(|one| one.messages).sum());
    }
    trial.broker = heard.broker;
    trial.reports = heard.reports;
    trial.others = heard.others;
    trial.unread = heard.unread;
    judge(&trial)
}

fn seconds(duration: Duration) -> u16 {
    u16::try_from(duration.as_secs()).unwrap_or(u16::MAX)
}

/// Keep alive of those who fall silent, unless one is typed: three of them are waited for.
const SILENT_KEEP_ALIVE: Duration = Duration::from_secs(2);
