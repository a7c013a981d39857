//! What a cluster that is there has of the options that take more than a look at its record: its size,
//! slots, ports, folder and server.
//!
//! A cluster that was scaled since, or got a node, answers to two descriptions: the one that it was
//! started by, and the one that is true now.

use std::path::Path;

use shardlab::Error;
use shardlab::plan::{BusPortChoice, Options, Plan, PortChoice, node_names};
use shardlab::server::{Profile, ServerSpec};
use shardlab::state::{NodeRecord, Record};
use shardlab::wire::slots::{SlotRanges, split_evenly};

use super::compared::Compared;

pub(super) fn size(
    masters: Option<usize>,
    replicas: Option<&[usize]>,
    record: &Record,
) -> [Compared; 2] {
    let born = expanded(&record.options.replicas, record.options.masters);
    let now = record.reshaped.as_ref().unwrap_or(&born);
    let masters_fit = |size: &[usize]| masters.is_none_or(|asked| asked == size.len());
    let replicas_fit =
        |size: &[usize]| replicas.is_none_or(|asked| expanded(asked, size.len()) == size);
    let is_so = [&born, now]
        .into_iter()
        .any(|size| masters_fit(size) && replicas_fit(size));
    let fit = |asked: bool, fits_now: bool| asked.then_some(is_so || fits_now);
    [
        Compared::new(
            "--masters",
            fit(masters.is_some(), masters_fit(now)),
            &now.len(),
        ),
        Compared::new(
            "--replicas",
            fit(replicas.is_some(), replicas_fit(now)),
            &short(now),
        ),
    ]
}

pub(super) fn slots(asked: Option<&[SlotRanges]>, options: &Options) -> Compared {
    let there = options.slots.clone().unwrap_or_else(|| {
        let evenly = split_evenly(options.masters).into_iter();
        evenly.map(|range| SlotRanges::from_iter([range])).collect()
    });
    Compared::new(
        "--slots",
        asked.map(|asked| *asked == there),
        &"another split",
    )
}

pub(super) fn ports(asked: Option<PortChoice>, record: &Record) -> Compared {
    let fits = asked.map(|asked| has_ports(asked, record));
    let nodes = record.nodes.iter();
    let ports: Vec<_> = nodes.map(|node| node.plan.port.to_string()).collect();
    match &record.options.ports {
        PortChoice::From(first) => Compared::new("--port", fits, first),
        PortChoice::List(_) | PortChoice::Auto => Compared::new("--ports", fits, &ports.join(",")),
    }
}

/// Of the nodes that the cluster was started with.
pub(super) fn bus_ports(asked: Option<BusPortChoice>, record: &Record) -> Compared {
    let there = || born(record).map(|node| node?.plan.bus_port);
    let first_there = there().flatten().next();
    let fits = |asked| match asked {
        BusPortChoice::Auto => true,
        BusPortChoice::From(first) => (u32::from(first)..)
            .zip(there())
            .all(|(wanted, bus)| bus.is_none_or(|bus| u32::from(bus) == wanted)),
    };
    Compared::new(
        "--bus-port",
        asked.map(fits),
        &first_there.unwrap_or_default(),
    )
}

pub(super) fn dir(asked: Option<&Path>, record: &Record) -> Compared {
    let is_there = |asked: &Path| std::path::absolute(asked).is_ok_and(|dir| dir == record.dir);
    Compared::new("--dir", asked.map(is_there), &record.dir.display())
}

pub(super) fn server(asked: Option<&ServerSpec>, record: &Record) -> Compared {
    let Record {
        program, server, ..
    } = record;
    let is_it = |spec: &ServerSpec| match spec {
        ServerSpec::Path(path) => std::path::absolute(path).is_ok_and(|path| path == *program),
        ServerSpec::Program(name) => program.file_name().is_some_and(|file| *file == **name),
        ServerSpec::Product(wanted) => wanted.matches(server),
    };
    let there = format!("{server} ({})", program.display());
    Compared::new("--server", asked.map(is_it), &there)
}

pub(super) fn profile(asked: Option<&Path>, record: &Record) -> Result<Compared, Error> {
    let asked = asked.map(Profile::read).transpose()?;
    let is_it = |asked: Profile| record.profile.as_deref() == Some(&asked);
    let there = match &record.profile {
        Some(_) => "another one, or was changed since",
        None => "not given",
    };
    Ok(Compared::new("--profile", asked.map(is_it), &there))
}

/// One number for each master.
fn expanded(replicas: &[usize], masters: usize) -> Vec<usize> {
    match replicas {
        [] => vec![0; masters],
        [all] => vec![*all; masters],
        each => each.to_vec(),
    }
}

/// As one would write it: one number if it is the same for all.
fn short(replicas: &[usize]) -> String {
    match replicas {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => first.to_string(),
        each => {
            let each: Vec<_> = each.iter().map(ToString::to_string).collect();
            each.join(",")
        }
    }
}

/// Whether the nodes that the cluster was started with have these ports; those that were added or
/// deleted since do not count. Whoever wants any ports has got some.
fn has_ports(asked: PortChoice, record: &Record) -> bool {
    if asked == PortChoice::Auto || asked == record.options.ports {
        return true;
    }
    let options = Options {
        ports: asked,
        ..record.options.clone()
    };
    Plan::wanted_ports(&options).is_ok_and(|wanted| {
        born(record).zip(wanted).all(|(node, wanted)| {
            node.is_none_or(|node| wanted.is_none_or(|port| node.plan.port == port))
        })
    })
}

/// The nodes that the cluster was started with, in their order; `None` for those that were deleted.
fn born(record: &Record) -> impl Iterator<Item = Option<&NodeRecord>> {
    let names = node_names(&record.options).unwrap_or_default();
    names.into_iter().map(|name| {
        let mut nodes = record.nodes.iter();
        nodes.find(|node| node.plan.name == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_stands_for_all_masters() {
        assert_eq!(expanded(&[1], 3), [1, 1, 1]);
        assert_eq!(expanded(&[], 2), [0, 0]);
        assert_eq!(expanded(&[2, 0], 2), [2, 0]);
        assert_eq!(short(&[1, 1, 1]), "1");
        assert_eq!(short(&[1, 0]), "1,0");
    }
}
