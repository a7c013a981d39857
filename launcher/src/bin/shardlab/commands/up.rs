//! `up`: starts a cluster, or says that it runs.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::Serialize;
use shardlab::cluster::sweep::sweep;
use shardlab::doctor::refuse_remains;
use shardlab::ladder::Standing;
use shardlab::machine::wait::{Deadline, until};
use shardlab::plan::{NodePlan, Plan, Role, Topology};
use shardlab::server::{Origin, Server};
use shardlab::state::{Lock, Phase, Record};
use shardlab::wire::slots::{SlotRanges, as_list};
use shardlab::{Cluster, Error, Event, exit};

use super::builder::{builder, defaults};
use super::lab::Lab;
use super::report::{ClusterReport, ServerReport};
use crate::cli::{ClusterArgs, Json, Up};
use crate::term::table;
use shardlab::machine::interrupt::Interrupts;

/// How often a cluster in the foreground is looked at.
const WATCH: Duration = Duration::from_millis(200);

/// Starts the cluster, waits for it, says how to connect, and leaves it running.
pub(crate) async fn up(lab: &Lab<'_>, args: Up) -> Result<u8, Error> {
    sweep(&lab.home).await?;
    if args.dry_run {
        return dry_run(lab, &args).await;
    }
    let lock = lab.lock().await?;
    clear_leftover(lab, &lock).await?;
    if let Some(record) = lab.home.record(lock.name())? {
        let cluster = go_on(lab, &lock, &args.cluster, &record).await?;
        return report(lab, &cluster, args.json).await;
    }
    refuse_remains(&lab.home, lock.name())?;
    let mut cluster = start(lab, lock, &args.cluster, false).await?;
    cluster.detach();
    report(lab, &cluster, args.json).await
}

/// The same, but stays until it is interrupted or somebody else removes the cluster.
pub(crate) async fn foreground(
    lab: &Lab<'_>,
    args: Up,
    interrupts: &mut Interrupts,
) -> Result<u8, Error> {
    let begin = async {
        sweep(&lab.home).await?;
        let lock = lab.lock().await?;
        clear_leftover(lab, &lock).await?;
        if lab.home.record(lock.name())?.is_some() {
            return Err(Error::Exists(lock.name().clone()));
        }
        refuse_remains(&lab.home, lock.name())?;
        let cluster = start(lab, lock, &args.cluster, true).await?;
        report(lab, &cluster, args.json).await?;
        Ok(cluster)
    };
    let cluster = tokio::select! {
        cluster = begin => cluster?,
        signal = interrupts.next() => return Err(Error::Interrupted(signal)),
    };
    lab.term
        .note("running in the foreground; Ctrl-C removes the cluster");
    let watch = until(Deadline::after(Duration::MAX), WATCH, || {
        std::future::ready(if cluster.is_removed() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    });
    tokio::select! {
        _ = watch => lab.term.note("another command has removed the cluster"),
        _ = interrupts.next() => {}
    }
    drop(cluster);
    Ok(exit::DONE)
}

/// The cluster that is there, running: what was stopped or has died is started again.
async fn go_on(
    lab: &Lab<'_>,
    lock: &Lock,
    args: &ClusterArgs,
    record: &Record,
) -> Result<Cluster, Error> {
    refuse_differences(args, record)?;
    let mut cluster = lab.open()?;
    lab.tell_paused(&cluster);
    let progress = lab.progress();
    let starts = cluster.nodes().iter().any(|node| !node.may_answer());
    let observe = |standings: &[Standing]| {
        // Of a cluster that runs already there is no progress to show.
        if starts {
            progress(standings);
        }
    };
    let started = cluster
        .start_locked(lock, &[], args.wait, args.timeout, observe)
        .await?;
    lab.term.note(&match started.as_slice() {
        [] => format!("the cluster `{}` is already running", lock.name()),
        all if all.len() == cluster.nodes().len() => {
            format!("started the cluster `{}` again, with its data", lock.name())
        }
        some => format!(
            "started {} of the cluster `{}`; its other nodes were running",
            some.join(", "),
            lock.name()
        ),
    });
    lab.tell_unfinished(&cluster);
    Ok(cluster)
}

fn refuse_differences(args: &ClusterArgs, record: &Record) -> Result<(), Error> {
    let differences = args.against(record)?;
    if differences.is_empty() {
        Ok(())
    } else {
        Err(Error::Differs {
            name: record.name.clone(),
            differences: differences.join("; "),
        })
    }
}

async fn clear_leftover(lab: &Lab<'_>, lock: &Lock) -> Result<(), Error> {
    match lab.home.record(lock.name())? {
        Some(record) if is_leftover(&record) => {
            lab.term.note(match record.phase {
                Phase::Removing => "removing what an interrupted removal left behind",
                _ => "removing what an interrupted start left behind",
            });
            Cluster::open(&lab.home, lock.name())?.clear(lock).await
        }
        _ => Ok(()),
    }
}

fn is_leftover(record: &Record) -> bool {
    matches!(record.phase, Phase::Starting | Phase::Removing)
}

async fn start(
    lab: &Lab<'_>,
    lock: Lock,
    args: &ClusterArgs,
    private: bool,
) -> Result<Cluster, Error> {
    let wish = builder(lab, args, defaults(args));
    let observe = |event: &Event<'_>| lab.term.event(event);
    let started = match wish {
        Ok(builder) => {
            builder
                .observer(&observe)
                .start_locked(&lab.home, &lock, private)
                .await
        }
        Err(error) => Err(error),
    };
    if started.is_err() {
        lock.remove()?;
    }
    started
}

async fn report(lab: &Lab<'_>, cluster: &Cluster, json: Json) -> Result<u8, Error> {
    let report = ClusterReport::of(cluster, &lab.home).await;
    if json.json || lab.term.is_quiet() {
        report.show(lab.term, json);
    } else {
        lab.term.data(&format!(
            "{}{}",
            report.text(),
            report.next_steps(&lab.name_option())
        ));
    }
    Ok(exit::DONE)
}

async fn dry_run(lab: &Lab<'_>, args: &Up) -> Result<u8, Error> {
    if let Some(record) = lab.home.record(&lab.global.name)?
        && !is_leftover(&record)
    {
        return dry_run_again(lab, args, &record);
    }
    let observe = |event: &Event<'_>| lab.term.event(event);
    let builder = builder(lab, &args.cluster, defaults(&args.cluster))?.observer(&observe);
    let (plan, server) = builder.plan().await?;
    let topology = args.cluster.topology.unwrap_or_default();
    show_plan(lab, args, topology, &plan, &server);
    Ok(exit::DONE)
}

/// Of a cluster that is there, only what does not run would be started.
fn dry_run_again(lab: &Lab<'_>, args: &Up, record: &Record) -> Result<u8, Error> {
    refuse_differences(&args.cluster, record)?;
    let cluster = lab.open()?;
    let idle: Vec<_> = cluster
        .nodes()
        .iter()
        .filter(|node| !node.may_answer())
        .map(|node| node.plan().clone())
        .collect();
    if idle.is_empty() {
        lab.term.note(&format!(
            "the cluster `{}` is already running",
            cluster.name()
        ));
    }
    let server = Server {
        identity: record.server.clone(),
        program: record.program.clone(),
        argv0: record.argv0.clone(),
        origin: Origin::Given,
        profile: record.profile.clone(),
    };
    show_plan(
        lab,
        args,
        record.options.topology,
        &Plan { nodes: idle },
        &server,
    );
    Ok(exit::DONE)
}

fn show_plan(lab: &Lab<'_>, args: &Up, topology: Topology, plan: &Plan, server: &Server) {
    if args.json.json {
        let nodes = plan.nodes.iter();
        lab.term.json(&PlanReport {
            cluster: lab.global.name.as_str(),
            dry_run: true,
            server: ServerReport::of(&server.identity, &server.program),
            nodes: nodes.map(PlannedNode::of).collect(),
        });
    } else if !plan.nodes.is_empty() {
        lab.term.data(&plan_text(topology, plan, server));
    }
}

#[derive(Serialize)]
struct PlanReport<'a> {
    cluster: &'a str,
    dry_run: bool,
    server: ServerReport,
    /// Those that would be started.
    nodes: Vec<PlannedNode<'a>>,
}

#[derive(Serialize)]
struct PlannedNode<'a> {
    node: &'a str,
    role: Role,
    shard: usize,
    port: u16,
    bus_port: Option<u16>,
    #[serde(serialize_with = "as_list")]
    slots: &'a SlotRanges,
}

impl<'a> PlannedNode<'a> {
    fn of(plan: &'a NodePlan) -> Self {
        Self {
            node: &plan.name,
            role: plan.role,
            shard: plan.shard,
            port: plan.port,
            bus_port: plan.bus_port,
            slots: &plan.slots,
        }
    }
}

fn plan_text(topology: Topology, plan: &Plan, server: &Server) -> String {
    // Bus and slots are a cluster's.
    let row = |node: &str, port: String, bus: String, role: String, slots: String| {
        let mut row = vec![node.to_owned(), port];
        if topology.is_cluster() {
            row.extend([bus, role, slots]);
        } else {
            row.push(role);
        }
        row
    };
    let [port, bus, role, slots] = ["PORT", "BUS", "ROLE", "SLOTS"].map(ToOwned::to_owned);
    let mut rows = vec![row("NODE", port, bus, role, slots)];
    rows.extend(plan.nodes.iter().map(|node| {
        let role = match node.role {
            Role::Master => "master".to_owned(),
            Role::Replica => format!("replica of n{}", node.shard + 1),
            Role::Sentinel => "sentinel".to_owned(),
        };
        let slots = if node.slots.is_empty() {
            "-".to_owned()
        } else {
            node.slots.to_string()
        };
        let bus = node
            .bus_port
            .map_or_else(|| "-".to_owned(), |port| port.to_string());
        row(&node.name, node.port.to_string(), bus, role, slots)
    }));
    format!(
        "would start {} ({})\n{}",
        server.identity,
        server.program.display(),
        table(&rows)
    )
}
