//! How several `presence watch` share their work.

use clap::Args;

/// Characters of the name of a group.
const GROUP_MAX: usize = 64;

/// How watchers share one subscription.
#[derive(Args, Clone, Debug)]
pub struct Sharing {
    /// Share the work with all watchers of this group and store
    ///
    /// The broker gives each notice to one of them, and each judges by what all have stored. What a dead
    /// member holds is missing for all, until it is back or removed. Only for dialects whose events stand
    /// for themselves (`lmq`); others are heard by every member.
    #[arg(long, value_name = "GROUP", env = "PRESENCE_SHARE", value_parser = group)]
    pub share: Option<String>,

    /// Read the Ith of N parts of the queues of a topic, and leave the others to watchers with the same store
    ///
    /// The same parts always have the same queues. What nobody reads is missing for all, until somebody does:
    /// then reading goes on where it ended.
    #[arg(long, value_name = "I/N", env = "PRESENCE_SHARD", conflicts_with = "join")]
    pub shard: Option<String>,

    /// Read the queues of a topic that the other members of `--consumer-group` leave to us
    ///
    /// The broker tells who is in the group; when one comes or goes, the queues are divided anew. The group has
    /// to be one of watchers alone, with one store: an application that is in it would miss messages. Where
    /// one has read before as this group, or is in it, nothing is joined.
    #[arg(long, env = "PRESENCE_JOIN")]
    pub join: bool,
}

/// Checks the name of a group: it becomes a level of a topic filter (MQTT 5.0 §4.8.2).
fn group(typed: &str) -> Result<String, String> {
    if typed.is_empty() || typed.chars().count() > GROUP_MAX {
        return Err(format!("a group has 1 to {GROUP_MAX} characters"));
    }
    if typed.chars().any(|c| matches!(c, '/' | '+' | '#') || c.is_control()) {
        return Err("a group holds none of `/`, `+`, `#`, and no control characters".to_owned());
    }
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_one_level_of_a_topic() {
        let longest = "g".repeat(GROUP_MAX);
        for name in ["g", "night shift", "Nachtwächter", "$x", &longest] {
            assert_eq!(group(name), Ok(name.to_owned()));
        }
        for name in ["", "a/b", "+", "a#", "a\0", "a\nb", &"g".repeat(GROUP_MAX + 1)] {
            group(name).expect_err(name);
        }
    }
}
