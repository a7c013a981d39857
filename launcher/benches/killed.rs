//! Commands that move slots are killed at random moments and finished, by the same command or by `fix`:
//! afterwards every key and its time to live must be there, in every database.
//!
//! `just bench killed [--rounds N] [--keys N] [--seed N] [--replicas N] [SERVER]` tells of each round, and ends
//! with code 1 at the first one that lost something.

#[path = "../tests/it/databases.rs"]
mod databases;

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use clap::Parser;
use databases::{Databases, SETTING};
use shardlab::Cluster;
use shardlab::machine::wait::{Deadline, until_blocking};
use shardlab::state::Home;

/// The latest moment, in milliseconds after its start, at which a command is killed.
const LATEST: u64 = 1500;

#[derive(Parser)]
struct Args {
    /// How many commands are killed.
    #[arg(long, default_value_t = 30)]
    rounds: u32,
    /// Keys in each database.
    #[arg(long, default_value_t = 5000)]
    keys: usize,
    /// Replicas of each master.
    #[arg(long, default_value_t = 0)]
    replicas: u32,
    /// What the moments and commands are drawn from; the time if not said.
    #[arg(long)]
    seed: Option<u64>,
    /// The server.
    #[arg(default_value = "valkey")]
    server: String,
    /// What cargo says to benchmarks.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime
        .map_err(text)
        .and_then(|runtime| runtime.block_on(campaign(&args)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn campaign(args: &Args) -> Result<(), String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = args.seed.unwrap_or(now.map_err(text)?.as_secs());
    say(&format!("seed {seed}"));
    let folder = tempfile::tempdir().map_err(text)?;
    let lab = Lab {
        home: folder.path().join("state"),
    };
    let replicas = args.replicas.to_string();
    let up = [
        "up",
        "-q",
        "--ephemeral",
        "--port",
        "auto",
        "--server",
        &args.server,
    ];
    let up = [&up[..], &["--replicas", &replicas]].concat();
    // Only some servers have several databases in a cluster.
    if lab.done(&[&up[..], &["--set", SETTING]].concat()).is_err() {
        lab.done(&up)?;
    }
    let killed = rounds(args, &lab, seed).await;
    let down = lab.done(&["down", "-q"]);
    killed.and(down)
}

async fn rounds(args: &Args, lab: &Lab, seed: u64) -> Result<(), String> {
    let databases = Databases::of(&lab.open()?, args.keys).await?;
    databases.write(&lab.open()?).await?;
    let mut random = Random(seed | 1);
    for round in 1..=args.rounds {
        let command = command(&mut random);
        let command: Vec<&str> = command.split(' ').collect();
        let after = random.below(LATEST);
        lab.killed(&command, Duration::from_millis(after))?;
        let by_fix = random.below(2) == 0;
        say(&format!(
            "{round:>4}. `{}` killed after {after} ms, finished by {}",
            command.join(" "),
            if by_fix { "`fix`" } else { "itself" },
        ));
        let scales = command.first() == Some(&"scale");
        if by_fix {
            // Nodes come and go by the command itself only, and `fix` ends with 1 while some do.
            let fixed = lab.done(&["fix", "-q"]);
            if !scales {
                fixed?;
            }
            databases.verify(&lab.open()?).await?;
        }
        if !by_fix || scales {
            lab.done(&command)?;
        }
        databases.verify(&lab.open()?).await?;
        lab.done(&["check"])?;
    }
    Ok(())
}

fn command(random: &mut Random) -> String {
    let way = ["auto", "keys"][usize::from(random.below(2) == 0)];
    let number = random.below(3) + 1;
    match random.below(3) {
        0 => format!("reshard -q --slots 2000 --to n{number} --way {way}"),
        1 => format!("rebalance -q --threshold 0 --use-empty --way {way}"),
        _ => format!("scale -q --masters {}", number + 2),
    }
}

/// The program, in a state folder of its own.
struct Lab {
    home: std::path::PathBuf,
}

impl Lab {
    fn open(&self) -> Result<Cluster, String> {
        let name = "default".parse().map_err(text)?;
        Cluster::open(&Home::at(self.home.clone()), &name).map_err(text)
    }

    fn shardlab(&self, args: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_shardlab")));
        command
            .args(args)
            .env("SHARDLAB_HOME", &self.home)
            .env_remove("SHARDLAB_NAME")
            .env_remove("SHARDLAB_PASSWORD")
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end, which must be a good one.
    fn done(&self, args: &[&str]) -> Result<(), String> {
        let output = self.shardlab(args).output().map_err(text)?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "`{}`: {}\n{}{}",
            args.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        ))
    }

    /// Runs it and kills it, unless it has ended before.
    fn killed(&self, args: &[&str], after: Duration) -> Result<(), String> {
        let mut command = self.shardlab(args);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(text)?;
        let deadline = Deadline::after(after);
        let _ = until_blocking(deadline, Duration::from_millis(2), || {
            match child.try_wait() {
                Ok(None) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        });
        child.kill().map_err(text)?;
        child.wait().map_err(text).map(drop)
    }
}

/// xorshift64: no need for more, and a seed gives the same rounds again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[expect(clippy::print_stdout, reason = "a campaign tells of its rounds")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a campaign tells what failed")]
fn complain(line: &str) {
    eprintln!("{line}");
}
