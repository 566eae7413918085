//! One question to an API and its reply: plain values, whoever carries them.

use super::asked::Details;
use crate::secret::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::sync::Arc;

/// How something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

impl Method {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A question to an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub method: Method,
    /// Path and query below the prefix of the address, percent-encoded.
    pub target: String,
    /// Beside those that carry credentials.
    pub headers: Vec<(&'static str, String)>,
    /// Empty for a GET.
    pub body: String,
    pub about: About,
    pub page: Page,
    /// What earlier questions of the series told.
    pub known: Option<Box<Details>>,
}

/// Whom a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// These clients, sorted.
    These(Arc<[String]>),
    /// Everybody whom the API lists.
    Everyone,
}

impl About {
    #[must_use]
    pub fn one(client: &str) -> Self {
        Self::These(Arc::from([client.to_owned()]))
    }

    #[must_use]
    pub fn these(clients: &[String]) -> Self {
        let mut clients = clients.to_vec();
        clients.sort();
        Self::These(clients.into())
    }

    /// Returns the clients that it names: none where it is everyone.
    #[must_use]
    pub fn clients(&self) -> &[String] {
        match self {
            Self::These(clients) => clients,
            Self::Everyone => &[],
        }
    }

    #[must_use]
    pub const fn is_everyone(&self) -> bool {
        matches!(self, Self::Everyone)
    }
}

/// Where in a series of questions one stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// From 0.
    pub number: u32,
    /// Entries of the whole list, as the first page said.
    pub total: Option<u64>,
    /// A later page said otherwise: entries may have slipped between two pages.
    pub moved: bool,
}

impl Question {
    #[must_use]
    pub fn get(target: String, about: About) -> Self {
        let (method, page) = (Method::Get, Page::default());
        Self { method, target, headers: Vec::new(), body: String::new(), about, page, known: None }
    }

    /// Returns a question with a body of JSON.
    #[must_use]
    pub fn post(target: String, body: String, about: About) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        let (method, page) = (Method::Post, Page::default());
        Self { method, target, headers, body, about, page, known: None }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub const fn at(mut self, page: Page) -> Self {
        self.page = page;
        self
    }

    /// Sees to it that a reply speaks of the client asked about.
    ///
    /// Errors: another client, or none. A server that reads an escaped id its own way would answer so.
    pub fn expect(&self, client: Option<&str>) -> Result<(), Trouble> {
        match client {
            Some(client) if client == self.client() => Ok(()),
            Some(_) => Err(Trouble::new("it answered about another client")),
            None => Err(Trouble::shape("client id")),
        }
    }

    /// Returns the first client it is about.
    #[must_use]
    pub fn client(&self) -> &str {
        self.about.clients().first().map_or("", String::as_str)
    }

    /// Tells whether it is about this client.
    #[must_use]
    pub fn is_about(&self, client: &str) -> bool {
        match &self.about {
            About::These(clients) => {
                clients.binary_search_by(|one| one.as_str().cmp(client)).is_ok()
            }
            About::Everyone => true,
        }
    }
}

impl Page {
    /// Notes how many entries the list has, as this page says.
    #[must_use]
    pub fn seen(self, total: Option<u64>) -> Self {
        if self.number == 0 {
            return Self { total, ..self };
        }
        Self { moved: self.moved || total != self.total, ..self }
    }

    /// Returns the place of the page after this.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    /// Returns what it means to be on none of the pages.
    #[must_use]
    pub fn absent(self) -> Absent {
        if self.moved {
            return Absent::unknown(
                "the list changed while its pages were read, and may have hidden it",
            );
        }
        Absent::unconnected()
    }
}

/// Headers that prove who asks.
pub type Proof = Vec<(&'static str, Secret)>;

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Returns the body of a success.
    ///
    /// Errors: another status than 200, a page for people, no JSON.
    pub fn json(&self) -> Result<Value, Trouble> {
        if self.status != 200 {
            return Err(self.refusal());
        }
        self.any_json().ok_or_else(|| {
            if self.body.trim_ascii_start().starts_with(b"<") {
                Trouble::new("it answered with a web page, not as an API")
                    .next("check the port and what stands before the path")
            } else {
                Trouble::new("its answer is no JSON").next("check the kind of the API")
            }
        })
    }

    /// Returns the body whatever the status.
    #[must_use]
    pub fn any_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Says that the status was not what was hoped for, with the code or message that came with it.
    #[must_use]
    pub fn refusal(&self) -> Trouble {
        let mut cause = format!("status {}", self.status);
        if let Some(said) = self.any_json().as_ref().and_then(message) {
            cause.push_str(": ");
            cause.push_str(&said);
        } else if self.body.trim_ascii_start().starts_with(b"<") {
            cause.push_str(" with a web page");
        }
        let trouble = Trouble::new(cause);
        match self.status {
            400 => trouble.next("check the kind of the API and its version"),
            404 => trouble.next("check the kind of the API, and what stands before the path"),
            500..=599 => trouble.next("ask again later, or look at the broker's own log"),
            _ => trouble,
        }
    }
}

/// Finds what an error says of itself; every vendor has a key of its own for it.
fn message(value: &Value) -> Option<String> {
    let inner = ["Response", "errors", "error"].iter().find_map(|key| match value.get(*key)? {
        Value::Array(list) => list.first(),
        inner @ Value::Object(_) => Some(inner.get("Error").unwrap_or(inner)),
        _ => None,
    });
    let inner = inner.unwrap_or(value);
    let code = ["code", "Code", "error_code", "__type", "error", "reason"];
    let text = ["message", "Message", "error_msg", "detail", "title"];
    let find = |keys: &[&str]| {
        keys.iter().find_map(|key| match inner.get(*key)? {
            Value::String(text) if !text.is_empty() => Some(plain(text)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    match (find(&code), find(&text)) {
        (Some(code), Some(text)) if code != text => Some(format!("{code}, {text}")),
        (one, other) => one.or(other),
    }
}

/// Returns the start of a stranger's text, without what a terminal might obey.
fn plain(text: &str) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let start: String = chars.by_ref().take(MESSAGE_MAX).collect();
    if chars.next().is_some() { start + "…" } else { start }
}

const MESSAGE_MAX: usize = 160;

/// What was read out of a reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Findings about clients that were asked about. Several about one are joined: the one that is online
    /// counts, then the later.
    pub found: Vec<Found>,
    /// What those are that nothing was found about, once the last page was read.
    pub absent: Option<Absent>,
    /// What is to be asked next.
    pub next: Option<Question>,
    /// Why a list ends before its end, if it does.
    pub cut: Option<String>,
}

/// A finding about a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub client: String,
    pub online: Option<bool>,
    pub why: Option<String>,
    pub details: Details,
}

impl Found {
    #[must_use]
    pub fn new(client: &str, online: bool, details: Details) -> Self {
        Self { client: client.to_owned(), online: Some(online), why: None, details }
    }

    /// Returns what an API says that knows no session of a client.
    #[must_use]
    pub fn without_session(client: &str) -> Self {
        let details = Details { session: Some(false), ..Details::default() };
        let why = Some("it has no session there: offline, or never seen".to_owned());
        Self { client: client.to_owned(), online: Some(false), why, details }
    }
}

impl Reading {
    /// Returns a reading that comes to one finding.
    #[must_use]
    pub fn one(found: Found) -> Self {
        Self { found: vec![found], ..Self::default() }
    }

    /// Returns a reading that comes to another question.
    #[must_use]
    pub fn next(question: Question) -> Self {
        Self { next: Some(question), ..Self::default() }
    }
}

/// What it means not to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    pub online: Option<bool>,
    pub why: Option<String>,
    /// Whether there is a session all the same.
    pub session: Option<bool>,
}

impl Absent {
    /// Returns what a list of connections means for who is not on it.
    #[must_use]
    pub fn unconnected() -> Self {
        let why = Some("no connection of it is listed".to_owned());
        Self { online: Some(false), why, session: None }
    }

    /// Returns what a list of sessions means for who is not on it.
    #[must_use]
    pub fn without_session() -> Self {
        let Found { online, why, details, .. } = Found::without_session("");
        Self { online, why, session: details.session }
    }

    /// Returns what a list that may lack somebody means for who is not on it.
    #[must_use]
    pub fn unknown(why: &str) -> Self {
        Self { online: None, why: Some(why.to_owned()), session: None }
    }
}

/// Why nothing could be read out of a reply, or why there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub cause: String,
    pub next: Option<String>,
    /// The same would happen to every other question.
    pub everywhere: bool,
}

impl Trouble {
    pub fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), next: None, everywhere: false }
    }

    /// Says that JSON has another shape than this API's.
    #[must_use]
    pub fn shape(what: &str) -> Self {
        Self::new(format!("its answer has no {what}"))
            .next("check the kind of the API and its version")
    }

    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    #[must_use]
    pub const fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }
}

/// Encodes a text for one segment of a path or one value of a query: all but the characters that no
/// server may read as anything else (RFC 3986 §2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The same for a segment of a path, where one or two dots alone would lead elsewhere (RFC 3986 §5.2.4).
#[must_use]
pub fn segment(text: &str) -> String {
    match text {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => encode(text),
    }
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
