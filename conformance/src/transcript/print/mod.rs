//! Tree to text: the one canonical form, that `fmt` writes. For every tree that [`super::parse()`]
//! makes, parsing what is printed gives the same tree.

mod printer;
mod reply;
mod template;

use std::fmt::Write as _;

use super::ast::{
    Action, Arithmetic, Assertion, Block, Command, Comparison, Expression, Header, NodeName,
    Pattern, Period, Pipeline, RawBytes, RawOutcome, Signal, Step, StepKind, Template, Term,
    Transcript, Variant, Word,
};
use super::parse::frame_line_is_plain;
use super::span::Spanned;
use printer::Printer;
use reply::Neighbours;

/// The canonical form of a transcript.
pub fn print(transcript: &Transcript) -> String {
    let mut printer = Printer::default();
    printer.header(&transcript.header);
    if !transcript.body.steps.is_empty() || !transcript.body.trailing.is_empty() {
        printer.blank();
        printer.block(&transcript.body);
    }
    for (place, file) in transcript.files.iter().enumerate() {
        if place == 0 {
            printer.blank();
        }
        printer.line(&format!("-- {} --", file.name));
        printer.out.push_str(&file.content);
    }
    printer.out
}

/// Steps as they stand in a transcript.
pub(crate) fn print_steps(block: &Block) -> String {
    let mut printer = Printer::default();
    printer.block(block);
    printer.out
}

/// The lines of one reply, joined by `\n`, without one at the end.
pub fn print_pattern(pattern: &Pattern) -> String {
    reply::nested(pattern).join("\n")
}

/// A template as it stands behind a margin.
pub fn print_template(template: &Template) -> String {
    template::line(template)
}

impl Printer {
    fn header(&mut self, header: &Header) {
        self.comments(&header.comments);
        self.key("id", header.id.as_str());
        self.key("title", &header.title);
        for (key, values) in [
            ("spec", &header.spec),
            ("source", &header.source),
            ("note", &header.note),
            ("catches", &header.catches),
        ] {
            for value in values {
                self.key(key, value);
            }
        }
        self.key("level", header.level.word());
        self.key("needs", header.needs.word());
        if let Some(since) = &header.since {
            self.key("since", &since.to_string());
        }
        for command in &header.command {
            self.key("command", command);
        }
        self.key("topology", &header.topology.to_string());
        for directive in &header.conf {
            self.key(&format!("conf.{}", directive.name), &directive.value.value);
        }
    }

    fn key(&mut self, key: &str, value: &str) {
        self.line(&format!("{:<9} {value}", format!("{key}:")));
    }

    fn block(&mut self, block: &Block) {
        let mut above: Option<&Step> = None;
        for step in &block.steps {
            if above.is_some_and(|above| !joined(above, step)) {
                self.blank();
            }
            self.comments(&step.comments);
            self.step(&step.kind);
            above = Some(step);
        }
        if above.is_some() && !block.trailing.is_empty() {
            self.blank();
        }
        self.comments(&block.trailing);
    }

    fn indented(&mut self, block: &Block) {
        self.indent += 2;
        self.block(block);
        self.indent -= 2;
    }

    fn step(&mut self, kind: &StepKind) {
        match kind {
            StepKind::Send(pipeline) => self.pipeline(pipeline),
            StepKind::Read {
                connection,
                expected,
            } => {
                self.line(&format!("{}<", connection.value));
                self.expected(expected, Neighbours::default());
            }
            StepKind::RawSend { connection, bytes } => {
                self.raw(&format!("{}>>", connection.value), bytes);
            }
            StepKind::RawExpect {
                connection,
                outcome,
            } => {
                let prompt = format!("{}<<", connection.value);
                match outcome {
                    RawOutcome::Bytes(bytes) => self.raw(&prompt, bytes),
                    RawOutcome::NoConnection => {
                        self.line(&prompt);
                        self.line("(no connection)");
                    }
                }
            }
            StepKind::Within(period, block) => {
                self.line(&format!("within {}", period_text(period.value)));
                self.indented(block);
            }
            StepKind::For(period, block) => {
                self.line(&format!("for {}", period_text(period.value)));
                self.indented(block);
            }
            StepKind::Act(action) => self.line(&format!("! {}", action_text(action))),
            StepKind::Assert(assertion) => self.line(&format!("? {}", assertion_text(assertion))),
            StepKind::Choose(variants) => self.choose(variants),
        }
    }

    fn choose(&mut self, variants: &[Variant<Block>]) {
        for variant in variants {
            self.comments(&variant.comments);
            self.line(&variant.condition.to_string());
            if variant.body.steps.is_empty() {
                self.line("  (nothing)");
            } else {
                self.indented(&variant.body);
            }
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        let mut prompt = pipeline.connection.to_string();
        let width = prompt.len();
        for exchange in &pipeline.exchanges {
            self.line(&format!("{prompt:>width$}> {}", command(&exchange.command)));
            prompt.clear();
        }
        let mut above = None;
        for exchange in &pipeline.exchanges {
            let neighbours = Neighbours {
                pipelined: pipeline.exchanges.len() > 1,
                above,
            };
            self.expected(&exchange.expected, neighbours);
            above = Some(&exchange.expected);
        }
    }

    fn raw(&mut self, prompt: &str, bytes: &RawBytes) {
        match bytes {
            RawBytes::Line(line) => {
                self.line(&format!("{prompt} {}", template::frame(line)));
            }
            RawBytes::Lines { lines, no_newline } => {
                self.line(prompt);
                let lines: Vec<String> = lines
                    .iter()
                    .map(|line| template::frame_line(line))
                    .collect();
                let plain = lines.iter().all(|line| frame_line_is_plain(line));
                for line in lines {
                    match (plain, line.as_str()) {
                        (true, line) => self.line(line),
                        (false, "") => self.line("|"),
                        (false, line) => self.line(&format!("| {line}")),
                    }
                }
                if *no_newline {
                    self.line("(no newline)");
                }
            }
        }
    }
}

/// Whether no blank line stands between two steps: what is done or asserted together, and
/// bytes out with the bytes in that answer them.
fn joined(above: &Step, step: &Step) -> bool {
    step.comments.is_empty()
        && match (&above.kind.value, &step.kind.value) {
            (StepKind::Act(_), StepKind::Act(_)) | (StepKind::Assert(_), StepKind::Assert(_)) => {
                true
            }
            (
                StepKind::RawSend {
                    connection: out, ..
                },
                StepKind::RawExpect {
                    connection: back, ..
                },
            ) => out == back,
            _ => false,
        }
}

fn command(command: &Command) -> String {
    let words: Vec<String> = command
        .words
        .iter()
        .map(|word| match &word.value {
            Word::Argument(argument) => template::word(argument),
            Word::Range { first, last } => format!("{{{first}..{last}}}"),
        })
        .collect();
    words.join(" ")
}

fn period_text(period: Period) -> String {
    match period {
        Period::Timeouts(thousandths) => {
            let fraction = format!("{:03}", thousandths % 1000);
            match fraction.trim_end_matches('0') {
                "" => format!("{}T", thousandths / 1000),
                fraction => format!("{}.{fraction}T", thousandths / 1000),
            }
        }
        Period::Millis(millis) if millis % 1000 == 0 => format!("{}s", millis / 1000),
        Period::Millis(millis) => format!("{millis}ms"),
    }
}

fn action_text(action: &Action) -> String {
    let names = |nodes: &[Spanned<NodeName>]| {
        let names: Vec<String> = nodes.iter().map(|node| node.to_string()).collect();
        names.join(" ")
    };
    match action {
        Action::Kill(signal, nodes) => format!("kill -{} {}", signal_text(*signal), names(nodes)),
        Action::Pause(nodes) => format!("pause {}", names(nodes)),
        Action::Resume(nodes) => format!("resume {}", names(nodes)),
        Action::Stop(nodes) => format!("stop {}", names(nodes)),
        Action::Start(nodes) => format!("start {}", names(nodes)),
        Action::Restart(nodes) => format!("restart {}", names(nodes)),
        Action::Cut(one, other) => format!("cut {} from {}", names(one), names(other)),
        Action::Heal => "heal".to_owned(),
        Action::AddNode(node) => format!("add-node {}", node.value),
        Action::Config {
            node,
            directive,
            value,
        } => format!("config {} {} {}", node.value, directive.value, value.value),
    }
}

/// `9` is known by its number, the others by their names.
fn signal_text(signal: Signal) -> &'static str {
    match signal {
        Signal::Hup => "HUP",
        Signal::Int => "INT",
        Signal::Quit => "QUIT",
        Signal::Abrt => "ABRT",
        Signal::Kill => "9",
        Signal::Segv => "SEGV",
        Signal::Term => "TERM",
    }
}

fn assertion_text(assertion: &Assertion) -> String {
    let sign = Comparison::ALL
        .into_iter()
        .find(|(comparison, _)| *comparison == assertion.comparison)
        .map_or("", |(_, sign)| sign);
    format!(
        "{} {sign} {}",
        expression(&assertion.left),
        expression(&assertion.right)
    )
}

fn expression(expression: &Expression) -> String {
    let mut text = term(&expression.first);
    for (arithmetic, other) in &expression.rest {
        let sign = match arithmetic {
            Arithmetic::Plus => '+',
            Arithmetic::Minus => '-',
        };
        let _ = write!(text, " {sign} {}", term(other));
    }
    text
}

fn term(term: &Term) -> String {
    match term {
        Term::Captured(name) => name.clone(),
        Term::Integer(number) => number.to_string(),
        Term::String(bytes) => template::quoted_bytes(bytes),
        Term::Node { node, field } => template::node(*node, *field),
    }
}
