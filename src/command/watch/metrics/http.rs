//! A small HTTP/1.1 server for two pages. It reads the head of one request, answers, and closes.
//!
//! Whoever reaches the port may be anybody: bytes, connections and time have limits, and nothing of a
//! request is ever repeated.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Longest head of a request in bytes.
const HEAD_MAX: usize = 8 * 1024;
/// Connections at the same time.
pub const CONNECTIONS_MAX: usize = 16;
/// Longest time from the beginning of a connection to its end.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Pause after a connection that could not be taken, for example because there are too many files.
const AGAIN: Duration = Duration::from_millis(100);
/// How long the rest of a request is read after the answer. To close before would be a reset, which can
/// overtake the answer.
const DRAIN_MAX: Duration = Duration::from_millis(500);

/// What is served.
pub trait Pages: Send + Sync + 'static {
    /// Returns the page at this path, `None` where there is none.
    fn page(&self, path: &str) -> Option<Page>;
}

/// An answer.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, pages: Arc<impl Pages>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(AGAIN).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            refuse(stream);
            continue;
        };
        let pages = Arc::clone(&pages);
        tokio::spawn(async move {
            let mut stream = stream;
            if timeout(TIME_MAX, converse(&mut stream, &*pages)).await.is_err() {
                let answer = answer(&plain(408, "too slow"), true);
                let _ = timeout(DRAIN_MAX, stream.write_all(answer.as_bytes())).await;
            }
            drop(permit);
        });
    }
}

/// Sends somebody away without waiting for anything. The answer fits into the buffer of a new connection;
/// who goes on to send may see a reset in its place.
fn refuse(stream: TcpStream) {
    let Ok(mut stream) = stream.into_std() else { return };
    let answer = answer(&plain(503, "too many connections"), true);
    let _ = std::io::Write::write(&mut stream, answer.as_bytes());
    // What is not read would make a reset of the close.
    let _ = std::io::Read::read(&mut stream, &mut [0; HEAD_MAX]);
}

async fn converse(stream: &mut TcpStream, pages: &impl Pages) {
    let mut head = Vec::new();
    let answer = loop {
        if head.windows(4).any(|end| end == b"\r\n\r\n") {
            break respond(&head, pages);
        }
        if head.len() >= HEAD_MAX {
            break answer(&plain(431, "the request is too long"), true);
        }
        let left = HEAD_MAX - head.len();
        match (&mut *stream).take(left as u64).read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    };
    if stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        let mut rest = [0; 1024];
        let drained = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
        let _ = timeout(DRAIN_MAX, drained).await;
    }
}

/// Returns the whole answer to the head of a request.
fn respond(head: &[u8], pages: &impl Pages) -> String {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&str> =
        std::str::from_utf8(line).map_or_else(|_| Vec::new(), |line| line.split(' ').collect());
    let &[method, target, version] = words.as_slice() else {
        return answer(&plain(400, "this is no request"), true);
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return answer(&plain(400, "this is no request"), true);
    }
    if method != "GET" && method != "HEAD" {
        return answer(&plain(405, "only GET and HEAD"), true);
    }
    let path = target.split('?').next().unwrap_or_default();
    let page = pages.page(path).unwrap_or_else(|| plain(404, "there are /metrics and /healthz"));
    tracing::debug!(path, status = page.status, "asked for a page");
    answer(&page, method == "GET")
}

pub fn plain(status: u16, text: &str) -> Page {
    let content_type = "text/plain; charset=utf-8";
    Page { status, content_type, body: format!("{text}\n") }
}

fn answer(page: &Page, with_body: bool) -> String {
    let reason = match page.status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    let Page { status, content_type, body } = page;
    let mut text = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
        body.len()
    );
    if *status == 405 {
        text.push_str("Allow: GET, HEAD\r\n");
    }
    // Writing to memory cannot fail.
    let _ = write!(text, "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
    if with_body {
        text.push_str(body);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;

    impl Pages for One {
        fn page(&self, path: &str) -> Option<Page> {
            (path == "/one").then(|| plain(200, "first"))
        }
    }

    #[test]
    fn only_what_is_a_request_for_a_page_gets_one() {
        for (head, status, body) in [
            ("GET /one HTTP/1.1\r\nHost: x\r\n\r\n", 200, "first\n"),
            ("GET /one?a=b HTTP/1.0\r\n\r\n", 200, "first\n"),
            ("HEAD /one HTTP/1.1\r\n\r\n", 200, ""),
            ("GET /two HTTP/1.1\r\n\r\n", 404, "there are /metrics and /healthz\n"),
            ("POST /one HTTP/1.1\r\n\r\n", 405, "only GET and HEAD\n"),
            ("GET /one HTTP/2\r\n\r\n", 400, "this is no request\n"),
            ("GET one HTTP/1.1\r\n\r\n", 400, "this is no request\n"),
            ("GET  /one HTTP/1.1\r\n\r\n", 400, "this is no request\n"),
            ("\r\n\r\n", 400, "this is no request\n"),
        ] {
            let answer = respond(head.as_bytes(), &One);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head:?}: {answer}");
            assert_eq!(answer.split_once("\r\n\r\n").expect("a head ends").1, body, "{head:?}");
        }
        assert!(respond(b"\xff\xfe /one HTTP/1.1\r\n\r\n", &One).starts_with("HTTP/1.1 400 "));
        assert!(respond(b"HEAD /one HTTP/1.1\r\n\r\n", &One).contains("Content-Length: 6\r\n"));
    }

    /// Runs a server on a thread of its own runtime, for as long as the test lives.
    fn server() -> (tokio::runtime::Runtime, std::net::SocketAddr) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        runtime.spawn(serve(listener, Arc::new(One)));
        (runtime, address)
    }

    fn connect(address: std::net::SocketAddr) -> std::net::TcpStream {
        std::net::TcpStream::connect(address).expect("somebody listens")
    }

    fn ask(address: std::net::SocketAddr, request: &[u8]) -> String {
        use std::io::Write as _;
        let mut stream = connect(address);
        // The answer may come before the last byte is sent, and the rest then has no reader.
        let _ = stream.write_all(request);
        rest(stream)
    }

    fn rest(mut stream: std::net::TcpStream) -> String {
        let mut bytes = Vec::new();
        // A reset ends it too; what came before counts.
        let _ = std::io::Read::read_to_end(&mut stream, &mut bytes);
        String::from_utf8(bytes).expect("it is text")
    }

    #[test]
    fn whoever_is_slow_long_or_many_is_sent_away_and_the_others_are_served() {
        use std::io::Write as _;
        let (_runtime, address) = server();
        let good = b"GET /one HTTP/1.1\r\n\r\n";
        assert!(ask(address, good).starts_with("HTTP/1.1 200 "));
        let long = [&b"GET /one HTTP/1.1\r\nX: "[..], &[b'x'; 2 * HEAD_MAX]].concat();
        assert!(ask(address, &long).starts_with("HTTP/1.1 431 "));

        // They say a little and wait. Each is served in order of its connection.
        let slow: Vec<_> = (0..100)
            .map(|_| {
                let mut stream = connect(address);
                let _ = stream.write_all(b"GET /one HTT");
                stream
            })
            .collect();
        let answers: Vec<String> = slow.into_iter().map(rest).collect();
        let count = |status: &str| answers.iter().filter(|text| text.starts_with(status)).count();
        let slow = count("HTTP/1.1 408 ");
        // The place of an earlier question may have been taken a moment longer.
        assert!((1..=CONNECTIONS_MAX).contains(&slow), "{answers:?}");
        let refused = count("HTTP/1.1 503 ");
        assert!(refused > 0, "{answers:?}");
        // Some said their little too late, and were told by a reset.
        let reset = answers.iter().filter(|text| text.is_empty()).count();
        assert_eq!(slow + refused + reset, 100, "{answers:?}");
        // A place is free again soon after its last answer.
        let served = (0..1_000).any(|_| ask(address, good).starts_with("HTTP/1.1 200 "));
        assert!(served, "there is no room again");
    }
}
