//! The full-screen table: takes news as fast as they come, and draws a few frames a second of them.

mod terminal;

use super::rate::Rate;
use crate::clock;
use crate::command::filter::Shown;
use crate::command::watcher::{News, Pulse, Question};
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::finding;
use crate::output::screen::{Abilities, Screen, Wish};
use crate::output::time::Zone;
use crate::output::verdict::Vitals;
use crate::state::diagnosis::Finding;
use crate::state::fleet::Fleet;
use crate::state::policy::Policy;
use std::time::Duration;
use terminal::{Input, Terminal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// At most ten frames a second, and one a second for the ages where nothing happens.
const FRAME_PAUSE: Duration = Duration::from_millis(100);
const IDLE_PAUSE: Duration = Duration::from_secs(1);
/// How often the client that is shown in full is asked for.
const ASK_PAUSE: Duration = Duration::from_millis(300);
/// Drawing takes at most a tenth of the time, however slow the machine is.
const DRAWING_SHARE: u32 = 10;

/// What is shown of all watchers, on a whole terminal.
#[derive(Debug)]
pub struct Table {
    screen: Screen,
    shown: Shown,
    pulses: Vec<Pulse>,
    questions: Vec<mpsc::Sender<Question>>,
    rate: Rate,
    /// Of the times.
    zone: Zone,
    /// `None` once it was given back.
    terminal: Option<Terminal>,
    frame_due: Instant,
    idle_due: Instant,
    ask_due: Instant,
    asked: Option<Asked>,
}

/// A question that is not answered yet.
#[derive(Debug)]
struct Asked {
    broker: usize,
    client: String,
    answer: oneshot::Receiver<Fleet>,
}

impl Table {
    /// Takes the terminal over. `questions` has the way to each watcher.
    pub fn new(
        shown: Shown,
        instances: Vec<String>,
        policy: Policy,
        questions: Vec<mpsc::Sender<Question>>,
        console: &Console,
    ) -> Result<Self, Failure> {
        let settings = console.settings();
        let (style, unicode) = (settings.style, settings.is_unicode);
        let abilities = Abilities { coloured: style.is_coloured(), unicode, zone: style.zone() };
        let now = Instant::now();
        Ok(Self {
            shown,
            pulses: vec![Pulse::default(); instances.len()],
            screen: Screen::new(instances, policy, abilities),
            questions,
            zone: abilities.zone,
            rate: Rate::default(),
            terminal: Some(Terminal::open()?),
            frame_due: now,
            idle_due: now,
            ask_due: now,
            asked: None,
        })
    }

    pub fn show(&mut self, number: usize, news: News, console: &mut Console) {
        match news {
            News::Known(verdicts) => {
                for verdict in verdicts.iter().filter(|v| self.shown.is_about(&v.client)) {
                    self.screen.known(number, verdict);
                }
            }
            News::Changes(changes) => {
                for change in changes.iter().filter(|c| self.shown.is_about(&c.verdict.client)) {
                    self.screen.change(number, change);
                }
            }
            News::Warning(warning) if self.terminal.is_none() => console.warn(&warning),
            News::Warning(warning) => self.screen.warn(clock::now(), &warning),
            News::Debug(_)
            | News::Voice(_)
            | News::Part { .. }
            | News::Messages(_)
            | News::Testimony(_) => {}
            News::Pulse(pulse) => {
                self.pulses[number] = pulse;
                self.show_vitals();
            }
        }
    }

    /// Shows what was found out about the fleet.
    pub fn finding(&mut self, number: usize, finding: &Finding) {
        if finding.what.client().is_none_or(|client| self.shown.is_about(client)) {
            let instance = &self.screen.instances()[number];
            let text = finding::text(instance, finding, self.zone);
            self.screen.finding(clock::now(), &text);
        }
    }

    /// Shows something beside the figures, for as long as it is so.
    pub fn note(&mut self, aside: String) {
        self.screen.note(aside);
    }

    fn show_vitals(&mut self) {
        let mut vitals = Vitals::default();
        for pulse in &self.pulses {
            vitals.add(&pulse.counts, true, pulse.lag, pulse.unsaved);
        }
        let events = self.pulses.iter().map(|pulse| pulse.events).sum();
        let away = self.pulses.iter().filter(|pulse| !pulse.connected).count();
        self.screen.vitals(vitals, self.rate.per_second(events), away);
    }

    /// Waits for a key, an answer or the time of the next frame. Returns whether the user is done.
    pub async fn next(&mut self) -> Result<bool, Failure> {
        let due = if self.screen.is_dirty() { self.frame_due } else { self.idle_due };
        let Some(terminal) = &mut self.terminal else { return std::future::pending().await };
        let asking = self.screen.question().is_some() && self.asked.is_none();
        let answer = async {
            match &mut self.asked {
                Some(asked) => (&mut asked.answer).await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            input = terminal.input() => return self.take(input),
            fleet = answer => {
                if let (Some(asked), Some(fleet)) = (self.asked.take(), fleet) {
                    self.screen.tell(asked.broker, &asked.client, fleet);
                }
            }
            () = sleep_until(self.ask_due), if asking => self.ask(),
            () = sleep_until(due) => self.draw()?,
        }
        Ok(false)
    }

    fn take(&mut self, input: Input) -> Result<bool, Failure> {
        let now = Instant::now();
        match input {
            Input::Key(key) => match self.screen.press(key) {
                Wish::Leave => return Ok(true),
                Wish::Suspend => self.terminal.as_mut().map_or(Ok(()), Terminal::suspend)?,
                Wish::Nothing => {
                    if self.screen.question().is_some() && self.asked.is_none() {
                        self.ask_due = now;
                    }
                }
            },
            Input::Resized => {}
            // Nobody is there any more who could press a key.
            Input::Ended => return Ok(true),
        }
        // What a key does is seen at once.
        self.frame_due = now;
        self.idle_due = now;
        Ok(false)
    }

    fn ask(&mut self) {
        self.ask_due = Instant::now() + ASK_PAUSE;
        let Some((broker, client)) = self.screen.question() else { return };
        let (reply, answer) = oneshot::channel();
        let question = Question { client: client.to_owned(), reply };
        // A watcher that is busy is asked again later.
        if self.questions.get(broker).is_some_and(|way| way.try_send(question).is_ok()) {
            self.asked = Some(Asked { broker, client: client.to_owned(), answer });
        }
    }

    fn draw(&mut self) -> Result<(), Failure> {
        let Some(terminal) = &mut self.terminal else { return Ok(()) };
        let begun = Instant::now();
        if terminal.is_ready() {
            terminal.draw(&mut self.screen)?;
        }
        let now = Instant::now();
        self.frame_due = now + FRAME_PAUSE.max(now.duration_since(begun) * DRAWING_SHARE);
        self.idle_due = now + IDLE_PAUSE.max(FRAME_PAUSE);
        Ok(())
    }

    /// Gives the terminal back, with all that it showed before.
    pub fn end(&mut self) {
        self.terminal = None;
    }

    pub fn instances(&self) -> &[String] {
        self.screen.instances()
    }
}
