//! When clients ping, and when they give up: what libraries do, beside what the standard asks.

/// Whose way of keeping a connection alive a device has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pinging {
    /// A ping when nothing was sent for a keep alive; none answered for another one is the end.
    #[default]
    Spec,
    /// Eclipse Paho C 1.0.2 to 1.3.0: gives up too early where only it sends.
    PahoC12,
    /// Eclipse Paho C 1.3.1 to 1.3.10.
    PahoC131,
    /// Eclipse Paho C 1.3.12 and 1.3.13.
    PahoC1313,
    /// Eclipse Paho Go.
    PahoGolang,
    /// An app that the system lets ping only now and then while nobody looks at it.
    MobileApp,
    /// An application that hangs, or never pings at all. What it publishes is all that is sent.
    NeverPings,
    /// From CONNACK on nothing passes in either direction.
    HalfOpen,
}

impl Pinging {
    pub const ALL: [Self; 8] = [
        Self::Spec,
        Self::PahoC12,
        Self::PahoC131,
        Self::PahoC1313,
        Self::PahoGolang,
        Self::MobileApp,
        Self::NeverPings,
        Self::HalfOpen,
    ];

    /// Returns the word for it, as it is typed and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::PahoC12 => "paho-c-1.2",
            Self::PahoC131 => "paho-c-1.3.1",
            Self::PahoC1313 => "paho-c-1.3.13",
            Self::PahoGolang => "paho-golang",
            Self::MobileApp => "mobile-app",
            Self::NeverPings => "never-pings",
            Self::HalfOpen => "half-open",
        }
    }
}
