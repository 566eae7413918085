//! The page that `replay --report` writes, and pseudonyms in the place of ids: what stands in it agrees with
//! what is printed, nothing foreign acts, nothing hidden shows.

mod support;

#[path = "cli/asked.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the command line")]
mod asked;
#[path = "report/browser.rs"]
mod browser;
#[path = "report/night.rs"]
mod night;
#[path = "report/page.rs"]
mod page;
#[path = "report/redacted.rs"]
mod redacted;
#[path = "cli/run.rs"]
#[allow(dead_code, reason = "it is shared with the tests of the command line")]
mod run;
