//! Scenarios that are part of the program.

/// Names and texts, in the order of the alphabet.
pub const PRESETS: [(&str, &str); 15] = [
    ("every-death", include_str!("presets/every-death.toml")),
    ("flapping", include_str!("presets/flapping.toml")),
    ("keepalive-extremes", include_str!("presets/keepalive-extremes.toml")),
    ("late-return", include_str!("presets/late-return.toml")),
    ("nat", include_str!("presets/nat.toml")),
    ("office-hours", include_str!("presets/office-hours.toml")),
    ("profiles", include_str!("presets/profiles.toml")),
    ("reconnect-storm", include_str!("presets/reconnect-storm.toml")),
    ("sleepy-sensors", include_str!("presets/sleepy-sensors.toml")),
    ("slow-ramp", include_str!("presets/slow-ramp.toml")),
    ("takeover", include_str!("presets/takeover.toml")),
    ("takeover-loop", include_str!("presets/takeover-loop.toml")),
    ("tunnel", include_str!("presets/tunnel.toml")),
    ("viewers", include_str!("presets/viewers.toml")),
    ("will-delay", include_str!("presets/will-delay.toml")),
];

/// Returns the text of a preset.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
