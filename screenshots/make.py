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
WIDE, MIDDLE, USUAL, SMALL = (120, 36), (100, 30), (80, 24), (40, 12)


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
        self._said: dict[str, tuple[str, int]] = {}
        """By key, the room of a message and its place in the log."""
        self._latest = 0
        """The place in the log of what a friend said or did last."""
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
                await self._views(alice)
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
        """The room, in every size and both themes."""
        app = _app(alice)
        self._take(alice, "room-dark")
        app.room.composer.put(story.DRAFT)
        await alice.press("f4")
        await until(alice, lambda: True)
        self._take(alice, "room-light")
        await alice.press("f4")
        for size in (USUAL, SMALL):
            await alice.resize_terminal(*size)
            await until(alice, lambda: True)
            self._take(alice, f"room-{size[0]}x{size[1]}")
        app.room.composer.put("")  # a draft is kept, and would stand in the pictures that follow

    async def _views(self, alice: Pilot[int]) -> None:
        """What opens over the room or beside it, each by its keys."""
        app = _app(alice)
        await alice.resize_terminal(*WIDE)
        await alice.press("f1")
        await self._take_over(alice, "help")
        await alice.resize_terminal(*MIDDLE)
        await alice.press("alt+g", "b")
        await self._take_over(alice, "go-to")
        await alice.press("alt+c")
        await self._take_over(alice, "catch-up")
        await alice.press("ctrl+f", *"printer", "enter", "down")
        await self._take_over(alice, "search")
        app.room.composer.put("/register")
        await alice.press("enter")
        await self._take_over(alice, "account")
        app.go_to_message(*self._said["printer"])
        await until(alice, lambda: app.room.log_view.focused_message == self._said["printer"][1])
        self._take(alice, "message")
        await alice.press("plus", *"he")
        await self._take_over(alice, "react")
        await alice.press("t")
        await until(alice, lambda: app.chat.current.thread is not None)
        self._take(alice, "thread")
        await alice.press("escape", "escape")

    async def _take_over(self, alice: Pilot[int], name: str) -> None:
        """Take a picture of what opens over the room, and close it."""
        await until(alice, lambda: len(alice.app.screen_stack) > 1)
        await alice.pause(0.5)  # what is listed there is asked for
        self._take(alice, name)
        await alice.press("escape")

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
        match event:
            case story.Said() | story.Done():
                await self._say_or_do(friends, event, alice)
            case story.Made(_, who, room, topic, others, private):
                await friends.make(who, room, topic, others, private=private)
            case story.Topic(_, who, room, topic):
                await friends.set_topic(who, room, topic)
            case story.CameIn(_, names):
                await friends.come_in(*names)
            case story.Left(_, who, reason):
                await friends.leave(who, reason)
            case story.Invited(_, who, room, whom):
                await friends.invite(who, room, whom)
            case story.Away(_, who, text):
                await friends.away(who, text)
            case story.Writing(_, who, room):
                friends.write(who, room)
            case story.Typed(_, text) if alice:
                await self._type(alice, text)
        if alice:
            await until(alice, lambda: self._is_seen(_app(alice), event))

    async def _say_or_do(self, friends: Friends, event: story.Said | story.Done, alice: Pilot[int] | None) -> None:
        """Let a message be sent, or something be done with one; Alice does so with her own keys and acts."""
        session = _app(alice).session if alice else None
        match event:
            case story.Said(_, story.ME, text) if alice and session:
                before = session.client.seq
                await self._type(alice, text)
                await until(alice, lambda: session.client.seq > before)
                self._said[event.key] = event.room, session.client.seq
            case story.Said(_, who, text, room, key, reply, me):
                answers = self._said[reply][1] if reply else 0
                self._said[key] = room, await friends.say(who, text, room, reply=answers, me=me)
                self._latest = self._said[key][1]
            case story.Done(_, story.ME, what, key, argument) if session:
                await getattr(session, what)(self._said[key][1], argument)
            case story.Done(_, who, what, key, argument):
                room, seq = self._said[key]
                self._latest = await friends.do(who, what, room, seq, argument)

    def _is_seen(self, app: ChatApp, event: story.Event) -> bool:
        """Whether something that happened has arrived at Alice's."""
        chat = app.chat
        match event:
            case story.CameIn(_, names):
                return set(names) <= chat.current.people.names
            case story.Left(_, who):
                return who not in chat.current.people.names
            case story.Invited(_, _, room):
                return room in chat.rooms
            case story.Away(_, who):
                return who in chat.current.people.away
            case story.Writing(_, who):
                return who in chat.current.people.typing(chat.clock())
            case story.Typed(_, _, room):
                return chat.current.handle == room and chat.current.loaded
        return app.session.client.seq >= self._latest

    async def _type(self, alice: Pilot[int], text: str) -> None:
        _app(alice).room.composer.put(text)
        await alice.press("enter")

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
