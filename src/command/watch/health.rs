//! Whether watching goes well, told from the figures that watchers leave.

use crate::output::metrics::{Figures, Panel};
use crate::output::number::counted;
use crate::output::time::duration;
use std::time::Duration;

/// A watcher goes through its loop every two seconds at least. One that has not for this long waits for
/// a disk, or for whoever reads what is printed.
const TURN_MAX: Duration = Duration::from_secs(30);

/// Returns what is wrong at the moment, a line each. `now` is of [`uptime`](crate::clock::uptime).
pub fn ailments(watchers: &[(String, Panel)], now: Duration) -> Vec<String> {
    watchers.iter().filter_map(|(name, panel)| ailment(name, &panel.read(), now)).collect()
}

fn ailment(name: &str, figures: &Figures, now: Duration) -> Option<String> {
    let still = now.saturating_sub(figures.turned);
    if still > TURN_MAX {
        Some(format!("{name}: the watcher has not moved for {}", duration(still)))
    } else if !figures.connected {
        Some(format!("{name}: not connected"))
    } else if !figures.subscribed {
        Some(format!("{name}: not subscribed yet"))
    } else if figures.unsaved > 0 {
        let waiting = counted(figures.unsaved as u64, "message");
        Some(format!("{name}: the store cannot be written, {waiting} waiting"))
    } else {
        None
    }
}

/// Tells whether every watcher has gone through its loop within a time. Being disconnected is no sign of
/// being hung, and neither is a store that is tried again.
pub fn all_move(watchers: &[(String, Panel)], now: Duration, within: Duration) -> bool {
    watchers.iter().all(|(_, panel)| now.saturating_sub(panel.read().turned) <= within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(figures: &Figures, now: u64) -> Vec<String> {
        let panel = Panel::default();
        panel.show(figures);
        ailments(&[("b:1883".to_owned(), panel)], Duration::from_secs(now))
    }

    #[test]
    fn each_ailment_is_named() {
        let well = Figures { connected: true, subscribed: true, ..Figures::default() };
        assert_eq!(told(&well, 30), Vec::<String>::new());
        let hung = told(&well, 31);
        assert_eq!(hung, ["b:1883: the watcher has not moved for 31.0 s"]);
        let unsaved = told(&Figures { unsaved: 2, ..well.clone() }, 1);
        assert_eq!(unsaved, ["b:1883: the store cannot be written, 2 messages waiting"]);
        let away = Figures { connected: false, ..well };
        assert_eq!(told(&away, 1), ["b:1883: not connected"]);
    }

    #[test]
    fn a_watcher_that_is_away_moves_all_the_same() {
        let panel = Panel::default();
        panel.show(&Figures { turned: Duration::from_secs(9), ..Figures::default() });
        let watchers = [("b:1883".to_owned(), panel)];
        assert!(all_move(&watchers, Duration::from_secs(10), Duration::from_secs(1)));
        assert!(!all_move(&watchers, Duration::from_secs(11), Duration::from_secs(1)));
    }
}
