//! How much the broker takes in before it refuses or throws away.

/// The bounds of everything that clients can make the broker keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Clients that are connected at the same time.
    pub connections: usize,
    /// Connections without a client: it has not said who it is yet, or is being shown out.
    pub half_open: usize,
    /// Until a connection must have said who it is, ms.
    pub handshake_ms: u64,
    /// Between the last word to a client and the end of the connection, ms.
    pub linger_ms: u64,
    /// The longest packet, in bytes.
    pub packet: usize,
    /// Bytes that are about to be written to one connection. More waits in the queue of its session.
    pub out: usize,
    /// Messages of QoS 1 and 2 on their way to one client.
    pub in_flight: u16,
    /// Messages that wait for one client.
    pub queue: usize,
    /// Their bytes.
    pub queue_bytes: usize,
    /// The bytes of all messages that wait for anybody.
    pub queues_bytes: usize,
    pub sessions: usize,
    /// Subscriptions of one client.
    pub subscriptions: usize,
    /// The bytes of their filters.
    pub subscriptions_bytes: usize,
    pub retained: usize,
    pub retained_bytes: usize,
    /// Notices that a fault holds back.
    pub held_notices: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            half_open: 2_500,
            handshake_ms: 10_000,
            linger_ms: 1_000,
            packet: 256 << 10,
            out: 64 << 10,
            in_flight: 1_000,
            queue: 100_000,
            queue_bytes: 64 << 20,
            queues_bytes: 256 << 20,
            sessions: 100_000,
            subscriptions: 1_000,
            subscriptions_bytes: 256 << 10,
            retained: 100_000,
            retained_bytes: 64 << 20,
            held_notices: 100_000,
        }
    }
}

impl Limits {
    /// Returns the usual bounds for a process that may have so many files open: a fifth of them is for
    /// those who have not said who they are.
    pub fn for_files(files: u64) -> Self {
        let files = usize::try_from(files.min(FILES_MAX)).unwrap_or(usize::MAX);
        let rest = files.saturating_sub(FILES_KEPT).max(10);
        let half_open = rest / 5;
        Self { connections: rest - half_open, half_open, ..Self::default() }
    }
}

/// Files that are no connections.
const FILES_KEPT: usize = 64;
/// More connections than this are beyond a test stand.
const FILES_MAX: u64 = 1 << 20;
