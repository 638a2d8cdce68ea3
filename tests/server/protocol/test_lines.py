"""The line splitter: any bytes in any chunks."""

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from server.protocol.lines import LineSplitter


def chunks_of(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut `data` at these places."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def split(chunks: list[bytes], longest: int) -> list[bytes | None]:
    """Return the lines, with the one that nobody ended."""
    splitter = LineSplitter(longest)
    return [line for chunk in [*chunks, b"\n"] for line in splitter.feed(chunk)]


@given(st.text("ab\r\n\0ü").map(str.encode), st.lists(st.integers(0, 60)))
@example(b"aaaaaaaaa\nb\n", [8])
def test_chunking_never_changes_what_comes_out(data: bytes, cuts: list[int]) -> None:
    """Whole, cut anywhere, or byte by byte: the same lines."""
    whole = split([data], 8)
    assert split(chunks_of(data, cuts), 8) == whole
    assert split([data[index : index + 1] for index in range(len(data))], 8) == whole


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)))
def test_lines_come_out_as_they_went_in(lines: list[bytes]) -> None:
    """Each line once, in order, None in the place of one that is too long."""
    got = split([b"".join(line + b"\n" for line in lines)], 16)
    assert got == [line.removesuffix(b"\r") if len(line) < 16 else None for line in [*lines, b""]]


def test_a_line_without_end_is_dropped_as_it_grows() -> None:
    """It is told once, before its end, nothing of it is kept, and the next line is read."""
    splitter = LineSplitter(1024)
    got = [line for _ in range(10_000) for line in splitter.feed(b"x" * 1000)]
    assert got == [None]
    assert list(splitter.feed(b"xx\nnext\n")) == [b"next"]
