//! What is worth saying about a configuration that works.

/// Every warning about the options of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The password stands in the URL of this broker.
    PasswordInUrl { broker: String },
    /// The password stands in the URL of this API.
    PasswordInApi { api: String },
    /// Whoever answers for this broker is believed.
    Unverified { broker: String },
    /// Whoever answers for this API is believed.
    ApiUnverified { api: String },
    /// Everybody on this machine can change the configuration.
    WritableByAll { path: String },
}
