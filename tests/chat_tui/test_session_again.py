"""Who has been here before: hosting again, and a second device that comes back, with what is kept on the disk."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from support import PATIENCE, Server

from chat_tui.session import Session
from chat_tui.state.chat import Chat
from chat_tui.state.link import Address, Phase


@asynccontextmanager
async def sitting(
    address: Address, name: str, home: Path, device: str = ""
) -> AsyncIterator[tuple[Session, Callable[[Callable[[], object]], Awaitable[None]]]]:
    """Run a session; yield it, and a way to wait until something holds."""
    news = asyncio.Event()
    session = Session(
        address, Chat(name), home / "server", lambda _changed: news.set(), keep=home / "outbox", device=device
    )

    async def until(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(2 * PATIENCE):
            while not holds():
                news.clear()
                await news.wait()

    running = asyncio.create_task(session.run())
    try:
        yield session, until
    finally:
        await session.quit()
        await running


async def test_who_hosted_and_left_hosts_again(tmp_path: Path) -> None:
    """With nothing listening a server is started, the second time as the first, and it is the same one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = Address("127.0.0.1", port, may_host=True)
    known = set()
    for _ in range(3):
        async with sitting(address, "alice", tmp_path) as (session, until):
            await until(lambda: session.hosts and session.link.phase is Phase.ONLINE)
            known.add((session.client.server_id, session.client.user))
        async with asyncio.timeout(PATIENCE):
            while _listens(port):  # noqa: ASYNC110 - another process, which nobody announces the end of
                await asyncio.sleep(0.01)
    assert len(known) == 1


async def test_a_second_device_comes_back_as_who_it_is(server: Server, tmp_path: Path) -> None:
    """Cut off, and started anew by its name, it is the same person; the first device is, too."""
    address = Address("127.0.0.1", server.port)
    async with sitting(address, "ann", tmp_path / "desk") as (desk, desk_until):
        await desk_until(lambda: desk.link.phase is Phase.ONLINE)
        code = await desk.device()
        async with sitting(address, "", tmp_path / "phone", code) as (phone, until):
            await until(lambda: phone.link.phase is Phase.ONLINE)
            await phone.client.close()
            await until(lambda: phone.link.phase is not Phase.ONLINE)
            phone.hurry()
            await until(lambda: phone.link.phase is Phase.ONLINE)
            assert (phone.client.name, phone.client.user) == ("ann", desk.client.user)
        async with sitting(address, "ann", tmp_path / "phone") as (phone, until):
            await until(lambda: phone.link.phase is Phase.ONLINE)
            assert phone.client.user == desk.client.user


async def test_who_took_another_name_is_still_found_by_the_first(server: Server, tmp_path: Path) -> None:
    """Started as always, by the name one had, one is the same person; and by the new name, too."""
    address = Address("127.0.0.1", server.port)
    users = []
    for name, other in (("bob", "robert"), ("bob", ""), ("robert", "")):
        async with sitting(address, name, tmp_path) as (session, until):
            await until(lambda: session.link.phase is Phase.ONLINE)
            users.append(session.client.user)
            assert session.client.name == name
            if other:
                await session.nick(other)
    assert len(set(users)) == 1


async def test_a_code_that_is_not_known_lets_nobody_in(server: Server, tmp_path: Path) -> None:
    """And nothing can be written with it."""
    async with sitting(Address("127.0.0.1", server.port), "", tmp_path, "no such code") as (session, until):
        await until(lambda: session.link.phase is Phase.STRANGER)
        assert "not known here" in session.link.problem


def _listens(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
