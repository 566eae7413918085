//! The few requests of RocketMQ's remoting protocol that tests make themselves, on blocking sockets: quicker than its
//! tools of Java by a factor of hundred. What is under test has a reader of its own.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ring::hmac;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Who asks, where somebody wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub key: &'static str,
    pub secret: &'static str,
}

#[derive(Debug)]
pub struct Answer {
    pub code: i64,
    pub remark: String,
    pub fields: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Longer than any answer takes on a busy machine.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// RocketMQ 5.3.3: from 4.9.4 on the JSON of routes is true to the standard.
const VERSION: u16 = 479;

/// Asks the server of this port of loopback, on a connection for this question alone.
pub fn ask(
    port: u16,
    account: Option<Account>,
    code: u16,
    fields: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut fields: BTreeMap<&str, &str> = fields.iter().copied().collect();
    let signature;
    if let Some(account) = account {
        fields.insert("AccessKey", account.key);
        signature = account.sign(&fields, body);
        fields.insert("Signature", &signature);
    }
    let header = json!({
        "code": code, "language": "OTHER", "version": VERSION, "opaque": 1, "flag": 0, "extFields": fields,
    });
    let header = header.to_string();
    let mut frame = Vec::new();
    frame.extend(word(4 + header.len() + body.len()));
    frame.extend(word(header.len()));
    frame.extend(header.as_bytes());
    frame.extend(body);

    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream.write_all(&frame)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    Ok(Answer::of(&frame))
}

impl Account {
    /// HMAC-SHA1 of the values of all fields, sorted by name, and the body.
    fn sign(&self, fields: &BTreeMap<&str, &str>, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let mut signed: Vec<u8> = fields.values().flat_map(|value| value.bytes()).collect();
        signed.extend(body);
        BASE64_STANDARD.encode(hmac::sign(&key, &signed))
    }
}

impl Answer {
    fn of(frame: &[u8]) -> Self {
        let (how, rest) = frame.split_at(4);
        let length = u32::from_be_bytes([0, how[1], how[2], how[3]]) as usize;
        let (header, body) = rest.split_at(length);
        // The server chooses, whatever it was asked in.
        let (code, remark, fields) = if how[0] == 0 { of_json(header) } else { of_bytes(header) };
        Self { code, remark, fields, body: body.to_vec() }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

type Header = (i64, String, BTreeMap<String, String>);

fn of_json(header: &[u8]) -> Header {
    let header: Value = serde_json::from_slice(header).expect("the header is JSON");
    let fields = header["extFields"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| (name.clone(), text(value)));
    let remark = header["remark"].as_str().unwrap_or_default().to_owned();
    (header["code"].as_i64().expect("it has a code"), remark, fields.collect())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Shape: code (2 bytes), language (1), version (2), number (4), flags (4), remark, then names and values.
fn of_bytes(header: &[u8]) -> Header {
    fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
        rest.split_off(..length).expect("it is as long as it says")
    }
    fn number(rest: &mut &[u8], length: usize) -> usize {
        take(rest, length).iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }
    fn string(rest: &mut &[u8], length: usize) -> String {
        let length = number(rest, length);
        String::from_utf8_lossy(take(rest, length)).into_owned()
    }
    let mut rest = header;
    let code = number(&mut rest, 2);
    take(&mut rest, 1 + 2 + 4 + 4);
    let remark = string(&mut rest, 4);
    let length = number(&mut rest, 4);
    let mut pairs = take(&mut rest, length);
    let mut fields = BTreeMap::new();
    while !pairs.is_empty() {
        let name = string(&mut pairs, 2);
        fields.insert(name, string(&mut pairs, 4));
    }
    (i64::try_from(code).expect("it has two bytes"), remark, fields)
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("frames of tests are short").to_be_bytes()
}

/// A server that answers the first request of each connection with these bytes. It ends with the test.
pub fn server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || answer_first(stream, &answer));
        }
    });
    address
}

fn answer_first(mut stream: TcpStream, answer: &[u8]) {
    let mut length = [0; 4];
    if stream.read_exact(&mut length).is_err() {
        return;
    }
    let mut request = vec![0; u32::from_be_bytes(length) as usize];
    if stream.read_exact(&mut request).is_ok() && stream.write_all(answer).is_ok() {
        // Until they have had enough of us.
        let _ = stream.read(&mut [0]);
    }
}

/// Returns a name server that knows a topic at this broker.
pub fn name_server(broker: &str) -> String {
    let header = json!({"code": 0, "flag": 1, "opaque": 1, "version": 479}).to_string();
    let route = json!({
        "brokerDatas": [{"brokerName": "broker-a", "brokerAddrs": {"0": broker}}],
        "queueDatas": [{"brokerName": "broker-a", "perm": 6, "readQueueNums": 1}],
    });
    let route = route.to_string();
    server(
        [
            &word(4 + header.len() + route.len())[..],
            &word(header.len()),
            header.as_bytes(),
            route.as_bytes(),
        ]
        .concat(),
    )
}
