//! What `presence probe --json` has found out, for commands that go by it.

use super::reading::named;
use crate::cli::reading::DialectName;
use crate::dialect::terms::Terms;
use crate::failure::Failure;
use crate::probe::findings::Findings;
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads what was found at a broker.
///
/// Errors: a file that cannot be read (exit 4); one that holds something else, of another broker, or that
/// nothing was found (exit 2).
pub fn read(path: &Path, instance: &str) -> Result<Findings, Failure> {
    let shown = path.display();
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LENGTH_MAX).read_to_string(&mut text)).map_err(
        |error| {
            Failure::new(format!("could not read `{shown}`"))
                .because(error)
                .next("check the path, and who may read the file")
        },
    )?;
    let refuse =
        |cause: String| Failure::misuse(format!("`--probe {shown}` cannot be used")).because(cause);
    let found: Probed = serde_json::from_str(&text).map_err(|error| {
        refuse(format!("it is not what `presence probe --json` prints: {error}"))
            .next(format!("make it with `presence probe --json > {shown}`"))
    })?;
    if found.instance != instance {
        return Err(refuse(format!("it is about `{}`, not `{instance}`", found.instance))
            .next("name the broker as it was named to the probe, or probe this one"));
    }
    found.findings.filter(|findings| !findings.recommended.is_empty()).ok_or_else(|| {
        refuse("it found nothing that tells of clients there".into())
            .next("see what `presence probe` says about that, and probe again")
    })
}

/// Returns the names of the dialects to listen with: those that a probe found to tell something, unless
/// others were chosen.
pub fn dialects<'a>(
    chosen: &[DialectName],
    found: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    if !chosen.contains(&DialectName::Auto) {
        return named(chosen, &[]);
    }
    let found: Vec<&str> = found.into_iter().collect();
    Terms::names().filter(|name| found.contains(name)).map(str::to_owned).collect()
}

/// Has `auto` mean what a probe recommends at this broker, if there was one.
///
/// Errors: as for [`read`].
pub fn heed(
    path: Option<&Path>,
    instance: &str,
    chosen: &[DialectName],
    terms: &mut Terms,
) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let found = read(path, instance)?;
    // What a file describes was asked for, whatever a probe knew of.
    terms.dialects.retain(|name| Terms::names().all(|known| known != name));
    terms.dialects.extend(dialects(chosen, found.recommended.iter().map(String::as_str)));
    Ok(())
}

#[derive(Deserialize)]
struct Probed {
    #[serde(rename = "type")]
    _kind: Kind,
    instance: String,
    findings: Option<Findings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Probe,
}

/// Bytes of the file, far more than a probe prints.
const LENGTH_MAX: u64 = 1 << 20;
