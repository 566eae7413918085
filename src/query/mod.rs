//! Asks the API of a broker or a cloud whether clients are online.
//!
//! Each API is a pure reader below [`api`]: it makes questions and reads replies. [`Query`] carries them:
//! over HTTP, so many at once and no more, and never past its deadline.

pub mod api;
pub mod asked;
mod chain;
mod client;
pub mod dynsec;
pub mod exchange;
mod gather;
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

    /// Asks about clients, and returns at the deadline at the latest, with what was told by then.
    ///
    /// Blocks; call it on a thread that may. A client named twice is asked about once.
    #[must_use]
    pub fn ask(&self, clients: &[String], deadline: Instant) -> Asked {
        settle::ask(&self.api, &self.client, &self.source, clients, deadline)
    }

    /// Returns how long it takes to be sure that a client is absent, beside the time that replies take.
    #[must_use]
    pub fn lag(&self) -> Duration {
        self.api.lag()
    }
}
