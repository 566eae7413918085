//! The APIs of brokers and clouds, asked beside everything else.

use super::dynsec;
use crate::cli::check::Check;
use crate::clock;
use crate::command::queries;
use crate::config::api::History;
use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::number::grouped;
use crate::query::{Asked, Query};
use std::future::pending;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// APIs, each asked on a thread of its own: whoever is slow keeps nobody else waiting.
#[derive(Debug, Default)]
pub struct Apis {
    queries: Vec<Query>,
    /// Where dynamic security is asked, if it is.
    dynsec: Option<Connection>,
    under_way: JoinSet<Asked>,
    /// When they were asked last.
    asked: Option<Instant>,
}

/// Requests that are worth a word before they are made.
const MANY: usize = 20;
/// How long an answer is waited on before the same is asked again, while something is waited for: what costs
/// the broker a listing is not asked for without need.
const ASK_AGAIN: Duration = Duration::from_secs(5);

impl Apis {
    /// Makes ready to ask, without asking anything.
    ///
    /// Errors: a URL that names no API or a credential that is missing, exit 2; a file that cannot be read,
    /// exit 4.
    pub fn open(
        options: &Check,
        history: Option<&History>,
        console: &mut Console,
    ) -> Result<Self, Failure> {
        let access_key = &options.connection.access_key;
        let queries = queries(&options.api, access_key, history, console)?;
        Ok(Self { queries, ..Self::default() })
    }

    /// Says what asking about so many clients costs, where somebody sends a bill for it.
    pub fn announce(&self, clients: usize, console: &mut Console) {
        for query in &self.queries {
            if let Some(requests) = query.billed(clients).filter(|many| *many >= MANY) {
                let per_second = query.facts().per_second;
                console.say(format_args!(
                    "{}: {} requests, each of which is billed, {per_second} a second at most",
                    query.source(),
                    grouped(requests as u64),
                ));
            }
        }
    }

    /// Asks the dynamic security of a broker too.
    pub fn add_dynsec(&mut self, connection: Connection) {
        self.dynsec = Some(connection);
    }

    /// Returns how long it takes until all of them can be sure about a client.
    pub fn lag(&self) -> Duration {
        let dynsec = self.dynsec.as_ref().map(|_| dynsec::LAG);
        self.queries.iter().map(Query::lag).chain(dynsec).max().unwrap_or_default()
    }

    pub const fn are_none(&self) -> bool {
        self.queries.is_empty() && self.dynsec.is_none()
    }

    /// Asks all of them about these clients. Runs within tokio.
    pub fn ask(&mut self, clients: &[String], deadline: Instant) {
        self.asked = Some(clock::monotonic());
        for query in &self.queries {
            let (query, clients) = (query.clone(), clients.to_vec());
            self.under_way.spawn_blocking(move || query.ask(&clients, deadline));
        }
        if let Some(connection) = &self.dynsec {
            self.under_way.spawn(dynsec::ask(connection.clone(), clients.to_vec(), deadline));
        }
    }

    /// Returns when to ask again; `None` while answers are under way, or nobody is to be asked.
    pub fn ask_again(&self) -> Option<Instant> {
        let asked = self.asked.filter(|_| self.are_done() && !self.are_none())?;
        Some(asked + ASK_AGAIN)
    }

    /// Tells whether nothing is under way.
    pub fn are_done(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Waits for what is answered next, for ever if nothing is under way. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Asked {
        loop {
            match self.under_way.join_next().await {
                Some(Ok(asked)) => return asked,
                // A thread that died took its answer along; the others go on.
                Some(Err(_)) => {}
                None => pending().await,
            }
        }
    }
}
