//! `! kill -9 n2`

use crate::transcript::ast::{Action, NodeName, Signal};
use crate::transcript::error::{ErrorKind, Vocabulary};
use crate::transcript::span::Spanned;

use super::lines::Cursor;
use super::parser::Parser;

const ACTIONS: Vocabulary = Vocabulary {
    name: "action",
    words: &[
        "kill", "pause", "resume", "stop", "start", "restart", "cut", "heal", "add-node", "config",
    ],
};

const SIGNALS: Vocabulary = Vocabulary {
    name: "signal",
    words: &["HUP", "INT", "QUIT", "ABRT", "KILL", "SEGV", "TERM"],
};

impl<'a> Parser<'a> {
    /// What follows the exclamation mark.
    pub(super) fn action(&mut self, mut rest: Cursor<'a>) -> Option<Action> {
        let line = rest;
        let Some(verb) = rest.word() else {
            self.unknown(line, ACTIONS);
            return None;
        };
        match verb.text {
            "kill" => self.kill(verb, rest),
            "pause" => self.nodes(verb, "pause", rest).map(Action::Pause),
            "resume" => self.nodes(verb, "resume", rest).map(Action::Resume),
            "stop" => self.nodes(verb, "stop", rest).map(Action::Stop),
            "start" => self.nodes(verb, "start", rest).map(Action::Start),
            "restart" => self.nodes(verb, "restart", rest).map(Action::Restart),
            "cut" => self.cut(verb, rest),
            "heal" => match rest.word() {
                None => Some(Action::Heal),
                Some(_) => self.usage("heal", "heal", rest, verb),
            },
            "add-node" => match (rest.word(), rest.word()) {
                (Some(name), None) => self.node_name(name).map(Action::AddNode),
                _ => self.usage("add-node", "add-node n4", rest, verb),
            },
            "config" => self.config(verb, rest),
            _ => {
                self.unknown(verb, ACTIONS);
                None
            }
        }
    }

    fn usage(
        &mut self,
        verb: &'static str,
        usage: &'static str,
        rest: Cursor<'a>,
        place: Cursor<'a>,
    ) -> Option<Action> {
        let span = place.span().to(rest.span());
        self.error(ErrorKind::ActionUsage { verb, usage }, span);
        None
    }

    /// Nodes up to the end of the line, at least one.
    fn nodes(
        &mut self,
        place: Cursor<'a>,
        verb: &'static str,
        mut rest: Cursor<'a>,
    ) -> Option<Vec<Spanned<NodeName>>> {
        let mut nodes = Some(Vec::new());
        let mut none = true;
        while let Some(word) = rest.word() {
            none = false;
            match (&mut nodes, self.node_name(word)) {
                (Some(nodes), Some(name)) => nodes.push(name),
                _ => nodes = None,
            }
        }
        if none {
            self.error(ErrorKind::ActionWithoutNode(verb), place.span());
            return None;
        }
        nodes
    }

    fn kill(&mut self, verb: Cursor<'a>, mut rest: Cursor<'a>) -> Option<Action> {
        let start = rest;
        let word = rest.word();
        let text = word.and_then(|word| word.text.strip_prefix('-'));
        let signal = if let (Some(word), Some(text)) = (word, text) {
            self.signal(word, text)
        } else {
            rest = start;
            self.error(ErrorKind::KillWithoutSignal, verb.span());
            None
        };
        let nodes = self.nodes(verb, "kill", rest);
        Some(Action::Kill(signal?, nodes?))
    }

    /// `9`, `KILL`, `SIGKILL`
    fn signal(&mut self, word: Cursor<'a>, text: &'a str) -> Option<Signal> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let found = Signal::ALL
            .into_iter()
            .find(|(_, number, known)| *known == name || number.to_string() == text)
            .map(|(signal, _, _)| signal);
        if found.is_none() {
            self.error(
                ErrorKind::Unknown {
                    found: text.to_owned(),
                    vocabulary: SIGNALS,
                },
                word.span(),
            );
        }
        found
    }

    fn cut(&mut self, verb: Cursor<'a>, mut rest: Cursor<'a>) -> Option<Action> {
        const USAGE: &str = "cut n1 r1 from n2 n3";
        let all = rest;
        let mut sides = [Vec::new(), Vec::new()];
        let mut side = 0;
        while let Some(word) = rest.word() {
            if word.text == "from" && side == 0 {
                side = 1;
            } else {
                let node = self.node_name(word)?;
                if let Some(nodes) = sides.get_mut(side) {
                    nodes.push(node);
                }
            }
        }
        let [one, other] = sides;
        if one.is_empty() || other.is_empty() {
            return self.usage("cut", USAGE, all, verb);
        }
        Some(Action::Cut(one, other))
    }

    fn config(&mut self, verb: Cursor<'a>, mut rest: Cursor<'a>) -> Option<Action> {
        let all = rest;
        let (node, directive) = (rest.word(), rest.word());
        rest.skip_blanks();
        let (Some(node), Some(directive), false) = (node, directive, rest.is_empty()) else {
            return self.usage("config", "config n1 DIRECTIVE VALUE", all, verb);
        };
        Some(Action::Config {
            node: self.node_name(node)?,
            directive: Spanned::new(directive.text.to_owned(), directive.span()),
            value: Spanned::new(rest.text.to_owned(), rest.span()),
        })
    }
}
