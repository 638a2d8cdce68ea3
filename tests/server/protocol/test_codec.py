"""Frames to lines and back."""

import itertools
import json
import unicodedata
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import frames, limits
from server.protocol.codec import decode_client, decode_server, encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import check_name

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
TAGS = [kind.__struct_config__.tag for kind in frames.ClientFrame.__args__]


def refusal(line: bytes) -> ProtocolError:
    """Return what a line is refused with."""
    with pytest.raises(ProtocolError) as caught:
        decode_client(line)
    return caught.value


@given(st.binary(max_size=200) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_frame_or_one_documented_error(line: bytes) -> None:
    """Nothing else is ever raised, on either side."""
    for decode in (decode_client, decode_server):
        try:
            decode(line)
        except ProtocolError as error:
            assert error.code in Code
            assert "\n" not in error.message


@given(st.sampled_from(TAGS), st.dictionaries(st.sampled_from(["name", "room", "text", "id", "ref", "x"]), ANY_JSON))
def test_any_fields_are_a_frame_or_an_error_that_carries_the_ref(tag: str, fields: dict[str, object]) -> None:
    """A request that is wrong in its fields can still be answered."""
    try:
        decode_client(json.dumps({"type": tag, **fields}).encode())
    except ProtocolError as error:
        ref = fields.get("ref")
        whole = isinstance(ref, str) and len(ref) <= limits.REF_CHARS and not any("\ud800" <= c < "\ue000" for c in ref)
        if whole and error.code is Code.BAD_FRAME and error.ref is not None:
            assert error.ref == ref


def _some(kind: Any) -> object:
    """Return a value of an annotated type."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    name = str(kind)
    if "list[" in name:
        return [7] if "int" in name and "str" not in name else []
    return 7 if "int" in name else "x"


@pytest.mark.parametrize("kind", [*frames.ClientFrame.__args__, *frames.ServerFrame.__args__])
def test_every_frame_survives_the_way_there_and_back(kind: type[frames.Frame]) -> None:
    """What one side encodes, the other decodes as the same."""
    values = {str: "x", int: 7, bool: True}
    required = {
        field.name: values[field.type] if field.type in values else _some(field.type)
        for field in msgspec.structs.fields(kind)
        if field.required
    }
    frame = kind(**required)
    line = encode(frame)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    decode = decode_client if kind in frames.ClientFrame.__args__ else decode_server
    assert decode(line) == frame


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\xff\xfe", Code.BAD_FRAME),
        (b"[1]", Code.BAD_FRAME),
        (b"[" * 60_000, Code.BAD_FRAME),
        (b'{"a":' * 10_000, Code.BAD_FRAME),
        (b'{"name":"x"}', Code.BAD_FRAME),
        (b'{"type":7}', Code.BAD_FRAME),
        (b'{"type":"nonsense"}', Code.UNKNOWN_TYPE),
        (b'{"type":"hello","name":"\\ud800"}', Code.BAD_FRAME),
        (b'{"type":"send","room":"general","text":"x","id":0}', Code.BAD_FRAME),
        (b'{"type":"send","room":"general","text":"x","id":9007199254740992}', Code.BAD_FRAME),
        (b'{"type":"history","room":"general","limit":501}', Code.BAD_FRAME),
    ],
)
def test_what_is_wrong_is_named(line: bytes, code: Code) -> None:
    """Each kind of bad line has its code."""
    assert refusal(line).code is code


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"type":"change","room":"dev","slow":99999}', "slow is a whole number from 0 to 21600."),
        (b'{"type":"change","room":"dev","slow":"often"}', "slow is a whole number from 0 to 21600."),
        (b'{"type":"send","room":"dev","text":"x","id":0}', "id is a whole number from 1 on."),
        (b'{"type":"hello","resume":{"session":"a","seq":-1}}', "resume.seq is a whole number from 0 on."),
        (b'{"type":"hello","resume":{"seq":1}}', "resume.session is missing."),
        (b'{"type":"hello","resume":3}', "resume is an object."),
        (b'{"type":"join"}', "room is missing."),
        (b'{"type":"kick","name":"bob","reason":"%s"}' % (b"x" * 201), "reason is text of at most 200 characters."),
        (b'{"type":"direct","names":["a","b","c","d","e","f","g","h"]}', "names is a list of at most 7."),
        (b'{"type":"direct","names":[1]}', "each of names is text of at most 128 characters."),
        (b'{"type":"whois","name":"%s"}' % (b"x" * 129), "name is text of at most 128 characters."),
        (b'{"type":"who","room":"dev","begins":"%s"}' % (b"x" * 129), "begins is text of at most 128 characters."),
        (b'{"type":"join","room":"%s"}' % (b"x" * 193), "room is text of at most 192 characters."),
        (b'{"type":"settings","sign_up":"x"}', "sign_up is closed, invite or open."),
        (b'{"type":"settings","guests":1}', "guests is true or false."),
        (b'{"type":"react","room":"dev","seq":1,"emoji":"?"}', "A field of this frame holds what it can't."),
        (b'{"type":"welcome"}', "This type of frame goes the other way."),
    ],
)
def test_what_a_field_may_hold_is_said_in_a_sentence(line: bytes, said: str) -> None:
    """It may stand before people as it is."""
    assert refusal(line).message.startswith(said)


def test_a_name_may_come_in_any_form() -> None:
    """The longest there is, each character taken to pieces, is let through; what is longer can be no name."""
    name = "\u1f82\u1f83\u1f92\u1f93" * 8
    frame = decode_client(encode(frames.Nick(name=unicodedata.normalize("NFD", name))))
    assert isinstance(frame, frames.Nick)
    assert len(frame.name) == 4 * limits.NAME_CHARS
    assert check_name(frame.name) == name


def test_no_field_is_described_in_the_words_of_the_codec() -> None:
    """Whatever is wrong with whichever field: `Expected` and `$` are not for people."""
    values = (None, -1, 1.5, "x" * 70_000, [None] * 1000, {"a - at `$.x`": "`$.slow`"})
    refusals = 0
    for kind in frames.ClientFrame.__args__:
        for name, value in itertools.product(kind.__struct_fields__, values):
            try:
                decode_client(json.dumps({"type": kind.__struct_config__.tag, name: value}).encode())
            except ProtocolError as error:
                refusals += 1
                assert not any(sign in error.message for sign in ("Expected", "$", "`"))
                assert error.message.endswith(".")
    assert refusals > len(TAGS)


def test_what_came_is_not_repeated() -> None:
    """Not even where only some words are taken: an error's text goes to a terminal."""
    fault = refusal(b'{"type":"settings","sign_up":"\\u001b[2Jhostile"}')
    assert fault.code is Code.BAD_FRAME
    assert "sign_up" in fault.message
    assert "hostile" not in fault.message


def test_unknown_fields_are_ignored() -> None:
    """A newer client may say more."""
    frame = decode_client(b'{"type":"send","room":"general","text":"hi","colour":"red"}')
    assert frame == frames.Send(room="general", text="hi")


@pytest.mark.parametrize("kind", [*frames.ClientFrame.__args__, *frames.ServerFrame.__args__])
def test_no_secret_is_shown(kind: type[frames.Frame]) -> None:
    """Not in a repr, which may get into a log: passwords, codes, tokens, tickets, and the secrets of sessions."""
    for field in msgspec.structs.fields(kind):
        named = field.name in ("session", "ticket") and field.type is str
        if named or field.type == frames.Secret:
            others = {other.name: None for other in msgspec.structs.fields(kind)}
            assert "swordfish" not in repr(kind(**{**others, field.name: "swordfish"}))
    assert "swordfish" not in repr(frames.Hello(resume=frames.Resume(session="swordfish")))
