//! Where figures may be fetched, and by whom.

use crate::cli::watch::Metrics;
use crate::failure::Failure;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Reads where to serve figures, `None` where nobody asked for it.
///
/// Errors: what is no address; one that other machines reach, unless that was asked for (exit 2).
pub fn address(options: &Metrics) -> Result<Option<SocketAddr>, Failure> {
    let Some(typed) = &options.metrics else {
        let alone = [
            (options.metrics_public, "--metrics-public"),
            (!options.metrics_client.is_empty(), "--metrics-client"),
        ];
        return match alone.into_iter().find(|(given, _)| *given) {
            Some((_, flag)) => Err(Failure::misuse(format!("`{flag}` without `--metrics`"))
                .because("nothing serves figures")
                .next("add `--metrics 127.0.0.1:9464`")),
            None => Ok(None),
        };
    };
    let address = read(typed).ok_or_else(|| {
        Failure::misuse(format!("`--metrics {}` is no address", typed.escape_debug()))
            .because("an IP address with a port is needed, or a port alone")
            .next("write it as in `--metrics 127.0.0.1:9464`")
    })?;
    if address.ip().is_loopback() || options.metrics_public {
        Ok(Some(address))
    } else {
        Err(Failure::misuse(format!("`--metrics {address}` can be reached by other machines"))
            .because("whoever reaches the port can read the figures")
            .next("listen on 127.0.0.1, or add `--metrics-public`"))
    }
}

/// Names are not looked up, but for the one that means this machine.
pub(super) fn read(typed: &str) -> Option<SocketAddr> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if let Ok(port) = typed.parse() {
        return Some(SocketAddr::new(loopback, port));
    }
    match typed.strip_prefix("localhost:") {
        Some(port) => Some(SocketAddr::new(loopback, port.parse().ok()?)),
        None => typed.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(address: Option<&str>) -> Metrics {
        let metrics = address.map(str::to_owned);
        Metrics { metrics, metrics_public: false, metrics_client: Vec::new() }
    }

    #[test]
    fn every_way_to_write_an_address_of_this_machine_is_read() {
        for (typed, expected) in [
            ("9464", "127.0.0.1:9464"),
            ("0", "127.0.0.1:0"),
            ("localhost:9464", "127.0.0.1:9464"),
            ("127.0.0.2:1", "127.0.0.2:1"),
            ("[::1]:9464", "[::1]:9464"),
        ] {
            let read = address(&options(Some(typed))).expect(typed).expect("it was given");
            assert_eq!(read.to_string(), expected);
        }
        assert_eq!(address(&options(None)), Ok(None));
    }

    #[test]
    fn what_others_can_reach_must_be_asked_for() {
        for typed in ["0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464"] {
            let mut options = options(Some(typed));
            let failure = address(&options).expect_err(typed);
            assert!(failure.next.expect("there is").contains("--metrics-public"));
            options.metrics_public = true;
            assert!(address(&options).is_ok_and(|address| address.is_some()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for typed in
            ["", ":9464", "localhost", "127.0.0.1", "65536", "metrics.example:9464", "\x1b"]
        {
            let failure = address(&options(Some(typed))).expect_err(typed);
            assert_eq!(failure.outcome.code(), 2);
        }
        let mut alone = options(None);
        alone.metrics_client.push("pump-*".to_owned());
        assert!(address(&alone).is_err());
    }
}
