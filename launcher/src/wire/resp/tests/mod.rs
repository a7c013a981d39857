//! Tests of the decoder and the encoder together.

mod differential;
mod errors;
mod limits;
mod properties;
mod samples;
mod values;

use bytes::BytesMut;

use super::{Decoder, Frame, Protocol, ProtocolError};

/// All that one decoder makes of bytes that come in these pieces: frames, and the error or
/// the bytes that are left.
fn decode_pieces<'a>(
    protocol: Protocol,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Result<BytesMut, ProtocolError>) {
    let mut decoder = Decoder::new(protocol);
    let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let before = buffer.clone();
            match decoder.decode(&mut buffer) {
                Ok(Some(frame)) => {
                    assert_eq!(
                        before,
                        [&frame.raw[..], &buffer].concat(),
                        "one frame's bytes leave"
                    );
                    frames.push(frame);
                }
                Ok(None) => {
                    assert_eq!(before, buffer, "an incomplete frame stays");
                    break;
                }
                Err(error) => {
                    assert_eq!(before, buffer, "a wrong frame stays");
                    assert_eq!(decoder.decode(&mut buffer).as_ref(), Err(&error));
                    return (frames, Err(error));
                }
            }
        }
    }
    (frames, Ok(buffer))
}

#[track_caller]
fn decode_one(protocol: Protocol, wire: &[u8]) -> Frame {
    match decode_pieces(protocol, [wire]) {
        (mut frames, Ok(rest)) if frames.len() == 1 && rest.is_empty() => frames.remove(0),
        other => panic!("not one frame: {other:?}"),
    }
}
