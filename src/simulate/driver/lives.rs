//! The lives of one device, one after the other.
//!
//! A life is one connection, or several where the device comes back by itself. A connection may outlast
//! its life: one that has fallen silent, one on which nothing passes any more, one that waits for the next
//! life to take its place. There is one such at a time; it ends with the next that is accepted, or
//! with the run.

use super::line::{Accepted, Flow, Line};
use super::open::{Held, Manner, Open, Over, held_ended};
use super::{GOODBYE, Shared, asked};
use crate::clock;
use crate::simulate::deed::{Deed, What};
use crate::simulate::device::TICK_MS;
use crate::simulate::pinging::Pinging;
use crate::simulate::plan::{Death, Life};
use crate::simulate::trace::{Call, Trace};
use crate::source::mqtt::Backoff;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{Reason, Version};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep_until, timeout};

/// How the first life of the first device began: before the others, to find the broker.
pub struct Start {
    pub answer: Result<Accepted, Trouble>,
    pub took: Duration,
}

/// What comes after a connection.
enum Next {
    /// Another one, in the same life.
    Return,
    Life,
    /// The run is stopped.
    Nothing,
}

/// One device between its lives.
struct One {
    shared: Arc<Shared>,
    number: u32,
    /// Counts the lives.
    turn: u32,
    /// Counts the connections.
    connections: u32,
    held: Option<Held>,
    /// CONNECT may be on its way.
    is_calling: bool,
    trace: Trace,
    /// What it had left before it called the last time.
    trace_before: Trace,
}

/// Lives all lives of a device, and returns what it may have left behind.
pub async fn live_all(shared: Arc<Shared>, number: u32, mut start: Option<Box<Start>>) -> Trace {
    let trace = Trace::none(number);
    let plan = Arc::clone(&shared.plan);
    let lives = usize::try_from(number).ok().and_then(|place| plan.devices.get(place));
    let lives = lives.unwrap_or_default();
    let mut one = One {
        shared,
        number,
        turn: 0,
        connections: 0,
        held: None,
        is_calling: false,
        trace,
        trace_before: trace,
    };
    for (turn, life) in (0..).zip(lives) {
        one.turn = turn;
        let is_last = life.begin_ms == lives.last().map_or(0, |last| last.begin_ms);
        let until = match life.death {
            Death::Stay => one.shared.end_ms(),
            _ => life.end_ms,
        };
        let start = match start.take() {
            Some(start) => {
                one.call();
                *start
            }
            None => match one.begin(life.begin_ms, until).await {
                Some(start) => start,
                None => break,
            },
        };
        if !one.live(start, life, until, is_last).await {
            break;
        }
    }
    one.end().await;
    one.trace
}

impl One {
    /// Waits until it is time, and connects; `None` if the run is stopped meanwhile.
    async fn begin(&mut self, intended: u64, until: u64) -> Option<Start> {
        let shared = Arc::clone(&self.shared);
        self.meanwhile(pin!(sleep_until(shared.clock.at(intended)))).await?;
        let took = || shared.clock.elapsed().saturating_sub(Duration::from_millis(intended));
        let turn = async {
            // In this order: who may connect at once does so, however late the machine woke it.
            tokio::select! {
                biased;
                permit = shared.in_flight.acquire() => permit.ok(),
                () = sleep_until(shared.clock.at(until)) => None,
            }
        };
        let Some(_permit) = self.meanwhile(pin!(turn)).await? else {
            return Some(Start { answer: Err(Trouble::Failed(CROWD.into())), took: took() });
        };
        self.call();
        let limit = shared.fleet.connect_timeout;
        let call = Line::connect(&shared.route, &shared.fleet, self.number, shared.clock, limit);
        // Apart, because few call at a time, and those who are connected would pay for it.
        let answer = self.meanwhile(Box::pin(call).as_mut()).await?;
        Some(Start { answer, took: took() })
    }

    fn call(&mut self) {
        self.is_calling = true;
        self.trace_before = self.trace;
        self.trace.call(self.shared.fleet.conduct(self.number).persistent);
    }

    /// Does something while the connection that is held goes its own way; `None` if the run is stopped.
    async fn meanwhile<T>(&mut self, mut work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let shared = Arc::clone(&self.shared);
        let mut stop = shared.stop.clone();
        let mut stopped = pin!(asked(&mut stop, GOODBYE));
        loop {
            tokio::select! {
                biased;
                () = &mut stopped => return None,
                done = &mut work => return Some(done),
                what = held_ended(&mut self.held, &shared) => self.note_end(what),
            }
        }
    }

    /// The connection that was held has ended.
    fn note_end(&mut self, what: What) {
        let at = clock::uptime();
        let Some(mut held) = self.held.take() else { return };
        match held.manner {
            // Only the answer to the call tells what that end means.
            Manner::Waiting if self.is_calling => {
                held.end = Some((at, what));
                self.held = Some(held);
            }
            // The device has closed it, and nobody hears of that.
            Manner::Dropped => {
                held.open.tell_of(&self.shared, at, what.clone());
                held.end = Some((at, what));
                self.held = Some(held);
            }
            Manner::Silent | Manner::Waiting => held.open.tell_of(&self.shared, at, what),
        }
    }

    /// Lives one life to its end; false if the run is stopped.
    async fn live(&mut self, mut start: Start, life: &Life, until: u64, is_last: bool) -> bool {
        let mut failures = 0;
        loop {
            if let Some(open) = self.take(start, failures == 0).await {
                failures = 0;
                match self.spend(open, life, until, is_last).await {
                    Next::Return => {}
                    Next::Life => return true,
                    Next::Nothing => return false,
                }
            } else {
                failures += 1;
            }
            let Some(due) = self.return_at(failures).filter(|due| *due < until) else {
                return true;
            };
            start = match self.begin(due, until).await {
                Some(start) => start,
                None => return false,
            };
        }
    }

    /// Returns when a device comes back that does so by itself: not at once, or one that a broker ends as
    /// soon as it has accepted it would do nothing else.
    fn return_at(&self, failures: u32) -> Option<u64> {
        let mut wait = self.shared.fleet.conduct(self.number).reconnect?;
        if failures > 0 {
            wait = wait.saturating_add(BACKOFF.delay(failures, self.number.into()));
        }
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(TICK_MS);
        Some(self.shared.clock.now().saturating_add(wait_ms))
    }

    /// Tells how a call ended, unless it is one more of the same kind.
    async fn take(&mut self, start: Start, tells_failure: bool) -> Option<Open> {
        self.is_calling = false;
        let Accepted { line, session_present } = match start.answer {
            Ok(accepted) => accepted,
            Err(trouble) => {
                self.fail(&trouble, tells_failure);
                return None;
            }
        };
        self.trace.accept();
        let (took, asked) = (start.took, line.last_sent);
        let local = line.transport.local_address();
        let keep_alive = line.device.keep_alive();
        let mut open =
            Open { line, number: self.number, life: self.turn, connection: self.connections };
        self.connections += 1;
        let old = self.held.take();
        if let Some(old) = old.as_ref().filter(|old| old.manner == Manner::Waiting) {
            match &old.end {
                Some((at, what)) if *at < asked => {
                    old.open.tell_of(&self.shared, *at, what.clone());
                }
                _ => old.open.tell_of(&self.shared, asked, What::Died(Death::TakeOver)),
            }
        }
        open.tell(
            &self.shared,
            What::Connected { local, session_present, took, asked, keep_alive },
        );
        // The broker ends it. To be the first would make it look like another death.
        if let Some(Held { open: old, manner: Manner::Waiting, end: None }) = old {
            let _ = timeout(REPLACED_MAX, old.line.end()).await;
        }
        let conduct = self.shared.fleet.conduct(self.number);
        if conduct.pinging == Pinging::HalfOpen {
            open.line.flow = Flow::Nothing;
            open.tell(&self.shared, What::Died(Death::NatDrop));
        } else if !conduct.reads {
            open.line.flow = Flow::Out;
        }
        Some(open)
    }

    /// No connection has come about. One that waits to be taken over lives on.
    fn fail(&mut self, trouble: &Trouble, tells: bool) {
        let is_refusal = matches!(trouble, Trouble::Refused(_));
        if is_refusal {
            self.trace = self.trace_before;
        }
        if let Some(Held { open, manner: Manner::Waiting, end: Some((at, what)) }) = &self.held {
            open.tell_of(&self.shared, *at, what.clone());
            self.held = None;
        }
        if tells {
            let at = clock::uptime();
            self.shared.tell(Deed {
                device: self.number,
                life: self.turn,
                connection: self.connections,
                at,
                last_sent: at,
                what: What::Failed { reason: trouble.to_string(), is_refusal },
            });
        }
    }

    /// Spends a connection, up to the end of the life if it lasts.
    async fn spend(&mut self, mut open: Open, life: &Life, until: u64, is_last: bool) -> Next {
        let shared = Arc::clone(&self.shared);
        match open.stay(&shared, until).await {
            Over::Lost(trouble) => {
                open.tell(&shared, What::Lost { reason: trouble.to_string() });
                Next::Return
            }
            Over::GaveUp => {
                open.tell(&shared, What::GaveUp);
                if open.passes() {
                    open.line.transport.cut();
                } else {
                    let end = Some((clock::uptime(), What::GaveUp));
                    self.held = Some(Held { end, ..Held::new(open, Manner::Dropped) });
                }
                Next::Return
            }
            // Nothing can be said.
            Over::Stopped if !open.passes() => {
                self.held = Some(Held::new(open, Manner::Dropped));
                Next::Nothing
            }
            Over::Stopped => {
                // Who stayed to the end of the run has done what was planned.
                let has_stayed =
                    life.death == Death::Stay && shared.clock.now() >= shared.plan.end_ms;
                let how = if has_stayed { What::Died(Death::Stay) } else { What::Stopped };
                self.leave(open, Reason::SUCCESS, true, how).await;
                Next::Nothing
            }
            Over::Due => {
                self.die(open, life.death, is_last).await;
                Next::Life
            }
        }
    }

    async fn die(&mut self, mut open: Open, death: Death, is_last: bool) {
        let shared = Arc::clone(&self.shared);
        if !open.passes() {
            // It was dead already, for all that the broker can see.
            self.held = Some(Held::new(open, Manner::Dropped));
            return;
        }
        // Before it is done: the broker may be quick to tell of it.
        let at = clock::uptime();
        let tell = |open: &Open| open.tell_of(&shared, at, What::Died(death));
        match death {
            Death::Disconnect => {
                self.leave(open, Reason::SUCCESS, is_last, What::Died(death)).await;
            }
            Death::DisconnectWith(reason) => {
                self.leave(open, Reason(reason), is_last, What::Died(death)).await;
            }
            Death::Stay => self.leave(open, Reason::SUCCESS, true, What::Died(death)).await,
            Death::Fin => {
                tell(&open);
                open.line.close().await;
            }
            Death::TlsCut => {
                tell(&open);
                open.line.transport.cut();
            }
            Death::Rst => {
                tell(&open);
                open.line.transport.reset();
            }
            Death::Silence => {
                tell(&open);
                self.held = Some(Held::new(open, Manner::Silent));
            }
            Death::NatDrop => {
                open.line.flow = Flow::Nothing;
                tell(&open);
                self.held = Some(Held::new(open, Manner::Dropped));
            }
            Death::TakeOver => self.held = Some(Held::new(open, Manner::Waiting)),
        }
    }

    /// Says goodbye and waits until the broker has heard it.
    async fn leave(&mut self, mut open: Open, reason: Reason, is_last: bool, how: What) {
        match open.line.say_goodbye(reason, is_last).await {
            Ok(()) => {
                let is_v5 = self.shared.fleet.version() == Version::V5;
                self.trace.leave(is_last && is_v5, is_v5 && reason != Reason::SUCCESS);
                open.tell_of(&self.shared, open.line.last_sent, how);
                open.line.end().await;
            }
            Err(trouble) => open.tell(&self.shared, What::Lost { reason: trouble.to_string() }),
        }
    }

    /// Says goodbye where that has not been done, so that no will comes when the run is over.
    async fn end(&mut self) {
        let shared = Arc::clone(&self.shared);
        let mut stop = shared.stop.clone();
        let mut stopped = pin!(asked(&mut stop, GOODBYE));
        let mut due = pin!(sleep_until(shared.clock.at(shared.end_ms())));
        while self.held.is_some() {
            tokio::select! {
                biased;
                () = &mut stopped => break,
                () = &mut due => break,
                what = held_ended(&mut self.held, &shared) => self.note_end(what),
            }
        }
        let Some(Held { mut open, manner, .. }) = self.held.take() else { return };
        match manner {
            Manner::Silent => {
                if open.line.say_goodbye(Reason::SUCCESS, true).await.is_ok() {
                    self.trace.leave(shared.fleet.version() == Version::V5, false);
                    open.line.end().await;
                }
            }
            Manner::Waiting => self.leave(open, Reason::SUCCESS, true, What::Stopped).await,
            // Nothing can be said. Somebody has to come in its name.
            Manner::Dropped => {}
        }
        // A later call may have been heard, and another will left.
        self.trace.is_abrupt |= self.trace.call == Call::Sent;
    }
}

/// Between the attempts of one that comes back, beside the time that it takes for itself. A broker that is
/// away for a while is found soon after it returns.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    second: Duration::from_secs(1),
    max: Duration::from_secs(10),
};
/// How long a broker may take to end a connection that was taken over. The new one waits meanwhile.
const REPLACED_MAX: Duration = Duration::from_millis(500);
const CROWD: &str = "it was not its turn to connect before the end of its life";
