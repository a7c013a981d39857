//! A cluster is described, then started.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::archive::Archive;
use crate::boot::{Event, Observer, Request};
use crate::cluster::Cluster;
use crate::cluster::sweep::sweep;
use crate::error::Error;
use crate::ladder::Rung;
use crate::machine::environment::Environment;
use crate::machine::wait::Deadline;
use crate::plan::{Boot, BusPortChoice, Options, Plan, PortChoice, Setting, Shape, Topology};
use crate::server::{Notice, Profile, SearchEnv, Server, find, find_like, find_profiled};
use crate::start::launch;
use crate::state::{Home, Lock, Name};
use crate::wire::slots::SlotRanges;

/// Describes a cluster, then starts it. The defaults are those of `shardlab run`: three masters with one
/// replica each, on free ports, with data in memory only, and the first server that is found, or a
/// downloaded one. [`Options`] has everything that can be asked of a cluster, and [`Builder::options`] sets it;
/// a method that sets a single option is a convenience.
///
/// ```
/// use shardlab::Cluster;
///
/// let builder = Cluster::builder().masters(1).replicas(0).setting("maxmemory", "100mb")?;
/// let cluster = builder.start_blocking()?;
/// let value = cluster.call("n1", &["CONFIG", "GET", "maxmemory"])?;
/// assert!(format!("{value:?}").contains("104857600"));
/// # Ok::<(), shardlab::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder<'a> {
    request: Request<'a>,
    archive: Option<Archive>,
    name: Option<Name>,
    home: Option<Home>,
    server: Choice,
    profile: Option<Profile>,
    search: Option<SearchEnv>,
}

/// Which server to run.
#[derive(Clone)]
enum Choice {
    Found(Server),
    Spec(Option<String>),
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("options", &self.request.options)
            .finish_non_exhaustive()
    }
}

impl Default for Builder<'_> {
    fn default() -> Self {
        Self {
            request: Request::default(),
            archive: None,
            name: None,
            home: None,
            server: Choice::Spec(None),
            profile: None,
            search: None,
        }
    }
}

impl Cluster {
    /// A new cluster with default options.
    pub fn builder<'a>() -> Builder<'a> {
        Builder::default()
    }
}

impl<'a> Builder<'a> {
    /// The number of masters. Default: 3.
    pub fn masters(mut self, masters: usize) -> Self {
        self.request.options.masters = masters;
        self
    }

    /// The number of replicas of each master. Default: 1.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.request.options.replicas = vec![replicas];
        self
    }

    /// The number of replicas of the first master, the second one, and so on.
    pub fn replicas_of_each(mut self, replicas: impl Into<Vec<usize>>) -> Self {
        self.request.options.replicas = replicas.into();
        self
    }

    /// The slots of each master, in order; this also sets the number of masters. Slots that are not listed
    /// get no owner. Default: equal shares.
    pub fn slots(mut self, slots: impl Into<Vec<SlotRanges>>) -> Self {
        let slots = slots.into();
        self.request.options.masters = slots.len();
        self.request.options.slots = Some(slots);
        self
    }

    /// The nodes' client ports. Default: any free ports.
    pub fn ports(mut self, ports: PortChoice) -> Self {
        self.request.options.ports = ports;
        self
    }

    /// The addresses to listen on; the nodes are reached at the first one. Default: 127.0.0.1.
    pub fn bind(mut self, addresses: impl Into<Vec<IpAddr>>) -> Self {
        self.request.options.bind = addresses.into();
        self
    }

    /// The IP address or host name that nodes announce to clients and each other.
    pub fn announce(mut self, host: impl Into<String>) -> Self {
        self.request.options.announce = Some(host.into());
        self
    }

    /// Whether data survives [`Cluster::stop`] and [`Cluster::start`], in an append-only file. Default: no.
    pub fn persist(mut self, persist: bool) -> Self {
        self.request.options.persist = persist;
        self
    }

    /// How the nodes work together. Call it before the methods that set numbers of nodes: each topology
    /// has its own defaults ([`Options::of`]). Default: a cluster.
    pub fn topology(mut self, topology: Topology) -> Self {
        let Options {
            masters, replicas, ..
        } = Options::of(topology);
        self.request.options.topology = topology;
        self.request.options.masters = masters;
        self.request.options.replicas = replicas;
        self
    }

    /// The number of sentinels, and how many of them must agree that the master is down. Only with
    /// [`Topology::Sentinel`]. Default: 3 and 2.
    pub fn sentinels(mut self, count: usize, quorum: usize) -> Self {
        self.request.options.sentinels.count = count;
        self.request.options.sentinels.quorum = quorum;
        self
    }

    /// The first sentinel's client port; the others follow. Default: any free ports if [`Builder::ports`]
    /// are any free ports, else 27001.
    pub fn sentinel_port(mut self, port: u16) -> Self {
        self.request.options.sentinels.port = Some(port);
        self
    }

    /// `down-after-milliseconds` of the sentinels, in whole milliseconds. Default: 5 s.
    pub fn down_after(mut self, time: Duration) -> Self {
        self.request.options.sentinels.down_after = time;
        self
    }

    /// `failover-timeout` of the sentinels, in whole milliseconds. Default: 10 s.
    pub fn failover_timeout(mut self, time: Duration) -> Self {
        self.request.options.sentinels.failover_timeout = time;
        self
    }

    /// `cluster-node-timeout`, in whole milliseconds. Default: 5 s.
    pub fn node_timeout(mut self, timeout: Duration) -> Self {
        self.request.options.node_timeout = timeout;
        self
    }

    /// The cluster bus ports. Default: [`BusPortChoice::Auto`].
    pub fn bus_port(mut self, ports: BusPortChoice) -> Self {
        self.request.options.bus_port = ports;
        self
    }

    /// The sentinels' name for the master, of letters, digits, `.`, `-` and `_`. Default: `mymaster`.
    pub fn master_name(mut self, name: impl Into<String>) -> Self {
        self.request.options.sentinels.master_name = name.into();
        self
    }

    /// Adds a directive to every node.conf.
    ///
    /// # Errors
    /// The launcher sets this directive itself, or the value cannot be written to a config file.
    pub fn setting(mut self, key: &str, value: &str) -> Result<Self, Error> {
        self.request
            .options
            .settings
            .push(Setting::parse(&format!("{key}={value}"))?);
        Ok(self)
    }

    /// The password of clients and replicas (`requirepass` and `masterauth`).
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.request.options.password = Some(password.into());
        self
    }

    /// The server: a path, a program, `valkey`, `redis`, or a version such as `valkey@9.1`.
    pub fn server(mut self, spec: impl Into<String>) -> Self {
        self.server = Choice::Spec(Some(spec.into()));
        self
    }

    /// A server that was already found.
    pub fn found_server(mut self, server: Server) -> Self {
        self.server = Choice::Found(server);
        self
    }

    /// How a server that does not take Redis's configuration is started; [`Builder::server`] may name its
    /// program.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// How the nodes become a cluster.
    pub fn boot(mut self, boot: Boot) -> Self {
        self.request.options.boot = boot;
        self
    }

    /// A cluster with a peculiarity to test against. A shape sets some other options, such as the number of
    /// masters.
    pub fn shape(mut self, shape: Shape) -> Self {
        shape.prepare(&mut self.request.options);
        self
    }

    /// Sets all options at once, in place of those that were set before. [`Options::default`] has the defaults
    /// of `shardlab up`: fixed ports, and data that is kept.
    ///
    /// ```
    /// use shardlab::Cluster;
    /// use shardlab::plan::{Options, PortChoice};
    ///
    /// let options = Options { ports: PortChoice::Auto, persist: false, ..Options::default() };
    /// let builder = Cluster::builder().options(options);
    /// ```
    pub fn options(mut self, options: Options) -> Self {
        self.request.options = options;
        self
    }

    /// The cluster's name. Default: a unique name.
    pub fn name(mut self, name: Name) -> Self {
        self.name = Some(name);
        self
    }

    /// The state folder. Default: the user's.
    pub fn home(mut self, home: Home) -> Self {
        self.home = Some(home);
        self
    }

    /// Where to put the nodes' folders. Default: the cluster's folder in the state folder.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.request.dir = Some(dir.into());
        self
    }

    /// A saved cluster ([`Cluster::save`]) with its data, on free ports. It runs on the server that saved it,
    /// or one of the same minor version, if there is one and you choose no other. Its options replace
    /// those that were set before. Options that are set afterwards override them, except shape and
    /// persistence.
    pub fn archive(mut self, archive: Archive) -> Self {
        self.request.options = Options {
            ports: PortChoice::Auto,
            bus_port: BusPortChoice::Auto,
            ..archive.manifest().options.clone()
        };
        self.archive = Some(archive);
        self
    }

    /// The rung to wait for. Default: [`Rung::Ready`].
    pub fn wait_for(mut self, rung: Rung) -> Self {
        self.request.rung = rung;
        self
    }

    /// How long the start may take. Default: 30 s, and one more second for every four nodes.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(timeout);
        self
    }

    /// Calls a function for each event of the start.
    pub fn observer(mut self, observer: Observer<'a>) -> Self {
        self.request.observer = observer;
        self
    }

    /// Where to look for servers. Default: this process's PATH and the user's cache folder.
    pub fn search(mut self, search: SearchEnv) -> Self {
        self.search = Some(search);
        self
    }

    /// Starts the cluster and waits until it is ready. The cluster is removed when the returned value is
    /// dropped, or when this process is killed.
    ///
    /// # Errors
    /// Any [`Error`]; then nothing of the cluster is left.
    pub async fn start(self) -> Result<Cluster, Error> {
        let home = self.state_folder()?;
        sweep(&home).await?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => private_name()?,
        };
        let lock = home
            .lock(&name, Deadline::after(self.request.patience()))
            .await?;
        if home.record(&name)?.is_some() {
            return Err(Error::Exists(name));
        }
        let started = self.start_locked(&home, &lock, true).await;
        if started.is_err() {
            lock.remove()?;
        }
        started
    }

    /// Starts a cluster under a lock that the caller has taken, and whose name it has. A `private`
    /// one dies with this process; any other can be detached. What is there of that name must
    /// have been removed.
    ///
    /// # Errors
    /// Any [`Error`]; then nothing is left but the lock.
    pub async fn start_locked(
        self,
        home: &Home,
        lock: &Lock,
        private: bool,
    ) -> Result<Cluster, Error> {
        let server = self.find_server().await?;
        launch::launch(
            &self.request,
            self.archive.as_ref(),
            home,
            lock,
            private,
            &server,
        )
        .await
    }

    /// What would be started. Nothing is changed, but a server may be downloaded.
    ///
    /// # Errors
    /// Any error that [`Builder::start`] would find before its first step.
    pub async fn plan(&self) -> Result<(Plan, Server), Error> {
        let server = self.find_server().await?;
        let home = self.state_folder()?;
        let plan = launch::plan(&self.request, self.archive.as_ref(), &home, &server)?;
        Ok((plan, server))
    }

    fn state_folder(&self) -> Result<Home, Error> {
        match (&self.home, Environment::of_process().home) {
            (Some(home), _) => Ok(home.clone()),
            (None, Some(root)) => Ok(Home::at(root)),
            (None, None) => Home::usual(),
        }
    }

    async fn find_server(&self) -> Result<Server, Error> {
        let asked = match &self.server {
            Choice::Found(server) => return Ok(server.clone()),
            Choice::Spec(spec) => spec.clone(),
        };
        let environment = Environment::of_process();
        let spec = asked
            .or_else(|| environment.server.clone())
            .map(|spec| spec.parse())
            .transpose()?;
        let search = match &self.search {
            Some(search) => search.clone(),
            None => SearchEnv {
                path: environment.path,
                cache: crate::state::usual_cache()?,
                offline: false,
            },
        };
        if let Some(profile) = &self.profile {
            return Ok(find_profiled(profile.clone(), spec.as_ref(), &search).await?);
        }
        let note = |notice: &Notice| (self.request.observer)(&Event::Note(notice));
        let archive = self.archive.as_ref().filter(|_| spec.is_none());
        let Some(saved) = archive.map(|archive| &archive.manifest().server) else {
            return Ok(find(spec.as_ref(), &search, &note).await?);
        };
        if let Some(server) = find_like(saved, &search).await {
            return Ok(server);
        }
        let server = find(None, &search, &note).await?;
        note(&Notice::Unlike {
            saved: saved.clone(),
            found: server.identity.clone(),
        });
        Ok(server)
    }
}

/// Containers that share a state folder give the same pids, so the pid is there for people only.
fn private_name() -> Result<Name, Error> {
    let number = crate::machine::random::number() & 0xffff_ffff;
    Ok(format!("run-{}-{number:08x}", std::process::id()).parse()?)
}
