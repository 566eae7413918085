//! Where an API is, as typed.
//!
//! `KIND+http(s)://[USER[:PASSWORD]@]HOST[:PORT][/PREFIX][?SETTING=VALUE]`. Without a kind the port has to
//! belong to one kind alone. A cloud can be named by its region or hub:
//!
//! | typed | the same as |
//! |---|---|
//! | `aws://REGION` | `aws+https://data-ats.iot.REGION.amazonaws.com?region=REGION` |
//! | `aws://REGION?via=index` | `aws+https://iot.REGION.amazonaws.com?region=REGION&via=index` |
//! | `azure://HUB` | `azure+https://HUB.azure-devices.net` |
//! | `tencent-tdmq://REGION?instance=ID` | `tencent-tdmq+https://mqtt.tencentcloudapi.com?region=REGION&instance=ID` |
//! | `tencent-iothub://REGION` | `tencent-iothub+https://iotcloud.tencentcloudapi.com?region=REGION` |
//! | `tencent-iothub://REGION?via=explorer` | `tencent-iothub+https://iotexplorer.tencentcloudapi.com?region=REGION&via=explorer` |
//! | `aliyun://REGION?instance=ID` | `aliyun+https://onsmqtt.REGION.aliyuncs.com?region=REGION&instance=ID` |
//! | `aliyun://ID?region=REGION` | the same |
//! | `huawei://REGION?project=ID` | `huawei+https://iotda.REGION.myhuaweicloud.com?project=ID` |

use super::kind::Kind;
use crate::failure::Failure;
use crate::nearest::nearest;
use crate::secret::Secret;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// Where an API is. What prints it prints no secret: it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub kind: Kind,
    pub encrypted: bool,
    /// Host, and port where it is not that of the scheme: what the header `Host` says.
    pub authority: String,
    /// What stands before every path; without a `/` at its end.
    pub prefix: String,
    /// What followed the `?`.
    pub settings: BTreeMap<String, String>,
}

/// Who to be, as far as a URL says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInfo {
    pub user: Option<String>,
    pub password: Option<Secret>,
}

impl Address {
    /// Reads what was typed.
    ///
    /// Errors: no URL, no kind or several, a setting that this kind has not (exit 2). They show nothing
    /// that was typed before an `@`.
    pub fn read(typed: &str) -> Result<(Self, UserInfo), Failure> {
        let misuse = |cause: &str| {
            Failure::misuse("`--api` cannot be asked")
                .because(cause)
                .next("pass a URL as in `emqx5+http://broker.example`")
        };
        let Some((scheme, rest)) = typed.split_once("://") else {
            return Err(misuse("it has no `://`"));
        };
        let scheme = scheme.to_ascii_lowercase();
        let (kind, transport) = match scheme.split_once('+') {
            Some((kind, transport)) => (Some(known(kind)?), transport),
            None if matches!(&*scheme, "http" | "https") => (None, &*scheme),
            None => match known(&scheme)? {
                kind if kind.is_cloud() => return read_cloud(kind, rest, &misuse),
                kind => {
                    return Err(misuse(&format!("`{kind}` alone does not say how it is reached"))
                        .next(format!("write `{kind}+http://` or `{kind}+https://`")));
                }
            },
        };
        if !matches!(transport, "http" | "https") {
            return Err(misuse("an API is reached by `http` or `https`"));
        }
        let encrypted = transport == "https";
        let kind = match (kind, port(rest)) {
            (Some(kind), _) => kind,
            (None, port) => by_port(port, encrypted)?,
        };
        let url = Url::parse(&format!("{transport}://{rest}"))
            .map_err(|error| misuse(&error.to_string()))?;
        finish(kind, url, port(rest).is_some(), &misuse)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind, self.authority)
    }
}

fn read_cloud(
    kind: Kind,
    rest: &str,
    misuse: &impl Fn(&str) -> Failure,
) -> Result<(Address, UserInfo), Failure> {
    let (userinfo, rest) = match rest.rsplit_once('@') {
        Some((userinfo, rest)) => (format!("{userinfo}@"), rest),
        None => (String::new(), rest),
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place.trim_end_matches('/');
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if place.is_empty() || !place.chars().all(is_name) {
        return Err(misuse("after `://` stands no region or hub")
            .next(format!("write `{kind}://NAME`, or a whole URL as in `{kind}+https://HOST`")));
    }
    let query = if kind == Kind::Aliyun { by_region(place, query) } else { (place, query.into()) };
    let (place, query) = query;
    let index = query.split('&').any(|setting| setting == "via=index");
    let (host, region) = match kind {
        Kind::Aws if index => (format!("iot.{place}.amazonaws.com"), true),
        Kind::Aws => (format!("data-ats.iot.{place}.amazonaws.com"), true),
        Kind::Azure => (format!("{place}.azure-devices.net"), false),
        Kind::TencentTdmq => ("mqtt.tencentcloudapi.com".to_owned(), true),
        Kind::TencentIotHub if query.split('&').any(|setting| setting == "via=explorer") => {
            ("iotexplorer.tencentcloudapi.com".to_owned(), true)
        }
        Kind::Aliyun => (format!("onsmqtt.{place}.aliyuncs.com"), true),
        Kind::TencentIotHub => ("iotcloud.tencentcloudapi.com".to_owned(), true),
        _ => (format!("iotda.{place}.myhuaweicloud.com"), false),
    };
    let url = Url::parse(&format!("https://{userinfo}{host}?{query}"))
        .map_err(|error| misuse(&error.to_string()))?;
    let (mut address, user) = finish(kind, url, true, misuse)?;
    if region {
        address.settings.insert("region".to_owned(), place.to_owned());
    }
    Ok((address, user))
}

/// Returns region and query of an instance, of which either may be named first.
fn by_region<'a>(place: &'a str, query: &'a str) -> (&'a str, Cow<'a, str>) {
    let setting = |name: &str| {
        let find = |setting: &'a str| setting.strip_prefix(name)?.strip_prefix('=');
        query.split('&').find_map(find)
    };
    match (setting("region"), setting("instance")) {
        (Some(region), None) => (region, format!("{query}&instance={place}").into()),
        _ => (place, query.into()),
    }
}

fn finish(
    kind: Kind,
    mut url: Url,
    has_port: bool,
    misuse: &impl Fn(&str) -> Failure,
) -> Result<(Address, UserInfo), Failure> {
    let encrypted = url.scheme() == "https";
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).map_err(|_| misuse("its user or password is no UTF-8"))
    };
    let user = match take_user(&mut url) {
        None => UserInfo::default(),
        Some((user, password)) => UserInfo {
            user: Some(text(user)?).filter(|user| !user.is_empty()),
            password: password.map(text).transpose()?.map(Secret::from),
        },
    };
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err(misuse("it names no host"));
    };
    if url.fragment().is_some() {
        return Err(misuse("it has a `#`; what belongs to a name is written `%23`"));
    }
    let (plain, secure) = kind.ports();
    let port = match url.port() {
        Some(port) => Some(port),
        None if has_port => None,
        None => Some(if encrypted { secure } else { plain })
            .filter(|port| *port != if encrypted { 443 } else { 80 }),
    };
    let authority = match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let mut settings = BTreeMap::new();
    for (name, value) in url.query_pairs().filter(|(name, _)| !name.is_empty()) {
        let names = kind.settings().iter().map(|(name, _)| *name);
        if !names.clone().any(|known| known == name) {
            let failure = misuse(&format!("`{kind}` has no setting of this name"));
            let known: Vec<String> = names.clone().map(|name| format!("`{name}`")).collect();
            return Err(match nearest(&name, names) {
                Some(meant) => failure.next(format!("did you mean `{meant}`?")),
                None if known.is_empty() => failure.next("leave out what follows the `?`"),
                None => failure.next(format!("its settings are {}", known.join(", "))),
            });
        }
        settings.insert(name.into_owned(), value.into_owned());
    }
    let prefix = url.path().trim_end_matches('/').to_owned();
    Ok((Address { kind, encrypted, authority, prefix, settings }, user))
}

/// Takes user and password out of a URL, and undoes their percent-encoding.
pub fn take_user(url: &mut Url) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = (decode(url.username()), url.password().map(decode));
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(pair)
}

fn known(name: &str) -> Result<Kind, Failure> {
    if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) {
        return Ok(kind);
    }
    // A name that is far from all may be a part of a secret, typed without what belongs before it.
    let names = Kind::ALL.map(Kind::name);
    let failure = Failure::misuse("`--api` names a kind that is not known");
    Err(match nearest(name, names.into_iter()) {
        Some(meant) => {
            failure.because(format!("`{name}` is none")).next(format!("did you mean `{meant}`?"))
        }
        None => failure
            .because("what stands before `://` is none")
            .next(format!("take one of {}", names.join(", "))),
    })
}

/// Returns the port that was typed; the standard's own parser forgets those of the scheme.
fn port(rest: &str) -> Option<u16> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host.rsplit_once(':')?;
    let is_address = host.starts_with('[') && !host.ends_with(']');
    if is_address { None } else { port.parse().ok() }
}

/// Returns the only kind with this port: what answers there is never guessed.
fn by_port(port: Option<u16>, encrypted: bool) -> Result<Kind, Failure> {
    let of = |kind: Kind| if encrypted { kind.ports().1 } else { kind.ports().0 };
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| !kind.is_cloud() && port.is_none_or(|port| of(*kind) == port))
        .collect();
    if let (Some(_), [kind]) = (port, &kinds[..]) {
        return Ok(*kind);
    }
    let failure = Failure::misuse("`--api` does not say whose API it is");
    let named = |kinds: &[Kind]| {
        let typed: Vec<String> = kinds.iter().map(|kind| format!("`{kind}+http://`")).collect();
        typed.join(", ")
    };
    Err(match port {
        Some(port) if !kinds.is_empty() => failure
            .because(format!("port {port} is that of several kinds"))
            .next(format!("name yours: {}", named(&kinds))),
        Some(port) => failure
            .because(format!("port {port} is that of no kind"))
            .next(format!("name yours: {}", named(&Kind::ALL))),
        None => failure
            .because("neither a kind nor a port is named")
            .next(format!("name yours: {}", named(&Kind::ALL))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> Result<(Address, UserInfo), String> {
        Address::read(typed).map_err(|failure| {
            assert_eq!(failure.outcome.code(), 2, "{typed}");
            failure.to_string()
        })
    }

    #[test]
    fn what_is_typed_becomes_an_address() {
        for (typed, kind, authority, prefix) in [
            ("emqx5+http://h", Kind::Emqx5, "h:18083", ""),
            ("EMQX5+HTTP://H:80/x/", Kind::Emqx5, "h", "/x"),
            ("emqx5+https://h:443", Kind::Emqx5, "h", ""),
            ("emqx5+https://h", Kind::Emqx5, "h:18084", ""),
            ("http://h:18083", Kind::Emqx5, "h:18083", ""),
            ("https://h:15671", Kind::RabbitMq, "h:15671", ""),
            ("http://[::1]:6060/a/b", Kind::Rmqtt, "[::1]:6060", "/a/b"),
            ("nats+http://[::1]", Kind::Nats, "[::1]:8222", ""),
            ("aws+https://e.example", Kind::Aws, "e.example", ""),
            ("aws://eu-west-1", Kind::Aws, "data-ats.iot.eu-west-1.amazonaws.com", ""),
            ("aws://eu-west-1?via=index", Kind::Aws, "iot.eu-west-1.amazonaws.com", ""),
            (
                "aliyun://cn-hangzhou?instance=i",
                Kind::Aliyun,
                "onsmqtt.cn-hangzhou.aliyuncs.com",
                "",
            ),
            ("aliyun://i?region=cn-hangzhou", Kind::Aliyun, "onsmqtt.cn-hangzhou.aliyuncs.com", ""),
            ("aliyun+http://h:1?instance=i", Kind::Aliyun, "h:1", ""),
            ("azure://hub-1", Kind::Azure, "hub-1.azure-devices.net", ""),
        ] {
            let (address, _) = read(typed).unwrap_or_else(|failure| panic!("{typed}: {failure}"));
            assert_eq!(
                (address.kind, &*address.authority, &*address.prefix),
                (kind, authority, prefix),
                "{typed}"
            );
        }
    }

    #[test]
    fn settings_and_users_are_taken_apart() {
        let (address, user) = read("aws://me:p%40ss@eu-west-1?via=index").expect("is one");
        assert_eq!(user.user.as_deref(), Some("me"));
        assert_eq!(user.password.as_ref().map(Secret::reveal), Some("p@ss"));
        let settings: Vec<_> = address.settings.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(settings, [("region", "eu-west-1"), ("via", "index")]);
        for typed in [
            "aliyun://k@cn-hangzhou?instance=i&via=batch",
            "aliyun://k@i?region=cn-hangzhou&via=batch",
        ] {
            let (address, user) = read(typed).expect("is one");
            let settings: Vec<_> = address.settings.iter().map(|(k, v)| (&**k, &**v)).collect();
            let expected = [("instance", "i"), ("region", "cn-hangzhou"), ("via", "batch")];
            assert_eq!(
                (&settings[..], user.user.as_deref()),
                (&expected[..], Some("k")),
                "{typed}"
            );
        }
        let (address, _) = read("bifromq+http://h?tenant=a%26b&user=u").expect("is one");
        assert_eq!(address.settings.get("tenant").map(String::as_str), Some("a&b"));
    }

    #[test]
    fn user_and_password_leave_a_url() {
        let mut url = Url::parse("https://me:p%40ss@Hooks.example:8443/a?token=t").expect("is one");
        assert_eq!(take_user(&mut url), Some((b"me".to_vec(), Some(b"p@ss".to_vec()))));
        assert_eq!(url.as_str(), "https://hooks.example:8443/a?token=t");
        assert_eq!(take_user(&mut url), None);
    }

    #[test]
    fn nothing_is_guessed() {
        for (typed, cause) in [
            ("http://h", "neither a kind nor a port"),
            ("http://h:8081", "`emqx4+http://`, `nanomq+http://`"),
            ("http://h:8888", "`hivemq+http://`, `vernemq+http://`"),
            ("https://h:8161", "`activemq+http://`, `artemis+http://`"),
            ("http://h:1234", "port 1234 is that of no kind"),
            ("http://h:80", "port 80 is that of no kind"),
            ("emqx5://h", "`emqx5+http://`"),
            ("rabitmq+http://h", "did you mean `rabbitmq`?"),
            ("emqx5+ftp://h", "by `http` or `https`"),
            ("h:18083", "no `://`"),
            ("emqx5+http://", "empty host"),
            ("emqx5+http://h?tenant=a", "no setting of this name"),
            ("bifromq+http://h?tenent=a", "did you mean `tenant`?"),
            ("emqx5+http://h#a", "`%23`"),
            ("aws://", "no region or hub"),
            ("aws://eu west", "no region or hub"),
        ] {
            let failure = read(typed).expect_err(typed);
            assert!(failure.contains(cause), "{typed}: {failure}");
        }
    }

    #[test]
    fn failures_show_no_password() {
        for typed in [
            "http://me:hunter2@h",
            "hunter2+http://me:hunter2@h",
            "emqx5+http://me:hunter2@",
            "emqx5+http://me:hunter2@h:99999",
            "aws://me:hunter2@",
            "emqx5+http://me:hunter2@h?hunter2=1",
        ] {
            let failure = read(typed).expect_err(typed);
            assert!(!failure.contains("hunter2"), "{failure}");
        }
    }
}
