//! A server that Shardlab knows nothing of, started by a profile as docs/profiles.md says one is written.

use std::fs;
use std::os::unix::fs::symlink;

use crate::lab::{Lab, text};

/// Redis's own commands, and arguments in place of a configuration file.
const PROFILE: &str = r#"
name = "mine"
programs = ["./mine-server"]

[version]
is = "0.1.0"

[start]
arguments = [
    "--bind", "{host}", "--port", "{port}", "--dir", "{dir}", "--save", "", "--appendonly", "yes",
]
cluster-arguments = [
    "--cluster-enabled", "yes", "--cluster-node-timeout", "{node-timeout}", "--cluster-announce-ip", "{host}",
]
setting-arguments = ["--{key}", "{value}"]
password-arguments = ["--requirepass", "{password}", "--masterauth", "{password}"]

[[cluster.orders]]
to = "masters"
say = ["CLUSTER", "ADDSLOTS", "{slots}"]

[[cluster.orders]]
say = ["CLUSTER", "SET-CONFIG-EPOCH", "{number}"]

[[cluster.orders]]
of-each = "later"
say = ["CLUSTER", "MEET", "{other-host}", "{other-port}"]
until = { ask = ["CLUSTER", "NODES"], has = "{other-id}" }

[[cluster.orders]]
to = "replicas"
say = ["PING"]
until = { ask = ["CLUSTER", "NODES"], has = "{master-id}" }

[[cluster.orders]]
to = "replicas"
say = ["CLUSTER", "REPLICATE", "{master-id}"]
until = { ask = ["INFO", "replication"], has = "master_link_status:up" }
"#;

#[test]
fn a_cluster_of_a_server_with_a_profile_is_started_used_stopped_and_started_again() {
    let lab = Lab::new();
    lab.up(&["--topology", "standalone"]);
    let program = lab.open().record().program.clone();
    lab.shardlab(["down", "-q"]).assert().success();
    let folder = tempfile::tempdir().unwrap();
    symlink(program, folder.path().join("mine-server")).unwrap();
    let profile = folder.path().join("mine.toml");
    fs::write(&profile, PROFILE).unwrap();

    let asked = ["--password", "secret", "--set", "maxmemory=50000000"];
    let up = lab.up(&[&["--profile", profile.to_str().unwrap()][..], &asked].concat());
    assert_eq!(up["server"]["product"], "mine");
    assert_eq!(up["server"]["version"], "0.1.0");
    assert_eq!(up["nodes"].as_array().unwrap().len(), 6);
    let says = |command: &[&str]| {
        let output = lab
            .shardlab([&["call"], command].concat())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{command:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    };
    assert_eq!(says(&["SET", "greeting", "hello"]), "OK\n");
    assert_eq!(
        says(&["n1", "CONFIG", "GET", "maxmemory"]),
        "1) \"maxmemory\"\n2) \"50000000\"\n"
    );
    for verb in ["stop", "start"] {
        lab.shardlab([verb, "-q"]).assert().success();
    }
    assert_eq!(says(&["GET", "greeting"]), "\"hello\"\n");
    lab.shardlab(["down", "-q"]).assert().success();
    lab.assert_empty();
}
