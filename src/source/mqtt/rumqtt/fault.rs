//! Errors of rumqttc that both versions share, sorted.

use crate::source::mqtt::tls;
use crate::source::mqtt::trouble::{Foreign, Trouble};
use rumqttc::TlsError;
use std::error::Error;
use std::io;

/// The first bytes of `HTTP`, read as MQTT: a PUBACK of 84 bytes for this packet id.
pub const HTTP_ID: u16 = u16::from_be_bytes(*b"TP");

/// Tells whether a text was longer than its packet in the way a TLS alert is, read as MQTT: a CONNECT
/// whose protocol name has a length made of the minor version of TLS and the upper byte of a length.
pub const fn is_tls_alert(text_length: usize) -> bool {
    matches!(text_length, 0x100 | 0x200 | 0x300)
}

/// Sorts an error of the stream that MQTT is read from.
pub fn stream(error: io::Error, connected: bool) -> Trouble {
    // The decoder's words for a stream that ends within a packet.
    let cut = error.kind() == io::ErrorKind::Other && error.to_string().contains("remaining on");
    match Trouble::from_io(error) {
        Trouble::Broken(_) if cut && connected => Trouble::Closed,
        Trouble::Broken(_) if cut => Trouble::Foreign(Foreign::Other),
        Trouble::Closed if !connected => Trouble::Unanswered,
        Trouble::Broken(error) if !connected && error.kind() == io::ErrorKind::ConnectionReset => {
            Trouble::Unanswered
        }
        trouble => trouble,
    }
}

/// Sorts the end of a stream between two packets.
pub const fn ended(connected: bool) -> Trouble {
    if connected { Trouble::Closed } else { Trouble::Unanswered }
}

/// Sorts a packet that cannot be read.
pub fn unreadable(what: &dyn Error, connected: bool) -> Trouble {
    if connected { Trouble::Malformed(what.to_string()) } else { Trouble::Foreign(Foreign::Other) }
}

/// Sorts an error of the TLS handshake.
pub fn handshake(error: TlsError, host: String) -> Trouble {
    match error {
        TlsError::Io(error) => tls::trouble(&error),
        TlsError::TLS(error) => tls::of_rustls(&error),
        TlsError::DNSName(_) => Trouble::NoServerName(host),
        other => Trouble::Failed(other.to_string()),
    }
}
