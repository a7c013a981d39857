//! `servers`: what can be run, and getting more of it.

use serde::Serialize;
use shardlab::server::{self, Listing, Notice};
use shardlab::{Error, exit};

use super::lab::Lab;
use super::report::SCHEMA;
use crate::cli::{Servers, ServersCommand};
use crate::term::table;

#[derive(Serialize)]
struct Report {
    schema: u32,
    #[serde(flatten)]
    listing: Listing,
}

/// Lists, or installs.
pub(crate) async fn servers(lab: &Lab<'_>, args: Servers) -> Result<u8, Error> {
    let search = Lab::search(false)?;
    match args.command {
        None => {
            let listing = server::list(&search).await;
            if args.json.json {
                lab.term.json(&Report {
                    schema: SCHEMA,
                    listing,
                });
            } else {
                lab.term.data(&text(&listing));
            }
        }
        Some(ServersCommand::Install {
            spec,
            accept_licence,
        }) => {
            let notify = |notice: &Notice| lab.term.note(&notice.to_string());
            let server = server::install(&spec.parse()?, accept_licence, &search, &notify).await?;
            if args.json.json {
                lab.term.json(&server);
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
        text.push_str("no server is on PATH or in the cache; `shardlab up` fetches one\n");
    } else {
        let mut rows = vec![
            ["SERVER", "FOUND", "PROGRAM"]
                .map(ToOwned::to_owned)
                .to_vec(),
        ];
        rows.extend(listing.here.iter().map(|server| {
            let found = match server.origin {
                server::Origin::Path => "PATH",
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
    text.push_str("\ncan be fetched with `shardlab servers install`:\n");
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
