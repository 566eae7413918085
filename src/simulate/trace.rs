//! What a device may have left at the broker.

/// What one device left behind when its last life was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    pub device: u32,
    pub call: Call,
    /// The broker may keep a session.
    pub has_session: bool,
    /// Its last connection ended without a goodbye, or with one that does not stop the will: it may have
    /// come, or may still come.
    pub is_abrupt: bool,
}

/// How far the last attempt of a device to connect has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// There was none, so nothing is left.
    None,
    /// CONNECT is sent, and what the broker makes of it is not known.
    Sent,
    /// CONNACK has come.
    Accepted,
}

impl Trace {
    /// Returns that of a device that has not done anything.
    pub const fn none(device: u32) -> Self {
        Self { device, call: Call::None, has_session: false, is_abrupt: false }
    }

    /// A CONNECT is sent. Unless it was refused, the broker may have accepted it.
    pub const fn call(&mut self, is_persistent: bool) {
        self.call = Call::Sent;
        self.has_session |= is_persistent;
        self.is_abrupt = true;
    }

    /// CONNACK has come.
    pub const fn accept(&mut self) {
        self.call = Call::Accepted;
    }

    /// The connection has ended with a goodbye, which may have ended the session too, and may have asked
    /// for the will.
    pub const fn leave(&mut self, ends_session: bool, with_will: bool) {
        self.is_abrupt = with_will;
        self.has_session &= !ends_session;
    }
}
