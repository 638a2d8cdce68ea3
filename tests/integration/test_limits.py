"""Limits, as those who meet them see them: a real server, clients that speak lines."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from support import PATIENCE, Server, Wire

ROOM = {"room": "general"}
StartServer = Callable[..., Server]


def sends(numbers: range) -> bytes:
    """Return numbered messages, each with its number as `ref` and text."""
    frames = ({"type": "send", "id": n, "ref": str(n), "text": str(n), **ROOM} for n in numbers)
    return b"".join(json.dumps(frame).encode() + b"\n" for frame in frames)


async def answers(wire: Wire, count: int) -> dict[int, dict[str, Any]]:
    """Return the next answers, by the number of the message."""
    found = [await wire.hear("ok", "error") for _ in range(count)]
    return {int(frame["ref"]): frame for frame in found}


def texts(wire: Wire) -> list[str]:
    """Return what was heard said."""
    return [frame["text"] for frame in wire.heard if frame["type"] == "message"]


async def test_a_flood_is_taken_up_to_the_burst_and_the_rest_told_when(start_server: StartServer) -> None:
    """Of a thousand exactly the burst is taken; the next is told the limit, those after it that it must come first."""
    server = start_server("--limit", "rate=0.1")
    wire = await Wire.connect(server.port, "flood")
    await wire.raw(sends(range(1, 1001)))
    told = await answers(wire, 1000)
    assert [n for n, frame in told.items() if frame["type"] == "ok"] == list(range(1, 101))
    assert [told[n]["code"] for n in range(101, 1001)] == ["rate_limited"] + ["try_again"] * 899
    for n in range(101, 1001):
        assert told[n]["id"] == n
        assert told[n]["room"] == "general"
        assert 0 < told[n]["wait_ms"] <= 10_000
        assert "0.1 messages a second" in told[n]["message"]
    await wire.close()


async def test_what_was_refused_and_sent_again_arrives_once_and_in_order(start_server: StartServer) -> None:
    """Sent again after the time that was told, as often as it takes; others see the order in which it was written."""
    server = start_server("--limit", "rate=300", "--limit", "burst=50")
    wire, other = await Wire.connect(server.port, "flood"), await Wire.connect(server.port, "other")
    last = rounds = 0
    while last < 300:
        await wire.raw(sends(range(last + 1, 301)))
        told = await answers(wire, 300 - last)
        taken = [n for n, frame in told.items() if frame["type"] == "ok"]
        assert taken == list(range(last + 1, last + 1 + len(taken)))
        last += len(taken)
        rounds += 1
        if last < 300:
            assert told[last + 1]["code"] == "rate_limited"
            await asyncio.sleep(told[last + 1]["wait_ms"] / 1000)
    assert rounds > 1
    await other.hear("message", text="300")
    assert texts(other) == [str(n) for n in range(1, 301)]
    for one in (wire, other):
        await one.close()


async def test_everything_that_is_written_to_the_log_counts_and_nothing_else(start_server: StartServer) -> None:
    """Joins, leaves and names as much as messages; not pages, rooms one is in, or what was taken before."""
    server = start_server("--limit", "rate=0.1", "--limit", "burst=4")
    wire = await Wire.connect(server.port, "wire")
    free: list[dict[str, Any]] = [
        {"type": "history", **ROOM},
        {"type": "join", **ROOM},
        {"type": "send", "id": 1, "text": "once", **ROOM},
    ]
    for request in (
        {"type": "send", "id": 1, "text": "once", **ROOM},
        {"type": "join", "room": "dev"},
        {"type": "leave", "room": "dev"},
        {"type": "nick", "name": "else"},
    ):
        for one in (request, *free[: 3 if request["type"] != "send" else 2]):
            await wire.say(ref="r", **one)
            assert (await wire.hear("ok", "error", "history", ref="r"))["type"] != "error"
    for request in (
        {"type": "send", "text": "unnumbered", **ROOM},
        {"type": "join", "room": "new"},
        {"type": "nick", "name": "again"},
    ):
        await wire.say(ref="r", **request)
        refusal = await wire.hear("ok", "error", ref="r")
        assert refusal["code"] == "rate_limited"
        assert 0 < refusal["wait_ms"] <= 10_000
    for one in free:
        await wire.say(ref="r", **one)
        assert (await wire.hear("ok", "error", "history", ref="r"))["type"] != "error"
    await wire.close()


async def test_a_new_connection_brings_no_new_burst(start_server: StartServer) -> None:
    """The rate is the person's, whatever connection they come by."""
    server = start_server("--limit", "rate=0.1", "--limit", "burst=2")
    wire = await Wire.connect(server.port, "wire", resumes=True)
    await wire.raw(sends(range(1, 3)))
    await answers(wire, 2)
    cursor = {key: wire.welcome[key] for key in ("session", "epoch", "seq")}
    again = await Wire.connect(server.port, "wire", resumes=True, resume=cursor)
    await again.raw(sends(range(3, 4)))
    assert (await answers(again, 1))[3]["code"] == "rate_limited"
    for one in (wire, again):
        await one.close()


async def test_limits_off_lifts_the_rate(start_server: StartServer) -> None:
    """For benchmarks: two thousand at once are taken."""
    server = start_server("--limits", "off")
    wire = await Wire.connect(server.port, "wire")
    await wire.raw(sends(range(1, 2001)))
    assert {frame["type"] for frame in (await answers(wire, 2000)).values()} == {"ok"}
    await wire.close()


async def test_sizes_and_numbers_are_heeded(start_server: StartServer) -> None:
    """A shorter line, a smaller page, fewer rooms, fewer faults, less time to say hello."""
    settings = ("line=2048", "page=4096", "rooms=2", "faults=3", "hello=0.1")
    server = start_server(*(word for setting in settings for word in ("--limit", setting)))
    silent, wire = await Wire.connect(server.port), await Wire.connect(server.port, "wire")
    assert (await silent.rest())[-1]["code"] == "hello_timeout"
    for number in range(1, 11):
        await wire.say(type="send", id=number, text="x" * 1000, **ROOM)
    await wire.hear("message", id=10)
    await wire.say(type="history", limit=10, ref="p", **ROOM)
    page = await wire.hear("history", ref="p")
    assert page["more"]
    assert len(page["messages"]) == 2
    await wire.say(type="join", room="one", ref="j")
    await wire.hear("ok", ref="j")
    await wire.say(type="join", room="two", ref="k")
    assert (await wire.hear("error", ref="k"))["code"] == "too_many_rooms"
    for code in ("too_long", "too_long", "too_long", "abuse"):
        if code == "too_long":
            await wire.say(type="send", text="x" * 2048, **ROOM)
        assert (await wire.hear("error"))["code"] == code
    assert await wire.rest() == []
    for one in (silent, wire):
        await one.close()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("rats=5", "there is no limit 'rats'. Did you mean rate?"),
        ("line=100", "line is a whole number of bytes from 1024 to 65536, not '100'."),
        ("burst", "a limit is given as NAME=VALUE, like burst=100."),
    ],
)
def test_a_wrong_setting_is_said_on_one_line(setting: str, words: str) -> None:
    """With exit code 2, like other wrong words."""
    command = [sys.executable, "-m", "server.cli", "--limit", setting]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("chat-server: ")
    assert words in line
