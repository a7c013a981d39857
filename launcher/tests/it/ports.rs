//! Bus ports: where they were asked for, and where they can be had.

use std::net::TcpListener;

use serde_json::Value;

use crate::lab::{Lab, text};

/// Whether the server that is found can have its bus anywhere.
async fn is_free(lab: &Lab) -> bool {
    let (_, server) = lab.cluster().plan().await.unwrap();
    server.identity.cluster_port_setting()
}

/// The first of `count` ports in a row on which nobody listens, and nobody on those `apart` higher.
fn run_of_ports(lab: &Lab, from: u16, count: u16, apart: u16) -> u16 {
    let free = |port: u16| TcpListener::bind((lab.address(), port)).is_ok();
    let mut firsts = (from..=u16::MAX - count - apart).step_by(usize::from(count));
    let first =
        firsts.find(|first| (*first..first + count).all(|port| free(port) && free(port + apart)));
    first.unwrap()
}

fn bus_ports(report: &Value) -> Vec<u64> {
    let nodes = report["nodes"].as_array().unwrap().iter();
    nodes
        .map(|node| node["bus_port"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_client_port_without_room_above_it_serves() {
    let lab = Lab::new();
    let is_free = is_free(&lab).await;
    for boot in ["auto", "commands"] {
        let port = run_of_ports(&lab, 61_000, 4, 0).to_string();
        let up = [
            "up",
            "--bind",
            lab.address(),
            "--masters",
            "1",
            "--replicas",
            "1",
            "--json",
            "--boot",
            boot,
            "--port",
            &port,
        ];
        if !is_free {
            let words = lab.refused(&up, 2);
            assert!(words.contains("ports up to 55535"), "{words}");
            continue;
        }
        let report = lab.json(up);
        assert_eq!(report["rung"], "ready");
        // Clear of the ports of outgoing connections.
        let buses = bus_ports(&report);
        assert!(
            buses.iter().all(|bus| (20_001..=29_999).contains(bus)),
            "{buses:?}"
        );
        let nodes = lab.shardlab(["call", "r1", "CLUSTER", "NODES"]);
        let nodes = text(&nodes.assert().success().get_output().stdout);
        assert!(nodes.contains(&format!(":{port}@{}", buses[0])), "{nodes}");
        let grown = lab.json(["add-node", "--replica-of", "n1", "--json"]);
        assert_eq!(grown["status"]["rung"], "ready");
        lab.shardlab(["stop", "-q"]).assert().success();
        assert_eq!(lab.json(["start", "--json"])["rung"], "ready");
        lab.shardlab(["down", "-q"]).assert().success();
    }
}

#[tokio::test]
async fn a_bus_port_that_somebody_has_is_left_to_him() {
    let lab = Lab::new();
    let first = run_of_ports(&lab, 10_100, 1, 10_000);
    let _holder = TcpListener::bind((lab.address(), first + 10_000)).unwrap();
    let port = first.to_string();
    let up = [
        "up",
        "--bind",
        lab.address(),
        "--masters",
        "1",
        "--replicas",
        "0",
        "--json",
        "--port",
        &port,
    ];
    if is_free(&lab).await {
        let report = lab.json(up);
        assert_eq!(report["rung"], "ready");
        assert_ne!(bus_ports(&report), [u64::from(first) + 10_000]);
    } else {
        let words = lab.refused(&up, 3);
        let taken = format!(
            "port {}, the bus port of node `n1`, is taken by",
            first + 10_000
        );
        assert!(words.contains(&taken), "{words}");
    }
}

#[tokio::test]
async fn bus_ports_are_where_they_are_asked_for() {
    let (lab, file) = (Lab::new(), tempfile::tempdir().unwrap());
    let bus = run_of_ports(&lab, 21_000, 4, 0);
    let base = bus.to_string();
    let up = [
        "up",
        "--bind",
        lab.address(),
        "--masters",
        "1",
        "--replicas",
        "1",
        "--json",
        "--port",
        "auto",
        "--bus-port",
    ];
    let up = |base: &'static str| [&up[..], &[base]].concat();
    let asked = up(base.clone().leak());
    if !is_free(&lab).await {
        let words = lab.refused(&asked, 2);
        assert!(words.contains("Redis 7.0 and Valkey can"), "{words}");
        return;
    }
    let (first, second) = (u64::from(bus), u64::from(bus) + 1);
    let holder = TcpListener::bind((lab.address(), bus + 1)).unwrap();
    let words = lab.refused(&asked, 3);
    let taken = format!("port {second}, the bus port of node `r1`, is taken by");
    assert!(words.contains(&taken), "{words}");
    drop(holder);

    let report = lab.json(&asked);
    assert_eq!(report["rung"], "ready");
    assert_eq!(bus_ports(&report), [first, second]);
    lab.json(&asked);
    lab.json(up("auto"));
    let words = lab.refused(&up("1"), 2);
    assert!(
        words.contains(&format!("`--bus-port` is {first}")),
        "{words}"
    );
    let grown = lab.json(["add-node", "--json", "--replica-of", "n1"]);
    assert_eq!(bus_ports(&grown["status"]), [first, second, second + 1]);

    // What is saved on these ports has to go elsewhere beside them, and comes back to them later.
    let archive = file.path().join("lab");
    let archive = archive.to_str().unwrap();
    lab.shardlab(["save", archive, "-q"]).assert().success();
    let copy = [
        "up",
        "--bind",
        lab.address(),
        "-n",
        "copy",
        "--port",
        "auto",
        "--json",
        "--from",
        archive,
    ];
    let copied = lab.json(copy);
    assert_eq!(copied["rung"], "ready");
    assert!(
        bus_ports(&copied)
            .iter()
            .all(|bus| !bus_ports(&grown["status"]).contains(bus))
    );
    lab.shardlab(["down", "-q"]).assert().success();
    let back = [
        "up",
        "--bind",
        lab.address(),
        "--json",
        "--port",
        "auto",
        "--bus-port",
        &base,
        "--from",
        archive,
    ];
    assert_eq!(bus_ports(&lab.json(back)), [first, second, second + 1]);
}
