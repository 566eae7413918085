//! The lives of one device, one after the other.

use super::line::{Accepted, Line, trouble};
use super::{GOODBYE, Shared, asked};
use crate::clock;
use crate::simulate::deed::{Deed, What};
use crate::simulate::device::{Event, Objection};
use crate::simulate::plan::{Death, Life};
use crate::simulate::trace::Trace;
use crate::source::mqtt::reason;
use crate::source::mqtt::trouble::Trouble;
use crate::wire::{Reason, Version};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::sleep_until;

/// How the first life of the first device began: before the others, to find the broker.
pub struct Start {
    pub answer: Result<Accepted, Trouble>,
    pub took: Duration,
}

/// Why a wait is over.
enum Woken {
    Due,
    /// The broker has closed the connection of the silent one.
    Noticed,
    Stopped,
}

/// Why a life is over.
enum Over {
    Due,
    Stopped,
    Lost(Trouble),
}

/// One device between its lives.
struct One {
    shared: Arc<Shared>,
    number: u32,
    /// Counts the lives.
    turn: u32,
    /// The connection on which it has fallen silent. It is kept until the next one is accepted, so
    /// that the broker sees a take-over.
    silent: Option<Box<Line>>,
    /// The life in which it fell silent.
    silent_turn: u32,
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
    let mut one =
        One { shared, number, turn: 0, silent: None, silent_turn: 0, trace, trace_before: trace };
    for (turn, life) in (0..).zip(lives) {
        one.turn = turn;
        let is_last = life.begin_ms == lives.last().map_or(0, |last| last.begin_ms);
        let start = match start.take() {
            Some(start) => {
                one.call();
                *start
            }
            None => match one.begin(life).await {
                Some(start) => start,
                None => break,
            },
        };
        let Some(line) = one.take(start) else { continue };
        // The silent one has been taken over.
        one.silent = None;
        if !one.live(line, life, is_last).await {
            break;
        }
    }
    one.end().await;
    one.trace
}

impl One {
    /// Waits for the beginning of a life, and connects; `None` if the run is stopped meanwhile.
    async fn begin(&mut self, life: &Life) -> Option<Start> {
        loop {
            match self.wait(life.begin_ms).await {
                Woken::Due => break,
                Woken::Noticed => {}
                Woken::Stopped => return None,
            }
        }
        let shared = Arc::clone(&self.shared);
        let mut stop = shared.stop.clone();
        let mut stopped = pin!(asked(&mut stop, GOODBYE));
        let took = || {
            let intended = Duration::from_millis(life.begin_ms);
            shared.clock.elapsed().saturating_sub(intended)
        };
        // In this order: who may connect at once does so, however late the machine woke it.
        let _permit = tokio::select! {
            biased;
            () = &mut stopped => return None,
            permit = shared.in_flight.acquire() => permit.ok()?,
            () = sleep_until(shared.clock.at(life.end_ms)) => {
                let answer = Err(Trouble::Failed(CROWD.into()));
                return Some(Start { answer, took: took() });
            }
        };
        self.call();
        let limit = shared.fleet.connect_timeout;
        tokio::select! {
            answer = Line::connect(&shared.route, &shared.fleet, self.number, shared.clock, limit) => {
                Some(Start { answer, took: took() })
            }
            () = &mut stopped => None,
        }
    }

    fn call(&mut self) {
        self.trace_before = self.trace;
        self.trace.call(self.shared.fleet.conduct(self.number).persistent);
    }

    /// Reports how a life began.
    fn take(&mut self, start: Start) -> Option<Box<Line>> {
        match start.answer {
            Ok(Accepted { line, session_present }) => {
                self.trace.accept();
                let local = line.transport.local_address();
                let keep_alive = line.device.keep_alive();
                let asked = line.asked;
                let took = start.took;
                self.report(What::Connected { local, session_present, took, asked, keep_alive });
                Some(Box::new(line))
            }
            Err(trouble) => {
                let is_refusal = matches!(trouble, Trouble::Refused(_));
                if is_refusal {
                    self.trace = self.trace_before;
                }
                self.report(What::Failed { reason: trouble.to_string(), is_refusal });
                None
            }
        }
    }

    /// Lives one life to its end; false if the run is stopped.
    async fn live(&mut self, mut line: Box<Line>, life: &Life, is_last: bool) -> bool {
        match self.stay(&mut line, life.end_ms).await {
            Over::Lost(trouble) => self.report(What::Lost { reason: trouble.to_string() }),
            Over::Stopped => {
                self.leave(line, true, What::Stopped).await;
                return false;
            }
            Over::Due => match life.death {
                Death::Disconnect => {
                    self.leave(line, is_last, What::Died(Death::Disconnect)).await;
                }
                Death::Fin => {
                    line.transport.close();
                    self.report(What::Died(Death::Fin));
                }
                Death::Rst => {
                    line.transport.reset();
                    self.report(What::Died(Death::Rst));
                }
                _ => {
                    self.silent = Some(line);
                    self.silent_turn = self.turn;
                    self.report(What::Died(Death::Silence));
                }
            },
        }
        true
    }

    /// Speaks and listens until `until`.
    async fn stay(&mut self, line: &mut Line, until: u64) -> Over {
        let (shared, number, turn) = (&*self.shared, self.number, self.turn);
        let clock = shared.clock;
        let mut stop = shared.stop.clone();
        let mut stopped = pin!(asked(&mut stop, GOODBYE));
        let mut alarm = line.device.poll_timeout().unwrap_or(u64::MAX).min(until);
        let mut timer = pin!(sleep_until(clock.at(alarm)));
        poll_fn(|cx| {
            loop {
                if stopped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Over::Stopped);
                }
                // Before the reading, which may never end.
                let is_due = timer.as_mut().poll(cx).is_ready();
                if is_due {
                    let now = clock.now();
                    if now >= until {
                        return Poll::Ready(Over::Due);
                    }
                    line.device.handle_timeout(now);
                }
                match line.poll_event(cx, clock) {
                    Poll::Ready(Ok(Event::Objected { to, reason })) => {
                        let reason = objection(to, reason);
                        shared.report(number, turn, What::Refused { reason });
                        continue;
                    }
                    Poll::Ready(Ok(end)) => {
                        return Poll::Ready(Over::Lost(trouble(end, shared.fleet.version())));
                    }
                    Poll::Ready(Err(trouble)) => return Poll::Ready(Over::Lost(trouble)),
                    Poll::Pending => {}
                }
                let next = line.device.poll_timeout().unwrap_or(u64::MAX).min(until);
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

    /// Says goodbye and waits until the broker has heard it.
    async fn leave(&mut self, mut line: Box<Line>, is_last: bool, how: What) {
        match line.say_goodbye(is_last).await {
            Ok(()) => {
                self.trace.leave(is_last && self.shared.fleet.version() == Version::V5);
                self.report(how);
                line.end().await;
            }
            Err(trouble) => self.report(What::Lost { reason: trouble.to_string() }),
        }
    }

    /// Waits, and reports if the broker notices the silence.
    async fn wait(&mut self, until: u64) -> Woken {
        let mut stop = self.shared.stop.clone();
        let noticed = async {
            match &mut self.silent {
                Some(line) => line.transport.hung_up().await,
                None => pending().await,
            }
        };
        let woken = tokio::select! {
            () = asked(&mut stop, GOODBYE) => Woken::Stopped,
            () = sleep_until(self.shared.clock.at(until)) => Woken::Due,
            () = noticed => Woken::Noticed,
        };
        if matches!(woken, Woken::Noticed) {
            self.silent = None;
            self.shared.report(self.number, self.silent_turn, What::Noticed);
        }
        woken
    }

    /// Says goodbye where there was only silence, so that no will comes when the run is over.
    async fn end(&mut self) {
        if self.silent.is_some() {
            let _ = self.wait(self.shared.plan.end_ms).await;
        }
        if let Some(mut line) = self.silent.take()
            && line.say_goodbye(true).await.is_ok()
        {
            self.trace.leave(self.shared.fleet.version() == Version::V5);
            line.end().await;
        }
    }

    fn report(&self, what: What) {
        self.shared.report(self.number, self.turn, what);
    }
}

impl Shared {
    fn report(&self, device: u32, life: u32, what: What) {
        // When nobody listens any more, the run is over.
        let at = clock::uptime();
        let (connection, last_sent) = (life, at);
        let _ = self.deeds.send(Deed { device, life, connection, at, last_sent, what });
    }
}

fn objection(to: Objection, reason: Reason) -> String {
    let what = match to {
        Objection::Subscription => "a subscription was refused",
        Objection::Message => "a message was refused",
    };
    format!("{what}: {}", reason::described(reason.0, reason::of_v5(reason.0), None))
}

const CROWD: &str = "it was not its turn to connect before the end of its life";
