//! `presence broker`: something to watch, without anything else to install.

use super::stop;
use crate::cli::broker::Broker as Typed;
use crate::config;
use crate::config::access_key::Secrets;
use crate::config::listen::{self, Address};
use crate::embedded::core::faults::Faults;
use crate::embedded::core::limits::Limits;
use crate::embedded::core::notices::NoticeTopic;
use crate::embedded::core::totals::Totals;
use crate::embedded::{Broker, Options};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::number::{counted, grouped};
use crate::output::warning::Warning;
use crate::publish::rocketmq::{Carried, Carrier};
use crate::sys;
use crate::wire::Reason;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tokio::sync::mpsc;

/// Copies of notices that may wait to be sent.
const COPIES_MAX: usize = 100_000;

pub fn run(typed: &Typed, console: &mut Console) -> Result<Outcome, Failure> {
    let mut options = options(typed)?;
    for effect in options.faults.words() {
        console.warn(&Warning::Fault { effect });
    }
    let runtime = super::one_thread()?;
    let target = typed
        .rocketmq
        .as_ref()
        .map(|url| config::rocketmq::target(url, &typed.access_key, &Secrets::of_process()));
    let target = target.transpose()?;
    let carrier = match &target {
        Some(topic) => {
            let (copies, notices) = mpsc::channel(COPIES_MAX);
            options.copies = Some(copies);
            let carrier = runtime.block_on(Carrier::find(topic.clone()))?;
            Some(runtime.spawn(carrier.carry(notices)))
        }
        None => None,
    };
    let broker = Broker::bind(options)?;
    let totals = runtime.block_on(serve(broker, console))?;
    for line in summary(&totals) {
        console.say(line);
    }
    if let (Some(carrier), Some(topic)) = (carrier, target) {
        let Carried { taken, stored } = runtime.block_on(carrier).unwrap_or_default();
        let notices = counted(stored, "notice");
        console.say(format_args!("{notices} of {} stored in {topic}", grouped(taken)));
    }
    Ok(Outcome::Yes)
}

async fn serve(broker: Broker, console: &mut Console) -> Result<Totals, Failure> {
    let mut stop = pin!(stop::asked());
    // Whoever reads that it listens may end it at once, so it must be ready for that before.
    poll_fn(|cx| Poll::Ready(stop.as_mut().poll(cx).is_ready())).await;
    for address in broker.addresses() {
        console.print_line(format_args!(
            "listening on mqtt://{address} (MQTT over TCP and WebSocket)"
        ))?;
    }
    console.flush()?;
    console.say("a test stand and a teaching aid, not a product: nothing is kept when it ends");
    if let Some(first) = broker.addresses().first() {
        console.say(format_args!("in another terminal: presence watch -b mqtt://{first}"));
    }
    let mut dropped = |totals: &Totals| {
        for (count, what) in totals.dropped.reasons() {
            console.debug(format_args!("dropped so far: {} {what}", grouped(count)));
        }
    };
    broker.run(stop, &mut dropped).await
}

fn options(typed: &Typed) -> Result<Options, Failure> {
    let listen: Result<Vec<Address>, Failure> =
        typed.listen.iter().map(|typed| Address::read(typed)).collect();
    let logins = typed.password_file.as_deref().map(listen::logins).transpose()?;
    let notice_topic = NoticeTopic::read(&typed.notice_topic).map_err(|cause| {
        Failure::misuse("`--notice-topic` cannot be used as given")
            .because(cause)
            .next("pass a topic, as in `--notice-topic 'notices/{client}'`")
    })?;
    let mut faults = Faults { seed: typed.fault_seed, ..Faults::default() };
    for fault in &typed.fault {
        faults.add(fault).map_err(|cause| {
            Failure::misuse(format!("`--fault {}` is no fault", fault.escape_debug()))
                .because(cause)
                .next("correct it, or leave it out")
        })?;
    }
    let mut limits = Limits::for_files(sys::raise_file_limit(u64::MAX).soft);
    if let Some(connections) = typed.connections_max {
        limits.connections = usize::try_from(connections).unwrap_or(usize::MAX);
    }
    Ok(Options { listen: listen?, logins, notice_topic, limits, faults, copies: None })
}

/// What has happened, in a few lines.
fn summary(totals: &Totals) -> Vec<String> {
    let mut lines = vec![format!(
        "{} from {}, {} taken over; {} received, {} sent, {}",
        counted(totals.clients, "client"),
        counted(totals.connections, "connection"),
        grouped(totals.taken_over),
        counted(totals.received, "message"),
        grouped(totals.sent),
        counted(totals.notices, "notice"),
    )];
    for (code, count) in &totals.refused {
        let word = refusal(Reason(*code));
        lines.push(format!("refused: {} ({word}, 0x{code:02X})", counted(*count, "client")));
    }
    for (count, what) in totals.dropped.reasons() {
        lines.push(format!("dropped: {} {what}", grouped(count)));
    }
    lines
}

const fn refusal(reason: Reason) -> &'static str {
    match reason {
        Reason::UNSUPPORTED_VERSION => "another version of MQTT",
        Reason::CLIENT_ID_NOT_VALID => "a client id that cannot be used",
        Reason::BAD_USER_OR_PASSWORD => "wrong user or password",
        Reason::NOT_AUTHORIZED => "not authorized",
        Reason::SERVER_BUSY => "no room",
        Reason::BAD_AUTHENTICATION_METHOD => "an unknown way to authenticate",
        Reason::TOPIC_NAME_INVALID => "a will without a topic",
        _ => "something else",
    }
}
