//! Which clients are shown.

use crate::failure::Failure;
use glob::{MatchOptions, Pattern};

/// Globs over client ids; without any, every client is shown.
#[derive(Clone, Debug, Default)]
pub struct Clients(Vec<Pattern>);

/// A client id is no path: a star matches across slashes, and a leading dot is nothing special.
const ANY_TEXT: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

impl Clients {
    pub fn new(globs: &[String]) -> Result<Self, Failure> {
        Self::chosen_by("--client", globs)
    }

    /// Reads the globs of an option, which is named where one cannot be read.
    pub fn chosen_by(option: &str, globs: &[String]) -> Result<Self, Failure> {
        let read = |glob: &String| {
            Pattern::new(glob).map_err(|error| {
                Failure::misuse(format!("`{option} {glob}` is no glob"))
                    .because(error)
                    .next("put a character that stands for itself in brackets, such as `[*]`")
            })
        };
        globs.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    pub fn include(&self, client: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|glob| glob.matches_with(client, ANY_TEXT))
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
    fn a_question_mark_is_one_character_of_any_script() {
        assert!(shown(&["pump-?"]).include("pump-泵"));
        assert!(shown(&["[à-ü]*"]).include("éclair"));
    }

    #[test]
    fn without_globs_every_client_is_shown() {
        assert!(shown(&[]).include(""));
    }

    #[test]
    fn a_broken_glob_is_a_misuse() {
        assert_eq!(Clients::new(&["[".to_owned()]).unwrap_err().outcome.code(), 2);
    }
}
