//! What is asked of a cluster that is there, and is not so.

use shardlab::Error;
use shardlab::plan::{Options, Setting};
use shardlab::server::ServerSpec;
use shardlab::state::Record;

use super::shape::shape_differences;
use super::wish::options;
use crate::cli::ClusterArgs;

/// Names each option that was given and differs, with what is so instead; options that were not
/// given ask for nothing.
pub(super) fn differences(args: &ClusterArgs, record: &Record) -> Result<Vec<String>, Error> {
    let there = &record.options;
    if let Some(wished) = args.topology.topology()
        && wished != there.topology
    {
        // Nothing else can be compared.
        return Ok(vec![format!("`--topology` is {}", there.topology)]);
    }
    let wished = options(args, there.clone())?;
    let mut found = shape_differences(args, record);
    found.extend(of_options(args, &wished, there));
    found.extend(args.topology.differences(&there.sentinels));
    let same_dir = |dir| std::path::absolute(dir).is_ok_and(|dir| dir == record.dir);
    if args.dir.as_ref().is_some_and(|dir| !same_dir(dir)) {
        found.push(format!("`--dir` is {}", record.dir.display()));
    }
    if let Some(spec) = &args.server
        && !is_server(&spec.parse()?, record)
    {
        found.push(format!(
            "`--server` is {} ({})",
            record.server,
            record.program.display()
        ));
    }
    Ok(found)
}

fn of_options(args: &ClusterArgs, wished: &Options, there: &Options) -> Vec<String> {
    let list = |items: &[String]| {
        if items.is_empty() {
            "not given".to_owned()
        } else {
            items.join(" ")
        }
    };
    let settings: Vec<_> = there
        .settings
        .iter()
        .map(|Setting { key, value }| format!("{key}={value}"))
        .collect();
    let bind: Vec<_> = there.bind.iter().map(ToString::to_string).collect();
    let timeout = humantime::format_duration(there.node_timeout).to_string();
    let announce: Vec<_> = there.announce.iter().cloned().collect();
    let same_settings = args.settings.is_empty() || wished.settings == there.settings;
    let same_password = wished.password.is_none() || wished.password == there.password;
    let keeps = if there.persist {
        "kept in a file"
    } else {
        "kept in memory only"
    };
    let shape = there
        .shape
        .map_or_else(|| "none".to_owned(), |shape| shape.to_string());
    let checks = [
        (wished.shape == there.shape, "`--shape` is", shape),
        (
            wished.node_timeout == there.node_timeout,
            "`--node-timeout` is",
            timeout,
        ),
        (same_settings, "`--set` is", list(&settings)),
        (
            same_password,
            "`--password` is",
            "another one, or none".to_owned(),
        ),
        (
            wished.announce == there.announce,
            "`--announce` is",
            list(&announce),
        ),
        (wished.bind == there.bind, "`--bind` is", list(&bind)),
        (
            wished.boot == there.boot,
            "`--boot` is",
            there.boot.to_string(),
        ),
        (
            wished.persist == there.persist,
            "its data is",
            keeps.to_owned(),
        ),
    ];
    checks
        .into_iter()
        .filter(|(same, ..)| !same)
        .map(|(_, option, now)| format!("{option} {now}"))
        .collect()
}

fn is_server(spec: &ServerSpec, record: &Record) -> bool {
    match spec {
        ServerSpec::Path(path) => {
            std::path::absolute(path).is_ok_and(|path| path == record.program)
        }
        ServerSpec::Program(name) => record
            .program
            .file_name()
            .is_some_and(|file| *file == **name),
        ServerSpec::Product(wanted) => wanted.matches(&record.server),
    }
}
