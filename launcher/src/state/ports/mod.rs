//! Free ports, and who has the ones that are not.

mod holder;

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::{ControlFlow, RangeInclusive};
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::error::Error;
use crate::machine::message::text;
use crate::machine::parameter::Parameter;
use crate::machine::wait::{Deadline, until_blocking};
use crate::plan::{BUS_OFFSET, BusPortChoice, NodePlan, Options, Plan, PortChoice, Ports};
use crate::server::Identity;
use crate::state::Home;

pub use crate::error::port::{Holder, PortRole};

use holder::{claims, holder};

/// Client ports that we choose ourselves come from here: with their bus ports they stay clear of each
/// other and of the ports for outgoing connections.
const AUTO: RangeInclusive<u16> = 10_001..=19_999;
/// Bus ports that we choose ourselves, where the usual ones cannot be had.
const AUTO_BUS: RangeInclusive<u16> = 20_001..=29_999;
/// From here on the kernel hands ports out to outgoing connections (`ip_local_port_range` of Linux).
const FIRST_OUTGOING: u16 = 32_768;
/// How long somebody who only looks whether a port is free may have it.
const LOOKED_AT: Duration = Duration::from_millis(500);

/// Checks that every port of the plan can be listened on.
///
/// # Errors
/// [`Error::Bind`] for an address that this machine does not have; [`Error::PortTaken`] or
/// [`Error::Address`] for the first port that cannot be listened on.
pub fn check(plan: &Plan, bind: &[IpAddr], home: &Home) -> Result<(), Error> {
    check_addresses(bind)?;
    for node in &plan.nodes {
        let clients = node.client_ports().map(|port| (port, PortRole::Client));
        let buses = node.bus_ports().map(|port| (port, PortRole::Bus));
        for (port, role) in clients.chain(buses) {
            for address in bind {
                let address = SocketAddr::new(*address, port);
                listen(address, home).map_err(|refusal| match refusal {
                    Refusal::Taken(holder) => Error::PortTaken {
                        port,
                        role,
                        node: node.name.clone(),
                        holder,
                    },
                    Refusal::Other(source) => Error::Address {
                        node: node.name.clone(),
                        address,
                        source,
                    },
                })?;
            }
        }
    }
    Ok(())
}

/// Why nobody can listen at an address.
enum Refusal {
    Taken(Option<Holder>),
    Other(io::Error),
}

/// Listens for a moment. Another launcher that looks for free ports has each of them for a moment, too:
/// a port that nobody is known to have is tried again.
fn listen(address: SocketAddr, home: &Home) -> Result<(), Refusal> {
    let deadline = Deadline::after(LOOKED_AT);
    until_blocking(
        deadline,
        Duration::from_millis(5),
        || match TcpListener::bind(address) {
            Ok(_) => ControlFlow::Break(Ok(())),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                match holder(address.port(), home) {
                    None => ControlFlow::Continue(None),
                    known => ControlFlow::Break(Err(Refusal::Taken(known))),
                }
            }
            Err(error) => ControlFlow::Break(Err(Refusal::Other(error))),
        },
    )
    .unwrap_or_else(|holder| Err(Refusal::Taken(holder)))
}

/// Checks that servers can listen on the addresses, whichever the port.
fn check_addresses(bind: &[IpAddr]) -> Result<(), Error> {
    bind.iter().try_for_each(|address| {
        reserve(SocketAddr::new(*address, 0), false)
            .map(drop)
            .map_err(|source| Error::Bind {
                address: *address,
                source,
            })
    })
}

/// The client ports that are asked for, and free ones where any will do, of servers that take so many
/// ports in a row.
pub(crate) fn of(options: &Options, in_a_row: u16, home: &Home) -> Result<Vec<u16>, Error> {
    let wanted = Plan::wanted_ports(options)?;
    let missing = wanted.iter().filter(|port| port.is_none()).count();
    let mut chosen = choose(missing, in_a_row, &options.bind, home)?.into_iter();
    let ports = wanted.into_iter().zip(0_u16..).filter_map(|(port, place)| {
        let port = port.or_else(|| chosen.next())?;
        // Those of a list are taken as they are.
        let step = match options.ports {
            PortChoice::From(_) => (in_a_row - 1).saturating_mul(place),
            PortChoice::List(_) | PortChoice::Auto => 0,
        };
        Some(port.saturating_add(step))
    });
    Ok(ports.collect())
}

/// Chooses client ports whose usual bus ports are free as well, at random, so that programs which do not
/// share a state folder seldom want the same ones. Where a server takes several ports in a row, all of
/// them are free. Ports that a cluster of ours has, running or not, are left alone. The caller holds the
/// ports' lock and writes the choice down under it.
///
/// # Errors
/// [`Error::NoPorts`] if there are not enough; [`Error::Bind`].
pub fn choose(
    needed: usize,
    in_a_row: u16,
    bind: &[IpAddr],
    home: &Home,
) -> Result<Vec<u16>, Error> {
    let mut free = Free::of(bind, home)?;
    let chosen = free.take_pairs(shuffled(AUTO), needed, in_a_row);
    enough(chosen, needed, &AUTO)
}

/// Chooses ports for nodes that are added to a cluster: client ports that follow `last`, each with a bus
/// port. Leaves out what [`choose`] leaves out.
///
/// # Errors
/// [`Error::NoPorts`] if there are not enough; [`Error::Bind`].
pub fn following(
    last: Ports,
    needed: usize,
    options: &Options,
    server: &Identity,
    home: &Home,
) -> Result<Vec<Ports>, Error> {
    let mut free = Free::of(&options.bind, home)?;
    let behind = last.client.saturating_add(1)..=u16::MAX;
    let candidates = behind.clone().chain(shuffled(AUTO));
    let clients = if server.cluster_port_setting() {
        free.take(candidates, needed)
    } else {
        free.take_pairs(candidates, needed, 1)
    };
    let clients = enough(clients, needed, &behind)?;
    further(&clients, last, options, server, home)
}

/// Gives client ports of nodes that are added to a cluster their bus ports.
///
/// # Errors
/// As [`with_bus_ports`].
pub fn further(
    clients: &[u16],
    last: Ports,
    options: &Options,
    server: &Identity,
    home: &Home,
) -> Result<Vec<Ports>, Error> {
    let last_bus = last.bus.filter(|_| server.cluster_port_setting());
    let (BusPortChoice::From(_), Some(last_bus)) = (options.bus_port, last_bus) else {
        let usual = Options {
            bus_port: BusPortChoice::Auto,
            ..options.clone()
        };
        return with_bus_ports(clients, &usual, server, home);
    };
    let mut free = Free::of(&options.bind, home)?;
    free.taken.extend(clients);
    let behind = last_bus.saturating_add(1)..=u16::MAX;
    let chosen = free.take(behind.clone().chain(shuffled(AUTO_BUS)), clients.len());
    let buses = enough(chosen, clients.len(), &behind)?;
    Ok(paired(clients, buses.into_iter().map(Some)))
}

/// Gives each client port the bus port that goes with it: none without cluster mode.
///
/// # Errors
/// [`Error::Unsupported`]: the server's bus can only be [`BUS_OFFSET`] above the client port, where it
/// was not asked to be or where no port is. [`Error::NoPorts`], [`Error::Bind`].
pub fn with_bus_ports(
    clients: &[u16],
    options: &Options,
    server: &Identity,
    home: &Home,
) -> Result<Vec<Ports>, Error> {
    let usual = clients.iter().map(|client| Ports::from(*client).bus);
    if !options.topology.is_cluster() {
        return Ok(paired(clients, clients.iter().map(|_| None)));
    }
    if let BusPortChoice::From(first) = options.bus_port {
        let wanted: Vec<_> = (first..=u16::MAX).take(clients.len()).map(Some).collect();
        if wanted.len() < clients.len() {
            return Err(Error::Unsupported(text![
                Parameter::BusPort.as_part(first.to_string()),
                format!(
                    " leaves too few ports for {} nodes: ports go up to 65535",
                    clients.len()
                )
            ]));
        }
        let is_usual = usual.eq(wanted.iter().copied());
        if !server.cluster_port_setting() && !is_usual {
            return Err(Error::Unsupported(text![
                format!(
                    "{server} has its bus port {BUS_OFFSET} above the client port and cannot take "
                ),
                Parameter::BusPort.as_part(first.to_string()),
                "; Redis 7.0 and Valkey can (",
                Parameter::Server,
                ")"
            ]));
        }
        return Ok(paired(clients, wanted.into_iter()));
    }
    if !server.cluster_port_setting() {
        if let Some(client) = clients
            .iter()
            .find(|client| Ports::from(**client).bus.is_none())
        {
            return Err(Error::Unsupported(text![
                format!(
                    "{server} has its bus port {BUS_OFFSET} above the client port, and ports go up to 65535: \
                     client port {client} is too high; Redis 7.0 and Valkey can have the bus elsewhere ("
                ),
                Parameter::Server,
                "), or ",
                Parameter::Port,
                format!(" takes ports up to {}", u16::MAX - BUS_OFFSET)
            ]));
        }
        return Ok(paired(clients, usual));
    }
    let mut free = Free::of(&options.bind, home)?;
    free.taken.extend(clients);
    let buses: Vec<_> = usual
        .map(|port| port.filter(|port| free.take_usual(*port)))
        .collect();
    let missing = buses.iter().filter(|port| port.is_none()).count();
    let chosen = enough(free.take(shuffled(AUTO_BUS), missing), missing, &AUTO_BUS)?;
    let mut chosen = chosen.into_iter();
    Ok(paired(
        clients,
        buses.into_iter().map(|port| port.or_else(|| chosen.next())),
    ))
}

fn paired(clients: &[u16], buses: impl Iterator<Item = Option<u16>>) -> Vec<Ports> {
    let pairs = clients.iter().zip(buses);
    pairs
        .map(|(client, bus)| Ports {
            client: *client,
            bus,
        })
        .collect()
}

/// All ports of a range, from one at random on.
fn shuffled(range: RangeInclusive<u16>) -> impl Iterator<Item = u16> {
    let (first, span) = (*range.start(), range.end() - range.start() + 1);
    let start = crate::machine::random::below(span);
    (0..span).map(move |step| first + (start + step) % span)
}

fn enough(found: Vec<u16>, needed: usize, range: &RangeInclusive<u16>) -> Result<Vec<u16>, Error> {
    if found.len() == needed {
        return Ok(found);
    }
    Err(Error::NoPorts {
        needed,
        found: found.len(),
        first: *range.start(),
        last: *range.end(),
    })
}

/// Ports that can be had: nobody has them, and no cluster of ours keeps them.
struct Free<'a> {
    bind: &'a [IpAddr],
    taken: HashSet<u16>,
}

impl<'a> Free<'a> {
    fn of(bind: &'a [IpAddr], home: &Home) -> Result<Self, Error> {
        check_addresses(bind)?;
        let taken = claims(home).into_iter().map(|(port, ..)| port).collect();
        Ok(Self { bind, taken })
    }

    fn has(&self, port: u16) -> bool {
        let mut addresses = self.bind.iter();
        !self.taken.contains(&port)
            && addresses.all(|address| reserve(SocketAddr::new(*address, port), false).is_ok())
    }

    /// Takes the first of these ports that are free.
    fn take(&mut self, candidates: impl Iterator<Item = u16>, needed: usize) -> Vec<u16> {
        self.take_if(candidates, needed, |port| Some([port].to_vec()))
    }

    /// The same, of those whose usual bus ports are free as well, and so are as many behind each.
    fn take_pairs(
        &mut self,
        candidates: impl Iterator<Item = u16>,
        needed: usize,
        in_a_row: u16,
    ) -> Vec<u16> {
        self.take_if(candidates, needed, |port| {
            let last = in_a_row.saturating_sub(1);
            let bus = Ports::from(port).bus?;
            let rows = (port..=port.checked_add(last)?).chain(bus..=bus.checked_add(last)?);
            Some(rows.collect())
        })
    }

    fn take_if(
        &mut self,
        candidates: impl Iterator<Item = u16>,
        needed: usize,
        all_of: impl Fn(u16) -> Option<Vec<u16>>,
    ) -> Vec<u16> {
        let mut found = Vec::with_capacity(needed);
        for port in candidates {
            if found.len() == needed {
                break;
            }
            let all = all_of(port).unwrap_or_default();
            if !all.is_empty() && all.iter().all(|port| self.has(*port)) {
                self.taken.extend(all);
                found.push(port);
            }
        }
        found
    }

    /// Takes a usual bus port if nobody listens on it. Unlike those that are [taken](Free::take), it may
    /// have been somebody's until a moment ago.
    fn take_usual(&mut self, port: u16) -> bool {
        let mut addresses = self.bind.iter();
        port < FIRST_OUTGOING
            && !self.taken.contains(&port)
            && addresses.all(|address| TcpListener::bind(SocketAddr::new(*address, port)).is_ok())
            && self.taken.insert(port)
    }
}

/// Ports that are kept for a cluster while its nodes do not listen on them: a node that is killed
/// gets its own port back. Given back on drop.
///
/// A reserved port refuses connections, since nobody listens. Servers set `SO_REUSEADDR` and may listen
/// on it all the same (Linux, socket(7)); [`choose`] does not, and finds it taken, whichever state
/// folder it works for.
#[derive(Debug, Default)]
pub struct ReservedPorts {
    sockets: Vec<(u16, TcpSocket)>,
}

impl ReservedPorts {
    /// Reserves all ports of a plan, as far as they can be had.
    pub fn of(plan: &Plan, bind: &[IpAddr]) -> Self {
        let ports = plan.nodes.iter().flat_map(NodePlan::all_ports);
        let addresses = ports.flat_map(|port| {
            bind.iter()
                .map(move |address| SocketAddr::new(*address, port))
        });
        // Elsewhere a bound socket keeps the server from listening.
        let wanted = addresses.filter(|_| cfg!(target_os = "linux"));
        Self {
            sockets: wanted
                .filter_map(|address| Some((address.port(), reserve(address, true).ok()?)))
                .collect(),
        }
    }

    /// Reserves what the other one does, too.
    pub fn join(&mut self, other: Self) {
        self.sockets.extend(other.sockets);
    }

    /// Gives a port back.
    pub fn release(&mut self, port: u16) {
        self.sockets.retain(|(reserved, _)| *reserved != port);
    }
}

/// Binds without listening.
fn reserve(address: SocketAddr, reuse: bool) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(reuse)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests;
