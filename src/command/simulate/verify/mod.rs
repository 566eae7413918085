//! `--verify`: what the broker says of the devices, held against what was done to them.

mod evidence;
mod lag;
mod probe;
mod setup;
pub mod witness;

use super::agenda::Outline;
use super::compare::{self, Told};
use super::life::Ear;
use crate::cli::simulate::Simulate;
use crate::cli::verify::Verify;
use crate::clock;
use crate::command::watcher::End;
use crate::config::broker::MqttVersion;
use crate::config::probed;
use crate::dialect::terms::Terms as DialectTerms;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::object::Summary;
use crate::output::time::duration;
use crate::output::verification::{Context, Shards, Verified, typed};
use crate::simulate::cleaning::Cleaned;
use crate::simulate::fleet::Fleet;
use crate::simulate::plan::Plan;
use crate::simulate::verify::findings::Findings;
use crate::simulate::verify::window::{Expectation, Window};
use crate::simulate::verify::{Promises, Terms, Verification};
use evidence::Evidence;
use lag::{Lag, watch_lag};
use probe::Probed;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use witness::Witness;

/// What has to be right before anybody is bothered.
pub struct Wish {
    expectation: Option<Expectation>,
    /// Where a probe has left what it found.
    probe: Option<PathBuf>,
    pub told: Told,
}

impl Wish {
    /// Checks what was asked for; `None` if it is not to be verified.
    ///
    /// Errors: a window that is none, a page that cannot be written, a report of an earlier run that cannot
    /// be read, and what is of use only where there is a verification.
    pub fn new(options: &Verify) -> Result<Option<Self>, Failure> {
        if !options.verify {
            return unused(options).map_or(Ok(None), |flag| {
                Err(Failure::misuse(format!("`{flag}` without `--verify`"))
                    .because("without a verification there is nothing to tell")
                    .next(format!("add `--verify`, or leave `{flag}` out")))
            });
        }
        let parse = |typed: &String| {
            Expectation::parse(typed).map_err(|cause| {
                Failure::misuse(format!("`--expect-window {typed}` cannot be used as given"))
                    .because(cause)
                    .next("pass the name of a broker, or a range such as `--expect-window 7s..13s`")
            })
        };
        Ok(Some(Self {
            expectation: options.expect_window.as_ref().map(parse).transpose()?,
            probe: options.probe.clone(),
            told: compare::prepare(&options.telling)?,
        }))
    }
}

/// Returns what was typed for a verification that was not.
fn unused(options: &Verify) -> Option<&'static str> {
    let flags = [
        (options.telling.report.is_some(), "--report"),
        (options.telling.compare.is_some(), "--compare"),
        (options.expect_window.is_some(), "--expect-window"),
        (options.probe.is_some(), "--probe"),
        (options.verify_username.is_some(), "--verify-username"),
    ];
    flags.into_iter().find(|(is_given, _)| *is_given).map(|(_, flag)| flag)
}

/// A verification that has begun: the broker is listened to, and it is known who speaks.
pub struct Begun {
    pub witness: Witness,
    /// What the probe left behind and what of it was removed.
    pub cleaned: Cleaned,
    lag: Arc<Lag>,
    meter: JoinHandle<()>,
    expectation: Expectation,
    broker: Option<String>,
}

impl Begun {
    /// Listens, and finds out who speaks. Nobody of the fleet has connected yet. `None` if the run was
    /// interrupted meanwhile.
    ///
    /// Errors: evidence that is refused, or that there is none (exit 4).
    pub async fn begin(
        options: &Simulate,
        wish: &Wish,
        fleet: &Fleet,
        plan: &Plan,
        ear: &mut Ear,
        console: &mut Console,
    ) -> Result<Option<Self>, Failure> {
        let instance = &fleet.connection.instance;
        let found = wish.probe.as_ref().map(|path| probed::read(path, instance)).transpose()?;
        let setup = setup::setup(&options.verify, fleet, found.as_ref(), options.load.timeout)?;
        let named = setup.terms.dialects.iter();
        let listened = named.filter_map(|name| DialectTerms::known(name)).collect();
        let listener = setup::listener(&options.verify, fleet)?;
        let mut evidence = Evidence::begin(listener, setup, console).await?;
        let Probed { voices, refused, broker, cleaned } =
            let_probe(fleet, &mut evidence, options.load.timeout, ear, console).await?;
        if ear.was_heard() {
            evidence.end().await?;
            return Ok(None);
        }
        let instance = fleet.connection.broker.to_string();
        if let Some(reason) = refused {
            evidence.end().await?;
            return Err(Failure::new(format!("{instance} did not let the probe in"))
                .because(reason)
                .next("check user and password, and which client ids the broker lets in"));
        }
        if voices.is_empty() {
            evidence.end().await?;
            return Err(nothing_heard(&instance));
        }
        let host = fleet.connection.broker.host_name();
        let keep_alive = fleet.conduct.keep_alive;
        let seen = found.and_then(|found| found.silence?.window(keep_alive));
        let seen = seen.map(|(earliest, latest)| Expectation::Fixed(Window { earliest, latest }));
        let expectation = wish
            .expectation
            .or(seen)
            .unwrap_or_else(|| Expectation::of_broker(broker.as_deref(), &host));
        console.say(format!(
            "listening to {}, which {}; a silence is to be noticed as by `{}`{}",
            voices.join(" and "),
            if voices.len() == 1 { "speaks" } else { "speak" },
            expectation.name(),
            // That much longer the run may take than its plan.
            expectation.window(keep_alive).map_or_else(String::new, |window| {
                format!(", {} after the last packet at the latest", duration(window.latest))
            }),
        ));
        let devices = (0..).zip(&plan.devices).filter(|(_, lives)| !lives.is_empty());
        let terms = Terms {
            expectation,
            voices: listened,
            speaking: voices,
            promises: Promises::of(fleet),
            begun: clock::uptime(),
        };
        let devices = devices.map(|(number, _)| (number, fleet.client_id(number)));
        let mut verification = Verification::new(terms, devices);
        verification.plan(plan);
        let lag = Arc::new(Lag::default());
        Ok(Some(Self {
            witness: Witness::new(evidence, verification, plan),
            cleaned,
            meter: tokio::spawn(watch_lag(Arc::clone(&lag))),
            lag,
            expectation,
            broker,
        }))
    }

    /// Ends listening, and returns what there is to report.
    pub async fn end(self, findings: Findings, run: &Run<'_>, console: &mut Console) -> Verified {
        self.meter.abort();
        let begun_ms = self.witness.begun().map_or_else(clock::now, |begun| {
            let ago = clock::uptime().saturating_sub(begun).as_millis();
            clock::now().plus(-i64::try_from(ago).unwrap_or(0))
        });
        let (timeline, evidence_lag, ended) = self.witness.end().await;
        let lags = [&*self.lag, &*evidence_lag];
        let mut distrust = distrust(&lags, run.options.verify.lag_max);
        let heard = match ended {
            Ok(End { counts, tally }) => {
                let mut summary = Summary::default();
                summary.count(&counts);
                tally.report(&mut summary);
                summary
            }
            Err(failure) => {
                console.failure(&failure);
                distrust.push("listening ended before the run did".into());
                Summary::default()
            }
        };
        let context = Context {
            broker: self.broker,
            expectation: self.expectation.name().into_owned(),
            begun_ms: begun_ms.0,
            distrust,
            ..run.context()
        };
        Verified { context, heard, findings, timeline }
    }
}

/// What a report says about a run.
pub struct Run<'a> {
    pub options: &'a Simulate,
    pub outline: &'a Outline,
    pub fleet: &'a Fleet,
    pub interrupted: bool,
    pub broker_died: bool,
}

impl Run<'_> {
    fn context(&self) -> Context {
        let connection = &self.fleet.connection;
        let words: Vec<_> =
            std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        Context {
            instance: connection.instance.clone(),
            run: self.fleet.run.clone(),
            seed: self.outline.seed,
            scenario: self.outline.scenario.clone(),
            options: typed(words.iter().map(String::as_str)),
            duration_ms: self.outline.duration_ms,
            devices: self.outline.devices.into(),
            shards: self.outline.shard.map(|(index, of)| Shards { of, present: vec![index + 1] }),
            keep_alive: self.fleet.conduct.keep_alive,
            mqtt: match connection.mqtt_version {
                MqttVersion::V311 => "3.1.1".into(),
                MqttVersion::V5 => "5".into(),
            },
            presence: env!("CARGO_PKG_VERSION").into(),
            interrupted: self.interrupted,
            broker_died: self.broker_died,
            ..Context::default()
        }
    }
}

/// Lets the probe come and go, with an ear for Ctrl-C.
async fn let_probe(
    fleet: &Fleet,
    evidence: &mut Evidence,
    patience: Duration,
    ear: &mut Ear,
    console: &mut Console,
) -> Result<Probed, Failure> {
    let stopped = ear.stop.subscribe();
    let mut probing = std::pin::pin!(probe::probe(fleet, evidence, stopped, patience));
    let (probed, warnings) = loop {
        tokio::select! {
            probed = &mut probing => break probed?,
            () = ear.asked() => ear.hear(console),
        }
    };
    for warning in &warnings {
        console.warn(warning);
    }
    Ok(probed)
}

fn nothing_heard(instance: &str) -> Failure {
    Failure::new(format!("nothing tells who is connected to {instance}"))
        .because("a client came and went, and nothing that is listened to spoke of it")
        .next(
            "let the broker tell: `log_dest topic` in Mosquitto's configuration, for example; or give \
             the devices a will and a birth, and an account that may hear them",
        )
}

/// Returns why times are not to be trusted.
fn distrust(lags: &[&Lag], lag_max: Duration) -> Vec<String> {
    let late = lags.iter().map(|lag| lag.late()).max().unwrap_or_default();
    let step = lags.iter().map(|lag| lag.step()).max().unwrap_or_default();
    let mut reasons = Vec::new();
    if late > lag_max {
        reasons.push(format!("this process was held up for {}", duration(late)));
    }
    if step > lag_max {
        reasons.push(format!("the clock of this machine stepped by {}", duration(step)));
    }
    reasons
}
