//! Topics and filters: which topic a filter matches, and where a client id stands in a topic.
//!
//! Our own matcher, because the client library's never matches a topic that begins with `$` and
//! panics on some that begin with a multi-byte character. Nothing here panics, whatever the text.

use std::fmt::Write as _;

/// Longest topic or filter that MQTT can carry, in bytes (MQTT 3.1.1 §4.7.3).
pub const LENGTH_MAX: usize = 65_535;

/// Returns whether the filter matches the topic (MQTT 3.1.1 §4.7).
///
/// A filter that `is_valid_filter` refuses matches what its well-formed levels match, mostly nothing.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if filter.is_empty() || topic.is_empty() {
        return false;
    }
    // §4.7.2: what begins with a wildcard stays out of the server's own topics.
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut expected = filter.split('/');
    let mut found = topic.split('/');
    loop {
        match (expected.next(), found.next()) {
            // Also where the topic has ended: `sport/#` matches `sport` (§4.7.1.2).
            (Some("#"), _) => return expected.next().is_none(),
            (Some("+"), Some(_)) => {}
            (Some(expected), Some(found)) if expected == found => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Returns whether a broker would accept the text as a filter (MQTT 3.1.1 §4.7.1, §4.7.3).
#[must_use]
pub fn is_valid_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    let mut levels_valid = true;
    while let Some(level) = levels.next() {
        levels_valid &= match level {
            "#" => levels.peek().is_none(),
            "+" => true,
            _ => !level.contains(['+', '#']),
        };
    }
    levels_valid && !filter.is_empty() && filter.len() <= LENGTH_MAX && !filter.contains('\0')
}

/// Returns a client id as one level of a topic: what would change the levels, or cannot stand in a topic, is
/// percent-encoded.
#[must_use]
pub fn level(client: &str) -> String {
    let mut level = String::with_capacity(client.len());
    for c in client.chars() {
        if c.is_control() || ENCODED.contains(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to memory cannot fail.
                let _ = write!(level, "%{byte:02X}");
            }
        } else {
            level.push(c);
        }
    }
    level
}

const ENCODED: &str = "/+#%";

/// A topic with a gap for the client id: `devices/{client}/status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    prefix: String,
    suffix: String,
    filter: String,
}

impl Template {
    /// Reads a template.
    ///
    /// Errors: a clause that says what is wrong with the text, to be put behind its name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((prefix, suffix)) = text.split_once(GAP) else {
            return Err(format!("it has no `{GAP}`, as `devices/{GAP}/status` has"));
        };
        if suffix.contains(GAP) {
            return Err(format!("it has more than one `{GAP}`"));
        }
        if prefix.is_empty() && suffix.is_empty() {
            return Err(format!("`{GAP}` alone would match every topic of one level"));
        }
        if let Some(wildcard) = text.chars().find(|c| matches!(c, '+' | '#')) {
            return Err(format!("it has a `{wildcard}`, and only `{GAP}` may stand for anything"));
        }
        if text.contains('\0') {
            return Err("it has a NUL character (MQTT 3.1.1 §4.7.3)".to_owned());
        }
        if text.len() > LENGTH_MAX {
            return Err(format!("it is longer than {LENGTH_MAX} bytes (MQTT 3.1.1 §4.7.3)"));
        }
        let before = prefix.rsplit_once('/').map_or(String::new(), |(head, _)| format!("{head}/"));
        let after = suffix.split_once('/').map_or(String::new(), |(_, tail)| format!("/{tail}"));
        let filter = format!("{before}+{after}");
        Ok(Self { prefix: prefix.to_owned(), suffix: suffix.to_owned(), filter })
    }

    /// Returns what to subscribe to: the gap's whole level is a `+`, because MQTT has no part of one.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Returns the client id that stands in the gap, one level that is not empty.
    #[must_use]
    pub fn client<'a>(&self, topic: &'a str) -> Option<&'a str> {
        let client = topic.strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?;
        // §4.7.2: a filter that begins with a wildcard stays out of the server's own topics.
        let is_servers = topic.starts_with('$') && self.filter.starts_with('+');
        (!client.is_empty() && !client.contains('/') && !is_servers).then_some(client)
    }

    /// Returns the topic of a client, `None` for an id that cannot stand in one level of a topic.
    #[must_use]
    pub fn topic(&self, client: &str) -> Option<String> {
        if client.contains(['/', '+', '#', '\0']) {
            return None;
        }
        let topic = format!("{}{client}{}", self.prefix, self.suffix);
        (topic.len() <= LENGTH_MAX && self.client(&topic) == Some(client)).then_some(topic)
    }
}

/// Where the client id goes in a template.
const GAP: &str = "{client}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        // The examples of MQTT 3.1.1 §4.7.1 and §4.7.2, and the corners beside them.
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("#", "sport/tennis", true),
            ("#", "/", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/broker", false),
            ("+/broker", "$SYS/broker", false),
            ("$SYS/#", "$SYS/broker/log/N", true),
            ("$SYS/#", "$SYS", true),
            ("$SYS/broker/+/N", "$SYS/broker/log/N", true),
            ("a", "A", false),
            ("a/b", "a", false),
            ("a", "a/b", false),
            ("a/#/b", "a/x/b", false),
            ("ä/+", "ä/ö", true),
            ("", "", false),
            ("a", "", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter:?} on {topic:?}");
        }
    }

    #[test]
    fn only_what_a_broker_accepts_is_a_valid_filter() {
        for filter in ["#", "+", "/", "a/#", "+/a/+", "$SYS/#", "a b/ä", "/+"] {
            assert!(is_valid_filter(filter), "{filter:?}");
        }
        let long = "x".repeat(LENGTH_MAX + 1);
        for filter in ["", "a#", "a/#/b", "#/a", "a+", "+a/b", "a/b#", "a\0", long.as_str()] {
            assert!(!is_valid_filter(filter), "{filter:?}");
        }
    }

    #[test]
    fn a_template_gives_the_filter_and_finds_the_client_again() {
        for (template, filter, topic, client) in [
            ("devices/{client}/status", "devices/+/status", "devices/dev-1/status", "dev-1"),
            ("tele/x_{client}/LWT", "tele/+/LWT", "tele/x_dev-1/LWT", "dev-1"),
            ("{client}/status", "+/status", "dev-1/status", "dev-1"),
            ("status/{client}", "status/+", "status/dev 1", "dev 1"),
            ("a/{client}.b", "a/+", "a/dev.b.b", "dev.b"),
            ("cs/v2/state/{client}/", "cs/v2/state/+/", "cs/v2/state/ü/", "ü"),
            ("$S/{client}/s", "$S/+/s", "$S/x/s", "x"),
        ] {
            let read = Template::parse(template).expect(template);
            assert_eq!(read.filter(), filter, "{template}");
            assert_eq!(read.client(topic), Some(client), "{template}");
            assert_eq!(read.topic(client).as_deref(), Some(topic), "{template}");
            assert!(matches(filter, topic), "{template}");
        }
    }

    #[test]
    fn other_topics_hold_no_client() {
        let template = Template::parse("tele/x_{client}/LWT").expect("valid");
        for topic in ["tele/x_/LWT", "tele/y_a/LWT", "tele/x_a/b/LWT", "tele/x_a/LWT/", "", "tele"]
        {
            assert_eq!(template.client(topic), None, "{topic:?}");
        }
        // The broker never delivers `$`-topics for a filter that begins with a wildcard.
        let template = Template::parse("{client}/status").expect("valid");
        assert_eq!(template.client("$SYS/status"), None);
        assert_eq!(template.topic("$SYS"), None);
        // Prefix and suffix may not share a byte.
        let template = Template::parse("aa{client}aa").expect("valid");
        assert_eq!(template.client("aaa"), None);
    }

    #[test]
    fn ids_that_fit_no_level_have_no_topic() {
        let template = Template::parse("devices/{client}/status").expect("valid");
        let long = "x".repeat(LENGTH_MAX);
        for client in ["", "a/b", "a+b", "#", "a\0b", long.as_str()] {
            assert_eq!(template.topic(client), None, "{client:?}");
        }
    }

    #[test]
    fn a_template_that_cannot_work_is_refused_with_the_reason() {
        for (template, expected) in [
            ("", "no `{client}`"),
            ("devices/+/status", "no `{client}`"),
            ("{client}", "alone"),
            ("{client}/{client}", "more than one"),
            ("+/{client}", "a `+`"),
            ("{client}/#", "a `#`"),
            ("a\0/{client}", "NUL"),
        ] {
            let reason = Template::parse(template).expect_err(template);
            assert!(reason.contains(expected), "{template:?}: {reason}");
        }
    }
}
