//! The join: what was done to devices, what was said of it, and how late.
//!
//! Deeds and reports go in, in whatever order they come; [`Findings`](findings::Findings) come out. A
//! deed that is in its window and of the right kind was reported; what a voice has no words for is not
//! observable, which is neither right nor wrong.
//!
//! [`account`] keeps both sides, [`due`] knows what is to be said of a connection, [`judge`] finds the
//! reports that belong to it, [`conclude`] says what they amount to.

mod account;
mod clients;
mod conclude;
mod connection;
mod deaf;
mod due;
pub mod findings;
mod gathering;
mod judge;
mod promise;
mod slots;
pub mod voice;
pub mod window;

pub use account::{Outstanding, Terms, Told, Verification};
pub use promise::{Promise, Promises};
