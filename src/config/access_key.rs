//! The access key of an account of Alibaba Cloud: its options, checked together.

use super::connection::password_from;
use crate::cli::access_key as cli;
use crate::failure::Failure;
use crate::secret::Secret;

/// Who signs. The secret is never sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub secret: Secret,
    /// Of a temporary key.
    pub token: Option<Secret>,
}

/// Secrets that have no flag: arguments are public.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The value of `PRESENCE_ACCESS_KEY_SECRET`.
    pub secret: Option<Secret>,
    /// The value of `PRESENCE_ACCESS_KEY_TOKEN`.
    pub token: Option<Secret>,
}

impl Secrets {
    /// Returns those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().map(Secret::from);
        Self { secret: variable(SECRET), token: variable(TOKEN) }
    }
}

pub const SECRET: &str = "PRESENCE_ACCESS_KEY_SECRET";
pub const TOKEN: &str = "PRESENCE_ACCESS_KEY_TOKEN";

/// Reads the access key; `None` where there is no id.
///
/// Errors: an id that cannot be one, an id without a secret, a file of a secret without an id (exit 2); a
/// file that cannot be read (exit 4).
pub fn read(options: &cli::AccessKey, secrets: &Secrets) -> Result<Option<AccessKey>, Failure> {
    let Some(id) = id(options)? else {
        return match flag_of_file(options) {
            None => Ok(None),
            Some(flag) => Err(Failure::misuse(format!("`{flag}` without `--access-key-id`"))
                .because("a secret alone does not say whose it is")
                .next("add `--access-key-id`")),
        };
    };
    let from = |file: &Option<_>| file.as_deref().map(password_from).transpose();
    let secret = from(&options.access_key_secret_file)?.or_else(|| secrets.secret.clone());
    let Some(secret) = secret else {
        return Err(Failure::misuse(format!("there is no secret of the access key `{id}`"))
            .because(format!("neither `--access-key-secret-file` nor `{SECRET}` is given"))
            .next("write the secret into a file, and name that with `--access-key-secret-file`"));
    };
    let token = from(&options.access_key_token_file)?.or_else(|| secrets.token.clone());
    Ok(Some(AccessKey { id: id.to_owned(), secret, token }))
}

/// Returns the id alone, for whoever needs no secret.
///
/// Errors: what cannot be an id (exit 2). It may be a secret that was typed in the wrong place, and is not
/// shown.
pub fn id(options: &cli::AccessKey) -> Result<Option<&str>, Failure> {
    let id = options.access_key_id.as_deref();
    let is_plain = |id: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        (1..=ID_MAX).contains(&id.len()) && id.chars().all(is_part)
    };
    match id {
        Some(id) if !is_plain(id) => {
            Err(Failure::misuse("`--access-key-id` cannot be used as given")
                .because(format!("an id has 1 to {ID_MAX} letters, digits, `.`, `_` and `-`"))
                .next("pass the id as the console shows it, as in `--access-key-id LTAI5tExample`"))
        }
        id => Ok(id),
    }
}

fn flag_of_file(options: &cli::AccessKey) -> Option<&'static str> {
    let flags = [
        (options.access_key_secret_file.is_some(), "--access-key-secret-file"),
        (options.access_key_token_file.is_some(), "--access-key-token-file"),
    ];
    flags.into_iter().find_map(|(is_given, flag)| is_given.then_some(flag))
}

/// Theirs have 16 to 24, devices' own up to 128.
const ID_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Outcome;
    use std::io::Write as _;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
        file.write_all(content.as_bytes()).expect("the disk has room");
        file
    }

    fn options(id: Option<&str>) -> cli::AccessKey {
        cli::AccessKey { access_key_id: id.map(str::to_owned), ..Default::default() }
    }

    #[test]
    fn a_file_outranks_the_environment() {
        let (secret, token) = (file("from-file\n"), file("token\r\n"));
        let surroundings =
            Secrets { secret: Some("general".into()), token: Some("general-token".into()) };
        let key = read(&options(Some("LTAI5t")), &surroundings).expect("it is one").expect("one");
        assert_eq!((&*key.id, key.secret.reveal()), ("LTAI5t", "general"));
        assert_eq!(key.token.as_ref().map(Secret::reveal), Some("general-token"));
        let named = cli::AccessKey {
            access_key_secret_file: Some(secret.path().to_owned()),
            access_key_token_file: Some(token.path().to_owned()),
            ..options(Some("LTAI5t"))
        };
        let key = read(&named, &surroundings).expect("it is one").expect("there is one");
        assert_eq!(key.secret.reveal(), "from-file");
        assert_eq!(key.token.as_ref().map(Secret::reveal), Some("token"));
        assert!(!format!("{key:?} {surroundings:?}").contains("from-file"));
        assert_eq!(read(&options(None), &surroundings), Ok(None));
    }

    #[test]
    fn halves_of_a_key_are_refused() {
        let alone =
            cli::AccessKey { access_key_secret_file: Some("secret".into()), ..options(None) };
        for (options, cause) in [
            (alone, "whose it is"),
            (options(Some("LTAI5t")), "`PRESENCE_ACCESS_KEY_SECRET`"),
            (options(Some("hunter2|x")), "letters, digits"),
            (options(Some("")), "letters, digits"),
        ] {
            let failure = read(&options, &Secrets::default()).expect_err(cause);
            assert_eq!(failure.outcome, Outcome::Misused);
            let shown = failure.to_string();
            assert!(shown.contains(cause) && !shown.contains("hunter2"), "{shown}");
        }
        let missing = cli::AccessKey {
            access_key_secret_file: Some("/nowhere/secret".into()),
            ..options(Some("LTAI5t"))
        };
        let failure = read(&missing, &Secrets::default()).expect_err("there is no file");
        assert_eq!(failure.outcome, Outcome::CouldNotAsk);
    }
}
