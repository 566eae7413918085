//! Which clients are shown.

mod glob;

use crate::failure::Failure;
use glob::Glob;

/// Globs over client ids; without any, every client is shown.
#[derive(Clone, Debug, Default)]
pub struct Clients(Vec<Glob>);

impl Clients {
    pub fn new(globs: &[String]) -> Result<Self, Failure> {
        let mut all = Vec::with_capacity(globs.len());
        for glob in globs {
            all.extend(Glob::read(glob).map_err(|wrong| {
                Failure::misuse(format!("`--client {glob}` is no glob"))
                    .because(wrong)
                    .next("put `\\` before a character that stands for itself")
            })?);
        }
        Ok(Self(all))
    }

    pub fn include(&self, client: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|glob| glob.matches(client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(globs: &[&str]) -> Clients {
        Clients::new(&globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_star_matches_across_slashes_and_group_separators() {
        let shown = shown(&["GID_*@@@dev-?", "site/*"]);

        assert!(shown.include("GID_demo@@@dev-1"));
        assert!(shown.include("site/a/b"));
        assert!(!shown.include("GID_demo@@@dev-10"));
    }

    #[test]
    fn without_globs_every_client_is_shown() {
        assert!(shown(&[]).include(""));
    }

    #[test]
    fn a_broken_glob_is_a_misuse() {
        let failure = Clients::new(&["[".to_owned()]).unwrap_err();

        assert_eq!(failure.outcome.code(), 2);
        assert_eq!(failure.cause.as_deref(), Some("a `[` is never closed"));
    }
}
