//! What a command line asks to test, found or reached.

use shardlab::machine::environment::Environment;
use shardlab::server::Notice;
use shardlab_conformance::pattern::Server;
use shardlab_conformance::run::{Limits, Subject, Wanted};
use shardlab_conformance::system::AddressMap;
use shardlab_conformance::system::attached::Permission;

use super::failure::{opened, usage};
use crate::cli::Tested;
use crate::term::{self, Failure};

pub(super) async fn subject(args: &Tested, limits: &Limits) -> Result<Subject, Failure> {
    let identity = args.product.as_ref().zip(args.server_version);
    let wanted = Wanted {
        server: args.server.clone(),
        profile: args.profile.clone(),
        attach: args.attached.attach.clone(),
        user: args.attached.user.clone(),
        password: args.attached.password.clone(),
        tls: args.attached.tls.tls,
        tls_options: args.attached.tls.options(),
        address_map: AddressMap::parse(args.attached.address_map.iter().map(String::as_str))
            .map_err(|error| usage(&error))?,
        node_timeout: args.attached.node_timeout,
        permission: match (args.attached.read_only, args.attached.allow_admin) {
            (true, _) => Permission::Read,
            (false, false) => Permission::Write,
            (false, true) => Permission::Admin,
        },
        control: args.attached.control.clone(),
        identity: identity.map(|(product, version)| Server {
            product: product.to_lowercase(),
            version,
        }),
        offline: args.offline,
    };
    let note = |notice: &Notice| term::note(&notice.message().typed());
    Subject::open(&wanted, &Environment::of_process(), limits.read, &note)
        .await
        .map_err(|error| opened(&error))
}
