//! The text of one log line, without its time: who connected, who ended and how.
//!
//! Client ids and user names stand in the lines as they are, so an id may hold whole phrases of the
//! log. Hence no patterns: a line is known by its fixed head and its fixed tail, both ends anchored,
//! and the id is the longest text in between. A line that the broker cut at 1000 bytes has lost its
//! tail and is not known.

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The broker started.
    Starting,
    /// A TCP connection was accepted; its CONNECT is still to come. Not written for libwebsockets.
    Announced {
        address: &'a str,
    },
    /// A CONNECT was accepted.
    Connected {
        client: &'a str,
        address: &'a str,
    },
    /// A CONNECT with this id was accepted while an older connection had it (up to 2.0).
    Evicting {
        client: &'a str,
    },
    Ended(End<'a>),
    /// Understood, and nothing about presence.
    Noise,
}

/// The end of a connection, or of an attempt at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End<'a> {
    pub client: &'a str,
    /// Written by 2.1.1 and later.
    pub address: Option<&'a str>,
    /// The client together with the bracket that was taken for its address: what the client is called
    /// if an older broker wrote the line and the bracket is part of the id.
    pub client_with_bracket: &'a str,
    pub cause: Cause,
}

/// How a connection ended, as far as it matters to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The client sent DISCONNECT.
    Goodbye,
    /// The peer closed the transport.
    PeerClosed,
    /// Timeout, broken socket, kicked: can only happen to an accepted connection.
    Broken,
    TakenOver,
    /// A reason that a refused CONNECT gives as well. Since 2.0.12 such a refusal is logged under the
    /// id that the newcomer claimed, which may well be connected.
    Doubtful,
}

/// Reads a line that has no time any more; `None` if it is of no known form.
///
/// Source: eclipse-mosquitto tags v1.4 to v2.1.2, `src/context.c`, `handle_connect.c`, `loop.c`,
/// `net.c`, `websockets.c`, `session_expiry.c` (2026-08).
pub(super) fn read(text: &str) -> Option<Line<'_>> {
    if let Some(rest) = text.strip_prefix("Client ") {
        return client(rest);
    }
    if let Some(rest) = text.strip_prefix("New client connected from ") {
        return connected(rest);
    }
    if let Some(rest) = text.strip_prefix("New connection from ") {
        return announced(rest);
    }
    if let Some(rest) = text.strip_prefix("New bridge connected from ") {
        return connected(rest);
    }
    if let Some(rest) = text.strip_prefix("Socket error on client ") {
        let client = rest.strip_suffix(", disconnecting.")?;
        return ended(client, None, client, Cause::PeerClosed);
    }
    if let Some(rest) = text.strip_prefix("Bad socket read/write on client ") {
        let with_reason = || rest.rsplit_once(": ").map(|(client, _)| client);
        let client = rest.strip_suffix(", disconnecting.").or_else(with_reason)?;
        return ended(client, None, client, Cause::Broken);
    }
    if let Some(rest) = text.strip_prefix("mosquitto version ") {
        return broker(rest);
    }
    NOISE
        .iter()
        .any(|(head, tail)| text.starts_with(head) && text.ends_with(tail))
        .then_some(Line::Noise)
}

/// `ADDR on port PORT.`
fn announced(rest: &str) -> Option<Line<'_>> {
    let (address, port) = rest.strip_suffix('.')?.split_once(" on port ")?;
    (is_address(address) && is_number(port)).then_some(Line::Announced { address })
}

/// `ADDR as ID ([pN, ]cN, kN[, u'USER']).`
fn connected(rest: &str) -> Option<Line<'_>> {
    let (address, rest) = rest.split_once(" as ")?;
    if !is_address(address) {
        return None;
    }
    // From the right: what looks like the broker's own bracket may stand in the id. That it may also
    // stand in the user name only makes the id longer, so it still names nobody else.
    let client = rest
        .rmatch_indices(" (")
        .filter_map(|(at, _)| rest.split_at_checked(at))
        .find(|(_, bracket)| is_bracket(bracket))
        .map(|(client, _)| client)?;
    (!client.is_empty()).then_some(Line::Connected { client, address })
}

/// Returns whether the text is ` ([pN, ]cN, kN[, u'USER']).`
///
/// Reads from the left and never searches: it is tried at every bracket of a hostile line.
fn is_bracket(text: &str) -> bool {
    let Some(inner) = text.strip_prefix(" (").and_then(|text| text.strip_suffix(").")) else {
        return false;
    };
    // The protocol is missing up to 1.5.
    let rest = after_number(inner, "p").and_then(|rest| rest.strip_prefix(", ")).unwrap_or(inner);
    let rest = after_number(rest, "c").and_then(|rest| after_number(rest, ", k"));
    rest.is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix(", u'").is_some_and(|user| user.ends_with('\''))
    })
}

/// Returns what follows the name and at least one digit.
fn after_number<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let number = text.strip_prefix(name)?;
    let rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < number.len()).then_some(rest)
}

/// What follows `Client `.
fn client(rest: &str) -> Option<Line<'_>> {
    if let Some(client) = rest.strip_suffix(" already connected, closing old connection.") {
        return (!client.is_empty()).then_some(Line::Evicting { client });
    }
    for (tail, cause) in TAILS {
        if let Some(client) = rest.strip_suffix(tail) {
            return ended(client, None, client, cause);
        }
    }
    if let Some(client) = rest.strip_suffix(" disconnected.") {
        return end_of(client, Cause::Goodbye);
    }
    if let Some((client, separator, reason)) = reasoned(rest) {
        let cause = cause_of(reason);
        // Only the form with a colon ever has the address, and it also is the one of system errors
        // up to 2.1.0.
        return match separator {
            ": " => end_of(client, cause),
            _ => ended(client, None, client, cause),
        };
    }
    let is_noise = rest.starts_with("connection from ")
        && (rest.contains(" denied: ") || rest.contains(" failed: "))
        || rest.contains(" negotiated ") && rest.contains(" cipher ");
    is_noise.then_some(Line::Noise)
}

/// Cuts `ID disconnected SEPARATOR REASON.` at the last place that allows it.
fn reasoned(rest: &str) -> Option<(&str, &str, &str)> {
    let rest = rest.strip_suffix('.')?;
    rest.rmatch_indices(" disconnected").find_map(|(at, word)| {
        let (client, tail) = rest.split_at_checked(at)?;
        let tail = tail.strip_prefix(word)?;
        [": ", ", ", " due to "]
            .into_iter()
            .find_map(|separator| Some((client, separator, tail.strip_prefix(separator)?)))
    })
}

/// An end whose id may carry the address in a bracket, as it does from 2.1.1 on.
fn end_of(text: &str, cause: Cause) -> Option<Line<'_>> {
    match text.strip_suffix(']').and_then(|inner| inner.rsplit_once(" [")) {
        Some((client, address)) if !client.is_empty() && is_address(address) => {
            ended(client, Some(address), text, cause)
        }
        _ => ended(text, None, text, cause),
    }
}

fn ended<'a>(
    client: &'a str,
    address: Option<&'a str>,
    client_with_bracket: &'a str,
    cause: Cause,
) -> Option<Line<'a>> {
    (!client.is_empty()).then_some(Line::Ended(End { client, address, client_with_bracket, cause }))
}

fn cause_of(reason: &str) -> Cause {
    match reason {
        "session taken over" => Cause::TakenOver,
        "connection closed by client" => Cause::PeerClosed,
        "exceeded timeout" | "administrative action" => Cause::Broken,
        _ if reason.starts_with("bad socket read/write") || SYSTEM_ERRORS.contains(&reason) => {
            Cause::Broken
        }
        _ => Cause::Doubtful,
    }
}

/// What follows `mosquitto version `.
fn broker(rest: &str) -> Option<Line<'_>> {
    let (version, word) = rest.split_once(' ')?;
    // With a dot: a file that also logs subscriptions has lines of the shape `ID QOS TOPIC`.
    if !version.starts_with(|c: char| c.is_ascii_digit()) || !version.contains('.') {
        return None;
    }
    match word {
        "starting" => Some(Line::Starting),
        "running" | "terminating" => Some(Line::Noise),
        _ => None,
    }
}

fn is_address(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '[', ']'])
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Ends without a reason of their own. No tail is the end of another one.
const TAILS: [(&str, Cause); 3] = [
    (" closed its connection.", Cause::PeerClosed),
    (" has exceeded timeout, disconnecting.", Cause::Broken),
    (" been disconnected by administrative action.", Cause::Broken),
];

/// What strerror says of a socket that worked until then (glibc, musl, BSD). Other system errors stay
/// doubtful, which only asks for a connect line.
const SYSTEM_ERRORS: [&str; 8] = [
    "Broken pipe",
    "Connection reset by peer",
    "Connection timed out",
    "Host is unreachable",
    "Network is unreachable",
    "No route to host",
    "Operation timed out",
    "Software caused connection abort",
];

const NOISE: [(&str, &str); 5] = [
    ("Expiring client ", " due to timeout."),
    ("Expiring persistent client ", " due to timeout."),
    ("Bad client ", " sending multiple CONNECT messages."),
    ("Protocol error from ", "."),
    ("Invalid protocol version ", "."),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn end<'a>(client: &'a str, address: Option<&'a str>, cause: Cause) -> Line<'a> {
        let Some(address) = address else {
            return Line::Ended(End { client, address, client_with_bracket: client, cause });
        };
        let whole: &'static str = Box::leak(format!("{client} [{address}]").into_boxed_str());
        Line::Ended(End { client, address: Some(address), client_with_bracket: whole, cause })
    }

    #[test]
    fn every_connect_line_since_1_4_is_read() {
        for (text, client, address) in [
            ("New client connected from 192.0.2.10 as a (c1, k60).", "a", "192.0.2.10"),
            ("New client connected from 192.0.2.10 as a (c0, k0, u'foo').", "a", "192.0.2.10"),
            ("New client connected from 192.0.2.10 as a (p1, c1, k10).", "a", "192.0.2.10"),
            ("New client connected from 192.0.2.1:5 as a (p2, c1, k60, u'f').", "a", "192.0.2.1:5"),
            (
                "New client connected from ::ffff:127.0.0.1:4 as a (p5, c1, k60).",
                "a",
                "::ffff:127.0.0.1:4",
            ),
            ("New bridge connected from 192.0.2.20 as b.c (p2, c0, k60).", "b.c", "192.0.2.20"),
        ] {
            assert_eq!(read(text), Some(Line::Connected { client, address }), "{text}");
        }
    }

    #[test]
    fn every_end_line_of_the_table_is_read() {
        use Cause::{Broken, Doubtful, Goodbye, PeerClosed, TakenOver};
        // Up to 2.1.0.
        for (text, cause) in [
            ("Client a disconnected.", Goodbye),
            ("Client a closed its connection.", PeerClosed),
            ("Socket error on client a, disconnecting.", PeerClosed),
            ("Client a has exceeded timeout, disconnecting.", Broken),
            ("Client a been disconnected by administrative action.", Broken),
            ("Bad socket read/write on client a, disconnecting.", Broken),
            ("Bad socket read/write on client a: A TLS error occurred.", Broken),
            ("Bad socket read/write on client a: Connection reset by peer", Broken),
            ("Client a disconnected: Connection reset by peer.", Broken),
            ("Client a disconnected: Broken pipe.", Broken),
            ("Client a disconnected: Permission denied.", Doubtful),
            ("Client a disconnected due to protocol error.", Doubtful),
            ("Client a disconnected due to malformed packet.", Doubtful),
            ("Client a disconnected due to oversize packet.", Doubtful),
            ("Client a disconnected due to oversize payload.", Doubtful),
            ("Client a disconnected due to out of memory.", Doubtful),
            ("Client a disconnected due to QoS too high or retain not supported.", Doubtful),
            (
                "Client a disconnected due to using not allowed feature (QoS too high, retain not supported, or bad AUTH method).",
                Doubtful,
            ),
            ("Client a disconnected due to exceeding the receive maximum.", Doubtful),
            ("Client a disconnected, no longer authorised.", Doubtful),
            ("Client a disconnected, not authorised.", Doubtful),
            ("Client a disconnected, server busy.", Doubtful),
            ("Client a disconnected, session taken over.", TakenOver),
        ] {
            assert_eq!(read(text), Some(end("a", None, cause)), "{text}");
        }
        // 2.1.1 and later.
        let address = Some("127.0.0.1:5");
        assert_eq!(read("Client a [127.0.0.1:5] disconnected."), Some(end("a", address, Goodbye)));
        for (reason, cause) in [
            ("connection closed by client", PeerClosed),
            ("exceeded timeout", Broken),
            ("administrative action", Broken),
            ("bad socket read/write: A TLS error occurred", Broken),
            ("Connection reset by peer", Broken),
            ("session taken over", TakenOver),
            ("protocol error", Doubtful),
            ("malformed packet", Doubtful),
            ("not authorised", Doubtful),
            ("oversize packet", Doubtful),
            ("oversize payload", Doubtful),
            ("out of memory", Doubtful),
            (
                "used disallowed feature (QoS too high, retain not supported, or bad AUTH method)",
                Doubtful,
            ),
            ("server busy", Doubtful),
            ("receive maximum exceeded", Doubtful),
            ("quota exceeded", Doubtful),
            ("client banned", Doubtful),
            ("connection rate exceeded", Doubtful),
            ("topic alias invalid", Doubtful),
            ("non-matching http origin", Doubtful),
            ("implementation specific error", Doubtful),
            ("client identifier not valid", Doubtful),
            ("bad username or password", Doubtful),
            ("bad authentication method", Doubtful),
            ("server unavailable", Doubtful),
        ] {
            let text = format!("Client a [127.0.0.1:5] disconnected: {reason}.");
            assert_eq!(read(&text), Some(end("a", address, cause)), "{text}");
        }
    }

    #[test]
    fn the_other_lines_of_interest_are_read() {
        for (text, expected) in [
            ("mosquitto version 2.0.11 starting", Line::Starting),
            ("mosquitto version 1.4.8 starting", Line::Starting),
            ("mosquitto version 2.1.2 running", Line::Noise),
            ("mosquitto version 2.1.2 terminating", Line::Noise),
            ("Client a already connected, closing old connection.", Line::Evicting { client: "a" }),
            (
                "New connection from 192.0.2.1 on port 1883.",
                Line::Announced { address: "192.0.2.1" },
            ),
            ("New connection from ::1:44 on port 1883.", Line::Announced { address: "::1:44" }),
            ("Expiring client dev-1 due to timeout.", Line::Noise),
            ("Expiring persistent client dev-1 due to timeout.", Line::Noise),
            ("Client connection from 192.0.2.13 denied: max_connections exceeded.", Line::Noise),
            ("Client connection from 192.0.2.13 failed: error:1408F10B:SSL routines.", Line::Noise),
            ("Client a negotiated TLSv1.3 cipher TLS_AES_256_GCM_SHA384", Line::Noise),
            ("Bad client dev-4 sending multiple CONNECT messages.", Line::Noise),
            ("Protocol error from dev-proto: AUTH packet when session not MQTT v5.0.", Line::Noise),
            ("Invalid protocol version 9 in CONNECT from 127.0.0.1.", Line::Noise),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_has_lost_its_head_or_tail_is_not_known() {
        for text in [
            "",
            " ",
            "Client ",
            "Client  disconnected.",
            "Client disconnected.",
            "Client a disconnected",
            "Client a closed its connection",
            "client a disconnected.",
            "xClient a disconnected.",
            "New client connected from  as a (p2, c1, k60).",
            "New client connected from 1.2.3.4 as  (p2, c1, k60).",
            "New client connected from 1.2.3.4 as a (p2, c1, k60)",
            "New client connected from 1.2.3.4 as a (p2, k60, c1).",
            "New client connected from 1.2.3.4 as a (p2, c1, k).",
            "New client connected from 1.2.3.4 as a (p2, c1, k60, x1).",
            "New client connected from 1.2.3.4 as a (p2, c1, k60, u'x).",
            "New client connected from 1.2.3.4 as aaaaaaaaaaaaaaaaaaaaa",
            "New connection from 1.2.3.4 on port x.",
            "Socket error on client , disconnecting.",
            "Bad socket read/write on client a",
            "mosquitto version 0 starting",
            "mosquitto version x.y starting",
            "mosquitto version 2.0.11 starting up",
            "mosquitto version",
            "Sending PUBLISH to a (d0, q1, r0, m124, 'x', ... (62 bytes))",
            "No will message specified.",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn hostile_ids_name_only_themselves() {
        use Cause::{Broken, Doubtful, Goodbye, PeerClosed, TakenOver};
        for client in [
            "dev with space, (p2) u'x'",
            "x (p2, c1, k60).",
            "x (p2, c1, k60, u'",
            "x as victim",
            "x: Client victim",
            "victim disconnected.",
            "victim disconnected: protocol error.",
            "victim disconnected: x",
            "victim disconnected due to x",
            "victim disconnected, session taken over.",
            "victim closed its connection.",
            "victim has exceeded timeout, disconnecting.",
            "victim already connected, closing old connection.",
            "victim [1.2.3.4:5] disconnected.",
            "victim [1.2.3.4:5] disconnected: x",
            "connection from 1.2.3.4 denied: x",
            "x negotiated y cipher z",
            "[1.2.3.4:5]",
            "]",
            "a [",
            "a: b, disconnecting.",
            "设备 disconnected. 世界",
            " ",
        ] {
            let address = "192.0.2.1:7";
            for bracket in ["(c1, k60)", "(p2, c1, k60)", "(p4, c0, k5, u'we ird')"] {
                let text = format!("New client connected from {address} as {client} {bracket}.");
                assert_eq!(read(&text), Some(Line::Connected { client, address }), "{text}");
            }
            for (head, tail, cause) in [
                ("Client ", " disconnected.", Goodbye),
                ("Client ", " closed its connection.", PeerClosed),
                ("Client ", " has exceeded timeout, disconnecting.", Broken),
                ("Client ", " been disconnected by administrative action.", Broken),
                ("Client ", " disconnected, session taken over.", TakenOver),
                ("Client ", " disconnected, not authorised.", Doubtful),
                ("Client ", " disconnected due to protocol error.", Doubtful),
                ("Client ", " disconnected: Connection reset by peer.", Broken),
                ("Socket error on client ", ", disconnecting.", PeerClosed),
                ("Bad socket read/write on client ", ": Connection reset by peer", Broken),
            ] {
                let text = format!("{head}{client}{tail}");
                assert_eq!(read(&text), Some(end(client, None, cause)), "{text}");
            }
            for (tail, cause) in [
                (" disconnected.", Goodbye),
                (" disconnected: connection closed by client.", PeerClosed),
                (" disconnected: Some new reason.", Doubtful),
            ] {
                let text = format!("Client {client} [{address}]{tail}");
                assert_eq!(read(&text), Some(end(client, Some(address), cause)), "{text}");
            }
            let text = format!("Client {client} already connected, closing old connection.");
            assert_eq!(read(&text), Some(Line::Evicting { client }), "{text}");
        }
    }

    #[test]
    fn a_hostile_user_name_only_makes_its_own_id_longer() {
        let text = "New client connected from 1.2.3.4 as a (p2, c1, k60, u'x (p2, c1, k60, u'y').";
        let client = "a (p2, c1, k60, u'x";
        assert_eq!(read(text), Some(Line::Connected { client, address: "1.2.3.4" }));
    }

    #[test]
    fn an_id_with_a_bracket_keeps_its_other_reading() {
        let text = "Client victim [1.2.3.4:5] disconnected.";
        let Some(Line::Ended(end)) = read(text) else { panic!("{text}") };
        assert_eq!((end.client, end.address), ("victim", Some("1.2.3.4:5")));
        assert_eq!(end.client_with_bracket, "victim [1.2.3.4:5]");
    }
}
