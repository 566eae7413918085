//! What this machine and a stranger's broker can be asked to bear.

use super::agenda::Outline;
use crate::failure::Failure;
use crate::output::number::{counted, grouped};
use crate::simulate::fleet::{Conduct, Fleet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Connects per second that a broker on a public address is asked for without `--yes-load`.
pub const PUBLIC_RATE_MAX: u32 = 50;
const PUBLIC_DEVICES_MAX: u32 = 500;
/// Messages per second that it is sent without it.
pub const PUBLIC_MESSAGES_MAX: u64 = 1_000;

/// Returns the first address that is neither on this machine nor in a private network.
pub fn public(addresses: &[IpAddr]) -> Option<IpAddr> {
    addresses.iter().copied().find(|address| !is_private(address.to_canonical()))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4 == Ipv4Addr::UNSPECIFIED
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6 == Ipv6Addr::UNSPECIFIED
        }
    }
}

/// Refuses what a broker on a public address was not asked about.
pub fn guard(outline: &Outline, fleet: &Fleet, address: IpAddr) -> Result<(), Failure> {
    let messages = messages_per_second(outline.devices, fleet);
    let too_much = [
        (outline.rate > PUBLIC_RATE_MAX).then(|| {
            let rate = grouped(outline.rate.into());
            (format!("{rate} connects per second"), format!("at most `--rate {PUBLIC_RATE_MAX}`"))
        }),
        (outline.devices > PUBLIC_DEVICES_MAX).then(|| {
            let next = format!("at most `--count {PUBLIC_DEVICES_MAX}`");
            (counted(outline.devices.into(), "device"), next)
        }),
        (messages > PUBLIC_MESSAGES_MAX).then(|| {
            let next = "a longer `--publish-every`".to_owned();
            (format!("{} per second", counted(messages, "message")), next)
        }),
    ];
    let Some((what, next)) = too_much.into_iter().flatten().next() else { return Ok(()) };
    Err(Failure::misuse(format!("{what} for {}", fleet.connection.broker))
        .because(not_yours(address))
        .next(format!("pass {next}, or `--yes-load` if whoever runs it agrees")))
}

/// Says why a broker at this address is not put under load unasked.
pub fn not_yours(address: IpAddr) -> String {
    format!(
        "{address} is neither on this machine nor in a private network, and its broker may not be yours \
         to put under load"
    )
}

fn messages_per_second(devices: u32, fleet: &Fleet) -> u64 {
    let of = |conduct: &Conduct, devices: u32| {
        conduct.traffic.as_ref().map_or(0, |traffic| {
            let every_ms = u64::try_from(traffic.every.as_millis()).unwrap_or(u64::MAX).max(1);
            (u64::from(devices) * 1000).div_ceil(every_ms)
        })
    };
    let next = fleet.groups.iter().skip(1).map(|group| group.first).chain([devices]);
    let groups = fleet.groups.iter().zip(next);
    match fleet.groups.first() {
        Some(_) => {
            groups.map(|(group, next)| of(&group.conduct, next.saturating_sub(group.first))).sum()
        }
        None => of(&fleet.conduct, devices),
    }
}

/// Returns the files that a run opens beside its connections' own.
pub const FILES_BESIDE: u64 = 64;

/// Refuses more connections than this process may open files. `soft` is the limit after it was raised
/// as far as it goes.
pub fn check_files(connections: u64, soft: u64) -> Result<(), Failure> {
    let needed = connections.saturating_add(FILES_BESIDE);
    if needed <= soft {
        return Ok(());
    }
    Err(Failure::misuse(format!(
        "{} need more files than may be open",
        counted(connections, "connection")
    ))
    .because(format!(
        "each connection is a file: {} are needed, and the hard limit is {}",
        grouped(needed),
        grouped(soft)
    ))
    .next(format!(
        "raise it: `ulimit -Hn {needed}` as root, `nofile` in /etc/security/limits.conf, \
             `LimitNOFILE={needed}` in a unit of systemd; or pass at most `--count {}`",
        soft.saturating_sub(FILES_BESIDE)
    )))
}

/// Refuses more connections than there is memory for. `available` is in bytes.
pub fn check_memory(connections: u64, available: u64) -> Result<(), Failure> {
    let needed = connections.saturating_mul(BYTES_EACH);
    if needed <= available {
        return Ok(());
    }
    let mib = |bytes: u64| grouped(bytes.div_ceil(1 << 20));
    Err(Failure::misuse(format!(
        "{} need more memory than this machine has left",
        counted(connections, "connection")
    ))
    .because(format!(
        "they need about {} MiB with what the system keeps for each, and {} MiB are available",
        mib(needed),
        mib(available)
    ))
    .next(format!(
        "pass at most `--count {}`, or split the run over machines with `--shard`",
        available / BYTES_EACH
    )))
}

/// A device, and what the system keeps for its socket.
const BYTES_EACH: u64 = 8 << 10;

/// Returns the addresses to connect from: those that were given; else, to a broker on this machine, as
/// many of the machine's own as have the ports. `range` are the ports of one address.
pub fn sources(given: &[IpAddr], is_loopback: bool, connections: u64, range: u64) -> Vec<IpAddr> {
    // Ports of a run before may not be free again yet.
    let usable = (range / 2).max(1);
    if !given.is_empty() || !is_loopback || connections <= usable {
        return given.to_vec();
    }
    let count = u32::try_from(connections.div_ceil(usable)).unwrap_or(u32::MAX).min(SOURCES_MAX);
    let first = u32::from(Ipv4Addr::LOCALHOST);
    (0..count).map(|number| Ipv4Addr::from_bits(first + number).into()).collect()
}

/// All of 127.0.0.0/8 is this machine; more than these nobody needs.
const SOURCES_MAX: u32 = 1_000;

/// Refuses more connections than there are ports to connect from. `range` are those of one address.
pub fn check_ports(connections: u64, range: u64, addresses: u64) -> Result<(), Failure> {
    let ports = range.saturating_mul(addresses.max(1));
    if connections <= ports {
        return Ok(());
    }
    Err(Failure::misuse(format!(
        "{} need more ports than there are",
        counted(connections, "connection")
    ))
    .because(format!(
        "each connection to a broker needs a port of its own on this side, and there are {} on {}",
        grouped(ports),
        match addresses {
            0 | 1 => "one address".to_owned(),
            several => format!("{} addresses", grouped(several)),
        }
    ))
    .next(
        "widen the range with `sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"`, or connect \
             from several addresses, as in `--bind-address 127.0.0.2 --bind-address 127.0.0.3`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_networks_and_this_machine_are_told_from_the_rest() {
        for (address, expected) in [
            ("127.0.0.1", false),
            ("127.8.9.1", false),
            ("::1", false),
            ("0.0.0.0", false),
            ("::ffff:127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.168.0.1", false),
            ("169.254.1.1", false),
            ("fe80::1", false),
            ("fd12::1", false),
            ("8.8.8.8", true),
            ("::ffff:8.8.8.8", true),
            ("2606:4700::1111", true),
            ("100.64.0.1", true),
        ] {
            let address: IpAddr = address.parse().expect("it is an address");
            assert_eq!(public(&[address]).is_some(), expected, "{address}");
        }
        let mixed = ["10.0.0.1", "1.1.1.1"].map(|text| text.parse().expect("it is an address"));
        assert_eq!(public(&mixed), Some(mixed[1]), "one that is public is enough");
        assert_eq!(public(&[]), None);
    }

    #[test]
    fn a_machine_lends_its_own_addresses_to_those_who_need_them() {
        let given = ["192.0.2.1".parse().expect("it is an address")];
        assert_eq!(sources(&given, true, 1_000_000, 28_232), given);
        assert_eq!(sources(&[], false, 1_000_000, 28_232), [] as [IpAddr; 0]);
        assert_eq!(sources(&[], true, 10_000, 28_232), [] as [IpAddr; 0]);
        let many = sources(&[], true, 100_000, 28_232);
        let [first, .., last] = &many[..] else { panic!("{many:?}") };
        assert_eq!((first.to_string(), last.to_string()), ("127.0.0.1".into(), "127.0.0.8".into()));
        assert_eq!(sources(&[], true, u64::MAX, 1).len(), 1_000);
    }

    #[test]
    fn what_this_machine_cannot_bear_is_said_with_what_to_raise() {
        assert_eq!(check_files(960, 1_024), Ok(()));
        let failure = check_files(10_000, 4_096).expect_err("it is too much").to_string();
        for word in ["10,064 are needed", "4,096", "ulimit", "limits.conf", "LimitNOFILE=10064"] {
            assert!(failure.contains(word), "{word}: {failure}");
        }
        assert_eq!(check_ports(28_232, 28_232, 0), Ok(()));
        assert_eq!(check_ports(50_000, 28_232, 2), Ok(()));
        let failure = check_ports(28_233, 28_232, 1).expect_err("it is too much").to_string();
        for word in ["28,232 on one address", "sysctl", "--bind-address"] {
            assert!(failure.contains(word), "{word}: {failure}");
        }
        assert_eq!(check_memory(1_000, 8_192_000), Ok(()));
        let failure = check_memory(1_000_000, 1 << 30).expect_err("it is too much").to_string();
        for word in ["7,813 MiB", "1,024 MiB are available", "--count 131072", "--shard"] {
            assert!(failure.contains(word), "{word}: {failure}");
        }
        assert_eq!(check_memory(u64::MAX, u64::MAX), Ok(()));
        assert!(check_files(u64::MAX, 1).is_err());
        assert_eq!(check_ports(1, u64::MAX, u64::MAX), Ok(()));
    }
}
