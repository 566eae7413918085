//! Starts of a broker that has another name for itself each time, and says nothing of them otherwise.

/// What was heard of the starts of one broker.
#[derive(Debug, Default)]
pub(super) struct Starts {
    name: Option<Box<str>>,
    /// The last few, newest last.
    heard: Vec<Box<str>>,
    /// More than one broker speaks here: the start of one ends nothing of the others.
    are_several: bool,
}

impl Starts {
    /// Takes in what a broker calls itself, and this start of it. Returns whether it started since it was
    /// heard of last.
    pub fn hear(&mut self, name: &str, start: &str) -> bool {
        self.are_several |= self.name.as_deref().is_some_and(|known| known != name);
        if self.heard.iter().any(|known| **known == *start) {
            return false;
        }
        if self.heard.len() >= HEARD_MAX {
            self.heard.remove(0);
        }
        self.heard.push(start.into());
        // The first one that is heard of may have begun long ago.
        let is_known = self.name.replace(name.into()).is_some();
        is_known && !self.are_several
    }
}

/// Messages of an older start may still come after the first one of a newer.
const HEARD_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_broker_itself_ends_what_was_before() {
        let mut starts = Starts::default();
        let told: Vec<_> = ["s1", "s1", "s2", "s1", "s2", "s3"]
            .iter()
            .map(|start| starts.hear("b", start))
            .collect();
        assert_eq!(told, [false, false, true, false, false, true]);
        assert!(!starts.hear("other", "t1"));
        assert!(!starts.hear("b", "s4"));
        for start in 0..100 {
            starts.hear("b", &start.to_string());
        }
        assert_eq!(starts.heard.len(), HEARD_MAX);
    }
}
