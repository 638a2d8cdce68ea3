"""Signing in by a provider, all the way: a real server, a real provider, and people with a browser."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from provider import SECRET, Provider
from support import PATIENCE, Server, Wire

StartProvider = Callable[..., Provider]
StartServer = Callable[..., Server]
Open = Callable[..., Awaitable[Wire]]


@pytest.fixture
def server(start_server: StartServer, provider: Provider, own_key: Path, tmp_path: Path) -> Server:
    """A server that takes people who have signed in there."""
    data = shutil.copytree(own_key, tmp_path / "data")
    data.chmod(0o700)
    return start_server("--limits", "off", *provider.arguments, data=data)


@pytest.fixture
async def reach() -> AsyncIterator[Open]:
    """Connect by TLS, and say hello where a name is given; all connections are closed with the test."""
    wires: list[Wire] = []

    async def open_one(server: Server, name: str | None = None, **hello: Any) -> Wire:
        wires.append(await Wire.connect(server.port, name, tls=True, **hello))
        return wires[-1]

    yield open_one
    for wire in wires:
        await wire.close()


async def begin(wire: Wire, kind: str = "hello", **fields: Any) -> dict[str, Any]:
    """Begin to sign in; return where that is done."""
    await wire.say(type=kind, sso=True, ref="in", **fields)
    told = await wire.hear("sso", "error")
    assert told["type"] == "sso", told
    return told


async def sign_in(wire: Wire, provider: Provider, who: str, kind: str = "hello", **fields: Any) -> dict[str, Any]:
    """Sign in as someone at the provider; return the answer."""
    told = await begin(wire, kind, **fields)
    await asyncio.to_thread(provider.approve, told["code"], who)
    return await wire.hear("welcome", "account", "error")


async def test_who_signs_in_is_in_and_the_same_person_each_time(
    server: Server, provider: Provider, reach: Open
) -> None:
    """The first time makes an account; on another device it is the same one, whatever name is asked for."""
    first = await reach(server)
    about = await first.ask(type="about")
    assert about["sso"] == "Lab"
    told = await begin(first, name="alice")
    assert told["url"] == f"{provider.issuer}/device"
    assert told["complete"] == f"{told['url']}?user_code={told['code']}"
    await asyncio.to_thread(provider.approve, told["code"], "alice")
    welcome = await first.hear("welcome", "error")
    assert (welcome["name"], welcome["account"], welcome["ref"]) == ("alice", True, "in")
    second, third = await reach(server), await reach(server)
    again, other = await asyncio.gather(
        sign_in(second, provider, "alice", name="somebody"), sign_in(third, provider, "bob", name="bob")
    )
    assert (again["name"], again["user"]) == ("alice", welcome["user"])
    assert other["user"] != welcome["user"]
    back = await reach(server, resume={"session": welcome["session"]})
    assert back.welcome["user"] == welcome["user"]


async def test_refused_at_the_provider(server: Server, provider: Provider, reach: Open) -> None:
    """The connection stays: one may come in another way."""
    wire = await reach(server)
    told = await begin(wire, name="alice")
    await asyncio.to_thread(provider.deny, told["code"])
    error = await wire.hear("welcome", "error")
    assert (error["code"], error["ref"]) == ("sso_refused", "in")
    await wire.say(type="hello", name="alice")
    assert (await wire.hear("welcome", "error"))["type"] == "welcome"


async def test_a_code_that_nobody_used(start_server: StartServer, start_provider: StartProvider, reach: Open) -> None:
    """It says so when the time is up, and a new code works; the time to say hello does not cut it short."""
    provider = start_provider(lifetime=3)
    server = start_server("--limit", "name=1", *provider.arguments)
    wire = await reach(server)
    await begin(wire, name="alice")
    assert (await wire.hear("welcome", "error"))["code"] == "sso_expired"
    assert (await sign_in(wire, provider, "alice", name="alice"))["name"] == "alice"


async def test_a_name_that_is_taken(server: Server, provider: Provider, reach: Open) -> None:
    """An account's name is its own, also for who has signed in by that name elsewhere."""
    wire = await reach(server)
    answer = await wire.ask(type="register", name="alice", password="long enough")  # noqa: S106
    assert answer["type"] == "account"
    other = await reach(server)
    refused = await sign_in(other, provider, "alice", name="alice")
    assert refused["type"] == "error", refused
    assert (await sign_in(other, provider, "alice", name="alicia"))["name"] == "alicia"


async def test_a_guest_links_the_provider_and_stays_who_they_are(
    server: Server, provider: Provider, reach: Open
) -> None:
    """With user, rooms and messages; the session of before is replaced. From then on one signs in as that person."""
    guest = await reach(server, "carol")
    await guest.ask(type="join", room="dev")
    account = await sign_in(guest, provider, "bob", "register")
    assert (account["type"], account["name"], account["user"]) == ("account", "carol", guest.welcome["user"])
    assert account["session"] not in ("", guest.welcome["session"])
    assert (await guest.ask(type="send", room="dev", text="still here"))["type"] == "ok"
    other, dave = await reach(server), await reach(server, "dave")
    welcome, again = await asyncio.gather(sign_in(other, provider, "bob"), sign_in(dave, provider, "bob", "register"))
    assert (welcome["name"], welcome["user"]) == ("carol", guest.welcome["user"])
    assert "dev" in welcome["rooms"]
    assert again["type"] == "error", "one account at the provider is one person here"


async def test_only_over_tls(server: Server) -> None:
    """What follows is the secret of an account."""
    wire = await Wire.connect(server.port)
    assert (await wire.ask(type="hello", sso=True, name="alice"))["code"] == "tls_required"
    await wire.close()


async def test_a_connection_that_goes_gives_its_sign_in_up(server: Server, provider: Provider, reach: Open) -> None:
    """Who signs in after that is not in, and the server goes on."""
    wire = await reach(server)
    told = await begin(wire, name="alice")
    await wire.close()
    await asyncio.to_thread(provider.approve, told["code"], "alice")
    other = await reach(server, "bob")
    assert (await other.ask(type="about"))["sso"] == "Lab"
    assert "alice" not in other.welcome.get("names", [])


async def test_twenty_sign_ins_at_once_from_one_address_and_no_more(server: Server, reach: Open) -> None:
    """The next one waits; those who talk notice nothing."""
    wires = [await reach(server) for _ in range(21)]
    for wire in wires:
        await wire.say(type="hello", sso=True, name="alice")
    heard = await asyncio.gather(*(wire.hear("sso", "error") for wire in wires))
    refused = [frame for frame in heard if frame["type"] == "error"]
    assert [(frame["code"], frame["wait_ms"] > 0) for frame in refused] == [("try_again", True)]
    bob = await reach(server, "bob")
    assert (await bob.ask(type="send", room="general", text="hi"))["type"] == "ok"
    assert server.stop()[0] == 0  # not held up by those who wait


async def test_the_provider_is_killed_while_somebody_signs_in(
    start_server: StartServer, start_provider: StartProvider, reach: Open
) -> None:
    """They are told when the time is up, who comes then at once; when it is back, both are in. Nobody else notices."""
    provider = start_provider(lifetime=2)
    server = start_server("--limits", "off", *provider.arguments)
    wire = await reach(server)
    await begin(wire, name="alice")
    provider.stop()
    assert (await wire.hear("welcome", "error"))["code"] == "sso_unavailable"
    await wire.say(type="hello", sso=True, name="alice")
    assert (await wire.hear("sso", "error"))["code"] == "sso_unavailable"
    provider = await asyncio.to_thread(start_provider, port=provider.port)
    assert (await sign_in(wire, provider, "alice", name="alice"))["name"] == "alice"
    _, out, err = server.stop()
    assert out.count("Nobody can sign in by Lab") == 1
    assert SECRET not in out + err


def test_what_is_set_up_wrongly_is_said_at_the_start(tmp_path: Path) -> None:
    """One line, and no server."""
    for arguments, said in (
        (["--sso-issuer", "http://id.example.org", "--sso-client", "chat"], "https://"),
        (["--sso-issuer", "https://id.example.org", "--sso-client", "chat", "--sso-secret-file", "nowhere"], "nowhere"),
        (["--sso-issuer", "https://id.example.org"], "--sso-client go together"),
    ):
        command = [sys.executable, "-m", "server.cli", "--data", str(tmp_path), "--port", "0", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert ended.returncode in (1, 2)
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
        assert "Listening" not in ended.stdout


async def test_containers_set_it_up_by_the_environment(
    start_server: StartServer, provider: Provider, reach: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each flag has a variable."""
    for flag, value in zip(provider.arguments[::2], provider.arguments[1::2], strict=True):
        monkeypatch.setenv("CHAT_SERVER_" + flag[2:].replace("-", "_").upper(), value)
    wire = await reach(start_server())
    assert (await wire.ask(type="about"))["sso"] == "Lab"
