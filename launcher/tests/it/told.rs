//! What `doctor` and `down` tell: nothing is passed over in silence.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::doctor::{Harm, harm, run};
use crate::lab::Lab;

const ONE: [&str; 4] = ["--masters", "1", "--replicas", "0"];

/// What a removal leaves that was interrupted after its first step.
fn half_remove(lab: &Lab) {
    let path = lab.home().join("default/cluster.json");
    let record = fs::read_to_string(&path).unwrap();
    let removing = record.replace("\"phase\": \"up\"", "\"phase\": \"removing\"");
    assert_ne!(removing, record);
    fs::write(&path, removing).unwrap();
}

#[test]
fn a_removal_that_was_interrupted_is_told_and_finished() {
    let lab = Lab::new();
    lab.up(&ONE);
    half_remove(&lab);
    let found = lab.shardlab(["doctor", "--json"]).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["findings"][0]["kind"], "interrupted-removal");
    assert_eq!(run(&lab, &["doctor", "--fix"]).code, Some(0));
    lab.assert_empty();
    for args in [&["down"][..], &["down", "--all"]] {
        lab.up(&ONE);
        half_remove(&lab);
        let down = run(&lab, args);
        assert_eq!(down.code, Some(0));
        let gone = "removed the cluster `default`\n";
        assert!(down.errors.contains(gone), "{}", down.errors);
        assert!(!down.errors.contains("does not exist"), "{}", down.errors);
        lab.assert_empty();
    }
}

#[test]
fn a_cluster_that_cannot_be_looked_at_is_not_called_sound() {
    let lab = Lab::new();
    lab.up(&ONE);
    let lock = File::open(lab.home().join("default/shardlab.lock")).unwrap();
    lock.lock().unwrap();
    let busy = run(&lab, &["doctor"]);
    assert_eq!(busy.code, Some(1), "{}", busy.out);
    let told = busy
        .out
        .contains("nothing is wrong, but 1 cluster was not examined\n");
    assert!(told, "{}", busy.out);
    let report = run(&lab, &["doctor", "--json"]).out;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["verdict"], "fail");
    drop(lock);
    assert_eq!(run(&lab, &["doctor"]).code, Some(0));
}

#[test]
fn doctor_looks_at_the_cluster_that_is_named() {
    let lab = Lab::new();
    for args in [
        &["doctor", "-n", "nosuch"][..],
        &["doctor", "--fix", "-n", "nosuch"],
    ] {
        let said = run(&lab, args);
        assert_eq!(said.code, Some(2), "{}", said.out);
        let told = said.errors.contains("the cluster `nosuch` does not exist");
        assert!(told, "{}", said.errors);
    }
    lab.up(&["-n", "one", "--masters", "1", "--replicas", "0"]);
    lab.up(&["-n", "two", "--masters", "1", "--replicas", "0"]);
    harm(&lab.home().join("one/cluster.json"), Harm::Garbage);
    assert_eq!(run(&lab, &["doctor", "-n", "two"]).code, Some(0));
    assert_eq!(run(&lab, &["doctor", "--fix", "-n", "two"]).code, Some(0));
    assert_eq!(run(&lab, &["doctor", "-n", "one"]).code, Some(1));
    assert_eq!(run(&lab, &["doctor", "--fix", "-n", "one"]).code, Some(0));
    assert_eq!(run(&lab, &["doctor"]).code, Some(0));
}

#[test]
fn the_state_folder_itself_is_looked_at() {
    let lab = Lab::new();
    lab.up(&ONE);
    fs::set_permissions(lab.home(), fs::Permissions::from_mode(0o500)).unwrap();
    let found = run(&lab, &["doctor"]);
    assert_eq!(found.code, Some(1), "{}", found.out);
    let told = format!("`{}` has the mode 0500", lab.home().display());
    assert!(found.out.contains(&told), "{}", found.out);
    assert_eq!(run(&lab, &["doctor", "--fix"]).code, Some(0));
    let mode = fs::metadata(lab.home()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn down_tells_what_it_leaves_alone() {
    let lab = Lab::new();
    lab.up(&ONE);
    let record = lab.home().join("default/cluster.json");
    harm(&record, Harm::Directory);
    fs::write(record.join("mine"), "mine").unwrap();
    assert_eq!(run(&lab, &["doctor", "--fix"]).code, Some(0));
    let down = run(&lab, &["down"]);
    let left = lab.home().join("default/cluster.json.aside");
    let told = format!(
        "left alone, since it may not be shardlab's: `{}`",
        left.display()
    );
    assert!(down.errors.contains(&told), "{}", down.errors);
    assert!(left.join("mine").is_file());
}

#[test]
fn a_copy_that_cannot_be_written_keeps_nobody_from_anything() {
    let lab = Lab::new();
    lab.up(&ONE);
    let copy = lab.home().join("default/cluster.copy.json");
    harm(&copy, Harm::Directory);
    fs::write(copy.join("mine"), "mine").unwrap();
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    let record = lab.home().join("default/cluster.json");
    let record: serde_json::Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
    assert_eq!(record["phase"], "stopped");
    let found = run(&lab, &["doctor"]);
    assert!(
        found.out.contains("the copy of the cluster's record"),
        "{}",
        found.out
    );
    assert_eq!(run(&lab, &["doctor", "--fix"]).code, Some(0));
    assert!(copy.is_file());
}

#[test]
fn a_copy_that_is_out_of_date_is_told_and_mended() {
    let lab = Lab::new();
    lab.up(&ONE);
    let copy = lab.home().join("default/cluster.copy.json");
    let before = fs::read(&copy).unwrap();
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    fs::write(&copy, before).unwrap();
    let found = run(&lab, &["doctor"]);
    assert!(found.out.contains("is out of date"), "{}", found.out);
    assert_eq!(run(&lab, &["doctor", "--fix"]).code, Some(0));
    let record = lab.home().join("default/cluster.json");
    assert_eq!(fs::read(&copy).unwrap(), fs::read(record).unwrap());
}

#[test]
fn down_needs_neither_a_record_nor_the_nodes_configs() {
    let lab = Lab::new();
    for stopped in [false, true] {
        let report = lab.up(&["--masters", "2", "--replicas", "0"]);
        let dir = PathBuf::from(report["nodes"][0]["dir"].as_str().unwrap());
        for file in ["cluster.json", "cluster.copy.json"] {
            harm(&lab.home().join("default").join(file), Harm::Newer);
        }
        harm(&dir.join("node.conf"), Harm::Emptied);
        harm(
            Path::new(report["nodes"][1]["dir"].as_str().unwrap()),
            Harm::Emptied,
        );
        if stopped {
            assert_eq!(run(&lab, &["doctor", "--fix"]).code, Some(1));
        }
        let down = run(&lab, &["down"]);
        assert_eq!(down.code, Some(0), "{}", down.errors);
        lab.assert_empty();
    }
}
