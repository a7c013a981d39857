//! The options of `up` and `run` that describe a cluster: each is declared, laid over its default, and
//! compared with a cluster that is there. Those of sentinels are beside, in `sentinel_args.rs`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use humantime::format_duration;
use shardlab::error::Parameter;
use shardlab::plan::{
    BUS_OFFSET, Boot, BusPortChoice, FIRST_PORT, Options, PlanError, PortChoice, Setting, Shape,
    Topology,
};
use shardlab::state::Record;
use shardlab::wire::slots::{SlotRange, SlotRanges};
use shardlab::{Error, Rung};

use super::common::{server_time, time};
use super::compared::Compared;
use super::sentinel_args::SentinelArgs;
use super::there;

/// What a new cluster is to be like; absent options have defaults that differ between `up` and `run`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClusterArgs {
    /// How the nodes work together [default: cluster].
    #[arg(long, value_enum, help_heading = "Shape")]
    pub(crate) topology: Option<Topology>,
    #[command(flatten)]
    pub(crate) sentinels: SentinelArgs,
    /// Number of masters [default: 3; 1 without cluster mode].
    #[arg(long, value_name = "N", help_heading = "Shape")]
    pub(crate) masters: Option<usize>,
    /// Replicas of each master: one number for all, or one for each [default: 1; 2 without cluster mode].
    #[arg(
        long,
        value_name = "N[,N…]",
        value_delimiter = ',',
        help_heading = "Shape"
    )]
    pub(crate) replicas: Option<Vec<usize>>,
    /// Slots of each master; `+` joins several ranges of one master [default: equal shares].
    #[arg(long, value_name = "A-B,C-D…", value_parser = slots, help_heading = "Shape")]
    pub(crate) slots: Option<SlotLists>,
    /// A cluster with a peculiarity to test against (docs/shapes.md).
    #[arg(long, value_enum, value_name = "SHAPE", help_heading = "Shape")]
    pub(crate) shape: Option<Shape>,
    /// How the nodes become a cluster.
    #[arg(long, value_enum, help_heading = "Shape")]
    pub(crate) boot: Option<Boot>,
    /// Start a cluster that `save` has written to this file, with its data, shape and persistence.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["boot", "shape"],
        help_heading = "Shape"
    )]
    pub(crate) from: Option<PathBuf>,
    /// The server: a path, a program, `valkey`, `redis`, or a version such as `valkey@9.1`.
    #[arg(
        long,
        value_name = "SPEC",
        env = "SHARDLAB_SERVER",
        help_heading = "Server"
    )]
    pub(crate) server: Option<String>,
    /// How to start a server that does not take Redis's configuration (docs/profiles.md); `--server` may name
    /// its program.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "from",
        help_heading = "Server"
    )]
    pub(crate) profile: Option<PathBuf>,
    /// Do not download a server.
    #[arg(long, help_heading = "Server")]
    pub(crate) offline: bool,
    /// Add a directive to every node.conf; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Server")]
    pub(crate) settings: Vec<String>,
    /// The server's cluster-node-timeout [default: 5s; 15s with more than 120 nodes].
    #[arg(long, value_name = "TIME", value_parser = server_time, help_heading = "Server")]
    pub(crate) node_timeout: Option<Duration>,
    /// Keep data in an append-only file; the default of `up`.
    #[arg(long, conflicts_with = "ephemeral", help_heading = "Server")]
    pub(crate) persist: bool,
    /// Keep data in memory only; the default of `run`.
    #[arg(long, help_heading = "Server")]
    pub(crate) ephemeral: bool,
    /// The first client port, the others follow; `auto`: any free ports [default: 7001 for `up`, auto for `run`].
    #[arg(long, value_name = "PORT|auto", value_parser = port, conflicts_with = "ports", help_heading = "Network")]
    pub(crate) port: Option<PortChoice>,
    /// All client ports: those of the masters, then those of their first replicas, and so on.
    #[arg(
        long,
        value_name = "PORT,…",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub(crate) ports: Option<Vec<u16>>,
    /// The first cluster bus port, the others follow; `auto`: the client port + 10000, or any free port if
    /// that one is taken [default: auto].
    #[arg(long, value_name = "PORT|auto", value_parser = bus_port, help_heading = "Network")]
    pub(crate) bus_port: Option<BusPortChoice>,
    /// An address to listen on; may be repeated [default: 127.0.0.1].
    #[arg(long, value_name = "ADDR", help_heading = "Network")]
    pub(crate) bind: Vec<IpAddr>,
    /// The address or host name that nodes announce to clients.
    #[arg(long, value_name = "HOST", help_heading = "Network")]
    pub(crate) announce: Option<String>,
    /// The password of clients and replicas; safer in `SHARDLAB_PASSWORD` or a file, since other users can
    /// see the command line.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "SHARDLAB_PASSWORD",
        hide_env_values = true,
        help_heading = "Network"
    )]
    pub(crate) password: Option<String>,
    /// Read the password from the first line of this file; overrides `--password` and `SHARDLAB_PASSWORD`.
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) password_file: Option<PathBuf>,
    /// Where to put the nodes' folders [default: the cluster's folder in the state folder].
    #[arg(long, value_name = "DIR", help_heading = "Start")]
    pub(crate) dir: Option<PathBuf>,
    /// How ready the cluster must be before the command returns.
    #[arg(
        long,
        value_enum,
        value_name = "RUNG",
        default_value = "ready",
        help_heading = "Start"
    )]
    pub(crate) wait: Rung,
    /// How long the start may take [default: 30s, more with many nodes].
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Start")]
    pub(crate) timeout: Option<Duration>,
}

/// `--slots`, one set for each master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotLists(pub(crate) Vec<SlotRanges>);

impl ClusterArgs {
    /// What is asked for, over defaults; settings come behind theirs.
    ///
    /// # Errors
    /// What cannot be read or stand in a config file, or means nothing in the topology.
    pub(crate) fn over(&self, mut defaults: Options) -> Result<Options, Error> {
        let topology = self.topology.unwrap_or(defaults.topology);
        if self.node_timeout.is_some() && !topology.is_cluster() {
            let misfit = PlanError::Misfit {
                asked: Parameter::NodeTimeout.into(),
                topology,
                reason: "only nodes of `--topology cluster` watch each other; sentinels have `--down-after`".into(),
            };
            return Err(misfit.into());
        }
        if let Some(shape) = self.shape {
            shape.prepare(&mut defaults);
        }
        let asked = self.clone();
        Ok(Options {
            masters: asked.masters.unwrap_or(defaults.masters),
            replicas: asked.replicas.unwrap_or(defaults.replicas),
            ports: self.port_choice().unwrap_or(defaults.ports),
            bus_port: asked.bus_port.unwrap_or(defaults.bus_port),
            slots: asked.slots.map(|lists| lists.0).or(defaults.slots),
            node_timeout: asked.node_timeout.unwrap_or(defaults.node_timeout),
            settings: [defaults.settings, self.settings()?].concat(),
            persist: self.keeps_data().unwrap_or(defaults.persist),
            password: self.password()?.or(defaults.password),
            announce: asked.announce.or(defaults.announce),
            bind: given(asked.bind).unwrap_or(defaults.bind),
            boot: asked.boot.unwrap_or(defaults.boot),
            topology,
            sentinels: self.sentinels.over(topology, defaults.sentinels)?,
            shape: defaults.shape,
        })
    }

    /// Names each option that was given and is not so in a cluster that is there, with what is so; options
    /// that were not given ask for nothing.
    ///
    /// # Errors
    /// As [`ClusterArgs::over`]; a server that cannot be meant.
    pub(crate) fn against(&self, record: &Record) -> Result<Vec<String>, Error> {
        // Without `..`: the compiler names the option that is missing below.
        let Self {
            topology,
            sentinels,
            masters,
            replicas,
            slots,
            shape,
            boot,
            from,
            server,
            profile,
            node_timeout,
            bus_port,
            bind,
            announce,
            dir,
            settings: _,
            port: _,
            ports: _,
            persist: _,
            ephemeral: _,
            password: _,
            password_file: _,
            // They ask nothing of the cluster.
            offline: _,
            wait: _,
            timeout: _,
        } = self;
        let there = &record.options;
        if from.is_some() {
            return Ok(vec!["`--from` starts a new one".to_owned()]);
        }
        if topology.is_some_and(|asked| asked != there.topology) {
            // Nothing else can be compared.
            return Ok(vec![format!("`--topology` is {}", there.topology)]);
        }
        self.over(there.clone())?; // Refuses what the topology does not have.
        let shape_there = there.shape.map_or("none".to_owned(), |it| it.to_string());
        let settings_there = there
            .settings
            .iter()
            .map(|it| format!("{}={}", it.key, it.value));
        let keeps = if there.persist {
            "kept in a file"
        } else {
            "kept in memory only"
        };
        let server = server.as_ref().map(|spec| spec.parse()).transpose()?;
        let [masters, replicas] = there::size(*masters, replicas.as_deref(), record);
        let compared = [
            masters,
            replicas,
            there::slots(slots.as_ref().map(|lists| lists.0.as_slice()), there),
            there::ports(self.port_choice(), record),
            there::bus_ports(*bus_port, record),
            Compared::of("--shape", shape.map(Some), &there.shape, &shape_there),
            Compared::of(
                "--node-timeout",
                *node_timeout,
                &there.node_timeout,
                &format_duration(there.node_timeout),
            ),
            Compared::of(
                "--set",
                given(self.settings()?),
                &there.settings,
                &list(settings_there),
            ),
            Compared::of(
                "--password",
                self.password()?.map(Some),
                &there.password,
                &"another one, or none",
            ),
            Compared::of(
                "--announce",
                announce.clone().map(Some),
                &there.announce,
                &list(&there.announce),
            ),
            Compared::of(
                "--bind",
                given(bind.clone()),
                &there.bind,
                &list(&there.bind),
            ),
            Compared::of("--boot", *boot, &there.boot, &there.boot),
            Compared::of("its data", self.keeps_data(), &there.persist, &keeps),
        ];
        let compared = compared
            .into_iter()
            .chain(sentinels.against(&there.sentinels));
        let place = [
            there::dir(dir.as_deref(), record),
            there::server(server.as_ref(), record),
            there::profile(profile.as_deref(), record)?,
        ];
        Ok(compared
            .chain(place)
            .filter_map(Compared::difference)
            .collect())
    }

    /// The settings, parsed.
    fn settings(&self) -> Result<Vec<Setting>, Error> {
        self.settings
            .iter()
            .map(|text| Ok(Setting::parse(text)?))
            .collect()
    }

    /// The password, from wherever it was given.
    fn password(&self) -> Result<Option<String>, Error> {
        let Some(file) = &self.password_file else {
            return Ok(self.password.clone());
        };
        let text = std::fs::read_to_string(file).map_err(|source| Error::Io {
            action: "read",
            path: file.clone(),
            source,
        })?;
        Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
    }

    /// Which ports were asked for, if any.
    pub(crate) fn port_choice(&self) -> Option<PortChoice> {
        self.port
            .clone()
            .or_else(|| self.ports.clone().map(PortChoice::List))
    }

    /// Whether data is to survive, if that was said.
    fn keeps_data(&self) -> Option<bool> {
        (self.persist || self.ephemeral).then_some(self.persist)
    }
}

/// A list, if anything was given.
fn given<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "not given".to_owned()
    } else {
        items.join(" ")
    }
}

fn port(text: &str) -> Result<PortChoice, String> {
    if text == "auto" {
        return Ok(PortChoice::Auto);
    }
    text.parse()
        .map(PortChoice::From)
        .map_err(|_| format!("expected a port such as {FIRST_PORT}, or `auto`"))
}

fn bus_port(text: &str) -> Result<BusPortChoice, String> {
    if text == "auto" {
        return Ok(BusPortChoice::Auto);
    }
    let usual = FIRST_PORT + BUS_OFFSET;
    text.parse()
        .map(BusPortChoice::From)
        .map_err(|_| format!("expected a port such as {usual}, or `auto`"))
}

fn slots(text: &str) -> Result<SlotLists, String> {
    let mut offset = 0;
    let mut lists = Vec::new();
    for item in text.split(',') {
        let ranges = item.split('+').map(|range| {
            let parsed = range.parse::<SlotRange>();
            let at = offset;
            offset += range.len() + 1;
            parsed.map_err(|error| {
                format!(
                    "at byte {}: expected {}, found `{}`",
                    at + error.offset,
                    error.expected,
                    error.found
                )
            })
        });
        lists.push(ranges.collect::<Result<_, _>>()?);
    }
    Ok(SlotLists(lists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_name_the_byte_that_is_wrong() {
        assert_eq!(
            slots("0-1+5,2-4")
                .unwrap()
                .0
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["0-1,5", "2-4"]
        );
        assert!(slots("0-1,2-x").unwrap_err().starts_with("at byte 6:"));
        assert!(
            slots("0-5460,5461-16384")
                .unwrap_err()
                .starts_with("at byte 12:")
        );
    }
}
