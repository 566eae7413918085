//! An HTTP server in this process, on a free port of loopback. It answers as a test says, notes what it was
//! asked, and ends with the test.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What came in.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| &**value)
    }
}

/// What goes out.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Status, further headers, body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Bytes as they are, and then the end.
    Raw(Vec<u8>),
    /// The start of an answer, and then a byte now and then, for ever.
    Drip,
    /// The start of an answer of this many bytes, as fast as they are taken.
    Flood(u64),
    /// Nothing, for ever.
    Silence,
}

impl Answer {
    pub fn json(body: &str) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Whole(200, headers, body.as_bytes().to_vec())
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self::Whole(status, Vec::new(), body.as_bytes().to_vec())
    }
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

struct Common {
    handler: Box<Handler>,
    tls: Option<Arc<ServerConfig>>,
    seen: Mutex<Vec<Request>>,
    /// Requests that are being answered, and the most there were.
    open: AtomicUsize,
    most: AtomicUsize,
    ended: AtomicBool,
}

pub struct Server {
    pub port: u16,
    common: Arc<Common>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::run(Box::new(handler), None)
    }

    pub fn start_tls(
        tls: Arc<ServerConfig>,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::run(Box::new(handler), Some(tls))
    }

    fn run(handler: Box<Handler>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let common = Arc::new(Common {
            handler,
            tls,
            seen: Mutex::default(),
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let shared = Arc::clone(&common);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { port, common, accepting: Some(accepting) }
    }

    /// Returns what it was asked, in the order of arrival.
    pub fn seen(&self) -> Vec<Request> {
        self.common.seen.lock().expect("nobody panics with it").clone()
    }

    /// Returns how many requests were answered at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.common.most.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.common.ended.store(true, Ordering::SeqCst);
        // Wakes it up.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Common {
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(IDLE_MAX));
        match &self.tls {
            None => self.converse(stream),
            Some(tls) => {
                let Ok(connection) = ServerConnection::new(Arc::clone(tls)) else { return };
                self.converse(StreamOwned::new(connection, stream));
            }
        }
    }

    fn converse(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        while let Some(request) = read(&mut stream) {
            self.seen.lock().expect("nobody panics with it").push(request.clone());
            let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(open, Ordering::SeqCst);
            let answer = (self.handler)(&request);
            let goes_on = self.answer(answer, stream.get_mut());
            self.open.fetch_sub(1, Ordering::SeqCst);
            if !goes_on {
                return;
            }
        }
    }

    /// Tells whether more can be asked on this connection.
    fn answer(&self, answer: Answer, out: &mut impl Write) -> bool {
        match answer {
            Answer::Whole(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    let _ = write!(head, "{name}: {value}\r\n");
                }
                let bytes = [head.as_bytes(), b"\r\n", &body].concat();
                out.write_all(&bytes).and_then(|()| out.flush()).is_ok()
            }
            Answer::Raw(bytes) => {
                let _ = out.write_all(&bytes).and_then(|()| out.flush());
                false
            }
            Answer::Drip => {
                let mut text = "HTTP/1.1 200 x\r\ncontent-length: 1000000\r\n\r\n".to_owned();
                while !self.ended.load(Ordering::SeqCst) {
                    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                        break;
                    }
                    " ".clone_into(&mut text);
                    thread::sleep(DRIP);
                }
                false
            }
            Answer::Flood(length) => {
                let head = format!("HTTP/1.1 200 x\r\ncontent-length: {length}\r\n\r\n");
                let piece = [b' '; 16_384];
                let mut sent = out.write_all(head.as_bytes());
                let mut left = length;
                while sent.is_ok() && left > 0 && !self.ended.load(Ordering::SeqCst) {
                    let size = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                    sent = out.write_all(&piece[..size]);
                    left -= size as u64;
                }
                false
            }
            Answer::Silence => {
                while !self.ended.load(Ordering::SeqCst) {
                    thread::sleep(DRIP);
                }
                false
            }
        }
    }
}

fn read(stream: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Request { method, target, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

/// A connection that a test forgot does not outlive it by much.
const IDLE_MAX: Duration = Duration::from_mins(1);
const DRIP: Duration = Duration::from_millis(20);
