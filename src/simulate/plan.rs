//! Who lives when, and how each life ends. The same terms give the same plan on every machine.

/// What a plan is made from. Times are in ms since the run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub devices: u32,
    /// Devices that come, and go, per second.
    pub rate: u32,
    pub duration_ms: u64,
    /// How often each device lives, at most.
    pub lives: u32,
    /// Between a death and the next life.
    pub return_after_ms: u64,
    pub deaths: Shares,
    /// How long before the end of its life a silent device falls silent, so that the broker can notice.
    pub silence_ms: u64,
    pub seed: u64,
}

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Death {
    /// A goodbye.
    Disconnect,
    /// The connection is closed without a goodbye.
    Fin,
    /// The connection is reset.
    Rst,
    /// The connection stays open, and nothing is sent or read any more.
    Silence,
}

/// Per cent of the devices for each way to end a life; they add up to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Lives on to the next turn; in the last one it says goodbye.
    pub stay: u32,
    pub disconnect: u32,
    pub fin: u32,
    pub rst: u32,
    pub silence: u32,
}

/// One connection that a device is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    pub begin_ms: u64,
    /// When it dies; of a silent one, when it falls silent.
    pub end_ms: u64,
    pub death: Death,
}

/// The lives of all devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of device `n`, in order of time, at place `n`.
    pub devices: Vec<Vec<Life>>,
    /// When the run is over and what it left is removed.
    pub end_ms: u64,
}
