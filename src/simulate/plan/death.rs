//! The ways in which a life can end, and their words.

use crate::wire::Version;
use std::borrow::Cow;

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Death {
    /// A goodbye.
    Disconnect,
    /// A goodbye with a reason other than 0x00 (MQTT 5): the will is published.
    DisconnectWith(u8),
    /// The connection is closed without a goodbye.
    Fin,
    /// The connection is reset.
    Rst,
    /// The TCP connection under TLS is closed, and TLS is not told (no close_notify).
    TlsCut,
    /// The connection stays open, and nothing is sent or read any more.
    Silence,
    /// A router forgets the flow: nothing passes in either direction any more. The device does not
    /// know, and goes on until it misses an answer.
    NatDrop,
    /// The device connects once more while this connection is open, with its next life.
    TakeOver,
    /// It lives until the run is over, and says goodbye then.
    Stay,
}

impl Death {
    /// One of each kind.
    pub const ALL: [Self; 9] = [
        Self::Disconnect,
        Self::DisconnectWith(WITH_WILL),
        Self::Fin,
        Self::Rst,
        Self::TlsCut,
        Self::Silence,
        Self::NatDrop,
        Self::TakeOver,
        Self::Stay,
    ];

    /// Returns the word for it, as it is typed and shown.
    pub fn word(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Disconnect => "disconnect",
            Self::DisconnectWith(WITH_WILL) => "disconnect-with-will",
            Self::DisconnectWith(reason) => return format!("disconnect-0x{reason:02x}").into(),
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::TlsCut => "tls-cut",
            Self::Silence => "silence",
            Self::NatDrop => "nat-drop",
            Self::TakeOver => "takeover",
            Self::Stay => "stay",
        })
    }

    /// Reads a word, or `disconnect-0x81` with any reason that a client may send.
    ///
    /// Errors: what there is instead.
    pub fn read(word: &str) -> Result<Self, String> {
        if let Some(digits) = word.strip_prefix("disconnect-0x") {
            let reason = u8::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2);
            return match reason {
                Some(0) => Ok(Self::Disconnect),
                Some(reason) if CLIENT_REASONS.contains(&reason) => {
                    Ok(Self::DisconnectWith(reason))
                }
                _ => Err(format!(
                    "`{word}` names no reason that a client may send; there are {} (MQTT 5.0 §3.14.2.1)",
                    CLIENT_REASONS.map(|reason| format!("0x{reason:02x}")).join(", ")
                )),
            };
        }
        Self::ALL.into_iter().find(|death| death.word() == word).ok_or_else(|| {
            let words = Self::ALL.map(|death| format!("`{}`", death.word())).join(", ");
            format!("`{word}` is no way to die; there are {words}")
        })
    }

    /// Returns what it needs and such a connection does not have.
    pub fn lacks(self, version: Version, is_tls: bool) -> Option<Lack> {
        match self {
            Self::DisconnectWith(_) if version == Version::V311 => Some(Lack::Version5),
            Self::TlsCut if !is_tls => Some(Lack::Tls),
            _ => None,
        }
    }

    /// Tells whether the connection stays open, and nothing is heard of the device any more.
    pub const fn is_silent(self) -> bool {
        matches!(self, Self::Silence | Self::NatDrop)
    }
}

/// What a connection would have to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Version5,
    Tls,
}

impl Lack {
    /// Returns why it matters, and what helps.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Version5 => {
                ("a goodbye of MQTT 3.1.1 has no reason (§3.14)", "add `--mqtt-version 5`")
            }
            Self::Tls => (
                "there is no TLS on this connection that could be cut",
                "use `mqtts://` or `wss://`",
            ),
        }
    }
}

/// "Disconnect with will message" (MQTT 5.0 §3.14.2.1).
pub const WITH_WILL: u8 = 0x04;

/// Reasons other than 0x00 that a client may send (MQTT 5.0 §3.14.2.1, table 3-10).
const CLIENT_REASONS: [u8; 13] =
    [WITH_WILL, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];
