//! Any two texts as filter and topic, and as template and client: matching must not panic, and a
//! client that was put into a topic is found there again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::topic::{Template, is_valid_filter, matches};

fuzz_target!(|texts: (&str, &str)| {
    let (first, second) = texts;
    let _ = matches(first, second);
    if is_valid_filter(first) && !first.contains(['+', '#']) {
        assert!(matches(first, first));
    }
    let Ok(template) = Template::parse(first) else { return };
    assert!(is_valid_filter(template.filter()));
    if let Some(client) = template.client(second) {
        assert!(second.contains(client));
        assert!(matches(template.filter(), second));
    }
    if let Some(topic) = template.topic(second) {
        assert_eq!(template.client(&topic), Some(second));
        assert!(matches(template.filter(), &topic));
    }
});
