//! Which process is at the other end of a loopback connection: the kernel knows.

use std::fs;
use std::net::{SocketAddr, SocketAddrV4};

/// Columns of the kernel's table of TCP sockets.
const LOCAL: usize = 1;
const REMOTE: usize = 2;
const INODE: usize = 9;

/// Which of these processes has the end `from` of a connection to `to`.
pub fn process_behind(from: SocketAddr, to: SocketAddr, processes: &[u32]) -> Option<u32> {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (from, to) else { return None };
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let socket = format!("socket:[{}]", inode(&table, from, to)?);
    processes.iter().copied().find(|process| holds(*process, &socket))
}

fn inode(table: &str, from: SocketAddrV4, to: SocketAddrV4) -> Option<String> {
    let (from, to) = (written(from), written(to));
    table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let this = columns.get(LOCAL) == Some(&from.as_str()) && columns.get(REMOTE) == Some(&to.as_str());
        if this { columns.get(INODE).map(|inode| (*inode).to_owned()) } else { None }
    })
}

/// As the kernel writes it: the address as one number in the machine's own order.
fn written(address: SocketAddrV4) -> String {
    format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port())
}

/// A process that ended in the meantime holds nothing.
fn holds(process: u32, socket: &str) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    open.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == socket))
}
