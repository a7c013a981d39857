//! Which cases are not for a target, before anything is started. Pure.

use crate::pattern::Server;
use crate::suite::Case;
use crate::system::describe;
use crate::transcript::ast::{Action, Block, Needs, StepKind};

use super::result::Skip;

/// Why a case is not for a server that is tested with these rights; `None` if it is.
pub fn gate(case: &Case, server: Option<&Server>, granted: Needs) -> Option<Skip> {
    let header = &case.transcript.header;
    if header.needs.value > granted {
        let kind = match header.needs.value {
            Needs::Client => "need an address",
            Needs::Admin => "need admin rights",
            Needs::Config => "need CONFIG SET",
            Needs::Process => "need process control",
            Needs::Sentinel => "need sentinels",
        };
        let reason = format!(
            "it needs `{}`, and this target gives `{}`",
            header.needs.word(),
            granted.word()
        );
        return Some(Skip { kind, reason });
    }
    if let (Some(since), Some(server)) = (&header.since, server)
        && !since.admit(&server.product, server.version)
    {
        let wanted = case.text(since.span);
        let reason = format!("it is for `{wanted}`; this is {}", describe(Some(server)));
        return Some(Skip {
            kind: "since-version",
            reason,
        });
    }
    let undone = undone(&case.transcript.body).or_else(|| {
        let files = !case.transcript.files.is_empty();
        files.then_some("files for nodes")
    });
    undone.map(|what| Skip {
        kind: "need what is not implemented yet",
        reason: format!("it needs {what}, which is not implemented yet"),
    })
}

/// The first thing in a block that the runner cannot do.
fn undone(block: &Block) -> Option<&'static str> {
    block.steps.iter().find_map(|step| match &step.kind.value {
        StepKind::Act(Action::Cut(..) | Action::Heal) => Some("`! cut`"),
        StepKind::Act(Action::AddNode(_)) => Some("`! add-node`"),
        StepKind::Act(Action::Config { .. }) => Some("`! config`"),
        StepKind::Within(_, block) | StepKind::For(_, block) => undone(block),
        StepKind::Choose(variants) => variants.iter().find_map(|variant| undone(&variant.body)),
        _ => None,
    })
}
