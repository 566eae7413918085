//! How many threads read files.

use clap::Args;

/// How many threads read files.
#[derive(Args, Clone, Debug)]
pub struct Threads {
    /// Threads that read notices at the same time
    ///
    /// Without it: as many as there are processors. Nothing that is told depends on their number.
    #[arg(
        long,
        value_name = "COUNT",
        env = "PRESENCE_THREADS",
        value_parser = clap::value_parser!(u16).range(1..=THREADS_MAX)
    )]
    pub threads: Option<u16>,
}

const THREADS_MAX: i64 = 256;
