//! How often each source address came within a window.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use tokio::time::Instant;

use super::{alarm::after, limits::ADDRESSES_COUNTED_MAX};

/// A count for each source address that starts again with each window.
pub(super) struct Rates {
    window: Duration,
    limit: u32,
    ends: Option<Instant>,
    counts: BTreeMap<IpAddr, u32>,
}

impl Rates {
    pub(super) fn new(window: Duration, limit: u32) -> Self {
        Self { window, limit, ends: None, counts: BTreeMap::new() }
    }

    /// Counts one arrival; whether it is within the limit.
    pub(super) fn admit(&mut self, now: Instant, address: &Multiaddr) -> bool {
        if self.ends.is_none_or(|ends| ends <= now) {
            self.counts.clear();
            self.ends = Some(after(now, self.window));
        }
        let source = source(address);
        if !self.counts.contains_key(&source) && self.counts.len() >= ADDRESSES_COUNTED_MAX {
            return false;
        }
        let count = self.counts.entry(source).or_default();
        *count = count.saturating_add(1);
        *count <= self.limit
    }
}

/// The source as one subscriber: an IPv4 address, or the /64 prefix of an IPv6 one.
fn source(address: &Multiaddr) -> IpAddr {
    for part in address {
        if let Protocol::Ip4(ip) = part {
            return IpAddr::V4(ip);
        } else if let Protocol::Ip6(ip) = part {
            let [a, b, c, d, ..] = ip.segments();
            return IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0));
        }
    }
    IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_source_has_its_own_count_and_a_new_window_forgets() {
        let start = Instant::now();
        let mut rates = Rates::new(Duration::from_secs(10), 2);
        let one = address("/ip4/10.0.0.1/tcp/1");
        let same_house = ["/ip6/fd00::1/tcp/1", "/ip6/fd00::2/tcp/1", "/ip6/fd00::3/tcp/1"].map(address);
        assert!(rates.admit(start, &one));
        assert!(rates.admit(start, &address("/ip4/10.0.0.1/tcp/2")));
        assert!(!rates.admit(start, &one));
        assert_eq!(same_house.map(|a| rates.admit(start, &a)), [true, true, false]);
        assert!(rates.admit(start + Duration::from_secs(10), &one));
    }

    #[test]
    fn a_full_table_refuses_new_sources_and_keeps_the_known() {
        let start = Instant::now();
        let mut rates = Rates::new(Duration::from_secs(10), 9);
        for n in 0..u32::try_from(ADDRESSES_COUNTED_MAX).unwrap() {
            let ip = Ipv4Addr::from_bits(n);
            assert!(rates.admit(start, &address(&format!("/ip4/{ip}/tcp/1"))));
        }
        assert!(!rates.admit(start, &address("/ip4/250.0.0.1/tcp/1")));
        assert!(rates.admit(start, &address("/ip4/0.0.0.1/tcp/1")));
    }
}
