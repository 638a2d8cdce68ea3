"""Pages of history: every message once, whatever the bounds, within a line."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.archive.database import open_store
from server.archive.history import HistoryReader
from server.chat.ports import PageQuery
from server.protocol import limits
from server.record.events import Kind, MessageBody, Share, encode_body

SEQS = [seq for seq in range(2, 400) if seq % 3]
"""Messages of room 1; every third event is another room's."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with 400 events; one of room 1 has been erased."""
    file = tmp_path_factory.mktemp("archive") / "chat.db"
    database = open_store(file)
    rows = [
        (
            seq,
            1 if seq % 3 else 9,
            5,
            1,
            seq,
            0,
            seq * 1000,
            int(Kind.MESSAGE),
            encode_body(MessageBody("a", f"m{seq}")),
        )
        for seq in range(2, 400)
    ]
    database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.execute("UPDATE events SET body = x'' WHERE seq = 100")
    database.close()
    return file


def page(path: Path, **wanted: Any) -> dict[str, Any]:
    """Read a page."""
    query = PageQuery(room=1, name="general", handle=b'"general"', **{"limit": 50, "as_of": 399, **wanted})
    reader = HistoryReader(path)
    line = reader.page(query)
    reader.close()
    assert len(line) <= limits.LINE
    assert line.endswith(b"\n")
    decoded: dict[str, Any] = msgspec.json.decode(line)
    return decoded


@given(
    bound=st.sampled_from(["before", "after", "around", "none"]),
    at=st.integers(0, 420),
    limit=st.integers(1, 60),
    as_of=st.integers(0, 420),
)
def test_a_page_is_what_the_bounds_say(path: Path, bound: str, at: int, limit: int, as_of: int) -> None:
    """Against the plain list of messages: the right ones, ascending, and true words on what is beyond."""
    known = [seq for seq in SEQS if seq <= as_of and seq != 100]
    got = page(path, limit=limit, as_of=as_of, **({bound: at} if bound != "none" else {}))
    seqs = [message["seq"] for message in got["messages"]]
    if bound == "before":
        assert seqs == [seq for seq in known if seq < at][-limit:]
    elif bound == "after":
        assert seqs == [seq for seq in known if seq > at][:limit]
    elif bound == "none":
        assert seqs == known[-limit:]
    else:
        older = [seq for seq in known if seq <= at][-(limit // 2 + 1) :]
        assert seqs == older + [seq for seq in known if seq > at][: limit - limit // 2]
    if seqs:
        assert got["more"] == any(seq < seqs[0] for seq in known)
        assert got.get("more_after", False) == any(seq > seqs[-1] for seq in known)


def test_pages_of_large_messages_are_cut_by_bytes(tmp_path: Path) -> None:
    """Paging back gets every message, each page within a line, one message at least."""
    file = tmp_path / "chat.db"
    database = open_store(file)
    body = encode_body(MessageBody("a", "x" * (limits.TEXT - 2)))
    rows = [(seq, 1, 5, 1, seq, 0, 0, int(Kind.MESSAGE), body) for seq in range(1, 30)]
    database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()
    got: list[int] = []
    more, before = True, 30
    while more:
        answer = page(file, before=before)
        got = [message["seq"] for message in answer["messages"]] + got
        more, before = answer["more"], got[0]
    assert got == list(range(1, 30))


def test_a_slice_holds_what_the_spans_say(path: Path) -> None:
    """Catching up: the events of each span, in order, in slices that join without a seam."""
    reader = HistoryReader(path)
    spans = {1: ((10, 50), (200, 300)), 9: ((250, limits.SAFE_INTEGER),)}
    handles = {1: b'"one"', 9: b'"nine"'}
    lines, position = b"", 0
    while position < 399:
        part, position = reader.events(Share(spans), handles, position, 399, 1000)
        assert len(part) <= 1000
        lines += part
    reader.close()
    wanted = [
        seq
        for seq in range(2, 400)
        if seq != 100 and ((seq % 3 and (10 < seq <= 50 or 200 < seq <= 300)) or (not seq % 3 and seq > 250))
    ]
    assert [msgspec.json.decode(line)["seq"] for line in lines.splitlines()] == wanted
