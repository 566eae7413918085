//! What tests share: processes that end with the test, and the servers among them.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod mosquitto;
pub mod process;
