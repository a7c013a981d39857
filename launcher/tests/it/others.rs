//! What is somebody else's stays, whatever a cluster's record says.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use serde_json::{Value, json};

use crate::doctor::{Harm, harm, run};
use crate::lab::Lab;

const ONE: [&str; 4] = ["--masters", "1", "--replicas", "0"];

/// A folder of somebody else's that looks like a node's at first glance.
fn victim(path: PathBuf) -> PathBuf {
    fs::create_dir_all(path.join("data")).unwrap();
    for file in ["node.conf", "node.log", "dump.rdb", "data/thesis"] {
        fs::write(path.join(file), "mine").unwrap();
    }
    path
}

#[track_caller]
fn assert_spared(victim: &Path) {
    for file in ["node.conf", "node.log", "dump.rdb", "data/thesis"] {
        let text = fs::read_to_string(victim.join(file));
        assert_eq!(text.ok().as_deref(), Some("mine"), "{file}");
    }
}

/// Edits a cluster's record, and its copy.
fn edit(lab: &Lab, name: &str, change: impl Fn(&mut Value)) {
    for file in ["cluster.json", "cluster.copy.json"] {
        let path = lab.home().join(name).join(file);
        let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut record);
        fs::write(&path, serde_json::to_vec(&record).unwrap()).unwrap();
    }
}

fn record(lab: &Lab, name: &str) -> Value {
    let path = lab.home().join(name).join("cluster.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_record_that_tells_of_others_folders_is_damaged() {
    let lab = Lab::new();
    let report = lab.up(&ONE);
    let port = report["nodes"][0]["port"].to_string();
    let others = lab.home().with_file_name("others");
    let victim = victim(others.join(&port));
    edit(&lab, "default", |record| {
        record["nodes"][0]["dir"] = json!(victim);
    });
    for args in [&["status"][..], &["stop"], &["wipe"], &["start"]] {
        let said = run(&lab, args);
        assert_eq!(said.code, Some(3), "{args:?}: {}", said.errors);
        let told = said
            .errors
            .contains("cluster.json` cannot be used: it tells of `n1`");
        assert!(told, "{args:?}: {}", said.errors);
    }
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    assert_spared(&victim);
    // Nothing in the record contradicts itself, but the folder does not know of it.
    lab.up(&ONE);
    edit(&lab, "default", |record| {
        record["dir"] = json!(others);
        record["created"] = json!([victim.join("data"), others]);
        record["nodes"][0]["plan"]["port"] = port.parse().unwrap();
        record["nodes"][0]["dir"] = json!(victim);
    });
    let wiped = run(&lab, &["wipe"]);
    assert_eq!(wiped.code, Some(3), "{}", wiped.errors);
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    assert_spared(&victim);
    fs::remove_dir_all(others).unwrap();
    lab.assert_empty();
}

#[test]
fn a_record_that_tells_of_another_clusters_nodes_does_not_harm_them() {
    let lab = Lab::new();
    lab.up(&ONE);
    lab.up(&["-n", "other", "--masters", "1", "--replicas", "0"]);
    let other = record(&lab, "other");
    let pid = lab.json(["status", "-n", "other", "--json"])["nodes"][0]["pid"].clone();
    edit(&lab, "default", |record| {
        record["nodes"][0]["process"] = other["nodes"][0]["process"].clone();
    });
    assert_eq!(run(&lab, &["kill", "n1"]).code, Some(0));
    let there =
        |lab: &Lab| lab.json(["status", "-n", "other", "--json"])["nodes"][0]["pid"].clone();
    assert_eq!(there(&lab), pid);
    edit(&lab, "default", |record| {
        record["dir"] = other["dir"].clone();
        record["nodes"] = other["nodes"].clone();
    });
    let stopped = run(&lab, &["stop"]);
    assert_eq!(stopped.code, Some(3), "{}", stopped.errors);
    let told = stopped.errors.contains("where another cluster's node is");
    assert!(told, "{}", stopped.errors);
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    assert_eq!(there(&lab), pid);
    assert_eq!(run(&lab, &["doctor"]).code, Some(0));
    assert_eq!(run(&lab, &["down", "-n", "other"]).code, Some(0));
    lab.assert_empty();
}

#[test]
fn what_is_behind_a_link_in_a_nodes_place_stays() {
    let lab = Lab::new();
    let report = lab.up(&ONE);
    let dir = PathBuf::from(report["nodes"][0]["dir"].as_str().unwrap());
    let victim = victim(lab.home().with_file_name("others"));
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    for mends in [true, false] {
        fs::remove_dir_all(&dir).unwrap();
        symlink(&victim, &dir).unwrap();
        for args in [&["start"][..], &["wipe"]] {
            let said = run(&lab, args);
            assert_eq!(said.code, Some(3), "{args:?}: {}", said.errors);
        }
        let args = if mends {
            &["doctor", "--fix"][..]
        } else {
            &["down"]
        };
        let said = run(&lab, args);
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.errors);
        assert!(!dir.is_symlink());
        assert_spared(&victim);
    }
    fs::remove_dir_all(victim).unwrap();
    lab.assert_empty();
}

#[test]
fn a_link_to_another_nodes_folder_is_not_the_nodes_own() {
    let lab = Lab::new();
    let report = lab.up(&["--masters", "2", "--replicas", "0"]);
    let dir = |node: usize| PathBuf::from(report["nodes"][node]["dir"].as_str().unwrap());
    let (own, sibling) = (dir(0), dir(1));
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    let config = fs::read(sibling.join("node.conf")).unwrap();
    fs::remove_dir_all(&own).unwrap();
    symlink(&sibling, &own).unwrap();
    let said = run(&lab, &["start"]);
    assert_eq!(said.code, Some(3), "{}", said.errors);
    run(&lab, &["doctor", "--fix"]);
    assert!(!own.is_symlink());
    assert_eq!(fs::read(sibling.join("node.conf")).unwrap(), config);
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    lab.assert_empty();
}

#[test]
fn nodes_outside_of_the_state_folder_are_found_without_a_record() {
    for all in [false, true] {
        let lab = Lab::new();
        let dir = lab.home().with_file_name("nodes");
        fs::create_dir(&dir).unwrap();
        let mut args = ONE.to_vec();
        args.extend(["--dir", dir.to_str().unwrap()]);
        lab.up(&args);
        if all {
            fs::remove_dir_all(lab.home()).unwrap();
        } else {
            for file in ["cluster.json", "cluster.copy.json"] {
                harm(&lab.home().join("default").join(file), Harm::Garbage);
            }
        }
        assert!(run(&lab, &["ls"]).out.contains("damaged"));
        let found = run(&lab, &["doctor"]);
        let told = found.out.contains("servers of the cluster run (pid ");
        assert!(told, "{}", found.out);
        if !all {
            let fixed = run(&lab, &["doctor", "--fix"]);
            let data = format!("the nodes' data is in `{}/", dir.display());
            assert!(fixed.out.contains(&data), "{}", fixed.out);
            lab.assert_no_process();
        }
        assert_eq!(run(&lab, &["down"]).code, Some(0));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
        fs::remove_dir(dir).unwrap();
        lab.assert_empty();
    }
}

#[test]
fn doctor_leaves_others_files_and_what_links_lead_to_alone() {
    let lab = Lab::new();
    let report = lab.up(&ONE);
    assert_eq!(run(&lab, &["stop"]).code, Some(0));
    let dir = PathBuf::from(report["nodes"][0]["dir"].as_str().unwrap());
    let outside = lab.home().with_file_name("outside");
    let (fifo, nowhere, mine) = (dir.join("fifo"), dir.join("nowhere"), dir.join("mine"));
    nix::unistd::mkfifo(&fifo, Mode::S_IRUSR).unwrap();
    symlink("/nonexistent", &nowhere).unwrap();
    fs::create_dir(dir.join(".tmp-save")).unwrap();
    fs::write(dir.join(".tmp-save/old.rdb"), "of a save").unwrap();
    for path in [&mine, &outside] {
        fs::write(path, "mine").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
    }
    symlink(&outside, dir.join("dump.rdb")).unwrap();
    symlink(&outside, lab.home().join("default/owner")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let fixed = run(&lab, &["doctor", "--fix"]);
    assert_eq!(fixed.code, Some(0), "{}{}", fixed.out, fixed.errors);
    assert!(fifo.exists() && nowhere.is_symlink());
    assert!(dir.join(".tmp-save/old.rdb").exists());
    assert_eq!((mode(&mine), mode(&outside)), (0o400, 0o400));
    // Of another user's: what may be read is no matter.
    let log = dir.join("node.log");
    fs::set_permissions(&log, fs::Permissions::from_mode(0o0)).unwrap();
    if nix::unistd::chown(&log, Some(12345.into()), None).is_ok() {
        assert_eq!(run(&lab, &["doctor", "--fix"]).code, Some(0));
        assert_eq!(mode(&log), 0);
    }
    assert_eq!(run(&lab, &["down"]).code, Some(0));
    fs::remove_file(outside).unwrap();
    lab.assert_empty();
}
