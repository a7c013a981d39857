//! Tests of choosing, holding and checking ports.

use super::*;
use crate::plan::Topology;

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[test]
fn a_taken_port_names_its_role_its_node_and_its_holder() {
    let home = Home::at("/nonexistent");
    let ports = choose(6, 1, &[LOOPBACK], &home).unwrap();
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
fn a_port_that_is_only_looked_at_meanwhile_is_not_taken() {
    let home = Home::at("/nonexistent");
    let ports = choose(6, 1, &[LOOPBACK], &home).unwrap();
    let plan = Plan::new(&Options::default(), &ports).unwrap();
    let address = SocketAddr::new(LOOPBACK, plan.nodes[0].port);
    let looked_at = reserve(address, false).unwrap();
    std::thread::scope(|scope| {
        let checked = scope.spawn(|| check(&plan, &[LOOPBACK], &home));
        let moment = Deadline::after(Duration::from_millis(50));
        let _ = until_blocking(moment, Duration::from_millis(50), || {
            ControlFlow::<(), ()>::Continue(())
        });
        drop(looked_at);
        checked.join().unwrap().unwrap();
    });
}

#[test]
fn a_held_port_refuses_connections_is_not_chosen_and_can_be_listened_on() {
    let home = Home::at("/nonexistent");
    let ports = choose(6, 1, &[LOOPBACK], &home).unwrap();
    let plan = Plan::new(&Options::default(), &ports).unwrap();
    let reserved = ReservedPorts::of(&plan, &[LOOPBACK]);
    let address = SocketAddr::new(LOOPBACK, plan.nodes[0].port);
    assert_eq!(
        std::net::TcpStream::connect(address).unwrap_err().kind(),
        io::ErrorKind::ConnectionRefused
    );
    if cfg!(target_os = "linux") {
        assert!(reserve(address, false).is_err(), "nobody else takes it");
    }
    drop(TcpListener::bind(address).unwrap());
    drop(reserved);
    reserve(address, false).unwrap();
}

#[test]
fn chosen_ports_and_their_bus_ports_are_all_different() {
    let ports = choose(300, 1, &[LOOPBACK], &Home::at("/nonexistent")).unwrap();
    let all: HashSet<u16> = ports
        .iter()
        .flat_map(|port| [*port, port + BUS_OFFSET])
        .collect();
    assert_eq!(all.len(), 600);
}

#[test]
fn all_ports_of_nodes_that_take_several_in_a_row_are_free_and_are_checked() {
    let home = Home::at("/nonexistent");
    let options = Options {
        ports: PortChoice::Auto,
        ..Options::default()
    };
    let planned = |options: &Options| {
        let plan = Plan::new(options, &of(options, 3, &home).unwrap()).unwrap();
        plan.with_ports_in_a_row(3)
    };
    let plan = planned(&options).unwrap();
    check(&plan, &[LOOPBACK], &home).unwrap();
    let ports = plan.nodes.iter().flat_map(NodePlan::all_ports);
    assert_eq!(ports.collect::<HashSet<_>>().len(), 6 * 2 * 3);

    let behind = plan.nodes[1].bus_port.unwrap() + 2;
    let _holder = TcpListener::bind((LOOPBACK, behind)).unwrap();
    let message = check(&plan, &[LOOPBACK], &home).unwrap_err().to_string();
    assert!(
        message.starts_with(&format!("port {behind}, ")),
        "{message}"
    );

    let from = planned(&Options::default()).unwrap();
    assert_eq!(from.nodes[2].port, from.nodes[0].port + 6);
    let listed = Options {
        ports: PortChoice::List(vec![9001, 9004, 9007, 9010, 9013, 9015]),
        ..Options::default()
    };
    let message = planned(&listed).unwrap_err().to_string();
    assert!(
        message.contains("9015") && message.contains("takes 3 in a row"),
        "{message}"
    );
    let last = Options {
        ports: PortChoice::List(vec![65_534]),
        ..Options::of(Topology::Standalone)
    };
    let message = planned(&last).unwrap_err().to_string();
    assert!(message.contains("65536"), "{message}");
}

#[test]
fn a_bus_port_is_the_usual_one_where_that_can_be_had() {
    let home = Home::at("/nonexistent");
    let server = |version: &str| {
        Identity::from_version_output(&format!("Redis server v={version}")).unwrap()
    };
    let buses = |clients: &[u16], options: &Options, version: &str| {
        let ports = with_bus_ports(clients, options, &server(version), &home)?;
        Ok::<_, Error>(
            ports
                .into_iter()
                .filter_map(|ports| ports.bus)
                .collect::<Vec<_>>(),
        )
    };
    let options = Options::default();
    let first = choose(1, 1, &[LOOPBACK], &home).unwrap()[0];
    let usual = first + BUS_OFFSET;
    assert_eq!(buses(&[first], &options, "7.0.0").unwrap(), [usual]);
    // Another node's client port, one that outgoing connections get, one that no port is.
    let clients = [first, usual, 30_000, 60_000];
    let chosen = buses(&clients, &options, "7.0.0").unwrap();
    assert!(
        chosen
            .iter()
            .all(|bus| *bus < FIRST_OUTGOING && *bus != usual)
    );
    assert_eq!(chosen.iter().collect::<HashSet<_>>().len(), 4);
    assert_eq!(buses(&[30_000], &options, "6.2.14").unwrap(), [40_000]);
    let refused = buses(&[60_000], &options, "6.2.14").unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("client port 60000 is too high"),
        "{refused}"
    );

    let asked = Options {
        bus_port: BusPortChoice::From(usual),
        ..Options::default()
    };
    assert_eq!(
        buses(&[first, 1], &asked, "7.0.0").unwrap(),
        [usual, usual + 1]
    );
    assert_eq!(buses(&[first], &asked, "6.2.14").unwrap(), [usual]);
    let refused = buses(&[first, 1], &asked, "6.2.14").unwrap_err();
    assert!(
        refused.to_string().contains("cannot take `bus port"),
        "{refused}"
    );
}
