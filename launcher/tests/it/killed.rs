//! A launcher that is killed at any moment leaves nothing that `down` does not find.

use crate::lab::Lab;

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
    assert_eq!(lab.up(&[])["rung"], "visible");
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
