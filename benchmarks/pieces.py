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
PATIENCE: Final = 60.0
"""Seconds after which it is given up."""
TEXT: Final = "the tide is out so we walk along the shore and look for glass"


async def calibration(times: int) -> None:
    """Do what has nothing to do with the project: the interpreter, its dictionaries and strings, and some C."""
    for number in range(times):
        said = {"type": "message", "seq": number, "room": f"r{number % 10}", "text": TEXT}
        for _ in range(20):
            said |= json.loads(json.dumps(said))
            said["words"] = len(sorted(str(said["text"]).split()))


async def server(messages: int) -> None:
    """Take lines, commit them in SQLite, and write to every member of the room: all but the sockets."""
    from benchmarks.servers import workplace
    from server.chat.limits import Limits
    from server.chat.world import Peer
    from server.config import Config
    from server.data import DataDirectory
    from server.engine import Engine

    written = asyncio.Event()

    class Link:
        """A connection that takes everything."""

        address, host, secure, congested = "here", "", True, False

        def __init__(self) -> None:
            self.told: dict[bytes, int] = {}
            """How often each kind of frame was written to it."""

        def write(self, data: bytes) -> None:
            for line in data.splitlines():
                kind = line[9 : line.index(b'"', 9)]
                self.told[kind] = self.told.get(kind, 0) + 1
            written.set()

        def ready(self) -> None: ...

        def close(self) -> None: ...

        abort = close

    with workplace() as folder:
        engine = Engine(Config(data=folder, limits=Limits.off()), DataDirectory(folder), "")
        chat, links = engine.chat, [Link() for _ in range(ROOMS * MEMBERS)]
        peers = [Peer(link) for link in links]

        async def all_say(line: str, heard: str, times: int) -> None:
            """Say a line on each connection, and wait until each was told some frames so many times."""
            for number, peer in enumerate(peers):
                chat.take(peer, line.replace("NUMBER", str(number)).replace("ROOM", f"r{number % ROOMS}").encode())
                peer.flush()
            async with asyncio.timeout(PATIENCE):
                while not all(link.told.get(heard.encode(), 0) >= times for link in links):
                    await written.wait()
                    written.clear()

        await all_say('{"type":"hello","name":"uNUMBER","ping":false,"backlog":0}', "welcome", 1)
        await all_say('{"type":"join","room":"ROOM","backlog":0,"ref":"in"}', "ok", 1)
        for number in range(1, messages // len(peers) + 1):
            line = f'{{"type":"send","id":{number},"room":"ROOM","text":"{TEXT}"}}'
            await all_say(line, "message", number * MEMBERS)
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
