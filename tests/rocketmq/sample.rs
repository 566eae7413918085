//! The vendor's sample and we, at the same topic: whose answers differ, and who is right. `docs/sample.md` has it as
//! tables; `PRESENCE_BLESS=1` writes their rows anew.

#[path = "sample/stories.rs"]
mod stories;

use crate::cluster;
use crate::scene::{Watch, objects};
use crate::support::process::{DEADLINE, Presence};
use crate::support::rocketmq::{RocketMq, last_line};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use stories::{Kind, STORIES, Story};
use tempfile::TempDir;

/// The notices that somebody subscribes to.
const OF_TODAY: [&str; 2] = ["connect", "tcpclean"];

/// A notice, as a message of a queue.
struct Notice {
    tag: String,
    body: Map<String, Value>,
}

impl Notice {
    /// Reads what a story says was sent. `begin`: when second 0 was, ms.
    fn read(story: &Story, sent: &str, begin: i64) -> Self {
        let mut words = sent.split(' ');
        let mut next = || words.next().expect("type, channel and time");
        let (kind, channel, time) = (next(), next(), next());
        let (mut tag, mut port) = (kind, "50001");
        for (name, value) in words.map(|word| word.split_once('=').expect("NAME=VALUE")) {
            *(if name == "tag" { &mut tag } else { &mut port }) = value;
        }
        let mut body = Map::new();
        body.insert("clientId".to_owned(), client(story).into());
        body.insert("clientIp".to_owned(), format!("203.0.113.7:{port}").into());
        for (name, value) in [("eventType", kind), ("channelId", channel)] {
            if value != "-" {
                body.insert(name.to_owned(), value.into());
            }
        }
        body.insert("time".to_owned(), time_of(time, begin));
        Self { tag: tag.to_owned(), body }
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.body).expect("it is JSON")
    }
}

/// Returns what the member `time` holds: seconds after `begin`, ms since 1970, or what stands in quotes.
fn time_of(written: &str, begin: i64) -> Value {
    if let Some(text) = written.strip_prefix('"') {
        return text.trim_end_matches('"').into();
    }
    let (seconds, part) = written.split_once('.').unwrap_or((written, ""));
    let seconds: i64 = seconds.parse().expect("it is a number");
    if seconds > 1_000_000_000_000 {
        return seconds.into();
    }
    let ms: i64 = format!("{part:0<3}").parse().expect("it is a number");
    (begin + seconds * 1_000 + ms).into()
}

fn client(story: &Story) -> String {
    format!("GID_sample@@@{}", story.name)
}

fn notices(begin: i64) -> impl Iterator<Item = Notice> {
    let each = move |story: &'static Story| {
        story.sent.iter().map(move |sent| Notice::read(story, sent, begin))
    };
    STORIES.iter().flat_map(each)
}

/// What is answered of each client. Of whom nothing is said, nothing is known.
#[derive(Debug, Default)]
struct Answers(BTreeMap<String, String>);

impl Answers {
    /// Reads verdicts, with what is remarkable about the client.
    fn of_verdicts(out: &str) -> Self {
        let verdicts = objects(out).into_iter().filter(|object| object["type"] == "verdict");
        let answer = |verdict: Value| {
            let text = |value: &Value| value.as_str().expect("it is text").to_owned();
            let mut answer = text(&verdict["state"]);
            let found: Vec<String> =
                verdict["anomalies"].as_array().into_iter().flatten().map(text).collect();
            if !found.is_empty() {
                answer = format!("{answer} ({})", found.join(", "));
            }
            (text(&verdict["client"]), answer)
        };
        Self(verdicts.map(answer).collect())
    }

    /// Reads what the sample wrote: `ID online|offline KEPT`.
    fn of_the_sample(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("it has written them");
        let answer = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let [client, state, kept] = words[..] else { panic!("no answer: {line}") };
            let is_left_over = state == "offline" && kept != "0";
            let more =
                if is_left_over { format!(", and keeps {kept} for ever") } else { String::new() };
            (client.to_owned(), state.to_owned() + &more)
        };
        Self(text.lines().map(answer).collect())
    }

    fn of(&self, story: &Story) -> &str {
        self.0.get(&client(story)).map_or("unknown", String::as_str)
    }

    /// Compares with what the stories say; `wanted`: whose, and what of them.
    #[track_caller]
    fn are(&self, who: &str, wanted: impl Fn(&Story) -> Option<&'static str>) {
        let wrong: Vec<String> = STORIES
            .iter()
            .filter_map(|story| wanted(story).map(|wanted| (story, wanted)))
            .filter(|(story, wanted)| self.of(story) != *wanted)
            .map(|(story, wanted)| {
                format!("{}: `{}`, and not `{wanted}`", story.name, self.of(story))
            })
            .collect();
        assert!(wrong.is_empty(), "{who} says otherwise:\n{}", wrong.join("\n"));
    }
}

#[test]
fn a_story_that_tells_of_a_difference_has_one_and_we_are_right_in_it() {
    for story in STORIES {
        let (sample, presence) = (state(story.sample), state(story.presence));
        let truth = state(story.truth);
        let name = story.name;
        assert_eq!(story.kind == Kind::Alike, story.sample == state(story.presence), "{name}");
        match story.kind {
            Kind::Alike => assert!(presence == truth || story.name == "end-lost", "{name}"),
            // Of a client that nobody told of, nobody can be right.
            _ => assert!(presence == truth || presence == "unknown", "{name}"),
        }
        assert!(
            sample != truth || story.sample.contains("keeps") || story.kind == Kind::Alike,
            "{name}"
        );
        assert_eq!(STORIES.iter().filter(|other| other.name == name).count(), 1, "{name}");
    }
}

/// Returns the word for online or offline before whatever is said of it.
fn state(answer: &str) -> &str {
    answer.split([',', ' ']).next().unwrap_or_default()
}

#[test]
fn our_answers_to_the_stories_are_those_of_the_page() {
    let home = TempDir::new().expect("a temporary folder can be made");
    // As whoever exports messages of a queue keeps them, with their tags.
    let line = |notice: Notice| {
        let message = json!({
            "topic": "GID_sample_MQTT", "body": Value::Object(notice.body).to_string(),
            "properties": {"TAGS": notice.tag},
        });
        message.to_string() + "\n"
    };
    let lines: String = notices(1_700_000_000_000).map(line).collect();
    fs::write(home.path().join("notices.jsonl"), lines).expect("the disk has room");
    replay(home.path(), &["notices.jsonl"]).are("we", |story| Some(story.presence));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sample.md");
    let written = fs::read_to_string(&path).expect("it is there");
    let page = with_rows(&with_rows(&written, "different"), "alike");
    if std::env::var_os("PRESENCE_BLESS").is_some() {
        fs::write(&path, page).expect("it is ours");
        return;
    }
    assert_eq!(
        page, written,
        "its rows are not those of the test; to write them: PRESENCE_BLESS=1 cargo test --test \
         rocketmq our_answers"
    );
}

/// Returns the page with the rows of one of its tables written anew.
fn with_rows(page: &str, name: &str) -> String {
    let mark = format!("<!-- rows: {name} -->\n");
    let (before, rest) = page.split_once(&mark).expect("it has this table");
    let (_, after) = rest.split_once("<!-- end -->").expect("the table has an end");
    let head = "\n| story | what was sent | in truth | the sample | `presence` | why |\n|---|---|---|---|---|---|\n";
    let is_here = |story: &&Story| (story.kind == Kind::Alike) == (name == "alike");
    let rows: String = STORIES.iter().filter(is_here).map(row).collect();
    format!("{before}{mark}{head}{rows}\n<!-- end -->{after}")
}

fn row(story: &Story) -> String {
    let sent: Vec<String> = story.sent.iter().map(|sent| format!("`{sent}`")).collect();
    let sent = if sent.is_empty() { "nothing".to_owned() } else { sent.join(", ") };
    let Story { name, truth, sample, presence, because, section, .. } = story;
    let watched = story.watched();
    let watched =
        if watched == *presence { String::new() } else { format!("; `watch`: {watched}") };
    format!(
        "| {name} | {sent} | {truth} | {sample} | {presence}{watched} | {because} ([{section}](state-logic.md#{section})) |\n"
    )
}

/// Reads what there is to its end.
fn replay(home: &Path, more: &[&str]) -> Answers {
    let ended =
        Presence::start_in(home, [&["replay", "--json"], more].concat(), &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Answers::of_verdicts(&ended.out)
}

const TOPIC: &str = "GID_sample_MQTT";

#[test]
#[ignore = "needs rocketmq"]
fn the_sample_and_we_answer_of_one_topic_as_the_page_says() {
    let (cluster, home) = (cluster(), TempDir::new().expect("a temporary folder can be made"));
    // In one queue and by one thread, all is taken in in the order in which it was sent.
    cluster.create_topic(TOPIC, 1);
    let url = format!("rocketmq://{}/{TOPIC}", cluster.name_server());
    let watch = || {
        let line = ["watch", "--json", "--source", &url, "--tags", "*", "--store", "watched.db"];
        Watch::of(Presence::start_in(home.path(), line, &[]))
    };
    let mut before = watch();
    before.said("is known yet");
    let begin = presence::clock::now().0 - 600_000;
    let mut sent = Sent::default();
    for notice in notices(begin) {
        sent.send(&cluster, &notice);
    }
    let last = |name| Story { name, sent: &[], ..NOBODY };
    let end = |name| Notice::read(&last(name), "connect a 0", begin);
    sent.send(&cluster, &end("end"));
    before.change(&client(&last("end")), "online");
    before.finish();
    let restarted_at = sent.send(&cluster, &end("restarted"));

    let asked: String = STORIES.iter().map(|story| client(story) + "\n").collect();
    let asked_of = home.path().join("asked");
    fs::write(&asked_of, asked).expect("the disk has room");
    let run = |group: &'static str, tags: &str, count: usize| {
        let answers = home.path().join(group);
        let settings = [
            ("topic", TOPIC),
            ("group", group),
            ("tags", tags),
            ("count", &count.to_string()),
            ("threads", "1"),
            ("asked", &asked_of.display().to_string()),
            ("answers", &answers.display().to_string()),
        ];
        (cluster.program("Sample", &settings), answers)
    };
    // Where its group had come to when it ended.
    cluster.commit("sample-restarted", TOPIC, 0, restarted_at);
    let runs = [
        run("sample", "connect||tcpclean", sent.of_today),
        run("sample-all", "*", sent.all),
        run("sample-restarted", "connect||tcpclean", 1),
    ];
    let [of_today, of_all, restarted] = runs.map(|(mut program, answers)| {
        last_line(&mut program);
        Answers::of_the_sample(&answers)
    });
    let of_kind = |wanted: &'static [Kind]| {
        move |story: &Story| wanted.contains(&story.kind).then_some(story.sample)
    };
    of_today.are("the sample", of_kind(&[Kind::Alike, Kind::Different]));
    of_all.are("the sample, subscribed to all types,", of_kind(&[Kind::AllTypes]));
    restarted.are("the sample after a restart", of_kind(&[Kind::Restart]));

    let mut after = watch();
    after.known(&client(&last("restarted")));
    let (_, _, ended) = after.finish();
    Answers::of_verdicts(&ended.out).are("`watch`", |story| Some(story.watched()));
    let replayed = replay(home.path(), &["--source", &url, "--tags", "*"]);
    replayed.are("`replay`", |story| Some(story.presence));
}

const NOBODY: Story = Story {
    name: "",
    sent: &[],
    truth: "",
    sample: "",
    presence: "",
    because: "",
    section: "",
    kind: Kind::Alike,
};

/// How many messages there are for each subscription.
#[derive(Default)]
struct Sent {
    all: usize,
    of_today: usize,
}

impl Sent {
    /// Sends a notice, and returns where it lies.
    fn send(&mut self, cluster: &RocketMq, notice: &Notice) -> u64 {
        self.all += 1;
        self.of_today += usize::from(OF_TODAY.contains(&notice.tag.as_str()));
        cluster.send(TOPIC, 0, &notice.tag, &notice.bytes())
    }
}
