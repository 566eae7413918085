//! Which clients are shown, and which of their changes.

use crate::cli::watch::View;
use crate::failure::Failure;
use crate::state::verdict::{Status, Verdict};
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

    /// Tells whether nobody is left out.
    pub const fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    pub fn include(&self, client: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|glob| glob.matches_with(client, ANY_TEXT))
    }

    /// Tells whether the globs, taken as those of groups, include a client; one of no group is in none.
    pub fn include_group_of(&self, client: &str) -> bool {
        self.0.is_empty() || group_of(client).is_some_and(|group| self.include(group))
    }
}

/// Returns the group of a client: what stands before the first `@@@` of its id.
pub fn group_of(client: &str) -> Option<&str> {
    client.split_once("@@@").map(|(group, _)| group)
}

/// What is shown of what is known. What is not shown is kept all the same.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    clients: Clients,
    groups: Vec<String>,
    states: Vec<Status>,
    anomalies: bool,
}

impl Shown {
    pub fn new(options: &View) -> Result<Self, Failure> {
        Ok(Self {
            clients: Clients::new(&options.client)?,
            groups: options.group.clone(),
            states: options.only.iter().map(|state| (*state).into()).collect(),
            anomalies: options.anomalies,
        })
    }

    /// Tells whether a verdict is shown, or a change to it.
    pub fn include(&self, verdict: &Verdict) -> bool {
        (self.states.is_empty() || self.states.contains(&verdict.status))
            && (!self.anomalies || !verdict.anomalies.is_empty())
            && self.is_about(&verdict.client)
    }

    /// Tells whether a client is one of those that were asked for, however it is.
    pub fn is_about(&self, client: &str) -> bool {
        (self.groups.is_empty()
            || group_of(client).is_some_and(|group| self.groups.iter().any(|g| g == group)))
            && self.clients.include(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_what_stands_before_the_first_separator() {
        let shown = Shown { groups: vec!["GID_a".into(), "GID_b".into()], ..Shown::default() };

        assert!(shown.is_about("GID_a@@@dev-1") && shown.is_about("GID_b@@@x@@@y"));
        for other in ["GID_a", "GID_a@@dev", "GID_c@@@GID_a@@@dev", "gid_a@@@dev", ""] {
            assert!(!shown.is_about(other), "{other}");
        }
    }

    #[test]
    fn states_and_anomalies_narrow_what_is_shown() {
        let odd = Verdict {
            status: Status::Online,
            anomalies: vec!["flapping"],
            ..Verdict::unknown("a")
        };
        let plain = Verdict { anomalies: Vec::new(), ..odd.clone() };
        let only = Shown { states: vec![Status::Offline, Status::Online], ..Shown::default() };
        assert!(only.include(&odd) && !only.include(&Verdict::unknown("a")));
        let anomalies = Shown { anomalies: true, ..Shown::default() };
        assert!(anomalies.include(&odd) && !anomalies.include(&plain));
        assert!(Shown::default().include(&plain));
    }

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
