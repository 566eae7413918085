//! How much disorder was asked for, checked.

use crate::cli::disorder::Disorder as Typed;
use crate::disorder::{Share, Terms};
use crate::failure::Failure;

/// Returns the disorder that was asked for, if any was. Without a seed `random` draws one.
pub fn terms(
    typed: &Typed,
    random: impl FnOnce() -> Result<u64, Failure>,
) -> Result<Option<Terms>, Failure> {
    if typed.shuffle.is_none() && typed.dup.is_none() && typed.drop.is_none() {
        return Ok(None);
    }
    let shuffle_ms = typed.shuffle.map_or(0, |window| window.as_millis());
    let shuffle_ms = u32::try_from(shuffle_ms).map_err(|_| {
        Failure::misuse("`--shuffle` is longer than any log needs")
            .because("a message may come up to 49 days later")
            .next("pass a shorter one, as in `--shuffle 2s`")
    })?;
    let repeated = share("--dup", typed.dup.as_deref())?;
    let dropped = share("--drop", typed.drop.as_deref())?;
    let seed = typed.seed.map_or_else(random, Ok)?;
    Ok(Some(Terms { shuffle_ms, repeated, dropped, seed }))
}

fn share(option: &str, typed: Option<&str>) -> Result<Share, Failure> {
    let Some(text) = typed else { return Ok(Share::default()) };
    Share::read(text).map_err(|cause| {
        Failure::misuse(format!("`{option} {text}` is no share"))
            .because("it is a share of all messages")
            .next(cause)
    })
}
