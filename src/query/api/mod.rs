//! One file an API: what is asked, and what the replies say. Nothing here talks to anyone.

use super::asked::Facts;
use super::exchange::{Proof, Question, Reading, Reply, Trouble};
use crate::config::api::Endpoint;
use crate::event::Timestamp;
use crate::failure::Failure;
use std::fmt;

/// An API that can be asked whether clients are online.
pub trait Api: fmt::Debug + Send + Sync {
    fn facts(&self) -> &'static Facts;

    /// Returns the questions that are asked first, each about some of the clients; together about all.
    fn begin(&self, clients: &[String]) -> Vec<Question>;

    /// Returns what proves who asks. `now` is the wall clock's time.
    fn prove(&self, question: &Question, now: Timestamp) -> Proof;

    /// Reads the reply to a question.
    ///
    /// Errors: a reply that is none of this API's, or refuses.
    fn read(&self, question: &Question, reply: &Reply) -> Result<Reading, Trouble>;
}

/// Returns the API of an endpoint.
///
/// Errors: a setting or a credential that it cannot do without (exit 2).
pub fn of(endpoint: &Endpoint) -> Result<Box<dyn Api>, Failure> {
    Err(Failure::misuse(format!("{} cannot be asked yet", endpoint.address)))
}
