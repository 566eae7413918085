//! What happens to the devices of the demo. The ways to go that a broker sees differently are in it, and
//! the two that are told wrong most often: a return, and a new connection while the old one is open or has
//! not been found dead.

use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::simulate::fleet::{Conduct, Credentials, Fleet, Message, Names, Will};
use crate::simulate::plan::{Death, Life, Plan};
use crate::simulate::template::Template;
use crate::wire::Qos;
use std::time::Duration;

/// Keep alive of the devices. The broker finds a silent one dead after one and a half times that.
/// An odd number of seconds leaves half of one between the earliest honest notice and that of the broker.
pub const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// When everything in the middle has happened and been noticed: the verdicts are compared with the truth.
pub const CHECK_MS: u64 = 10_500;
/// When those who are left say goodbye.
const LEAVE_MS: u64 = 11_500;
const RUN: &str = "demo";

/// Returns the lives of the devices, by number.
pub fn plan() -> Plan {
    let life = |begin_ms, end_ms, death| Life { begin_ms, end_ms, death };
    let last = |begin_ms| life(begin_ms, LEAVE_MS, Death::Disconnect);
    Plan {
        devices: vec![
            vec![last(0)],
            // Connects once more while it is connected.
            vec![life(150, 6_700, Death::TakeOver), last(6_700)],
            vec![life(300, 3_000, Death::Disconnect)],
            vec![life(450, 3_600, Death::Disconnect), last(6_400)],
            vec![life(600, 4_200, Death::Fin)],
            vec![life(750, 4_800, Death::Fin), last(7_000)],
            vec![life(900, 5_400, Death::Rst)],
            vec![life(1_050, 6_000, Death::Rst), last(7_600)],
            // Pings once before.
            vec![life(1_200, 5_000, Death::Silence)],
            // Comes back before the broker has noticed: the old connection ends after the new one began.
            vec![life(1_350, 8_200, Death::Silence), last(9_000)],
        ]
        .into(),
        end_ms: LEAVE_MS + 500,
    }
}

/// Tells whether a device is connected at that moment, by the plan.
pub fn is_up(plan: &Plan, device: usize, at_ms: u64) -> bool {
    let lives = plan.devices.get(device).unwrap_or_default();
    lives.iter().any(|life| (life.begin_ms..life.end_ms).contains(&at_ms))
}

/// Returns what the devices are: with a birth and a will on the topics where `watch` looks for them.
pub fn fleet(connection: Connection) -> Result<Fleet, Failure> {
    let read = |text: &str| Template::read(text).map_err(Failure::misuse);
    let message = |payload: &str| {
        Ok::<_, Failure>(Message {
            topic: read("devices/{client}/status")?,
            payload: read(payload)?,
            qos: Qos::AtLeastOnce,
            retain: true,
        })
    };
    Ok(Fleet {
        connection,
        run: RUN.to_owned(),
        client_id: Names::Template(read("{run}-{n}")?),
        credentials: Credentials::Anonymous,
        conduct: Conduct {
            keep_alive: u16::try_from(KEEP_ALIVE.as_secs()).unwrap_or(u16::MAX),
            will: Some(Will { message: message("offline")?, delay: 0 }),
            birth: Some(message("online")?),
            ..Conduct::default()
        },
        groups: Vec::new(),
        in_flight: 8,
        connect_timeout: Duration::from_secs(5),
        local_addresses: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_follow_each_other_and_the_check_comes_when_all_is_noticed() {
        let plan = plan();
        let keep_alive_ms = KEEP_ALIVE.as_secs() * 1_000;
        for lives in &plan.devices {
            for pair in lives.windows(2) {
                let is_taken_over = pair[0].death == Death::TakeOver;
                assert_eq!(pair[0].end_ms == pair[1].begin_ms, is_taken_over, "{lives:?}");
                assert!(pair[0].end_ms <= pair[1].begin_ms, "{lives:?}");
                // No broker can have found it dead by then.
                let is_silent = pair[0].death.is_silent();
                assert!(!is_silent || pair[1].begin_ms < pair[0].end_ms + keep_alive_ms / 2);
            }
            let last = lives.last().filter(|last| last.end_ms < LEAVE_MS);
            let noticed = last.map_or(0, |last| last.end_ms + keep_alive_ms * 3 / 2);
            assert!(noticed < CHECK_MS, "{lives:?}");
        }
        let up = (0..plan.devices.len()).filter(|device| is_up(&plan, *device, CHECK_MS));
        assert_eq!(up.collect::<Vec<_>>(), [0, 1, 3, 5, 7, 9]);
        const { assert!(CHECK_MS < LEAVE_MS) };
    }

    /// Else the end of its old connection is told as a silence on one machine and as a take-over on another.
    #[test]
    fn no_ping_is_near_the_end_of_a_silent_one() {
        let keep_alive_ms = KEEP_ALIVE.as_secs() * 1_000;
        let plan = plan();
        for life in plan.lives().filter(|life| life.death.is_silent()) {
            let since_ping = (life.end_ms - life.begin_ms) % keep_alive_ms;
            assert!((500..keep_alive_ms - 500).contains(&since_ping), "{life:?}");
        }
    }
}
