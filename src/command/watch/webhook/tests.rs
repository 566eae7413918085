use super::*;
use crate::cli::{Cli, Command};
use crate::event::Timestamp;
use crate::state::presence::Cause;
use crate::state::verdict::{Status, Verdict};
use clap::Parser as _;
use ring::hmac;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;

const QUICK: Pace = Pace {
    gather: Duration::from_millis(20),
    again: Duration::from_millis(10),
    again_max: Duration::from_millis(40),
};

/// A request as the server read it.
#[derive(Debug)]
struct Request {
    head: String,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("it is JSON")
    }
}

/// A server that gives each request the next of these answers, and the last one for ever. An empty
/// answer closes the connection, `hang` keeps it open in silence.
struct Server {
    port: u16,
    heard: mpsc::Receiver<Request>,
}

impl Server {
    fn start(answers: &'static [&'static str]) -> Self {
        Self::start_with(answers, |stream| Box::new(stream))
    }

    fn start_with(
        answers: &'static [&'static str],
        wrap: impl Fn(TcpStream) -> Box<dyn ReadWrite> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (tell, heard) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut silent, mut number) = (Vec::new(), 0);
            for stream in listener.incoming() {
                let mut stream = wrap(stream.expect("somebody connects"));
                let Some(request) = read_request(&mut *stream) else { continue };
                let answer = answers[number.min(answers.len() - 1)];
                number += 1;
                if tell.send(request).is_err() {
                    return;
                }
                if answer == "hang" {
                    silent.push(stream);
                } else {
                    let close = "connection: close\r\ncontent-length: 0\r\n\r\n";
                    let text = if answer.is_empty() {
                        String::new()
                    } else {
                        format!("HTTP/1.1 {answer}\r\n{close}")
                    };
                    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
                }
            }
        });
        Self { port, heard }
    }

    fn next(&self) -> Request {
        self.heard.recv_timeout(Duration::from_secs(30)).expect("a request comes")
    }
}

trait ReadWrite: Read + Write + Send {}
impl<T: Read + Write + Send> ReadWrite for T {}

fn read_request(stream: &mut dyn ReadWrite) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Request { head, body: String::new() };
    let length = request.header("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

fn options(url: &str, more: &[&str]) -> Acting {
    let words = ["presence", "watch", "--webhook", url];
    let cli = Cli::try_parse_from(words.iter().chain(more)).expect("it can be typed");
    let Command::Watch(watch) = cli.command else { panic!("it is `watch`") };
    watch.acting
}

fn webhook(url: &str, more: &[&str], patience: Duration) -> Webhook {
    let (target, _) =
        Target::new(&options(url, more)).expect("it is fine").expect("it is asked for");
    Webhook::start(target, 10_000, patience, QUICK).expect("it starts")
}

fn push(webhook: &Webhook, client: &str) {
    let verdict = Verdict { status: Status::Offline, ..Verdict::unknown(client) };
    let (at, cause) = (Timestamp(7), Cause::Tcpclean);
    let change = Change { at, from: Status::Online, cause, verdict, held_ms: None };
    webhook.push("broker.example:1883", &change);
}

/// Returns the schema of a batch.
fn schema() -> jsonschema::Validator {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(format!("{folder}/{name}")).expect("it is there");
        serde_json::from_str(&text).expect("it is JSON")
    };
    let registry = jsonschema::Registry::new()
        .add("https://presence.example/change.schema.json", read("change.schema.json"))
        .and_then(jsonschema::RegistryBuilder::prepare)
        .expect("it is a schema");
    jsonschema::options()
        .with_registry(&registry)
        .with_base_uri("https://presence.example/changes.schema.json")
        .build(&read("changes.schema.json"))
        .expect("it is a schema")
}

fn close(webhook: Webhook) -> (Posts, Vec<Warning>) {
    webhook.begin_close();
    webhook.close()
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn changes_are_posted_in_batches_and_signed() {
    let server = Server::start(&["204 No Content"]);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s3cret\n").expect("the folder is ours");
    let url = format!("http://me:hunter2@127.0.0.1:{}/hook?a=b", server.port);
    let more = ["--webhook-secret-file", secret.to_str().expect("it is text")];
    let webhook = webhook(&url, &more, LONG);
    for number in 0..1_203 {
        push(&webhook, &format!("c\"{number}"));
    }
    let (posts, warnings) = close(webhook);
    assert_eq!((posts.delivered, posts.retries, posts.unsent), (1_203, 0, 0), "{warnings:?}");
    let (mut clients, schema) = (Vec::new(), schema());
    for sequence in 1..=posts.batches {
        let request = server.next();
        assert!(request.head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{}", request.head);
        assert_eq!(request.header("authorization"), Some("Basic bWU6aHVudGVyMg=="));
        let timestamp = request.header("x-presence-timestamp").expect("it is stamped");
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
        let signature = request.header("x-presence-signature").expect("it is signed");
        let hex = signature.strip_prefix("sha256=").expect("it names the algorithm");
        let tag: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("it is hexadecimal"))
            .collect();
        let signed = format!("{timestamp}.{}", request.body);
        assert!(hmac::verify(&key, signed.as_bytes(), &tag).is_ok(), "{signature}");
        let json = request.json();
        assert!(schema.is_valid(&json), "{json}");
        assert_eq!((&json["type"], &json["sequence"]), (&"changes".into(), &sequence.into()));
        let changes = json["changes"].as_array().expect("a list").clone();
        assert!(changes.len() <= 500);
        clients.extend(changes.iter().map(|change| change["client"].clone()));
    }
    let expected: Vec<Value> = (0..1_203).map(|number| format!("c\"{number}").into()).collect();
    assert_eq!(clients, expected);
}

#[test]
fn what_is_not_taken_is_posted_again_the_same() {
    let server = Server::start(&["500 Oh", "", "408 Slow", "garbage", "200 OK"]);
    let webhook = webhook(&format!("http://127.0.0.1:{}", server.port), &[], LONG);
    push(&webhook, "pump-7");
    let bodies: Vec<String> = (0..5).map(|_| server.next().body).collect();
    let (posts, _) = close(webhook);
    assert_eq!((posts.delivered, posts.batches, posts.retries), (1, 1, 4), "{posts:?}");
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
}

#[test]
fn a_server_that_names_a_time_is_asked_again_then() {
    let server = Server::start(&["429 Later\r\nretry-after: 1", "200 OK"]);
    let webhook = webhook(&format!("http://127.0.0.1:{}", server.port), &[], LONG);
    push(&webhook, "pump-7");
    server.next();
    let begun = clock::monotonic();
    server.next();
    assert!(begun.elapsed() >= Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!(close(webhook).0.retries, 1);
}

#[test]
fn what_is_refused_is_given_up_and_counted() {
    let server = Server::start(&["404 No", "302 Away\r\nlocation: /elsewhere", "200 OK"]);
    let webhook = webhook(&format!("http://127.0.0.1:{}/s3cret", server.port), &[], LONG);
    for client in ["a", "b", "c"] {
        push(&webhook, client);
        assert_eq!(server.next().json()["changes"][0]["client"], client);
    }
    let (posts, _) = close(webhook);
    assert_eq!((posts.refused, posts.delivered, posts.retries), (2, 1, 0));
    assert!(server.heard.try_recv().is_err(), "nobody went elsewhere");
}

#[test]
fn a_server_that_hangs_holds_nobody_up_and_memory_is_bounded() {
    let server = Server::start(&["hang"]);
    let url = format!("http://127.0.0.1:{}/s3cret", server.port);
    let acting = options(&url, &["--webhook-timeout", "300ms"]);
    let (target, _) = Target::new(&acting).expect("it is fine").expect("it is asked for");
    let patience = acting.webhook_timeout;
    let webhook = Webhook::start(target, 100, patience, QUICK).expect("it starts");
    push(&webhook, "first");
    server.next();
    for number in 0..10_000 {
        push(&webhook, &number.to_string());
    }
    assert_eq!(webhook.status().as_deref(), Some("101 for --webhook"));
    let (posts, warnings) = close(webhook);
    assert_eq!((posts.delivered, posts.dropped, posts.unsent), (0, 9_900, 101));
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let shown =
        format!("`http://127.0.0.1:{}` did not take changes: no answer in time", server.port);
    assert!(said[0].contains(&shown), "{said:?}");
    assert!(said[1].contains("`--webhook` cannot keep up: 9,900 changes left out"), "{said:?}");
    assert!(!said.concat().contains("s3cret"), "{said:?}");
}

#[test]
fn whoever_is_in_a_hurry_does_not_wait_for_it() {
    let server = Server::start(&["503 Later"]);
    let webhook = webhook(&format!("http://127.0.0.1:{}", server.port), &[], LONG * 1_000);
    push(&webhook, "pump-7");
    server.next();
    webhook.begin_close().hurry();
    assert_eq!(webhook.close().0.unsent, 1);
}

#[test]
fn certificates_are_verified() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("it is made");
    let cafile = folder.path().join("ca.pem");
    std::fs::write(&cafile, made.cert.pem()).expect("the folder is ours");
    let server = Server::start_with(&["200 OK"], {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("it knows them")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .expect("they belong together");
        let config = Arc::new(config);
        move |stream| {
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).expect("it is fine");
            Box::new(rustls::StreamOwned::new(tls, stream))
        }
    });
    let url = format!("https://localhost:{}", server.port);
    let believed = ["--webhook-cafile", cafile.to_str().expect("it is text")];
    let webhook_of = |more: &[&str], patience| webhook(&url, more, patience);
    let trusting = webhook_of(&believed, LONG);
    push(&trusting, "pump-7");
    assert_eq!(server.next().json()["changes"][0]["client"], "pump-7");
    assert_eq!(close(trusting).0.delivered, 1);
    if Path::new("/etc/ssl/certs").exists() {
        let careful = webhook_of(&[], Duration::from_millis(200));
        push(&careful, "pump-7");
        let (posts, warnings) = close(careful);
        assert_eq!((posts.delivered, posts.unsent), (0, 1));
        assert!(warnings[0].to_string().contains("invalid peer certificate"), "{warnings:?}");
    }
}

#[test]
fn what_cannot_be_posted_to_is_said_without_showing_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("the folder is ours");
        path.to_str().expect("it is text").to_owned()
    };
    let empty = file("empty", "\n");
    let none = folder.path().join("none").to_str().expect("it is text").to_owned();
    let plain = "http://hooks.example/hunter2";
    for (url, more, code, cause) in [
        ("hunter2", vec![], 2, "relative URL"),
        ("ftp://h/hunter2", vec![], 2, "its scheme is neither"),
        ("https:///", vec![], 2, "empty host"),
        ("data:hunter2", vec![], 2, "its scheme is neither"),
        (plain, vec!["--webhook-secret-file", &empty], 4, "it is empty"),
        (plain, vec!["--webhook-secret-file", &none], 4, "No such file"),
        (plain, vec!["--webhook-cafile", &empty], 2, "is not encrypted"),
    ] {
        let failure = Target::new(&options(url, &more)).expect_err(url);
        let text = failure.to_string();
        assert_eq!(failure.outcome.code(), code, "{text}");
        assert!(text.contains(cause) && !text.contains("hunter2"), "{text}");
    }
    let secret = file("secret", "s");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for (mode, warned) in [(0o644, 1), (0o600, 0)] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&secret, permissions).expect("the file is ours");
            let read = Target::new(&options(plain, &["--webhook-secret-file", &secret]));
            let (_, warnings) = read.expect("it is fine").expect("it is asked for");
            assert_eq!(warnings.len(), warned, "{mode:o}");
        }
    }
}
