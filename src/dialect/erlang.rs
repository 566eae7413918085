//! Terms of Erlang as they are printed: as much of them as it takes to find a client id.

/// Returns the client id of `#{<<"client_id">> => <<"ID">>}`, a map of binaries.
pub(super) fn client_in_map(term: &str) -> Option<String> {
    let mut rest = trimmed(term).strip_prefix("#{")?;
    loop {
        let (key, after) = binary(rest)?;
        let (value, after) = binary(trimmed(after).strip_prefix("=>")?)?;
        let after = trimmed(after);
        if key == "client_id" {
            return after.starts_with([',', '}']).then_some(value);
        }
        rest = after.strip_prefix(',')?;
    }
}

/// Returns the client id of `{client_id,longstr,<<"ID">>}`, a property.
pub(super) fn client_in_property(term: &str) -> Option<String> {
    let rest = trimmed(trimmed(term).strip_prefix('{')?);
    let rest = match rest.strip_prefix("client_id") {
        Some(rest) => rest,
        None => binary(rest).filter(|(key, _)| key == "client_id")?.1,
    };
    let rest = trimmed(trimmed(rest).strip_prefix(',')?).strip_prefix("longstr")?;
    let (value, rest) = binary(trimmed(rest).strip_prefix(',')?)?;
    (trimmed(rest) == "}").then_some(value)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace())
}

/// Reads a binary, `<<"text">>`, `<<"text"/utf8>>` or `<<100,101>>`, and returns it with what follows.
///
/// Which of them a binary is printed as depends on its bytes: ids outside ASCII come in any of them.
fn binary(text: &str) -> Option<(String, &str)> {
    let inner = trimmed(text).strip_prefix("<<")?;
    if let Some(quoted) = inner.strip_prefix('"') {
        let (value, rest) = unquoted(quoted)?;
        let rest = rest.strip_prefix("/utf8").unwrap_or(rest);
        return Some((value, rest.strip_prefix(">>")?));
    }
    let (list, rest) = inner.split_once(">>")?;
    let byte = |number: &str| trimmed(number).parse::<u8>().ok();
    let bytes: Option<Vec<u8>> = match list {
        "" => Some(Vec::new()),
        list => list.split(',').map(byte).collect(),
    };
    Some((String::from_utf8(bytes?).ok()?, rest))
}

/// Returns a text up to its closing quote, and what follows that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'v' => '\u{b}',
                'e' => '\u{1b}',
                'd' => '\u{7f}',
                's' => ' ',
                // By a number: which characters those are depends on how the node prints.
                'x' | '0'..='7' => return None,
                itself => itself,
            }),
            char => value.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_whatever_it_is_printed_as() {
        for (map, expected) in [
            (r#"#{<<"client_id">> => <<"dev-1">>}"#, Some("dev-1")),
            (r#"#{<<"a">> => <<"client_id">>, <<"client_id">>=><<"b">>}"#, Some("b")),
            (r#"#{<<"client_id">> => <<"a\"b\\c">>}"#, Some("a\"b\\c")),
            (r#"#{<<"client_id">> => <<"\">> => <<\"x">>}"#, Some("\">> => <<\"x")),
            (r#"#{<<"client_id">> => <<"é">>}"#, Some("é")),
            (r#"#{<<"client_id">> => <<"世"/utf8>>}"#, Some("世")),
            ("#{<<\"client_id\">> => <<228,184,150, 45>>}", Some("世-")),
            ("#{<<\"client_id\">> => <<>>}", Some("")),
            ("#{<<\"client_id\">> => <<255>>}", None),
            ("#{<<\"client_id\">> => <<256>>}", None),
            (r#"#{<<"client_id">> => <<"a"#, None),
            (r#"#{<<"client_id">> => <<"a\x{e9}">>}"#, None),
            (r#"#{<<"client_id">> => undefined}"#, None),
            (r#"#{<<"id">> => <<"client_id">>}"#, None),
            ("#{}", None),
            ("", None),
        ] {
            assert_eq!(client_in_map(map).as_deref(), expected, "{map}");
        }
        for (property, expected) in [
            (r#"{client_id,longstr,<<"dev-1">>}"#, Some("dev-1")),
            (r#" { client_id , longstr , <<"dev-1">> } "#, Some("dev-1")),
            (r#"{<<"client_id">>,longstr,<<"dev-1">>}"#, Some("dev-1")),
            (r#"{client_id,longstr,<<"},{x">>}"#, Some("},{x")),
            ("{client_id,longstr,<<228,184,150>>}", Some("世")),
            (r#"{client_ids,longstr,<<"dev-1">>}"#, None),
            (r#"{product,longstr,<<"client_id">>}"#, None),
            (r#"{client_id,longstr,<<"dev-1">>"#, None),
            (r#"{client_id,longstr,<<"dev-1">>},x"#, None),
            ("{client_id,longstr,7}", None),
        ] {
            assert_eq!(client_in_property(property).as_deref(), expected, "{property}");
        }
    }

    #[test]
    fn no_cut_makes_reading_panic() {
        for term in [r#"#{<<"client_id">> => <<"a\"世"/utf8>>}"#, "{client_id,longstr,<<1,2>>}"] {
            for (end, _) in term.char_indices() {
                let cut = &term[..end];
                assert_eq!((client_in_map(cut), client_in_property(cut)).0, None, "{cut}");
            }
        }
    }
}
