//! Whether a cluster that is there has the shape that is asked for: masters, replicas, slots, ports.
//!
//! A cluster that was scaled since, or got a node, answers to two descriptions: the one that it was
//! started by, and the one that is true now.

use shardlab::plan::{BusPortChoice, Options, Plan, PortChoice, node_names};
use shardlab::state::{NodeRecord, Record};
use shardlab::wire::slots::{SlotRanges, split_evenly};

use crate::cli::ClusterArgs;

/// Names each option of the shape that was given and is not so, with what is so.
pub(super) fn shape_differences(args: &ClusterArgs, record: &Record) -> Vec<String> {
    let there = &record.options;
    let mut found = of_size(args, record);
    let slots = args.slots.as_ref().map(|lists| lists.0.as_slice());
    if slots.is_some_and(|asked| *asked != slots_at_start(there)) {
        found.push("`--slots` is another split".to_owned());
    }
    if args
        .port_choice()
        .is_some_and(|asked| !has_ports(asked, record))
    {
        let ports: Vec<_> = record
            .nodes
            .iter()
            .map(|node| node.plan.port.to_string())
            .collect();
        found.push(match &there.ports {
            PortChoice::From(first) => format!("`--port` is {first}"),
            PortChoice::List(_) | PortChoice::Auto => format!("`--ports` is {}", ports.join(",")),
        });
    }
    let other_bus = args
        .bus_port
        .and_then(|asked| other_bus_port(asked, record));
    found.extend(other_bus.map(|first| format!("`--bus-port` is {first}")));
    found
}

fn of_size(args: &ClusterArgs, record: &Record) -> Vec<String> {
    let born = expanded(&record.options.replicas, record.options.masters);
    let now = record.reshaped.as_ref().unwrap_or(&born);
    let masters_fit = |size: &[usize]| args.masters.is_none_or(|asked| asked == size.len());
    let replicas_fit = |size: &[usize]| {
        let asked = args.replicas.as_deref();
        asked.is_none_or(|asked| expanded(asked, size.len()) == size)
    };
    if [&born, now]
        .into_iter()
        .any(|size| masters_fit(size) && replicas_fit(size))
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    if !masters_fit(now) {
        found.push(format!("`--masters` is {}", now.len()));
    }
    if !replicas_fit(now) {
        found.push(format!("`--replicas` is {}", short(now)));
    }
    found
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

fn slots_at_start(options: &Options) -> Vec<SlotRanges> {
    options.slots.clone().unwrap_or_else(|| {
        split_evenly(options.masters)
            .into_iter()
            .map(|range| SlotRanges::from_iter([range]))
            .collect()
    })
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

/// The first bus port of those that the cluster was started with, if they are not the ones asked for.
fn other_bus_port(asked: BusPortChoice, record: &Record) -> Option<u16> {
    let BusPortChoice::From(first) = asked else {
        return None;
    };
    let there = || born(record).map(|node| node?.plan.bus_port);
    let same = (u32::from(first)..)
        .zip(there())
        .all(|(wanted, bus)| bus.is_none_or(|bus| u32::from(bus) == wanted));
    let first_there = there().flatten().next();
    first_there.filter(|_| !same)
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
