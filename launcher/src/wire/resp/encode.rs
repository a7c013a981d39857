//! From values to bytes.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Frame, Value};

/// A command as clients send it: an array of bulk strings.
pub fn encode_command(args: &[impl AsRef<[u8]>]) -> Bytes {
    encode_commands([args])
}

/// Commands one after the other, to be sent in one write.
pub fn encode_commands<'a, A: AsRef<[u8]> + 'a>(
    commands: impl IntoIterator<Item = &'a [A]>,
) -> Bytes {
    let mut out = BytesMut::new();
    for args in commands {
        head(&mut out, b'*', args.len());
        for arg in args {
            bulk(&mut out, b'$', &[arg.as_ref()]);
        }
    }
    out.freeze()
}

impl Frame {
    /// The frame that says this, in the plainest spelling.
    pub fn from_value(value: Value) -> Self {
        Self {
            raw: value.encode(),
            value,
        }
    }
}

impl Value {
    /// The bytes that say this. The frames inside keep their own spelling, their `raw`; the rest
    /// is spelled as plainly as can be. A line break in what is sent as one line becomes a
    /// space, as in the servers' own errors; chunks of no bytes, which would end a streamed
    /// string, are left out.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::SimpleString(text) => line(&mut out, b'+', text),
            Self::SimpleError(text) => line(&mut out, b'-', text),
            Self::Integer(number) => line(&mut out, b':', number.to_string().as_bytes()),
            Self::BulkString(text) => bulk(&mut out, b'$', &[text]),
            Self::NullBulkString => line(&mut out, b'$', b"-1"),
            Self::Array(frames) => aggregate(&mut out, b'*', frames),
            Self::NullArray => line(&mut out, b'*', b"-1"),
            Self::Null => line(&mut out, b'_', b""),
            Self::Boolean(truth) => line(&mut out, b'#', if *truth { b"t" } else { b"f" }),
            Self::Double(number) => line(&mut out, b',', double(*number).as_bytes()),
            Self::BigNumber(digits) => line(&mut out, b'(', digits),
            Self::BulkError(text) => bulk(&mut out, b'!', &[text]),
            Self::VerbatimString { format, text } => bulk(&mut out, b'=', &[format, b":", text]),
            Self::Map(pairs) => map(&mut out, b'%', pairs),
            Self::Set(frames) => aggregate(&mut out, b'~', frames),
            Self::Push(frames) => aggregate(&mut out, b'>', frames),
            Self::Attribute { attributes, value } => {
                map(&mut out, b'|', attributes);
                out.put_slice(&value.raw);
            }
            Self::StreamedString(chunks) => {
                line(&mut out, b'$', b"?");
                for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                    bulk(&mut out, b';', &[chunk]);
                }
                line(&mut out, b';', b"0");
            }
            Self::StreamedArray(frames) => streamed(&mut out, b'*', frames),
            Self::StreamedSet(frames) => streamed(&mut out, b'~', frames),
            Self::StreamedMap(pairs) => streamed(
                &mut out,
                b'%',
                pairs.iter().flat_map(|(key, value)| [key, value]),
            ),
        }
        out.freeze()
    }
}

fn line(out: &mut BytesMut, kind: u8, text: &[u8]) {
    out.put_u8(kind);
    out.extend(text.iter().map(|byte| {
        if matches!(byte, b'\r' | b'\n') {
            b' '
        } else {
            *byte
        }
    }));
    out.put_slice(b"\r\n");
}

fn head(out: &mut BytesMut, kind: u8, length: usize) {
    line(out, kind, length.to_string().as_bytes());
}

fn bulk(out: &mut BytesMut, kind: u8, parts: &[&[u8]]) {
    head(out, kind, parts.iter().map(|part| part.len()).sum());
    for part in parts {
        out.put_slice(part);
    }
    out.put_slice(b"\r\n");
}

fn aggregate(out: &mut BytesMut, kind: u8, frames: &[Frame]) {
    head(out, kind, frames.len());
    for frame in frames {
        out.put_slice(&frame.raw);
    }
}

fn map(out: &mut BytesMut, kind: u8, pairs: &[(Frame, Frame)]) {
    head(out, kind, pairs.len());
    for (key, value) in pairs {
        out.put_slice(&key.raw);
        out.put_slice(&value.raw);
    }
}

fn streamed<'a>(out: &mut BytesMut, kind: u8, frames: impl IntoIterator<Item = &'a Frame>) {
    line(out, kind, b"?");
    for frame in frames {
        out.put_slice(&frame.raw);
    }
    line(out, b'.', b"");
}

/// The shortest digits that read back as the same double; Rust writes `NaN` for `nan`.
fn double(number: f64) -> String {
    if number.is_nan() {
        "nan".to_owned()
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_an_array_of_bulk_strings() {
        assert_eq!(
            encode_command(&["GET", "k"]),
            "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
        );
        assert_eq!(
            encode_command(&[&b"\r\n\x00"[..], b""]),
            "*2\r\n$3\r\n\r\n\0\r\n$0\r\n\r\n"
        );
    }

    #[test]
    fn a_line_break_never_ends_a_line_early() {
        let error = Value::SimpleError(Bytes::from_static(b"ERR a\r\n+OK"));
        assert_eq!(error.encode(), "-ERR a  +OK\r\n");
    }

    #[test]
    fn an_empty_chunk_does_not_end_a_streamed_string() {
        let text = Value::StreamedString(vec!["a".into(), Bytes::new(), "b".into()]);
        assert_eq!(text.encode(), "$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n");
    }

    #[test]
    fn doubles_are_spelled_as_the_protocol_does() {
        let spelled = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -0.0, 1.1, 10.0];
        let spelled = spelled.map(|number| Value::Double(number).encode());
        assert_eq!(
            spelled,
            [
                ",inf\r\n",
                ",-inf\r\n",
                ",nan\r\n",
                ",-0\r\n",
                ",1.1\r\n",
                ",10\r\n"
            ]
        );
    }

    #[test]
    fn frames_inside_keep_their_spelling() {
        let odd = Frame {
            raw: Bytes::from_static(b":+042\r\n"),
            value: Value::Integer(42),
        };
        assert_eq!(Value::Array(vec![odd]).encode(), "*1\r\n:+042\r\n");
    }
}
