//! Under which addresses others reach this hall.
//!
//! What the configuration says others dial, or else what this hall listens on, less what nobody else can dial.
//! A machine's interfaces come up one after the other: one word is spread about all of them, when they have settled.

use std::collections::BTreeSet;
use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::config::ADDRESSES_MAX;

/// Milliseconds without a change after which the addresses are made known.
const SETTLE_MS: u64 = 300;

/// The addresses of this hall.
pub(crate) struct Reach {
    advertise: Vec<Multiaddr>,
    /// The interfaces that the configuration names: what is named is meant, loopback too.
    named: BTreeSet<IpAddr>,
    open: Vec<Multiaddr>,
    due: Option<u64>,
}

impl Reach {
    /// From what is configured.
    pub(crate) fn new(listen: &[Multiaddr], advertise: Vec<Multiaddr>) -> Self {
        Self { advertise, named: listen.iter().filter_map(ip).collect(), open: Vec::new(), due: None }
    }

    /// A port is open.
    pub(crate) fn opened(&mut self, address: Multiaddr, now: u64) {
        if !self.open.contains(&address) {
            self.open.push(address);
            self.due = Some(now.saturating_add(SETTLE_MS));
        }
    }

    /// A port is closed.
    pub(crate) fn closed(&mut self, address: &Multiaddr, now: u64) {
        if self.open.contains(address) {
            self.open.retain(|open| open != address);
            self.due = Some(now.saturating_add(SETTLE_MS));
        }
    }

    /// What is listened on, for people.
    pub(crate) fn listening(&self) -> Vec<String> {
        texts(self.open.iter())
    }

    /// Ticks at which [`Reach::settled`] has something to say.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due
    }

    /// The addresses to make known, once after each change. Nothing if nobody could dial any of them: then what
    /// others know stays, as for a machine that starts before its network.
    pub(crate) fn settled(&mut self, now: u64) -> Option<Vec<String>> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        let addresses = texts(self.dialled());
        if addresses.is_empty() {
            tracing::warn!("no other hall can dial an address of this one; set `advertise`");
        }
        Some(addresses).filter(|addresses| !addresses.is_empty())
    }

    fn dialled(&self) -> impl Iterator<Item = &Multiaddr> {
        let found = self.open.iter().filter(|address| ip(address).is_some_and(|ip| self.is_dialled(ip)));
        let found = found.filter(|_| self.advertise.is_empty());
        self.advertise.iter().chain(found).take(ADDRESSES_MAX)
    }

    fn is_dialled(&self, ip: IpAddr) -> bool {
        !ip.is_unspecified() && (self.named.contains(&ip) || !(ip.is_loopback() || is_link_local(ip)))
    }
}

fn texts<'a>(addresses: impl Iterator<Item = &'a Multiaddr>) -> Vec<String> {
    addresses.map(ToString::to_string).collect()
}

fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => Some(ip.into()),
        Some(Protocol::Ip6(ip)) => Some(ip.into()),
        _other => None,
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAN: &str = "/ip4/10.2.0.5/tcp/6207";
    const LOOPBACK: &str = "/ip4/127.0.0.1/tcp/6207";

    fn reach(listen: &[&str], advertise: &[&str]) -> Reach {
        let parsed = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        Reach::new(&parsed(listen), parsed(advertise))
    }

    fn told(mut reach: Reach, open: &[&str]) -> Option<Vec<String>> {
        for address in open {
            reach.opened(address.parse().unwrap(), 0);
        }
        reach.settled(SETTLE_MS)
    }

    #[test]
    fn the_interfaces_of_a_machine_are_made_known_once_and_together() {
        let mut reach = reach(&["/ip4/0.0.0.0/tcp/6207"], &[]);
        assert_eq!(reach.due(), None);
        reach.opened(LOOPBACK.parse().unwrap(), 1_000);
        reach.opened(LAN.parse().unwrap(), 1_100);
        assert_eq!(reach.settled(1_100 + SETTLE_MS - 1), None);
        assert_eq!(
            (reach.due(), reach.settled(1_100 + SETTLE_MS)),
            (Some(1_400), Some(vec![LAN.to_owned()]))
        );
        assert_eq!((reach.due(), reach.settled(9_999)), (None, None));
        reach.opened(LAN.parse().unwrap(), 10_000);
        assert_eq!(reach.due(), None);
        assert_eq!(reach.listening(), [LOOPBACK, LAN]);
    }

    #[test]
    fn what_only_this_machine_or_its_cable_can_dial_is_made_known_only_if_it_is_configured() {
        let local = [LOOPBACK, "/ip6/::1/tcp/6207", "/ip4/169.254.3.4/tcp/6207", "/ip6/fe80::1/tcp/6207"];
        assert_eq!(told(reach(&["/ip4/0.0.0.0/tcp/6207", "/ip6/::/tcp/6207"], &[]), &local), None);
        for address in local {
            assert_eq!(told(reach(&[address], &[]), &local), Some(vec![address.to_owned()]));
        }
        assert_eq!(told(reach(&["/ip4/127.0.0.1/tcp/0"], &[]), &[LOOPBACK]), Some(vec![LOOPBACK.to_owned()]));
    }

    #[test]
    fn the_configured_addresses_count_and_no_others() {
        let outside = "/ip4/192.0.2.7/tcp/6207";
        let told = told(reach(&["/ip4/0.0.0.0/tcp/6207"], &[outside]), &[LAN]);
        assert_eq!(told, Some(vec![outside.to_owned()]));
    }

    #[test]
    fn a_hall_has_at_most_so_many_addresses() {
        let many: Vec<String> = (0..20).map(|host| format!("/ip4/10.0.0.{host}/tcp/6207")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let told = told(reach(&["/ip4/0.0.0.0/tcp/6207"], &[]), &many).unwrap();
        assert_eq!(told, many[..ADDRESSES_MAX]);
    }

    #[test]
    fn an_interface_that_goes_down_is_no_longer_made_known() {
        let other = "/ip4/10.9.9.9/tcp/6207";
        let mut reach = reach(&["/ip4/0.0.0.0/tcp/6207"], &[]);
        reach.opened(LAN.parse().unwrap(), 0);
        reach.opened(other.parse().unwrap(), 0);
        reach.settled(SETTLE_MS).unwrap();
        reach.closed(&LAN.parse().unwrap(), 1_000);
        assert_eq!(reach.settled(1_000 + SETTLE_MS), Some(vec![other.to_owned()]));
        reach.closed(&LAN.parse().unwrap(), 2_000);
        assert_eq!(reach.due(), None);
    }
}
