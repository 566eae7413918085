//! What the options of a command amount to, for `--print-config`.

use crate::output::style::Style;
use crate::output::table::{Cell, Table};
use serde::Serialize;

/// One option. Secrets are redacted by whoever makes it.
#[derive(Clone, Debug, Serialize)]
pub struct SettingObject {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub option: String,
    pub values: Vec<String>,
    /// `flag`, `environment`, `profile` or `default`.
    pub origin: &'static str,
    /// The variable or the profile.
    pub source: Option<String>,
    pub file: Option<String>,
    pub line: Option<usize>,
}

impl SettingObject {
    #[must_use]
    pub const fn new(option: String, values: Vec<String>, origin: &'static str) -> Self {
        Self { kind: "setting", option, values, origin, source: None, file: None, line: None }
    }

    fn origin(&self) -> String {
        match (&self.source, &self.file, self.line) {
            (Some(source), Some(file), Some(line)) => {
                format!("{} {source} ({file}:{line})", self.origin)
            }
            (Some(source), ..) => format!("{} {source}", self.origin),
            _ => self.origin.to_owned(),
        }
    }
}

/// Returns all options as a table. It is not fitted into a width: paths must stay whole.
#[must_use]
pub fn table(settings: &[SettingObject], style: Style) -> String {
    let mut table = Table::new(&["option", "value", "from"]);
    for setting in settings {
        let value =
            if setting.values.is_empty() { "–".to_owned() } else { setting.values.join(" ") };
        table.row([
            Cell::text(&format!("--{}", setting.option)),
            Cell::text(&value),
            Cell::text(&setting.origin()),
        ]);
    }
    table.render(style, None)
}
