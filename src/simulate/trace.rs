//! What a device may have left at the broker.

/// What one device left behind when its last life was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    pub device: u32,
    /// It has sent a CONNECT. One that has not has left nothing.
    pub has_called: bool,
    /// The broker may keep a session.
    pub has_session: bool,
    /// Its last connection ended without a goodbye: a will may have come, or may still come.
    pub is_abrupt: bool,
}

impl Trace {
    /// Returns that of a device that has not done anything.
    pub const fn none(device: u32) -> Self {
        Self { device, has_called: false, has_session: false, is_abrupt: false }
    }

    /// A CONNECT is sent. Unless it was refused, the broker may have accepted it.
    pub const fn call(&mut self, is_persistent: bool) {
        self.has_called = true;
        self.has_session |= is_persistent;
        self.is_abrupt = true;
    }

    /// The connection has ended with a goodbye, which may have ended the session too.
    pub const fn leave(&mut self, ends_session: bool) {
        self.is_abrupt = false;
        self.has_session &= !ends_session;
    }
}
