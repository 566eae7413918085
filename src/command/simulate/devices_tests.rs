use super::*;
use crate::cli::{Cli, Command};
use crate::config::connection::{Surroundings, single};
use crate::failure::Outcome;
use crate::simulate::fleet::Credentials;
use crate::simulate::plan::{Death, Shares};
use crate::simulate::template::Template;
use clap::CommandFactory as _;
use std::io::Write as _;

fn try_fleet(words: &[&str]) -> Result<Fleet, Failure> {
    let line = ["presence", "simulate"].into_iter().chain(words.iter().copied());
    let matches = Cli::command().try_get_matches_from(line);
    let matches = matches.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let cli = Cli::of(&matches).expect("it was taken apart");
    let Command::Simulate(options) = cli.command else { panic!("another command") };
    let mut stdin = "secret-{n}".as_bytes();
    let mut surroundings = Surroundings::with_stdin(&mut stdin);
    surroundings.access_key.secret = Some("XXXXX".into());
    let keep_alive = Duration::from_secs(5);
    let (connection, _) = single(&options.connection, keep_alive, &mut surroundings)?;
    let agenda = Agenda::new(&options, &connection, Shares::all(Death::Disconnect), 7)?;
    let run = options.devices.run.clone().unwrap_or_else(|| "3fa92c".into());
    fleet(&options, connection, run, &agenda)
}

fn fleet_of(line: &str) -> Fleet {
    let words: Vec<&str> = line.split_whitespace().collect();
    try_fleet(&words).unwrap_or_else(|failure| panic!("{line}: {failure}"))
}

#[track_caller]
fn refused(words: &[&str], what: &str) {
    let failure = try_fleet(words).expect_err(what);
    assert_eq!(failure.outcome, Outcome::Misused, "{failure}");
    assert!(failure.to_string().contains(what), "`{what}` is not in:\n{failure}");
    assert!(failure.cause.is_some() && failure.next.is_some(), "{failure}");
}

#[test]
fn a_device_says_by_default_what_a_watcher_listens_to() {
    let fleet = fleet_of("");
    let id = fleet.client_id(7);
    assert_eq!(id, "sim-3fa92c-7");
    let connect = fleet.connect(7);
    assert_eq!((connect.keep_alive, connect.clean_start), (5, true));
    let will = connect.will.expect("there is one");
    assert_eq!((&*will.topic, &will.payload[..]), ("devices/sim-3fa92c-7/status", &b"offline"[..]));
    assert_eq!((will.qos, will.retain, will.delay), (Qos::AtLeastOnce, true, 0));
    let birth = fleet.conduct.birth.as_ref().expect("there is one");
    let birth = fleet.publish(birth, 7, &id);
    assert_eq!((&*birth.topic, &birth.payload[..]), (&*will.topic, &b"online"[..]));
    assert!(birth.retain && birth.qos == Qos::AtLeastOnce);
    assert!(fleet.conduct.traffic.is_none() && fleet.conduct.subscribe.is_empty());
    assert!(matches!(fleet.credentials, Credentials::Anonymous));
}

#[test]
fn templates_are_filled_in_everywhere() {
    let fleet = fleet_of(
        "--run night -i {run}/{n} -u u-{n} --password-stdin --will-topic w/{n} --birth-topic b/{client} \
         --will-payload {\"n\":{n}} --publish-every 1s --publish-topic p/{run} --payload {client} \
         --subscribe s/{n}/# --qos 2 --will-retain=false --birth-qos 0",
    );
    let id = fleet.client_id(3);
    assert_eq!(id, "night/3");
    let (username, password) = fleet.login(3, &id);
    assert_eq!(username.as_deref(), Some("u-3"));
    assert_eq!(password.expect("there is one").reveal(), "secret-3");
    let will = fleet.will(3, &id).expect("there is one");
    assert_eq!((&*will.topic, &will.payload[..], will.retain), ("w/3", &b"{\"n\":3}"[..], false));
    let traffic = fleet.conduct.traffic.as_ref().expect("there is some");
    let message = fleet.publish(&traffic.message, 3, &id);
    assert_eq!((&*message.topic, &message.payload[..]), ("p/night", &b"night/3"[..]));
    assert_eq!((message.qos, message.retain), (Qos::ExactlyOnce, false));
    assert_eq!(fleet.filters(3, &id)[0].filter, "s/3/#");
    assert_eq!(fleet.conduct.birth.as_ref().map(|birth| birth.qos), Some(Qos::AtMostOnce));
}

#[test]
fn version_5_has_more_to_say() {
    let fleet = fleet_of("--mqtt-version 5 --persistent --session-expiry 2m --will-delay 3s");
    let connect = fleet.connect(0);
    assert_eq!((connect.session_expiry, connect.clean_start), (120, false));
    assert_eq!(connect.will.expect("there is one").delay, 3);
    assert_eq!(fleet_of("--mqtt-version 5 --persistent").connect(0).session_expiry, 3_600);
    refused(&["--will-delay", "3s"], "`--will-delay` needs MQTT 5");
    refused(&["--persistent", "--session-expiry", "3s"], "`--session-expiry` needs MQTT 5");
    refused(&["--session-expiry", "3s"], "without `--persistent`");
    refused(&["--mqtt-version", "5", "--will-delay", "1500ms"], "whole seconds");
    refused(&["--mqtt-version", "5", "--will-delay", "4294967296s"], "32 bits");
}

#[test]
fn devices_need_ids_of_their_own_that_are_ours_to_take() {
    refused(&["-i", "sim-{run}"], "gives all 100 devices one id");
    refused(&["-i", "pump-{n}"], "may be those of real devices");
    refused(&["-i", "{client}-{n}"], "names itself");
    refused(&["-i", "{number}"], "is no template");
    refused(&["-i", "a{n"], "is no template");
    refused(&["-i", ""], "`--client-id` cannot be used");
    assert_eq!(fleet_of("-i pump-{n} --ids-are-mine").client_id(9), "pump-9");
    assert_eq!(fleet_of("-i pump --ids-are-mine --count 1").client_id(0), "pump");
    assert_eq!(fleet_of("-i {{{run}-{n}}} --run a").client_id(1), "{a-1}");
    let run = "r".repeat(33);
    for run in ["", "a b", "ü", "a/b", "\x1b[2J", &run] {
        refused(&["--run", run], "is no mark");
    }
}

#[test]
fn topics_that_cannot_be_published_to_are_found_before_anybody_connects() {
    for flag in ["--will-topic", "--birth-topic"] {
        for (topic, what) in [
            ("a/#", "wildcard"),
            ("a/+/b", "wildcard"),
            ("", "at least one character"),
            ("$SYS/a", "the broker's own"),
            ("a\0b", "NUL"),
            ("a/{id}", "is no template"),
        ] {
            refused(&[flag, topic], what);
        }
    }
    refused(&["--publish-every", "1s", "--publish-topic", "a/+"], "`--publish-topic`");
    let long = "t".repeat(65_536);
    refused(&["--will-topic", &long], "too long");
    let text = "t".repeat(65_535);
    refused(&["--will-topic", &format!("{text}{{n}}")], "it has 65537 bytes");
    refused(&["--will-payload", &long], "what `--will-payload` gives a device is too long");
    let (id, run) = (format!("{}{{run}}{{n}}", &text[20..]), "r".repeat(32));
    refused(&["-i", &id, "--run", &run], "what `--client-id` gives a device is too long");
    let username = format!("{}{{client}}", &text[9..]);
    refused(&["-u", &username], "what `--username` gives a device is too long");
    for filter in ["a/#/b", "a+", "", "#a", "\0"] {
        refused(&["--subscribe", filter], "is no filter");
    }
    for filter in ["#", "+", "a/+/b/#", "$share/g/a/#", "/"] {
        try_fleet(&["--subscribe", filter]).unwrap_or_else(|failure| panic!("{filter}: {failure}"));
    }
    // Nobody publishes there.
    fleet_of("--no-birth --publish-topic a/#");
    assert!(fleet_of("--no-will").conduct.will.is_none());
}

#[test]
fn traffic_has_a_pace_and_a_size() {
    refused(&["--publish-every", "49ms"], "too short");
    let fleet = fleet_of("--publish-every 50ms --payload-size 300");
    let traffic = fleet.conduct.traffic.as_ref().expect("there is some");
    assert_eq!(fleet.publish(&traffic.message, 0, "c").payload.len(), 300);
    let empty =
        fleet_of("--publish-every 1s --payload-size 0").conduct.traffic.expect("there is some");
    assert_eq!(empty.message.payload, Template::plain(String::new()));
}

#[test]
fn a_table_tells_who_devices_are() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let table = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path.display().to_string()
    };
    let logins = table("logins.csv", "username,password\na,1\nb,2\n");
    let fleet = fleet_of(&format!("--count 2 --credentials {logins} -u ignored"));
    assert_eq!(fleet.client_id(1), "sim-3fa92c-1");
    let (username, password) = fleet.login(1, "");
    assert_eq!(username.as_deref(), Some("b"));
    assert_eq!(password.expect("there is one").reveal(), "2");

    let ids = table("ids.csv", "client_id,username\npump-1,a\nx/+,b\n");
    let line = ["--count", "1", "--credentials", &ids];
    refused(&line, "may be those of real devices");
    refused(&[&line[..], &["--ids-are-mine", "-i", "c{n}"]].concat(), "a table of client ids");
    let fleet = try_fleet(&[&line[..], &["--ids-are-mine"]].concat()).expect("it is sound");
    assert_eq!(fleet.client_id(0), "pump-1");
    // The second client has a wildcard in its id, and so in its topic.
    let both = ["--count", "2", "--ids-are-mine", "--credentials", &ids];
    refused(&both, "`devices/x/+/status` is no topic");
    try_fleet(&[&both[..], &["--no-will", "--no-birth"]].concat()).expect("it is sound");
    refused(&["--count", "3", "--credentials", &logins], "more than there are rows");
}

const ALIYUN: &str = "--auth aliyun-signature --access-key-id YYYYY --aliyun-instance mqtt-xxxxx";
const IDS: &str = "-i GID_demo@@@sim-{run}-{n}";

#[test]
fn at_alibaba_cloud_each_device_signs_its_own_id() {
    let fleet =
        fleet_of(&format!("{ALIYUN} {IDS} --publish-every 1s --publish-topic p/p2p/{{client}}"));
    let (first, second) = (fleet.connect(0), fleet.connect(1));
    assert_eq!(first.username.as_deref(), Some("Signature|YYYYY|mqtt-xxxxx"));
    let signed = |id: &str| crate::sign::hmac_sha1(&"XXXXX".into(), id.as_bytes());
    for connect in [&first, &second] {
        let expected = signed(&connect.client_id);
        assert_eq!(connect.password.as_deref(), Some(expected.reveal().as_bytes()));
    }
    assert_ne!(first.password, second.password);
    // Nothing that the service lacks.
    assert!(first.will.is_none() && fleet.conduct.birth.is_none());
    let traffic = fleet.conduct.traffic.as_ref().expect("it was asked for");
    let sent = fleet.publish(&traffic.message, 0, &first.client_id);
    assert_eq!(sent.topic, "p/p2p/GID_demo@@@sim-3fa92c-0");
    assert_eq!(fleet.fellow("verify"), "GID_demo@@@sim-3fa92c-verify");
}

#[test]
fn at_alibaba_cloud_devices_may_have_keys_of_their_own() {
    let line = ALIYUN.replace("signature", "device");
    let one = fleet_of(&format!("{line} -i GID_a@@@0001 --count 1 --ids-are-mine"));
    let (user, password) = one.login(0, "GID_a@@@0001");
    assert_eq!(user.as_deref(), Some("DeviceCredential|YYYYY|mqtt-xxxxx"));
    assert!(password.is_some() && !one.shares_login());

    let mut table = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
    let rows = "client_id,access_key_id,access_key_secret\nGID_Test@@@0001,DC.1,XXXXX\nGID_Test@@@0002,DC.2,YYY\n";
    table.write_all(rows.as_bytes()).expect("the disk has room");
    let path = table.path().display().to_string();
    let without = "--auth aliyun-device --aliyun-instance mqtt-xxxxx --ids-are-mine";
    let fleet = fleet_of(&format!("{without} --count 2 --credentials {path}"));
    let connect = fleet.connect(0);
    assert_eq!(connect.username.as_deref(), Some("DeviceCredential|DC.1|mqtt-xxxxx"));
    assert_eq!(connect.password.as_deref(), Some(&b"vI009IZJZVGRwBwZvnbwjfuXxVM="[..]));
    assert_eq!(fleet.connect(1).username.as_deref(), Some("DeviceCredential|DC.2|mqtt-xxxxx"));

    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for (line, what) in [
        (format!("{line} {IDS}"), "100 devices without keys"),
        (format!("{without} {IDS} --count 1"), "without the key of the device"),
        (format!("{ALIYUN} {IDS} --count 2 --credentials {path}"), "`--credentials`"),
        (ALIYUN.to_owned(), "has no group"),
    ] {
        let words = words(&line);
        refused(&words.iter().map(String::as_str).collect::<Vec<_>>(), what);
    }
}

#[test]
fn at_alibaba_cloud_nothing_is_tested_that_it_lacks() {
    let host = "-b post-cn-1.mqtt.aliyuncs.com";
    for (more, what) in [
        ("--will-topic a", "`--will-topic` at Alibaba Cloud's MQTT"),
        ("--will-qos 0", "`--will-qos`"),
        ("--will-retain=false", "`--will-retain`"),
        ("--birth-retain", "`--birth-retain` at Alibaba Cloud's MQTT"),
    ] {
        let line = format!("{host} {IDS} {more}");
        refused(&line.split_whitespace().collect::<Vec<_>>(), what);
    }
    let fleet = fleet_of(&format!("{host} {IDS} --birth-topic p/{{client}} --no-will"));
    let birth = fleet.conduct.birth.as_ref().expect("it was asked for");
    assert!(!birth.retain && fleet.conduct.will.is_none());
    assert!(fleet.retained_topics(0, "x").is_empty());
}

#[test]
fn at_alibaba_cloud_limits_are_told_with_what_would_fit() {
    let host = "-b post-cn-1.mqtt.aliyuncs.com";
    let hints = |line: &str| {
        let fleet = fleet_of(&format!("{host} {line}"));
        aliyun::hints(&fleet, 100).into_iter().map(|(what, _)| what).collect::<Vec<_>>()
    };
    assert_eq!(hints(&format!("{IDS} -k 480")), Vec::<String>::new());
    let long = format!("-i GID_demo@@@{}{{run}}-{{n}}", "x".repeat(60));
    let filters = "--subscribe a ".repeat(31);
    for (line, told) in [
        (long, "client ids have up to 80 characters"),
        (String::new(), "no group is called as in the client id `sim-3fa92c-99`"),
        ("-i GID_a@@@{run}{n}".to_owned(), "no group is called"),
        (format!("{IDS} -k 481"), "the keep alive is 481 s"),
        (format!("{IDS} -k 0"), "no keep alive"),
        (format!("{IDS} {filters}"), "31 filters"),
        (format!("{IDS} --persistent --subscribe a --qos 2"), "QoS 2"),
        (
            format!(
                "{IDS} --publish-every 1s --publish-topic parent/{}/{{client}}",
                "x".repeat(40)
            ),
            "more than the 64 characters",
        ),
        (format!("{IDS} --publish-every 1s --payload-size 65537"), "65,537 bytes"),
    ] {
        let hints = hints(&line);
        assert!(hints.len() == 1 && hints[0].contains(told), "{line}: {hints:?}");
    }
}
