//! `up`: starts a cluster, or says that it runs.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::Serialize;
use shardlab::cluster::sweep;
use shardlab::plan::{Options, Plan, PortChoice};
use shardlab::server::Server;
use shardlab::state::{Lock, Phase, Record};
use shardlab::wait::{Deadline, until};
use shardlab::{Builder, Cluster, Error, Event, exit};

use super::Lab;
use super::report::{ClusterReport, SCHEMA};
use crate::cli::{ClusterArgs, Up};
use shardlab::interrupt::Interrupts;
use crate::term::table;

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
        return report(lab, &cluster, args.json.json).await;
    }
    let mut cluster = start(lab, lock, &args.cluster, false).await?;
    cluster.detach();
    report(lab, &cluster, args.json.json).await
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
        let cluster = start(lab, lock, &args.cluster, true).await?;
        report(lab, &cluster, args.json.json).await?;
        Ok(cluster)
    };
    let cluster = tokio::select! {
        cluster = begin => cluster?,
        signal = interrupts.next() => return Err(Error::Interrupted(signal)),
    };
    lab.term
        .note("in the foreground: Ctrl-C removes the cluster");
    let watch = until(Deadline::after(Duration::MAX), WATCH, || {
        let there = lab.home.folder(cluster.name()).exists();
        std::future::ready(if there {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
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
    let differences = differences(args, record)?;
    if !differences.is_empty() {
        return Err(Error::Differs {
            name: lock.name().clone(),
            differences: differences.join("; "),
        });
    }
    let mut cluster = lab.open()?;
    let look = |standings: &[shardlab::ladder::Standing]| {
        lab.term.event(&Event::Looked {
            standings,
            elapsed: Duration::ZERO,
        });
    };
    let started = cluster
        .start(lock, &[], args.wait.into(), args.timeout, look)
        .await?;
    lab.term.note(&match started.as_slice() {
        [] => format!("the cluster `{}` runs already", lock.name()),
        all if all.len() == cluster.nodes().len() => {
            format!("the cluster `{}` runs again, with its data", lock.name())
        }
        some => format!(
            "the cluster `{}` runs; {} did not and was started",
            lock.name(),
            some.join(", ")
        ),
    });
    Ok(cluster)
}

async fn clear_leftover(lab: &Lab<'_>, lock: &Lock) -> Result<(), Error> {
    match lab.home.record(lock.name())? {
        Some(record) if record.phase == Phase::Starting => {
            lab.term.note("removing what an interrupted start has left");
            Cluster::open(&lab.home, lock.name())?.clear(lock).await
        }
        _ => Ok(()),
    }
}

async fn start(
    lab: &Lab<'_>,
    lock: Lock,
    args: &ClusterArgs,
    private: bool,
) -> Result<Cluster, Error> {
    let wish = options(args, Options::default()).and_then(|options| builder(lab, args, options));
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

/// A builder with everything but the name and the observer.
pub(super) fn builder<'a>(
    lab: &Lab<'_>,
    args: &ClusterArgs,
    options: Options,
) -> Result<Builder<'a>, Error> {
    let mut builder = Cluster::builder()
        .options(options)
        .home(lab.home.clone())
        .search(lab.search(args.offline)?)
        .wait_for(args.wait.into())
        .timeout(args.timeout);
    if let Some(server) = &args.server {
        builder = builder.server(server);
    }
    if let Some(dir) = &args.dir {
        builder = builder.dir(dir);
    }
    Ok(builder)
}

/// The options that are given, over those that are not.
pub(super) fn options(args: &ClusterArgs, defaults: Options) -> Result<Options, Error> {
    let asked = args.clone();
    Ok(Options {
        settings: args.settings()?,
        password: args.password()?,
        ports: args.port_choice().unwrap_or(defaults.ports),
        masters: asked.masters.unwrap_or(defaults.masters),
        replicas: asked.replicas.unwrap_or(defaults.replicas),
        slots: asked.slots.map(|lists| lists.0).or(defaults.slots),
        node_timeout: asked.node_timeout.unwrap_or(defaults.node_timeout),
        persist: asked.persist || (defaults.persist && !asked.ephemeral),
        announce: asked.announce.or(defaults.announce),
        bind: if asked.bind.is_empty() {
            defaults.bind
        } else {
            asked.bind
        },
        boot: asked.boot.map_or(defaults.boot, Into::into),
    })
}

/// What is asked for and is not so.
fn differences(args: &ClusterArgs, record: &Record) -> Result<Vec<String>, Error> {
    let there = &record.options;
    let wished = options(args, there.clone())?;
    let mut found = Vec::new();
    let mut differ = |option: &str, same: bool, now: String| {
        if !same {
            found.push(format!("`{option}` is {now}"));
        }
    };
    let list = |numbers: &[usize]| {
        numbers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    differ(
        "--masters",
        wished.masters == there.masters,
        there.masters.to_string(),
    );
    differ(
        "--replicas",
        wished.replicas == there.replicas,
        list(&there.replicas),
    );
    differ(
        "--slots",
        wished.slots == there.slots,
        "another split".to_owned(),
    );
    differ(
        "--port",
        wished.ports == there.ports,
        port_text(&there.ports),
    );
    differ(
        "--node-timeout",
        wished.node_timeout == there.node_timeout,
        humantime::format_duration(there.node_timeout).to_string(),
    );
    let settings: Vec<_> = there
        .settings
        .iter()
        .map(|setting| format!("{}={}", setting.key, setting.value))
        .collect();
    let same_settings = args.settings.is_empty() || wished.settings == there.settings;
    differ(
        "--set",
        same_settings,
        if settings.is_empty() {
            "not given".to_owned()
        } else {
            settings.join(" ")
        },
    );
    let same_password = wished.password.is_none() || wished.password == there.password;
    differ(
        "--password",
        same_password,
        "another one, or none".to_owned(),
    );
    differ(
        "--announce",
        wished.announce == there.announce,
        there
            .announce
            .clone()
            .unwrap_or_else(|| "not given".to_owned()),
    );
    let bind: Vec<_> = there.bind.iter().map(ToString::to_string).collect();
    differ("--bind", wished.bind == there.bind, bind.join(" "));
    differ(
        "--boot",
        wished.boot == there.boot,
        format!("{:?}", there.boot).to_lowercase(),
    );
    differ(
        "--persist",
        !args.persist || there.persist,
        "off".to_owned(),
    );
    differ(
        "--ephemeral",
        !args.ephemeral || !there.persist,
        "off".to_owned(),
    );
    let same_dir = args
        .dir
        .as_ref()
        .is_none_or(|dir| std::path::absolute(dir).is_ok_and(|dir| dir == record.dir));
    differ("--dir", same_dir, record.dir.display().to_string());
    if let Some(spec) = &args.server {
        let same = match spec.parse()? {
            shardlab::server::ServerSpec::Path(path) => {
                std::path::absolute(&path).is_ok_and(|path| path == record.program)
            }
            shardlab::server::ServerSpec::Program(name) => record
                .program
                .file_name()
                .is_some_and(|file| *file == *name),
            shardlab::server::ServerSpec::Product(wanted) => wanted.matches(&record.server),
        };
        differ(
            "--server",
            same,
            format!("{} ({})", record.server, record.program.display()),
        );
    }
    Ok(found)
}

fn port_text(ports: &PortChoice) -> String {
    match ports {
        PortChoice::Auto => "auto".to_owned(),
        PortChoice::From(first) => first.to_string(),
        PortChoice::List(ports) => ports
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
    }
}

async fn report(lab: &Lab<'_>, cluster: &Cluster, json: bool) -> Result<u8, Error> {
    let report = ClusterReport::of(cluster, &lab.home).await;
    if json {
        lab.term.json(&report);
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
    let options = options(&args.cluster, Options::default())?;
    let observe = |event: &Event<'_>| lab.term.event(event);
    let builder = builder(lab, &args.cluster, options)?.observer(&observe);
    let (plan, server) = builder.plan().await?;
    if args.json.json {
        lab.term.json(&DryRun {
            schema: SCHEMA,
            server: &server,
            nodes: &plan.nodes,
        });
    } else {
        lab.term.data(&plan_text(&plan, &server));
    }
    Ok(exit::DONE)
}

#[derive(Serialize)]
struct DryRun<'a> {
    schema: u32,
    server: &'a Server,
    nodes: &'a [shardlab::plan::NodePlan],
}

fn plan_text(plan: &Plan, server: &Server) -> String {
    let mut rows = vec![
        ["NODE", "PORT", "BUS", "ROLE", "SLOTS"]
            .map(ToOwned::to_owned)
            .to_vec(),
    ];
    rows.extend(plan.nodes.iter().map(|node| {
        let role = match node.role {
            shardlab::plan::Role::Master => "master".to_owned(),
            shardlab::plan::Role::Replica => format!("replica of n{}", node.shard + 1),
        };
        let slots = if node.slots.is_empty() {
            "-".to_owned()
        } else {
            node.slots.to_string()
        };
        vec![
            node.name.clone(),
            node.port.to_string(),
            node.bus_port.to_string(),
            role,
            slots,
        ]
    }));
    format!(
        "would start {} ({})\n{}",
        server.identity,
        server.program.display(),
        table(&rows)
    )
}
