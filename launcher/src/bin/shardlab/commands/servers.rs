//! `servers`: what can be run, and getting more of it.

use serde::Serialize;
use shardlab::server::{self, Available, Listing, Notice, Origin, Server};
use shardlab::{Error, exit};

use super::lab::Lab;
use super::report::ServerReport;
use crate::cli::{Servers, ServersCommand};
use crate::term::table;

/// What is told as JSON of the list.
#[derive(Serialize)]
struct ListReport {
    /// On PATH and in the cache.
    servers: Vec<FoundReport>,
    catalogue: Vec<AvailableReport>,
}

/// What is told as JSON of what was installed.
#[derive(Serialize)]
struct InstallReport {
    server: FoundReport,
}

#[derive(Serialize)]
struct FoundReport {
    #[serde(flatten)]
    server: ServerReport,
    origin: Origin,
}

#[derive(Serialize)]
struct AvailableReport {
    product: String,
    version: String,
    licence: &'static str,
    /// The licence has to be accepted before the server is fetched.
    ask_first: bool,
    for_this_machine: bool,
    installed: bool,
}

impl From<&Server> for FoundReport {
    fn from(found: &Server) -> Self {
        Self {
            server: ServerReport::of(&found.identity, &found.program),
            origin: found.origin,
        }
    }
}

impl From<&Available> for AvailableReport {
    fn from(entry: &Available) -> Self {
        Self {
            product: entry.identity.product.to_string(),
            version: entry.identity.version.to_string(),
            licence: entry.licence,
            ask_first: entry.ask_first,
            for_this_machine: entry.for_this_machine,
            installed: entry.installed,
        }
    }
}

/// Lists, or installs.
pub(crate) async fn servers(lab: &Lab<'_>, args: Servers) -> Result<u8, Error> {
    let search = Lab::search(false)?;
    match args.command {
        None => {
            let listing = server::list(&search).await;
            if args.json.json {
                lab.term.json(&ListReport {
                    servers: listing.here.iter().map(Into::into).collect(),
                    catalogue: listing.catalogue.iter().map(Into::into).collect(),
                });
            } else {
                lab.term.data(&text(&listing));
            }
        }
        Some(ServersCommand::Install {
            spec,
            accept_licence,
        }) => {
            let notify = |notice: &Notice| lab.term.note(&notice.message().typed());
            let server = server::install(&spec.parse()?, accept_licence, &search, &notify).await?;
            if args.json.json {
                lab.term.json(&InstallReport {
                    server: (&server).into(),
                });
            } else {
                lab.term.data(&format!(
                    "{} is at {}",
                    server.identity,
                    server.program.display()
                ));
            }
        }
    }
    Ok(exit::DONE)
}

fn text(listing: &Listing) -> String {
    let mut text = String::new();
    if listing.here.is_empty() {
        text.push_str("no server is on PATH or in the cache; `shardlab up` downloads one\n");
    } else {
        let mut rows = vec![
            ["SERVER", "FOUND", "PROGRAM"]
                .map(ToOwned::to_owned)
                .to_vec(),
        ];
        rows.extend(listing.here.iter().map(|server| {
            let found = match server.origin {
                Origin::Path => "PATH",
                _ => "cache",
            };
            vec![
                server.identity.to_string(),
                found.to_owned(),
                server.program.display().to_string(),
            ]
        }));
        text.push_str(&table(&rows));
    }
    text.push_str("\n`shardlab servers install` can download:\n");
    let mut rows = vec![
        ["SERVER", "LICENCE", "NOTE"]
            .map(ToOwned::to_owned)
            .to_vec(),
    ];
    rows.extend(listing.catalogue.iter().map(|entry| {
        let note = match (entry.installed, entry.for_this_machine, entry.ask_first) {
            (true, ..) => "installed",
            (_, false, _) => "not for this machine",
            (_, _, true) => "needs --accept-licence",
            _ => "",
        };
        let spec = format!("{}@{}", entry.identity.product, entry.identity.version);
        vec![spec, entry.licence.to_owned(), note.to_owned()]
    }));
    text.push_str(&table(&rows));
    text
}
