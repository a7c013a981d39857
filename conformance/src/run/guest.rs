//! A case on somebody's cluster, which is afterwards as it was.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shardlab::machine::wait::{Deadline, next_round};
use shardlab::wire::resp::escape;

use crate::binding::{Names, is_of_all};
use crate::suite::Case;
use crate::system::attached::{Attached, Attachment, Found, Permission};
use crate::transcript::ast::{Directive, Needs, Transcript};

use super::Runner;
use super::footprint::Footprint;
use super::gate::gate;
use super::keys::{Trouble, crowded, delete, existing, occupied};
use super::restore::{self, Picture};
use super::result::{Skip, Verdict};
use super::runner::{CHANGING, Tried, trace};
use super::visit::{InHand, locked};

/// This case is not tried.
fn skip<T>(kind: &'static str, reason: impl Into<String>) -> Result<T, Verdict> {
    let reason = reason.into();
    Err(Verdict::Skipped(Skip { kind, reason }))
}

impl Runner {
    /// What could not be put back on somebody's cluster, in words; no other case runs there.
    pub fn left_changed(&self) -> Option<String> {
        locked(&self.visit.left).clone()
    }

    fn barred(&self) -> Result<(), Verdict> {
        match self.left_changed() {
            None => Ok(()),
            Some(_) => skip(
                "would run on a cluster that has changed",
                "an earlier case has changed the cluster, which could not be put back",
            ),
        }
    }

    /// Whether a case that was dropped half-way has left more to put back than its keys.
    pub fn has_changed_more_than_keys(&self) -> bool {
        let in_hand = locked(&self.visit.in_hand);
        let by_case = in_hand.as_ref().map(|case| case.picture.is_some());
        by_case.unwrap_or_else(|| locked(&self.visit.picture).is_some())
    }

    /// Puts back what a case has changed whose run was dropped half-way on somebody's cluster, and deletes its
    /// keys.
    ///
    /// # Errors
    /// What could not be put back.
    pub async fn clean_up(&self) -> Result<(), String> {
        // A task that is aborted ends at its next wait.
        let _turn = self.turn.lock().await;
        let in_hand = locked(&self.visit.in_hand).clone();
        let Some(in_hand) = in_hand else {
            // A look at the cluster may have been under way, which mends it as well.
            return self
                .unchanged()
                .await
                .map_err(|_| self.left_changed().unwrap_or_default());
        };
        self.put_back(&in_hand).await?;
        locked(&self.visit.in_hand).take();
        Ok(())
    }

    /// Looks whether somebody's cluster is as it was, after the last case.
    pub(super) async fn leave(&self) {
        let _turn = self.turn.lock().await;
        // Told when the run ends.
        let _ = self.unchanged().await;
    }

    /// Looks whether the cluster is still as it was before the first case that changes more than keys: news that
    /// was on its way may have changed it since.
    async fn unchanged(&self) -> Result<(), Verdict> {
        let seen = locked(&self.visit.picture).clone();
        if let (Some((target, picture)), Ok(())) = (seen, self.barred()) {
            let put_back = restore::put_back(&target, &picture, &self.limits).await;
            *locked(&self.visit.left) = put_back.err();
        }
        self.barred()
    }

    /// No case runs on a cluster that could not be put back.
    pub(super) async fn admitted(&self, case: &Case) -> Result<(), Verdict> {
        match case.transcript.header.needs.value {
            Needs::Client => self.barred(),
            _ => self.unchanged().await,
        }
    }

    async fn put_back(&self, case: &InHand) -> Result<(), String> {
        let mut left = Vec::new();
        if let Some((target, picture)) = &case.picture
            && let Err(reason) = restore::put_back(target, picture, &self.limits).await
        {
            locked(&self.visit.left).get_or_insert(reason.clone());
            left.push(reason);
        }
        // Keys go also from a cluster that is not as it was otherwise.
        if let Err(trouble) = delete(&case.target, &case.footprint, self.waits()).await {
            left.push(format!("the case's keys are left behind: {}", trouble.text));
        }
        if left.is_empty() {
            Ok(())
        } else {
            Err(left.join("; "))
        }
    }

    /// Tries a case on a cluster as it was found, with the rights that its user gives.
    pub(super) async fn attached(
        &self,
        found: &Found,
        attachment: &Attachment,
        case: &Case,
    ) -> Tried {
        if let Some(refused) = gate(case, found.server(), attachment.granted()) {
            return Err(Verdict::Skipped(refused));
        }
        let all = is_of_all(&case.transcript);
        if all && !found.open_slots(self.limits.read).await.is_empty() {
            return skip(CHANGING, "it looks at all nodes, and slots are being moved");
        }
        let (target, transcript) = match found.bind(&case.transcript) {
            Ok(bound) => bound,
            Err(reason) => return skip("need another topology", reason),
        };
        let footprint = trace(&transcript, &target);
        permitted(&footprint, attachment, &target)?;
        let needs = case.transcript.header.needs.value;
        let picture = match needs {
            Needs::Client if footprint.reshapes.is_none() => None,
            _ => Some(self.picture(found, &target, &transcript).await?),
        };
        self.vacant(case, &target, &footprint).await?;
        if let (Some((target, picture)), Needs::Process) = (&picture, needs)
            && let Err(reason) = restore::save(target, picture, &self.limits).await
        {
            let reason = format!("they cannot be saved: {reason}");
            return skip("would lose keys of yours", reason);
        }
        let elects = footprint.elects || needs == Needs::Process;
        let elected = *locked(&self.visit.elected);
        if let Some(elected) = elected.filter(|_| elects) {
            while !elected.passed() {
                next_round(self.limits.pause, elected).await;
            }
        }
        let in_hand = InHand {
            target: target.clone(),
            footprint,
            picture,
        };
        *locked(&self.visit.in_hand) = Some(in_hand.clone());
        // What went wrong before is not this case's.
        target.trouble();
        let trial = self
            .trial(case, &transcript, &target, &Names::default())
            .await;
        let trouble = target.trouble();
        let put_back = match &trial {
            Err(_) if in_hand.picture.is_none() => Ok(()),
            _ => self.put_back(&in_hand).await,
        };
        locked(&self.visit.in_hand).take();
        if elects {
            let elected = Deadline::after(restore::election_memory(&target));
            *locked(&self.visit.elected) = Some(elected);
        }
        let mut trial = trial?;
        if let Some(reason) = trouble {
            let left = put_back.err().map(|left| format!("; {left}"));
            return Err(Verdict::Broken(reason + &left.unwrap_or_default()));
        }
        let departs = trial.difference.is_some() || !trial.mended.is_empty();
        if in_hand.picture.is_none() && departs && put_back.is_ok() {
            if found.has_changed(self.limits.read).await {
                return skip(CHANGING, "nodes, slots or roles changed while it ran");
            }
            let open = found.open_slots(self.limits.read).await;
            if in_hand.footprint.is_in(&open) || all && !open.is_empty() {
                return skip(CHANGING, "slots were being moved while it ran");
            }
        }
        if let Err(left) = put_back {
            match &mut trial.difference {
                Some(difference) => difference.notes.push(left),
                None => return Err(Verdict::Broken(left)),
            }
        }
        Ok(trial)
    }

    /// The cluster before the first case that changes more than keys, if it is one that such a case is for.
    async fn picture(
        &self,
        found: &Found,
        target: &Attached,
        transcript: &Transcript,
    ) -> Result<(Attached, Arc<Picture>), Verdict> {
        let restless = |reason: &str| {
            let reason = format!("the cluster is not at rest: {reason}");
            skip(CHANGING, reason)
        };
        if let Some(unrest) = found.unrest() {
            return restless(unrest);
        }
        let known = locked(&self.visit.picture).clone();
        let seen = if let Some(seen) = known {
            seen
        } else {
            let once = self.visit.restless.load(Ordering::Relaxed);
            match restore::picture(target, &self.limits, once).await {
                Ok(picture) => (target.clone(), Arc::new(picture)),
                Err(reason) => {
                    self.visit.restless.store(true, Ordering::Relaxed);
                    return restless(&reason);
                }
            }
        };
        let picture = &seen.1;
        locked(&self.visit.picture).get_or_insert_with(|| seen.clone());
        // T scales with the cluster's own.
        let mut conf = transcript.header.conf.iter().map(|line| &line.value);
        let other = conf.find(|Directive { name, value }| {
            name != "cluster-node-timeout" && picture.setting(name) != Some(value)
        });
        match other {
            None => Ok(seen),
            Some(Directive { name, value }) => {
                let reason = format!("it needs `{name} {value}` on all nodes");
                skip("need other settings", reason)
            }
        }
    }

    /// Skips a case in whose way keys of the user are.
    async fn vacant(
        &self,
        case: &Case,
        target: &Attached,
        footprint: &Footprint,
    ) -> Result<(), Verdict> {
        let trouble =
            |wanted: &str, trouble: Trouble| match self.undiscovered(case, wanted, trouble) {
                Ok(_) => Ok(()),
                Err(verdict) => Err(verdict),
            };
        if let Some(command) = &footprint.scans
            && let Some(keys) = crowded(target, self.waits()).await
        {
            let reason = format!("it sends `{command}`, and a node has {keys} keys");
            return skip("need nodes with fewer keys", reason);
        }
        match existing(target, footprint, self.waits()).await {
            Ok(keys) => {
                if let Some(key) = keys.first() {
                    let reason = format!("the key `{}` is there already", escape(key));
                    return skip("would change keys of yours", reason);
                }
            }
            // What may be somebody's is not written.
            Err(error) => {
                return trouble("a server that tells whether the case's keys exist", error);
            }
        }
        match occupied(target, footprint, self.waits()).await {
            Ok(None) => Ok(()),
            Ok(Some(slot)) => {
                let reason = format!("there are keys in slot {slot}, which it looks into or moves");
                skip("would see keys of yours", reason)
            }
            Err(error) => trouble(
                "a server that tells how many keys are in the case's slots",
                error,
            ),
        }
    }
}

/// Skips a case that does what nobody has allowed.
fn permitted(
    footprint: &Footprint,
    attachment: &Attachment,
    target: &Attached,
) -> Result<(), Verdict> {
    let sends = |command: &String| format!("it sends `{command}`");
    if let Some(command) = &footprint.reaches {
        return skip("need a cluster that the suite has started", sends(command));
    }
    let reshapes = footprint.reshapes.as_ref();
    if let Some(command) = reshapes.filter(|_| attachment.permission != Permission::Admin) {
        return skip(
            "need the right to change more than their keys",
            sends(command),
        );
    }
    if let Some(command) = footprint
        .writes
        .as_ref()
        .filter(|_| attachment.permission == Permission::Read)
    {
        return skip("need to write keys", sends(command));
    }
    if let Some(command) = footprint.logs_out.as_ref().filter(|_| target.logs_in()) {
        return skip("need a connection without a login", sends(command));
    }
    Ok(())
}
