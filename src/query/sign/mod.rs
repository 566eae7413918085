//! The signatures that clouds ask for. All of them are checked against what the vendors print.

pub mod aliyun;
pub mod aws;
pub mod azure;
pub mod tencent;

use ring::{digest, hmac};
use std::fmt::Write as _;

fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hmac_sha256(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
