//! `down`: forgets a cluster with its data.

use shardlab::cluster::sweep::sweep;
use shardlab::state::{Name, has_lost_owner, has_owner};
use shardlab::{Cluster, Error, doctor, exit};

use super::hints;
use super::lab::Lab;
use crate::cli::Down;

/// Removes processes, folders and locks; there being none is fine.
pub(crate) async fn down(lab: &Lab<'_>, args: &Down) -> Result<u8, Error> {
    let swept = sweep(&lab.home).await?;
    let names = if args.all {
        doctor::names(&lab.home)?
    } else {
        vec![lab.global.name.clone()]
    };
    let mut removed = 0_usize;
    let meant = |name: &&Name| args.all || **name == lab.global.name;
    for name in swept.iter().filter(meant) {
        tell_gone(lab, name);
        removed += 1;
    }
    let mut code = exit::DONE;
    for name in names {
        if args.all && belongs_to_a_run(lab, &name) {
            lab.term.note(&format!(
                "left alone: `{name}` belongs to a process that is still running"
            ));
            continue;
        }
        match remove(lab, &name).await {
            Ok(true) => {
                tell_gone(lab, &name);
                removed += 1;
            }
            Ok(false) => {}
            // One that cannot be removed does not keep the others.
            Err(error) => {
                code = exit::of(error.kind());
                let hint = hints::of(&error, Some(&lab.home), &name);
                let text = hints::message(&error, &name);
                lab.term.error(&text, code, hint.as_deref());
            }
        }
    }
    if removed == 0 && code == exit::DONE {
        lab.term.note(&if args.all {
            "no cluster exists".to_owned()
        } else {
            format!("the cluster `{}` does not exist", lab.global.name)
        });
    }
    lab.home.remove_if_empty();
    Ok(code)
}

async fn remove(lab: &Lab<'_>, name: &Name) -> Result<bool, Error> {
    if !doctor::names(&lab.home)?.contains(name) {
        return Ok(false);
    }
    let lock = lab.lock_of(name).await?;
    let removed = doctor::remove(&lab.home, lock).await?;
    for path in &removed.left {
        lab.term.note(&format!(
            "left alone, since it may not be shardlab's: `{}`",
            path.display()
        ));
    }
    Ok(removed.was_there)
}

fn tell_gone(lab: &Lab<'_>, name: &Name) {
    lab.term.note(&format!("removed the cluster `{name}`"));
}

fn belongs_to_a_run(lab: &Lab<'_>, name: &Name) -> bool {
    let folder = lab.home.folder(name);
    // Whose owner's lock is gone or damaged may have an owner, as long as its servers run.
    let may_have_owner = || {
        let cluster = Cluster::open(&lab.home, name);
        cluster.is_ok_and(|cluster| cluster.record().private && cluster.is_running())
    };
    has_owner(&folder) || !has_lost_owner(&folder) && may_have_owner()
}
