"""Going from room to room in a real terminal, with a real server: 50 rooms, 5,000 unread messages; and two devices.

python -m benchmarks.rooms
"""

import argparse
import asyncio
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import interpreter
from benchmarks.figures import quantile, say
from benchmarks.program import Program, clock
from benchmarks.servers import OURS, running
from chat_tui.client import Client
from chat_tui.session import Session
from chat_tui.state.chat import Chat
from chat_tui.state.link import Address

ROOMS: Final = 50
UNREAD: Final = 100
"""In each room."""
NEXT: Final = "\x1b[1;3A"
"""Alt+Up: general, where nobody said anything, stands last."""
NEXT_UNREAD: Final = "\x1ba"
"""Alt+A."""
GAP: Final = 0.15
"""Seconds of silence after which a repaint has ended."""

_PLACED = re.compile(rb"\x1b\[(\d+);(\d+)H")


def measure(keys: str, times: int) -> tuple[list[float], list[int]]:
    """Return per switch the milliseconds until the room's latest message stands there, and the sidebar's rows drawn."""
    with tempfile.TemporaryDirectory(prefix="bench-rooms-") as folder:
        home = Path(folder) / "home"
        with running(OURS) as (port, _):
            asyncio.run(_prepare(port, home / ".local/share/chat-tui/outbox"))
            environment = interpreter.environment() | {
                "HOME": str(home),
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
            }
            for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
                environment.pop(name, None)
            command = interpreter.python("-m", "chat_tui.cli", "--name", "alice", "--port", str(port))
            program = Program(command, environment)
            try:
                program.shown("room0")
                program.rest(2.0)  # what was said lately in the rooms is fetched when nothing else is to be done
                return _switch(program, keys, times)
            finally:
                program.close()


def _switch(program: Program, keys: str, times: int) -> tuple[list[float], list[int]]:
    took, rows = [], []
    for _ in range(times):
        pressed = program.press(keys)
        program.shown("Жlast")
        took.append(1000 * (program.last - pressed))
        program.rest(GAP)
        rows.append(len({row for row, column in _PLACED.findall(program.written()) if int(column) <= 2}))
    return took, rows


async def _prepare(port: int, keep: Path) -> None:
    """Have alice in all rooms, and bob say something in each."""
    say(f"{ROOMS} rooms with {UNREAD} unread messages each")
    async with Client("127.0.0.1", port, "bob", backlog=0) as bob:
        async with Client("127.0.0.1", port, "alice", backlog=0, keep=keep) as alice:
            for number in range(ROOMS):
                await bob.join(f"room{number:02}")
                await alice.join(f"room{number:02}")
        for number in range(ROOMS):
            waits = [
                bob.send(
                    f"{'Жlast' if left == UNREAD - 1 else 'message'} {left} of room {number}", room=f"room{number:02}"
                )
                for left in range(UNREAD)
            ]
            await asyncio.gather(*waits)


async def _read_elsewhere(port: int, folder: Path, times: int) -> list[float]:
    """Return the milliseconds from reading on one device until the message is read on another of the same person."""
    here = Session(Address("127.0.0.1", port), Chat("alice"), folder, lambda _: None)
    tasks = [asyncio.create_task(here.run())]
    await _until(lambda: here.client.connected)
    there = Session(Address("127.0.0.1", port), Chat(""), folder, lambda _: None, device=await here.device())
    tasks.append(asyncio.create_task(there.run()))
    await _until(lambda: there.client.connected)
    took = []
    async with Client("127.0.0.1", port, "bob", backlog=0) as bob:
        for number in range(times):
            seq = (await bob.send(f"news {number}")).seq
            await _until(lambda: here.chat.current.unread and there.chat.current.unread)
            began = clock()
            here.seen(seq)
            await _until(lambda: not there.chat.current.unread)
            took.append(1000 * (clock() - began))
    for session in (here, there):
        await session.quit()
    await asyncio.gather(*tasks)
    return took


async def _until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110 - measured from outside, as a person would see it
        await asyncio.sleep(0.002)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=48, help="switches of each kind (default: %(default)s)")
    times = parser.parse_args().times
    for what, keys in (("the room above (Alt+Up)", NEXT), ("the next unread room (Alt+A)", NEXT_UNREAD)):
        took, rows = measure(keys, times)
        print(
            f"{what}: p50 {median(took):.1f} ms, p95 {quantile(took, 0.95):.1f} ms, max {max(took):.1f} ms;"
            f" rows drawn from the left edge: {median(rows):g}, at most {max(rows)}"
        )

    with tempfile.TemporaryDirectory(prefix="bench-rooms-") as folder, running(OURS) as (port, _):
        took = asyncio.run(_read_elsewhere(port, Path(folder), times))
    print(f"read on one device, read on the other: p50 {median(took):.0f} ms, max {max(took):.0f} ms")


if __name__ == "__main__":
    main()
