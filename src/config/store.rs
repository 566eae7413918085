//! Where state is kept.

use crate::cli::store::Where;
use crate::failure::Failure;
use crate::store::place;
use std::path::PathBuf;

/// Returns the store's file, `None` where nothing is to be kept.
pub fn path(options: &Where) -> Result<Option<PathBuf>, Failure> {
    match &options.store {
        Some(path) if path.as_os_str() == "memory" => Ok(None),
        Some(path) if path.as_os_str().is_empty() => {
            Err(Failure::misuse("`--store` names no file").next("leave it out for the usual place"))
        }
        Some(path) => Ok(Some(path.clone())),
        None => place::default_path(|name| std::env::var_os(name)).map(Some),
    }
}
