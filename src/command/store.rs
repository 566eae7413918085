//! `presence store`: what watchers have kept.

use super::input::{Asked, Input};
use super::members::{self, MemberObject};
use crate::cli::store::{
    Action, Compact, Export, ForgetQueues, ForgetSession, Import, Info, Where,
};
use crate::clock;
use crate::config;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::sanitize::sanitize;
use crate::output::table::{Cell, Table};
use crate::output::time::rfc3339;
use crate::output::warning::Warning;
use crate::secret::SecretPlace;
use crate::source::mqtt::{Options, forget_session};
use crate::source::recording::line::RestartLine;
use crate::source::recording::{Line, SourceLine, known::KnownClient};
use crate::state::coverage::{Member, SourceKey};
use crate::state::packed::Client;
use crate::state::policy::Policy;
use crate::store::identity::Purpose;
use crate::store::{
    self, Access, Account, Author, Batch, Identity, Place, Server, Size, Sqlite, Store, place,
};
use serde::Serialize;

use std::time::Duration;
use tokio::time::timeout;

/// Clients joined into the store by one commit.
const IMPORT_BATCH: usize = 1_000;
/// How long removing a session may take.
const FORGET_MAX: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The patience that is had with listeners that only a file tells of, in ms: whoever listened then does
/// not write into this store now, however short ago it was.
const NO_PATIENCE: i64 = -1;

pub fn run(action: &Action, console: &mut Console) -> Result<Outcome, Failure> {
    match action {
        Action::Info(options) => info(options, console),
        Action::Import(options) => import(options, console),
        Action::Export(options) => export(options, console),
        Action::Compact(options) => compact(options, console),
        Action::ForgetSession(options) => forget(options, console),
        Action::ForgetQueues(options) => forget_queues(options, console),
    }
}

/// Returns where the store lies, `None` where nothing is to be kept.
pub(super) fn place(options: &Where, console: &mut Console) -> Result<Option<Place>, Failure> {
    let usual = || place::default_path(|name| std::env::var_os(name));
    let Some(typed) = options.store.as_ref().map(SecretPlace::reveal) else {
        return Ok(Some(Place::File(usual()?)));
    };
    if typed == "memory" {
        return Ok(None);
    }
    if typed.is_empty() {
        return Err(
            Failure::misuse("`--store` names no file").next("leave it out for the usual place")
        );
    }
    match typed.to_str().filter(|text| Server::is_meant(text)) {
        None => Ok(Some(Place::File(typed.into()))),
        Some(text) => Ok(Some(Place::remote(server(options, text, console)?, &usual()?))),
    }
}

/// Returns how to reach the server at a URL.
fn server(options: &Where, url: &str, console: &mut Console) -> Result<Server, Failure> {
    let mut server = Server::read(url)?;
    if server.has_password() {
        console.warn(&Warning::StorePasswordInUrl { store: server.to_string() });
    }
    if let Some(path) = &options.store_password_file {
        server.set_password(config::connection::password_from(path)?);
    }
    server.set_authorities(options.store_cafile.clone());
    server.fill(|name| std::env::var(name).ok());
    if server.is_unverified() {
        console.warn(&Warning::StoreNotVerified { store: server.to_string() });
    }
    Ok(server)
}

/// Returns where a store is that is to be there.
fn kept(options: &Where, console: &mut Console) -> Result<Place, Failure> {
    place(options, console)?.ok_or_else(|| {
        Failure::misuse("`--store memory` keeps nothing").next("name the file of a store")
    })
}

fn existing(options: &Where, console: &mut Console) -> Result<Box<dyn Store>, Failure> {
    store::open(&kept(options, console)?, Access::Read, &Policy::DEFAULT)
}

#[derive(Serialize)]
struct StoreObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    clients: u64,
    last_heard_ms: Option<i64>,
    restarted_ms: Option<i64>,
    session: Option<&'a str>,
    listening: bool,
    /// Those who share the work, where some do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<MemberObject>,
}

fn info(options: &Info, console: &mut Console) -> Result<Outcome, Failure> {
    let mut store = existing(&options.store, console)?;
    let now = clock::now();
    let mut table = Table::new(&["broker", "clients", "last heard", "listening", "session"]);
    let place = kept(&options.store, console)?;
    let mut members = Vec::new();
    for instance in store.instances()? {
        let session = session_of(&place, &instance.name)?;
        let coverage = store.fleet_of(&instance.name, &[])?.coverage;
        let listening = coverage.sources().any(|(_, source)| source.listens(now));
        let sharing = members::of(&coverage, now);
        if options.json {
            console.json_line(&StoreObject {
                kind: "store",
                instance: &instance.name,
                clients: instance.clients,
                last_heard_ms: instance.last_heard.map(|heard| heard.0),
                restarted_ms: instance.restart.map(|restart| restart.time.0),
                session: session.as_deref(),
                listening,
                members: sharing,
            })?;
        } else {
            table.row([
                Cell::text(&instance.name),
                Cell::number(instance.clients),
                Cell::text(&instance.last_heard.map_or("–".to_owned(), rfc3339)),
                Cell::text(if listening { "yes" } else { "no" }),
                Cell::text(session.as_deref().unwrap_or("–")),
            ]);
            members.extend(sharing.into_iter().map(|member| (instance.name.clone(), member)));
        }
    }
    if !options.json {
        let size = store.size()?;
        if !table.is_empty() {
            console.print(&table.render(console.style(), console.columns()))?;
            console.print_line("")?;
        }
        if !members.is_empty() {
            let table = members::table(&members);
            console.print(&table.render(console.style(), console.columns()))?;
            console.print_line("")?;
        }
        console.print_line(format_args!(
            "{}: {}, {} KiB",
            sanitize(&store.place(), 200),
            sanitize(&store.engine()?, 100),
            (size.database_bytes + size.wal_bytes).div_ceil(1_024)
        ))?;
    }
    Ok(Outcome::Yes)
}

/// Returns the client id with which a watcher of its own connects: its store keeps it, or this machine.
fn session_of(place: &Place, instance: &str) -> Result<Option<String>, Failure> {
    if let Some(path) = place.keeps_client_id() {
        let kept = Sqlite::open(path, Access::Read, &Policy::DEFAULT)?.session(instance)?;
        return Ok(kept.map(|session| session.client_id));
    }
    let state = place::state_directory(|name| std::env::var_os(name))?;
    Ok(Identity::first(&state, &Purpose { place, instance, group: None }))
}

fn import(options: &Import, console: &mut Console) -> Result<Outcome, Failure> {
    let (terms, zone) = config::reading::terms(&options.reading)?;
    let forced = config::reading::forced(&options.reading, &terms);
    let place = kept(&options.store, console)?;
    let asked = Asked::of(&options.policy);
    let mut input = Input::new(terms, zone, asked, clock::now());
    input.forced = forced;
    input.columns = config::tables::columns(&options.tables)?;
    input.instance = options.instance.clone().unwrap_or_default();
    input.strict = options.strict;
    input.threads = config::reading::threads(&options.threads);
    input.read_files(&options.files, console)?;
    if input.brokers.contains_key("") {
        return Err(Failure::misuse("could not tell which broker the files are about")
            .because("a plain log does not say, and evidence about one broker answers for no other")
            .next("name it with `--instance`, for example `--instance broker.example:1883`"));
    }
    place.prepare()?;
    let mut store = store::open(&place, Access::Write, &asked.policy)?;
    let mut joined = 0;
    for (instance, broker) in &input.brokers {
        joined += join(store.as_mut(), instance, broker.presence.fleet())?;
    }
    store.close()?;
    if let Some(first) = input.tally.examples.first() {
        let (lines, first) = (input.tally.malformed(), first.clone());
        console.warn(&Warning::LinesSetAside { lines, first, unit: "line" });
    }
    let clients = crate::output::number::counted(joined, "client");
    console
        .print_line(format_args!("{clients} joined into {}", sanitize(&place.to_string(), 200)))?;
    Ok(input.conclude(console))
}

fn join(
    store: &mut dyn Store,
    instance: &str,
    fleet: &crate::state::fleet::Fleet,
) -> Result<u64, Failure> {
    let mut accounts: Vec<(&SourceKey, &str, Member)> = Vec::new();
    for (source, hearing) in fleet.coverage.sources() {
        for (member, account) in &hearing.members {
            let account = Member { patience_ms: NO_PATIENCE, ..account.clone() };
            accounts.push((source, member, account));
        }
    }
    let accounts = accounts.iter().map(|(source, member, account)| Account {
        source,
        member,
        account,
        author: Author::Another,
    });
    let first =
        Batch { restart: fleet.restart(), accounts: accounts.collect(), ..Batch::default() };
    store.commit(instance, &first)?;
    let clients: Vec<&Client> = fleet.clients.iter().collect();
    for chunk in clients.chunks(IMPORT_BATCH) {
        store.commit(instance, &Batch { clients: chunk.to_vec(), ..Batch::default() })?;
    }
    Ok(clients.len() as u64)
}

fn export(options: &Export, console: &mut Console) -> Result<Outcome, Failure> {
    let mut store = existing(&options.store, console)?;
    let mut found = false;
    for instance in store.instances()? {
        let name = instance.name.as_str();
        if options.instance.as_deref().is_some_and(|wanted| wanted != name) {
            continue;
        }
        found = true;
        let fleet = store.fleet_of(name, &[])?;
        if let Some(restart) = fleet.restart() {
            console.json_line(&Line::Restart(RestartLine::new(name, restart)))?;
        }
        for (key, source) in fleet.coverage.sources() {
            for (member, account) in &source.members {
                let line = SourceLine::new(name, key, member, account);
                console.json_line(&Line::Source(line))?;
            }
        }
        store.each_client(name, &mut |client| {
            console.json_line(&Line::Client(KnownClient::of(name, &client)))?;
            Ok(())
        })?;
    }
    match &options.instance {
        Some(wanted) if !found => {
            Err(Failure::new(format!("could not export `{}`", sanitize(wanted, 100)))
                .because("the store knows no broker of that name")
                .next("see the names with `presence store info`"))
        }
        _ => Ok(Outcome::Yes),
    }
}

fn compact(options: &Compact, console: &mut Console) -> Result<Outcome, Failure> {
    let place = kept(&options.store, console)?;
    // Not made where there is none: there would be nothing to compact.
    drop(store::open(&place, Access::Read, &Policy::DEFAULT)?);
    if let Place::Remote { server, .. } = &place
        && server.compacts_itself()
    {
        console
            .print_line(format_args!("{server}: nothing to do, Redis gives space back itself"))?;
        return Ok(Outcome::Yes);
    }
    let mut store = store::open(&place, Access::Write, &Policy::DEFAULT)?;
    let bytes = |size: Size| size.database_bytes + size.wal_bytes;
    let before = bytes(store.size()?);
    store.compact()?;
    let after = bytes(store.size()?);
    console.print_line(format_args!(
        "{}: {} KiB, {} KiB before",
        sanitize(&place.to_string(), 200),
        after.div_ceil(1_024),
        before.div_ceil(1_024)
    ))?;
    Ok(Outcome::Yes)
}

fn forget_queues(options: &ForgetQueues, console: &mut Console) -> Result<Outcome, Failure> {
    let place = kept(&options.store, console)?;
    // Not made where there is none: there would be nothing to forget.
    drop(store::open(&place, Access::Read, &Policy::DEFAULT)?);
    let mut store = store::open(&place, Access::Write, &Policy::DEFAULT)?;
    let (instance, now) = (&options.instance, clock::now());
    let coverage = store.fleet_of(instance, &[])?.coverage;
    let queues = members::queues(&coverage);
    for queue in &queues {
        members::check_unread(&coverage, queue, now)?;
    }
    let forgotten = store.forget_positions(instance)?;
    // Those that are still there are missed again by whoever watches next.
    for queue in queues {
        store.forget_member(instance, queue, now)?;
    }
    store.close()?;
    if forgotten == 0 {
        return Err(Failure::new(format!("no queue of `{}` was read", sanitize(instance, 200)))
            .because(format!("{place} knows of none"))
            .next("see what the sources are called with `presence store info`"));
    }
    let queues = crate::output::number::counted(forgotten as u64, "queue");
    let instance = sanitize(instance, 200);
    console.print_line(format_args!("it is forgotten how far {queues} of {instance} were read"))?;
    Ok(Outcome::Yes)
}

fn forget(options: &ForgetSession, console: &mut Console) -> Result<Outcome, Failure> {
    let connection = super::connection(&options.connection, KEEP_ALIVE, console)?;
    let place = kept(&options.store, console)?;
    let instance = connection.instance.clone();
    let now = clock::now();
    let mut store = store::open(&place, Access::Write, &Policy::DEFAULT)?;
    let known = session_of(&place, &instance)?;
    let asked = options.member.clone().or_else(|| connection.client_id.clone());
    let Some(client_id) = asked.or_else(|| known.clone()) else {
        console.print_line(format_args!("no session at {} is known", sanitize(&instance, 100)))?;
        return Ok(Outcome::Yes);
    };
    // A watcher that is at work would lose its session under its feet.
    let _lock = place.lock(&instance, &client_id)?;
    if options.member.is_some() {
        members::check_gone(&store.fleet_of(&instance, &[])?.coverage, &client_id, now)?;
    }
    let mut session = Options::new(connection.clone(), client_id.clone());
    session.clean = true;
    let forgotten = async { timeout(FORGET_MAX, forget_session(session)).await };
    match super::runtime()?.block_on(forgotten) {
        Ok(done) => done?,
        Err(_) => {
            return Err(Failure::new(format!(
                "could not remove the session at {}",
                connection.broker
            ))
            .because("the broker did not answer in time")
            .next("try again once it does"));
        }
    }
    if let (Some(path), Some(known)) = (place.keeps_client_id(), known)
        && (options.member.is_none() || known == client_id)
    {
        Sqlite::open(path, Access::Write, &Policy::DEFAULT)?.forget_session(&instance)?;
    }
    let (id, broker) = (sanitize(&client_id, 100), sanitize(&instance, 100));
    console.print_line(format_args!("the session `{id}` at {broker} is removed"))?;
    if options.member.is_some() {
        let voices = store.forget_member(&instance, &client_id, now)?;
        let voices = crate::output::number::counted(voices as u64, "voice");
        console.print_line(format_args!("its membership has ended, for {voices}"))?;
    }
    store.close()?;
    Ok(Outcome::Yes)
}
