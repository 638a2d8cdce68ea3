"""Make all pictures: `python3 run.py python screenshots/make.py`. Needs Linux or macOS.

The programs are the real ones: a server in a process of its own, friends with the headless client, and the terminal
program, in which Alice types. Only the time is that of the story, so that pictures made anew differ only where the
program does.
"""

import asyncio
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from textual.pilot import Pilot

from chat_tui.app import ChatApp
from chat_tui.screens.name import NameScreen
from chat_tui.state.link import Address, Phase
from screenshots import story
from screenshots.clock import Clock
from screenshots.picture import take
from screenshots.stage import PORT, Friends, Server, until

FOLDER = Path(__file__).resolve().parent
WIDE, USUAL, SMALL = (120, 36), (80, 24), (40, 12)


class Maker:
    """Plays the story and takes the pictures.

    Args:
        home: an empty directory: home, data of the server, and the clock.
    """

    def __init__(self, home: Path) -> None:
        self._clock_file = home / "clock"
        self._data = home / "server"
        self._clock = Clock(self._clock_file)
        self._port = PORT
        self._clock.set(story.FRIDAY[0].when)
        self._clock.rule()

    async def all(self) -> None:
        """Make every picture."""
        server = self._serve()
        friends = Friends(self._port, self._clock)
        try:
            await self._first_start()
            for event in story.FRIDAY:
                await self._play(friends, event)
            self._clock.set(story.SATURDAY[0].when)
            async with self._alice(WIDE) as alice:
                for event in story.SATURDAY:
                    await self._play(friends, event, alice)
                await self._room(alice)
                # A task: an app of its own beside Alice's.
                await asyncio.create_task(self._name_taken())
            await friends.all_leave()
        finally:
            server.stop()
        await self._nobody()
        await self._lost()

    # The scenes.

    async def _first_start(self) -> None:
        app = ChatApp(Address("127.0.0.1", self._port), None, story.ME)
        async with app.run_test(size=USUAL) as pilot:
            await until(pilot, lambda: isinstance(app.screen, NameScreen))
            self._take(pilot, "first-start")

    async def _room(self, alice: Pilot[int]) -> None:
        """The room, in every size and both themes, and the help over it."""
        app = _app(alice)
        app.room.composer.put(story.DRAFT)
        for theme in ("dark", "light"):
            await until(alice, lambda: True)
            self._take(alice, f"room-{theme}")
            await alice.press("f4")
        for size in (USUAL, SMALL):
            await alice.resize_terminal(*size)
            await until(alice, lambda: True)
            self._take(alice, f"room-{size[0]}x{size[1]}")
        await alice.resize_terminal(*WIDE)
        await alice.press("f1")
        await until(alice, lambda: len(app.screen_stack) > 1)
        self._take(alice, "help")
        await alice.press("escape")
        app.room.composer.put("")  # a draft is kept, and would stand in the pictures that follow

    async def _name_taken(self) -> None:
        app = ChatApp(Address("127.0.0.1", self._port), story.ME.capitalize())
        async with app.run_test(size=USUAL) as pilot:
            await until(pilot, lambda: isinstance(app.screen, NameScreen))
            self._take(pilot, "name-taken")

    async def _nobody(self) -> None:
        """No server where one is said to be."""
        app = ChatApp(Address("127.0.0.1", self._port), story.ME)
        async with app.run_test(size=USUAL) as pilot:
            await until(pilot, lambda: app.session.link.phase is Phase.OFFLINE)
            self._take(pilot, "not-connected")

    async def _lost(self) -> None:
        """The server dies with a message on its way, and comes back without Alice's session: nobody knows of it."""
        server = self._serve()
        friends = Friends(self._port, self._clock)
        await friends.come_in("carol", "dave", "mei")
        async with self._alice(USUAL) as alice:
            app = _app(alice)
            server.process.send_signal(signal.SIGSTOP)
            app.room.composer.put(story.UNSURE)
            await alice.press("enter")
            server.stop(signal.SIGKILL)
            # Every wait counts down to its last second, which may be short: it must still be so when it has been taken.
            last_second = " 1 s "
            while True:
                await until(alice, lambda: bool(app.session.link.problem) and last_second in app.session.link.words[0])
                self._take(alice, "reconnecting")
                if last_second in app.session.link.words[0]:
                    break
            with closing(sqlite3.connect(self._data / "chat.db")) as database, database:
                database.execute("DELETE FROM sessions")
            server = self._serve()
            await alice.press("f5")
            await until(alice, lambda: bool(app.chat.current.timeline.failed()))
            await friends.come_in("carol", "dave", "mei")
            await until(alice, lambda: len(app.chat.current.people) == 4)
            self._take(alice, "failed-message")
            await friends.all_leave()
        server.stop()

    # How.

    def _serve(self) -> Server:
        try:
            server = Server(self._clock_file, self._data, self._port)
        except OSError:
            server = Server(self._clock_file, self._data, 0)
        self._port = server.port
        return server

    @asynccontextmanager
    async def _alice(self, size: tuple[int, int]) -> AsyncIterator[Pilot[int]]:
        """Alice's terminal, connected."""
        app = ChatApp(Address("127.0.0.1", self._port), story.ME)
        app.chat.clock = self._clock
        async with app.run_test(size=size) as pilot:
            await until(
                pilot, lambda: app.session.link.phase is Phase.ONLINE and bool(app.chat.current.timeline.newest)
            )
            yield pilot
            await app.action_quit()

    async def _play(self, friends: Friends, event: story.Event, alice: Pilot[int] | None = None) -> None:
        """Let something happen, and wait until Alice, where she is there, has it on her screen."""
        self._clock.set(event.when)
        chat = _app(alice).chat if alice else None
        match event:
            case story.CameIn(_, names):
                await friends.come_in(*names)
                if alice and chat:
                    await until(alice, lambda: set(names) <= chat.current.people.names)
            case story.Left(_, who, reason):
                await friends.leave(who, reason)
                if alice and chat:
                    await until(alice, lambda: who not in chat.current.people.names)
            case story.Said(_, story.ME, text) if alice:
                _app(alice).room.composer.put(text)
                await alice.press("enter")
                await until(alice, lambda: not _app(alice).session.client.unconfirmed)
            case story.Said(_, who, text, me):
                seq = await friends.say(who, text, me=me)
                if alice and chat:
                    await until(alice, lambda: chat.current.timeline.newest >= seq)

    def _take(self, pilot: Pilot[int], name: str) -> None:
        print(f"  {name}")
        app = _app(pilot)
        take(app, FOLDER / name, f"chat-tui --name {app.chat.name}" if app.chat.name else "chat-tui")


def _app(pilot: Pilot[int]) -> ChatApp:
    assert isinstance(pilot.app, ChatApp)
    return pilot.app


def main() -> None:
    """Make them in an empty home."""
    with tempfile.TemporaryDirectory(prefix="chat-pictures-") as home:
        for name in [name for name in os.environ if name.startswith("XDG_")]:
            del os.environ[name]
        os.environ |= {"HOME": home, "TZ": "UTC", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        time.tzset()
        asyncio.run(Maker(Path(home)).all())


if __name__ == "__main__":
    main()
