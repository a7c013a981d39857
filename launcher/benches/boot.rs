//! How long until a cluster is usable, by each way of making one, judged by the same ladder.
//!
//! `just bench boot [--rounds N] [--ways seeded,commands,redis-cli] [--masters 3,10] SERVER…`
//! prints one Markdown row for each server, size and way. The ways take turns in every round, so
//! that a busy moment of the machine hits them all. With `--load N` so many other processes are busy
//! meanwhile; boots that fail are told with the reason, and counted. `--topology sentinel` (or `replication`,
//! `standalone`) boots these instead, by those of the ways that there are for them.

#[path = "common/cpu.rs"]
mod cpu;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use cpu::{cpu_of, own_cpu};
use nix::sys::signal::Signal;
use shardlab::ladder::Answers;
use shardlab::machine::wait::{Deadline, next_round};
use shardlab::node::die_with_parent;
use shardlab::plan::{Boot, Options, PortChoice, Topology};
use shardlab::state::Home;
use shardlab::{Cluster, Rung};

#[derive(Parser)]
struct Args {
    /// Boots of each kind.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// The ways to compare.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "seeded,commands,redis-cli"
    )]
    ways: Vec<Way>,
    /// What to boot.
    #[arg(long, default_value = "cluster", value_parser = topology)]
    topology: Topology,
    /// Numbers of masters [default: the topology's].
    #[arg(long, value_delimiter = ',')]
    masters: Vec<usize>,
    /// Replicas of each [default: the topology's].
    #[arg(long)]
    replicas: Option<usize>,
    /// After each boot, watch for so long that nothing changes any more.
    #[arg(long, value_parser = humantime::parse_duration, default_value = "0s")]
    settle: Duration,
    /// How many other processes keep the machine busy.
    #[arg(long, default_value_t = 0)]
    load: usize,
    /// How long a boot may take [default: what `up` gives it].
    #[arg(long, value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    Seeded,
    Commands,
    RedisCli,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Seeded => "seeded",
            Self::Commands => "commands",
            Self::RedisCli => "redis-cli",
        }
    }
}

/// What one boot took.
struct Boots {
    server: String,
    masters: usize,
    way: Way,
    /// Until `ok`, `replicas`, `ready`, of each boot.
    rungs: [Vec<Duration>; 3],
    /// Processor time of this process and of the nodes until `ready`.
    own: Duration,
    nodes: Duration,
    failures: usize,
}

fn topology(text: &str) -> Result<Topology, String> {
    let all = [
        Topology::Cluster,
        Topology::Replication,
        Topology::Sentinel,
        Topology::Standalone,
    ];
    all.into_iter()
        .find(|topology| topology.to_string() == text)
        .ok_or_else(|| {
            format!(
                "expected one of {}",
                all.map(|one| one.to_string()).join(", ")
            )
        })
}

impl Args {
    fn masters(&self) -> Vec<usize> {
        if self.masters.is_empty() {
            vec![Options::of(self.topology).masters]
        } else {
            self.masters.clone()
        }
    }

    fn replicas(&self) -> usize {
        let usual = Options::of(self.topology).replicas;
        self.replicas
            .unwrap_or(usual.first().copied().unwrap_or_default())
    }

    /// redis-cli makes nothing but clusters.
    fn ways(&self) -> impl Iterator<Item = Way> {
        let all = self.ways.iter().copied();
        all.filter(|way| *way != Way::RedisCli || self.topology == Topology::Cluster)
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime.map(|runtime| runtime.block_on(run(&args))) {
        Ok(true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn run(args: &Args) -> bool {
    say(
        "| server | masters + replicas | way | ok min / median / p95 | replicas | ready | times seeded | launcher's CPU / nodes' | failed |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    let mut sound = true;
    let Ok(_load) = Load::of(args.load) else {
        complain("`sh` cannot be started");
        return false;
    };
    for masters in args.masters() {
        for server in &args.servers {
            let mut rows: Vec<Boots> = args
                .ways()
                .map(|way| Boots::new(server, masters, way))
                .collect();
            for _ in 0..args.rounds {
                for row in &mut rows {
                    row.boot(args).await;
                }
            }
            let seeded = rows
                .iter()
                .find(|row| row.way == Way::Seeded)
                .map(|row| median(&row.rungs[2]));
            for row in &rows {
                say(&row.text(args, seeded));
                sound &= row.failures == 0;
            }
        }
    }
    sound
}

/// Processes that do nothing, as fast as they can, as long as this lives.
struct Load(Vec<Child>);

impl Load {
    fn of(processes: usize) -> std::io::Result<Self> {
        let mut load = Self(Vec::with_capacity(processes));
        for _ in 0..processes {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]);
            die_with_parent(&mut command, Signal::SIGKILL);
            load.0.push(command.spawn()?);
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Gone already is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Boots {
    fn new(server: &str, masters: usize, way: Way) -> Self {
        let (own, nodes) = (Duration::ZERO, Duration::ZERO);
        Self {
            server: server.to_owned(),
            masters,
            way,
            rungs: Default::default(),
            own,
            nodes,
            failures: 0,
        }
    }

    async fn boot(&mut self, args: &Args) {
        match self.try_boot(args).await {
            Ok(times) => {
                for (times, time) in self.rungs.iter_mut().zip(times) {
                    times.push(time);
                }
            }
            Err(error) => {
                self.failures += 1;
                complain(&format!("{} {}: {error}", self.server, self.way.name()));
            }
        }
    }

    async fn try_boot(&mut self, args: &Args) -> Result<[Duration; 3], String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let own_before = own_cpu();
        let since = Instant::now();
        let options = Options {
            masters: self.masters,
            replicas: vec![args.replicas()],
            ports: PortChoice::Auto,
            persist: false,
            boot: match self.way {
                Way::Seeded => Boot::Seeded,
                Way::Commands => Boot::Commands,
                Way::RedisCli => Boot::None,
            },
            // What servers come with, for the way that leaves everything at its default.
            node_timeout: match self.way {
                Way::RedisCli => Duration::from_secs(15),
                _ => Options::usual_node_timeout(self.masters * (1 + args.replicas())),
            },
            ..Options::of(args.topology)
        };
        let mut builder = Cluster::builder()
            .options(options)
            .server(&self.server)
            .home(Home::at(folder.path()));
        if let Some(timeout) = args.timeout {
            builder = builder.timeout(timeout);
        }
        let cluster = builder.start().await.map_err(|error| error.to_string())?;
        let climb = match self.way {
            Way::RedisCli => {
                create(&args.cli, &cluster, args.replicas())?;
                let deadline = Deadline::after(Duration::from_secs(120));
                let look = |_: &[_]| Ok::<_, String>(());
                let climbed = cluster
                    .prober()
                    .climb(Rung::Ready, since, deadline, look)
                    .await?;
                climbed.map_err(|standings| {
                    format!(
                        "not ready: {}",
                        standings
                            .iter()
                            .map(ToString::to_string)
                            .collect::<Vec<_>>()
                            .join("; ")
                    )
                })?
            }
            _ => cluster.climb().clone(),
        };
        self.own += own_cpu().saturating_sub(own_before);
        self.nodes += cluster
            .nodes()
            .iter()
            .filter_map(|node| cpu_of(node.process()?.pid))
            .sum::<Duration>();
        settle(&cluster, args.settle).await?;
        let reached = |rung| {
            climb
                .reached(rung)
                .ok_or_else(|| format!("{rung} was never reached"))
        };
        Ok([
            reached(Rung::Ok)?,
            reached(Rung::Replicas)?,
            reached(Rung::Ready)?,
        ])
    }

    fn text(&self, args: &Args, seeded: Option<Duration>) -> String {
        let [ok, replicas, ready] = self.rungs.each_ref().map(|times| summary(times));
        let ratio = match seeded {
            Some(seeded) if !seeded.is_zero() => {
                format!(
                    "{:.1}",
                    median(&self.rungs[2]).as_secs_f64() / seeded.as_secs_f64()
                )
            }
            _ => "-".to_owned(),
        };
        let server = Path::new(&self.server)
            .parent()
            .and_then(Path::file_name)
            .map_or(self.server.clone(), |name| {
                name.to_string_lossy().into_owned()
            });
        format!(
            "| {server} | {} + {} | {} | {ok} | {replicas} | {ready} | {ratio} | {:.2} | {} of {} |",
            self.masters,
            self.masters * args.replicas(),
            self.way.name(),
            self.own.as_secs_f64() / self.nodes.as_secs_f64(),
            self.failures,
            args.rounds,
        )
    }
}

/// `redis-cli --cluster create`, with its defaults.
fn create(cli: &Path, cluster: &Cluster, replicas: usize) -> Result<(), String> {
    let addresses = cluster
        .nodes()
        .iter()
        .map(|node| node.address().to_string());
    let output = Command::new(cli)
        .args(["--cluster", "create"])
        .args(addresses)
        .args(["--cluster-replicas", &replicas.to_string(), "--cluster-yes"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}; `--cli` names another client", cli.display()))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(())
    } else {
        Err(told)
    }
}

/// Watches that roles, slots and epochs stay what they are, and that no two masters share an epoch.
async fn settle(cluster: &Cluster, time: Duration) -> Result<(), String> {
    let deadline = Deadline::after(time);
    let mut prober = cluster.prober();
    let mut first = None;
    while !deadline.passed() {
        let round = prober.round(Deadline::after(Duration::from_secs(10))).await;
        let standings = prober.judge(&round);
        if let Some(low) = standings
            .iter()
            .find(|standing| standing.rung != Some(Rung::Ready))
        {
            return Err(format!("it did not last: {low}"));
        }
        let view: Vec<_> = round
            .iter()
            .filter_map(|observation| match &observation.answers {
                Ok(Answers::Cluster(answers)) => Some(answers),
                _ => None,
            })
            .map(|answers| {
                let mut lines: Vec<_> = answers
                    .nodes
                    .iter()
                    .map(|line| {
                        (
                            line.id.clone(),
                            line.master.clone(),
                            line.epoch,
                            line.slots.clone(),
                        )
                    })
                    .collect();
                lines.sort_by(|one, other| one.0.cmp(&other.0));
                lines
            })
            .collect();
        if *first.get_or_insert_with(|| view.clone()) != view {
            return Err("roles, slots or epochs changed after it was ready".to_owned());
        }
        next_round(Duration::from_millis(100), deadline).await;
    }
    Ok(())
}

fn summary(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = |part: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index of a short list"
        )]
        let index = ((sorted.len() as f64 * part).ceil() as usize).saturating_sub(1);
        sorted.get(index).map_or(f64::NAN, Duration::as_secs_f64)
    };
    format!("{:.2} / {:.2} / {:.2}", at(0.0), at(0.5), at(0.95))
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "the result of a benchmark")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "what went wrong in a benchmark")]
fn complain(line: &str) {
    eprintln!("{line}");
}
