//! What a user gets to see: lines, tables and JSON on standard output, the talk beside them on
//! standard error.
//!
//! Renderers are pure and return text; only [`console`] and its [`printer`] write, and only the console
//! has looked at the terminal. Nothing foreign reaches a terminal without [`sanitize`].

pub mod acted;
pub mod advice;
pub mod anomalies;
pub mod concurrency;
pub mod console;
pub mod csv;
pub mod diff;
pub mod explain;
pub mod finding;
pub mod format;
pub mod html;
pub mod json;
pub mod log;
pub mod message;
pub mod metrics;
pub mod number;
pub mod object;
pub mod printer;
pub mod probe;
pub mod published;
pub mod reading;
pub mod sanitize;
#[cfg(feature = "tui")]
pub mod screen;
pub mod setting;
pub mod simulation;
pub mod status;
pub mod strip;
pub mod style;
pub mod table;
pub mod terminal;
pub mod time;
pub mod timeline;
pub mod uptime;
pub mod verdict;
pub mod verification;
pub mod warning;
pub mod whatif;
