//! What is done to nodes instead of being sent to them: `! kill -9 n2`.

use crate::system::{Deed, Target};
use crate::transcript::ast::{Action, NodeName, Signal};
use crate::transcript::{Span, Spanned};

use super::session::{Outcome, Session, stumble};

impl<T: Target> Session<'_, T> {
    /// Does it, node by node. Connections to a node whose process ends are closed.
    pub(super) async fn act(&mut self, action: &Action, span: Span) -> Outcome {
        match action {
            Action::Kill(signal, nodes) => self.each(nodes, &[Deed::Kill(*signal)]).await,
            Action::Pause(nodes) => self.each(nodes, &[Deed::Pause]).await,
            Action::Resume(nodes) => self.each(nodes, &[Deed::Resume]).await,
            Action::Stop(nodes) => self.each(nodes, &[Deed::Stop]).await,
            Action::Start(nodes) => self.each(nodes, &[Deed::Start]).await,
            Action::Restart(nodes) => self.each(nodes, &[Deed::Stop, Deed::Start]).await,
            Action::Cut(..) | Action::Heal | Action::AddNode(_) | Action::Config { .. } => {
                Err(stumble(
                    span,
                    None,
                    "an action that can be done",
                    "one that cannot, yet",
                ))
            }
        }
    }

    async fn each(&mut self, nodes: &[Spanned<NodeName>], deeds: &[Deed]) -> Outcome {
        let failed = |deed, node: &Spanned<NodeName>, reason| {
            let expected = format!("`{}` of {} to succeed", describe(deed), node.value);
            stumble(node.span, Some(node.value), expected, reason)
        };
        let mut last = None;
        for node in nodes {
            for deed in deeds {
                if let Some(before) = last.filter(|_| deeds.len() > 1) {
                    let settled = self.target.settle(before, node.value).await;
                    settled.map_err(|reason| failed(before, node, reason))?;
                }
                self.wire.happened(&node.value, describe(*deed));
                if matches!(deed, Deed::Kill(_) | Deed::Stop) {
                    self.close_node(node.value);
                }
                let done = self.target.act(*deed, node.value).await;
                done.map_err(|reason| failed(*deed, node, reason))?;
                last = Some(*deed);
            }
        }
        // Of several nodes all are gone at once, as far as that can be.
        for node in nodes {
            if let Some(deed) = last {
                let settled = self.target.settle(deed, node.value).await;
                settled.map_err(|reason| failed(deed, node, reason))?;
            }
        }
        Ok(())
    }
}

fn describe(deed: Deed) -> String {
    match deed {
        Deed::Kill(signal) => {
            let known = Signal::ALL.iter().find(|(known, ..)| *known == signal);
            format!("kill -{}", known.map_or("?", |(_, _, name)| name))
        }
        Deed::Pause => "pause".to_owned(),
        Deed::Resume => "resume".to_owned(),
        Deed::Stop => "stop".to_owned(),
        Deed::Start => "start".to_owned(),
    }
}
