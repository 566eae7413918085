//! Keys that are kept in files.

use crate::failure::Failure;
use crate::output::warning::Warning;
use ring::hmac;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Reads a key: what the file holds, less the end of its last line. `what` names it in failures.
///
/// Errors: a file that cannot be read, holds nothing or is no key (exit 4). Says in a warning if other
/// users may read it.
pub fn read(path: &Path, what: &str, warnings: &mut Vec<Warning>) -> Result<hmac::Key, Failure> {
    let shown = path.display().to_string();
    let refuse = || Failure::new(format!("could not read {what} from `{shown}`"));
    let unreadable = |error| refuse().because(error).next("check the path and who may read it");
    let file = File::open(path).map_err(unreadable)?;
    if is_exposed(&file) {
        warnings.push(Warning::SecretExposed { path: shown.clone() });
    }
    let mut bytes = Vec::new();
    file.take(KEY_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > KEY_MAX {
        return Err(refuse().because("it is longer than 64 KiB").next("check that it is the file"));
    }
    let key = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let key = key.strip_suffix(b"\r").unwrap_or(key);
    if key.is_empty() {
        return Err(refuse().because("it is empty").next("write the secret there"));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key))
}

/// A key that is longer is a file named by mistake.
const KEY_MAX: u64 = 64 * 1024;

#[cfg(unix)]
fn is_exposed(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
const fn is_exposed(_file: &File) -> bool {
    false
}
