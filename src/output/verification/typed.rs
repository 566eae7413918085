//! A command line as it may be kept and shown.

/// Returns the words of a command line without secrets: a broker's address loses its user, its password
/// and its query, whichever way the option is spelled. Other secrets are not typed.
pub fn typed<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut is_address = false;
    let mut kept = Vec::new();
    for word in words {
        if std::mem::take(&mut is_address) {
            kept.push(address(word));
        } else if BROKER.contains(&word) {
            is_address = true;
            kept.push(word.to_owned());
        } else if let Some((option, rest)) =
            word.split_once('=').filter(|(name, _)| *name == BROKER[1])
        {
            kept.push(format!("{option}={}", address(rest)));
        } else if let Some(rest) = word.strip_prefix(BROKER[0]) {
            kept.push(format!("{}{}", BROKER[0], address(rest)));
        } else if word.contains("://") {
            kept.push(address(word));
        } else {
            kept.push(word.to_owned());
        }
    }
    kept
}

/// Drops rather too much than too little: what does not look like an address may be a password.
fn address(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = host.split('?').next().unwrap_or_default();
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

const BROKER: [&str; 2] = ["-b", "--broker"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_address_is_kept() {
        for (line, expected) in [
            ("simulate -b h --count 5", "simulate -b h --count 5"),
            (
                "simulate -b mqtt://ann:hunter2@h:1883/x?token=hunter2",
                "simulate -b mqtt://h:1883/x",
            ),
            ("simulate -bann:hunter2@h", "simulate -bh"),
            ("simulate --broker=ws://:hunter2@h", "simulate --broker=ws://h"),
            ("simulate --broker ann:hun@ter2@h", "simulate --broker h"),
            ("simulate --unknown mqtt://hunter2@h", "simulate --unknown mqtt://h"),
            ("simulate --payload a@b=c -b", "simulate --payload a@b=c -b"),
        ] {
            assert_eq!(typed(line.split(' ')).join(" "), expected);
        }
    }
}
