//! The join: what was done to devices, what was said of it, and how late.
//!
//! Deeds and reports go in, in whatever order they come; [`Findings`](findings::Findings) come out. A
//! deed that is in its window and of the right kind was reported; what a voice has no words for is not
//! observable, which is neither right nor wrong.

pub mod findings;
pub mod voice;
pub mod window;
