//! From what the command line asks to the library's builder, of a new cluster or of one that was saved.

use shardlab::archive::{Archive, ArchiveError};
use shardlab::error::{Parameter, Part};
use shardlab::plan::{BusPortChoice, Options, PortChoice, node_count};
use shardlab::server::Profile;
use shardlab::{Builder, Cluster, Error};

use super::lab::Lab;
use crate::cli::ClusterArgs;

/// A builder with everything but the name and the observer.
pub(super) fn builder<'a>(
    lab: &Lab<'_>,
    args: &ClusterArgs,
    defaults: Options,
) -> Result<Builder<'a>, Error> {
    let mut builder = match &args.from {
        None => Cluster::builder().options(args.over(defaults)?),
        Some(file) => {
            let archive = Archive::open(file)?;
            tell_left_out(lab, args, &archive);
            let options = restored_options(args, &archive.manifest().options, defaults.ports)?;
            Cluster::builder().archive(archive).options(options)
        }
    };
    builder = builder
        .home(lab.home.clone())
        .search(Lab::search(args.offline)?)
        .wait_for(args.wait);
    if let Some(timeout) = args.timeout {
        builder = builder.timeout(timeout);
    }
    if let Some(profile) = &args.profile {
        builder = builder.profile(Profile::read(profile)?);
        lab.term.profiled();
    }
    if let Some(server) = &args.server {
        builder = builder.server(server);
    }
    if let Some(dir) = &args.dir {
        builder = builder.dir(dir);
    }
    Ok(builder)
}

/// The defaults of the topology and the size that are asked for.
pub(super) fn defaults(args: &ClusterArgs) -> Options {
    let mut options = Options::of(args.topology.unwrap_or_default());
    let mut sized = options.clone();
    sized.masters = args.masters.unwrap_or(sized.masters);
    sized.replicas = args.replicas.clone().unwrap_or(sized.replicas);
    // Numbers that make no cluster are refused where the plan is made.
    options.node_timeout = Options::usual_node_timeout(node_count(&sized).unwrap_or(0));
    options
}

/// Says which options of an archive do not hold because it is not to decide them, and the user has not.
fn tell_left_out(lab: &Lab<'_>, args: &ClusterArgs, archive: &Archive) {
    let decided = |part: &&Part| match part {
        Part::Parameter(Parameter::Bind, _) => !args.bind.is_empty(),
        Part::Parameter(Parameter::Announce, _) => args.announce.is_some(),
        Part::Parameter(_, Some(setting)) => {
            let key = setting.split('=').next();
            args.settings
                .iter()
                .any(|given| given.split('=').next() == key)
        }
        _ => false,
    };
    let left_out = archive.left_out().iter().filter(|part| !decided(part));
    let options: Vec<_> = left_out.map(Part::typed).collect();
    if !options.is_empty() {
        lab.term.note(&format!(
            "what `{}` says of {} is left out, since an archive may be a stranger's; give the option to have it",
            archive.path().display(),
            options.join(", ")
        ));
    }
}

/// What is given, over what was saved. A command that takes any ports does so here, too.
fn restored_options(
    args: &ClusterArgs,
    saved: &Options,
    ports: PortChoice,
) -> Result<Options, Error> {
    if args.topology.is_some_and(|asked| asked != saved.topology) {
        // Told before its other options are found not to fit.
        return Err(ArchiveError::Contradicts {
            path: args.from.clone().unwrap_or_default(),
            differences: format!("its topology is `{}`", saved.topology),
        }
        .into());
    }
    let mut defaults = saved.clone();
    // The original may run on its ports: whoever wants others for clients wants others for the bus.
    if ports == PortChoice::Auto || args.port_choice().is_some() {
        defaults.bus_port = BusPortChoice::Auto;
    }
    if ports == PortChoice::Auto {
        defaults.ports = ports;
    }
    args.over(defaults)
}
