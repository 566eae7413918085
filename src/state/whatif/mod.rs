//! What other rules would have believed of the same events: where, and for how long, they are wrong.
//!
//! Events and changes of our verdicts go in, in the order of their arrival. A rule is held against two
//! truths: what we knew at the time, and what is known now that all late events are there. Where we say
//! `unknown` nothing is decided, and nobody is wrong. `docs/what-if.md` tells what the figures mean.

mod compare;
mod hindsight;
mod reason;
mod rule;
mod score;
#[cfg(test)]
mod tests;

pub use compare::{Compared, Standing};
pub use reason::{Example, Reason};
pub use rule::Rule;
pub use score::{Score, Sums};
