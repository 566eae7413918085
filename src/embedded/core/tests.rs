//! Stories with simulated time, by what they are about.

mod faults;
mod messages;
mod notices;
mod random;
mod rules;
mod sessions;
mod wills;
