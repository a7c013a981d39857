//! How long until a new master has its share of the slots, while a client works: by Shardlab and by
//! redis-cli, on the same data.
//!
//! `just bench reshard [--keys N] [--rounds N] [--ways auto,redis-cli] [--cli PATH] SERVER…` prints
//! one Markdown row for each server and way. Each time three masters hold the keys, a fourth joins, and gets 4,096
//! slots; then every key's value is looked at, and the keys are counted.

#[path = "../common/cpu.rs"]
mod cpu;
#[path = "../../tests/it/traffic.rs"]
mod traffic;

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use cpu::{cpu_of, own_cpu};
use shardlab::machine::wait::Deadline;
use shardlab::plan::{Boot, Options, PortChoice};
use shardlab::reshape::plan::Rebalance;
use shardlab::reshape::{MoveOptions, Way};
use shardlab::state::Home;
use shardlab::wire::slots::split_evenly;
use shardlab::{Cluster, Node, Rung};
use traffic::{Keys, Traffic};

/// Masters that hold the keys before the last one joins.
const MASTERS: usize = 3;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Parser)]
struct Args {
    /// Small keys.
    #[arg(long, default_value_t = 1_000_000)]
    keys: usize,
    /// How often each way is measured, in turns.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Commands of the client in each millisecond; none for 0.
    #[arg(long, default_value_t = 2)]
    traffic: usize,
    /// The ways to compare.
    #[arg(long, value_delimiter = ',', default_value = "auto,redis-cli")]
    ways: Vec<WayArg>,
    /// Workers between two nodes, key by key.
    #[arg(long)]
    lanes: Option<std::num::NonZeroUsize>,
    /// redis-cli or valkey-cli, of Redis 5 or newer.
    #[arg(long, default_value = "redis-cli")]
    cli: PathBuf,
    /// The servers.
    #[arg(default_value = "valkey")]
    servers: Vec<String>,
    /// What cargo says to benchmarks.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WayArg {
    /// Shardlab, as the server does it best.
    Auto,
    /// Shardlab, key by key.
    Keys,
    /// `redis-cli --cluster rebalance --cluster-use-empty-masters --cluster-pipeline 100`
    RedisCli,
}

/// One measurement.
struct Run {
    took: Duration,
    /// Processor time of the nodes.
    nodes: Duration,
    /// Of this process, the client's included.
    own: Duration,
    commands: u64,
    longest: Duration,
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
    say(
        "| server | way | median | all rounds | times auto | CPU nodes / own | client's commands | its longest wait | failed |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    let mut sound = true;
    for server in &args.servers {
        let mut runs: Vec<(WayArg, Vec<Run>, usize)> =
            args.ways.iter().map(|way| (*way, Vec::new(), 0)).collect();
        for _ in 0..args.rounds {
            for (way, runs, failed) in &mut runs {
                match run(args, server, *way).await {
                    Ok(run) => runs.push(run),
                    Err(error) => {
                        complain(&format!("{server} {way:?}: {error}"));
                        *failed += 1;
                    }
                }
            }
        }
        let base = runs.first().and_then(|(_, runs, _)| median(runs));
        for (way, runs, failed) in &runs {
            sound &= *failed == 0;
            say(&row(server, *way, runs, *failed, base));
        }
    }
    sound
}

/// Forms a cluster, fills it, lets a master join, and moves slots to it.
async fn run(args: &Args, server: &str, way: WayArg) -> Result<Run, String> {
    let folder = tempfile::tempdir().map_err(text)?;
    let options = Options {
        masters: MASTERS + 1,
        replicas: vec![0],
        ports: PortChoice::Auto,
        persist: false,
        boot: Boot::None,
        ..Options::default()
    };
    let cluster = Cluster::builder()
        .options(options)
        .server(server)
        .home(Home::at(folder.path().join("state")))
        .wait_for(Rung::Listening)
        .start()
        .await
        .map_err(text)?;
    let (first, rest) = cluster.nodes().split_first().ok_or("no node")?;
    let (last, rest) = rest.split_last().ok_or("one node")?;
    deal(&cluster).await?;
    for node in rest {
        meet(first, node).await?;
    }
    owned(&cluster, MASTERS).await?;
    let keys = Keys::new(args.keys);
    keys.write(&cluster).await?;
    meet(first, last).await?;
    owned(&cluster, MASTERS + 1).await?;

    let traffic = (args.traffic > 0).then(|| Traffic::start(&cluster, keys.clone(), args.traffic));
    let nodes = || {
        let processes = cluster.nodes().iter().filter_map(Node::process);
        processes
            .filter_map(|process| cpu_of(process.pid))
            .sum::<Duration>()
    };
    let (nodes_before, own_before, since) = (nodes(), own_cpu(), Instant::now());
    let done = match way {
        WayArg::RedisCli => rebalance_by_cli(&args.cli, first).await,
        _ => rebalance(args, &cluster, way).await,
    };
    let took = since.elapsed();
    let nodes = nodes().saturating_sub(nodes_before);
    let own = own_cpu().saturating_sub(own_before);
    let report = traffic.map(Traffic::stop).transpose();
    done?;
    let report = report.map_err(|error| format!("the client: {error}"))?;
    let keys = report.as_ref().map_or(&keys, |report| &report.keys);
    keys.verify(&cluster).await?;
    let survey = cluster.survey(Deadline::after(PATIENCE)).await;
    for (name, line) in survey.masters() {
        let count: u16 = line.slots.count();
        if count != 4096 {
            return Err(format!("{name} has {count} slots"));
        }
    }
    Ok(Run {
        took,
        nodes,
        own,
        commands: report.as_ref().map_or(0, |report| report.commands),
        longest: report.map_or(Duration::ZERO, |report| report.longest),
    })
}

async fn rebalance(args: &Args, cluster: &Cluster, way: WayArg) -> Result<(), String> {
    let mut options = MoveOptions::default();
    if way == WayArg::Keys {
        options.way = Way::Keys;
    }
    options.lanes = args.lanes;
    let wish = Rebalance {
        use_empty: true,
        ..Rebalance::default()
    };
    let moved = cluster.rebalance(&wish, options, |_| {}).await;
    moved.map(|_| ()).map_err(text)
}

async fn rebalance_by_cli(cli: &Path, node: &Node) -> Result<(), String> {
    let output = tokio::process::Command::new(cli)
        .args(["--cluster", "rebalance", &node.address().to_string()])
        .args(["--cluster-use-empty-masters", "--cluster-pipeline", "100"])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("{}: {error}", cli.display()))?;
    if output.status.success() {
        Ok(())
    } else {
        let out = String::from_utf8_lossy(&output.stdout);
        let end: Vec<_> = out.lines().rev().take(3).collect();
        Err(format!(
            "{} ended with {}: {end:?}",
            cli.display(),
            output.status
        ))
    }
}

/// Gives all but the last node their slots, and every node an epoch of its own.
async fn deal(cluster: &Cluster) -> Result<(), String> {
    for (epoch, node) in cluster.nodes().iter().enumerate() {
        let epoch = (epoch + 1).to_string();
        call(node, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await?;
    }
    for (node, range) in cluster.nodes().iter().zip(split_evenly(MASTERS)) {
        let mut command = vec!["CLUSTER".to_owned(), "ADDSLOTS".to_owned()];
        command.extend(range.slots().map(|slot| slot.to_string()));
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        call(node, &command).await?;
    }
    Ok(())
}

async fn meet(node: &Node, other: &Node) -> Result<(), String> {
    let address = other.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    call(node, &["CLUSTER", "MEET", &host, &port]).await
}

/// Waits until every node knows so many nodes and is OK.
async fn owned(cluster: &Cluster, nodes: usize) -> Result<(), String> {
    let members = cluster.nodes().iter().take(nodes);
    let members = members.map(|node| (node.endpoint(), node.plan().role));
    let prober = shardlab::probe::prober::Prober::new(&cluster.record().options, members);
    let look = |_: &[_]| Ok::<_, String>(());
    let climbed = { prober }
        .climb(Rung::Ready, Instant::now(), Deadline::after(PATIENCE), look)
        .await?;
    climbed.map(|_| ()).map_err(|standings| {
        let told: Vec<_> = standings.iter().map(ToString::to_string).collect();
        format!("not ready: {}", told.join("; "))
    })
}

async fn call(node: &Node, command: &[&str]) -> Result<(), String> {
    let reply = node.call(command).await.map_err(text)?;
    match reply.as_error() {
        Some(error) => Err(format!(
            "{}: {}",
            node.name(),
            shardlab::wire::resp::escape(error)
        )),
        None => Ok(()),
    }
}

fn row(server: &str, way: WayArg, runs: &[Run], failed: usize, base: Option<Duration>) -> String {
    let name = Path::new(server).parent().and_then(Path::file_name);
    let name = name.map_or(server.into(), std::ffi::OsStr::to_string_lossy);
    let seconds = |time: Duration| format!("{:.2}", time.as_secs_f64());
    let all: Vec<_> = runs.iter().map(|run| seconds(run.took)).collect();
    let ratio = median(runs)
        .zip(base)
        .map(|(own, base)| format!("{:.1}", own.as_secs_f64() / base.as_secs_f64()));
    format!(
        "| {name} | {way:?} | {} s | {} | {} | {} / {} s | {} | {} s | {failed} of {} |",
        median(runs).map_or("-".to_owned(), seconds),
        all.join(" "),
        ratio.unwrap_or_default(),
        seconds(mean(runs, |run| run.nodes)),
        seconds(mean(runs, |run| run.own)),
        runs.iter().map(|run| run.commands).sum::<u64>(),
        seconds(runs.iter().map(|run| run.longest).max().unwrap_or_default()),
        runs.len() + failed,
    )
}

fn median(runs: &[Run]) -> Option<Duration> {
    let mut times: Vec<_> = runs.iter().map(|run| run.took).collect();
    times.sort();
    times.get(times.len() / 2).copied()
}

fn mean(runs: &[Run], of: impl Fn(&Run) -> Duration) -> Duration {
    let sum: Duration = runs.iter().map(of).sum();
    sum / u32::try_from(runs.len().max(1)).unwrap_or(u32::MAX)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a benchmark tells what failed")]
fn complain(line: &str) {
    eprintln!("{line}");
}
