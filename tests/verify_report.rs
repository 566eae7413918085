//! The report of a verification: what is printed can be read back, shards make the whole, two runs can
//! be compared, and nothing in it acts on a terminal or a page.

mod support;

#[path = "verify_report/comparing.rs"]
mod comparing;
#[path = "verify_report/hostile.rs"]
mod hostile;
#[path = "verify_report/joining.rs"]
mod joining;
#[path = "verify_report/program.rs"]
mod program;
#[path = "verify_report/sample.rs"]
mod sample;
#[path = "verify_report/telling.rs"]
mod telling;
