//! What is believed about clients: records that only ever widen, and verdicts drawn from them.
//!
//! Nothing here reads a clock, a network or a file, and nothing depends on the order or the
//! repetition of events: the state is a join-semilattice, judging is a pure function of the state,
//! the moment, the policy and the coverage. `docs/state-logic.md` is the specification.

pub mod address;
pub mod advisor;
pub mod anomaly;
pub mod answer;
pub mod brisk;
mod change;
pub mod clients;
pub mod course;
pub mod coverage;
pub mod debounce;
pub mod diagnosis;
pub mod fleet;
mod glance;
pub mod hearing;
pub mod judge;
pub mod packed;
pub mod policy;
pub mod presence;
pub mod record;
pub mod slot;
mod told;
pub mod turn;
pub mod verdict;
pub mod whatif;
