//! `presence simulate merge` from beginning to end.
