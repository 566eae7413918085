use super::*;
use crate::config::auth::Auth;
use crate::config::broker::Broker;

fn template(text: &str) -> Template {
    Template::read(text).expect("the test's own")
}

fn fleet(credentials: Credentials) -> Fleet {
    let (broker, _) = Broker::read("mqtt://broker.example").expect("the test's own");
    let message = |topic: &str, retain| Message {
        topic: template(topic),
        payload: template("{n}"),
        qos: Qos::AtLeastOnce,
        retain,
    };
    Fleet {
        connection: Connection {
            instance: broker.instance(),
            broker,
            auth: Auth::Plain,
            username: None,
            password: None,
            client_id: None,
            keep_alive: Duration::from_secs(70_000),
            mqtt_version: MqttVersion::V311,
            tls: None,
        },
        run: "3fa9".into(),
        client_id: Names::Template(template("sim-{run}-{n}")),
        credentials,
        conduct: Conduct {
            keep_alive: u16::MAX,
            will: Some(Will { message: message("d/{client}/status", true), delay: 5 }),
            birth: Some(message("d/{client}/status", true)),
            persistent: true,
            session_expiry: 600,
            traffic: Some(Traffic {
                every: Duration::from_secs(1),
                message: message("data", false),
            }),
            ..Conduct::default()
        },
        groups: Vec::new(),
        in_flight: 1,
        connect_timeout: Duration::from_secs(1),
        local_addresses: Vec::new(),
    }
}

fn templates(username: &str, password: &str) -> Credentials {
    Credentials::Template {
        username: Some(template(username)),
        password: Some(Secret::from(password)),
    }
}

#[test]
fn a_connect_says_who_the_device_is() {
    let connect = fleet(templates("{client}@{run}", "pw-{n}")).connect(7);
    assert_eq!(connect.client_id, "sim-3fa9-7");
    assert_eq!(connect.username.as_deref(), Some("sim-3fa9-7@3fa9"));
    assert_eq!(connect.password.as_deref(), Some(&b"pw-7"[..]));
    assert_eq!((connect.clean_start, connect.session_expiry), (false, 600));
    assert_eq!(connect.keep_alive, u16::MAX);
    let will = connect.will.expect("the test's own");
    assert_eq!(
        (&will.topic[..], &will.payload[..], will.delay),
        ("d/sim-3fa9-7/status", &b"7"[..], 5)
    );
}

#[test]
fn a_table_gives_each_device_its_own() {
    let login = |name: &str| Login { username: name.into(), password: None };
    let mut fleet = fleet(Credentials::Table(vec![login("a"), login("b")]));
    fleet.client_id = Names::Table(vec!["x".into(), "y".into()]);
    assert_eq!(fleet.client_id(1), "y");
    assert_eq!(fleet.login(1, "y"), (Some("b".into()), None));
    // Beyond the table is nobody, and nothing fails.
    assert_eq!((fleet.client_id(2), fleet.login(2, "")), (String::new(), (None, None)));
}

#[test]
fn braces_of_a_password_that_is_no_template_are_kept() {
    let (_, password) = fleet(templates("u", "a{b")).login(0, "");
    assert_eq!(password.expect("the test's own").reveal(), "a{b");
}

#[test]
fn a_fleet_knows_whether_another_may_use_its_login() {
    for (credentials, expected) in [
        (Credentials::Anonymous, true),
        (templates("user", "pw"), true),
        (templates("user-{run}", "a{b"), true),
        (templates("{client}", "pw"), false),
        (templates("user", "{n}"), false),
        (Credentials::Table(Vec::new()), false),
    ] {
        assert_eq!(fleet(credentials.clone()).shares_login(), expected, "{credentials:?}");
    }
}

#[test]
fn retained_topics_are_named_once() {
    let mut fleet = fleet(Credentials::Anonymous);
    assert_eq!(fleet.retained_topics(7, "c"), ["d/c/status"]);
    fleet.conduct.traffic.as_mut().expect("the test's own").message.retain = true;
    assert_eq!(fleet.retained_topics(7, "c"), ["d/c/status", "data"]);
}
