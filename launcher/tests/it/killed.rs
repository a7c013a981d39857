//! A launcher that is killed at any moment leaves nothing that `down` does not find.

use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use shardlab::wait::{Deadline, until_blocking};

use crate::lab::{Lab, PATIENCE};

/// Starts the program and kills it once `moment` says so, or when it has ended by itself.
pub(crate) fn kill_when(lab: &Lab, args: &[&str], moment: impl Fn(&Lab) -> bool) {
    let mut child: Child = Command::new(env!("CARGO_BIN_EXE_shardlab"))
        .args(args)
        .env("SHARDLAB_HOME", lab.home())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let reached = until_blocking(
        Deadline::after(PATIENCE),
        Duration::from_micros(200),
        || {
            let over = moment(lab) || child.try_wait().unwrap().is_some();
            if over {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert_eq!(reached, Ok(()), "the moment never came");
    child.kill().unwrap();
    child.wait().unwrap();
}

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
        kill_when(&lab, &["up", "-q", "--port", "auto"], moment);
        lab.shardlab(["down", "-q"]).assert().success();
        lab.assert_empty();
    }
}

#[test]
fn the_next_up_is_whole_after_a_killed_one() {
    let lab = Lab::new();
    kill_when(&lab, &["up", "-q", "--port", "auto"], MOMENTS[3]);
    assert_eq!(lab.up(&[])["rung"], "visible");
    assert_eq!(lab.processes().len(), 6, "the first one's nodes are gone");
}

#[test]
fn the_nodes_of_a_killed_run_end_by_themselves_and_its_folder_goes_with_the_next_command() {
    for moment in MOMENTS {
        let lab = Lab::new();
        kill_when(&lab, &["run", "-q", "--", "sleep", "60"], moment);
        lab.assert_no_process();
        lab.shardlab(["down", "-q"]).assert().success();
        lab.assert_empty();
    }
}
