//! What a session may do on a cluster that is not ours.

use super::refusal::{Refusal, refusal};
use crate::run::footprint::Footprint;
use crate::system::attached::Permission;

/// What is permitted, and what has been done.
#[derive(Debug)]
pub(super) struct Guest {
    permission: Permission,
    /// Keys that were not there before, and that the session has written.
    pub(super) own: Footprint,
}

impl Guest {
    pub(super) fn new(permission: Permission) -> Self {
        Self {
            permission,
            own: Footprint::default(),
        }
    }

    /// What the session will have written after these commands, and what they touch that it has not written.
    pub(super) fn footprints(
        &self,
        commands: &[Vec<Vec<u8>>],
    ) -> Result<(Footprint, Footprint), Refusal> {
        let (mut all, mut fresh) = (self.own.clone(), Footprint::default());
        for command in commands {
            fresh.add(command);
            let mut alone = Footprint::default();
            alone.add(command);
            if alone.writes.is_some() {
                all.add(command);
            }
        }
        if let Some(command) = fresh.reaches.as_ref().or(fresh.reshapes.as_ref()) {
            let reason = format!("`{command}` would change more than keys of this session");
            return Err(elsewhere(reason));
        }
        let written = fresh.writes.as_ref();
        if let Some(command) = written.filter(|_| self.permission == Permission::Read) {
            return Err(refusal(
                format!("`{command}` would write a key"),
                "leave out `--read-only` to write keys of this session's own",
            ));
        }
        fresh.forget(&self.own);
        Ok((all, fresh))
    }
}

/// The refusal of what changes more of a cluster than can be put back.
pub(super) fn elsewhere(message: impl Into<String>) -> Refusal {
    refusal(
        message,
        "record it on a cluster that is started for it: leave out `--attach`",
    )
}
