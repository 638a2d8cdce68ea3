"""Untrusted text: what comes out acts on nothing."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.protocol import limits
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import (
    RESERVED,
    check_name,
    check_own_name,
    check_room,
    check_text,
    clean,
    clean_line,
    name_keys,
)

HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\x90q\x85\u202eevil\u2066\u200b\ufeff\x00\x7f\r\n"


@given(st.text() | st.text(HOSTILE))
@example(HOSTILE)
def test_cleaned_text_holds_nothing_that_acts(text: str) -> None:
    """No control but tab and newline, nothing that reorders or hides; cleaning twice changes nothing more."""
    cleaned = clean(text)
    for character in cleaned:
        category = unicodedata.category(character)
        assert character in "\t\n" or category not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )
    assert clean(cleaned) == cleaned
    assert "\n" not in clean_line(text)
    assert clean_line(clean_line(text)) == clean_line(text)


def test_what_was_hostile_is_shown() -> None:
    """A mark stands where something was; markup is text like any other."""
    assert clean("a\x1b[2Jb\x9bc\u202ed [red]x[/]") == "a␛[2Jb\ufffdc\ufffdd [red]x[/]"
    assert clean("one\r\ntwo\rthree") == "one\ntwo\nthree"
    assert clean("e\u0301 👩‍👩‍👧 سلام") == "e\u0301 👩‍👩‍👧 سلام"


@given(st.text())
def test_a_name_is_in_normal_form_or_refused(name: str) -> None:
    """What is taken is taken again as it is, and is one safe word."""
    try:
        checked = check_name(name)
    except ProtocolError as error:
        assert error.code is Code.BAD_NAME
        return
    assert check_name(checked) == checked
    assert clean_line(checked) == checked
    assert not any(character.isspace() for character in checked)
    assert name_keys(checked)


@pytest.mark.parametrize(
    ("one", "other"),
    [("alice", "Alice"), ("alice", "аlice"), ("alice", "aIice"), ("mike", "rnike"), ("straße", "STRASSE"), ("é", "é")],
)
def test_names_that_look_alike_conflict(one: str, other: str) -> None:
    """Case, other alphabets, letters that look like others."""
    assert name_keys(check_name(one)) & name_keys(check_name(other))


def test_different_names_do_not_conflict() -> None:
    """Numbers count, and so do different letters."""
    seen: dict[str, str] = {}
    for name in [
        *(f"u{number}" for number in range(2000)),
        "alice",
        "bob",
        "carol",
        "Жанна",
        "李雷",
        "jürgen",
        "jurgen",
    ]:
        for key in name_keys(check_name(name)):
            assert seen.setdefault(key, name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a\x1b",
        "[red]",
        "<b>",
        "a" * 33,
        "...",
        "\u202ebob",
        "bo\u200bb",
        "🙂",
        "alice\ufe0f",
        "\u3164",
        "a\u034f",
    ],
)
def test_names_that_are_none_are_refused(name: str) -> None:
    """With a reason."""
    with pytest.raises(ProtocolError) as caught:
        check_name(name)
    assert caught.value.message


def test_rooms_have_one_spelling() -> None:
    """A leading # and capitals are how people write a room."""
    assert check_room("#Dev") == check_room("dev") == "dev"
    with pytest.raises(ProtocolError):
        check_room("no room")


@given(st.text(min_size=1))
def test_a_text_fits_or_is_refused(text: str) -> None:
    """What is taken is not empty and within the limit."""
    try:
        assert check_text(text).strip()
    except ProtocolError as error:
        assert error.code is Code.BAD_TEXT


def test_the_limit_counts_bytes_on_the_wire() -> None:
    """A quote takes two bytes in JSON, a euro sign three."""
    assert check_text("x" * (limits.TEXT - 2))
    for text in ("x" * limits.TEXT, '"' * (limits.TEXT // 2), "€" * (limits.TEXT // 3 + 1)):
        with pytest.raises(ProtocolError):
            check_text(text)


@pytest.mark.parametrize("name", [*sorted(RESERVED), "Admin", "аdmin", "SYSTEM", "Ｍod"])
def test_nobody_is_called_like_the_server_or_its_people(name: str) -> None:
    """Nor like anything that is read as more than a person; what only has it in it is a name."""
    with pytest.raises(ProtocolError) as caught:
        check_own_name(name)
    assert caught.value.code is Code.BAD_NAME
    assert check_own_name(f"{check_name(name)}_of_rome").endswith("_of_rome")
