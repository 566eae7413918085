//! Addresses of clients without their ports, and the networks they are in.

use std::net::{IpAddr, SocketAddr};

/// Reads `10.0.3.4:5001`, `[2001:db8::1]:5001`, the same without a port, and what some logs make of it
/// (`2001:db8::1:5001` is taken as an address). Returns `None` for anything else.
#[must_use]
pub fn read(text: &str) -> Option<IpAddr> {
    let address = if let Ok(socket) = text.parse::<SocketAddr>() {
        socket.ip()
    } else if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        address
    } else {
        text.rsplit_once(':')?.0.trim_matches(['[', ']']).parse().ok()?
    };
    Some(address.to_canonical())
}

/// An address in the words of one of IPv6, as it is copied for each change: what was written byte by byte is
/// long in coming when it is read as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    network: u64,
    host: u64,
}

/// What is above the bits of an address of IPv4.
const MAPPED: u64 = 0xffff << u32::BITS;

impl Address {
    /// Returns the number of an address that was [read](read).
    pub(super) fn of(address: IpAddr) -> Self {
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

    pub(super) fn ip(self) -> IpAddr {
        let bits = u128::from(self.network) << HOST_BITS_V6 | u128::from(self.host);
        IpAddr::from(bits.to_be_bytes()).to_canonical()
    }

    pub(super) const fn subnet(self) -> Subnet {
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
