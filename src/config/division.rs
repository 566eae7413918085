//! How several watchers divide the queues of a topic among themselves.

use crate::failure::Failure;
use std::fmt;

/// Whose queues are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Division {
    /// All of them.
    #[default]
    Whole,
    /// Those of this part.
    Shard(Shard),
    /// Those that the members of a consumer group, of which we are one, leave to us.
    Join,
}

/// One of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1 on.
    pub number: usize,
    pub of: usize,
}

/// Parts of a topic; none has as many queues.
const SHARDS_MAX: usize = 4_096;

impl Shard {
    /// Reads `2/3`.
    pub fn read(typed: &str) -> Result<Self, String> {
        let read = || {
            let (number, of) = typed.split_once('/')?;
            Some(Self { number: number.trim().parse().ok()?, of: of.trim().parse().ok()? })
        };
        let shard = read().ok_or("it is not two numbers with a `/` between them")?;
        if !(1..=SHARDS_MAX).contains(&shard.of) {
            return Err(format!("there are 1 to {SHARDS_MAX} parts"));
        }
        if !(1..=shard.of).contains(&shard.number) {
            return Err(format!("the parts of {} are 1 to {}", shard.of, shard.of));
        }
        Ok(shard)
    }

    fn typed(typed: &str) -> Result<Self, Failure> {
        Self::read(typed).map_err(|cause| {
            Failure::misuse(format!("`--shard {}` names no part", typed.escape_debug()))
                .because(cause)
                .next("pass which of how many it is, as in `--shard 2/3`")
        })
    }

    /// Returns what is in this part: of all, one in so many, by the place in their order.
    pub fn part<T: Clone>(self, all: &[T]) -> Vec<T> {
        all.iter().skip(self.number - 1).step_by(self.of).cloned().collect()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl Division {
    /// Reads the options, and checks them together. `shard`: as it was typed; `group`: the consumer group, where one was named; `topics`: how many topics
    /// are read; `are_stored`: what is read is stored where others find it.
    pub fn of(
        shard: Option<&str>,
        is_member: bool,
        group: Option<&str>,
        topics: usize,
        are_stored: bool,
    ) -> Result<Self, Failure> {
        let (option, division) = match (shard, is_member) {
            (None, false) => return Ok(Self::Whole),
            (Some(typed), _) => ("--shard", Self::Shard(Shard::typed(typed)?)),
            (None, true) => ("--join", Self::Join),
        };
        if topics == 0 {
            return Err(Failure::misuse(format!("`{option}` without a topic"))
                .because("it divides the queues of a topic")
                .next(
                    "name one with `--source`; subscriptions of MQTT are shared with `--share`",
                ));
        }
        if !are_stored {
            return Err(Failure::misuse(format!("`{option}` with `--store memory`"))
                .because("what is read here is nothing without what the others have read")
                .next("let all of them use one store, which `--store` names"));
        }
        if division == Self::Join && group.is_none() {
            return Err(Failure::misuse("`--join` without a group")
                .because("its members would be those of everybody's group")
                .next(
                    "name a group that only watchers use with `--consumer-group`, never that of an \
                     application: it would get a part of its messages no more",
                ));
        }
        Ok(division)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_is_in_one_part_and_parts_are_as_large_as_each_other() {
        for of in 1..=9 {
            let all: Vec<u32> = (0..16).collect();
            let parts: Vec<Vec<u32>> =
                (1..=of).map(|number| Shard { number, of }.part(&all)).collect();
            let mut joined = parts.concat();
            joined.sort_unstable();
            assert_eq!(joined, all, "{of}");
            let sizes = parts.iter().map(Vec::len);
            let (least, most) = (sizes.clone().min(), sizes.max());
            assert!(most <= least.map(|least| least + 1), "{of} {least:?} {most:?}");
        }
    }

    #[test]
    fn a_part_is_one_of_those_that_there_are() {
        assert_eq!(Shard::read("2/3"), Ok(Shard { number: 2, of: 3 }));
        for typed in ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/5000", "a/b", "1/2/3"] {
            Shard::read(typed).expect_err(typed);
        }
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let shard = Some("1/2");
        assert_eq!(Division::of(None, false, None, 0, false).ok(), Some(Division::Whole));
        let of = |shard, is_member, group, topics, are_stored| {
            Division::of(shard, is_member, group, topics, are_stored)
                .map_err(|failure| failure.to_string())
        };
        assert_eq!(of(None, true, Some("g"), 1, true), Ok(Division::Join));
        of(shard, false, None, 0, true).expect_err("no topic");
        of(Some("3/2"), false, None, 1, true).expect_err("no such part");
        of(shard, false, None, 1, false).expect_err("no store");
        of(None, true, None, 1, true).expect_err("no group");
    }
}
