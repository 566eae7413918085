//! What can be typed: one file a subcommand, and one for the options that commands share.

pub mod connection;
