"""An older copy of the database is laid over the newer one by plain `cp`: every client notices, none mixes histories.

Copies are made of a server that was ended in order, was killed, or still runs; the copy is then grown past what the
clients had seen of the other history, or not. Another copy is served beside the original, and clients go to and fro.
"""

import asyncio
import itertools
import shutil
import time
from pathlib import Path
from typing import Final

import apsw
from faults.hosts import Host, scratch, until
from faults.report import parser, progress, summary
from support import Wire

from chat_tui.client import Client
from server.protocol import frames
from server.record.events import Kind, decode_message

MANNERS: Final = ("ended", "killed", "running")
"""What the server was when it was copied."""


class Reader:
    """A headless client, and what it holds of the room: forgotten when it is told that the history is another one."""

    def __init__(self, port: int, name: str) -> None:
        self.client = Client("127.0.0.1", port, name, patience=60)
        self.held: dict[int, str] = {}
        self._reading: asyncio.Task[None] | None = None

    async def come(self) -> frames.Welcome:
        """Come in, or come back."""
        welcome = await (self.client.reconnect() if self.client.epoch else self.client.connect())
        if not welcome.resumed:
            self.held.clear()
        self._reading = asyncio.create_task(self._read())
        return welcome

    async def _read(self) -> None:
        async for frame in self.client.events():
            if isinstance(frame, frames.Message):
                self.held[frame.seq] = frame.text
            elif isinstance(frame, frames.History):
                self.held.update((message.seq, message.text) for message in frame.messages)

    async def away(self) -> None:
        """Lose the connection."""
        await self.client.close()
        if self._reading is not None:
            await self._reading


def copy(data: Path, to: Path) -> None:
    """What `cp` does with the database and what stands beside it."""
    to.mkdir(mode=0o700, exist_ok=True)
    for file in to.glob("chat.db*"):
        file.unlink()
    for file in sorted(data.glob("chat.db*")):
        if not file.name.endswith("-shm"):
            shutil.copy(file, to)


def stored(data: Path) -> dict[int, str]:
    """Return the texts of a database that nobody uses, by seq."""
    database = apsw.Connection(str(data / "chat.db"))
    rows = database.execute("SELECT seq, body FROM events WHERE kind = ?", (int(Kind.MESSAGE),))
    texts = {seq: decode_message(body).text for seq, body in rows}
    database.close()
    return texts


async def say(port: int, name: str, count: int) -> int:
    """Send so many messages; return the last one's seq."""
    wire = await Wire.connect(port, name, backlog=0)
    for number in range(count):
        await wire.say(type="send", room="general", text=f"{name} {number}", ref=str(number))
    last: int = (await wire.hear("ok", ref=str(count - 1)))["seq"]
    await wire.close()
    return last


async def restored(folder: Path, manner: str, *, grown: bool, clients: int) -> list[str]:
    """Lay a copy over what came after it, and let everyone come back; return what was wrong."""
    data, kept = folder / "data", folder / "kept"
    host = Host(data).listening()
    early, readers = Reader(host.port, "early"), [Reader(host.port, f"reader{n}") for n in range(clients)]
    for reader in (early, *readers):
        await reader.come()
    seq = await say(host.port, "before", 40)
    await until(lambda: all(reader.client.seq >= seq for reader in (early, *readers)))
    await early.away()
    if manner == "running":
        copy(data, kept)
    else:
        host.kill() if manner == "killed" else host.stop()
        for reader in readers:
            await reader.away()
        copy(data, kept)
        host = Host(data, port=host.port).listening()
        for reader in readers:
            await reader.come()
    seq = await say(host.port, "lost", 60)
    await until(lambda: all(reader.client.seq >= seq for reader in readers))
    raw = await Wire.connect(host.port, "raw")
    cursor = {"session": raw.welcome["session"], "epoch": raw.welcome["epoch"], "seq": seq}
    host.kill()
    for reader in readers:
        await reader.away()
    await raw.close()

    copy(kept, data)
    host = Host(data, port=host.port).listening()
    await say(host.port, "after", 200 if grown else 3)
    faults = []
    raw = await Wire.connect(host.port)
    await raw.say(type="hello", name="raw", resume=cursor)
    if (await raw.hear("error", "welcome")).get("code") not in ("diverged", "no_such_session"):
        faults.append("a cursor of the lost history was taken")
    await raw.close()
    for reader in readers:
        welcome = await reader.come()
        if welcome.resumed or not reader.client.replaced:
            faults.append(f"{reader.client.name} did not notice")
    welcome = await early.come()
    if not welcome.resumed or early.client.replaced:
        faults.append("one who had seen only what both histories have was sent away")
    seq = await say(host.port, "last", 5)
    await until(lambda: all(reader.held.get(seq) == "last 4" for reader in (early, *readers)))
    for reader in (early, *readers):
        await reader.away()
    host.stop()
    texts = stored(data)
    for reader in (early, *readers):
        wrong = {seq: text for seq, text in reader.held.items() if texts.get(seq) != text}
        if wrong:
            faults.append(f"{reader.client.name} holds {len(wrong)} messages of another history: {min(wrong)}")
    if early.held != texts:
        faults.append(f"{early.client.name} missed {len(texts) - len(early.held)} messages")
    return [f"copied while it {manner}, grown {grown}: {fault}" for fault in faults]


async def side_by_side(folder: Path) -> list[str]:
    """Serve a copy beside its original, and take a cursor of each to the other."""
    first = Host(folder / "data").listening()
    alice = await Wire.connect(first.port, "alice")
    session = alice.welcome["session"]
    common = await say(first.port, "both", 20)
    copy(folder / "data", folder / "copy")
    second = Host(folder / "copy").listening()
    epochs = {}
    heads = {}
    for host, name in ((first, "first"), (second, "second")):
        heads[host] = await say(host.port, name, 30)
        wire = await Wire.connect(host.port, f"bob-{name}")
        epochs[host] = wire.welcome["epoch"]
        await wire.close()
    await alice.close()
    faults = []
    for host, epoch, seq, taken in (
        (second, epochs[first], heads[first], False),
        (first, epochs[second], heads[second], False),
        (second, epochs[first], common, True),
        (second, epochs[second], heads[second], True),
        (first, epochs[first], heads[first], True),
    ):
        wire = await Wire.connect(host.port)
        await wire.say(type="hello", name="alice", resume={"session": session, "epoch": epoch, "seq": seq})
        answer = await wire.hear("welcome", "error")
        if (answer["type"] == "welcome") is not taken:
            faults.append(f"side by side: {answer} for seq {seq} of {epoch}")
        await wire.close()
    first.stop()
    second.stop()
    return faults


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("copies", __doc__.split("\n")[0])
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--clients", type=int, default=20)
    given = parse.parse_args(arguments)
    began = time.monotonic()
    faults: list[str] = []
    noticed = 0
    for number in range(given.rounds):
        for manner, grown in itertools.product(MANNERS, (True, False)):
            with scratch() as folder:
                faults += asyncio.run(restored(folder, manner, grown=grown, clients=given.clients))
            noticed += given.clients + 1
        with scratch() as folder:
            faults += asyncio.run(side_by_side(folder))
        progress(f"round {number + 1}: {len(faults)} faults")
    figures = {
        "rounds": given.rounds,
        "copies laid over": given.rounds * len(MANNERS) * 2,
        "clients that had to notice": noticed,
        "copies served beside": given.rounds,
        "seconds": round(time.monotonic() - began, 1),
    }
    return summary("copies", given, figures, faults)
