"""Fixed pieces of work, of which `guard.py` counts the instructions. `python -m benchmarks.pieces server 500`."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Final

ROOMS: Final = 5
MEMBERS: Final = 10
"""Of each room; all of them send."""
AT_ONCE: Final = 10
"""Messages between two paints."""
SIZE: Final = (120, 40)
PATIENCE: Final = 300.0
"""Seconds after which it is given up."""
TEXT: Final = "the tide is out so we walk along the shore and look for glass"


async def calibration(times: int) -> None:
    """Do what has nothing to do with the project: the interpreter, its dictionaries and strings, and some C."""
    for number in range(times):
        said = {"type": "message", "seq": number, "room": f"r{number % 10}", "text": TEXT}
        for _ in range(20):
            said |= json.loads(json.dumps(said))
            said["words"] = len(sorted(str(said["text"]).split()))


class Wire(asyncio.Transport):
    """A connection that takes everything at once.

    Args:
        written: set whenever something was written to any of them.
    """

    def __init__(self, written: asyncio.Event) -> None:
        super().__init__()
        self._written = written
        self._kept: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self._kept.append(bytes(data))
        self._written.set()

    def take(self, frame: bytes) -> int:
        """Return how many frames of a kind were written since it was last asked."""
        found = sum(data.count(frame) for data in self._kept)
        self._kept.clear()
        return found

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits here."""

    def get_write_buffer_size(self) -> int:
        """Return what waits."""
        return 0

    def is_closing(self) -> bool:
        """Return whether it ends: it does so with the process."""
        return False


async def server(messages: int) -> None:
    """Take lines from connections, commit them in SQLite, and write to every member: all but the sockets."""
    from benchmarks.servers import workplace
    from server.chat.limits import Limits
    from server.config import Config
    from server.data import DataDirectory
    from server.engine import Engine
    from server.net.session import Session
    from server.net.sessions import Sessions

    written, clients = asyncio.Event(), ROOMS * MEMBERS
    with workplace() as folder:
        engine = Engine(Config(data=folder, limits=Limits.off()), DataDirectory(folder), "")
        engine.chat.committed_to = lambda _: (
            None
        )  # words are indexed whenever there is time: more or less of it by chance
        there = Sessions()
        sessions = [Session(engine.chat, there) for _ in range(clients)]
        wires = [Wire(written) for _ in range(clients)]
        for session, wire in zip(sessions, wires, strict=True):
            session.connection_made(wire)

        async def all_say(line: str, frame: bytes, times: int) -> None:
            """Say a line on each connection, and wait until each was told a kind of frame so many times."""
            for number, session in enumerate(sessions):
                said = line.replace("NUMBER", str(number)).replace("ROOM", f"r{number % ROOMS}")
                session.data_received(said.encode() + b"\n")
            left = clients * times
            async with asyncio.timeout(PATIENCE):
                while (left := left - sum(wire.take(frame) for wire in wires)) > 0:
                    await written.wait()
                    written.clear()

        await all_say('{"type":"hello","name":"uNUMBER","ping":false,"backlog":0}', b'{"type":"welcome"', 1)
        await all_say('{"type":"join","room":"ROOM","backlog":0,"ref":"in"}', b'{"type":"ok"', 1)
        for number in range(1, messages // clients + 1):
            line = f'{{"type":"send","id":{number},"room":"ROOM","text":"{TEXT}"}}'
            await all_say(line, b'{"type":"message"', MEMBERS)
        await engine.close()


async def terminal(messages: int) -> None:
    """Take frames in and draw what they change, in an app without a terminal."""
    from textual.app import App, ComposeResult
    from textual.geometry import Region

    from chat_tui.state.chat import Chat
    from chat_tui.widgets.log import MessageLog
    from server.protocol import codec

    chat = Chat("alice")
    log = MessageLog(chat.current.timeline, id="log")

    class Host(App[None]):
        """An app that is a log."""

        def compose(self) -> ComposeResult:
            yield log

    lines = [
        f'{{"type":"message","seq":{seq},"room":"general","id":{seq},"user":{2 + seq % 7},"sender":"user{seq % 7}",'
        f'"time":"2026-11-21T09:{seq // 60 % 60:02}:{seq % 60:02}.000Z","text":"{TEXT} {seq}"}}'
        for seq in range(1, messages + 1)
    ]
    app = Host()
    async with app.run_test(size=SIZE):
        for first in range(0, messages, AT_ONCE):
            chat.apply_all([codec.decode_server(line.encode()) for line in lines[first : first + AT_ONCE]])
            for strip in log.render_lines(Region(0, 0, *SIZE)):
                strip.render(app.console)


PIECES: Final[dict[str, Callable[[int], Awaitable[None]]]] = {
    "calibration": calibration,
    "server": server,
    "terminal": terminal,
}


async def _main(name: str, times: int) -> None:
    await PIECES[name](times)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
