//! What becomes of clients, followed event by event or in lanes: both tell the same.

use crate::run::{Home, T};
use crate::threads::file;
use fastrand::Rng;
use std::fmt::Write as _;

/// A log of orderly lives, with all that disturbs them now and then.
struct Log {
    rng: Rng,
    now: i64,
    /// Of each client: how many channels it had, and whether the last one is open.
    clients: Vec<(u32, bool)>,
    lines: String,
}

impl Log {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let clients = vec![(0, false); rng.usize(20..400)];
        Self { rng, now: T, clients, lines: String::new() }
    }

    fn tell(&mut self, client: usize, channel: u32, event: &str, at: i64) {
        // Some ids are too long for the form in which most are kept, and some addresses are no numbers.
        let id = match client % 40 {
            0 => format!("GID_long@@@{client:0>60}"),
            group => format!("GID_{}@@@device-{client:04}", group % 3),
        };
        let address = match client % 30 {
            0 => String::new(),
            1 => format!("gateway-{channel}:80"),
            2 => format!("[2001:db8::{channel:x}]:5000"),
            host => format!("192.0.{}.{host}:{}", channel % 2, 1_024 + channel),
        };
        let _ = writeln!(
            self.lines,
            r#"{{"clientId":"{id}","time":{at},"eventType":"{event}","channelId":"{client:08x}{channel:024x}","clientIp":"{address}"}}"#
        );
    }

    fn open(&mut self, client: usize) {
        let (channel, is_open) = &mut self.clients[client];
        (*channel, *is_open) = (*channel + 1, true);
        let (channel, at) = (*channel, self.now - self.rng.i64(0..40));
        self.tell(client, channel, "connect", at);
    }

    fn close(&mut self, client: usize) {
        let (channel, is_open) = &mut self.clients[client];
        *is_open = false;
        let (channel, at) = (*channel, self.now - self.rng.i64(0..40));
        let kind = self.rng.u8(..12);
        if kind < 5 {
            self.tell(client, channel, "disconnect", at - 3);
        }
        // A goodbye may be all that is told, and it may be told late.
        if kind > 0 {
            self.tell(client, channel, "tcpclean", at);
        }
        if kind == 5 {
            self.tell(client, channel, "disconnect", at - 3);
        }
        if kind == 6 {
            self.tell(client, channel, "tcpclean", at);
        }
    }

    /// Goes on until there is so much to read.
    fn go_on(&mut self, length: usize) {
        while self.lines.len() < length {
            self.now += self.rng.i64(0..300);
            let client = self.rng.usize(..self.clients.len());
            let (channel, is_open) = self.clients[client];
            match self.rng.u16(..2_000) {
                0 => self.now += 100_000,
                1 => self.lines.push_str("no notice\n"),
                2..40 if is_open => {
                    // Taken over: the end comes behind.
                    self.open(client);
                    self.tell(client, channel, "tcpclean", self.now);
                }
                40..60 => self.tell(client, channel + 90, "tcpclean", self.now - 20_000),
                60 => self.fall(),
                61 => self.fight(client),
                62 => self.tell(client, channel, "connect", self.now + 40_000_000_000),
                _ if is_open => self.close(client),
                _ => self.open(client),
            }
        }
    }

    /// Many are lost at once, and most of them come back.
    fn fall(&mut self) {
        for client in 0..self.clients.len() {
            if self.clients[client].1 && self.rng.u8(..10) > 0 {
                self.now += self.rng.i64(0..9);
                self.close(client);
            }
        }
        for client in 0..self.clients.len() {
            self.now += self.rng.i64(0..90);
            if !self.clients[client].1 && self.rng.u8(..10) > 0 {
                self.open(client);
            }
        }
    }

    /// Two devices have the same id.
    fn fight(&mut self, client: usize) {
        for _ in 0..12 {
            let (channel, _) = self.clients[client];
            self.now += self.rng.i64(900..1_100);
            self.open(client);
            self.tell(client, channel, "tcpclean", self.now);
        }
    }
}

/// Returns the page about files, and what is said of them.
fn page(home: &Home, options: &str) -> (String, String) {
    let now = "--now 1790000000000";
    let run = home.run(&format!("replay -v --json {now} --report page.html {options}"));
    assert_eq!(run.code, 0, "{}", run.err);
    (std::fs::read_to_string(home.path().join("page.html")).expect("it was written"), run.err)
}

/// Asks for the page alone, with any number of threads, and for another answer beside it, which is told
/// event by event.
fn is_the_same(home: &Home, options: &str, what: &str) -> usize {
    let (expected, _) = page(home, &format!("--uptime --threads 2 {options}"));
    for threads in [1, 3] {
        let (found, _) = page(home, &format!("--threads {threads} {options}"));
        if let Some((found, expected)) =
            found.lines().zip(expected.lines()).find(|(found, expected)| found != expected)
        {
            let at = found.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
            let near = |line: &str| {
                let bytes = &line.as_bytes()[at.saturating_sub(300)..(at + 200).min(line.len())];
                String::from_utf8_lossy(bytes).into_owned()
            };
            panic!("{what}, {threads} threads:\n{}\nand not\n{}", near(found), near(expected));
        }
        assert_eq!(found.len(), expected.len(), "{what}, {threads} threads");
    }
    expected.len()
}

#[test]
fn a_page_is_the_same_whether_lives_are_followed_alone_or_in_their_order() {
    let options = [
        "",
        "--close-grace 200ms",
        "--skew 0s",
        "--channels 2",
        "--client *1*",
        "--since 1760000400000 --until 1760001000000",
    ];
    for seed in 0..12 {
        let mut log = Log::new(seed);
        let home = Home::new();
        let size = log.rng.usize(..900_000);
        log.go_on(size);
        home.write("first.log", &log.lines);
        log.lines.clear();
        log.go_on(size / 9);
        home.write("second.log", &log.lines);
        let option = options[usize::try_from(seed).expect("it is small") % options.len()];
        let names =
            ["first.log", "first.log second.log", "second.log first.log"][log.rng.usize(..3)];
        let option = format!("{option} {names}");
        is_the_same(&home, &option, &format!("seed {seed}, {option}"));
    }
}

#[test]
fn a_page_about_files_that_say_anything_is_the_same() {
    for seed in 0..6 {
        let mut rng = Rng::with_seed(seed);
        let home = Home::new();
        let size = [3_000, 900_000][rng.usize(..2)];
        home.write("any.log", file(&mut rng, size));
        is_the_same(&home, "any.log", &format!("seed {seed}"));
    }
}

#[test]
fn a_page_about_several_rounds_is_the_same() {
    let mut log = Log::new(7);
    // A lane has a few clients at most, each of which says goodbye many times within a grace.
    log.clients.truncate(30);
    let home = Home::new();
    let mut options = "--close-grace 60s".to_owned();
    // What is read together ends with each file.
    for number in 0..6 {
        log.go_on(150_000);
        // Whose grace goes on after the end is told of with the next file.
        log.now += 100_000;
        home.write(&format!("{number}.log"), std::mem::take(&mut log.lines));
        let _ = write!(options, " {number}.log");
    }
    is_the_same(&home, &options, "several rounds");
}
