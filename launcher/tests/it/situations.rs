//! What falls between the commands: each one in situations that another one has made.

use crate::lab::Lab;
use crate::members::stranger;

#[test]
fn a_server_that_is_not_ours_is_refused_by_name_and_spared_otherwise() {
    let (lab, others) = (Lab::new(), Lab::new());
    let before = lab.up(&["--masters", "1", "--replicas", "0"]);
    let bare = ["--replicas", "0", "--boot", "none"];
    let address = stranger(&others, &bare).to_string();
    let status = others
        .shardlab(["status", "-n", "other"])
        .assert()
        .success();
    let status = String::from_utf8_lossy(&status.get_output().stdout).into_owned();
    assert!(status.contains("the nodes are bare"), "{status}");
    lab.shardlab(["add-node", "--existing", &address, "-q"])
        .assert()
        .success();
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    for verb in [
        "kill", "pause", "resume", "stop", "start", "restart", "wipe",
    ] {
        let errors = lab.refused(&[verb, "n2"], 2);
        assert!(
            errors.contains("was not started by shardlab"),
            "{verb}: {errors}"
        );
        assert!(errors.contains("del-node n2"), "{verb}: {errors}");
    }
    let rolling = lab.refused(&["restart", "--rolling", "n2"], 2);
    assert!(rolling.contains("was not started by shardlab"), "{rolling}");
    lab.shardlab(["reshard", "--slots", "9", "--to", "n2", "-q"])
        .assert()
        .success();
    let after = lab.json(["status", "--json"]);
    assert_eq!(after["nodes"][0]["pid"], before["nodes"][0]["pid"]);
    assert_eq!(after["nodes"][0]["keys"], 1, "nothing of ours was touched");
    assert_eq!(after["nodes"][1]["slots"], serde_json::json!(["0-8"]));

    let wiped = lab.json(["wipe", "--json"]);
    assert_eq!(wiped["wiped"], serde_json::json!(["n1"]));
    assert_eq!(others.processes().len(), 1);
    lab.shardlab(["down", "-q"]).assert().success();
    assert_eq!(others.processes().len(), 1);
}

#[test]
fn without_cluster_mode_what_is_about_slots_is_a_usage_error() {
    let lab = Lab::new();
    lab.up(&["--topology", "standalone"]);
    let commands: [&[&str]; 9] = [
        &["reshard", "--slots", "1", "--to", "n1"],
        &["reshard", "--slots", "1", "--to", "n1", "--dry-run"],
        &["rebalance"],
        &["add-node"],
        &["del-node", "n1"],
        &["scale", "--masters", "2"],
        &["check"],
        &["fix"],
        &["fix", "--dry-run"],
    ];
    for command in commands {
        let errors = lab.refused(command, 2);
        assert!(
            errors.contains("the topology `standalone`, and this command works only on a cluster"),
            "{command:?}: {errors}"
        );
    }
    lab.shardlab(["stop", "-q"]).assert().success();
    let stopped = lab.refused(&["rebalance"], 2);
    assert!(stopped.contains("works only on a cluster"), "{stopped}");
}

#[test]
fn what_meets_a_paused_node_says_so() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--replicas", "0"]);
    lab.shardlab(["pause", "n2", "-q"]).assert().success();
    let archive = lab.home().join("lab.shardlab");
    let commands: [&[&str]; 4] = [
        &["restart", "--rolling"],
        &["add-node"],
        &["scale", "--masters", "3"],
        &["save", archive.to_str().unwrap()],
    ];
    for command in commands {
        let errors = lab.refused(command, 3);
        assert!(
            errors.contains("error: node `n2` is paused\n"),
            "{command:?}: {errors}"
        );
        assert!(errors.contains("shardlab resume n2"), "{errors}");
    }
    for args in [["wait", "--timeout", "1s"], ["up", "--timeout", "1s"]] {
        let errors = lab.refused(&args, 4);
        assert!(
            errors.starts_with("waiting for `n2`, which is paused"),
            "{errors}"
        );
        assert!(
            errors.contains("n2 does not answer: it is paused\n"),
            "{errors}"
        );
    }
    let check = lab.shardlab(["check"]).output().unwrap();
    let check = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.contains("does not answer: it is paused"), "{check}");
    assert!(check.contains("fix: `shardlab resume n2`"), "{check}");
}

#[test]
fn a_call_passes_over_a_node_that_is_silent_and_names_the_one_it_needs() {
    let lab = Lab::new();
    let shape = ["--masters", "3", "--replicas", "0", "--password", "secret"];
    lab.up(&shape);
    lab.shardlab(["pause", "n1", "-q"]).assert().success();
    lab.shardlab(["call", "--timeout", "60s", "PING"])
        .assert()
        .success()
        .stdout_eq("PONG\n");
    let silent = |args: &[&str], node: &str| {
        let errors = lab.refused(args, 3);
        let named = format!("error: node `{node}` is paused\n");
        assert!(errors.starts_with(&named), "{args:?}: {errors}");
    };
    // `bar` is in slot 5061, which is n1's.
    silent(&["call", "--timeout", "2s", "GET", "bar"], "n1");
    lab.shardlab(["pause", "n2", "n3", "-q"]).assert().success();
    silent(&["call", "--timeout", "2s", "PING"], "n1");
    // `foo` is in slot 12182, which is n3's.
    silent(&["call", "--timeout", "2s", "GET", "foo"], "n3");
}

/// Neither a replica that is silent nor the time that is spent on it keeps a command from the master.
#[test]
fn a_call_to_the_only_master_has_time_left_when_a_replica_is_silent() {
    let lab = Lab::new();
    lab.up(&["--topology", "replication"]);
    lab.shardlab(["pause", "r1", "-q"]).assert().success();
    let set = ["call", "--timeout", "4s", "SET", "a", "1"];
    lab.shardlab(set).assert().success().stdout_eq("OK\n");
    // It is still the master, whoever else would answer.
    lab.shardlab(["pause", "n1", "-q"]).assert().success();
    let set = ["call", "--timeout", "2s", "SET", "a", "1"];
    let errors = lab.refused(&set, 3);
    assert!(
        errors.starts_with("error: node `n1` is paused\n"),
        "{errors}"
    );
}

#[test]
fn slots_that_are_on_their_way_are_told_of_and_not_saved() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--replicas", "0"]);
    let journal = lab.home().join("default/reshape.json");
    let command = "shardlab reshard --slots 1 --to n1 --from n2";
    let begun = format!(
        r#"{{"schema": 1, "command": "{command}", "moves": [{{"slots": "8192", "from": "n2", "to": "n1"}}]}}"#
    );
    std::fs::write(&journal, begun).unwrap();
    for verb in ["start", "up"] {
        let output = lab.shardlab([verb]).assert().success();
        let told = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(told.contains(command), "{verb}: {told}");
        assert!(told.contains("`shardlab fix`"), "{verb}: {told}");
    }
    let archive = lab.home().join("lab.shardlab");
    let errors = lab.refused(&["save", archive.to_str().unwrap()], 3);
    assert!(
        errors.contains(&format!("`{command}` was interrupted")),
        "{errors}"
    );
    lab.shardlab(["wipe", "-q"]).assert().success();
    assert!(!journal.exists(), "what was wiped is not on its way");
}

#[test]
fn a_node_that_does_not_exist_is_not_sent_as_a_command() {
    let lab = Lab::new();
    lab.up(&["--topology", "standalone"]);
    for (verb, node) in [("call", "n9"), ("call", "7999"), ("cli", "n9")] {
        let errors = lab.refused(&[verb, node, "PING"], 2);
        assert!(errors.contains(&format!("no node `{node}`")), "{errors}");
    }
    let archive = lab.home().join("lab.shardlab");
    let archive = archive.to_str().unwrap();
    lab.shardlab(["save", archive, "-q"]).assert().success();
    let other = [
        "up",
        "-n",
        "other",
        "--from",
        archive,
        "--topology",
        "sentinel",
    ];
    let errors = lab.refused(&other, 2);
    assert!(errors.contains("its topology is `standalone`"), "{errors}");
}

#[test]
fn options_of_every_command_may_be_given_twice() {
    let lab = Lab::new();
    lab.shardlab(["-q", "ls", "-q"]).assert().success();
    lab.shardlab(["-v", "ls", "-v"]).assert().success();
    let both = lab.refused(&["ls", "-v", "-q"], 2);
    assert!(both.contains("cannot be used with"), "{both}");
}

#[test]
fn what_breaks_and_stops_nodes_reports_as_json() {
    let lab = Lab::new();
    lab.up(&["--masters", "2", "--replicas", "0"]);
    let paused = lab.json(["pause", "n1", "--json"]);
    assert_eq!(paused["paused"], serde_json::json!(["n1"]));
    let kept = lab.json(["kill", "n1", "--signal", "WINCH", "--json"]);
    assert_eq!(kept["signal"], "WINCH");
    assert_eq!(kept["nodes"][0]["effect"], "kept");
    let resumed = lab.json(["resume", "--json"]);
    assert_eq!(resumed["resumed"], serde_json::json!(["n1"]));
    let killed = lab.json(["kill", "n2", "--json"]);
    assert_eq!(
        killed["nodes"],
        serde_json::json!([{"node": "n2", "effect": "ended"}])
    );
    lab.json(["start", "--json"]);
    let held = lab.json(["pause", "n1", "--for", "10ms", "--json"]);
    assert_eq!(held["paused"], held["resumed"]);
    let stopped = lab.json(["stop", "--json"]);
    assert_eq!(stopped["stopped"], serde_json::json!(["n1", "n2"]));
    for report in [paused, kept, resumed, killed, held, stopped] {
        assert_eq!(report["schema"], 2);
        assert_eq!(report["cluster"], "default");
    }
}

/// How many keys the masters have.
fn keys(lab: &Lab, name: &str) -> u64 {
    let report = lab.json(["status", "-n", name, "--json"]);
    let nodes = report["nodes"].as_array().unwrap().iter();
    let masters = nodes.filter(|node| node["role"] == "master");
    masters.map(|node| node["keys"].as_u64().unwrap()).sum()
}

#[test]
fn what_is_kept_in_memory_only_is_gone_after_a_restart_also_when_it_came_from_a_file() {
    let lab = Lab::new();
    let by_file = ["--set", "repl-diskless-sync=no", "--ephemeral"];
    lab.up(&[&by_file[..], &["--masters", "2", "--replicas", "1,0"]].concat());
    for (node, key) in [("n1", "b"), ("n2", "a")] {
        lab.shardlab(["call", node, "SET", key, "1"])
            .assert()
            .success();
    }
    // A replica that has lost its data is given a copy of its master's.
    lab.shardlab(["restart", "r1", "-q"]).assert().success();
    let archive = lab.home().join("lab.shardlab");
    let archive = archive.to_str().unwrap();
    lab.shardlab(["save", archive]).assert().success();
    assert_eq!(keys(&lab, "default"), 2);
    lab.shardlab(["restart", "-q"]).assert().success();
    assert_eq!(keys(&lab, "default"), 0);

    lab.shardlab([
        "up", "-q", "-n", "copy", "--port", "auto", "--from", archive,
    ])
    .assert()
    .success();
    assert_eq!(keys(&lab, "copy"), 2);
    lab.shardlab(["restart", "-n", "copy", "-q"])
        .assert()
        .success();
    assert_eq!(keys(&lab, "copy"), 0);
}

#[test]
fn a_start_in_which_a_server_dies_leaves_nothing_bent_and_says_the_next_step() {
    let lab = Lab::new();
    let report = lab.up(&["-n", "set", "--topology", "sentinel", "--replicas", "1"]);
    lab.shardlab(["stop", "-n", "set", "-q"]).assert().success();
    let conf = std::path::Path::new(report["nodes"][1]["dir"].as_str().unwrap()).join("node.conf");
    let sound = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, format!("{sound}no-such-directive 1\n")).unwrap();
    let errors = lab.refused(&["start", "-n", "set"], 3);
    assert!(errors.contains("no-such-directive"), "{errors}");
    assert!(errors.contains("`shardlab logs -n set r1`"), "{errors}");
    let ping = lab.shardlab([
        "-n",
        "set",
        "call",
        "n1",
        "CONFIG",
        "GET",
        "repl-ping-replica-period",
    ]);
    let ping = ping.assert().success();
    let ping = String::from_utf8_lossy(&ping.get_output().stdout).into_owned();
    assert!(ping.contains("\"10\""), "{ping}");

    std::fs::write(&conf, sound).unwrap();
    lab.shardlab(["start", "-n", "set", "-q"])
        .assert()
        .success();
}

#[test]
fn a_plan_has_the_columns_of_its_topology() {
    let lab = Lab::new();
    let head = |topology| {
        let plan = lab.shardlab(["up", "--dry-run", "--port", "auto", "--topology", topology]);
        let plan = plan.assert().success();
        let plan = String::from_utf8_lossy(&plan.get_output().stdout).into_owned();
        let head = plan.lines().nth(1).unwrap_or_default();
        head.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(head("cluster"), "NODE PORT BUS ROLE SLOTS");
    assert_eq!(head("replication"), "NODE PORT ROLE");
}

#[test]
fn of_a_node_that_is_silent_status_tells_what_the_others_say() {
    let lab = Lab::new();
    lab.up(&["--node-timeout", "1s"]);
    lab.shardlab(["failover", "n1", "--mode", "crash", "--leave-dead", "-q"])
        .assert()
        .success();
    let report = lab.json(["status", "--json"]);
    assert_eq!(report["nodes"][0]["pid"], serde_json::Value::Null);
    assert_eq!(
        report["nodes"][0]["slots"],
        serde_json::json!([]),
        "they are its replica's now, whatever its own file says"
    );
    assert_eq!(report["nodes"][3]["slots"], serde_json::json!(["0-5460"]));

    lab.shardlab(["pause", "n2", "-q"]).assert().success();
    let report = lab.json(["status", "--json"]);
    assert_eq!(
        report["nodes"][1]["slots"],
        serde_json::json!(["5461-10922"])
    );
    assert_eq!(report["nodes"][4]["master"], "n2");
}
