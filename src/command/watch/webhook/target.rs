//! Where changes are posted, how they are signed, and one attempt to do so.

use crate::cli::watch::Acting;
use crate::command::key_file;
use crate::config::api::take_user;
use crate::failure::Failure;
use crate::output::warning::Warning;
use crate::secret::Secret;
use crate::web::{self, Trust};
use ring::hmac;
use std::fmt::Write as _;
use std::time::Duration;
use ureq::Agent;
use url::Url;

/// Whom changes are posted to.
pub struct Target {
    agent: Agent,
    url: String,
    /// Value of the header, where the URL held a user.
    authorization: Option<Secret>,
    key: Option<hmac::Key>,
    /// Scheme, host and port: paths hold secrets too.
    pub shown: String,
}

/// What an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Taken,
    /// Worth another attempt; not before that, if the other side says so.
    NotNow {
        cause: String,
        after: Option<Duration>,
    },
    /// The same again would be refused again.
    Refused {
        cause: String,
    },
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Target").field(&self.shown).finish()
    }
}

impl Target {
    /// Reads the options; no option, no target.
    ///
    /// Errors: a URL that cannot be posted to (exit 2); files that cannot be used (exit 4).
    pub fn new(options: &Acting) -> Result<Option<(Self, Vec<Warning>)>, Failure> {
        let Some(typed) = &options.webhook else { return Ok(None) };
        let mut url = read_url(typed.reveal())?;
        let shown = shown(&url);
        let mut warnings = Vec::new();
        if url.password().is_some() {
            warnings.push(Warning::PasswordInWebhook { url: shown.clone() });
        }
        let authorization = take_user(&mut url)
            .map(|(user, password)| web::basic(&user, &password.unwrap_or_default()));
        let key = match &options.webhook_secret_file {
            Some(path) => Some(key_file::read(path, "the webhook's secret", &mut warnings)?),
            None => None,
        };
        let encrypted = url.scheme() == "https";
        if let (Some(_), false) = (&options.webhook_cafile, encrypted) {
            return Err(Failure::misuse("`--webhook-cafile` needs an encrypted webhook")
                .because(format!("`{shown}` is not encrypted"))
                .next("use `https://`, or leave `--webhook-cafile` out"));
        }
        let trust = Trust { encrypted, cafile: options.webhook_cafile.as_deref(), insecure: false };
        let agent = web::agent(trust, Some(options.webhook_timeout))?;
        Ok(Some((Self { agent, url: url.into(), authorization, key, shown }, warnings)))
    }

    /// Posts a body once. `timestamp` is in s since 1970.
    pub fn post(&self, body: &[u8], timestamp: i64) -> Answer {
        let mut request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("x-presence-timestamp", timestamp.to_string());
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.reveal());
        }
        if let Some(key) = &self.key {
            request = request.header("x-presence-signature", signature(key, timestamp, body));
        }
        match request.send(body) {
            Ok(mut response) => {
                let after = response.headers().get("retry-after");
                let after =
                    after.and_then(|value| web::read_after(value.to_str().ok()?, timestamp));
                let answer = judge(response.status().as_u16(), after);
                // Read, so that the connection can be used again; what it says matters to nobody.
                let _ = response.body_mut().with_config().limit(BODY_MAX).read_to_vec();
                answer
            }
            Err(error) => Answer::NotNow { cause: web::cause(&error), after: None },
        }
    }
}

/// Sorts the statuses: what is worth another attempt, and what is not.
fn judge(status: u16, after: Option<Duration>) -> Answer {
    let cause = format!("status {status}");
    match status {
        200..=299 => Answer::Taken,
        408 | 429 | 500..=599 => Answer::NotNow { cause, after },
        300..=399 => Answer::Refused { cause: cause + ", and redirects are not followed" },
        _ => Answer::Refused { cause },
    }
}

/// Returns the signature of a body, over `<timestamp>.<body>`.
fn signature(key: &hmac::Key, timestamp: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(timestamp.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    let mut text = "sha256=".to_owned();
    for byte in context.sign().as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn read_url(typed: &str) -> Result<Url, Failure> {
    // The URL itself is never shown: it may hold a secret anywhere.
    let misuse = |cause: &str| {
        Failure::misuse("`--webhook` cannot be posted to")
            .because(cause)
            .next("pass a URL as in `https://hooks.example/presence`")
    };
    let url = Url::parse(typed).map_err(|error| misuse(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(misuse("its scheme is neither `http` nor `https`"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(misuse("it names no host"));
    }
    Ok(url)
}

fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

const BODY_MAX: u64 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_other_tools() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let expected = "sha256=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        assert_eq!(signature(&key, 1_700_000_000, br#"{"a":1}"#), expected);
    }

    #[test]
    fn only_what_may_change_is_tried_again() {
        for (status, again) in [(500, true), (503, true), (408, true), (429, true)] {
            let answer = judge(status, None);
            assert_eq!(matches!(answer, Answer::NotNow { .. }), again, "{status}");
        }
        for status in [301, 400, 401, 404, 410, 413] {
            assert!(matches!(judge(status, None), Answer::Refused { .. }), "{status}");
        }
        assert_eq!([judge(200, None), judge(204, None)], [Answer::Taken, Answer::Taken]);
    }
}
