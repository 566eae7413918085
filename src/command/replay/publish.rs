//! What was recorded, sent to a broker.

use super::Scope;
use crate::cli::replay::Replay;
use crate::clock;
use crate::command::input::{Follower, Heard, Input, Said};
use crate::command::simulate::load;
use crate::command::{connection, one_thread, stop};
use crate::config::connection::Connection;
use crate::dialect::mosquitto::Mosquitto;
use crate::dialect::{Reading, topic};
use crate::disorder::{self, Disorder};
use crate::event::Event;
use crate::failure::{Failure, Outcome};
use crate::output::console::{Console, Talk};
use crate::output::number::grouped;
use crate::output::object::Altered;
use crate::output::published::Published;
use crate::output::sanitize::sanitize;
use crate::output::status::Status;
use crate::output::warning::Warning;
use crate::publish::courier::{self, Notice, Report};
use crate::publish::outbox::Message;
use crate::publish::schedule::{Schedule, Speed};
use crate::simulate::template::Template;
use crate::source::mqtt::random_client_id;
use crate::source::mqtt::reach::addresses_within;
use crate::wire::Qos;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::oneshot;

/// Longest silence on the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Messages between the reader and the sender.
const ROOM: usize = 1_024;
/// Between two looks at how far it is.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// Sends all that is read, and says what became of it.
pub fn run(
    options: &Replay,
    mut input: Input,
    scope: Scope,
    terms: Option<disorder::Terms>,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    let desk = Rc::new(RefCell::new(Desk::new(options, scope, console)?));
    check_repeat(options)?;
    let connection = connection(&options.publish.connection, KEEP_ALIVE, console)?;
    let pace = pace(options, &connection, desk.borrow().speed)?;
    let client_id = connection.client_id.clone().map_or_else(random_client_id, Ok)?;
    connection.check_client(&client_id)?;
    let broker = connection.broker.to_string();
    let patience = options.publish.timeout;
    let courier = courier::Terms { connection, client_id, patience, pace };
    let (sender, courier) = send_out(courier, console)?;
    desk.borrow_mut().sender = Some(sender);
    input.follower = Some(Box::new(Post(Rc::clone(&desk))));
    let read = rounds(options, &mut input, terms, &desk, console);
    // Nothing more comes.
    desk.borrow_mut().sender = None;
    let report = courier.join().unwrap_or_else(|_| Err(Failure::new("could not go on sending")));
    console.status().clear();
    let report = report?;
    let (rounds, altered, failed) = match read {
        Ok((rounds, altered)) => (rounds, altered, None),
        // The reader stopped because nobody sent any more.
        Err(_) if report.was_interrupted => (0, input.altered(), None),
        Err(failure) => (0, input.altered(), Some(failure)),
    };
    let desk = desk.borrow();
    let published = Published {
        broker: &broker,
        report: &report,
        skipped: *desk.schedule.skipped(),
        left_out: desk.left_out,
        not_chosen: desk.not_chosen,
        rounds,
        altered,
    };
    if console.is_json() {
        console.json_line(&published.object())?;
    } else {
        console.print(&published.text())?;
    }
    super::tell_set_aside(&input, console);
    console.flush()?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    let unread = input.conclude(console);
    Ok(match outcome(&report, &broker, console) {
        Outcome::Yes => unread,
        worse => worse,
    })
}

/// Who sends, in a thread of its own.
type Courier = thread::JoinHandle<Result<Report, Failure>>;

/// Begins to send: reading waits for the disk, sending for the clock.
fn send_out(
    terms: courier::Terms,
    console: &Console,
) -> Result<(Sender<Message>, Courier), Failure> {
    let runtime = one_thread()?;
    let (sender, messages) = channel(ROOM);
    let end = stop::heard(console.status());
    let (asking, asked) = oneshot::channel::<()>();
    thread::spawn(move || {
        if end.recv().is_ok() {
            let _ = asking.send(());
        }
    });
    let (broker, talk) = (terms.connection.broker.to_string(), console.talker());
    let courier = thread::spawn(move || {
        let stop = async {
            if asked.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let tell = |notice| tell(&notice, &broker, &talk);
        let report = runtime.block_on(courier::run(terms, messages, stop, tell));
        // A name that is still looked up would keep us here.
        runtime.shutdown_background();
        report
    });
    Ok((sender, courier))
}

fn tell(notice: &Notice, broker: &str, talk: &Talk) {
    match notice {
        Notice::Lost { cause } => {
            let (broker, cause) = (broker.to_owned(), cause.clone());
            talk.write(&format!("{}\n", Warning::ConnectionLost { broker, cause }));
        }
        Notice::Back => talk.write(&format!("connected again to {broker}\n")),
    }
}

/// Reads everything as often as it is wanted.
fn rounds(
    options: &Replay,
    input: &mut Input,
    terms: Option<disorder::Terms>,
    desk: &RefCell<Desk>,
    console: &mut Console,
) -> Result<(u64, Option<Altered>), Failure> {
    let mut altered: Option<Altered> = None;
    let mut round = 0;
    loop {
        input.disorder = terms.map(Disorder::new);
        input.read_files(&options.files, console)?;
        round += 1;
        altered = input.altered().map(|more| more.plus(altered));
        // Where nothing is there to be sent it would never end.
        if round == options.publish.repeat || desk.borrow().number == 0 {
            return Ok((round, altered));
        }
        input.is_known = true;
        desk.borrow_mut().schedule.begin_again();
    }
}

fn check_repeat(options: &Replay) -> Result<(), Failure> {
    if options.publish.repeat == 1 || options.files.iter().all(|file| file.as_os_str() != "-") {
        return Ok(());
    }
    Err(Failure::misuse("`--repeat` with standard input")
        .because("it can be read only once")
        .next("name a file, or leave `--repeat` out"))
}

/// Returns the least time between two messages: what a stranger's broker is not asked about.
fn pace(
    options: &Replay,
    connection: &Connection,
    speed: Speed,
) -> Result<Option<Duration>, Failure> {
    if options.publish.yes_load {
        return Ok(None);
    }
    let broker = &connection.broker;
    let addresses = one_thread()?
        .block_on(addresses_within(broker, options.publish.timeout))
        .map_err(|trouble| trouble.failure(connection))?;
    let addresses: Vec<_> = addresses.iter().map(SocketAddr::ip).collect();
    let Some(address) = load::public(&addresses) else { return Ok(None) };
    if speed == Speed::Max {
        return Err(Failure::misuse(format!("`--speed max` for {broker}"))
            .because(load::not_yours(address))
            .next(format!(
                "name a speed, which is then held to {} messages a second, or pass `--yes-load` if \
                 whoever runs it agrees",
                grouped(load::PUBLIC_MESSAGES_MAX)
            )));
    }
    Ok(Some(Duration::from_secs(1) / u32::try_from(load::PUBLIC_MESSAGES_MAX).unwrap_or(u32::MAX)))
}

/// Returns how it ended, and says what did not come.
fn outcome(report: &Report, broker: &str, console: &mut Console) -> Outcome {
    let tally = &report.tally;
    let missing = tally.lost + tally.refused + tally.unsendable;
    if missing > 0 {
        let cause = tally.objection.clone().unwrap_or_else(|| "nobody acknowledged it".to_owned());
        let broker = broker.to_owned();
        console.warn(&Warning::NotPublished { broker, messages: missing, cause });
    }
    match (report.was_interrupted, missing) {
        (true, _) => Outcome::Interrupted,
        (false, 0) => Outcome::Yes,
        (false, _) => Outcome::CouldNotAsk,
    }
}

/// Addresses messages and hands them over.
#[derive(Debug)]
struct Desk {
    scope: Scope,
    speed: Speed,
    schedule: Schedule,
    prefix: String,
    topic: Option<Template>,
    run: String,
    qos: Option<Qos>,
    retain: bool,
    /// `None` when all has been handed over.
    sender: Option<Sender<Message>>,
    number: u32,
    left_out: u64,
    /// Messages about clients that were not asked about, or about none.
    not_chosen: u64,
    status: Status,
    shown: Instant,
}

impl Desk {
    fn new(options: &Replay, scope: Scope, console: &Console) -> Result<Self, Failure> {
        let publish = &options.publish;
        let speed = Speed::read(&publish.speed).map_err(|cause| {
            Failure::misuse(format!("`--speed {}` is no speed", publish.speed)).next(cause)
        })?;
        let topic = publish.publish_topic.as_deref().map(|text| {
            Template::read(text).map_err(|cause| {
                Failure::misuse(format!("`--publish-topic {}` is no template", sanitize(text, 80)))
                    .because(cause)
                    .next("put `{client}` where the id of the client belongs")
            })
        });
        let gap_max =
            publish.gap_max.map(|most| u64::try_from(most.as_millis()).unwrap_or(u64::MAX));
        Ok(Self {
            scope,
            speed,
            schedule: Schedule::new(speed, gap_max),
            prefix: publish.topic_prefix.clone(),
            topic: topic.transpose()?,
            run: crate::command::simulate::random_mark()?,
            qos: publish.qos.map(qos),
            retain: publish.retain,
            sender: None,
            number: 0,
            left_out: 0,
            not_chosen: 0,
            status: console.status(),
            shown: clock::monotonic(),
        })
    }

    /// Returns where a message is sent; `None` if a client should stand there, and none is known.
    fn topic(&self, said: &Said<'_>) -> Option<String> {
        let client = client(said.reading).map(topic::level);
        let below = match &self.topic {
            Some(template) if template.names_client() => {
                template.fill(self.number, &self.run, &client?)
            }
            Some(template) => template.fill(self.number, &self.run, ""),
            None if !said.message.topic.is_empty() => said.message.topic.to_owned(),
            None if said.voice.name == Mosquitto::NAME => "$SYS/broker/log/N".to_owned(),
            None => format!("$presence/{}", client?),
        };
        Some(format!("{}{below}", self.prefix))
    }

    fn send(&mut self, said: &Said<'_>) -> Result<(), Failure> {
        let due = match said.now {
            Some(now) => self.schedule.due(now),
            None => self.schedule.due_with_last(),
        };
        if !(self.scope.is_all() || client(said.reading).is_some_and(|id| self.scope.include(id))) {
            self.not_chosen += 1;
            return Ok(());
        }
        self.number = self.number.wrapping_add(1);
        let Some(topic) = self.topic(said) else {
            self.left_out += 1;
            return Ok(());
        };
        let message = Message {
            topic,
            payload: said.message.payload.to_vec().into(),
            qos: self.qos.unwrap_or_else(|| qos(said.message.qos)),
            retain: self.retain,
            due,
        };
        self.show();
        let taken =
            self.sender.as_ref().is_some_and(|sender| sender.blocking_send(message).is_ok());
        if taken { Ok(()) } else { Err(Failure::new("nobody sends any more")) }
    }

    /// Shows how far it is, where the reading of files does not tell: it is far ahead of what is due.
    fn show(&mut self) {
        let now = clock::monotonic();
        if self.speed == Speed::Max || now.duration_since(self.shown) < SHOW_EVERY {
            return;
        }
        self.shown = now;
        if self.status.is_visible() {
            self.status.set(&format!("{} messages handed over", grouped(self.number.into())));
        }
    }
}

/// The desk, as it follows what is read.
#[derive(Debug)]
struct Post(Rc<RefCell<Desk>>);

impl Follower for Post {
    fn read(&mut self, said: &Said<'_>) -> Result<(), Failure> {
        self.0.borrow_mut().send(said)
    }

    fn hear(&mut self, _: &Heard<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn conclude(&mut self, _: &Input, _: &mut Console) -> Result<Outcome, Failure> {
        Ok(Outcome::Yes)
    }
}

/// Returns the client that a message is about.
fn client<'a>(reading: &'a Reading<'_>) -> Option<&'a str> {
    match reading {
        Reading::Events(events) => events.iter().find_map(|event| match event {
            Event::Channel(event) => Some(&*event.client),
            Event::Restarted(_) => None,
        }),
        Reading::Malformed(malformed) => malformed.client.as_ref().map(|(client, _)| &**client),
        Reading::NotMine => None,
    }
}

const fn qos(level: u8) -> Qos {
    match level {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        _ => Qos::ExactlyOnce,
    }
}
