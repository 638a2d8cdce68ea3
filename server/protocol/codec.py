"""Frames to lines and back."""

from typing import Any, NoReturn

import msgspec

from server.protocol import limits
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import ClientFrame, Frame, ServerFrame, type_field

_encoder = msgspec.json.Encoder()
_client_frames: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_server_frames: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)
_anything: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])

_OF_CLIENT = {t.__struct_config__.tag: t for t in ClientFrame.__args__}
_OF_SERVER = {t.__struct_config__.tag: t for t in ServerFrame.__args__}


def encode(frame: Frame) -> bytes:
    """Return the frame as one line, its newline included."""
    return _encoder.encode(frame) + b"\n"


def decode_client(line: bytes) -> ClientFrame:
    """Return the frame that a client's line holds; ProtocolError where it holds none."""
    try:
        return _client_frames.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        _refuse(line, error, _OF_CLIENT)


def decode_server(line: bytes) -> ServerFrame:
    """Return the frame that a server's line holds; ProtocolError where it holds none."""
    try:
        return _server_frames.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        _refuse(line, error, _OF_SERVER)


def _refuse(line: bytes, error: Exception, frames: dict[str, type[Frame]]) -> NoReturn:
    """Say what is wrong with a line, with its `ref` where that can still be read."""
    try:
        fields = _anything.decode(line)
    except msgspec.ValidationError:
        raise ProtocolError(Code.BAD_FRAME, "A frame is one JSON object on one line.") from error
    except (msgspec.MsgspecError, UnicodeError):
        raise ProtocolError(Code.BAD_FRAME, "This line is not JSON in UTF-8.") from error
    except RecursionError:
        raise ProtocolError(Code.BAD_FRAME, "This line is nested too deeply.") from error
    ref = fields.get("ref")
    if not (isinstance(ref, str) and len(ref) <= limits.REF_CHARS):
        ref = None
    kind = fields.get(type_field)
    if not isinstance(kind, str):
        raise ProtocolError(Code.BAD_FRAME, 'A frame needs a "type" that is a string.', ref) from error
    if kind not in _OF_CLIENT and kind not in _OF_SERVER:
        raise ProtocolError(Code.UNKNOWN_TYPE, "No frame has this type here.", ref) from error
    from server.protocol.shapes import explain  # few lines are wrong

    said = explain(frames[kind], str(error)) if kind in frames else "This type of frame goes the other way."
    raise ProtocolError(
        Code.BAD_FRAME, said or "A field of this frame holds what it can't. See docs/protocol.md.", ref
    ) from error
