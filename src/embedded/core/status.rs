//! What the broker says about itself, in the words of Mosquitto: watchers judge their own absences by
//! it.

use super::outbox::Message;
use super::timers::Timer;
use super::{Core, Moment};
use std::rc::Rc;

impl Core {
    pub(super) fn begin_status(&mut self, now: Moment) {
        let version = concat!("presence ", env!("CARGO_PKG_VERSION"));
        self.publish(now, None, status("$SYS/broker/version", version.to_owned()));
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

    /// Makes what a new subscriber is brought true. Those who are subscribed already hear of it at the
    /// usual time.
    pub(super) fn refresh_status(&mut self, now: Moment) {
        let dropped = status(DROPPED, self.totals.dropped.queue_full.to_string());
        for message in [self.uptime(now), dropped] {
            self.retained.keep(&Rc::new(message), usize::MAX, usize::MAX);
        }
    }

    fn say_uptime(&mut self, now: Moment) {
        let uptime = self.uptime(now);
        self.publish(now, None, uptime);
    }

    fn uptime(&self, now: Moment) -> Message {
        let seconds = now.steady_ms.saturating_sub(self.begun.steady_ms) / 1_000;
        status(UPTIME, format!("{seconds} seconds"))
    }

    fn say_dropped(&mut self, now: Moment) {
        self.told_dropped = self.totals.dropped.queue_full;
        self.publish(now, None, status(DROPPED, self.told_dropped.to_string()));
    }
}

fn status(topic: &str, text: String) -> Message {
    Message { retain: true, ..Message::new(topic, text.into()) }
}

const UPTIME: &str = "$SYS/broker/uptime";
const DROPPED: &str = "$SYS/broker/publish/messages/dropped";
/// Mosquitto's own interval.
const INTERVAL_MS: u64 = 10_000;
