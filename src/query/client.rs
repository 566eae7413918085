//! Carries one question over HTTP.

use super::asked::{Cost, Facts};
use super::exchange::{Proof, Question, Reply, Trouble};
use crate::config::api::Endpoint;
use crate::failure::Failure;
use crate::source::mqtt::tls;
use crate::web::{self, Trust};
use http::{HeaderName, HeaderValue};
use std::io;
use std::time::Duration;
use ureq::Agent;

/// An HTTP client for one API. It believes whom it is told to, and follows no redirect.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    /// Scheme, host, port and prefix; holds no secret.
    base: String,
    host: String,
    rights: &'static str,
    body_max: u64,
}

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// The time ran out.
    Late,
    /// The API wants to be asked later.
    NotNow {
        trouble: Trouble,
        after: Option<Duration>,
    },
    /// The connection broke, which a connection that lay idle may do at any time.
    Broken(Trouble),
    Trouble(Trouble),
}

impl Client {
    /// Errors: certificates that cannot be read (exit 4).
    pub fn new(endpoint: &Endpoint, facts: &Facts) -> Result<Self, Failure> {
        let address = &endpoint.address;
        let trust = Trust {
            encrypted: address.encrypted,
            cafile: endpoint.cafile.as_deref(),
            insecure: endpoint.insecure,
        };
        let scheme = if address.encrypted { "https" } else { "http" };
        Ok(Self {
            agent: web::agent(trust, None)?,
            base: format!("{scheme}://{}{}", address.authority, address.prefix),
            host: address.authority.clone(),
            rights: facts.rights,
            body_max: match facts.cost {
                Cost::OneEach => ONE_MAX,
                Cost::Listing | Cost::Pages(_) | Cost::PagesThenEach(_) => LISTING_MAX,
            },
        })
    }

    /// Makes a request once, and waits no longer than `left` for the last byte of the reply, which may be as
    /// long as a list of all is.
    pub fn carry(
        &self,
        request: http::Request<String>,
        is_list: bool,
        left: Duration,
    ) -> Result<Reply, Missed> {
        let has_body = request.method() == http::Method::POST;
        let configured = self.agent.configure_request(request).timeout_global(Some(left)).build();
        let response = if has_body {
            self.agent.run(configured)
        } else {
            let (parts, _) = configured.into_parts();
            self.agent.run(http::Request::from_parts(parts, ()))
        };
        let mut response = response.map_err(|error| missed(&error))?;
        let headers = response.headers().iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let headers = headers.collect();
        let status = response.status().as_u16();
        let body_max = if is_list { LISTING_MAX } else { self.body_max };
        let body = response.body_mut().with_config().limit(body_max).read_to_vec();
        let body = body.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => {
                let trouble = Trouble::new(format!(
                    "its answer is longer than {} MiB, and was not read to its end",
                    body_max >> 20
                ));
                // Whoever cannot be listed can be asked about.
                Missed::Trouble(if is_list { trouble } else { trouble.everywhere() })
            }
            error => missed(&error),
        })?;
        Ok(Reply { status, headers, body })
    }

    /// Makes a request of a question.
    ///
    /// Errors: what cannot be sent as it is.
    pub fn request(
        &self,
        question: &Question,
        proof: Proof,
    ) -> Result<http::Request<String>, Trouble> {
        let mut request = http::Request::builder()
            .method(question.method.name())
            .uri(format!("{}{}", self.base, question.target));
        for (name, value) in &question.headers {
            // Whatever else a server makes of it, it would be another client. Blanks at the ends get lost.
            let is_plain = value.is_ascii() && value.trim() == value;
            let value =
                HeaderValue::from_str(value).ok().filter(|_| is_plain).ok_or_else(|| {
                    Trouble::new("the API wants it in a header, where only visible ASCII may stand")
                })?;
            request = request.header(*name, value);
        }
        for (name, value) in proof {
            let value = HeaderValue::from_str(value.reveal()).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            let value = value.map_err(|_| {
                Trouble::new("its user, password or token holds what no header may hold")
                    .next("check that the file holds the token and nothing else")
                    .everywhere()
            })?;
            request = request.header(HeaderName::from_static(name), value);
        }
        request
            .body(question.body.clone())
            .map_err(|_| Trouble::new("it is too long to stand in a URL"))
    }

    /// Sorts out what no API has to say itself. `now` is the wall clock's time in s since 1970.
    pub fn sort(&self, reply: Reply, now: i64) -> Result<Reply, Missed> {
        let refusal = reply.refusal();
        Err(match reply.status {
            401 | 403 | 407 => Missed::Trouble(
                refusal.next(format!("pass who may ask: {}", self.rights)).everywhere(),
            ),
            408 | 429 | 503 => {
                let after = reply.header("retry-after");
                let after = after.and_then(|text| web::read_after(text, now));
                let next = "ask about fewer clients, or less often";
                Missed::NotNow { trouble: refusal.next(next).everywhere(), after }
            }
            300..=399 => Missed::Trouble(self.redirect(&reply).everywhere()),
            502 | 504 => Missed::Trouble(refusal.everywhere()),
            _ => return Ok(reply),
        })
    }

    /// The same for an API that knows what its refusals mean: only what is none of them.
    pub fn sort_strangers(&self, reply: Reply) -> Result<Reply, Missed> {
        match reply.status {
            300..=399 => Err(Missed::Trouble(self.redirect(&reply).everywhere())),
            _ => Ok(reply),
        }
    }

    /// Says where it would have sent us; the host alone, since paths can hold anything.
    fn redirect(&self, reply: &Reply) -> Trouble {
        let place = reply.header("location").and_then(|place| url::Url::parse(place).ok());
        let host = place.as_ref().and_then(|place| {
            let host = place.host_str()?;
            Some(place.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        });
        let cause = match host {
            Some(host) if host != self.host => {
                format!("status {}: it redirects to {host}, which is not followed", reply.status)
            }
            _ => format!("status {}, and redirects are not followed", reply.status),
        };
        Trouble::new(cause).next("name what it redirects to in `--api`, if that is yours")
    }
}

/// Says why there is no reply.
fn missed(error: &ureq::Error) -> Missed {
    let tls = match error {
        ureq::Error::Timeout(_) => return Missed::Late,
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => {
            error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
        }
        _ => None,
    };
    if let Some(error) = tls {
        return Missed::Trouble(untrusted(error).everywhere());
    }
    let trouble = Trouble::new(web::cause(error)).everywhere();
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Missed::Trouble(trouble.next("check host and port, and that the API is turned on"))
        }
        ureq::Error::Io(_) => Missed::Broken(
            trouble.next("check the port, and whether the API wants `http` or `https`"),
        ),
        ureq::Error::HostNotFound => Missed::Trouble(trouble.next("check the name of the host")),
        ureq::Error::Protocol(_) => Missed::Trouble(
            trouble.next("check the port, and whether the API wants `http` or `https`"),
        ),
        _ => Missed::Trouble(trouble),
    }
}

/// Says in the words of the rest why TLS failed; what to do about it has names of its own here.
fn untrusted(error: &rustls::Error) -> Trouble {
    use crate::source::mqtt::trouble::Trouble as Known;
    let cause = match tls::of_rustls(error) {
        Known::Tls { cause, .. } => cause,
        _ => format!("TLS failed: {error}"),
    };
    let trouble = Trouble::new(cause);
    match error {
        rustls::Error::InvalidCertificate(_) => {
            trouble.next("pass the authority's own certificate with `--api-cafile`")
        }
        _ => trouble.next("check the port, and whether the API wants `http` or `https`"),
    }
}

/// The longest reply about one client, and about all.
const ONE_MAX: u64 = 1 << 20;
const LISTING_MAX: u64 = 16 << 20;
