//! A headless Chromium, driven by its DevTools protocol.

use super::process::{DEADLINE, Process, Stream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A browser with one page, that ends with the test.
pub struct Chromium {
    runtime: Runtime,
    socket: WebSocketStream<TcpStream>,
    session: String,
    number: u64,
    /// What the browser told beside its answers.
    events: Vec<Value>,
    _process: Process,
    _profile: TempDir,
}

impl Chromium {
    /// Starts it with nothing of its own that would go to the network.
    pub fn start() -> Self {
        let profile = TempDir::new().expect("a temporary folder can be made");
        let mut command = Command::new("chromium");
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank");
        let process = Process::start(&mut command);
        let told = "DevTools listening on ";
        let line = process.wait_line_of(Stream::Err, |line| line.starts_with(told), DEADLINE);
        let url = line.trim_start_matches(told).trim().to_owned();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let socket = runtime.block_on(async {
            let address = url.trim_start_matches("ws://").split('/').next().expect("it has a host");
            let stream = TcpStream::connect(address).await.expect("the browser listens");
            tokio_tungstenite::client_async(&url, stream).await.expect("it speaks WebSocket").0
        });
        let mut browser = Self {
            runtime,
            socket,
            session: String::new(),
            number: 0,
            events: Vec::new(),
            _process: process,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", &attach);
        let id = session["sessionId"].as_str().expect("a session has an id");
        id.clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Opens a file, with what stands behind `#`, and waits until all of it is there.
    pub fn open(&mut self, path: &Path, fragment: &str) {
        self.events.clear();
        let url = format!("file://{}{fragment}", path.display());
        // Away first: from one fragment to another nothing would be loaded.
        self.call("Page.navigate", &json!({"url": "about:blank"}));
        self.wait_for("Page.loadEventFired");
        self.events.clear();
        self.call("Page.navigate", &json!({ "url": url }));
        self.wait_for("Page.loadEventFired");
    }

    /// Returns what an expression is in the page.
    #[track_caller]
    pub fn ask(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", &asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Lays the page out as it is printed, on paper that is so many pixels wide.
    pub fn on_paper(&mut self, width: u32) {
        self.call("Emulation.setEmulatedMedia", &json!({"media": "print"}));
        let size = json!({"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Types into the search of the page.
    pub fn search(&mut self, text: &str) {
        self.ask("document.getElementById('q').value = ''; document.getElementById('q').focus()");
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Returns what was written to the console, and which requests were made, but for the page itself.
    pub fn complaints(&mut self) -> Vec<String> {
        // An answer: all that was told before it has been heard.
        self.ask("0");
        let is_page = |event: &Value| {
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            url.starts_with("file://") && event["params"]["type"] == "Document"
        };
        let is_complaint = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded") => true,
            Some("Network.requestWillBeSent") => !is_page(event),
            _ => false,
        };
        self.events.iter().filter(is_complaint).map(Value::to_string).collect()
    }

    #[track_caller]
    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        let id = self.number;
        let mut message = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let text = message.to_string();
        self.runtime.block_on(self.socket.send(Message::text(text))).expect("the browser listens");
        loop {
            let mut message = self.hear();
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    fn wait_for(&mut self, method: &str) {
        while !self.events.iter().any(|event| event["method"] == method) {
            let event = self.hear();
            self.events.push(event);
        }
    }

    fn hear(&mut self) -> Value {
        let heard = self.runtime.block_on(async {
            tokio::time::timeout(DEADLINE, self.socket.next()).await.expect("the browser answers")
        });
        let message = heard.expect("the browser is there").expect("it speaks WebSocket");
        serde_json::from_str(message.to_text().expect("it speaks text")).expect("it speaks JSON")
    }
}
