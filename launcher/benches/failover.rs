//! The same shard fails over again and again, in each mode, while a client writes: how each failover ends, and
//! which acknowledged writes (WAIT 1) are lost.
//!
//! `just bench failover [--rounds N] [--node-timeout D] [--modes graceful,force] SERVER…` prints one Markdown row
//! for each server and mode, and what has gone wrong. It fails if a failover does, or if a graceful one loses a write.

#[path = "../tests/it/acknowledged.rs"]
#[expect(clippy::unwrap_used, reason = "a step that fails ends the benchmark")]
mod acknowledged;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use acknowledged::{Writer, lost};
use clap::Parser;
use shardlab::failover::{Mode, Request};
use shardlab::plan::{Options, PortChoice};
use shardlab::{Cluster, Error};

#[derive(Parser)]
struct Args {
    /// How often each mode is used in a row.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// The node timeout.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    node_timeout: Duration,
    /// The modes.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "graceful,force,takeover,crash"
    )]
    modes: Vec<String>,
    /// The servers.
    #[arg(default_value = "valkey")]
    servers: Vec<String>,
    /// What cargo says to benchmarks.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What became of the failovers of one mode.
#[derive(Default)]
struct Tally {
    ended_well: u32,
    undone: u32,
    longest: Duration,
    errors: Vec<String>,
    acknowledged: usize,
    lost: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime.map(|runtime| runtime.block_on(measure(&args))) {
        Ok(true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn measure(args: &Args) -> bool {
    say("| server | mode | ended well | undone by the server | longest | acknowledged | lost |");
    say("|---|---|---|---|---|---|---|");
    let mut sound = true;
    for server in &args.servers {
        let chosen = |mode: &&Mode| args.modes.iter().any(|name| name == mode.name());
        for mode in Mode::ALL.iter().filter(chosen) {
            let tally = match run(args, server, *mode).await {
                Ok(tally) => tally,
                Err(error) => Tally {
                    errors: vec![error.to_string()],
                    ..Tally::default()
                },
            };
            say(&format!(
                "| {server} | {mode} | {} of {} | {} | {:.2} s | {} | {} |",
                tally.ended_well,
                args.rounds,
                tally.undone,
                tally.longest.as_secs_f64(),
                tally.acknowledged,
                tally.lost
            ));
            tally.errors.iter().for_each(|error| complain(error));
            sound &= tally.errors.is_empty() && (*mode != Mode::Graceful || tally.lost == 0);
        }
    }
    sound
}

async fn run(args: &Args, server: &str, mode: Mode) -> Result<Tally, Error> {
    let options = Options {
        masters: 3,
        node_timeout: args.node_timeout,
        ports: PortChoice::Auto,
        ..Options::default()
    };
    let cluster = Cluster::builder()
        .options(options)
        .server(server)
        .start()
        .await?;
    let writer = Writer::start(&cluster);
    let mut tally = Tally::default();
    for round in 0..args.rounds {
        let request = Request {
            mode,
            ..Request::default()
        };
        let since = Instant::now();
        match cluster.failover("n1", request, |_| {}).await {
            Ok(done) => {
                tally.ended_well += 1;
                tally.undone += done.undone;
            }
            Err(error) => tally.errors.push(format!("round {round}: {error}")),
        }
        tally.longest = tally.longest.max(since.elapsed());
    }
    let acknowledged = writer.stop();
    tally.acknowledged = acknowledged.len();
    tally.lost = lost(&cluster, &acknowledged).await?.len();
    Ok(tally)
}

#[expect(clippy::print_stdout, reason = "a benchmark's result is its output")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a benchmark tells what failed")]
fn complain(line: &str) {
    eprintln!("{line}");
}
