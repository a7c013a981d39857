//! Who has a port that is not free.

use crate::error::port::Holder;
use crate::plan::Name;
use crate::state::Home;

/// Who has a port, as far as it can be known.
pub(super) fn holder(port: u16, home: &Home) -> Option<Holder> {
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

/// Every port of every cluster of ours. Records that cannot be read claim nothing here; whoever
/// works on that cluster is told.
pub(super) fn claims(home: &Home) -> Vec<(u16, Name, String)> {
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
                plan.all_ports()
                    .map(move |port| (port, name.clone(), plan.name.clone()))
            })
        })
        .collect()
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
