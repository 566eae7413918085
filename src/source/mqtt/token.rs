//! What Alibaba Cloud's MQTT tells a client about its tokens, before it closes the connection over one.
//!
//! Nobody subscribes to it: it is pushed. Tokens are renewed where they are kept, never over the connection.

use crate::event::Timestamp;
use serde::Deserialize;
use std::fmt;

/// A notice about a token of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The token will be good for nothing from this moment on, on the service's clock.
    Expires { kind: Kind, at: Timestamp },
    /// It is good for nothing: the connection is closed next.
    Invalid { kind: Kind, code: i64 },
}

/// What a token allows: `R`, `W`, `RW`, or what we do not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    #[default]
    Unknown,
    Read,
    Write,
    Both,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default, rename = "type")]
    kind: String,
    code: Option<i64>,
    #[serde(rename = "expireTime")]
    expire_time: Option<i64>,
}

/// Reads a notice; `None` is something else, or one that says nothing.
///
/// Shape: topic `$SYS/tokenInvalidNotice`, payload `{"code":2,"type":"RW"}`; topic `$SYS/tokenExpireNotice`,
/// payload `{"expireTime":1760000000000,"type":"R"}`, in ms.
/// Source: "Client operations for token-based authentication" of the vendor (2026-01).
#[must_use]
pub fn read(topic: &str, payload: &[u8]) -> Option<Notice> {
    let is_invalid = match topic {
        INVALID => true,
        EXPIRES => false,
        _ => return None,
    };
    if payload.len() > PAYLOAD_MAX {
        return None;
    }
    let body: Body = serde_json::from_slice(payload).ok()?;
    let kind = match &*body.kind {
        "R" => Kind::Read,
        "W" => Kind::Write,
        "RW" => Kind::Both,
        _ => Kind::Unknown,
    };
    if is_invalid {
        Some(Notice::Invalid { kind, code: body.code? })
    } else {
        Some(Notice::Expires { kind, at: Timestamp(body.expire_time?) })
    }
}

impl Notice {
    /// Returns the one that counts of two: that a token is invalid is the last word about it.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        match (self, before) {
            (Self::Expires { .. }, Some(before @ Self::Invalid { .. })) => before,
            (notice, _) => notice,
        }
    }

    /// Returns what is to come, as a sentence; `None` where it has come.
    #[must_use]
    pub fn ahead(&self) -> Option<String> {
        let Self::Expires { kind, at } = self else { return None };
        let time = jiff::Timestamp::from_millisecond(at.0).ok()?;
        Some(format!("{kind} expires at {}", time.strftime("%Y-%m-%dT%H:%M:%SZ")))
    }

    /// Tells whether it explains that a connection ended at `now`.
    #[must_use]
    pub fn explains_end(&self, now: Timestamp) -> bool {
        match self {
            Self::Invalid { .. } => true,
            // Their clock and ours need not agree.
            Self::Expires { at, .. } => now.0.saturating_add(SKEW_MS) >= at.0,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the token",
            Self::Read => "the token `R`",
            Self::Write => "the token `W`",
            Self::Both => "the token `RW`",
        })
    }
}

/// As half a sentence.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expires { kind, .. } => write!(f, "{kind} expired"),
            Self::Invalid { code: 2, kind } => write!(f, "{kind} expired (code 2)"),
            Self::Invalid { code, kind } => {
                write!(f, "the service declared {kind} invalid (code {code}")?;
                let why = match code {
                    1 => ": forged, or cannot be read",
                    3 => ": revoked",
                    4 => ": it is not for this topic or group",
                    5 => ": it does not allow this",
                    8 => ": its signature is wrong",
                    _ => "",
                };
                write!(f, "{why})")
            }
        }
    }
}

const INVALID: &str = "$SYS/tokenInvalidNotice";
const EXPIRES: &str = "$SYS/tokenExpireNotice";
const PAYLOAD_MAX: usize = 4_096;
const SKEW_MS: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_read_and_said() {
        for (topic, payload, said) in [
            (INVALID, r#"{"code":2,"type":"RW"}"#, Some("the token `RW` expired (code 2)")),
            (
                INVALID,
                r#"{"type":"R","code":3}"#,
                Some("the service declared the token `R` invalid (code 3: revoked)"),
            ),
            (INVALID, r#"{"code":77}"#, Some("the service declared the token invalid (code 77)")),
            (EXPIRES, r#"{"expireTime":1760000000000,"type":"W"}"#, Some("the token `W` expired")),
            (INVALID, r#"{"type":"RW"}"#, None),
            (EXPIRES, r#"{"code":2}"#, None),
            (INVALID, "code=2", None),
            ("$SYS/tokenOther", r#"{"code":2,"type":"RW"}"#, None),
            ("devices/$SYS/tokenInvalidNotice", r#"{"code":2}"#, None),
        ] {
            let notice = read(topic, payload.as_bytes()).map(|notice| notice.to_string());
            assert_eq!(notice.as_deref(), said, "{topic} {payload}");
        }
        let long = format!(r#"{{"code":2,"type":"{}"}}"#, "x".repeat(PAYLOAD_MAX));
        assert_eq!(read(INVALID, long.as_bytes()), None);
    }

    #[test]
    fn a_token_that_is_still_good_explains_no_end() {
        let notice = |ms| Notice::Expires { kind: Kind::Both, at: Timestamp(ms) };
        let now = Timestamp(1_760_000_000_000);
        assert!(!notice(now.0 + 300_000).explains_end(now));
        assert!(notice(now.0).explains_end(now) && notice(i64::MIN).explains_end(now));
        let ahead = notice(now.0).ahead();
        assert_eq!(ahead.as_deref(), Some("the token `RW` expires at 2025-10-09T08:53:20Z"));
        assert_eq!(notice(i64::MAX).ahead(), None);
        let invalid = Notice::Invalid { kind: Kind::Read, code: 2 };
        assert_eq!(invalid.ahead(), None);
        assert!(invalid.explains_end(Timestamp(0)));
        assert_eq!(notice(1).after(Some(invalid.clone())), invalid);
        assert_eq!(notice(2).after(Some(notice(1))), notice(2));
        assert_eq!(invalid.clone().after(Some(notice(1))), invalid);
    }
}
