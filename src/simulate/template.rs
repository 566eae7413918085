//! Text with places for what differs from device to device.

/// A text in which `{n}` stands for the number of the device, `{run}` for the mark of the run, and
/// `{client}` for the client id. `{{` and `}}` stand for braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Number,
    Run,
    Client,
}

impl Template {
    /// Reads a template.
    ///
    /// Errors: why it is none, for example a place that does not exist.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = brace.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = brace.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else if let Some((name, after)) =
                brace.strip_prefix('{').and_then(|after| after.split_once('}'))
            {
                let part = Part::named(name).ok_or_else(|| {
                    format!(
                        "`{{{name}}}` is no place; there are `{{n}}`, `{{run}}` and `{{client}}`"
                    )
                })?;
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(part);
                rest = after;
            } else {
                return Err("a brace stands alone; write `{{` or `}}` for the brace itself".into());
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts })
    }

    /// Reads a text in which only the places count and every other brace is itself, as in JSON.
    #[must_use]
    pub fn lenient(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, brace) = rest.split_at(at);
            literal.push_str(before);
            let place = PLACES
                .iter()
                .find_map(|(place, part)| Some((brace.strip_prefix(place)?, part.clone())));
            rest = if let Some((after, part)) = place {
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(part);
                after
            } else {
                literal.push('{');
                &brace[1..]
            };
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// Returns a text without places.
    #[must_use]
    pub fn plain(text: String) -> Self {
        Self { parts: vec![Part::Text(text)] }
    }

    /// Tells whether each device gets a text of its own.
    pub fn tells_devices_apart(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Number | Part::Client))
    }

    /// Tells whether each run gets a text of its own.
    pub fn tells_runs_apart(&self) -> bool {
        self.parts.contains(&Part::Run)
    }

    /// Tells whether the client id stands in it.
    pub fn names_client(&self) -> bool {
        self.parts.contains(&Part::Client)
    }

    /// Returns the text of a run in which `{client}` still stands for the client id; `None` if the number
    /// of the device stands in it.
    pub fn of_run(&self, run: &str) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Number => return None,
                Part::Run => text.push_str(run),
                Part::Client => text.push_str("{client}"),
            }
        }
        Some(text)
    }

    /// Returns the text for one device.
    pub fn fill(&self, number: u32, run: &str, client: &str) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Number => text.push_str(&number.to_string()),
                Part::Run => text.push_str(run),
                Part::Client => text.push_str(client),
            }
        }
        text
    }
}

const PLACES: [(&str, Part); 3] =
    [("{n}", Part::Number), ("{run}", Part::Run), ("{client}", Part::Client)];

impl Part {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "n" => Self::Number,
            "run" => Self::Run,
            "client" => Self::Client,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        for (text, expected) in [
            ("sim-{run}-{n}", "sim-3fa9-7"),
            ("devices/{client}/status", "devices/c7/status"),
            ("{{\"n\":{n}}}", "{\"n\":7}"),
            ("online", "online"),
            ("", ""),
        ] {
            let template = Template::read(text).unwrap();
            assert_eq!(template.fill(7, "3fa9", "c7"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_the_reason() {
        for (text, expected) in [
            ("sim-{number}", "`{number}` is no place"),
            ("{}", "`{}` is no place"),
            ("{n", "a brace stands alone"),
            ("n}", "a brace stands alone"),
        ] {
            let cause = Template::read(text).unwrap_err();
            assert!(cause.contains(expected), "{text}: {cause}");
        }
    }

    #[test]
    fn in_a_lenient_text_other_braces_are_themselves() {
        for (text, expected) in [
            ("{\"n\":{n},\"of\":{\"run\":\"{run}\"}}", "{\"n\":7,\"of\":{\"run\":\"3fa9\"}}"),
            ("{client}{client}", "c7c7"),
            ("{number} {} {{n}} }", "{number} {} {7} }"),
            ("{{{", "{{{"),
            ("{ü{n", "{ü{n"),
            ("", ""),
        ] {
            assert_eq!(Template::lenient(text).fill(7, "3fa9", "c7"), expected, "{text}");
        }
        assert_eq!(Template::plain("{n}".into()).fill(7, "3fa9", "c7"), "{n}");
    }

    #[test]
    fn the_text_of_a_run_leaves_the_client_open() {
        let of_run = |text: &str| Template::read(text).unwrap().of_run("3fa9");
        assert_eq!(of_run("{run}/{client}/status").as_deref(), Some("3fa9/{client}/status"));
        assert_eq!(of_run("online").as_deref(), Some("online"));
        assert_eq!(of_run("d/{n}/status"), None);
    }

    #[test]
    fn a_template_says_whom_it_tells_apart() {
        let apart = |text: &str| {
            let template = Template::read(text).unwrap();
            (template.tells_devices_apart(), template.tells_runs_apart(), template.names_client())
        };
        assert_eq!(apart("sim-{run}-{n}"), (true, true, false));
        assert_eq!(apart("sim-{run}"), (false, true, false));
        assert_eq!(apart("d/{client}"), (true, false, true));
    }
}
