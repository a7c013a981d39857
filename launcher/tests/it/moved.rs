//! State folders that were moved or copied: nothing that is done in one of them touches another.

use std::fs;
use std::path::{Path, PathBuf};

use crate::doctor::{Harm, Said, harm};
use crate::lab::{Lab, PATIENCE, text};

const ONE: [&str; 4] = ["--masters", "1", "--replicas", "0"];

/// Copies a folder as `cp -a` does, but for owners and times.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// A second state folder beside the lab's.
fn other(lab: &Lab) -> PathBuf {
    lab.home().with_file_name("other")
}

/// Ends what a failed test has left in the second state folder.
struct Cleaned<'a>(&'a Lab);

impl Drop for Cleaned<'_> {
    fn drop(&mut self) {
        let command = self.0.shardlab(["down", "--all", "-q"]);
        let _ = command.env("SHARDLAB_HOME", other(self.0)).output();
    }
}

/// Runs the program in the other state folder.
#[track_caller]
fn run_in_other(lab: &Lab, args: &[&str], code: i32) -> Said {
    let command = lab.shardlab(args).env("SHARDLAB_HOME", other(lab));
    let output = command.timeout(PATIENCE).output().unwrap();
    let said = Said {
        code: output.status.code(),
        out: text(&output.stdout),
        errors: text(&output.stderr),
    };
    let all = format!("{args:?}: {}{}", said.out, said.errors);
    assert_eq!(said.code, Some(code), "{all}");
    said
}

/// A cluster with one key, and its node's pid.
fn up_with_a_key(lab: &Lab, args: &[&str]) -> serde_json::Value {
    let report = lab.up(args);
    lab.shardlab(["call", "SET", "a", "1"]).assert().success();
    report["nodes"][0]["pid"].clone()
}

#[track_caller]
fn assert_whole(lab: &Lab, pid: &serde_json::Value) {
    let status = lab.json(["status", "--json"]);
    assert_eq!(status["nodes"][0]["pid"], *pid);
    let get = lab.shardlab(["call", "GET", "a"]).output().unwrap();
    assert_eq!(text(&get.stdout), "\"1\"\n");
    let doctor = lab.shardlab(["doctor"]).output().unwrap();
    assert!(doctor.status.success(), "{}", text(&doctor.stdout));
    lab.shardlab(["stop"]).assert().success();
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    let get = lab.shardlab(["call", "GET", "a"]).output().unwrap();
    assert_eq!(text(&get.stdout), "\"1\"\n");
}

/// As an older version wrote it.
fn forget_folder(home: &Path) {
    for file in ["cluster.json", "cluster.copy.json"] {
        let path = home.join("default").join(file);
        let mut record: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        record.as_object_mut().unwrap().remove("folder");
        fs::write(&path, serde_json::to_vec(&record).unwrap()).unwrap();
    }
}

#[test]
fn what_is_done_in_a_copy_of_a_state_folder_does_not_touch_the_original() {
    for older in [false, true] {
        let lab = Lab::new();
        let _cleaned = Cleaned(&lab);
        let pid = up_with_a_key(&lab, &ONE);
        if older {
            forget_folder(&lab.home());
        }
        copy(&lab.home(), &other(&lab));
        for looks in ["status", "ls"] {
            let said = run_in_other(&lab, &[looks], 0);
            let tells = said.errors.contains("it is a copy of the one in `");
            assert!(tells, "{looks}: {}", said.errors);
        }
        for acts in [
            &["stop"][..],
            &["start"],
            &["restart"],
            &["wipe"],
            &["up", "--port", "auto"],
        ] {
            let said = run_in_other(&lab, acts, 3);
            assert!(said.errors.contains("it is a copy of"), "{}", said.errors);
            assert!(said.errors.contains("doctor --fix"), "{}", said.errors);
        }
        run_in_other(&lab, &["call", "DEL", "a"], 3);
        run_in_other(&lab, &["kill", "n1"], 3);
        let found = run_in_other(&lab, &["doctor"], 1);
        assert!(found.out.contains("is a copy of `"), "{}", found.out);
        run_in_other(&lab, &["down"], 0);
        assert!(!other(&lab).exists());
        assert_whole(&lab, &pid);
    }
}

#[test]
fn a_copy_that_doctor_has_mended_is_a_cluster_of_its_own() {
    let lab = Lab::new();
    let _cleaned = Cleaned(&lab);
    let pid = up_with_a_key(&lab, &["--masters", "2", "--replicas", "1"]);
    copy(&lab.home(), &other(&lab));
    run_in_other(&lab, &["doctor", "--fix"], 0);
    // Its ports are the original's.
    let taken = run_in_other(&lab, &["start"], 3);
    assert!(taken.errors.contains("is taken"), "{}", taken.errors);
    assert_whole(&lab, &pid);
    lab.shardlab(["stop"]).assert().success();
    run_in_other(&lab, &["start", "--timeout", "120s"], 0);
    let get = run_in_other(&lab, &["call", "GET", "a"], 0);
    assert_eq!(get.out, "\"1\"\n");
    run_in_other(&lab, &["call", "SET", "a", "2"], 0);
    run_in_other(&lab, &["down"], 0);
    assert!(!other(&lab).exists());
    lab.shardlab(["start", "--timeout", "120s"])
        .assert()
        .success();
    let get = lab.shardlab(["call", "GET", "a"]).output().unwrap();
    assert_eq!(text(&get.stdout), "\"1\"\n", "the original's data");
}

#[test]
fn a_copy_has_no_nodes_that_lie_outside_of_the_state_folder() {
    let lab = Lab::new();
    let _cleaned = Cleaned(&lab);
    let dir = lab.home().with_file_name("nodes");
    let mut args = ONE.to_vec();
    args.extend(["--dir", dir.to_str().unwrap()]);
    let pid = up_with_a_key(&lab, &args);
    copy(&lab.home(), &other(&lab));
    let found = run_in_other(&lab, &["doctor", "--fix"], 1);
    let wanted = format!(
        "its nodes' folders are not in it, but in `{}`",
        dir.display()
    );
    assert!(found.out.contains(&wanted), "{}", found.out);
    run_in_other(&lab, &["down"], 0);
    assert!(!other(&lab).exists());
    assert_whole(&lab, &pid);
    // Moved, it is still theirs.
    fs::rename(lab.home(), other(&lab)).unwrap();
    run_in_other(&lab, &["down"], 0);
    lab.assert_empty();
}

#[test]
fn a_state_folder_that_was_moved_is_told_and_mended() {
    for runs in [true, false] {
        let lab = Lab::new();
        let _cleaned = Cleaned(&lab);
        let pid = up_with_a_key(&lab, &["--masters", "2", "--replicas", "0"]);
        if !runs {
            lab.shardlab(["stop"]).assert().success();
        }
        fs::rename(lab.home(), other(&lab)).unwrap();
        let status = run_in_other(&lab, &["status", "--json"], 0);
        let told = status.errors.contains("it was moved here from `");
        assert!(told, "{}", status.errors);
        let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
        let expected = if runs { pid } else { serde_json::Value::Null };
        assert_eq!(status["nodes"][0]["pid"], expected);
        run_in_other(&lab, &["start"], 3);
        run_in_other(&lab, &["doctor", "--fix"], 0);
        run_in_other(&lab, &["stop"], 0);
        run_in_other(&lab, &["start", "--timeout", "120s"], 0);
        let get = run_in_other(&lab, &["call", "GET", "a"], 0);
        assert_eq!(get.out, "\"1\"\n");
        // `down` needs no doctor.
        fs::rename(other(&lab), lab.home()).unwrap();
        lab.shardlab(["down"]).assert().success();
        lab.assert_empty();
    }
}

#[test]
fn a_copy_under_another_name_is_removed_and_the_original_stays() {
    for damaged in [false, true] {
        let lab = Lab::new();
        let pid = up_with_a_key(&lab, &ONE);
        let folder = lab.home().join("again");
        copy(&lab.home().join("default"), &folder);
        if damaged {
            for file in ["cluster.json", "cluster.copy.json"] {
                harm(&folder.join(file), Harm::Garbage);
            }
        }
        let found = lab.shardlab(["doctor", "--fix"]).output().unwrap();
        let found = text(&found.stdout);
        assert!(found.contains("the nodes' data is in `"), "{found}");
        lab.shardlab(["down", "-n", "again"]).assert().success();
        assert!(!folder.exists());
        assert_whole(&lab, &pid);
    }
}

#[test]
fn a_copy_that_an_older_version_wrote_stays_one_when_its_record_is_restored() {
    let lab = Lab::new();
    let _cleaned = Cleaned(&lab);
    let pid = up_with_a_key(&lab, &ONE);
    forget_folder(&lab.home());
    copy(&lab.home(), &other(&lab));
    harm(&other(&lab).join("default/cluster.json"), Harm::Garbage);
    let fixed = run_in_other(&lab, &["doctor", "--fix"], 0);
    assert!(fixed.errors.contains("is a copy of `"), "{}", fixed.errors);
    run_in_other(&lab, &["down"], 0);
    assert!(!other(&lab).exists());
    assert_whole(&lab, &pid);
}

#[test]
fn a_copy_whose_configs_cannot_be_read_is_still_told_to_be_one() {
    let lab = Lab::new();
    let _cleaned = Cleaned(&lab);
    let pid = up_with_a_key(&lab, &ONE);
    copy(&lab.home(), &other(&lab));
    let port = lab.json(["status", "--json"])["nodes"][0]["port"].to_string();
    let config = other(&lab).join("default").join(port).join("node.conf");
    harm(&config, Harm::Directory);
    let fixed = run_in_other(&lab, &["doctor", "--fix"], 1);
    assert!(fixed.errors.contains("node.conf"), "{}", fixed.errors);
    let found = run_in_other(&lab, &["doctor"], 1);
    assert!(found.out.contains("is a copy of `"), "{}", found.out);
    run_in_other(&lab, &["down"], 0);
    assert_whole(&lab, &pid);
}

#[test]
fn servers_of_a_folder_that_was_moved_do_not_belong_to_the_place_that_it_has_left() {
    let lab = Lab::new();
    let _cleaned = Cleaned(&lab);
    let pid = up_with_a_key(&lab, &ONE);
    fs::rename(lab.home(), other(&lab)).unwrap();
    let found = lab.shardlab(["doctor", "--fix"]).output().unwrap();
    assert!(found.status.success(), "{}", text(&found.stdout));
    lab.shardlab(["down"]).assert().success();
    let status = run_in_other(&lab, &["status", "--json"], 0);
    let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["nodes"][0]["pid"], pid, "it runs on");
    run_in_other(&lab, &["down"], 0);
    assert!(!other(&lab).exists());
}

#[test]
fn nodes_behind_a_link_are_known_by_configs_that_their_servers_have_rewritten() {
    let lab = Lab::new();
    let (real, link) = (lab.home().with_file_name("real"), other(&lab));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let dir = link.join("nodes");
    let mut args = ONE.to_vec();
    args.extend(["--dir", dir.to_str().unwrap()]);
    lab.up(&args);
    lab.shardlab(["call", "CONFIG", "REWRITE"])
        .assert()
        .success();
    lab.shardlab(["doctor"]).assert().success();
    lab.shardlab(["stop"]).assert().success();
    for file in ["cluster.json", "cluster.copy.json"] {
        fs::remove_file(lab.home().join("default").join(file)).unwrap();
    }
    let found = lab.shardlab(["doctor"]).output().unwrap();
    let told = text(&found.stdout);
    assert!(told.contains("the nodes' data is in"), "{told}");
    lab.shardlab(["down"]).assert().success();
    let left = fs::read_dir(dir).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the node's folder is removed");
}
