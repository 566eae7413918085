//! The lines to a Redis: one to a single server, one to each node of a Cluster.
//!
//! Whatever goes wrong with one of them, all are closed: answers that nobody waits for any more would
//! be taken for those of later calls. The next call connects again. Every call may be made twice.

use super::super::server::Host;
use super::address::Address;
use super::failing::Trouble;
use super::{layout, nodes, scripts};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, Connection, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo,
    RedisResult, ServerError, TlsCertificates, Value,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// How long a server may take for the next answer.
pub const PATIENCE: Duration = Duration::from_secs(5);
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Times a call may be sent on by nodes that do not have what it is about, or ask to come again.
const ROUNDS: u32 = 8;
/// Between two of these times: a slot on its way from one node to another.
const PAUSE: Duration = Duration::from_millis(50);

/// A command, and the slot of the keys that it names.
#[derive(Clone)]
pub struct Call {
    pub slot: u16,
    pub command: Cmd,
}

impl Call {
    pub fn new(key: &[u8], command: Cmd) -> Self {
        Self { slot: layout::slot(key), command }
    }
}

/// The way to the servers.
pub struct Link {
    address: Address,
    /// The hosts given and those that they told of, to begin with at a new start.
    known: Vec<Host>,
    /// With which of them to begin: one that answers may still be of no use.
    turn: usize,
    lines: Option<Lines>,
}

/// What is open at the moment.
struct Lines {
    facts: nodes::Facts,
    /// Who has which slots, sorted; of a single server all.
    owners: Vec<nodes::Owner>,
    open: BTreeMap<Host, Connection>,
}

/// What came of a call: an answer, or an error with who said so.
type Answer = Result<Value, (Host, ServerError)>;

impl Link {
    /// Connects, and asks whom it has found.
    pub fn open(address: Address) -> Result<Self, Trouble> {
        let known = address.hosts.clone();
        let mut link = Self { address, known, turn: 0, lines: None };
        link.lines()?;
        Ok(link)
    }

    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Returns what is known of the server, or of the node that was asked first.
    pub fn facts(&mut self) -> Result<nodes::Facts, Trouble> {
        Ok(self.lines()?.facts.clone())
    }

    /// Makes one call.
    pub fn one(&mut self, call: Call) -> Result<Value, Trouble> {
        Ok(self.all(&[call])?.pop().unwrap_or_default())
    }

    /// Makes all calls, at all nodes at once, and returns the answers in their order. After an error
    /// some may have been made.
    pub fn all(&mut self, calls: &[Call]) -> Result<Vec<Value>, Trouble> {
        self.patiently(|link| link.settle(calls))
    }

    /// Makes a call at every node that keeps something.
    pub fn everywhere(&mut self, command: &Cmd) -> Result<Vec<Value>, Trouble> {
        self.patiently(|link| {
            let lines = link.lines()?;
            let owners: BTreeSet<Host> =
                lines.owners.iter().map(|owner| owner.host.clone()).collect();
            let mut answers = Vec::new();
            for host in owners {
                let mut connection = link.take_line(&host)?;
                let answer = ask(&mut connection, &host, command)?;
                link.keep_line(host, connection);
                answers.push(answer);
            }
            Ok(answers)
        })
    }

    /// Tries a second time where the line was found dead that an earlier call left open.
    fn patiently<T>(
        &mut self,
        attempt: impl Fn(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let was_open = self.lines.is_some();
        let mut done = attempt(self);
        if let Err(trouble) = &done
            && was_open
            && trouble.is_dropped()
        {
            self.lines = None;
            done = attempt(self);
        }
        if done.as_ref().is_err_and(Trouble::is_of_server) {
            self.lines = None;
            self.turn += 1;
        }
        done
    }

    /// Sends calls on until each has come to whoever can answer it.
    fn settle(&mut self, calls: &[Call]) -> Result<Vec<Value>, Trouble> {
        let mut answers = vec![Value::Nil; calls.len()];
        let mut open: Vec<usize> = (0..calls.len()).collect();
        for _ in 0..ROUNDS {
            let mut again = Vec::new();
            let mut seeing = Seeing::default();
            for (at, answer) in self.exchange(calls, &open)? {
                match answer {
                    Ok(value) => answers[at] = value,
                    Err((host, error)) => match error.code() {
                        "ASK" => answers[at] = self.ask_elsewhere(&host, &error, &calls[at])?,
                        _ if seeing.can_help(&host, &error) => again.push(at),
                        _ => return Err(Trouble::refused(&host, &error)),
                    },
                }
            }
            if again.is_empty() {
                return Ok(answers);
            }
            self.see_to(seeing)?;
            open = again;
        }
        Err(Trouble::Wandering)
    }

    /// Sends the calls at these places, to every node its own, and then reads all answers.
    fn exchange(
        &mut self,
        calls: &[Call],
        places: &[usize],
    ) -> Result<Vec<(usize, Answer)>, Trouble> {
        let mut by_host: BTreeMap<Host, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
        let lines = self.lines()?;
        for at in places {
            let host = nodes::owner_of(&lines.owners, calls[*at].slot)
                .ok_or(Trouble::Unserved(calls[*at].slot))?;
            if !by_host.contains_key(host) {
                by_host.insert(host.clone(), (Vec::new(), Vec::new()));
            }
            let (places, bytes) = by_host.get_mut(host).expect("it was just made");
            places.push(*at);
            calls[*at].command.write_packed_command(bytes);
        }
        let mut waiting = Vec::with_capacity(by_host.len());
        for (host, (places, bytes)) in by_host {
            let mut connection = self.take_line(&host)?;
            on_line(&host, connection.send_packed_command(&bytes))?;
            waiting.push((host, places, connection));
        }
        let mut answers = Vec::with_capacity(places.len());
        for (host, places, mut connection) in waiting {
            for at in places {
                let answer = match on_line(&host, connection.recv_response())? {
                    Value::ServerError(error) => Err((host.clone(), error)),
                    value => Ok(value),
                };
                answers.push((at, answer));
            }
            self.keep_line(host, connection);
        }
        Ok(answers)
    }

    /// Makes a call at the node that a slot is on its way to.
    fn ask_elsewhere(
        &mut self,
        host: &Host,
        error: &ServerError,
        call: &Call,
    ) -> Result<Value, Trouble> {
        let target = nodes::target(host, error).ok_or(Trouble::Wandering)?;
        let mut connection = self.take_line(&target)?;
        ask(&mut connection, &target, &redis::cmd("ASKING"))?;
        let mut answer = ask(&mut connection, &target, &call.command);
        if matches!(&answer, Err(Trouble::Refused { code, .. }) if code == "NOSCRIPT") {
            for load in scripts::loading() {
                ask(&mut connection, &target, &load)?;
            }
            ask(&mut connection, &target, &redis::cmd("ASKING"))?;
            answer = ask(&mut connection, &target, &call.command);
        }
        self.keep_line(target, connection);
        answer
    }

    /// Does what servers asked for.
    fn see_to(&mut self, seeing: Seeing) -> Result<(), Trouble> {
        for host in seeing.without_scripts {
            let mut connection = self.take_line(&host)?;
            for load in scripts::loading() {
                ask(&mut connection, &host, &load)?;
            }
            self.keep_line(host, connection);
        }
        if seeing.pause {
            std::thread::sleep(PAUSE);
        }
        if let Some(host) = seeing.moved {
            let mut connection = self.take_line(&host)?;
            let owners = nodes::owners(&mut connection, &host)?;
            self.keep_line(host, connection);
            self.lines()?.owners = owners;
        }
        Ok(())
    }

    /// Takes the line to a host, a new one if there is none. Whoever fails with it drops it.
    fn take_line(&mut self, host: &Host) -> Result<Connection, Trouble> {
        match self.lines()?.open.remove(host) {
            Some(connection) => Ok(connection),
            None => dial(&self.address, host),
        }
    }

    fn keep_line(&mut self, host: Host, connection: Connection) {
        if let Some(lines) = &mut self.lines {
            lines.open.insert(host, connection);
        }
    }

    /// Returns what is open, and opens it if nothing is.
    fn lines(&mut self) -> Result<&mut Lines, Trouble> {
        if self.lines.is_none() {
            let lines = self.connect()?;
            for host in lines.owners.iter().map(|owner| &owner.host) {
                if !self.known.contains(host) {
                    self.known.push(host.clone());
                }
            }
            self.lines = Some(lines);
        }
        Ok(self.lines.as_mut().expect("it was just opened"))
    }

    fn connect(&mut self) -> Result<Lines, Trouble> {
        let mut first = None;
        for _ in 0..self.known.len() {
            let host = self.known[self.turn % self.known.len()].clone();
            match meet(&self.address, &host) {
                Ok(lines) => return Ok(lines),
                Err(trouble) => first = first.or(Some(trouble)),
            }
            self.turn += 1;
        }
        Err(first.expect("an address has a host"))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What servers asked for before they can answer.
#[derive(Default)]
struct Seeing {
    without_scripts: BTreeSet<Host>,
    /// Who said that a slot has moved.
    moved: Option<Host>,
    pause: bool,
}

impl Seeing {
    /// Notes what would help, and returns whether something would.
    fn can_help(&mut self, host: &Host, error: &ServerError) -> bool {
        match error.code() {
            "NOSCRIPT" => {
                self.without_scripts.insert(host.clone());
            }
            "MOVED" => {
                self.pause |= self.moved.is_some();
                self.moved = Some(nodes::target(host, error).unwrap_or_else(|| host.clone()));
            }
            "TRYAGAIN" => self.pause = true,
            _ => return false,
        }
        true
    }
}

/// Connects to a host and finds out who has what.
fn meet(address: &Address, host: &Host) -> Result<Lines, Trouble> {
    let mut connection = dial(address, host)?;
    let info = ask(&mut connection, host, &redis::cmd("INFO"))?;
    let facts = nodes::Facts::read(&info, host)?;
    let owners = if facts.is_cluster {
        nodes::owners(&mut connection, host)?
    } else {
        vec![nodes::Owner { first: 0, last: layout::SLOTS - 1, host: host.clone() }]
    };
    nodes::refuse_unfit(&facts, address, host)?;
    Ok(Lines { facts, owners, open: BTreeMap::from([(host.clone(), connection)]) })
}

fn dial(address: &Address, host: &Host) -> Result<Connection, Trouble> {
    on_line(host, try_dial(address, host))
}

fn try_dial(address: &Address, host: &Host) -> RedisResult<Connection> {
    let (name, port) = (host.name.clone(), host.port);
    let mut who = RedisConnectionInfo::default().set_db(address.database);
    if let Some(username) = &address.username {
        who = who.set_username(username);
    }
    if let Some(password) = &address.password {
        who = who.set_password(password.reveal());
    }
    let server = if address.tls {
        ConnectionAddr::TcpTls { host: name, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(name, port)
    };
    let info = server
        .into_connection_info()?
        .set_redis_settings(who)
        .set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let client = if address.tls {
        // Fails only where one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let root_cert = address.cafile.as_ref().map(std::fs::read).transpose()?;
        Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert })?
    } else {
        Client::open(info)?
    };
    let connection = client.get_connection_with_timeout(CONNECT_MAX)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    Ok(connection)
}

/// Makes one call on one line.
pub fn ask(connection: &mut Connection, host: &Host, command: &Cmd) -> Result<Value, Trouble> {
    on_line(host, connection.send_packed_command(&command.get_packed_command()))?;
    match on_line(host, connection.recv_response())? {
        Value::ServerError(error) => Err(Trouble::refused(host, &error)),
        value => Ok(value),
    }
}

fn on_line<T>(host: &Host, result: RedisResult<T>) -> Result<T, Trouble> {
    result.map_err(|error| Trouble::Line { host: host.clone(), error })
}
