"""The choke point: all that a server says passes here, and comes out typed and harmless."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from server.protocol import codec, frames
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import clean, clean_line

_SECRET = frozenset({"session", "epoch"})
"""Fields that stay as they came: they are sent back, never shown."""


def take_in(line: bytes) -> frames.ServerFrame:
    """Return the frame that a line holds, every string in it cleaned; ProtocolError where it holds none.

    `session` and `epoch` stay as they came, but for the code of a new device, which is shown.
    """
    frame = codec.decode_server(line)
    if type(frame) is frames.Message:
        _clean_message(frame)
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
    if message.reactions:
        message.reactions = {_line(emoji): users for emoji, users in message.reactions.items()}


def _clean_fields(struct: Struct) -> None:
    long = isinstance(struct, frames.Edited | frames.Version)
    for field in struct.__struct_fields__:
        if field not in _SECRET or type(struct) is frames.NewDevice:
            value = getattr(struct, field)
            if isinstance(value, str) and long and field == "text":
                setattr(struct, field, clean(value))
            elif not isinstance(value, int):
                setattr(struct, field, _clean(value))


def _clean(value: Any) -> Any:  # noqa: ANN401 - whatever a frame's field holds
    """Return a field's value, however deep its strings lie, with all of them cleaned."""
    match value:
        case str():
            return _line(value)
        case Raw():
            return _clean_json(value)
        case frames.Message():
            _clean_message(value)
        case Struct():
            _clean_fields(value)
        case list():
            return [_clean(item) for item in value]
        case tuple():
            return tuple(_clean(item) for item in value)
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _clean_json(raw: Raw) -> Raw:
    """Return any JSON with all its strings cleaned: texts among them, which keep their lines."""

    def harmless(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        match value:
            case str():
                return clean(value)
            case list():
                return [harmless(item) for item in value]
            case dict():
                return {clean(key): harmless(item) for key, item in value.items()}
        return value

    try:
        return Raw(msgspec.json.encode(harmless(msgspec.json.decode(raw))))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProtocolError(Code.BAD_FRAME, "The server said something that makes no sense here.") from error
