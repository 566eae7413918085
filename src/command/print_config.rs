//! `--print-config`: what every option of a command amounts to, instead of running it.

use super::warning;
use crate::config::profile::{Origin, Setting, Typed};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::output::console::Console;
use crate::output::setting::SettingObject;

/// Prints what every option amounts to.
pub fn run(typed: &Typed) -> Outcome {
    let settings: Vec<SettingObject> =
        typed.settings.iter().flatten().cloned().map(setting).collect();
    let json = settings.iter().any(|one| one.option == "json" && one.values == ["true"]);
    let mut console = Console::detect(json, false, false);
    for given in typed.warnings.iter().cloned() {
        console.warn(&warning(given));
    }
    let printed = if json {
        settings.iter().try_for_each(|setting| console.json_line(setting))
    } else {
        console.print(&output::setting::table(&settings, console.style()))
    };
    let Err(failure) = printed.and_then(|()| console.finish()).map_err(Failure::from) else {
        return Outcome::Yes;
    };
    console.failure(&failure);
    failure.outcome
}

fn setting(setting: Setting) -> SettingObject {
    let Setting { option, values, origin } = setting;
    let of = |origin| SettingObject::new(option, values, origin);
    match origin {
        Origin::Flag => of("flag"),
        Origin::Default => of("default"),
        Origin::Environment { variable } => {
            SettingObject { source: Some(variable), ..of("environment") }
        }
        Origin::Profile { name, file, line } => SettingObject {
            source: Some(name),
            file: Some(file),
            line: Some(line),
            ..of("profile")
        },
    }
}
