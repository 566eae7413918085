//! The usual ways of proving who asks.

use crate::config::api::Endpoint;
use crate::failure::Failure;
use crate::query::exchange::Proof;
use crate::secret::Secret;
use crate::web;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Access {
    user: Option<String>,
    password: Option<Secret>,
    token: Option<Secret>,
}

impl Access {
    pub fn of(endpoint: &Endpoint) -> Self {
        let Endpoint { user, password, token, .. } = endpoint.clone();
        Self { user, password, token }
    }

    /// Proves it by a token if there is one, or by user and password; by nothing where nothing was given.
    pub fn bearer_or_basic(&self) -> Proof {
        match &self.token {
            Some(token) => {
                vec![("authorization", Secret::from(format!("Bearer {}", token.reveal())))]
            }
            None => self.basic(),
        }
    }

    pub fn basic(&self) -> Proof {
        if self.user.is_none() && self.password.is_none() {
            return Vec::new();
        }
        let user = self.user.as_deref().unwrap_or_default();
        let password = self.password.as_ref().map_or("", Secret::reveal);
        vec![("authorization", web::basic(user.as_bytes(), password.as_bytes()))]
    }

    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }
}

/// Returns a user and a password that an API cannot do without.
pub fn pair(endpoint: &Endpoint, what: &str) -> Result<(String, Secret), Failure> {
    match (&endpoint.user, &endpoint.password) {
        (Some(user), Some(password)) => Ok((user.clone(), password.clone())),
        _ => Err(Failure::misuse(format!("{} is asked by nobody", endpoint.address))
            .because(format!("it needs {what}"))
            .next("pass `--api-user` and `--api-password-file`")),
    }
}

/// Returns a setting that an API cannot do without.
pub fn setting(endpoint: &Endpoint, name: &str) -> Result<String, Failure> {
    endpoint.address.settings.get(name).cloned().ok_or_else(|| {
        let kind = endpoint.address.kind;
        let known = kind.settings().iter().find(|(known, _)| *known == name);
        let what = known.map_or("something", |(_, what)| *what);
        Failure::misuse(format!("{} does not say all that is needed", endpoint.address))
            .because(format!("its URL has no `{name}`: the {what}"))
            .next(format!("add it at the end of the URL, as in `?{name}=…`"))
    })
}
