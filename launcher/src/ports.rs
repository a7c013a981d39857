//! Free ports, and who has the ones that are not.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use tokio::net::TcpSocket;

use crate::error::Error;
use crate::plan::{BUS_OFFSET, LAST_PORT, Plan};
use crate::state::{Home, Name};

/// Client ports that we choose ourselves come from here: with their bus ports (20001 to 29999)
/// they stay clear of each other and of the ports for outgoing connections (from 32768).
const AUTO: std::ops::RangeInclusive<u16> = 10_001..=19_999;

/// What a node does on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortRole {
    /// Talks to clients.
    Client,
    /// Talks to the other nodes.
    Bus,
}

impl std::fmt::Display for PortRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Client => "client port",
            Self::Bus => "bus port",
        })
    }
}

/// Who has a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The cluster of ours that has it, and the node.
    pub cluster: Option<Name>,
    /// The node of that cluster.
    pub node: Option<String>,
    /// The process: program and pid.
    pub process: Option<(String, i32)>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let (Some(cluster), Some(node)) = (&self.cluster, &self.node) {
            write!(f, "node `{node}` of the cluster `{cluster}`")?;
            if let Some((_, pid)) = &self.process {
                write!(f, " (pid {pid})")?;
            }
            return Ok(());
        }
        match &self.process {
            Some((program, pid)) => write!(f, "`{program}` (pid {pid})"),
            None => f.write_str("another process"),
        }
    }
}

/// Checks that every port of the plan can be listened on.
///
/// # Errors
/// [`Error::PortTaken`] or [`Error::Address`] for the first that cannot.
pub fn check(plan: &Plan, bind: &[IpAddr], home: &Home) -> Result<(), Error> {
    for node in &plan.nodes {
        let bus = node.bus_port.map(|port| (port, PortRole::Bus));
        for (port, role) in [(node.port, PortRole::Client)].into_iter().chain(bus) {
            for address in bind {
                let address = SocketAddr::new(*address, port);
                match TcpListener::bind(address) {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        let holder = holder(port, home);
                        return Err(Error::PortTaken {
                            port,
                            role,
                            node: node.name.clone(),
                            holder,
                        });
                    }
                    Err(source) => {
                        return Err(Error::Address {
                            node: node.name.clone(),
                            address,
                            source,
                        });
                    }
                }
            }
        }
    }
    Ok(())
}

/// Chooses client ports whose bus ports are free as well, at random, so that programs which do not
/// share a state folder seldom want the same ones. Ports that a cluster of ours has, running or
/// not, are left alone. The caller holds the ports' lock and writes the choice down under it.
///
/// # Errors
/// [`Error::NoPorts`] if there are not enough.
pub fn choose(needed: usize, bind: &[IpAddr], home: &Home) -> Result<Vec<u16>, Error> {
    let span = AUTO.end() - AUTO.start() + 1;
    let start = crate::random::below(span);
    let candidates = (0..span).map(|step| AUTO.start() + (start + step) % span);
    first_free(candidates, needed, bind, home)
}

/// Chooses the client ports that follow `last`, leaving out what [`choose`] leaves out.
///
/// # Errors
/// [`Error::NoPorts`] if there are not enough up to [`LAST_PORT`].
pub fn following(
    last: u16,
    needed: usize,
    bind: &[IpAddr],
    home: &Home,
) -> Result<Vec<u16>, Error> {
    first_free(last.saturating_add(1)..=LAST_PORT, needed, bind, home)
}

fn first_free(
    candidates: impl Iterator<Item = u16>,
    needed: usize,
    bind: &[IpAddr],
    home: &Home,
) -> Result<Vec<u16>, Error> {
    let claimed: HashSet<u16> = claims(home).into_iter().map(|(port, ..)| port).collect();
    let free = |port: u16| {
        bind.iter()
            .all(|address| hold(SocketAddr::new(*address, port), false).is_ok())
    };
    let chosen: Vec<u16> = candidates
        .filter(|port| !claimed.contains(port) && !claimed.contains(&(port + BUS_OFFSET)))
        .filter(|port| free(*port) && free(port + BUS_OFFSET))
        .take(needed)
        .collect();
    if chosen.len() == needed {
        Ok(chosen)
    } else {
        Err(Error::NoPorts {
            needed,
            found: chosen.len(),
        })
    }
}

/// Ports that are kept for a cluster while its nodes do not listen on them: a node that is killed
/// gets its own port back. Given back on drop.
///
/// A held port refuses connections, since nobody listens. Servers set `SO_REUSEADDR` and may listen
/// on it all the same (Linux, socket(7)); [`choose`] does not, and finds it taken, whichever state
/// folder it works for.
#[derive(Debug, Default)]
pub struct Held {
    sockets: Vec<(u16, TcpSocket)>,
}

impl Held {
    /// Holds all ports of a plan, as far as they can be had.
    pub fn of(plan: &Plan, bind: &[IpAddr]) -> Self {
        let ports = plan
            .nodes
            .iter()
            .flat_map(|node| [node.port].into_iter().chain(node.bus_port));
        let addresses = ports.flat_map(|port| {
            bind.iter()
                .map(move |address| SocketAddr::new(*address, port))
        });
        // Elsewhere a bound socket keeps the server from listening.
        let wanted = addresses.filter(|_| cfg!(target_os = "linux"));
        Self {
            sockets: wanted
                .filter_map(|address| Some((address.port(), hold(address, true).ok()?)))
                .collect(),
        }
    }

    /// Holds what the other one holds, too.
    pub fn join(&mut self, other: Self) {
        self.sockets.extend(other.sockets);
    }

    /// Gives a port back.
    pub fn release(&mut self, port: u16) {
        self.sockets.retain(|(held, _)| *held != port);
    }
}

/// Binds without listening.
fn hold(address: SocketAddr, reuse: bool) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(reuse)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Every port of every cluster of ours. Records that cannot be read claim nothing here; whoever
/// works on that cluster is told.
fn claims(home: &Home) -> Vec<(u16, Name, String)> {
    let records = home
        .names()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| home.record(&name).ok().flatten());
    records
        .flat_map(|record| {
            let name = record.name;
            record.nodes.into_iter().flat_map(move |node| {
                let (plan, name) = (node.plan, name.clone());
                let ports = [plan.port].into_iter().chain(plan.bus_port);
                ports.map(move |port| (port, name.clone(), plan.name.clone()))
            })
        })
        .collect()
}

fn holder(port: u16, home: &Home) -> Option<Holder> {
    let claim = claims(home)
        .into_iter()
        .find(|(claimed, ..)| *claimed == port);
    let process = listening_process(port);
    if claim.is_none() && process.is_none() {
        return None;
    }
    let (cluster, node) = claim.map_or((None, None), |(_, cluster, node)| {
        (Some(cluster), Some(node))
    });
    Some(Holder {
        cluster,
        node,
        process,
    })
}

/// The process that listens on a TCP port, by way of its socket's inode; `None` for another user's.
#[cfg(target_os = "linux")]
fn listening_process(port: u16) -> Option<(String, i32)> {
    use std::fs;
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| table.lines().find_map(|line| listening_inode(line, port)))?;
    let socket = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        files.find(|file| {
            fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == socket.as_str())
        })?;
        let program = fs::read_to_string(entry.path().join("comm")).ok()?;
        Some((program.trim().to_owned(), pid))
    })
}

#[cfg(not(target_os = "linux"))]
fn listening_process(_port: u16) -> Option<(String, i32)> {
    None
}

/// The inode in a line of `/proc/net/tcp` if it is a listener (state 0A) on `port`.
#[cfg(target_os = "linux")]
fn listening_inode(line: &str, port: u16) -> Option<u64> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let here = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()? == port;
    if here && state == "0A" {
        fields.nth(5)?.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Options;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_taken_port_names_its_role_its_node_and_its_holder() {
        let home = Home::at("/nonexistent");
        let ports = choose(6, &[LOOPBACK], &home).unwrap();
        let plan = Plan::new(&Options::default(), &ports).unwrap();
        check(&plan, &[LOOPBACK], &home).unwrap();

        let bus = plan.nodes[3].bus_port.unwrap();
        let _holder = TcpListener::bind((LOOPBACK, bus)).unwrap();
        let message = check(&plan, &[LOOPBACK], &home).unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("port {bus}, the bus port of node `r1`, is taken")),
            "{message}"
        );
        if cfg!(target_os = "linux") {
            assert!(
                message.contains(&format!("(pid {})", std::process::id())),
                "{message}"
            );
        }
    }

    #[test]
    fn a_held_port_refuses_connections_is_not_chosen_and_can_be_listened_on() {
        let home = Home::at("/nonexistent");
        let ports = choose(6, &[LOOPBACK], &home).unwrap();
        let plan = Plan::new(&Options::default(), &ports).unwrap();
        let held = Held::of(&plan, &[LOOPBACK]);
        let address = SocketAddr::new(LOOPBACK, plan.nodes[0].port);
        assert_eq!(
            std::net::TcpStream::connect(address).unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        if cfg!(target_os = "linux") {
            assert!(hold(address, false).is_err(), "nobody else takes it");
        }
        drop(TcpListener::bind(address).unwrap());
        drop(held);
        hold(address, false).unwrap();
    }

    #[test]
    fn chosen_ports_and_their_bus_ports_are_all_different() {
        let ports = choose(300, &[LOOPBACK], &Home::at("/nonexistent")).unwrap();
        let all: HashSet<u16> = ports
            .iter()
            .flat_map(|port| [*port, port + BUS_OFFSET])
            .collect();
        assert_eq!(all.len(), 600);
    }
}
