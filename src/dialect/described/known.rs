//! The descriptions that there are: the conventions of common devices, and those of this run's files.

use super::Described;
use crate::dialect::facts::Facts;
use crate::table::Mistake;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The conventions by their names, in the order in which they are asked.
pub const CONVENTIONS: [(&str, &str); 11] = [
    ("homeassistant", include_str!("../conventions/homeassistant.toml")),
    ("zigbee2mqtt", include_str!("../conventions/zigbee2mqtt.toml")),
    ("tasmota", include_str!("../conventions/tasmota.toml")),
    ("shelly1", include_str!("../conventions/shelly1.toml")),
    ("homie", include_str!("../conventions/homie.toml")),
    ("frigate", include_str!("../conventions/frigate.toml")),
    ("theengs", include_str!("../conventions/theengs.toml")),
    ("openmqttgateway", include_str!("../conventions/openmqttgateway.toml")),
    ("campbell", include_str!("../conventions/campbell.toml")),
    // These begin with the name of the device, and so lie across others.
    ("shelly2", include_str!("../conventions/shelly2.toml")),
    ("esphome", include_str!("../conventions/esphome.toml")),
];

/// A description that stays for as long as the program runs.
///
/// The names of voices are `&'static str` all over: they stand in every record, and to count references to
/// them would cost more than they are worth. A run knows a handful of files, each is made once, and how many
/// there may be is bounded.
#[derive(Clone, Copy, Debug)]
struct Known {
    described: &'static Described,
    facts: &'static Facts,
}

impl Known {
    fn new(described: Described) -> Self {
        let described: &'static Described = Box::leak(Box::new(described));
        Self { described, facts: Box::leak(Box::new(described.facts())) }
    }
}

/// Returns the convention of this name.
#[must_use]
pub fn convention(name: &str) -> Option<&'static Described> {
    known_convention(name).map(|known| known.described)
}

fn known_convention(name: &str) -> Option<Known> {
    static READ: [OnceLock<Known>; CONVENTIONS.len()] =
        [const { OnceLock::new() }; CONVENTIONS.len()];
    let place = CONVENTIONS.iter().position(|(known, _)| *known == name)?;
    let ((_, text), read) = (CONVENTIONS.get(place)?, READ.get(place)?);
    let read = read.get_or_init(|| {
        Known::new(Described::parse(text).expect("every convention is read in a test"))
    });
    Some(*read)
}

/// Returns the dialect that a file describes. The same text is the same dialect.
///
/// Errors: the first mistake, or that there are too many files.
pub fn custom(text: &str) -> Result<&'static Described, Mistake> {
    let mut files = files();
    if let Some((_, known)) = files.iter().find(|(read, _)| read == text) {
        return Ok(known.described);
    }
    let described = Described::parse(text)?;
    if files.len() >= FILES_MAX {
        return Err(Mistake {
            line: None,
            what: format!("the dialect `{}` is one too many", described.name),
            cause: format!("at most {FILES_MAX} files are read in one run"),
            next: "leave some of them out".to_owned(),
        });
    }
    let known = Known::new(described);
    files.push((text.to_owned(), known));
    Ok(known.described)
}

/// Returns the description of this name that this run knows.
#[must_use]
pub fn find(name: &str) -> Option<&'static Described> {
    known(name).map(|known| known.described)
}

/// Returns what is known of the dialect of this name that is described in a file.
#[must_use]
pub fn facts(name: &str) -> Option<&'static Facts> {
    known(name).map(|known| known.facts)
}

fn known(name: &str) -> Option<Known> {
    known_convention(name).or_else(|| {
        let files = files();
        files.iter().find(|(_, known)| known.described.name == name).map(|(_, known)| *known)
    })
}

fn files() -> std::sync::MutexGuard<'static, Vec<(String, Known)>> {
    static FILES: Mutex<Vec<(String, Known)>> = Mutex::new(Vec::new());
    // What is in it was whole before whoever panicked touched it.
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Files of one run: more than anybody listens for.
const FILES_MAX: usize = 16;
