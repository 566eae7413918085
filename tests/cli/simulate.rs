//! `presence simulate` as far as it needs no broker: what is refused, and what would be done.

use crate::run::Home;
use serde_json::json;
use std::net::TcpListener;

#[test]
fn what_cannot_be_meant_is_refused_before_anybody_is_asked() {
    let home = Home::new();
    home.write("ids.csv", "client_id,username,password\na,u,hunter2\na,u,hunter2\n");
    home.write("short.csv", "username\nu\n");
    for (line, what) in [
        ("--will-topic devices/#", "`devices/#` is no topic to publish to"),
        ("--publish-every 1s --publish-topic $SYS/x", "`--publish-topic`: `$SYS/x`"),
        ("--keepalive 65536", "longer than MQTT can carry"),
        ("--client-id sim-{run}", "gives all 100 devices one id"),
        ("--client-id pump-{n}", "may be those of real devices"),
        ("--deaths disconnect=40,fin=20", "the shares add up to 60, not to 100"),
        ("--count 100000 --duration 20s", "a run of 20.0 s leaves no time to live"),
        ("--lives 1 --return-after 2s", "contradict each other"),
        ("--will-delay 2s", "`--will-delay` needs MQTT 5"),
        (
            "--credentials ids.csv --ids-are-mine --count 2",
            "ids.csv, line 3: the client id of line 2",
        ),
        ("--credentials short.csv --count 2", "more than there are rows in short.csv"),
        // No packet goes there: it is refused before.
        ("-b 192.0.2.7 --count 501", "501 devices for mqtt://192.0.2.7:1883"),
        ("-b 192.0.2.7 --rate 51/s", "51 connects per second"),
        ("-b 192.0.2.7 --publish-every 50ms --plan", "2,000 messages per second"),
    ] {
        let run = home.run(&format!("simulate {line}"));

        run.failed(2, what);
        assert!(run.err.contains("\n  cause: "), "{line}: {}", run.err);
        assert!(!run.err.contains("hunter2"), "{line}: {}", run.err);
    }
    for (line, what) in [
        ("--qos 3", "3 is not in 0..=2"),
        ("--count 0", "0 is not in"),
        ("--rate 0", "at least one device"),
        ("--no-will --will-topic a", "cannot be used with"),
        ("--payload a --payload-size 5", "cannot be used with"),
    ] {
        let run = home.run(&format!("simulate {line}"));

        assert_eq!((run.code, &*run.out), (2, ""), "{line}");
        assert!(run.err.contains(what), "{line}: {}", run.err);
    }
    home.run("simulate --credentials none.csv").failed(4, "could not read `none.csv`");
}

#[test]
fn what_alibaba_cloud_lacks_is_told_once_and_refused_where_it_was_asked_for() {
    let home = Home::new();
    home.write("secret", "hunter2\n");
    let line = "simulate --plan --count 2 --auth aliyun-signature --access-key-id LTAI5t \
                --access-key-secret-file secret -b post-cn-1.mqtt.aliyuncs.com";
    let ids = "-i GID_demo@@@sim-{run}-{n}";
    let run = home.run(&format!("{line} {ids} -k 600"));

    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.err.matches("no wills and no births").count(), 1, "{}", run.err);
    assert!(run.err.contains("the keep alive is 600 s"), "{}", run.err);
    assert!(run.err.contains("next:  pass `--keepalive 480`"), "{}", run.err);

    let run = home.run(&format!("{line} {ids} --will-payload gone"));
    run.failed(2, "`--will-payload` at Alibaba Cloud's MQTT");
    assert!(run.err.contains("the service has no wills"), "{}", run.err);

    let run = home.run(line);
    run.failed(2, "the client id has no group");
    assert!(run.err.contains("'GID_demo@@@sim-{run}-{n}'"), "{}", run.err);

    let group = "[[group]]\nname = \"a\"\nshare = 100\nwill = true\n[[group.step]]\nup = \"1s\"\n";
    home.write("scenario.toml", group);
    let run = home.run(&format!("{line} {ids} --scenario scenario.toml"));
    run.failed(2, "a scenario with `will = true` at Alibaba Cloud's MQTT");
}

#[test]
fn more_devices_than_files_or_ports_are_refused_with_what_to_raise() {
    let run = Home::new().run("simulate -q --count 1000000 --rate 1000000 -b 127.0.0.1:1");

    // Whichever limit of the machine comes first.
    run.failed(2, "need more");
    let advice = ["LimitNOFILE=", "ip_local_port_range"];
    assert!(advice.iter().any(|word| run.err.contains(word)), "{}", run.err);
}

#[test]
fn a_broker_that_is_not_there_ends_the_run_with_what_to_start() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    // Nobody listens there any more.
    drop(listener);
    let home = Home::new();
    let run = home.run(&format!("simulate --count 1000 -b {address}"));

    run.failed(4, "could not connect to mqtt://127.0.0.1:");
    assert!(run.err.contains("`presence broker`"), "{}", run.err);
    assert!(run.err.contains("`presence demo`"), "{}", run.err);

    home.run("simulate -b nowhere.invalid").failed(4, "could not connect to");
}

#[test]
fn a_plan_is_shown_without_a_connection_and_is_that_of_its_seed() {
    let home = Home::new();
    let plan = |seed: u64| {
        let line = format!(
            "simulate --plan --json -b nowhere.invalid --count 10 --run r --seed {seed} \
             --lives 2 --deaths disconnect=20,fin=50,silence=30"
        );
        let run = home.run(&line);
        assert_eq!(run.code, 0, "{}", run.err);
        run
    };
    let run = plan(7);
    assert_eq!(run.out, plan(7).out);
    assert_ne!(run.out, plan(8).out);
    assert_eq!(run.err, "");
    let objects = run.objects();
    let (head, lives) = objects.split_first().expect("there are lines");
    assert_eq!(
        *head,
        json!({
            "type": "plan", "instance": "nowhere.invalid:1883", "run": "r", "scenario": null, "seed": 7,
            "shard": null,
            "devices": 10, "rate": 1000, "duration_ms": 20000, "lives": 20,
            "deaths": "disconnect=20,fin=50,silence=30",
        })
    );
    let count = |death: &str| {
        let first = lives.iter().filter(|life| life["life"] == 0);
        first.filter(|life| life["death"] == death).count()
    };
    assert_eq!((count("disconnect"), count("fin"), count("silence")), (2, 5, 3), "{}", run.out);
    assert_eq!(lives.len(), 20);
    assert_eq!(lives[0]["client"], "sim-r-0");

    let table = home.run("simulate --plan --count 2 --run r --seed 1 --duration 10s");
    let expected = "\
run r, seed 1: 2 devices at 1,000/s to localhost:1883, 10.0 s, deaths disconnect=100

     BEGIN         END  DEATH        LIFE  CLIENT
   0.000 s     9.998 s  disconnect      1  sim-r-0
   0.001 s     9.999 s  disconnect      1  sim-r-1
";
    table.is(0, expected, "");
}

#[test]
fn on_a_public_address_devices_come_slowly_by_themselves() {
    let run = Home::new().run("simulate --plan --json -b 192.0.2.7 --count 200");

    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.objects()[0]["rate"], 50);
    let asked = Home::new().run("simulate --plan --json -b 192.0.2.7 --count 1000 --yes-load");
    assert_eq!((asked.code, &asked.objects()[0]["rate"]), (0, &json!(1_000)));
}

#[test]
fn a_variable_stands_in_for_an_option_of_a_simulation() {
    let environment = [("PRESENCE_COUNT", "3"), ("PRESENCE_SEED", "5"), ("PRESENCE_PLAN", "yes")];
    let run = Home::new().run_with(&["simulate", "--json"], "", &environment);

    assert_eq!(run.code, 0, "{}", run.err);
    let head = &run.objects()[0];
    assert_eq!((&head["devices"], &head["seed"]), (&json!(3), &json!(5)));
}
