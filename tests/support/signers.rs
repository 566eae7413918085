//! Who may come to RabbitMQ by a signature, as Alibaba Cloud's MQTT lets them in: RabbitMQ asks here about users that
//! it does not know itself.
//!
//! A user is base64 of `0:INSTANCE:KEY`, a password base64 of HMAC-SHA1 of a time in ms. Which time it was is not said
//! here, so every one of the last minute is tried.

use super::http::{Answer, Request, Server};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use ring::hmac;
use std::collections::HashMap;

/// The one who may.
pub const INSTANCE: &str = "mqtt-xxxxx";
pub const KEY: &str = "YYYYY";
pub const SECRET: &str = "XXXXX";

const RECENT_MS: i64 = 60_000;

/// Starts a server that RabbitMQ's HTTP backend can ask.
pub fn start() -> Server {
    Server::start(|request| {
        let is_known = request.target != "/user" || is_signed(request);
        Answer::status(200, if is_known { "allow" } else { "deny" })
    })
}

/// Returns what signs a time.
pub fn signature(time: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SECRET.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, time.as_bytes()))
}

/// Returns the passwords that RabbitMQ asked about, in the order in which it did.
pub fn passwords(signers: &Server) -> Vec<String> {
    let asked = signers.seen().into_iter().filter(|request| request.target == "/user");
    asked.map(|request| form(&request).remove("password").unwrap_or_default()).collect()
}

fn is_signed(request: &Request) -> bool {
    let mut form = form(request);
    let user = form.remove("username").unwrap_or_default();
    if user != BASE64_STANDARD.encode(format!("0:{INSTANCE}:{KEY}")) {
        return false;
    }
    let password = form.remove("password").unwrap_or_default();
    let now = presence::clock::now().0;
    (now - RECENT_MS..=now).rev().any(|time| signature(&time.to_string()) == password)
}

fn form(request: &Request) -> HashMap<String, String> {
    url::form_urlencoded::parse(request.body.as_bytes()).into_owned().collect()
}
