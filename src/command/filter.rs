//! Which clients are shown.

use crate::failure::Failure;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs over client ids; without any, every client is shown.
#[derive(Clone, Debug, Default)]
pub struct Clients(Option<GlobSet>);

impl Clients {
    pub fn new(globs: &[String]) -> Result<Self, Failure> {
        if globs.is_empty() {
            return Ok(Self(None));
        }
        let refused = |glob: &str, error: globset::Error| {
            Failure::misuse(format!("`--client {glob}` is no glob"))
                .because(error.kind())
                .next("put `\\` before a character that stands for itself")
        };
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            // An id is no path: `*` matches across slashes.
            let glob = GlobBuilder::new(glob)
                .literal_separator(false)
                .backslash_escape(true)
                .build()
                .map_err(|error| refused(glob, error))?;
            set.add(glob);
        }
        let set = set.build().map_err(|error| refused(&globs.join(" "), error))?;
        Ok(Self(Some(set)))
    }

    pub fn include(&self, client: &str) -> bool {
        self.0.as_ref().is_none_or(|globs| globs.is_match(client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_across_slashes_and_group_separators() {
        let shown = Clients::new(&["GID_*@@@dev-?".to_owned(), "site/*".to_owned()]).unwrap();

        assert!(shown.include("GID_demo@@@dev-1"));
        assert!(shown.include("site/a/b"));
        assert!(!shown.include("GID_demo@@@dev-10"));
    }

    #[test]
    fn a_broken_glob_is_a_misuse() {
        assert_eq!(Clients::new(&["[".to_owned()]).unwrap_err().outcome.code(), 2);
    }
}
