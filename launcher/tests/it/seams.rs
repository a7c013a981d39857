//! What falls between the commands: each one in situations that another one has made.

use crate::lab::Lab;
use crate::members::stranger;

/// What the program says when it refuses.
#[track_caller]
fn refused(lab: &Lab, args: &[&str], code: i32) -> String {
    let output = lab.shardlab(args).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "",
        "{args:?}: a refusal is no data"
    );
    errors
}

#[test]
fn a_server_that_is_not_ours_is_refused_by_name_and_spared_otherwise() {
    let (lab, others) = (Lab::new(), Lab::new());
    let before = lab.up(&["--masters", "1", "--replicas", "0"]);
    let bare = ["--replicas", "0", "--boot", "none"];
    let address = stranger(&others, &bare).to_string();
    lab.shardlab(["add-node", "--existing", &address, "-q"])
        .assert()
        .success();
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    for verb in [
        "kill", "pause", "resume", "stop", "start", "restart", "wipe",
    ] {
        let errors = refused(&lab, &[verb, "n2"], 2);
        assert!(
            errors.contains("was not started by shardlab"),
            "{verb}: {errors}"
        );
        assert!(errors.contains("del-node n2"), "{verb}: {errors}");
    }
    let rolling = refused(&lab, &["restart", "--rolling", "n2"], 2);
    assert!(rolling.contains("was not started by shardlab"), "{rolling}");
    let after = lab.json(["status", "--json"]);
    assert_eq!(after["nodes"][0]["pid"], before["nodes"][0]["pid"]);
    assert_eq!(after["nodes"][0]["keys"], 1, "nothing of ours was touched");

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
        let errors = refused(&lab, command, 2);
        assert!(
            errors.contains("of the topology `standalone`: only clusters have slots"),
            "{command:?}: {errors}"
        );
    }
    lab.shardlab(["stop", "-q"]).assert().success();
    let stopped = refused(&lab, &["rebalance"], 2);
    assert!(stopped.contains("only clusters have slots"), "{stopped}");
}

#[test]
fn a_node_that_is_paused_is_said_to_be_and_not_waited_for() {
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
        let errors = refused(&lab, command, 3);
        assert!(
            errors.contains("error: node `n2` is paused\n"),
            "{command:?}: {errors}"
        );
        assert!(errors.contains("shardlab resume n2"), "{errors}");
    }
    let check = lab.shardlab(["check"]).output().unwrap();
    let check = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.contains("does not answer: it is paused"), "{check}");
    assert!(check.contains("mend: `shardlab resume n2`"), "{check}");
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
    let errors = refused(&lab, &["save", archive.to_str().unwrap()], 3);
    assert!(
        errors.contains(&format!("`{command}` was interrupted")),
        "{errors}"
    );
    lab.shardlab(["wipe", "-q"]).assert().success();
    assert!(!journal.exists(), "what was wiped is not on its way");
}

#[test]
fn options_of_every_command_may_be_given_twice() {
    let lab = Lab::new();
    lab.shardlab(["-q", "ls", "-q"]).assert().success();
    lab.shardlab(["-v", "ls", "-v"]).assert().success();
    let both = refused(&lab, &["ls", "-v", "-q"], 2);
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
        serde_json::json!([{"name": "n2", "effect": "ended"}])
    );
    lab.json(["start", "--json"]);
    let held = lab.json(["pause", "n1", "--for", "10ms", "--json"]);
    assert_eq!(held["paused"], held["resumed"]);
    let stopped = lab.json(["stop", "--json"]);
    assert_eq!(stopped["stopped"], serde_json::json!(["n1", "n2"]));
    for report in [paused, kept, resumed, killed, held, stopped] {
        assert_eq!(report["schema"], 1);
        assert_eq!(report["name"], "default");
    }
}
