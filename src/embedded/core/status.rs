//! What the broker says about itself, in the words of Mosquitto: watchers judge their own absences by
//! it.

use super::outbox::Message;
use super::timers::Timer;
use super::{Core, Moment};

impl Core {
    pub(super) fn begin_status(&mut self, now: Moment) {
        let version = concat!("presence ", env!("CARGO_PKG_VERSION"));
        self.say(now, "$SYS/broker/version", version.to_owned());
        self.say_uptime(now);
        self.say_dropped(now);
        self.timers.set(now.steady_ms + INTERVAL_MS, Timer::Status);
    }

    /// Says what has changed, and sets the timer for the next time.
    pub(super) fn tell_status(&mut self, now: Moment) {
        self.say_uptime(now);
        if self.told_dropped != self.totals.dropped.queue_full {
            self.say_dropped(now);
        }
        self.timers.set(now.steady_ms + INTERVAL_MS, Timer::Status);
    }

    /// Makes what a new subscriber is brought true.
    pub(super) fn refresh_status(&mut self, now: Moment) {
        self.say_uptime(now);
    }

    fn say_uptime(&mut self, now: Moment) {
        let seconds = now.steady_ms.saturating_sub(self.begun.steady_ms) / 1_000;
        self.say(now, UPTIME, format!("{seconds} seconds"));
    }

    fn say_dropped(&mut self, now: Moment) {
        self.told_dropped = self.totals.dropped.queue_full;
        self.say(now, DROPPED, self.told_dropped.to_string());
    }

    fn say(&mut self, now: Moment, topic: &str, text: String) {
        let mut message = Message::new(topic, text.into());
        message.retain = true;
        self.publish(now, None, message);
    }
}

const UPTIME: &str = "$SYS/broker/uptime";
const DROPPED: &str = "$SYS/broker/publish/messages/dropped";
/// Mosquitto's own interval.
const INTERVAL_MS: u64 = 10_000;
