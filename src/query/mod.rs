//! Asks the API of a broker or a cloud whether clients are online.
//!
//! Each API is a pure reader below [`api`]: it makes questions and reads replies. [`Query`] carries them:
//! over HTTP, so many at once and no more, and never past its deadline.

pub mod api;
pub mod asked;
mod asker;
mod chain;
mod client;
pub mod dynsec;
pub mod exchange;
mod fleet;
mod gather;
mod list;
mod roll;
mod settle;
pub mod sign;

pub use asked::{Asked, Cost, Details, Facts, Told};
pub use gather::IN_FLIGHT;

use crate::config::api::Endpoint;
use crate::failure::Failure;
use api::Api;
use client::Client;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An API that is ready to be asked. Cheap to clone; asks nothing by itself.
#[derive(Clone, Debug)]
pub struct Query {
    api: Arc<dyn Api>,
    client: Arc<Client>,
    source: Arc<str>,
}

impl Query {
    /// Makes ready to ask an API, without asking it anything.
    ///
    /// Errors: a setting or credential that it cannot do without (exit 2); certificates that cannot be
    /// read (exit 4).
    pub fn open(endpoint: &Endpoint) -> Result<Self, Failure> {
        let api: Arc<dyn Api> = Arc::from(api::of(endpoint)?);
        let client = Arc::new(Client::new(endpoint, api.facts())?);
        Ok(Self { api, client, source: endpoint.address.to_string().into() })
    }

    /// Returns who is asked, such as `emqx5 at broker.example:18083`.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    #[must_use]
    pub fn facts(&self) -> &'static Facts {
        self.api.facts()
    }

    /// Returns how many requests about so many clients somebody sends a bill for.
    #[must_use]
    pub fn billed(&self, clients: usize) -> Option<usize> {
        self.api.billed(clients)
    }

    /// Asks about clients, and returns at the deadline at the latest, with what was told by then.
    ///
    /// Many are looked for on the list of everybody, if there is one and it takes fewer requests. A client
    /// named twice is asked about once. Blocks; call it on a thread that may.
    #[must_use]
    pub fn ask(&self, clients: &[String], deadline: Instant) -> Asked {
        fleet::ask(&self.api, &self.client, &self.source, clients, deadline)
    }

    /// Tells whether it can list everybody: see [`Query::list`].
    #[must_use]
    pub fn lists(&self) -> bool {
        self.facts().list.is_some()
    }

    /// Lists everybody, and returns at the deadline at the latest, with what was told by then.
    ///
    /// Who is listed is told of, online or, where a session is kept, offline. Who is not listed is absent,
    /// but only if [`Asked::is_complete`], and only with connections that are older than [`Query::lag`]: a
    /// list that lags does not show yet who connected within that time before the call. Of whom was told
    /// when, [`Told::at`] says; whoever is missing was missing when this was called.
    ///
    /// A list in several pages is read twice, since whoever moves from one page to another while they are
    /// read can be missed once. It is complete if all was read, and fails where it was cut: by the deadline,
    /// after 400 pages, in a page of more than 16 MiB, or by the API itself.
    ///
    /// Blocks; call it on a thread that may. Where the API cannot list, that is a failure.
    #[must_use]
    pub fn list(&self, deadline: Instant) -> Asked {
        list::list(&self.api, &self.client, &self.source, deadline)
    }

    /// Returns how long it takes to be sure that a client is absent, beside the time that replies take.
    #[must_use]
    pub fn lag(&self) -> Duration {
        self.api.lag()
    }
}
