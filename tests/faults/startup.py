"""Start-up with a million messages: from the start of the program to "Listening", ended in order before, and killed.

The messages lie in 200 rooms of 1,000 members. Each time an empty server is started beside it, for comparison.
"""

import asyncio
import contextlib
import os
import statistics
import time
from pathlib import Path
from typing import Final

from faults.hosts import Host, Ledger, Talker, scratch, until
from faults.report import parser, progress, summary

from server.archive.database import open_store
from server.record.events import Kind, RoomBody, encode_body

ROOMS: Final = 200
MEMBERS: Final = 1000
LIMIT: Final = 0.5
"""Seconds a start may take."""


def make(data: Path, messages: int) -> None:
    """Make a database of so many messages, by the project's own schema."""
    data.mkdir(mode=0o700)
    now = time.time_ns() // 1_000_000
    with contextlib.closing(open_store(data / "chat.db")) as database, database:
        database.executemany("INSERT INTO users (name) VALUES (?)", ((f"user{n}",) for n in range(MEMBERS)))
        database.executemany(
            "INSERT INTO sessions (secret, user, used) VALUES (?, ?, ?)",
            ((n.to_bytes(32, "big"), n, now) for n in range(1, MEMBERS + 1)),
        )
        handles = ["general", *(f"room{n}" for n in range(2, ROOMS + 1))]
        rooms = [(seq, handle) for seq, handle in enumerate(handles, 1)]
        events = "INSERT INTO events VALUES (?, ?, ?, 0, 0, 0, ?, ?, ?)"
        database.executemany(
            events, ((seq, seq, 0, now, int(Kind.ROOM), encode_body(RoomBody(name, name))) for seq, name in rooms)
        )
        rows = ((seq, name, name) for seq, name in rooms)
        database.executemany("INSERT INTO rooms (id, handle, title) VALUES (?, ?, ?)", rows)
        entered = [(room, user) for room in range(2, ROOMS + 1) for user in range(1 + room % 10, MEMBERS + 1, 10)]
        first = ROOMS + 1
        database.executemany(
            events, ((first + n, room, user, now, int(Kind.MEMBER), b"{}") for n, (room, user) in enumerate(entered))
        )
        database.executemany(
            "INSERT INTO members VALUES (?, ?, ?, NULL)",
            ((room, user, first + n) for n, (room, user) in enumerate(entered)),
        )
        first += len(entered)
        body = b'{"sender":"user%d","text":"message %d, of the length that such messages have in a chat of people"}'
        database.executemany(
            events,
            (
                (first + n, 1 + n % ROOMS, 1 + n % MEMBERS, now, int(Kind.MESSAGE), body % (1 + n % MEMBERS, n))
                for n in range(messages)
            ),
        )
        database.execute("UPDATE counted SET seq = (SELECT max(seq) FROM events)")


def start(data: Path) -> tuple[Host, float, float]:
    """Start a server and return the seconds that took, and those of them that it had a processor."""
    host = Host(data).listening()
    took = time.monotonic() - host.began
    fields = Path(f"/proc/{host.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return host, took, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def killed_under_load(data: Path) -> int:
    """Kill a server while clients talk; return the bytes of WAL it left."""
    host, _, _ = start(data)
    ledger = Ledger()
    talking = [asyncio.create_task(Talker(f"t{number}", ledger).talk(host.port)) for number in range(8)]
    await until(lambda: len(ledger.acked) > 3000)
    host.kill()
    await asyncio.gather(*talking)
    return data.joinpath("chat.db-wal").stat().st_size


def measure(folder: Path, messages: int, times: int) -> dict[str, float]:
    """Return the figures, in seconds: each kind of start so many times, in turns."""
    large, empty = folder / "large", folder / "empty"
    make(large, messages)
    progress(f"{messages:,} messages are there")
    seconds: dict[str, list[float]] = {"empty": [], "ended in order": [], "killed": []}
    worked: dict[str, list[float]] = {name: [] for name in seconds}
    wal = 0
    start(empty)[0].stop()
    start(large)[0].stop()
    for number in range(times):
        for name, data in (("empty", empty), ("ended in order", large), ("killed", large)):
            if name == "killed":
                wal = max(wal, asyncio.run(killed_under_load(data)))
            host, took, work = start(data)
            seconds[name].append(took)
            worked[name].append(work)
            host.stop()
        progress(f"{number + 1} times: {', '.join(f'{name} {each[-1]:.3f} s' for name, each in seconds.items())}")
    figures: dict[str, float] = {}
    for name, each in seconds.items():
        figures[f"{name}, median"] = round(statistics.median(each), 3)
        figures[f"{name}, most"] = round(max(each), 3)
        figures[f"{name}, of processor time"] = round(statistics.median(worked[name]), 3)
    for name in ("ended in order", "killed"):
        figures[f"{name}, times the empty one"] = round(figures[f"{name}, median"] / figures["empty, median"], 2)
    return figures | {"WAL after a kill, MiB": round(wal / 2**20, 1)}


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("startup", __doc__.split("\n")[0])
    parse.add_argument("--messages", type=int, default=1_000_000)
    parse.add_argument("--times", type=int, default=5)
    given = parse.parse_args(arguments)
    with scratch() as folder:
        figures = measure(folder, given.messages, given.times)
    slow = [f"{name}: {took} s" for name, took in figures.items() if name.endswith("most") and took > LIMIT]
    return summary("startup", given, {"messages": given.messages} | figures, slow)
