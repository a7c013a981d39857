//! Tests of the plans of every topology.

use super::*;

fn names(options: &Options) -> Vec<(String, Role)> {
    let births = births_of(options).unwrap();
    births
        .into_iter()
        .map(|(name, role, _)| (name, role))
        .collect()
}

#[test]
fn the_defaults_of_each_topology_have_their_names() {
    let of = |topology| {
        let names = names(&Options::of(topology));
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        names.join(" ")
    };
    assert_eq!(of(Topology::Cluster), "n1 n2 n3 r1 r2 r3");
    assert_eq!(of(Topology::Standalone), "n1");
    assert_eq!(of(Topology::Replication), "n1 r1 r1b");
    assert_eq!(of(Topology::Sentinel), "n1 r1 r1b s1 s2 s3");
}

#[test]
fn sentinels_have_ports_of_their_own() {
    let wanted = |ports, port| {
        let mut options = Options {
            ports,
            ..Options::of(Topology::Sentinel)
        };
        options.sentinels.port = port;
        Plan::wanted_ports(&options)
    };
    let some = |ports: [u16; 6]| Ok(ports.map(Some).to_vec());
    assert_eq!(
        wanted(PortChoice::From(7001), None),
        some([7001, 7002, 7003, 27_001, 27_002, 27_003])
    );
    assert_eq!(
        wanted(PortChoice::List(vec![5, 7, 9]), Some(26_379)),
        some([5, 7, 9, 26_379, 26_380, 26_381])
    );
    assert_eq!(wanted(PortChoice::Auto, None), Ok(vec![None; 6]));
    let mixed = wanted(PortChoice::Auto, Some(27_001)).unwrap();
    assert_eq!(mixed[..3], [None; 3]);
    assert_eq!(mixed[3..], [Some(27_001), Some(27_002), Some(27_003)]);
}

#[test]
fn without_cluster_mode_there_is_no_bus_and_any_port_serves() {
    let options = Options::of(Topology::Replication);
    let plan = Plan::new(&options, &[65_533, 65_534, 65_535]).unwrap();
    assert!(plan.nodes.iter().all(|node| node.bus_port.is_none()));
    assert!(plan.nodes.iter().all(|node| node.slots.is_empty()));
    let from = Options {
        ports: PortChoice::From(65_534),
        ..options
    };
    let refused = Plan::wanted_ports(&from).unwrap_err().to_string();
    assert_eq!(
        refused,
        "node `r1b` cannot have port 65536: ports go from 1 to 65535"
    );
}

#[test]
fn what_does_not_fit_the_topology_is_refused() {
    type Case = (Topology, fn(&mut Options), &'static str);
    let refusal = |topology, change: fn(&mut Options)| {
        let mut options = Options::of(topology);
        change(&mut options);
        node_count(&options).unwrap_err().to_string()
    };
    let cases: [Case; 6] = [
        (
            Topology::Replication,
            |options| options.masters = 2,
            "`masters 2` does not fit `topology replication`: it has one master; `topology cluster` has several",
        ),
        (
            Topology::Standalone,
            |options| options.replicas = vec![1],
            "`replicas` does not fit `topology standalone`: its nodes are independent of each other; `topology replication` has a master and replicas",
        ),
        (
            Topology::Sentinel,
            |options| options.slots = Some(Vec::new()),
            "`slots` does not fit `topology sentinel`: only the masters of `topology cluster` own slots",
        ),
        (
            Topology::Sentinel,
            |options| options.sentinels.quorum = 4,
            "a quorum of 4 cannot be had of 3 sentinels; `quorum` goes from 1 to 3",
        ),
        (
            Topology::Sentinel,
            |options| options.sentinels.count = 0,
            "a sentinel topology needs at least 1 sentinel; 0 were asked for",
        ),
        (
            Topology::Sentinel,
            |options| options.masters = 0,
            "a cluster needs at least 1 master; 0 were asked for",
        ),
    ];
    for (topology, change, words) in cases {
        assert_eq!(refusal(topology, change), words);
    }
}

#[test]
fn a_bus_port_is_checked_wherever_it_comes_from() {
    let plan = |clients: [u16; 2], buses: [Option<u16>; 2]| {
        let options = Options {
            masters: 2,
            replicas: vec![0],
            ..Options::default()
        };
        let pairs = clients.into_iter().zip(buses);
        let ports: Vec<_> = pairs.map(|(client, bus)| Ports { client, bus }).collect();
        Plan::new(&options, &ports).map_err(|error| error.to_string())
    };
    let both = plan([60_000, 7001], [Some(7000), Some(1)]).unwrap();
    assert_eq!(both.nodes[0].bus_port, Some(7000));
    let refusals = [
        (
            plan([7001, 7002], [Some(7002), Some(17_002)]),
            "port 7002 would be both the client port of `n2` and the bus port of `n1`",
        ),
        (
            plan([7001, 60_000], [Some(17_001), None]),
            "port 60000 of node `n2` is too high: its bus port would be 10000 higher, and ports go up to 65535",
        ),
        (
            plan([7001, 7002], [Some(0), Some(1)]),
            "node `n1` cannot have port 0: ports go from 1 to 65535",
        ),
    ];
    for (refused, words) in refusals {
        assert_eq!(refused.unwrap_err(), words);
    }
}

#[test]
fn a_server_listens_once_on_each_address() {
    let listening = |bind: &[&str]| {
        let bind = bind.iter().map(|address| address.parse().unwrap());
        let options = Options {
            bind: bind.collect(),
            ..Options::default()
        };
        let addresses = options.listening_addresses();
        let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        addresses.join(" ")
    };
    assert_eq!(
        listening(&["127.0.0.1", "::1", "127.0.0.1"]),
        "127.0.0.1 ::1"
    );
    assert_eq!(listening(&["127.0.0.1", "0.0.0.0", "::1"]), "0.0.0.0 ::1");
    assert_eq!(listening(&["0.0.0.0", "0.0.0.0", "::"]), "0.0.0.0 ::");
}
