//! Two pages for whoever may reach the port. Nothing of a request is ever repeated.

use crate::serve::{self, Answer, Head, Limits, Site};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const LIMITS: Limits = Limits { connections: 16, body: 0, time: Duration::from_secs(5) };

/// What is served.
pub trait Pages: Send + Sync + 'static {
    /// Returns the page at this path, `None` where there is none.
    fn page(&self, path: &str) -> Option<Answer>;
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, pages: impl Pages) {
    serve::serve(listener, LIMITS, Arc::new(Book(pages)), std::future::pending()).await;
}

struct Book<P>(P);

impl<P: Pages> Site for Book<P> {
    fn admit(&self, head: &Head) -> Result<(), Answer> {
        match &*head.method {
            "GET" | "HEAD" => Ok(()),
            _ => Err(Answer::plain(405, "only GET and HEAD").with("Allow", "GET, HEAD")),
        }
    }

    async fn answer(&self, head: Head, _body: Vec<u8>) -> Answer {
        let page = self.0.page(&head.path);
        let page = page.unwrap_or_else(|| Answer::plain(404, "there are /metrics and /healthz"));
        tracing::debug!(path = head.path, status = page.status, "asked for a page");
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;

    impl Pages for One {
        fn page(&self, path: &str) -> Option<Answer> {
            (path == "/one").then(|| Answer::plain(200, "first"))
        }
    }

    #[test]
    fn only_what_is_a_request_for_a_page_gets_one() {
        let (_runtime, address) = server();
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
            let answer = ask(address, head.as_bytes());
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head:?}: {answer}");
            assert_eq!(answer.split_once("\r\n\r\n").expect("a head ends").1, body, "{head:?}");
        }
        assert!(ask(address, b"\xff\xfe /one HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
        assert!(ask(address, b"HEAD /one HTTP/1.1\r\n\r\n").contains("Content-Length: 6\r\n"));
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
        runtime.spawn(serve(listener, One));
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
        let long = [&b"GET /one HTTP/1.1\r\nX: "[..], &[b'x'; 2 * serve::HEAD_MAX]].concat();
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
        assert!((1..=LIMITS.connections).contains(&slow), "{answers:?}");
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
