"""One person's chat against servers that refuse, hang up and come back: scripts on a loopback socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from support import PATIENCE, Server, introduce

from chat_tui.client import Client, Refused
from chat_tui.session import Session
from chat_tui.state.chat import Changed, Chat
from chat_tui.state.link import Address, Phase
from server.protocol import codec, frames

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WELCOME = codec.encode(frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=0, rooms=["general"]))


class Desk:
    """A session that runs, without a screen."""

    def __init__(self, port: int, data: Path) -> None:
        self.session = Session(Address("127.0.0.1", port), Chat("alice"), data, self._changed)
        self.phases: list[Phase] = []
        self._more = asyncio.Event()

    def _changed(self, changed: Changed) -> None:
        if Changed.LINK in changed:
            self.phases.append(self.session.link.phase)
        self._more.set()

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something holds; looked at after each change."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._more.clear()
                await self._more.wait()

    async def at(self, phase: Phase) -> None:
        """Wait until things stand so."""
        await self.until(lambda: self.session.link.phase is phase)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Run the session; leave at the end."""
        running = asyncio.create_task(self.session.run())
        try:
            yield running
        finally:
            await self.session.quit()
            async with asyncio.timeout(PATIENCE):
                await running


@asynccontextmanager
async def serving(data: Path, *scripts: Script) -> AsyncIterator[Desk]:
    """Run a script for each connection, the last one for all that follow, and yield a desk in front of it."""
    left = list(scripts)
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        script = left.pop(0) if len(left) > 1 else left[0]
        await introduce(reader, writer)
        await script(reader, writer)
        await close(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Desk(server.sockets[0].getsockname()[1], data)
    finally:
        server.close()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*filter(None, serving), return_exceptions=True)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and wait until it is."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def welcome_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let someone in, and lose them."""
    await reader.readline()
    writer.write(WELCOME)


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let someone in, and keep them until they go."""
    await reader.readline()
    writer.write(WELCOME)
    await reader.readline()


def refusing(*codes: str) -> Script:
    """Refuse one hello after the other on the same connection, then let them in."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for code in codes:
            await reader.readline()
            writer.write(codec.encode(frames.Error(code=code, message=f"Refused: {code}.")))
        await welcome(reader, writer)

    return script


@pytest.mark.parametrize(
    "codes", [["try_again"], ["no_such_session", "no_such_session"], ["diverged", "try_again"]], ids="-".join
)
async def test_a_refusal_that_passes_is_waited_out(tmp_path: Path, codes: list[str]) -> None:
    """Who was in comes back by itself; nobody is asked for a name."""
    async with serving(tmp_path, welcome_and_hang_up, refusing(*codes)) as desk, desk.running():
        await desk.at(Phase.WAITING)
        desk.session.hurry()
        await desk.until(lambda: desk.phases.count(Phase.ONLINE) == 2)
        assert not {Phase.NAME, Phase.OFFLINE} & set(desk.phases)


@pytest.mark.parametrize(
    ("code", "phase"),
    [
        ("bad_name", Phase.NAME),
        ("name_taken", Phase.NAME),
        ("bad_frame", Phase.OFFLINE),
        ("replaced", Phase.OFFLINE),
        ("try_again", Phase.OFFLINE),
    ],
)
async def test_only_a_refused_name_asks_for_another(tmp_path: Path, code: str, phase: Phase) -> None:
    """Anything else is said, and tried again when somebody says so."""
    async with serving(tmp_path, refusing(code)) as desk, desk.running() as running:
        await running
        assert desk.session.link.phase is phase
        assert desk.session.link.problem == f"Refused: {code}."


async def test_who_leaves_while_waiting_to_come_back_stays_away(tmp_path: Path) -> None:
    """The wait ends at once, and nothing connects any more."""
    async with serving(tmp_path, welcome_and_hang_up, welcome) as desk, desk.running() as running:
        await desk.at(Phase.WAITING)
        await desk.session.quit()
        await running
        await desk.session.run()
        assert desk.session.link.phase is Phase.LEFT
        assert desk.phases.count(Phase.CONNECTING) == 1
        assert desk.phases[-1] is Phase.LEFT


async def test_who_leaves_while_connecting_is_not_let_in(tmp_path: Path) -> None:
    """Neither before the server answers, nor where the welcome is on its way."""
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.readline()

    async with serving(tmp_path, silent) as desk, desk.running() as running:
        await asked.wait()
        await desk.session.quit()
        await running
        assert desk.phases == [Phase.CONNECTING, Phase.LEFT]


async def test_who_leaves_before_the_connection_stands_is_not_left_in(tmp_path: Path) -> None:
    """The welcome that comes all the same is answered by leaving."""
    said: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(WELCOME)
        said.append(await reader.readline())

    async with serving(tmp_path, script) as desk, desk.running() as running:
        await desk.until(lambda: desk.phases)  # the connection is made in the turns of the loop that follow
        await desk.session.quit()
        await running
        assert desk.phases == [Phase.CONNECTING, Phase.LEFT]
        assert not desk.session.client.connected
        assert said in ([], [b'{"type":"quit"}\n'])


async def test_hurrying_while_connecting_changes_nothing(tmp_path: Path) -> None:
    """The next wait is a wait all the same."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await go_on.wait()

    async with serving(tmp_path, welcome_and_hang_up, slow, welcome) as desk, desk.running():
        await desk.at(Phase.WAITING)
        desk.session.hurry()
        await asked.wait()
        desk.session.hurry()
        go_on.set()
        await desk.until(lambda: desk.phases.count(Phase.ONLINE) == 2)
        assert [phase for at, phase in enumerate(desk.phases) if phase not in desk.phases[at - 1 : at]] == [
            Phase.CONNECTING,
            Phase.ONLINE,
            Phase.WAITING,
            Phase.CONNECTING,
            Phase.WAITING,
            Phase.CONNECTING,
            Phase.ONLINE,
        ]


async def test_a_new_name_is_kept_where_nobody_told_it(tmp_path: Path) -> None:
    """The `renamed` was missed: the name that is asked for on coming back is the new one all the same."""
    names: list[str] = []

    async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(WELCOME)
        asked = codec.decode_client(await reader.readline())
        assert isinstance(asked, frames.Nick)
        writer.write(codec.encode(frames.Ok(ref=asked.ref)))

    async def then(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = codec.decode_client(await reader.readline())
        assert isinstance(hello, frames.Hello)
        names.append(hello.name)
        writer.write(WELCOME.replace(b'"alice"', b'"al"'))
        await reader.readline()

    async with serving(tmp_path, first, then) as desk, desk.running():
        await desk.at(Phase.ONLINE)
        await desk.session.nick(" al ")
        assert desk.session.client.name == desk.session.chat.name == desk.session.chat.current.timeline.my_name == "al"
        await desk.until(lambda: names and desk.session.link.phase is Phase.ONLINE)
        assert names == [desk.session.chat.name] == ["al"]


@pytest.mark.parametrize("code", ["id_order", "id_reused"])
async def test_a_message_whose_number_is_refused_keeps_its_text(tmp_path: Path, code: str) -> None:
    """It shows as failed, with why, and goes out under a new number when it is sent again."""
    sent: list[frames.Send] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(WELCOME)
        for _ in range(2):
            send = codec.decode_client(await reader.readline())
            assert isinstance(send, frames.Send)
            sent.append(send)
            writer.write(codec.encode(frames.Error(code=code, message="Count on.", room="general", id=send.id)))
        await reader.readline()

    async with serving(tmp_path, script) as desk, desk.running():
        await desk.at(Phase.ONLINE)
        timeline = desk.session.chat.current.timeline
        refused = asyncio.Event()
        timeline.listeners.append(lambda *_: refused.set() if timeline.failed() else refused.clear())
        desk.session.say("a\tb")
        async with asyncio.timeout(PATIENCE):
            await refused.wait()
        assert [(failed.raw, failed.reason) for failed in timeline.failed()] == [("a\tb", "Count on.")]
        assert desk.session.client.unconfirmed == []
        assert desk.session.retry()
        async with asyncio.timeout(PATIENCE):
            await refused.wait()
        assert [send.text for send in sent] == ["a\tb", "a\tb"]
        assert sent[0].id < sent[1].id  # type: ignore[operator]
        taken = desk.session.take_back()
        assert taken is not None
        assert taken.raw == "a\tb"
        assert timeline.entries == []


def test_what_can_not_be_sent_again_is_not_lost(tmp_path: Path) -> None:
    """It stays in the log as it is, and those after it, too."""
    session = Session(Address("127.0.0.1", 1), Chat("alice"), tmp_path, lambda _: None)
    timeline = session.chat.current.timeline
    for id, text in enumerate(["fine", "x" * 20_000, "later"], 1):
        timeline.pend(id, text, 0)
        timeline.fail(id, "why")
    with pytest.raises(Refused):
        session.retry()
    assert [failed.id for failed in timeline.failed()] == [2, 3]
    assert [pending.text for pending in session.client.unconfirmed] == ["fine"]
    timeline.withdraw(2)
    session.say("\t" * 6000 + "long where tabs are shown as spaces")
    for pending in session.client.unconfirmed:
        timeline.fail(pending.id, "why")
    assert session.retry()
    assert not timeline.failed()


async def test_history_comes_although_the_first_connection_was_too_short_for_it(server: Server, tmp_path: Path) -> None:
    """Cut between the welcome and the page: the page comes with the next connection, and older ones can be had."""
    async with Client("127.0.0.1", server.port, "bob") as bob:
        await asyncio.gather(*(bob.send(str(number)) for number in range(60)))
        relayed = 0

        async def flaky(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal relayed
            relayed += 1
            there, here = await asyncio.open_connection("127.0.0.1", server.port)
            here.write(await reader.readline())
            writer.write(await there.readline())
            if relayed == 1:
                here.transport.abort()
                await bob.send("meanwhile")
            else:
                await asyncio.gather(_relay(reader, here), _relay(there, writer))
            await close(here)

        async with serving(tmp_path, flaky) as desk, desk.running():
            timeline = desk.session.chat.current.timeline
            came = asyncio.Event()
            timeline.listeners.append(lambda *_: came.set() if timeline.messages >= 51 else None)
            async with asyncio.timeout(PATIENCE):
                await came.wait()
            assert [entry.text for entry in timeline.entries] == [*map(str, range(10, 60)), "meanwhile"]
            assert timeline.more
            await desk.session.older()
            async with asyncio.timeout(PATIENCE):
                while timeline.messages < 61:
                    came.clear()
                    await came.wait()
            assert not timeline.more


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what is said, up to the end."""
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
