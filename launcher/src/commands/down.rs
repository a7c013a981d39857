//! `down`: forgets a cluster with its data.

use shardlab::state::{Name, has_owner};
use shardlab::sweep::sweep;
use shardlab::{Cluster, Error, exit};

use super::Lab;
use crate::cli::Down;

/// Removes processes, folders and locks; there being none is fine.
pub(crate) async fn down(lab: &Lab<'_>, args: &Down) -> Result<u8, Error> {
    sweep(&lab.home).await?;
    let names = if args.all {
        lab.home.names()?
    } else {
        vec![lab.global.name.clone()]
    };
    let mut removed = 0_usize;
    let mut code = exit::DONE;
    for name in names {
        if args.all && belongs_to_a_run(lab, &name) {
            lab.term.note(&format!(
                "left alone: `{name}` belongs to a process that runs"
            ));
            continue;
        }
        match remove(lab, &name).await {
            Ok(true) => {
                lab.term.note(&format!("the cluster `{name}` is gone"));
                removed += 1;
            }
            Ok(false) => {}
            // One that cannot be removed does not keep the others.
            Err(error) => {
                lab.term.error(&error.to_string(), error.hint().as_deref());
                code = error.exit_code();
            }
        }
    }
    if removed == 0 && code == exit::DONE {
        lab.term.note(&if args.all {
            "there is no cluster".to_owned()
        } else {
            format!("there is no cluster `{}`", lab.global.name)
        });
    }
    lab.home.remove_if_empty();
    Ok(code)
}

async fn remove(lab: &Lab<'_>, name: &Name) -> Result<bool, Error> {
    if !lab.home.names()?.contains(name) {
        return Ok(false);
    }
    let lock = lab.lock_of(name).await?;
    let found = lab.home.record(name)?.is_some();
    if found {
        Cluster::open(&lab.home, name)?.remove(lock).await?;
    } else {
        // A launcher was killed before it wrote anything down.
        lock.remove()?;
    }
    Ok(found)
}

fn belongs_to_a_run(lab: &Lab<'_>, name: &Name) -> bool {
    let private = lab
        .home
        .record(name)
        .is_ok_and(|record| record.is_some_and(|record| record.private));
    private && has_owner(&lab.home.folder(name))
}
