//! When clients ping, and when they give up: what libraries do, beside what the standard asks.
//!
//! A library looks at its connection now and then, and only a look finds something due; the looks count
//! from CONNACK here. Nothing is woken here for a look that would find nothing.
//!
//! Sources: Paho C `src/MQTTProtocolClient.c` (`MQTTProtocol_keepalive`) of each version, its looks from
//! `setRetryLoopInterval` in `src/MQTTAsyncUtils.c`; Paho Go v1.5.1 `ping.go`; Paho Java
//! `ClientState.checkForActivity` with the `AlarmPingSender` of Paho Android.

/// Whose way of keeping a connection alive a device has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pinging {
    /// A ping when nothing was sent for a keep alive; none answered for another one is the end.
    #[default]
    Spec,
    /// Eclipse Paho C 1.0.2 to 1.3.0: gives up too early where only it sends. What makes it ping makes it
    /// give up while the answer is out, even at the look after the ping.
    PahoC12,
    /// Eclipse Paho C 1.3.1 to 1.3.10: a keep alive from the ping to giving up.
    PahoC131,
    /// Eclipse Paho C 1.3.12 and 1.3.13: one and a half from the ping, and from what was heard last.
    PahoC1313,
    /// Eclipse Paho Go 1.5: ten seconds from the ping, whatever the keep alive.
    PahoGolang,
    /// An app with Paho Android on a telephone that lies in a pocket from CONNACK on: alarms for pings
    /// come no more often than every 9 minutes, and find out then what was missed.
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

/// What a client has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    Ping,
    GiveUp,
}

/// Keeps one connection alive the way of a profile.
///
/// Times are ms since the run began. Those that are handed in are rounded down to ticks, so that what is
/// due is due on a tick.
#[derive(Clone, Copy, Debug)]
pub struct Pinger {
    pinging: Pinging,
    /// PINGRESP is awaited.
    is_pinging: bool,
    /// 0 is never.
    keep_alive_ms: u32,
    /// When looks began.
    begun: u64,
    /// A keep alive after the last packet was sent.
    quiet_until: u64,
    /// When something was received last.
    heard: u64,
    /// Since when an answer is awaited: as the standard has it, to anything; else to a ping.
    asked: u64,
}

impl Pinger {
    /// Begins with CONNACK, with the keep alive that holds.
    pub fn new(pinging: Pinging, keep_alive: u16, now: u64) -> Self {
        let keep_alive_ms = u32::from(keep_alive) * 1000;
        Self {
            pinging,
            is_pinging: false,
            keep_alive_ms,
            begun: now,
            quiet_until: now + u64::from(keep_alive_ms),
            heard: now,
            asked: NEVER,
        }
    }

    /// Returns the keep alive that holds, in seconds.
    pub fn keep_alive(&self) -> u16 {
        u16::try_from(self.keep_alive_ms / 1000).unwrap_or(u16::MAX)
    }

    /// Has the first ping sent earlier than it must be, at this time, where a profile leaves that to the
    /// client. Libraries do not: a fleet of theirs that comes at once pings at once.
    pub fn bring_forward(&mut self, at: u64) {
        if self.is_by_standard() {
            self.quiet_until = self.quiet_until.min(at);
        }
    }

    /// A packet was sent.
    pub fn sent(&mut self, now: u64) {
        self.quiet_until = now + self.keep_alive_ms();
    }

    /// Something was sent that is to be answered.
    pub fn ask(&mut self, now: u64) {
        if self.is_by_standard() {
            self.asked = self.asked.min(now);
        }
    }

    /// Something was received. `awaits` tells whether an answer is still due, beside that to a ping.
    pub fn heard(&mut self, now: u64, awaits: bool) {
        self.heard = now;
        if !awaits && !self.is_pinging {
            self.asked = NEVER;
        }
    }

    /// PINGRESP has come.
    pub fn answered(&mut self) {
        self.is_pinging = false;
    }

    /// Tells what is due at `now`. A ping is held for sent.
    pub fn handle_timeout(&mut self, now: u64) -> Due {
        match self.next() {
            Some((at, due)) if at <= now => {
                if due == Due::Ping {
                    self.is_pinging = true;
                    self.asked = if self.is_by_standard() { self.asked.min(now) } else { now };
                    self.sent(now);
                }
                due
            }
            _ => Due::Nothing,
        }
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout) next.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.next().map(|(at, _)| at).filter(|at| *at < NEVER)
    }

    fn next(&self) -> Option<(u64, Due)> {
        let keep_alive = self.keep_alive_ms();
        if keep_alive == 0 {
            return None;
        }
        // A keep alive without a packet in one of the two directions.
        let idle = self.quiet_until.min(self.heard + keep_alive);
        let (at, due) = match self.pinging {
            Pinging::NeverPings => return None,
            Pinging::Spec | Pinging::HalfOpen => return Some(self.next_by_standard()),
            // Two keep alives without a word of its own: Paho Java takes it for a blocked write.
            Pinging::MobileApp if !self.is_pinging => {
                let is_lost = self.look(idle) >= self.quiet_until + keep_alive;
                (idle, if is_lost { Due::GiveUp } else { Due::Ping })
            }
            _ if !self.is_pinging => (idle, Due::Ping),
            // Not at the look that sent the ping.
            Pinging::PahoC12 => (idle.max(self.asked.saturating_add(1)), Due::GiveUp),
            Pinging::PahoC131 => (self.asked + keep_alive, Due::GiveUp),
            Pinging::PahoC1313 => (self.asked.max(self.heard) + keep_alive * 3 / 2, Due::GiveUp),
            Pinging::PahoGolang => (self.asked + GOLANG_PATIENCE_MS, Due::GiveUp),
            Pinging::MobileApp => (self.asked.max(self.heard) + keep_alive, Due::GiveUp),
        };
        Some((self.look(at), due))
    }

    /// One keep alive for everything: silence of its own before a ping, and an answer that is due.
    fn next_by_standard(&self) -> (u64, Due) {
        let patience_ends = match self.asked {
            NEVER => NEVER,
            asked => asked.max(self.heard) + self.keep_alive_ms(),
        };
        if self.is_pinging || patience_ends <= self.quiet_until {
            (patience_ends, Due::GiveUp)
        } else {
            (self.quiet_until, Due::Ping)
        }
    }

    /// Returns the first look that is not before `at`.
    fn look(&self, at: u64) -> u64 {
        let keep_alive = self.keep_alive_ms();
        let every = match self.pinging {
            // Whole seconds until 1.3.0.
            Pinging::PahoC12 => (keep_alive / 10_000 * 1_000).clamp(1_000, 5_000),
            Pinging::PahoC131 | Pinging::PahoC1313 => (keep_alive / 10).clamp(100, 5_000),
            Pinging::PahoGolang if keep_alive > 10_000 => 5_000,
            Pinging::PahoGolang => keep_alive / 4,
            Pinging::MobileApp if keep_alive < DOZE_MS => DOZE_MS,
            // When it is due, and not sooner.
            _ => return at,
        };
        self.begun + at.saturating_sub(self.begun).div_ceil(every) * every
    }

    fn keep_alive_ms(&self) -> u64 {
        self.keep_alive_ms.into()
    }

    const fn is_by_standard(&self) -> bool {
        matches!(self.pinging, Pinging::Spec | Pinging::HalfOpen)
    }
}

const NEVER: u64 = u64::MAX;
/// `PingTimeout` unless it is set (Paho Go v1.5.1 `options.go`).
const GOLANG_PATIENCE_MS: u64 = 10_000;
/// Between two alarms of `setExactAndAllowWhileIdle` while a telephone dozes
/// (`DEFAULT_ALLOW_WHILE_IDLE_LONG_TIME` of Android's `AlarmManagerService`).
const DOZE_MS: u64 = 9 * 60_000;

#[cfg(test)]
#[path = "pinging_tests.rs"]
mod tests;
