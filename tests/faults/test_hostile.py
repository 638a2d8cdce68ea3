"""Hostile strings, the short way: some hundreds of the thousands that `python tests/faults hostile` sends."""

import asyncio
from pathlib import Path

import pytest
from faults import hostile


def test_what_hostile_strings_do(tmp_path: Path) -> None:
    """Nothing: every line is a frame, every text in it is clean, and nobody passes for somebody else."""
    figures, found = asyncio.run(hostile.run(tmp_path, 300, 5, with_terminal=False))
    assert not found, found[:10]
    assert figures["lines read"] > figures["strings"] / 5


def test_names_that_look_like_anothers() -> None:
    """Other capitals, other alphabets, what is not seen: nobody gets such a name beside the one it looks like."""
    assert hostile.names_that_impersonate() == []


@pytest.mark.parametrize("bad", ["\x1b]52;c;eA==\x07", "\x9b31m", "\u202e", "\u200b", "\x07", "\x1b[6n"])
def test_the_check_of_terminals_sees_what_acts(bad: str) -> None:
    """A check that finds nothing wrong with anything would be none."""
    assert hostile.look_at_terminal(f"before {bad} behind".encode())


def test_the_check_of_lines_sees_what_is_wrong() -> None:
    """Nor would this one."""
    good = b'{"type":"message","seq":1,"room":"dev","user":2,"time":"","sender":"bob","text":"a\\nb"}\n'
    assert hostile.look_at_line(good, 1) == []
    for bad in (
        good.replace(b"bob", b"bob\\u001b[31m"),
        good.replace(b"bob", b"bob\\nalice"),
        good.replace(b"bob", "аlice".encode()),
        good[:40],
    ):
        assert hostile.look_at_line(bad, 1)
