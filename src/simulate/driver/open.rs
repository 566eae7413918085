//! One connection of a device while it is up.

use super::line::{Flow, Line, trouble};
use super::{GOODBYE, Shared, asked};
use crate::simulate::deed::{Deed, What};
use crate::simulate::device::{Event, Objection};
use crate::source::mqtt::reason;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::Reason;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep_until;

/// A connection, and whose it is.
pub struct Open {
    pub line: Box<Line>,
    pub number: u32,
    /// The life that it was made for.
    pub life: u32,
    /// Its place among the device's connections.
    pub connection: u32,
}

/// Why nobody stays on a connection any longer.
pub enum Over {
    Due,
    Stopped,
    /// The device has found no answer.
    GaveUp,
    Lost(Trouble),
}

impl Open {
    /// Speaks and listens until `until`.
    pub async fn stay(&mut self, shared: &Shared, until: u64) -> Over {
        let clock = shared.clock;
        let mut stop = shared.stop.clone();
        let mut stopped = pin!(asked(&mut stop, GOODBYE));
        let mut is_armed = false;
        let mut alarm = self.line.device.poll_timeout().unwrap_or(u64::MAX).min(until);
        let mut timer = pin!(sleep_until(clock.at(alarm)));
        poll_fn(|cx| {
            loop {
                // Asked once it waits, and then only where something was asked for: there may be many.
                let has_news = !is_armed || shared.stop.has_changed().unwrap_or(true);
                is_armed = true;
                if has_news && stopped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Over::Stopped);
                }
                // Before the reading, which may never end.
                let is_due = timer.as_mut().poll(cx).is_ready();
                if is_due {
                    let now = clock.now();
                    if now >= until {
                        return Poll::Ready(Over::Due);
                    }
                    self.line.device.handle_timeout(now);
                }
                match self.line.poll_event(cx, clock) {
                    Poll::Ready(Ok(Event::Objected { to, reason })) => {
                        self.tell(shared, What::Refused { reason: objection(to, reason) });
                        continue;
                    }
                    Poll::Ready(Ok(Event::Unanswered)) => return Poll::Ready(Over::GaveUp),
                    Poll::Ready(Ok(end)) => {
                        let trouble = trouble(end, shared.fleet.version());
                        return Poll::Ready(Over::Lost(self.line.explained(trouble)));
                    }
                    Poll::Ready(Err(trouble)) => return Poll::Ready(Over::Lost(trouble)),
                    Poll::Pending => {}
                }
                let next = self.line.device.poll_timeout().unwrap_or(u64::MAX).min(until);
                // A timer that is only early is let run: most often all that has moved is a ping.
                if !is_due && next >= alarm {
                    return Poll::Pending;
                }
                alarm = next;
                timer.as_mut().reset(clock.at(alarm));
            }
        })
        .await
    }

    /// Tells what happens now.
    pub fn tell(&self, shared: &Shared, what: What) {
        self.tell_of(shared, crate::clock::uptime(), what);
    }

    /// Tells what happened at this time.
    pub fn tell_of(&self, shared: &Shared, at: Duration, what: What) {
        shared.tell(Deed {
            device: self.number,
            life: self.life,
            connection: self.connection,
            at,
            last_sent: self.line.last_sent,
            what,
        });
    }

    /// Tells whether anything can still be said on it.
    pub fn passes(&self) -> bool {
        self.line.flow != Flow::Nothing
    }
}

/// A connection that is kept after the life that it was made for.
pub struct Held {
    pub open: Open,
    pub manner: Manner,
    /// How it ended, where that is still to be told or needs no telling any more.
    pub end: Option<(Duration, What)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It has fallen silent. The broker may notice.
    Silent,
    /// Nothing passes. The device may give up.
    Dropped,
    /// It lives until the next life's connection takes its place.
    Waiting,
}

impl Held {
    pub fn new(open: Open, manner: Manner) -> Self {
        Self { open, manner, end: None }
    }

    /// Waits for its end.
    async fn ended(&mut self, shared: &Shared) -> What {
        match self.manner {
            Manner::Silent => {
                poll_fn(|cx| self.open.line.transport.poll_hung_up(cx)).await;
                What::Noticed
            }
            Manner::Dropped | Manner::Waiting => match self.open.stay(shared, u64::MAX).await {
                Over::GaveUp => What::GaveUp,
                Over::Lost(trouble) => What::Lost { reason: trouble.to_string() },
                // Whoever waits for this is stopped too.
                Over::Due | Over::Stopped => std::future::pending().await,
            },
        }
    }
}

/// Waits for the end of the connection that is held, if there is one that has not ended.
pub async fn held_ended(held: &mut Option<Held>, shared: &Shared) -> What {
    match held {
        // Apart, because most hold none, and there may be many.
        Some(held) if held.end.is_none() => Box::pin(held.ended(shared)).await,
        _ => std::future::pending().await,
    }
}

fn objection(to: Objection, reason: Reason) -> String {
    let what = match to {
        Objection::Subscription => "a subscription was refused",
        Objection::Message => "a message was refused",
    };
    format!("{what}: {}", reason::described(reason.0, reason::of_v5(reason.0), None))
}
