//! The options of APIs, checked together.

mod address;
mod kind;

pub use address::{Address, UserInfo, take_user};
pub use kind::Kind;

use super::access_key::{self, AccessKey};
use super::connection::password_from;
use super::warning::Warning;
use crate::cli::access_key::AccessKey as Typed;
use crate::cli::api as cli;
use crate::failure::Failure;
use crate::secret::Secret;
use jiff::tz::TimeZone;
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
    /// More than the state is wanted, where that costs further requests.
    pub history: Option<History>,
    /// A random number that tells this run from others.
    pub seed: u64,
}

/// How a history is to be understood.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Of times that name no zone.
    pub zone: Option<TimeZone>,
}

/// Secrets that have no flag: arguments are public.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The value of `PRESENCE_API_PASSWORD`.
    pub password: Option<Secret>,
    /// The value of `PRESENCE_API_TOKEN`.
    pub token: Option<Secret>,
    /// What stands for user, password and token at Alibaba Cloud.
    pub access_key: Typed,
    pub of_access_key: access_key::Secrets,
}

impl Secrets {
    /// Returns those of this process.
    #[must_use]
    pub fn of_process(access_key: &Typed) -> Self {
        let variable = |name| std::env::var(name).ok().map(Secret::from);
        Self {
            password: variable(PASSWORD),
            token: variable(TOKEN),
            access_key: access_key.clone(),
            of_access_key: access_key::Secrets::of_process(),
        }
    }

    /// Returns the access key that stands for user and password, where an API takes one.
    fn access_key(&self, kind: Kind) -> Result<Option<AccessKey>, Failure> {
        match kind {
            Kind::Aliyun => access_key::read(&self.access_key, &self.of_access_key),
            _ => Ok(None),
        }
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
    let seed = getrandom::u64().map_err(|error| {
        Failure::new("could not draw a random number").because(error).next("try again")
    })?;
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
        let named = options.api_user.is_some() || url.user.is_some();
        let key = if named { None } else { secrets.access_key(address.kind)? };
        // A password in a URL belongs to the user in that URL and goes with no other.
        let same_user = options.api_user.is_none() || options.api_user == url.user;
        let (user, password, token) = match key {
            Some(AccessKey { id, secret, token }) => (Some(id), Some(secret), token),
            None => (
                options.api_user.clone().or(url.user),
                password
                    .clone()
                    .or_else(|| url.password.filter(|_| same_user))
                    .or_else(|| secrets.password.clone()),
                token.clone(),
            ),
        };
        endpoints.push(Endpoint {
            user,
            password,
            token,
            cafile: options.api_cafile.clone().filter(|_| address.encrypted),
            insecure: options.api_insecure && address.encrypted,
            address,
            history: None,
            seed,
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
        let secrets = Secrets { password: Some("general".into()), ..Secrets::default() };
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
    fn an_access_key_stands_for_user_and_password_where_one_is_taken() {
        let access_key = Typed { access_key_id: Some("LTAI5t".to_owned()), ..Typed::default() };
        let of_access_key =
            access_key::Secrets { secret: Some("shh".into()), token: Some("sts".into()) };
        let secrets = Secrets {
            password: Some("general".into()),
            access_key,
            of_access_key,
            ..Secrets::default()
        };
        let who = |url: &str| {
            let (mut endpoints, _) = every(&options(&[url]), &secrets).expect("it can be asked");
            let Endpoint { user, password, token, .. } = endpoints.remove(0);
            let shown = |secret: Option<Secret>| secret.map(|secret| secret.reveal().to_owned());
            (user.unwrap_or_default(), shown(password).unwrap_or_default(), shown(token))
        };
        let is = |user: &str, password: &str, token: Option<&str>| {
            (user.to_owned(), password.to_owned(), token.map(str::to_owned))
        };
        let url = "aliyun://cn-hangzhou?instance=i";
        assert_eq!(who(url), is("LTAI5t", "shh", Some("sts")));
        assert_eq!(who("aliyun://other:own@cn-hangzhou?instance=i"), is("other", "own", None));
        assert_eq!(who("emqx5+http://me@h"), is("me", "general", None));
        assert_eq!(who("emqx5+http://h"), is("", "general", None));
        let half = Secrets { of_access_key: access_key::Secrets::default(), ..secrets };
        assert_eq!(every(&options(&[url]), &half).expect_err("no secret").outcome.code(), 2);
        every(&options(&["nats+http://h"]), &half).expect("it takes none");
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
