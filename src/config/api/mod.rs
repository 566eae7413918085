//! The options of APIs, checked together.

mod address;
mod kind;

pub use address::{Address, UserInfo, take_user};
pub use kind::Kind;

use super::connection::password_from;
use super::warning::Warning;
use crate::cli::api as cli;
use crate::failure::Failure;
use crate::secret::Secret;
use std::path::PathBuf;

/// One API: where it is, who to be there, and whom to believe.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub address: Address,
    /// User name, application id, access key, name of a policy.
    pub user: Option<String>,
    /// Password, secret, secret key.
    pub password: Option<Secret>,
    pub token: Option<Secret>,
    /// `None` believes whom the operating system believes.
    pub cafile: Option<PathBuf>,
    /// Believe anyone.
    pub insecure: bool,
}

/// Secrets that have no flag: arguments are public.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The value of `PRESENCE_API_PASSWORD`.
    pub password: Option<Secret>,
    /// The value of `PRESENCE_API_TOKEN`.
    pub token: Option<Secret>,
}

impl Secrets {
    /// Returns those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().map(Secret::from);
        Self { password: variable(PASSWORD), token: variable(TOKEN) }
    }
}

pub const PASSWORD: &str = "PRESENCE_API_PASSWORD";
pub const TOKEN: &str = "PRESENCE_API_TOKEN";

/// Checks the options, and returns the APIs in the order given.
///
/// Errors: a URL that names no API, or one twice (exit 2); a file that cannot be read (exit 4).
pub fn every(
    options: &cli::Api,
    secrets: &Secrets,
) -> Result<(Vec<Endpoint>, Vec<Warning>), Failure> {
    if options.api.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let password = options.api_password_file.as_deref().map(password_from).transpose()?;
    let token = options.api_token_file.as_deref().map(password_from).transpose()?;
    let token = token.or_else(|| secrets.token.clone());
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let mut warnings = Vec::new();
    for typed in &options.api {
        let (address, url) = Address::read(typed.reveal())?;
        if let Some(other) = endpoints.iter().find(|other| other.address == address) {
            return Err(Failure::misuse(format!("`--api` names {} twice", other.address))
                .because("an API counts once, however often it is asked")
                .next("name each API once"));
        }
        let shown = address.to_string();
        if url.password.is_some() {
            warnings.push(Warning::PasswordInApi { api: shown.clone() });
        }
        if address.encrypted && options.api_insecure {
            warnings.push(Warning::ApiUnverified { api: shown });
        }
        // A password in a URL belongs to the user in that URL and goes with no other.
        let same_user = options.api_user.is_none() || options.api_user == url.user;
        endpoints.push(Endpoint {
            user: options.api_user.clone().or(url.user),
            password: password
                .clone()
                .or_else(|| url.password.filter(|_| same_user))
                .or_else(|| secrets.password.clone()),
            token: token.clone(),
            cafile: options.api_cafile.clone().filter(|_| address.encrypted),
            insecure: options.api_insecure && address.encrypted,
            address,
        });
    }
    let flag = match options {
        cli::Api { api_cafile: Some(_), .. } => Some("--api-cafile"),
        cli::Api { api_insecure: true, .. } => Some("--api-insecure"),
        _ => None,
    };
    if let Some(flag) = flag
        && !endpoints.iter().any(|endpoint| endpoint.address.encrypted)
    {
        return Err(Failure::misuse(format!("`{flag}` needs an encrypted connection"))
            .because("no API given is encrypted")
            .next(format!("use `KIND+https://`, or leave `{flag}` out")));
    }
    Ok((endpoints, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(urls: &[&str]) -> cli::Api {
        cli::Api { api: urls.iter().map(|url| Secret::from(*url)).collect(), ..Default::default() }
    }

    #[test]
    fn what_is_nearer_outranks_what_is_general() {
        let secrets = Secrets { password: Some("general".into()), token: None };
        let who = |options: &cli::Api| {
            let (endpoints, _) = every(options, &secrets).expect("it can be asked");
            let password = endpoints[0].password.as_ref().map(|one| one.reveal().to_owned());
            (endpoints[0].user.clone(), password)
        };
        let some = |user: &str, password: &str| (Some(user.to_owned()), Some(password.to_owned()));
        let in_url = options(&["emqx5+http://me:own@h"]);
        assert_eq!(who(&in_url), some("me", "own"));
        assert_eq!(who(&options(&["emqx5+http://me@h"])), some("me", "general"));
        let other = cli::Api { api_user: Some("you".to_owned()), ..in_url };
        assert_eq!(who(&other), some("you", "general"));
    }

    #[test]
    fn a_password_in_a_url_is_said_and_never_shown() {
        let (endpoints, warnings) =
            every(&options(&["emqx5+http://me:hunter2@h"]), &Secrets::default()).expect("is one");
        assert_eq!(warnings, [Warning::PasswordInApi { api: "emqx5 at h:18083".to_owned() }]);
        assert!(!format!("{endpoints:?} {warnings:?}").contains("hunter2"));
    }

    #[test]
    fn options_that_mean_nothing_are_refused() {
        let twice = every(&options(&["emqx5+http://h", "http://h:18083"]), &Secrets::default());
        assert_eq!(twice.expect_err("one API").outcome.code(), 2);
        let open = cli::Api { api_insecure: true, ..options(&["emqx5+http://h"]) };
        assert_eq!(every(&open, &Secrets::default()).expect_err("no TLS").outcome.code(), 2);
        let none = cli::Api { api_insecure: true, ..Default::default() };
        assert!(every(&none, &Secrets::default()).expect("nothing to ask").0.is_empty());
    }
}
