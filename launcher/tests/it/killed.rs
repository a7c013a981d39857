//! A launcher that is killed at any moment leaves nothing that `down` does not find.

use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::lab::{Lab, wait_until};

/// Moments that differ in what has been written and what runs.
const MOMENTS: [fn(&Lab) -> bool; 5] = [
    |lab| lab.home().exists(),
    |lab| files(lab) >= 2,
    |lab| !lab.processes().is_empty(),
    |lab| lab.processes().len() >= 4,
    |lab| lab.processes().len() >= 6 && files(lab) > 20,
];

fn files(lab: &Lab) -> usize {
    fn count(dir: &std::path::Path) -> usize {
        let Ok(entries) = std::fs::read_dir(dir) else {
            return 0;
        };
        entries
            .flatten()
            .map(|entry| 1 + count(&entry.path()))
            .sum()
    }
    count(&lab.home())
}

#[test]
fn down_finds_what_a_killed_up_has_left() {
    for moment in MOMENTS {
        let lab = Lab::new();
        lab.kill_when(&["up", "-q", "--port", "auto"], moment);
        lab.shardlab(["down", "-q"]).assert().success();
        lab.assert_empty();
    }
}

#[test]
fn the_next_up_is_whole_after_a_killed_one() {
    let lab = Lab::new();
    lab.kill_when(&["up", "-q", "--port", "auto"], MOMENTS[3]);
    assert_eq!(lab.up(&[])["rung"], "ready");
    assert_eq!(lab.processes().len(), 6, "the first one's nodes are gone");
}

#[test]
fn the_nodes_of_a_killed_run_end_by_themselves_and_its_folder_goes_with_the_next_command() {
    for moment in MOMENTS {
        let lab = Lab::new();
        lab.kill_when(&["run", "-q", "--", "sleep", "60"], moment);
        lab.assert_no_process();
        lab.shardlab(["down", "-q"]).assert().success();
        lab.assert_empty();
    }
}

const SMALL: [&str; 4] = ["--masters", "1", "--replicas", "0"];

/// Changes what stands in `cluster.json` of the cluster `default`.
fn rewrite(lab: &Lab, change: impl FnOnce(&mut Value)) {
    let path = lab.home().join("default/cluster.json");
    let mut record = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut record);
    std::fs::write(path, serde_json::to_vec(&record).unwrap()).unwrap();
}

pub(crate) fn folder_of(report: &Value) -> PathBuf {
    report["nodes"][0]["dir"].as_str().unwrap().into()
}

fn pid_of(report: &Value) -> i32 {
    let pid = report["nodes"][0]["pid"].as_i64().unwrap();
    i32::try_from(pid).unwrap()
}

/// A cluster whose removal was killed: its first node's files are half gone, its server runs.
fn half_removed() -> Lab {
    let lab = Lab::new();
    let dir = folder_of(&lab.up(&SMALL));
    rewrite(&lab, |record| record["phase"] = json!("removing"));
    std::fs::remove_file(dir.join("node.log")).unwrap();
    lab
}

#[test]
fn a_removal_that_was_killed_is_told_of_and_finished_by_the_next_command() {
    for verb in ["start", "status", "stop", "call PING"] {
        let lab = half_removed();
        let output = lab.shardlab(verb.split(' ')).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{verb}: {errors}");
        assert!(errors.contains("was interrupted"), "{verb}: {errors}");
        assert!(
            errors.contains("`shardlab down -n default` finishes it"),
            "{errors}"
        );
        lab.shardlab(["ls", "-q"]).assert().success();
        lab.assert_empty();
    }
    let lab = half_removed();
    assert_eq!(lab.up(&SMALL)["rung"], "ready");
    assert_eq!(lab.processes().len(), 1, "the first one's server is gone");
}

#[test]
fn a_down_that_is_killed_at_any_moment_is_finished_by_up() {
    let moments: [fn(&Lab) -> bool; 3] = [
        |lab| record_says(lab, "removing"),
        |lab| lab.processes().len() <= 1,
        |lab| files(lab) < 8,
    ];
    for moment in moments {
        let lab = Lab::new();
        lab.up(&["--masters", "2", "--replicas", "0"]);
        lab.kill_when(&["down", "-q"], moment);
        let again = lab.up(&["--masters", "2", "--replicas", "0"]);
        assert_eq!(again["rung"], "ready");
        assert_eq!(lab.processes().len(), 2);
        lab.shardlab(["down", "-q"]).assert().success();
        lab.assert_empty();
    }
}

fn record_says(lab: &Lab, words: &str) -> bool {
    let record = std::fs::read_to_string(lab.home().join("default/cluster.json"));
    record.map_or(true, |record| record.contains(words))
}

#[test]
fn nodes_that_others_have_started_in_a_killed_run_end_with_it() {
    let lab = Lab::new();
    let (program, ready) = (
        env!("CARGO_BIN_EXE_shardlab"),
        lab.home().with_file_name("ready"),
    );
    let script = format!(
        "{program} kill -q n1 && {program} start -q n1 && {program} add-node -q \
         && touch {} && exec sleep 600",
        ready.display()
    );
    let command = ["--", "sh", "-c", &script];
    let small = SMALL.iter().chain(&command);
    let arguments: Vec<_> = ["run", "-q", "--timeout", "120s"]
        .iter()
        .chain(small)
        .collect();
    let mut run = lab.spawn(&arguments, Stdio::null());
    wait_until("CMD has started its nodes", || ready.exists());
    assert_eq!(lab.processes().len(), 2);
    run.kill().unwrap();
    run.wait().unwrap();
    lab.assert_no_process();
    std::fs::remove_file(ready).unwrap();
    wait_until("its folder is gone", || !lab.home().exists());
}

#[test]
fn a_start_finishes_a_stop_that_was_interrupted() {
    let lab = Lab::new();
    let before = pid_of(&lab.up(&SMALL));
    // As a killed `stop` leaves it: n1 is told to end, which takes it a while.
    lab.shardlab(["pause", "-q", "n1"]).assert().success();
    kill(Pid::from_raw(before), Signal::SIGTERM).unwrap();
    rewrite(&lab, |record| record["stopping"] = json!(["n1"]));
    let after = lab.json(["start", "--json", "--timeout", "120s"]);
    assert_ne!(pid_of(&after), before);
    assert_eq!(after["rung"], "ready");
    assert!(!record_says(&lab, "stopping"));
}

/// Has a standalone server take a while to write its keys down; says how many there are.
fn slow_down_saving(lab: &Lab) -> usize {
    let delay = ["call", "-q", "CONFIG", "SET", "rdb-key-save-delay", "2500"];
    let is_known = lab.shardlab(delay).output().unwrap().status.success();
    // Redis 5 does not know it.
    let keys = if is_known { "400" } else { "300000" };
    let fill = r#"for key = 1, tonumber(ARGV[1]) do redis.call("SET", "k" .. key, "") end"#;
    let eval = ["call", "-q", "EVAL", fill, "0", keys];
    lab.shardlab(eval).assert().success();
    keys.parse().unwrap()
}

#[test]
fn a_server_that_is_on_its_way_out_is_started_again_by_start() {
    let lab = Lab::new();
    // It writes its keys down before it ends, and answers nobody meanwhile.
    let slow = [
        "--topology",
        "standalone",
        "--ephemeral",
        "--set",
        "save=900 1",
    ];
    let up = lab.up(&slow);
    let (before, log) = (pid_of(&up), folder_of(&up).join("node.log"));
    let keys = slow_down_saving(&lab);
    kill(Pid::from_raw(before), Signal::SIGTERM).unwrap();
    let log = || std::fs::read_to_string(&log).unwrap();
    wait_until("the server ends", || log().contains("Saving the final RDB"));
    let after = lab.json(["start", "--json", "--timeout", "120s"]);
    assert_ne!(pid_of(&after), before);
    assert_eq!(after["rung"], "ready");
    let count = lab.shardlab(["call", "DBSIZE"]).output().unwrap();
    let expected = format!("(integer) {keys}\n");
    assert_eq!(String::from_utf8_lossy(&count.stdout), expected);
}

#[test]
fn a_save_that_was_killed_leaves_no_data_to_a_node_that_keeps_none() {
    let lab = Lab::new();
    let ephemeral = ["--topology", "standalone", "--ephemeral"];
    let dir = folder_of(&lab.up(&ephemeral));
    slow_down_saving(&lab);
    let archive = lab.home().with_file_name("lab.shardlab");
    let holds = |part: &str| {
        let names = std::fs::read_dir(&dir).unwrap().flatten();
        let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.any(|name| name.contains(part))
    };
    lab.kill_when(&["save", "-q", archive.to_str().unwrap()], |_| {
        holds("temp-")
    });
    wait_until("the server has written its dump", || {
        holds("dump.rdb") && !holds("temp-")
    });
    lab.shardlab(["restart", "-q"]).assert().success();
    let count = lab.shardlab(["call", "DBSIZE"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&count.stdout), "(integer) 0\n");
    assert!(!holds("dump.rdb") && !holds(".tmp"));
}
