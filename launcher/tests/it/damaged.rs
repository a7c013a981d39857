//! Damage at random: whatever becomes of a file or two, nothing is stranded, and others are spared.

use std::fs;
use std::process::{Child, Command, Stdio};

use shardlab::machine::process::ProcessId;

use crate::doctor::{HARMS, files_in, harm, run};
use crate::lab::{Lab, wait_until};

/// Programs of somebody else's: one in a node's folder, one whose pid stands in the record.
struct Others(Vec<Child>);

impl Others {
    fn of(lab: &Lab, report: &serde_json::Value) -> Self {
        let dir = report["nodes"][1]["dir"].as_str().unwrap();
        let spawn = |program: &str, args: &[&str], dir: &str| {
            let mut command = Command::new(program);
            command.args(args).current_dir(dir);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let tail = spawn("tail", &["-f", "node.log"], dir);
        // It ends by itself if there is no log when it looks for it.
        let log = fs::canonicalize(dir).unwrap().join("node.log");
        wait_until("tail reads the log", || {
            let files = fs::read_dir(format!("/proc/{}/fd", tail.id()));
            let mut files = files.unwrap().flatten();
            files.any(|file| fs::read_link(file.path()).is_ok_and(|path| path == log))
        });
        let sleep = spawn("sleep", &["3600"], "/");
        let process = ProcessId::of(sleep.id().cast_signed()).unwrap();
        for file in ["cluster.json", "cluster.copy.json"] {
            let path = lab.home().join("default").join(file);
            let mut record: serde_json::Value =
                serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            record["nodes"][0]["process"] = serde_json::to_value(&process).unwrap();
            fs::write(&path, serde_json::to_vec_pretty(&record).unwrap()).unwrap();
        }
        Self(vec![tail, sleep])
    }

    fn live(&mut self) -> bool {
        self.0
            .iter_mut()
            .all(|child| child.try_wait().unwrap().is_none())
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A few numbers that look like chance, the same for the same seed (xorshift64, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
        all
    }
}

#[expect(clippy::disallowed_methods, reason = "how many rounds, and which")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// `SHARDLAB_ROUNDS` says how many, `SHARDLAB_SEED` which.
#[test]
fn whatever_file_is_damaged_nothing_is_stranded() {
    let seed = number("SHARDLAB_SEED").unwrap_or_else(|| (u64::from(std::process::id()) << 20) | 1);
    let rounds = number("SHARDLAB_ROUNDS").unwrap_or(3);
    for round in 0..rounds {
        one_round(seed + round);
    }
}

fn one_round(seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let lab = Lab::new();
    let report = lab.up(&["--masters", "3", "--replicas", "0", "--node-timeout", "1s"]);
    let mut others = Others::of(&lab, &report);
    let mut files = Vec::new();
    files_in(&lab.home().join("default"), &mut files);
    // One, or two at a time: what one is made again of may be damaged, too.
    let damages: Vec<_> = (0..=chance.below(2))
        .map(|_| {
            let file = files[chance.below(files.len())].clone();
            (file, HARMS[chance.below(HARMS.len())])
        })
        .collect();
    let commands: [&[&str]; 5] = [
        &["status"],
        &["check"],
        &["stop"],
        &["start", "--timeout", "8s"],
        &["down"],
    ];
    let commands = chance.shuffled(commands.to_vec());
    #[expect(clippy::print_stdout, reason = "who repeats a round needs its seed")]
    {
        println!("SHARDLAB_SEED={seed}: {damages:?}, {commands:?}");
    }
    for (file, what) in damages {
        // The first may have taken it along, or left no file.
        if file.exists() {
            harm(&file, what);
        }
    }
    for args in commands {
        run(&lab, args);
    }
    let fixed = run(&lab, &["doctor", "--fix"]);
    let down = run(&lab, &["down", "--all"]);
    assert_eq!(
        down.code,
        Some(0),
        "{}{}{}",
        fixed.errors,
        fixed.out,
        down.errors
    );
    assert!(others.live(), "somebody else's program was ended");
    drop(others);
    lab.assert_empty();
}
