"""The choke point: no string that a server says gets past it as it came, however deep it lies."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_tui.client.intake import take_in
from server.protocol import codec, frames
from server.protocol.errors import ProtocolError
from server.protocol.text import clean

HOSTILE = "\x1b]52;c;eA==\x07a\u202eb"
NOT_SHOWN = ("session", "epoch")


def strings(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string in a frame, with the field that it is in."""
    if isinstance(value, msgspec.Raw):
        yield from strings(msgspec.json.decode(value), field)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from strings(getattr(value, name), name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key, field)
            yield from strings(item, field)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item, field)
    elif isinstance(value, str):
        yield field, value


def a(kind: Any) -> st.SearchStrategy[Any]:
    """Return frames of a kind, with hostile strings wherever a string may stand."""
    fields = msgspec.structs.fields(kind)
    return st.builds(kind, **{field.name: _of(field.type) for field in fields})


def _of(kind: Any) -> st.SearchStrategy[Any]:
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.StrType():
            return st.just(HOSTILE)
        case msgspec.inspect.IntType():
            return st.integers(1, 9)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case msgspec.inspect.RawType():
            return st.just(msgspec.Raw(msgspec.json.encode({"kind": HOSTILE, HOSTILE: [{"text": HOSTILE}, 1, None]})))
        case msgspec.inspect.ListType():
            return st.lists(_of(kind.__args__[0]), min_size=1, max_size=2)
        case msgspec.inspect.TupleType():
            return st.tuples(*map(_of, kind.__args__))
        case msgspec.inspect.DictType():
            return st.dictionaries(*map(_of, kind.__args__), min_size=1, max_size=1)
        case msgspec.inspect.StructType(cls=cls):
            return a(cls)
        case msgspec.inspect.UnionType():  # something, or nothing at all
            return _of(next(one for one in kind.__args__ if one is not msgspec.UnsetType))
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", frames.ServerFrame.__args__, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=10)
def test_every_string_of_every_frame_is_cleaned(kind: Any, data: st.DataObject) -> None:
    """But for those that are sent back and never shown."""
    frame = take_in(codec.encode(data.draw(a(kind))))
    for field, text in strings(frame):
        if field in NOT_SHOWN and not isinstance(frame, frames.NewDevice):
            assert text == HOSTILE
        else:
            assert text == clean(text) != HOSTILE


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (frames.Edited(seq=2, room="r", user=1, sender="a", time="", target=1, text="one\n\ttwo"), "one\n\ttwo"),
        (frames.Versions(room="r", seq=1, versions=[frames.Version(1, "", "one\ntwo")]), "one\ntwo"),
        (frames.Status(user=1, name="a", away=True, text="one\ntwo"), "one two"),
    ],
    ids=["edited", "versions", "status"],
)
def test_what_a_message_said_keeps_its_lines(frame: frames.Frame, text: str) -> None:
    """All else is one line."""
    taken = take_in(codec.encode(frame))
    assert text in dict(strings(taken)).values()


@pytest.mark.parametrize("deep", [500, 900, 5_000, 30_000])
def test_an_export_that_is_nested_deeply_is_cleaned_or_no_frame(deep: int) -> None:
    """Nothing else happens, and nothing gets through."""
    escape = msgspec.json.encode("\x1b")
    try:
        frame = take_in(b'{"type":"exported","lines":[' + b"[" * deep + escape + b"]" * deep + b"]}")
    except ProtocolError as error:
        assert error.code == "bad_frame"
    else:
        assert escape not in codec.encode(frame)
