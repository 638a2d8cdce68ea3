"""The choke point: all that a server says passes here, and comes out typed and harmless."""

from typing import Any

from msgspec import UNSET

from server.protocol import codec, frames
from server.protocol.text import clean, clean_line


def take_in(line: bytes) -> frames.ServerFrame:
    """Return the frame that a line holds, every string in it cleaned; ProtocolError where it holds none.

    `session` and `epoch` stay as they came: they are sent back, never shown.
    """
    frame = codec.decode_server(line)
    if type(frame) is frames.Message:
        _clean_message(frame)
    elif type(frame) is frames.History:
        frame.room = _line(frame.room)
        for message in frame.messages:
            _clean_message(message)
    else:
        _clean_fields(frame)
    return frame


def _line(text: str) -> str:
    """Return `text` safe and on one line; nearly always it is already."""
    return text if text.isascii() and text.isprintable() else clean_line(text)


def _clean_message(message: frames.Message) -> None:
    message.sender = _line(message.sender)
    message.room = _line(message.room)
    message.time = _line(message.time)
    message.text = clean(message.text)


def _clean_fields(frame: Any) -> None:  # noqa: ANN401 - any frame: the fields are found by their values
    for field in frame.__struct_fields__:
        value = getattr(frame, field)
        if value is UNSET or field in ("session", "epoch"):
            continue
        if isinstance(value, str):
            setattr(frame, field, _line(value))
        elif isinstance(value, list):
            setattr(frame, field, [_line(item) for item in value])
