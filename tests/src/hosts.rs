//! Machines of their own for halls: network namespaces on one switch, where this machine lets itself be asked for
//! them.

use std::net::Ipv4Addr;
use std::process::Command;

use hallmesh::config::Config;
use hallmesh::demo::{Control, Doing, Member};
use hallmesh::ops::Problem;

use crate::processes::Processes;

const PORT: u16 = 6207;

/// A switch and the hosts on it; gone with the value.
#[derive(Debug)]
pub struct Hosts {
    /// What their names begin with: those of two tests differ.
    name: String,
    net: [u8; 2],
    /// Hosts so far.
    count: u8,
}

impl Hosts {
    /// A switch without hosts. The error says why this machine does not allow it.
    pub fn new() -> Result<Self, String> {
        let id = hallmesh::home::chance().next_u64().to_le_bytes();
        let hosts = Self { name: format!("hm{:02x}{:02x}", id[0], id[1]), net: [id[0], id[1]], count: 0 };
        ip(&["netns", "add", &hosts.name])?;
        ip_at(&hosts.name, &["link", "add", "switch", "type", "bridge"])?;
        ip_at(&hosts.name, &["link", "set", "switch", "up"])?;
        Ok(hosts)
    }

    /// A further host on the switch, with its address.
    pub fn add(&mut self) -> Result<(String, Ipv4Addr), String> {
        self.count += 1;
        let (host, cable) =
            (format!("{}-{}", self.name, self.count), format!("{}c{}", self.name, self.count));
        let address = Ipv4Addr::new(10, self.net[0], self.net[1], self.count);
        ip(&["netns", "add", &host])?;
        ip(&[
            "link", "add", &cable, "netns", &self.name, "type", "veth", "peer", "name", "eth0", "netns",
            &host,
        ])?;
        ip_at(&self.name, &["link", "set", &cable, "master", "switch"])?;
        ip_at(&self.name, &["link", "set", &cable, "up"])?;
        ip_at(&host, &["addr", "add", &format!("{address}/24"), "dev", "eth0"])?;
        ip_at(&host, &["link", "set", "eth0", "up"])?;
        ip_at(&host, &["link", "set", "lo", "up"])?;
        Ok((host, address))
    }

    /// Pulls the cable of the host that was added at a place, counted from 0, or plugs it in.
    pub fn plug(&self, place: usize, plugged: bool) {
        let cable = format!("{}c{}", self.name, place + 1);
        ip_at(&self.name, &["link", "set", &cable, if plugged { "up" } else { "down" }]).unwrap();
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let hosts = (1..=self.count).map(|host| format!("{}-{host}", self.name));
        for host in hosts.chain([self.name.clone()]) {
            if let Err(why) = ip(&["netns", "del", &host]) {
                eprintln!("a namespace stays: {why}");
            }
        }
    }
}

fn ip_at(host: &str, arguments: &[&str]) -> Result<(), String> {
    ip(&[&["-n", host], arguments].concat())
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let ended = Command::new("ip").args(arguments).output().map_err(|why| why.to_string())?;
    let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    if ended.status.success() { Ok(()) } else { Err(format!("ip {}: {said}", arguments.join(" "))) }
}

/// Founds a city each of whose halls is on a host of its own.
#[derive(Debug)]
pub(crate) struct Apart<'a> {
    pub(crate) processes: Processes,
    pub(crate) hosts: &'a mut Hosts,
}

impl Control for Apart<'_> {
    fn prepare(&mut self, member: Member) -> Result<Member, Problem> {
        let failed = |why| Problem::new("street.host").with("reason", why);
        let (host, address) = self.hosts.add().map_err(failed)?;
        self.processes.on_host(&member, host);
        let config = Config { listen: vec![format!("/ip4/{address}/tcp/{PORT}")], ..member.config };
        Ok(Member { config, ..member })
    }

    fn start<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Control::start(&mut self.processes, member)
    }

    fn stop<'a>(&'a mut self, member: &'a Member) -> Doing<'a> {
        Control::stop(&mut self.processes, member)
    }
}
