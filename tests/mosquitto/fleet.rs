//! A thousand devices of which a third falls silent, comes back, and falls silent again.

use crate::scene::Watch;
use crate::support::process::{DEADLINE, Presence};
use presence::simulate::plan::{Come, Death, Plan, Shares, Terms};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One run of simulated devices, and what it is going to do to them.
pub struct Fleet {
    terms: Terms,
    /// Whom each turn kills.
    killed: Vec<BTreeSet<String>>,
    process: Presence,
}

impl Fleet {
    /// Starts a run in which a broker that needs up to three times the keep alive and 2 s to notice
    /// silence has noticed before the dead return. Whoever dies lives that long before, in which all have
    /// to be connected.
    pub fn start(url: &str, keep_alive_s: u64, life_ms: u64) -> Self {
        let (lives, return_after_ms) = (3, 5_000);
        let silence_ms = 1_000 * (3 * keep_alive_s + 2);
        let terms = Terms {
            devices: 1_000,
            come: Come::Rate(1_000),
            duration_ms: u64::from(lives) * (life_ms + silence_ms + return_after_ms),
            lives,
            return_after_ms,
            deaths: Shares::new([(Death::Stay, 67), (Death::Silence, 33)]),
            silence_ms,
            nat_drop_ms: None,
            storm: None,
            seed: 7,
        };
        let killed = killed(&terms);
        let numbers = [
            ("--count", terms.devices.to_string()),
            ("--keepalive", format!("{keep_alive_s}s")),
            ("--rate", terms.come.rate(terms.devices).to_string()),
            ("--duration", format!("{}ms", terms.duration_ms)),
            ("--lives", terms.lives.to_string()),
            ("--return-after", format!("{}ms", terms.return_after_ms)),
            ("--seed", terms.seed.to_string()),
        ];
        let mut line: Vec<&str> = vec!["simulate", "-b", url, "--run", RUN];
        line.extend(["--deaths", "stay=67,silence=33", "--json"]);
        line.extend(numbers.iter().flat_map(|(option, value)| [*option, value.as_str()]));
        Self { killed, process: Presence::start(line), terms }
    }

    /// Follows a watcher through all turns. It is right if it says of each device what is done to it,
    /// in this order and nothing else: online, and for each turn that kills it offline and, unless
    /// that is the last one, online again. One device may be ahead of another.
    #[track_caller]
    pub fn is_told_by(&self, watch: &mut Watch) {
        let mut due: BTreeMap<String, VecDeque<&str>> =
            (0..self.terms.devices).map(|number| (client_id(number), ["online"].into())).collect();
        for (turn, killed) in self.killed.iter().enumerate() {
            assert_eq!(killed.len(), 330, "turn {turn}");
            for client in killed {
                let changes = due.get_mut(client).expect("it is one of them");
                changes.push_back("offline");
                if turn + 1 < self.killed.len() {
                    changes.push_back("online");
                }
            }
        }
        let mut open: usize = due.values().map(VecDeque::len).sum();
        while open > 0 {
            let change = watch.object(|line| line["type"] == "change");
            let client = change["client"].as_str().expect("it is text");
            let next = due.get_mut(client).and_then(VecDeque::pop_front);
            assert_eq!(
                change["to"].as_str(),
                next,
                "{open} changes are still to come, but: {change}"
            );
            open -= 1;
        }
    }

    /// Waits for the end of the run, in which all went as planned, and ends the watcher: its last word
    /// on each client has to be the one before.
    #[track_caller]
    pub fn ends_well(&mut self, watch: Watch) {
        let ended = self.process.ended(DEADLINE * 2);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let dead = self.killed.last().expect("there are turns");
        let (believed, summary, _) = watch.finish();
        assert_eq!(believed.len(), self.terms.devices as usize);
        for (client, (state, _)) in believed {
            let expected = if dead.contains(&client) { "offline" } else { "online" };
            assert_eq!(state, expected, "{client}");
        }
        assert_eq!(summary["malformed"], 0, "{summary}");
    }
}

/// Returns whom each turn kills, as the plan has it.
fn killed(terms: &Terms) -> Vec<BTreeSet<String>> {
    let plan = Plan::new(terms).expect("the terms make sense");
    let mut killed = vec![BTreeSet::new(); terms.lives as usize];
    // Lives begin with a turn, and one that ends with silence ends within one.
    let latest = plan.lives().map(|life| life.begin_ms).max().unwrap_or_default();
    let period_ms = latest / u64::from(terms.lives - 1);
    for (number, lives) in (0..).zip(&plan.devices) {
        for life in lives.iter().filter(|life| life.death == Death::Silence) {
            let turn = usize::try_from(life.end_ms / period_ms).expect("turns are few");
            killed[turn].insert(client_id(number));
        }
    }
    killed
}

fn client_id(number: u32) -> String {
    format!("sim-{RUN}-{number}")
}

const RUN: &str = "turn";
