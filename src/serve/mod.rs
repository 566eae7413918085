//! A small HTTP/1.1 server. It reads one request, has it answered, and closes.
//!
//! Whoever reaches the port may be anybody: bytes, connections and time have limits, and nothing of a
//! request is repeated unless whoever answers does so.

mod head;

pub use head::Head;

use head::Length;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Longest head of a request in bytes.
pub const HEAD_MAX: usize = 8 * 1024;
/// Pause after a connection that could not be taken, for example because there are too many files.
const AGAIN: Duration = Duration::from_millis(100);
/// How long the rest of a request is read after the answer. To close before would be a reset, which can
/// overtake the answer.
const DRAIN_MAX: Duration = Duration::from_millis(500);
/// How long those that are served have to get their answer when serving ends.
const END_MAX: Duration = Duration::from_secs(1);

/// How much is put up with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time.
    pub connections: usize,
    /// Longest body in bytes.
    pub body: usize,
    /// Longest time from the beginning of a connection until its request is read.
    pub time: Duration,
}

/// Who answers.
pub trait Site: Send + Sync + 'static {
    /// Judges a request by its head. What is refused is answered before its body is read.
    fn admit(&self, head: &Head) -> Result<(), Answer>;

    fn answer(&self, head: Head, body: Vec<u8>) -> impl Future<Output = Answer> + Send;

    /// The server itself sent somebody away. `admitted`: after the head was judged to be fine.
    fn turned_away(&self, _fault: Fault, _admitted: bool) {}
}

/// Why somebody was sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no request, or one in a way that is not read here.
    Unreadable,
    TooLong,
    /// It took too long, or ended in the middle.
    Slow,
    /// Too many came at the same time.
    Crowded,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    /// Further headers. Values are of ours, or were looked at: they hold no end of a line.
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub fn plain(status: u16, text: &str) -> Self {
        let content_type = "text/plain; charset=utf-8";
        Self { status, content_type, headers: Vec::new(), body: format!("{text}\n") }
    }

    pub fn json(body: impl Into<String>) -> Self {
        let content_type = "application/json";
        Self { status: 200, content_type, headers: Vec::new(), body: body.into() }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn text(&self, with_body: bool) -> String {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            401 => "Unauthorized",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            411 => "Length Required",
            413 => "Content Too Large",
            431 => "Request Header Fields Too Large",
            501 => "Not Implemented",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let Self { status, content_type, headers, body } = self;
        let mut text = format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
            body.len()
        );
        // Writing to memory cannot fail.
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("Cache-Control: no-store\r\nConnection: close\r\n\r\n");
        if with_body {
            text.push_str(body);
        }
        text
    }
}

/// Serves until `stopped`, and then until those that are served have their answers.
pub async fn serve(
    listener: TcpListener,
    limits: Limits,
    site: Arc<impl Site>,
    stopped: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut served = JoinSet::new();
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = served.join_next() => continue,
            () = &mut stopped => break,
        };
        let Ok((stream, _)) = accepted else {
            site.turned_away(Fault::Crowded, false);
            sleep(AGAIN).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            site.turned_away(Fault::Crowded, false);
            refuse(stream);
            continue;
        };
        let site = Arc::clone(&site);
        served.spawn(async move {
            converse(stream, limits, &*site).await;
            drop(permit);
        });
    }
    drop(listener);
    let _ = timeout(END_MAX, async { while served.join_next().await.is_some() {} }).await;
}

/// Sends somebody away without waiting for anything. The answer fits into the buffer of a new connection;
/// who goes on to send may see a reset in its place.
fn refuse(stream: TcpStream) {
    let Ok(mut stream) = stream.into_std() else { return };
    let answer = Answer::plain(503, "too many connections").text(true);
    let _ = std::io::Write::write(&mut stream, answer.as_bytes());
    // What is not read would make a reset of the close.
    let _ = std::io::Read::read(&mut stream, &mut [0; HEAD_MAX]);
}

async fn converse(mut stream: TcpStream, limits: Limits, site: &impl Site) {
    let mut admitted = false;
    let asked = timeout(limits.time, ask(&mut stream, limits, site, &mut admitted)).await;
    let (answer, with_body) = match asked {
        Ok(Ok((head, body))) => {
            let with_body = head.method != "HEAD";
            (site.answer(head, body).await, with_body)
        }
        Ok(Err(No::Answered(answer))) => (answer, true),
        Ok(Err(No::Fault(fault, answer))) => {
            site.turned_away(fault, admitted);
            (answer, true)
        }
        // Who has not begun to ask does not get an answer either.
        Ok(Err(No::Gone)) => {
            if admitted {
                site.turned_away(Fault::Slow, true);
            }
            return;
        }
        Err(_) => {
            site.turned_away(Fault::Slow, admitted);
            (Answer::plain(408, "too slow"), true)
        }
    };
    let answer = answer.text(with_body);
    let told = async {
        stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok()
    };
    if timeout(limits.time, told).await == Ok(true) {
        let mut rest = [0; 1024];
        let drained = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
        let _ = timeout(DRAIN_MAX, drained).await;
    }
}

/// Why there is no request to be answered.
enum No {
    Answered(Answer),
    Fault(Fault, Answer),
    /// The other side has closed.
    Gone,
}

fn unreadable(status: u16, text: &str) -> No {
    No::Fault(Fault::Unreadable, Answer::plain(status, text))
}

fn too_long(status: u16) -> No {
    No::Fault(Fault::TooLong, Answer::plain(status, "the request is too long"))
}

async fn ask(
    stream: &mut TcpStream,
    limits: Limits,
    site: &impl Site,
    admitted: &mut bool,
) -> Result<(Head, Vec<u8>), No> {
    let mut input = Input { stream, bytes: Vec::new() };
    let end = input.find(b"\r\n\r\n", HEAD_MAX, 431).await?;
    let head = Head::read(&input.bytes[..end]).ok_or_else(|| unreadable(400, NO_REQUEST))?;
    input.bytes.drain(..end + 4);
    let length = head.length().ok_or_else(|| unreadable(400, NO_REQUEST))?;
    site.admit(&head).map_err(No::Answered)?;
    *admitted = true;
    if matches!(length, Length::Known(length) if length > limits.body) {
        return Err(too_long(413));
    }
    if head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        let said = input.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        said.map_err(|_| No::Gone)?;
    }
    let body = match length {
        Length::None if head.method == "POST" => {
            return Err(unreadable(411, "how long is the body? Send Content-Length"));
        }
        Length::None => Vec::new(),
        Length::Other => return Err(unreadable(501, "only chunked bodies are read")),
        Length::Known(length) => input.take(length).await?,
        Length::Chunked => input.chunks(limits.body).await?,
    };
    Ok((head, body))
}

/// What was read and not looked at yet.
struct Input<'a> {
    stream: &'a mut TcpStream,
    bytes: Vec<u8>,
}

impl Input<'_> {
    async fn more(&mut self) -> Result<(), No> {
        match (&mut *self.stream).take(READ_MAX).read_buf(&mut self.bytes).await {
            Ok(0) | Err(_) => Err(No::Gone),
            Ok(_) => Ok(()),
        }
    }

    /// Returns where these bytes are, within so many; what is behind may have been read too.
    async fn find(&mut self, wanted: &[u8], max: usize, status: u16) -> Result<usize, No> {
        loop {
            let within = &self.bytes[..self.bytes.len().min(max)];
            if let Some(at) = memchr::memmem::find(within, wanted) {
                return Ok(at);
            }
            if self.bytes.len() >= max {
                return Err(too_long(status));
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, count: usize) -> Result<Vec<u8>, No> {
        while self.bytes.len() < count {
            self.more().await?;
        }
        let rest = self.bytes.split_off(count);
        Ok(std::mem::replace(&mut self.bytes, rest))
    }

    /// Reads a body that comes in chunks (RFC 9112 §7.1).
    async fn chunks(&mut self, max: usize) -> Result<Vec<u8>, No> {
        let odd = || unreadable(400, "a chunk is not as it should be");
        let mut body = Vec::new();
        loop {
            let end = self.find(b"\r\n", LINE_MAX, 400).await?;
            let size = head::chunk_size(&self.bytes[..end]).ok_or_else(odd)?;
            self.bytes.drain(..end + 2);
            if size == 0 {
                break;
            }
            if size > max - body.len() {
                return Err(too_long(413));
            }
            body.extend(self.take(size).await?);
            if self.take(2).await? != b"\r\n" {
                return Err(odd());
            }
        }
        // What may be said behind it is not of interest.
        for _ in 0..TRAILERS_MAX {
            let end = self.find(b"\r\n", LINE_MAX, 431).await?;
            self.bytes.drain(..end + 2);
            if end == 0 {
                return Ok(body);
            }
        }
        Err(too_long(431))
    }
}

const READ_MAX: u64 = 16 << 10;
const LINE_MAX: usize = 256;
const TRAILERS_MAX: usize = 16;
const NO_REQUEST: &str = "this is no request";
