//! What `status` tells, once and again and again, and what becomes of output that cannot be
//! written.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::lab::{Lab, text};

fn watching(lab: &Lab, args: &[&str]) -> Child {
    let watch = ["status", "--watch", "--every", "100ms"];
    lab.spawn([&watch[..], args].concat(), Stdio::piped())
}

#[test]
fn a_pipe_gets_one_look_after_the_other_and_its_end_is_the_end() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "1"]);
    let mut child = watching(&lab, &[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut look = || -> Vec<String> {
        lines
            .by_ref()
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty())
            .collect()
    };
    for _ in 0..2 {
        let look = look();
        assert!(
            look[0].starts_with("20") && look[0].ends_with('Z'),
            "{look:?}"
        );
        assert!(
            look[1].starts_with("cluster `default`: running"),
            "{look:?}"
        );
        assert!(look[2].starts_with("NODE  ADDRESS"), "{look:?}");
        assert!(look[4].contains("replica of n1"), "{look:?}");
        assert!(!look.concat().contains('\u{1b}'), "{look:?}");
    }
    drop(lines);
    assert!(child.wait().unwrap().success());
}

#[test]
fn every_look_is_one_object_on_one_line_until_the_cluster_is_gone() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "1"]);
    let mut child = watching(&lab, &["--json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let look: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(look["schema"], 2);
    assert!(look["time"].is_string());
    assert_eq!(look["nodes"][1]["master_link"], "up");
    assert!(look["nodes"][1]["lag_bytes"].is_u64(), "{look:#}");
    assert!(
        look["nodes"][0]["memory_bytes"].as_u64() > Some(0),
        "{look:#}"
    );
    assert_eq!(
        look["nodes"][0]["bus"],
        serde_json::json!({"connected": 1, "known": 1})
    );
    lab.shardlab(["down", "-q"]).assert().success();
    assert!(lines.all(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).is_ok()));
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_stopped_cluster_shows_what_its_nodes_will_be() {
    let lab = Lab::new();
    let before = lab.up(&["--masters", "1", "--replicas", "1", "--node-timeout", "1s"]);
    lab.shardlab(["call", "r1", "CLUSTER", "FAILOVER", "TAKEOVER"])
        .assert()
        .success();
    lab.shardlab([
        "wait",
        "--for",
        "n1=replica",
        "--for",
        "ready",
        "--timeout",
        "120s",
    ])
    .assert()
    .success();
    let running = lab.json(["status", "--json"]);
    lab.shardlab(["stop", "-q"]).assert().success();
    let stopped = lab.json(["status", "--json"]);
    assert_eq!(stopped["state"], "stopped");
    for at in [0, 1] {
        for field in ["id", "role", "master", "slots", "epoch", "port"] {
            assert_eq!(
                stopped["nodes"][at][field], running["nodes"][at][field],
                "{field}"
            );
        }
    }
    assert_eq!(stopped["nodes"][1]["slots"], before["nodes"][0]["slots"]);
    let told = text(&lab.shardlab(["status"]).output().unwrap().stdout);
    assert_eq!(
        told.lines().count(),
        4,
        "no line says why nobody answers:\n{told}"
    );

    // `up` starts it, with the same output as the first time, and as it was.
    let again = lab.json(["up", "--json", "--timeout", "120s"]);
    assert_eq!(again["rung"], "ready");
    for at in [0, 1] {
        for field in ["id", "role", "master", "slots", "epoch", "port"] {
            assert_eq!(
                again["nodes"][at][field], running["nodes"][at][field],
                "{field}"
            );
        }
    }
}

#[test]
fn a_start_that_was_killed_is_not_called_under_way() {
    let lab = Lab::new();
    lab.kill_when(&["up", "--port", "auto"], |lab| !lab.processes().is_empty());
    assert_eq!(lab.json(["status", "--json"])["state"], "interrupted");
    assert_eq!(
        lab.json(["ls", "--json"])["clusters"][0]["state"],
        "interrupted"
    );
}

#[test]
fn data_that_cannot_be_written_is_an_error() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "0"]);
    for args in [
        ["status"].as_slice(),
        &["status", "--json"],
        &["status", "--watch"],
        &["env"],
    ] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_shardlab"))
            .args(args)
            .env("SHARDLAB_HOME", lab.home())
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        let told = text(&output.stderr);
        assert!(
            told.contains("cannot write to standard output"),
            "{args:?}: {told}"
        );
    }
}

#[test]
fn a_dry_run_of_what_runs_starts_nothing_and_says_so() {
    let lab = Lab::new();
    lab.up(&["--masters", "1", "--replicas", "1"]);
    let output = lab
        .shardlab(["up", "--dry-run", "--json"])
        .output()
        .unwrap();
    assert!(text(&output.stderr).contains("is already running"));
    lab.shardlab(["stop", "r1", "-q"]).assert().success();
    let plan = lab.json(["up", "--dry-run", "--json"]);
    assert_eq!(plan["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(plan["nodes"][0]["node"], "r1");
    lab.shardlab(["up", "--dry-run", "--masters", "2"])
        .assert()
        .code(2);
    assert_eq!(lab.json(["status", "--json"])["state"], "degraded");
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let lab = Lab::new();
    lab.shardlab(["ls"])
        .env("SHARDLAB_NAME", "")
        .env("SHARDLAB_PASSWORD", "")
        .assert()
        .success();
    let plan = ["up", "--dry-run", "--json", "--port", "auto"];
    lab.shardlab(plan)
        .env("SHARDLAB_NAME", "")
        .env("SHARDLAB_PASSWORD", "")
        .assert()
        .success();
    let output = lab.shardlab(plan).arg("--password=").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("the value of '--password <PASSWORD>' is empty"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_quiet_start_tells_what_runs_and_no_more() {
    let lab = Lab::new();
    let args = [
        "up",
        "-q",
        "--port",
        "auto",
        "--masters",
        "1",
        "--replicas",
        "0",
        "--timeout",
        "120s",
    ];
    let output = lab.shardlab(args).output().unwrap();
    assert!(output.status.success());
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout).lines().count(),
        3,
        "{}",
        text(&output.stdout)
    );
}
