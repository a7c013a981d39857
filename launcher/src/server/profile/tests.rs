//! Profiles that are read, and those that are refused.

use super::formation::{Command, NewNode};
use super::{Profile, ProfileProblem};
use crate::machine::signal::Signal;

const LEAST: &str = r#"
name = "mine"
programs = ["mine-server"]

[version]
lines = ["mine {version}"]

[start]
arguments = ["--port", "{port}"]
"#;

fn members() -> Vec<NewNode> {
    let member = |name: &str, port, master, slots: &[(u16, u16)]| NewNode {
        name: name.to_owned(),
        id: format!("id-{name}"),
        host: "127.0.0.1".to_owned(),
        port,
        bus: Some(port + 10_000),
        master,
        slots: slots.to_vec(),
    };
    vec![
        member("n1", 7001, None, &[(0, 2), (9, 9)]),
        member("n2", 7002, None, &[]),
        member("r1", 7003, Some(0), &[]),
    ]
}

fn profile(text: &str) -> Profile {
    Profile::parse(&format!("{LEAST}{text}")).unwrap()
}

/// All commands, as `index: words`.
fn commands(text: &str) -> Vec<String> {
    let profile = profile(text);
    let orders = profile.cluster.orders.iter();
    let commands = orders.flat_map(|order| profile.cluster.commands(order, &members()).unwrap());
    commands
        .map(|Command { node, words, until }| {
            let until = until.map(|sign| format!(", {sign}")).unwrap_or_default();
            format!("{node}: {}{until}", words.join(" "))
        })
        .collect()
}

#[test]
fn the_least_that_a_profile_says_is_how_to_start() {
    let profile = profile("");
    assert_eq!(profile.version.arguments, ["--version"]);
    assert_eq!(profile.stop_signal().unwrap(), Signal::TERM);
    assert!(profile.cluster.orders.is_empty() && profile.lacks.is_empty());
}

#[test]
fn an_order_goes_to_those_that_it_is_for_with_their_own_values() {
    let told = commands(
        r#"
[[cluster.orders]]
to = "masters"
say = ["CLUSTER", "ADDSLOTSRANGE", "{ranges}"]
[[cluster.orders]]
to = "first"
of-each = "other"
say = ["CLUSTER", "MEET", "{other-host}", "{other-port}"]
[[cluster.orders]]
to = "replicas"
say = ["CLUSTER", "REPLICATE", "{master-id}"]
until = { ask = ["CLUSTER", "NODES"], has = "slave {master-id}" }
[[cluster.orders]]
of-each = "later"
say = ["GREET", "{other-id}"]
"#,
    );
    assert_eq!(
        told,
        [
            "0: CLUSTER ADDSLOTSRANGE 0 2 9 9",
            "0: CLUSTER MEET 127.0.0.1 7002",
            "0: CLUSTER MEET 127.0.0.1 7003",
            "2: CLUSTER REPLICATE id-n1, waiting for `slave id-n1` in the answer to CLUSTER NODES",
            "0: GREET id-n2",
            "0: GREET id-r1",
            "1: GREET id-r1",
        ]
    );
}

#[test]
fn a_cluster_is_ready_as_the_profile_says_or_when_all_slots_are_served() {
    let signs = |text: &str, clustered| {
        let signs = profile(text).ready(clustered);
        signs.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let usual = "waiting for `cluster_state:ok` in the answer to CLUSTER INFO";
    assert_eq!(signs("", true), [usual]);
    let own = "[[ready]]\nask = [\"A\"]\nhas = \"b\"\n";
    assert_eq!(signs(own, true), ["waiting for `b` in the answer to A"]);
    assert!(signs("", false).is_empty() && signs(own, false).is_empty());
}

#[test]
fn what_nodes_are_told_of_each_other_is_seen_in_the_orders() {
    for (orders, replicas, ids) in [
        ("", false, false),
        ("say = [\"A\", \"{ranges}\"]", false, false),
        (
            "say = [\"A\", \"{other-id}\"]\nof-each = \"other\"",
            false,
            true,
        ),
        ("say = [\"A\", \"{master-host}\"]", true, false),
        ("say = [\"A\"]\nto = \"replicas\"", true, false),
        ("say = [\"A\", \"{nodes}\"]", true, true),
        (
            "say = [\"A\", \"{nodes}\"]\n[cluster]\nnode-line = \"{host} {slots}\"",
            false,
            false,
        ),
    ] {
        let orders = if orders.is_empty() {
            String::new()
        } else {
            format!("[[cluster.orders]]\n{orders}\n")
        };
        let profile = profile(&orders);
        let told = (profile.makes_replicas(), profile.cluster.tells_ids());
        assert_eq!(told, (replicas, ids), "{orders}");
    }
}

#[test]
fn all_nodes_are_one_text_of_lines_or_json() {
    let lines = commands(
        r#"
[cluster]
node-line = "{id} {host} {port} {role} {master-id} {slots}"
[[cluster.orders]]
to = "first"
say = ["CLUSTERX", "SETNODES", "{nodes}", "1"]
"#,
    );
    assert_eq!(
        lines,
        ["0: CLUSTERX SETNODES id-n1 127.0.0.1 7001 master - 0-2 9\n\
          id-n2 127.0.0.1 7002 master -\n\
          id-r1 127.0.0.1 7003 slave id-n1 1"]
    );
    let program = profile("[cluster]\nprogram = [\"./form\", \"{nodes}\"]\n");
    let words = program.cluster.program(&members()).unwrap();
    let nodes: serde_json::Value = serde_json::from_str(&words[1]).unwrap();
    assert_eq!(nodes[0]["slots"], serde_json::json!([[0, 2], [9, 9]]));
    assert_eq!(nodes[2]["master"], "n1");
}

#[test]
fn the_profiles_beside_the_project_can_be_read_and_filled_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let profiles = files.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let mut names = Vec::new();
    for path in profiles {
        let profile = Profile::read(&path).unwrap();
        for order in &profile.cluster.orders {
            profile.cluster.commands(order, &members()).unwrap();
        }
        profile.cluster.program(&members()).unwrap();
        names.push(profile.name);
    }
    assert!(names.iter().any(|name| name == "ember"), "{names:?}");
}

#[test]
fn a_mistake_is_shown_at_its_place() {
    let shown = |text: &str| Profile::parse(text).unwrap_err().to_string();
    let unknown = shown(&LEAST.replace("arguments", "argumnts"));
    assert!(
        unknown.contains("line 9") && unknown.contains("argumnts"),
        "{unknown}"
    );
    let place = shown(&LEAST.replace("{port}", "{prt}"));
    assert!(
        place.contains("line 9") && place.contains("did you mean `{port}`?"),
        "{place}"
    );
    assert!(shown("name = ").contains("line 1"));
}

#[test]
fn what_cannot_be_is_refused() {
    for (from, to, message) in [
        ("\"mine\"", "\"redis\"", "is a product that shardlab knows"),
        ("\"mine\"", "\"a b\"", "at most 32 letters"),
        ("lines = [\"mine {version}\"]", "", "neither `lines`"),
        ("[start]", "[lineage]\n[start]", "`lineage` and `stand-ins`"),
        (
            "[start]",
            "[stop]\nsignal = \"KIL\"\n[start]",
            "did you mean `KILL`?",
        ),
        (
            "[start]",
            "[cluster]\nprogram = [\"./form\", \"{host}\"]\n[start]",
            "`cluster.program`: `{host}` has no value here",
        ),
        (
            "[start]",
            "[[cluster.orders]]\nsay = [\"MEET\", \"{other-host}\"]\n[start]",
            "`cluster.orders`: `{other-host}` has no value here",
        ),
        (
            "{port}",
            "{nodes}",
            "`start.arguments`: `{nodes}` has no value here",
        ),
        ("{port}", "{password}", "`{password}` has no value here"),
        (
            "{port}",
            "{config}",
            "`start.config` does not say what is in it",
        ),
        (
            "arguments",
            "ports-in-a-row = 0\narguments",
            "is at least 1",
        ),
    ] {
        let problem = Profile::parse(&LEAST.replace(from, to)).unwrap_err();
        assert!(matches!(problem, ProfileProblem::Sense(_)), "{problem}");
        assert!(problem.to_string().contains(message), "{problem}");
    }
}
