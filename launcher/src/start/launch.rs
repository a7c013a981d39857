//! The steps of a start, in order: plan, write down, spawn, boot, climb, set right.

use std::net::IpAddr;
use std::time::Instant;

use crate::archive::{self, Archive};
use crate::boot::{BringUp, Request};
use crate::cluster::Cluster;
use crate::config::directive::is_renamed;
use crate::error::{Error, IoContext as _, NotReady};
use crate::machine::message::text;
use crate::machine::parameter::Parameter;
use crate::machine::wait::Deadline;
use crate::plan::{NodePlan, Options, Plan, PortChoice, Topology, node_count};
use crate::server::{Profile, Server};
use crate::state::limits;
use crate::state::ports::{self, ReservedPorts};
use crate::state::{
    FolderId, Home, Lock, NodeRecord, Phase, Record, SCHEMA, create_folders, make_node_folder,
    missing_folders, refuse_existing,
};

/// How often ports are chosen anew when another program was faster.
const PORT_ATTEMPTS: u32 = 5;

/// Decides everything that can be decided before something is touched.
pub(crate) fn plan(
    request: &Request<'_>,
    archive: Option<&Archive>,
    home: &Home,
    server: &Server,
) -> Result<Plan, Error> {
    let options = &request.options;
    check_support(options, server)?;
    if let Some(profile) = &server.profile {
        check_profile(options, profile, archive.is_some())?;
    }
    limits::check(node_count(options)?)?;
    if let Some(archive) = archive {
        let plan = archive::plan(archive, options, &server.identity, home)?;
        limits::check(plan.nodes.len())?;
        ports::check(&plan, &options.bind, home)?;
        return Ok(plan);
    }
    let profile = server.profile.as_ref();
    let in_a_row = profile.map_or(1, |profile| profile.ports_in_a_row());
    let clients = ports::of(options, in_a_row, home)?;
    let ports = ports::with_bus_ports(&clients, options, &server.identity, home)?;
    let plan = Plan::new(options, &ports)?.with_ports_in_a_row(in_a_row)?;
    ports::check(&plan, &options.bind, home)?;
    Ok(plan)
}

/// Starts what is asked for. When it fails, nothing is left but the lock.
pub(crate) async fn launch(
    request: &Request<'_>,
    archive: Option<&Archive>,
    home: &Home,
    lock: &Lock,
    private: bool,
    server: &Server,
) -> Result<Cluster, Error> {
    let since = Instant::now();
    limits::raise();
    let mut attempt = 1;
    loop {
        let launch = Launch {
            request,
            archive,
            home,
            lock,
            private,
            server,
            since,
        };
        match launch.run().await {
            Err(error) if attempt < PORT_ATTEMPTS && lost_port(&error, &request.options.ports) => {
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// One attempt.
struct Launch<'a> {
    request: &'a Request<'a>,
    archive: Option<&'a Archive>,
    home: &'a Home,
    lock: &'a Lock,
    private: bool,
    server: &'a Server,
    since: Instant,
}

impl Launch<'_> {
    async fn run(&self) -> Result<Cluster, Error> {
        let owner = if self.private {
            Some(self.lock.own().await?)
        } else {
            None
        };
        // Ports are chosen and written down under one lock: two launchers never choose the same.
        let ports_lock = self
            .home
            .lock_ports(Deadline::after(self.request.patience()))
            .await?;
        let plan = plan(self.request, self.archive, self.home, self.server)?;
        let reserved = ReservedPorts::of(&plan, &self.request.options.bind);
        let record = self.record(plan)?;
        refuse_existing(&record.nodes)?;
        if self.request.dir.is_some() {
            self.lock.write_dir(&record.dir)?;
        }
        self.lock.write(&record)?;
        drop(ports_lock);
        let mut cluster = Cluster::of(self.home.clone(), record, self.private);
        cluster.arm(owner, reserved);
        // What a boot keeps in mind is too much for the stacks of those who wait for it.
        match Box::pin(self.bring_up(&mut cluster)).await {
            Ok(()) => Ok(cluster),
            Err(error) => {
                // The first error is the one to tell.
                let cleared = cluster.clear(self.lock).await;
                Err(match error {
                    Error::NotReady(late) => Error::NotReady(Box::new(NotReady {
                        removed: cleared.is_ok(),
                        ..*late
                    })),
                    error => explain(&self.request.options, error),
                })
            }
        }
    }

    async fn bring_up(&self, cluster: &mut Cluster) -> Result<(), Error> {
        populate(cluster)?;
        let Launch {
            request,
            lock,
            server,
            since,
            ..
        } = *self;
        if let Some(saved) = self.archive {
            return archive::restore(saved, request, cluster, lock, server, since).await;
        }
        BringUp {
            request,
            lock,
            server,
            since,
        }
        .run(cluster)
        .await
    }

    fn record(&self, plan: Plan) -> Result<Record, Error> {
        let folder = self.lock.folder();
        let dir = match &self.request.dir {
            // The servers work in their own folders, so a relative path would lead elsewhere.
            Some(dir) => std::path::absolute(dir).doing("find", dir)?,
            None => folder.to_owned(),
        };
        let node = |plan: NodePlan| {
            let dir = dir.join(plan.port.to_string());
            NodeRecord::new(plan, dir)
        };
        let saved = self.archive.map(Archive::manifest);
        Ok(Record {
            schema: SCHEMA,
            name: self.lock.name().clone(),
            folder: Some(FolderId::of(folder).doing("find", folder)?),
            displaced: None,
            phase: Phase::Starting,
            private: self.private,
            options: self.request.options.clone(),
            program: self.server.program.clone(),
            argv0: self.server.argv0.clone(),
            server: self.server.identity.clone(),
            profile: self.server.profile.clone(),
            created: missing_folders(&dir),
            boot_settings: false,
            no_config: self.server.profile.is_some()
                || is_renamed(&self.request.options.settings, "config"),
            stopping: Vec::new(),
            nodes: plan.nodes.into_iter().map(node).collect(),
            retired: saved.map_or_else(Vec::new, |saved| saved.retired.clone()),
            reshaped: saved.and_then(|saved| saved.reshaped.clone()),
            dir,
        })
    }
}

/// Makes the nodes' folders and writes their configs.
fn populate(cluster: &Cluster) -> Result<(), Error> {
    create_folders(&cluster.record().dir)?;
    for node in cluster.nodes() {
        make_node_folder(node.dir())?;
        cluster.write_config(node)?;
    }
    Ok(())
}

/// A server that refuses its config because of what the user has set is the user's error.
fn explain(options: &Options, error: Error) -> Error {
    let Error::Died { log, .. } = &error else {
        return error;
    };
    // Redis 8 takes a directive that it does not know for one of a module, and finds out later that there
    // is none (`moduleLoadConfigs`, `main`, server.c).
    let complaints = [
        "FATAL CONFIG FILE ERROR",
        "Unresolved Configuration(s) Detected",
    ];
    let is_one = |line: &String| complaints.iter().any(|words| line.contains(words));
    let Some(at) = log.iter().position(is_one) else {
        return error;
    };
    let words = log.get(at + 1..).unwrap_or_default();
    let quoted = words
        .iter()
        .find_map(|line| line.split_once(">>> '")?.1.strip_suffix('\''));
    let named = quoted.and_then(|line| line.split_ascii_whitespace().next());
    let guilty = options
        .settings
        .iter()
        .find(|setting| Some(setting.key.as_str()) == named);
    match (guilty, words.last()) {
        (Some(setting), Some(reason)) => Error::RefusedSetting {
            key: setting.key.clone(),
            value: setting.value.clone(),
            reason: message(reason).to_owned(),
        },
        _ => error,
    }
}

/// A line of a server's log without pid, role, time and level.
fn message(line: &str) -> &str {
    let is_logged = line.starts_with(|first: char| first.is_ascii_digit());
    let message = line.split_once(" # ").filter(|_| is_logged);
    message.map_or(line, |(_, message)| message).trim()
}

/// Whether another program was faster to take a port that was free when it was looked at. Another attempt
/// chooses another one, or names who has the one that was asked for.
fn lost_port(error: &Error, ports: &PortChoice) -> bool {
    match error {
        Error::Died { log, .. } => log
            .iter()
            .any(|line| line.contains("Address already in use")),
        Error::PortTaken { .. } => *ports == PortChoice::Auto,
        _ => false,
    }
}

/// Refuses what the server is too old for, and what contradicts itself.
fn check_support(options: &Options, server: &Server) -> Result<(), Error> {
    let unsupported = |text| Err(Error::Unsupported(text));
    if options.password.as_deref().is_some_and(is_blank) {
        return unsupported(text![
            "an empty password is none: servers let everybody in; leave ",
            Parameter::Password,
            " out, or give one"
        ]);
    }
    if let Some(shape) = options.shape {
        shape.check(options)?;
    }
    let Some(announce) = &options.announce else {
        return Ok(());
    };
    if is_blank(announce) {
        return unsupported(text![
            "an empty host cannot be announced: clients would be sent to nowhere; give ",
            Parameter::Announce,
            " an address or a host name, or leave it out"
        ]);
    }
    let stray = |letter: &char| !letter.is_alphanumeric() && !"-._:".contains(*letter);
    if let Some(letter) = announce.chars().find(stray) {
        return unsupported(text![
            Parameter::Announce,
            format!(" takes an IP address or a host name; a host name cannot hold {letter:?}")
        ]);
    }
    match announce.parse::<IpAddr>() {
        Ok(address)
            if options
                .bind
                .iter()
                .any(|bind| *bind == address || bind.is_unspecified()) =>
        {
            Ok(())
        }
        Ok(address) => unsupported(text![
            format!(
                "the nodes would tell each other to talk to {address}, where they do not listen; add "
            ),
            Parameter::Bind.as_part(address.to_string())
        ]),
        Err(_) => {
            // Of servers without cluster mode the name is any text; only Sentinel looks at it.
            let (can, since) = match options.topology {
                Topology::Cluster => (server.identity.announce_hostname(), "7.0"),
                Topology::Sentinel => (server.identity.sentinel_hostnames(), "6.2"),
                Topology::Replication | Topology::Standalone => (true, ""),
            };
            if can {
                return Ok(());
            }
            unsupported(text![format!(
                "{} cannot announce a host name, `{announce}`; Redis {since} and Valkey can, or announce an IP address",
                server.identity
            )])
        }
    }
}

/// Refuses what a server cannot be asked for that is started by a profile.
fn check_profile(options: &Options, profile: &Profile, saved: bool) -> Result<(), Error> {
    let restores = || {
        text![
            "an archive is not restored by a server that a profile describes; leave ",
            Parameter::From,
            " out"
        ]
    };
    let reason = options.refused_by(profile);
    match reason.or_else(|| saved.then(restores)) {
        Some(reason) => Err(Error::Unsupported(reason)),
        None => Ok(()),
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::plan::Setting;

    #[test]
    fn a_setting_that_the_server_does_not_know_is_the_users_fault_however_it_is_told() {
        let setting = Setting::parse("nonesuch=1").unwrap();
        let options = Options {
            settings: vec![setting],
            ..Options::default()
        };
        let redis_8 = |text: &str| format!("7:M 30 Nov 2026 20:22:36.539 # {text}");
        for (log, reason) in [
            (
                [
                    "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***".to_owned(),
                    "Reading the configuration file, at line 2".to_owned(),
                    ">>> 'nonesuch 1'".to_owned(),
                    "Bad directive".to_owned(),
                ],
                "Bad directive",
            ),
            (
                [
                    redis_8("Running mode=cluster, port=7001."),
                    redis_8("Unresolved Configuration(s) Detected:"),
                    redis_8(">>> 'nonesuch 1'"),
                    redis_8("Module Configuration detected: aborting"),
                ],
                "Module Configuration detected: aborting",
            ),
        ] {
            let died = Error::Died {
                node: "n1".to_owned(),
                port: 7001,
                ended: String::new(),
                log: log.to_vec(),
                log_path: PathBuf::new(),
            };
            let expected = format!("the server refuses `set nonesuch=1`: {reason}");
            assert_eq!(explain(&options, died).to_string(), expected);
        }
    }
}
