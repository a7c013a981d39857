//! What can be wrong with a transcript. Kinds know nothing of places; [`ErrorKind::at`] joins
//! the two, and [`crate::diagnose`] draws them.

use thiserror::Error;

use super::span::Span;
use super::suggest::suggest;

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where; empty spans point between two characters.
    pub span: Span,
}

/// A set of words of which one is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vocabulary {
    /// What the words are: `header key`.
    pub name: &'static str,
    /// All of them.
    pub words: &'static [&'static str],
}

/// What is wrong. The text is a fragment for people; [`ErrorKind::help`] says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each kind is its documentation")]
pub enum ErrorKind {
    // The file.
    #[error("the file is larger than {} KiB", super::span::MAX_SOURCE / 1024)]
    TooLarge,
    #[error("the file is not valid UTF-8")]
    NotUtf8,
    #[error("the file begins with a byte order mark")]
    ByteOrderMark,
    #[error("the line is indented with a tab")]
    Tab,
    #[error("unknown {} `{found}`", .vocabulary.name)]
    Unknown {
        found: String,
        vocabulary: Vocabulary,
    },
    #[error("nested more than {0} deep")]
    TooDeep(usize),

    // The header.
    #[error("the transcript does not begin with a header")]
    NoHeader,
    #[error("the header lacks {}", .0.join(", "))]
    MissingKeys(Vec<String>),
    #[error("`{0}` appears twice in the header")]
    RepeatedKey(String),
    #[error("a header line has the form `key: value`")]
    HeaderLine,
    #[error("a blank line must separate the header from the steps")]
    HeaderNotEnded,
    #[error("`{0}` has no value")]
    EmptyValue(String),
    #[error("`{0}` is not a case id")]
    CaseId(String),
    #[error("`{0}` is not a topology")]
    Topology(String),
    #[error("a topology has from 1 to {} nodes", super::ast::Topology::MAX_NODES)]
    TopologySize,
    #[error("`{0}` is not the name of a configuration directive")]
    DirectiveName(String),

    // Steps.
    #[error("this line belongs to no step")]
    StrayLine,
    #[error("`{0}` is not a node name")]
    NodeName(String),
    #[error("`{0}` is not a connection name")]
    ConnectionName(String),
    #[error("no command follows the prompt")]
    EmptyCommand,
    #[error("`>` continues a pipeline, but there is none above")]
    StrayContinuation,
    #[error("`{0}` needs a body, indented by two")]
    EmptyBlock(String),
    #[error("this line is indented by {found}, the lines above by {wanted}")]
    Indentation { found: usize, wanted: usize },
    #[error("`{0}` is not a node of a transcript")]
    Prompt(String),
    #[error("`{0}` does not say how long")]
    MissingPeriod(String),
    #[error("`{0}` is not a period")]
    Period(String),
    #[error("`! {0}` names no node")]
    ActionWithoutNode(&'static str),
    #[error("`! kill` does not say which signal")]
    KillWithoutSignal,
    #[error("`! {verb}` is written `! {usage}`")]
    ActionUsage {
        verb: &'static str,
        usage: &'static str,
    },
    #[error("`{0}` is not an assertion")]
    Assertion(String),
    #[error("`{0}` is not a value of an assertion")]
    Term(String),
    #[error("a file's name is a node's name, `/` and a name without `/`")]
    FileName,
    #[error("the file `{0}` appears twice in the transcript")]
    RepeatedFile(String),

    // Words and templates.
    #[error("the quote is not closed")]
    UnclosedQuote,
    #[error("a blank must follow the closing quote")]
    TextAfterQuote,
    #[error("unknown escape `{0}`")]
    Escape(String),
    #[error("the placeholder is not closed")]
    UnclosedPlaceholder,
    #[error("unknown placeholder `<{0}>`")]
    Placeholder(String),
    #[error("`{0}` is not a name for a capture")]
    CaptureName(String),
    #[error("{0} cannot be sent")]
    Unsendable(&'static str),
    #[error("`{0}` is not a range of numbers")]
    Range(String),

    // Conditions.
    #[error("the condition names no product")]
    EmptyCondition,
    #[error("`{0}` is not a product with versions")]
    ProductRange(String),
    #[error("`*` must stand alone, as the last condition")]
    StarWithProducts,

    // Replies.
    #[error("no reply is written for this command")]
    MissingReply,
    #[error("nothing is written below the prompt")]
    MissingRead,
    #[error("no bytes follow the prompt, on its line or below")]
    MissingBytes,
    #[error("the reply is complete above this line")]
    ExtraReply,
    #[error("`{0}` has nothing below it")]
    EmptyOpener(String),
    #[error("a value is missing here")]
    MissingValue,
    #[error("`{0}` is not {1}")]
    BadNumber(String, &'static str),
    #[error("`{0}` cannot stand here")]
    Misplaced(String),
    #[error("expected item {wanted}, found item {found}")]
    ItemNumber { found: u64, wanted: u64 },
    #[error("an entry of a map reads `1# \"key\" => value`")]
    EntryWithoutArrow,
    #[error("the key of a map is one value on its line")]
    CompoundKey,
    #[error("only an error can be `(exact)`")]
    ExactWithoutError,
    #[error("an integer is written `(integer) {0}`")]
    BareInteger(String),
    #[error("replies are written as redis-cli prints them, not as bytes")]
    RawReply,
    #[error("`{0}` is a remark of redis-cli, not part of the reply")]
    ClientRemark(String),
    #[error("a null is written `(nil)`")]
    BareNil,

    // What can be read and makes no sense.
    #[error("a fixture's path is not `fixtures/<area>/<claim>.resp`")]
    FixturePath,
    #[error("the id `{0}` already belongs to `{1}`")]
    RepeatedId(String, String),
    #[error("a MUST without `spec:`")]
    MustWithoutSpec,
    #[error("a title has no full stop")]
    TitleEnd,
    #[error("`{0}` is set by the launcher")]
    DecidedDirective(String),
    #[error("the topology has no `{0}`: {1}")]
    UnknownNode(String, String),
    #[error("`{0}` has not been captured above")]
    Uncaptured(String),
    #[error("no variant covers {}", .0.join(", "))]
    VariantHoles(Vec<String>),
    #[error("no server can reach this: {0}")]
    Unreachable(String),
    #[error("a list of conditions begins with `[*]`")]
    StarFirst,
    #[error("{0} needs more than the header says")]
    NeedsMore(String, &'static str),
    #[error("an action in a block would be repeated with it")]
    RepeatedAction,
    #[error("the transcript checks nothing")]
    NoClaim,
    #[error("`{0}` is not implemented yet")]
    Unimplemented(&'static str),
}

impl ErrorKind {
    /// This, at that place.
    pub const fn at(self, span: Span) -> Error {
        Error { kind: self, span }
    }

    /// What to do about it, if that is not plain from the text.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Unknown { found, vocabulary } => return suggest(found, vocabulary.words),
            Self::NoHeader => {
                "`id:`, `title:`, `spec:`, `level:`, `needs:`, `topology:` and a blank line stand above the steps"
            }
            Self::Prompt(_) => {
                "a prompt names a node of the topology: `n1>` a master, `r1>` its replica; `n1/ro>` is another \
                 connection of n1"
            }
            Self::TooLarge => "make one claim per file",
            Self::ByteOrderMark => "save it as UTF-8 without one",
            Self::Tab => "indent with blanks, two for each level",
            Self::CaseId(_) => {
                "2 to 6 capital letters or digits, a dash, 2 or 3 digits, perhaps a small letter: `MOV-01`, `R3-02b`"
            }
            Self::Topology(_) => {
                "for example `3 masters, 1 replica each`, `6 bare nodes`, `1 node without cluster`, \
                 `1 master, 2 replicas` or `1 master, 2 replicas, 3 sentinels`"
            }
            Self::HeaderLine => "the header ends at the first blank line",
            Self::DirectiveName(_) => "for example `conf.cluster-node-timeout: 500`",
            Self::StrayLine => {
                "a step is a prompt (`n1> GET a`), `within 3T`, `for 2T`, `! kill -9 n2`, `? F > E` or `[redis>=7.0]`"
            }
            Self::NodeName(_) => {
                "masters are `n1 n2 …`, the replicas of n1 `r1 r1b …`, sentinels `s1 …`"
            }
            Self::ConnectionName(_) => "small letters, digits and dashes, as in `n1/ro>`",
            Self::Period(_) | Self::MissingPeriod(_) => {
                "for example `3T` (node timeouts), `1.5T`, `500ms` or `2s`"
            }
            Self::KillWithoutSignal => "for example `! kill -9 n2`, or `-INT` for Ctrl-C",
            Self::Assertion(_) => "for example `? F > E` or `? F == E + 1`",
            Self::Term(_) => "a capture (`E`), an integer, a `\"string\"` or a node's `<n1.id>`",
            Self::UnclosedPlaceholder | Self::Placeholder(_) => {
                "write `\\<` for the character itself; placeholders are `<n1>`, `<n1.id>`, `<any>`, `<word>`, \
                 `<int>`, `<float>`, `<hex40>`, `<address>`, `<E=int>`, `<E>` and `<this|that>`"
            }
            Self::Escape(_) => {
                "escapes are `\\r \\n \\t \\a \\b \\xHH`, and `\\` in front of a sign: `\\\\`, `\\<`"
            }
            Self::CaptureName(_) => "a capital letter first, then letters, digits and `_`",
            Self::Unsendable(_) => {
                "commands take nodes (`<n1.id>`) and captured values (`<E>`) only"
            }
            Self::Range(_) => {
                "the first number is not above the last, at most 16384 of them: `{0..5460}`"
            }
            Self::EmptyCondition => "for example `[redis>=7.0 valkey]`, or `[*]` for all others",
            Self::ProductRange(_) => "for example `redis>=7.0`, `redis>=6.2<7.0` or `valkey`",
            Self::StarWithProducts => "`[*]` matches every server that no condition above matches",
            Self::MissingReply => "`...` takes any reply that is not an error",
            Self::MissingRead => "write the frame that is to come, or `(pending)` for none",
            Self::ExtraReply => {
                "lines of a text carry a margin (`| role:master`), and a blank line ends the step"
            }
            Self::ItemNumber { .. } => {
                "the items of a nested value stand further right than its own number"
            }
            Self::ExactWithoutError => "every other reply is exact already",
            Self::RawReply => {
                "`+OK` is `OK`, `-ERR x` is `(error) ERR x`, `:1` is `(integer) 1`, `$-1` is `(nil)`; bytes are \
                 expected with `n1<<`"
            }
            Self::ClientRemark(_) => "take the session from redis-cli without `-c`, and drop times",
            Self::FixturePath => {
                "small letters, digits and `_`, and the file is named by its claim: \
                 `fixtures/moved/names_the_owner_of_the_slot.resp`"
            }
            Self::MustWithoutSpec => "say where it is written, or lower the level to `should`",
            Self::Uncaptured(_) => "a reply captures with `<E=int>`, for the steps below it",
            Self::VariantHoles(_) => "add a variant, or `[*]` for all other servers",
            Self::Unreachable(_) => "the first condition that admits a server counts",
            Self::StarFirst => {
                "`[*]` is for the servers that no condition above admits; what all servers do stands without one"
            }
            Self::NeedsMore(_, needs) => return Some(format!("write `needs: {needs}`")),
            Self::RepeatedAction => "put it above the block",
            Self::NoClaim => "a step with a reply, or an assertion, makes a claim",
            Self::Misplaced(word) if word.starts_with('[') => {
                "write `\\[` for the character itself"
            }
            _ => return None,
        };
        Some(help.to_owned())
    }
}
