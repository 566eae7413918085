//! Addresses of clients without their ports, and the networks they are in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Reads `10.0.3.4:5001`, `[2001:db8::1]:5001`, the same without a port, and what some logs make of it
/// (`2001:db8::1:5001` is taken as an address). Returns `None` for anything else.
#[must_use]
pub fn read(text: &str) -> Option<IpAddr> {
    if let Some(address) = read_v4(text.as_bytes()) {
        return Some(IpAddr::V4(address));
    }
    let address = if let Ok(socket) = text.parse::<SocketAddr>() {
        socket.ip()
    } else if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        address
    } else {
        text.rsplit_once(':')?.0.trim_matches(['[', ']']).parse().ok()?
    };
    Some(address.to_canonical())
}

/// Reads an address of IPv4 with or without a port, as nearly all are written; `None` if there is anything else
/// to it. Many are read, and this is quicker than to be exact.
fn read_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut rest = text;
    let mut octets = [0; 4];
    for (at, octet) in octets.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let (number, others) = read_number::<3>(rest)?;
        *octet = u8::try_from(number).ok()?;
        rest = others;
    }
    if let Some(port) = rest.strip_prefix(b":") {
        let (port, others) = read_number::<5>(port)?;
        u16::try_from(port).ok()?;
        rest = others;
    }
    rest.is_empty().then(|| Ipv4Addr::from(octets))
}

/// Reads a decimal number of at most so many digits, without zeros before it.
fn read_number<const DIGITS: usize>(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    let is_usual = count == 1 || digits.first().is_some_and(|first| *first != b'0');
    let number = digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'));
    is_usual.then_some((number, rest))
}

/// An address in the words of one of IPv6, as it is copied for each change: what was written byte by byte is
/// long in coming when it is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    network: u64,
    host: u64,
}

/// What is above the bits of an address of IPv4.
const MAPPED: u64 = 0xffff << u32::BITS;

impl Address {
    /// Returns the number of an address that was [read].
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self { network: 0, host: MAPPED | u64::from(address.to_bits()) },
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
                let host = bits as u64;
                Self { network: (bits >> HOST_BITS_V6) as u64, host }
            }
        }
    }

    #[must_use]
    pub fn ip(self) -> IpAddr {
        let bits = u128::from(self.network) << HOST_BITS_V6 | u128::from(self.host);
        IpAddr::from(bits.to_be_bytes()).to_canonical()
    }

    #[must_use]
    pub const fn subnet(self) -> Subnet {
        if self.network == 0 && self.host >> u32::BITS == MAPPED >> u32::BITS {
            Subnet { bits: (self.host ^ MAPPED) >> HOST_BITS_V4, is_v6: false }
        } else {
            Subnet { bits: self.network, is_v6: true }
        }
    }
}

/// A network of 24 bits of IPv4 or 64 bits of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subnet {
    bits: u64,
    is_v6: bool,
}

/// Bits of an address beside those of its network.
const HOST_BITS_V4: u32 = 8;
const HOST_BITS_V6: u32 = 64;

impl Subnet {
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Address::of(address).subnet()
    }

    /// Returns it as `10.0.3.0/24` or `2001:db8::/64`.
    #[must_use]
    pub fn text(self) -> String {
        let Self { bits, is_v6 } = self;
        if is_v6 {
            format!("{}/64", IpAddr::from((u128::from(bits) << HOST_BITS_V6).to_be_bytes()))
        } else {
            let [.., a, b, c] = bits.to_be_bytes();
            format!("{}/24", IpAddr::from([a, b, c, 0]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_quickly_is_the_same() {
        let mut quick = 0;
        for seed in 0..20_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let number = |rng: &mut fastrand::Rng| match rng.u8(..20) {
                0 => "01".to_owned(),
                1 => String::new(),
                2 => "256".to_owned(),
                3 => rng.u32(..99_999).to_string(),
                _ => rng.u8(..).to_string(),
            };
            let octets: Vec<String> = (0..4).map(|_| number(&mut rng)).collect();
            let mut text = octets.join(".");
            if rng.bool() {
                text = format!("{text}:{}", rng.u32(..70_000));
            }
            if rng.u8(..20) == 0 {
                text.push([':', ' ', '.', '1'][rng.usize(..4)]);
            }
            let Some(found) = read_v4(text.as_bytes()) else { continue };
            quick += 1;
            let socket = text.parse::<SocketAddr>().map(|socket| socket.ip());
            assert_eq!(
                socket.ok().or_else(|| text.parse().ok()),
                Some(IpAddr::V4(found)),
                "{text}"
            );
        }
        assert!(quick > 5_000, "{quick}");
    }

    #[test]
    fn ports_are_left_out_and_networks_are_of_usual_size() {
        for (text, address, subnet) in [
            ("10.0.3.4:5001", "10.0.3.4", "10.0.3.0/24"),
            ("10.0.3.4", "10.0.3.4", "10.0.3.0/24"),
            ("[2001:db8:1:2::7]:5001", "2001:db8:1:2::7", "2001:db8:1:2::/64"),
            ("[2001:db8::7]", "2001:db8::7", "2001:db8::/64"),
            ("::ffff:10.0.3.4", "10.0.3.4", "10.0.3.0/24"),
            ("10.0.3.4:port", "10.0.3.4", "10.0.3.0/24"),
        ] {
            let read = read(text).expect("it is an address");
            assert_eq!(Address::of(read).ip(), read);
            assert_eq!(
                (read.to_string(), Subnet::of(read).text()),
                (address.into(), subnet.into())
            );
        }
        for text in ["", ":", "gateway-7:80", "10.0.3", "[]", "泵:1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
