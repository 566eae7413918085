//! What can go wrong when a WebSocket is opened.

use super::tls;
use super::trouble::Trouble;
use std::error::Error;
use std::io;

/// Sorts an error of the WebSocket handshake, whose type is not part of the library's interface.
pub fn trouble(error: &(dyn Error + 'static)) -> Trouble {
    let said = |cause: String, next: &str| Trouble::WebSocket { cause, next: next.to_owned() };
    let io = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    if let Some(io) = io
        && (tls::is_tls(io) || io.to_string().contains("tls handshake"))
    {
        return tls::trouble(io);
    }
    let text = error.to_string();
    if let Some(status) = text.strip_prefix("HTTP error: ") {
        return said(
            format!("it answered the WebSocket handshake with HTTP {status}"),
            "check the path of the URL: brokers often use `/mqtt`, some `/` or `/ws`",
        );
    }
    if text.to_ascii_lowercase().contains("subprotocol") {
        return other();
    }
    said(
        format!("the WebSocket handshake failed: {text}"),
        "check that the port serves WebSockets; plain MQTT is reached with `mqtt://`",
    )
}

/// The server speaks WebSocket, but not MQTT in it.
pub fn other() -> Trouble {
    Trouble::WebSocket {
        cause: "it opened the WebSocket, but not for the sub-protocol `mqtt`".into(),
        next: "check the port and path of the URL: this is a WebSocket for something else".into(),
    }
}
