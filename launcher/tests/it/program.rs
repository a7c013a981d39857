//! The program's commands on a cluster that lives on between them.

use crate::lab::{Lab, text};

#[test]
fn a_cluster_lives_from_up_to_down() {
    let lab = Lab::new();
    let report = lab.up(&[]);
    assert_eq!(report["schema"], 2);
    assert_eq!(report["rung"], "ready");
    assert_eq!(report["state"], "running");
    let nodes = report["nodes"].as_array().unwrap();
    let names: Vec<_> = nodes
        .iter()
        .map(|node| node["node"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["n1", "n2", "n3", "r1", "r2", "r3"]);
    assert_eq!(nodes[3]["master"], "n1");
    assert!(
        nodes
            .iter()
            .all(|node| node["reached_ms"]["ready"].is_f64()),
        "{report:#}"
    );

    // Once more: it runs already, and the same is told.
    let output = lab.shardlab(["up", "--json"]).output().unwrap();
    assert!(output.status.success());
    assert!(
        text(&output.stderr).contains("the cluster `default` is already running"),
        "{}",
        text(&output.stderr)
    );
    let again: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(again["nodes"][0]["pid"], nodes[0]["pid"]);

    let other = lab
        .shardlab(["up", "--masters", "5", "--ephemeral"])
        .output()
        .unwrap();
    assert_eq!(other.status.code(), Some(2));
    let complaint = text(&other.stderr);
    assert!(
        complaint.contains("`--masters` is 3; its data is kept in a file"),
        "{complaint}"
    );

    lab.shardlab(["call", "SET", "greeting", "hello"])
        .assert()
        .success()
        .stdout_eq("OK\n");
    lab.shardlab(["call", "GET", "greeting"])
        .assert()
        .success()
        .stdout_eq("\"hello\"\n");
    lab.shardlab(["call", "n1", "GET", "a"])
        .assert()
        .code(1)
        .stdout_eq("(error) MOVED 15495 127.[..]:[..]\n");
    let roles = lab.json(["call", "--replicas", "--json", "ROLE"]);
    assert_eq!(roles["replies"].as_array().unwrap().len(), 3);
    lab.shardlab(["wait", "--for", "ready", "--for", "r1=replica"])
        .assert()
        .success();
    lab.shardlab(["wait", "--for", "visible"])
        .assert()
        .success();
    lab.shardlab(["wait", "--for", "r1=master", "--timeout", "0s"])
        .assert()
        .code(4);
    let logs = lab
        .shardlab(["logs", "n1", "--lines", "2"])
        .output()
        .unwrap();
    assert_eq!(text(&logs.stdout).lines().count(), 2);

    lab.shardlab(["stop"]).assert().success();
    assert_eq!(lab.processes().len(), 0);
    assert_eq!(
        lab.json(["ls", "--json"])["clusters"][0]["state"],
        "stopped"
    );
    lab.shardlab(["call", "PING"]).assert().code(3);
    lab.shardlab(["up", "--timeout", "120s"]).assert().success();
    lab.shardlab(["call", "GET", "greeting"])
        .assert()
        .success()
        .stdout_eq("\"hello\"\n");
    let ids = |report: &serde_json::Value| -> Vec<String> {
        report["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["id"].to_string())
            .collect()
    };
    assert_eq!(
        ids(&lab.json(["status", "--json"])),
        ids(&report),
        "the nodes are the same ones"
    );

    lab.shardlab(["down"]).assert().success();
    lab.assert_empty();
    lab.shardlab(["down"]).assert().success();
}

#[test]
fn one_node_is_stopped_and_started_by_name_or_port() {
    let lab = Lab::new();
    let report = lab.up(&["--masters", "1", "--replicas", "1", "--node-timeout", "1s"]);
    let port = report["nodes"][1]["port"].to_string();
    lab.shardlab(["stop", port.as_str()]).assert().success();
    let status = lab.json(["status", "--json"]);
    assert_eq!(status["state"], "degraded");
    assert!(status["nodes"][1]["pid"].is_null());
    lab.shardlab(["start", "r1", "--timeout", "120s"])
        .assert()
        .success();
    assert_eq!(lab.json(["status", "--json"])["rung"], "ready");
    lab.shardlab(["stop", "n7"])
        .assert()
        .code(2)
        .stderr_eq("error: the cluster `default` has no node `n7`; its nodes are n1, r1\n");
}

#[test]
fn env_is_ready_for_every_shell() {
    let lab = Lab::new();
    let report = lab.up(&["--masters", "1", "--replicas", "0"]);
    let url = report["url"].as_str().unwrap();
    let env = |shell: &str| {
        text(
            &lab.shardlab(["env", "--shell", shell])
                .output()
                .unwrap()
                .stdout,
        )
    };
    assert!(env("sh").contains(&format!("export REDIS_URL='{url}'\n")));
    assert!(env("fish").contains(&format!("set -gx REDIS_URL '{url}'\n")));
    assert!(env("dotenv").contains(&format!("REDIS_URL=\"{url}\"\n")));
    let json: serde_json::Value = serde_json::from_str(&env("json")).unwrap();
    assert_eq!(json["REDIS_URL"], url);
}

#[test]
fn a_dry_run_starts_nothing() {
    let lab = Lab::new();
    let plan = lab.json([
        "up",
        "--dry-run",
        "--json",
        "--port",
        "auto",
        "--masters",
        "2",
    ]);
    assert_eq!(plan["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(plan["nodes"][0]["slots"], serde_json::json!(["0-8191"]));
    lab.assert_empty();
}

#[test]
fn what_is_not_there_is_named() {
    let lab = Lab::new();
    lab.shardlab(["status", "-n", "nobody"])
        .assert()
        .code(2)
        .stderr_eq("error: the cluster `nobody` does not exist\n\nhint: `shardlab up -n nobody` starts it; `shardlab ls` lists what there is\n");
    lab.shardlab(["stop", "-n", "nobody"]).assert().code(2);
    lab.assert_empty();
}

#[test]
fn the_same_ports_are_not_given_twice() {
    let lab = Lab::new();
    let port = lab.up(&["--masters", "1", "--replicas", "0"])["nodes"][0]["port"].to_string();
    lab.shardlab(["stop"]).assert().success();
    let other = lab.up(&["-n", "other", "--masters", "1", "--replicas", "0"]);
    assert_ne!(
        other["nodes"][0]["port"].to_string(),
        port,
        "a stopped cluster keeps its ports"
    );
    let clash = [
        "up",
        "-n",
        "third",
        "--bind",
        lab.address(),
        "--masters",
        "1",
        "--replicas",
        "0",
        "--port",
        &other["nodes"][0]["port"].to_string(),
    ];
    let output = lab.shardlab(clash).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output.stderr).contains("is taken by node `n1` of the cluster `other`"),
        "{}",
        text(&output.stderr)
    );
    lab.shardlab(["down", "--all"]).assert().success();
    lab.assert_empty();
}

#[test]
fn what_others_have_put_into_the_state_folder_stays() {
    let lab = Lab::new();
    let report = lab.up(&["--masters", "1", "--replicas", "0"]);
    let precious = [
        lab.home().join("mine/file"),
        lab.home().join("default/file"),
        lab.home().join("file"),
    ];
    for file in &precious {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "data").unwrap();
    }
    lab.shardlab(["down", "-n", "mine"]).assert().success();
    lab.shardlab(["down"]).assert().success();
    lab.shardlab([
        "run",
        "-q",
        "--masters",
        "1",
        "--replicas",
        "0",
        "--",
        "true",
    ])
    .assert()
    .success();
    for file in &precious {
        assert_eq!(
            std::fs::read_to_string(file).unwrap(),
            "data",
            "{}",
            file.display()
        );
    }
    assert!(
        !lab.home()
            .join("default")
            .join(report["nodes"][0]["port"].to_string())
            .exists()
    );
    assert_eq!(
        lab.json(["ls", "--json"])["clusters"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    lab.assert_no_process();
}

#[test]
fn logs_end_with_their_reader() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    let mut follower = lab.spawn(["logs", "-f"], std::process::Stdio::piped());
    drop(follower.stdout.take());
    let ended = shardlab::machine::wait::until_blocking(
        shardlab::machine::wait::Deadline::after(crate::lab::PATIENCE),
        std::time::Duration::from_millis(20),
        || match follower.try_wait().unwrap() {
            Some(_) => std::ops::ControlFlow::Break(()),
            None => std::ops::ControlFlow::Continue(()),
        },
    );
    if ended.is_err() {
        follower.kill().unwrap();
    }
    assert_eq!(ended, Ok(()));
}

#[test]
fn a_cluster_that_is_not_waited_for_is_formed_all_the_same() {
    let lab = Lab::new();
    lab.up(&["--boot", "commands", "--wait", "listening"]);
    lab.shardlab(["wait", "--for", "ready", "--timeout", "120s"])
        .assert()
        .success();
}

#[test]
fn a_cluster_that_cannot_be_removed_does_not_keep_the_others() {
    let lab = Lab::new();
    lab.up(&["-n", "blue", "--masters", "1", "--replicas", "0"]);
    let damaged = lab.home().join("amber");
    let lock = damaged.join("shardlab.lock");
    std::fs::create_dir_all(&lock).unwrap();
    lab.shardlab(["down", "--all"]).assert().code(3);
    lab.assert_no_process();
    std::fs::remove_dir(&lock).unwrap();
    std::fs::write(&lock, "").unwrap();
    lab.shardlab(["down", "--all", "-q"]).assert().success();
    lab.assert_empty();
}

#[test]
fn a_restart_that_is_late_leaves_the_users_settings() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    lab.shardlab(["stop", "-q"]).assert().success();
    let output = lab
        .shardlab(["start", "-q", "--timeout", "1ms"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("removed"));
    lab.shardlab(["call", "n1", "CONFIG", "GET", "cluster-node-timeout"])
        .assert()
        .success()
        .stdout_eq("1) \"cluster-node-timeout\"\n2) \"5000\"\n");
}

#[test]
fn a_start_that_was_interrupted_is_not_taken_for_a_cluster() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    let record = lab.home().join("default/cluster.json");
    let text = std::fs::read_to_string(&record).unwrap();
    let unfinished = text.replace("\"phase\": \"up\"", "\"phase\": \"starting\"");
    assert_ne!(text, unfinished);
    std::fs::write(&record, unfinished).unwrap();
    for command in ["start", "stop"] {
        lab.shardlab([command]).assert().code(3);
    }
    lab.shardlab(["down", "-q"]).assert().success();
    lab.assert_empty();
}
