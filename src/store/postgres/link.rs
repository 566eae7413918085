//! The line to a PostgreSQL. A thread of its own carries it, so that whoever calls may stand in any
//! runtime or in none; the caller waits for answers, and gives up when nothing comes.
//!
//! Whatever goes wrong with a line, it is closed, and the next call opens another. Every call may be made
//! twice.

use super::super::server::Host;
use super::address::{Address, is_socket};
use super::failing::{READ_ONLY, Trouble};
use super::tls::{self, Maker};
use crate::clock;
use crate::failure::Failure;
use crate::store::Access;
use rustls::ClientConfig;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, RowStream, Socket, Statement};

/// How long a server may take for the next piece of an answer.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// … where it has to go through everything first.
pub const PATIENCE_ALL: Duration = Duration::from_mins(2);
/// … where it works on its files.
pub const PATIENCE_FILES: Duration = Duration::from_hours(24);
const CONNECT_MAX: Duration = Duration::from_secs(3);
const GOODBYE_MAX: Duration = Duration::from_millis(200);
/// The oldest version that is known to do: since then transactions have numbers that never come again.
const VERSION_MIN: i32 = 130_000;
/// What holds for every line. A writer that waits for a lock is told before it gives up by itself; one that
/// hangs in the middle of a commit does not keep the others for long.
const SETTINGS: &str = "SET lock_timeout = '4s'; SET idle_in_transaction_session_timeout = '10s'";
const GREETING: &str = "SELECT current_setting('server_version'),
    current_setting('server_version_num')::int4, current_setting('server_encoding'),
    current_setting('transaction_read_only')";

pub type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The way to the servers.
pub struct Link {
    address: Address,
    tls: Option<Arc<ClientConfig>>,
    access: Access,
    /// With which of the hosts to begin.
    turn: usize,
    line: Option<Line>,
    /// Lines opened so far.
    opened: u64,
}

/// One line that is open.
pub struct Line {
    client: Client,
    host: Host,
    version: String,
    /// Another one has another number: what was learnt of transactions on it does not hold on the next, which
    /// may lead to a server that has lost some of them.
    pub number: u64,
    prepared: RefCell<BTreeMap<&'static str, Statement>>,
    ended: Ended,
    /// Ends the thread, after the client: dropping that is what says goodbye.
    _carrier: oneshot::Sender<()>,
}

/// Why a line ended.
type Ended = Arc<Mutex<Option<Error>>>;

impl Link {
    /// Connects.
    pub fn open(address: Address, access: Access) -> Result<Self, Failure> {
        address.check()?;
        let tls = tls::config(&address)?;
        let mut link = Self { address, tls, access, turn: 0, line: None, opened: 0 };
        match link.line() {
            Ok(_) => Ok(link),
            Err(trouble) => Err(trouble.failure("open", &link.address)),
        }
    }

    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Does something on the line, a second time where the line was found dead that an earlier call left
    /// open. `patience` is had with each piece of an answer.
    pub fn run<T>(
        &mut self,
        patience: Duration,
        mut work: impl AsyncFnMut(&Line) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let was_open = self.line.is_some();
        let mut done = self.attempt(patience, &mut work);
        if was_open && done.as_ref().is_err_and(Trouble::is_dropped) {
            self.line = None;
            done = self.attempt(patience, &mut work);
        }
        if done.as_ref().is_err_and(Trouble::is_of_server) {
            self.line = None;
            self.turn += 1;
        }
        done
    }

    fn attempt<T>(
        &mut self,
        patience: Duration,
        work: &mut impl AsyncFnMut(&Line) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let line = self.line()?;
        wait_for(patience, work(line)).unwrap_or_else(|| Err(line.is_silent(patience)))
    }

    fn line(&mut self) -> Result<&Line, Trouble> {
        if self.line.is_none() {
            self.line = Some(self.connect()?);
        }
        Ok(self.line.as_ref().expect("it was just opened"))
    }

    fn connect(&mut self) -> Result<Line, Trouble> {
        let mut first = None;
        let hosts = self.address.hosts.clone();
        for _ in 0..hosts.len() {
            let host = &hosts[self.turn % hosts.len()];
            match self.meet(host) {
                Ok(line) => return Ok(line),
                Err(trouble) => first = first.or(Some(trouble)),
            }
            self.turn += 1;
        }
        Err(first.expect("an address has a host"))
    }

    /// Connects to a host, and sees whether it will do.
    fn meet(&mut self, host: &Host) -> Result<Line, Trouble> {
        let (client, ended, carrier) = dial(config(&self.address, host), self.tls.clone(), host)?;
        self.opened += 1;
        let mut line = Line {
            client,
            host: host.clone(),
            version: String::new(),
            number: self.opened,
            prepared: RefCell::default(),
            ended,
            _carrier: carrier,
        };
        let version = wait_for(PATIENCE, greet(&line, self.access))
            .unwrap_or_else(|| Err(line.is_silent(PATIENCE)))?;
        line.version = version;
        Ok(line)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Line {
    /// Returns the version of the server, as it tells it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the rows of an answer.
    pub async fn rows(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, Trouble> {
        let statement = self.prepared(sql).await?;
        self.client.query(&statement, values).await.map_err(|error| self.said(error))
    }

    /// Returns how many rows were changed.
    pub async fn execute(&self, sql: &'static str, values: Values<'_>) -> Result<u64, Trouble> {
        let statement = self.prepared(sql).await?;
        self.client.execute(&statement, values).await.map_err(|error| self.said(error))
    }

    /// Returns the rows of an answer as they come.
    pub async fn stream(
        &self,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<RowStream, Trouble> {
        let statement = self.prepared(sql).await?;
        let values = values.iter().copied();
        self.client.query_raw(&statement, values).await.map_err(|error| self.said(error))
    }

    /// Executes statements without values.
    pub async fn script(&self, sql: &str) -> Result<(), Trouble> {
        self.client.batch_execute(sql).await.map_err(|error| self.said(error))
    }

    /// Does something in a transaction that `begin` begins.
    pub async fn within<T>(
        &self,
        begin: &str,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        // On its way before the first statement of the work, and not waited for.
        let (begun, done) = tokio::join!(biased; self.script(begin), work);
        let done = begun.and(done);
        match done {
            Ok(_) => self.script("COMMIT").await?,
            // Where that cannot be said either, the line goes.
            Err(_) => drop(self.script("ROLLBACK").await),
        }
        done
    }

    /// Returns what an error of the library means.
    pub fn said(&self, error: Error) -> Trouble {
        let ended = || self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        // That there is no line any more is not why.
        let error = if error.is_closed() { ended().unwrap_or(error) } else { error };
        Trouble::of(&self.host, error)
    }

    async fn prepared(&self, sql: &'static str) -> Result<Statement, Trouble> {
        if let Some(known) = self.prepared.borrow().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(|error| self.said(error))?;
        self.prepared.borrow_mut().insert(sql, statement.clone());
        Ok(statement)
    }

    fn is_silent(&self, waited: Duration) -> Trouble {
        Trouble::Silent { host: self.host.clone(), waited }
    }
}

/// Says how we want to be served, and refuses a server that would not keep what it is given. Returns its
/// version.
async fn greet(line: &Line, access: Access) -> Result<String, Trouble> {
    let unfit = |cause: String, next| Err(Trouble::Unfit { host: line.host.clone(), cause, next });
    let facts = line.rows(GREETING, &[]).await?;
    let facts = facts.first().and_then(|row| {
        let text = |at| row.try_get::<_, String>(at).ok();
        Some((text(0)?, row.try_get::<_, i32>(1).ok()?, text(2)?, text(3)?))
    });
    let Some((version, number, encoding, read_only)) = facts else {
        return unfit("it does not say which version it is".to_owned(), "see what listens there");
    };
    if number < VERSION_MIN {
        return unfit(
            format!("it is PostgreSQL {version}, and 13 is the oldest that will do"),
            "update it, or name another one with `--store`",
        );
    }
    if encoding != "UTF8" {
        return unfit(
            format!("the database is encoded as {encoding}"),
            "create one with `ENCODING 'UTF8' TEMPLATE template0`",
        );
    }
    if access == Access::Write && read_only == "on" {
        let text = "it is a standby, or read-only for this user".to_owned();
        let (host, code) = (line.host.clone(), READ_ONLY.to_owned());
        return Err(Trouble::Refused { host, code, text });
    }
    line.script(SETTINGS).await?;
    if access == Access::Read {
        line.script("SET default_transaction_read_only = on").await?;
    }
    Ok(version.split(' ').next().unwrap_or_default().to_owned())
}

fn config(address: &Address, host: &Host) -> Config {
    let mut config = Config::new();
    config
        .port(host.port)
        .dbname(&address.database)
        .application_name("presence")
        .keepalives_idle(Duration::from_secs(30))
        .ssl_mode(SslMode::Disable);
    if is_socket(host) {
        config.host_path(&host.name);
    } else {
        config.host(&host.name);
    }
    if let Some(username) = &address.username {
        config.user(username);
    }
    if let Some(password) = &address.password {
        config.password(password.reveal());
    }
    config
}

type Dialled = (Client, Ended, oneshot::Sender<()>);

/// Opens a line, with a thread that carries it until its carrier is dropped.
fn dial(config: Config, tls: Option<Arc<ClientConfig>>, host: &Host) -> Result<Dialled, Trouble> {
    let (carrier, until) = oneshot::channel();
    let (tell, told) = mpsc::channel();
    let ended = Ended::default();
    let why = Arc::clone(&ended);
    let carry = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async move {
            match tls {
                None => serve(&config, NoTls, tell, until, &why).await,
                Some(tls) => {
                    let mut config = config;
                    config.ssl_mode(SslMode::Require);
                    serve(&config, Maker(tls), tell, until, &why).await;
                }
            }
        });
    };
    let unable = |cause: String| Trouble::Unfit {
        host: host.clone(),
        cause,
        next: "see how many threads and files a process may have here",
    };
    thread::Builder::new()
        .name("postgres".to_owned())
        .spawn(carry)
        .map_err(|error| unable(error.to_string()))?;
    match told.recv() {
        Ok(Some(Ok(client))) => Ok((client, ended, carrier)),
        Ok(Some(Err(error))) => Err(Trouble::of(host, error)),
        Ok(None) => Err(Trouble::Silent { host: host.clone(), waited: CONNECT_MAX }),
        Err(_) => Err(unable("its line could not be carried".to_owned())),
    }
}

/// Connects, says so, or why not (`None`: it took too long), and carries what comes and goes.
async fn serve<T: MakeTlsConnect<Socket>>(
    config: &Config,
    tls: T,
    tell: mpsc::Sender<Option<Result<Client, Error>>>,
    until: oneshot::Receiver<()>,
    why: &Ended,
) {
    let (client, connection) = match timeout(CONNECT_MAX, config.connect(tls)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return drop(tell.send(Some(Err(error)))),
        Err(_) => return drop(tell.send(None)),
    };
    if tell.send(Some(Ok(client))).is_err() {
        return;
    }
    let mut connection = pin!(connection);
    tokio::select! {
        ended = &mut connection => {
            *why.lock().unwrap_or_else(PoisonError::into_inner) = ended.err();
        }
        _ = until => drop(timeout(GOODBYE_MAX, connection).await),
    }
}

/// Waits until work is done; `None` if nothing moved for as long as patience lasts.
fn wait_for<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    let waiter = Arc::new(Waiter { thread: thread::current(), is_called: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&waiter));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return Some(done);
        }
        let until = clock::monotonic() + patience;
        while !waiter.is_called.swap(false, Ordering::Acquire) {
            let left = until.saturating_duration_since(clock::monotonic());
            if left.is_zero() {
                return None;
            }
            thread::park_timeout(left);
        }
    }
}

/// A thread that waits to be called.
struct Waiter {
    thread: Thread,
    is_called: AtomicBool,
}

impl Wake for Waiter {
    fn wake(self: Arc<Self>) {
        self.is_called.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[test]
    fn whoever_waits_is_called_from_another_thread_and_not_kept_for_ever() {
        let (tell, told) = oneshot::channel();
        let caller = thread::spawn(move || tell.send(7));
        assert_eq!(wait_for(Duration::from_mins(1), told), Some(Ok(7)));
        caller.join().expect("it ended").expect("heard");
        assert_eq!(wait_for(Duration::from_millis(1), pending::<()>()), None);
    }
}
