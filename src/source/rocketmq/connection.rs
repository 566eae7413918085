//! One connection to a server of RocketMQ, with several requests under way.

use super::fault;
use super::frame::{self, Fields, Frame};
use crate::source::remote::{Line, Setback};
use bytes::Bytes;
use rustls::ClientConfig;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

/// Where requests go in, and answers come out.
#[derive(Debug)]
pub struct Connection {
    server: String,
    requests: mpsc::Sender<Request>,
}

/// Told when the members of a group may be others than before.
pub type Changed = Arc<Notify>;

/// Something that is asked.
#[derive(Debug)]
struct Request {
    code: u16,
    fields: Fields,
    body: Bytes,
    answer: oneshot::Sender<Result<Frame, Broken>>,
}

/// Why a connection ended: every request that was under way is told.
#[derive(Clone, Debug)]
struct Broken {
    cause: String,
    next: String,
}

/// What a broker says to the members of a group when one comes or goes.
const MEMBERS_CHANGED: i64 = 40;
/// Requests that may wait to be sent. Each queue has one under way.
const WAITING_MAX: usize = 64;

impl Connection {
    /// Connects, within five seconds. Runs within tokio.
    pub async fn open(
        host: String,
        port: u16,
        server: String,
        tls: Option<&Arc<ClientConfig>>,
        changed: &Changed,
    ) -> Result<Self, Setback> {
        let line = Line::open(host, port, tls).await;
        let line = line.map_err(|trouble| fault::trouble(&trouble, &server))?;
        let (requests, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(speak(line, waiting, Arc::clone(changed)));
        Ok(Self { server, requests })
    }

    /// Tells whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    pub fn server(&self) -> &str {
        &self.server
    }

    /// Asks, and waits for the answer for so long.
    pub async fn ask(
        &self,
        code: u16,
        fields: Fields,
        body: Bytes,
        within: Duration,
    ) -> Result<Frame, Setback> {
        let (answer, answered) = oneshot::channel();
        let request = Request { code, fields, body, answer };
        let asked = async {
            self.requests.send(request).await.ok()?;
            answered.await.ok()
        };
        match timeout(within, asked).await {
            Ok(Some(Ok(frame))) => Ok(frame),
            Ok(Some(Err(Broken { cause, next }))) => {
                Err(Setback::new(format!("{}: {cause}", self.server), next))
            }
            Ok(None) => Err(Setback::new(
                format!("{}: the connection ended", self.server),
                "see what its log says about it",
            )),
            Err(_) => Err(Setback::new(
                format!("{} did not answer within {}s", self.server, within.as_secs()),
                "check the port, whether it wants TLS, and that the server is not overloaded",
            )),
        }
    }
}

/// Sends what is asked and hands out what is answered, until nobody asks any more or the line breaks.
async fn speak(mut line: Line, mut requests: mpsc::Receiver<Request>, changed: Changed) {
    let mut under_way = UnderWay::default();
    let broken = loop {
        let step = tokio::select! {
            request = requests.recv() => match request {
                Some(request) => {
                    let bytes = under_way.begin(request);
                    line.send(&bytes).await
                }
                None => return,
            },
            read = line.read() => match read {
                Ok(()) => under_way.answered(&mut line, &changed),
                Err(setback) => Err(setback),
            },
        };
        if let Err(Setback { cause, next, .. }) = step {
            break Broken { cause, next };
        }
    };
    // To the broker that is the end of a membership.
    changed.notify_one();
    // Whoever still asks is told the same, and nobody new gets in.
    requests.close();
    while let Some(request) = requests.recv().await {
        let _ = request.answer.send(Err(broken.clone()));
    }
    for answer in under_way.asked.into_values() {
        let _ = answer.send(Err(broken.clone()));
    }
}

/// Requests that are not answered yet, by number.
#[derive(Debug, Default)]
struct UnderWay {
    last: u32,
    asked: HashMap<u32, oneshot::Sender<Result<Frame, Broken>>>,
}

impl UnderWay {
    /// Returns a request as bytes, to be sent.
    fn begin(&mut self, request: Request) -> Vec<u8> {
        // Nobody waits any more for what had its time.
        self.asked.retain(|_, answer| !answer.is_closed());
        let Request { code, fields, body, answer } = request;
        self.last = self.last.wrapping_add(1) & NUMBER_MAX;
        self.asked.insert(self.last, answer);
        frame::request(code, self.last, &fields, &body)
    }

    /// Hands out the answers that came in.
    fn answered(&mut self, line: &mut Line, changed: &Changed) -> Result<(), Setback> {
        while let Some(frame) =
            frame::read(&mut line.input).map_err(|malformed| Setback::foreign(malformed.0))?
        {
            let number = u32::try_from(frame.opaque).ok().filter(|_| frame.is_answer);
            // What else a server asks of members of groups is for those who commit.
            if !frame.is_answer && frame.code == MEMBERS_CHANGED {
                changed.notify_one();
            }
            if let Some(answer) = number.and_then(|number| self.asked.remove(&number)) {
                // Whoever asked may have given up.
                let _ = answer.send(Ok(frame));
            }
        }
        Ok(())
    }
}

/// Numbers are signed where they are read.
const NUMBER_MAX: u32 = i32::MAX as u32;
