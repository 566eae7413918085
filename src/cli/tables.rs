//! How tables of notices are read.

use clap::Args;

/// What the columns of CSV files hold.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Tables")]
pub struct Tables {
    /// Column of a CSV file that holds a part of the notices, such as `client=Device`
    ///
    /// The parts are `client` and `event`, which are needed, and `time`, `channel` and `ip`; several are
    /// separated by commas. Without it the columns go by the usual names, such as `client_id`.
    #[arg(long, value_name = "PART=COLUMN", env = "PRESENCE_CSV_MAP", value_delimiter = ',')]
    pub csv_map: Vec<String>,

    /// Word in a CSV file that stands for a type of event, such as `tcpclean=close`
    ///
    /// The types are `connect`, `disconnect` (the goodbye) and `tcpclean` (the end of the transport),
    /// which also stand for themselves; several are separated by commas.
    #[arg(long, value_name = "TYPE=WORD", env = "PRESENCE_CSV_EVENT", value_delimiter = ',')]
    pub csv_event: Vec<String>,
}
