"""The headless client against a real server."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from support import PATIENCE, Server

from chat_tui.client import Client, Lost, NotConnected, Refused, Unreachable
from server.protocol import frames, limits

T = TypeVar("T")
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


async def first(chat: Client, kind: type[T], true: Callable[[T], bool] = lambda _: True) -> T:
    """Return the next frame of a kind for which `true` holds."""
    async with asyncio.timeout(PATIENCE):
        async for frame in chat.events():
            if isinstance(frame, kind) and true(frame):
                return frame
    raise EOFError


async def all_sent(chat: Client) -> None:
    """Wait until nothing is on its way any more."""
    async with asyncio.timeout(PATIENCE):
        async for _ in chat.batches():
            if not chat.unconfirmed:
                return


async def test_people_are_asked_for_in_as_many_parts_as_it_takes(server: Server) -> None:
    """All who may have reacted to one message."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        known = await alice.people(range(limits.REACTIONS))
        assert list(known.values()) == ["alice"]


async def test_a_message_is_durable_when_send_returns_and_reaches_others(server: Server) -> None:
    """With its place in the log, and nobody has to listen for it."""
    async with Client("127.0.0.1", server.port, "alice") as alice, Client("127.0.0.1", server.port, "bob") as bob:
        sent = await alice.send("hi", me=True)
        message = await first(bob, frames.Message)
        assert (message.seq, message.sender, message.text, message.me) == (sent.seq, "alice", "hi", True)
        page = await bob.history(limit=1)
        assert [entry.seq for entry in page.messages] == [sent.seq]


async def test_many_messages_keep_their_order(server: Server) -> None:
    """Sent without waiting for one another."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        sent = await asyncio.gather(*(alice.send(str(number)) for number in range(200)))
        assert [one.seq for one in sent] == sorted(one.seq for one in sent)
        assert alice.unconfirmed == []


async def test_a_name_that_is_taken_can_be_changed_on_the_same_connection(server: Server) -> None:
    """The refusal names the conflict; so does that of a nick."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        other = Client("127.0.0.1", server.port, "Alice")
        with pytest.raises(Refused, match="alice is taken"):
            await other.connect()
        other.name = "bob"
        assert (await other.connect()).name == "bob"
        with pytest.raises(Refused) as refusal:
            await other.nick("аlice")  # with a Cyrillic а
        assert refusal.value.code == "name_taken"
        await other.nick("Bobby")
        assert (await first(alice, frames.Renamed)).new == other.name == "Bobby"
        await other.quit("lunch")
        assert (await first(alice, frames.Left)).reason == "lunch"


async def test_rooms_can_be_entered_and_left(server: Server) -> None:
    """And what can't be a room is refused."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        await alice.join("dev")
        await alice.send("in dev", room="dev")
        await alice.leave("dev")
        with pytest.raises(Refused):
            await alice.send("still?", room="dev")
        with pytest.raises(Refused):
            await alice.join("no spaces")


async def test_after_a_crash_of_the_server_the_session_and_what_was_written_go_on(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Killed and started again: the name is ours, what others said comes, what was posted meanwhile is sent once."""
    server = start_server(data=tmp_path / "d")
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    before = await alice.send("before")
    session = alice.session
    server.stop(signal.SIGKILL)
    async for _ in alice.batches():
        pass
    assert isinstance(alice.ended, Lost)
    assert not alice.connected
    with pytest.raises(NotConnected):
        await alice.send("not now")
    alice.post("meanwhile")
    with pytest.raises(Unreachable, match="Nothing listens"):
        await alice.reconnect()
    start_server(data=tmp_path / "d", port=server.port)
    await alice.reconnect()
    assert alice.session == session
    message = await first(alice, frames.Message)
    assert (message.text, message.seq > before.seq) == ("meanwhile", True)
    page = await alice.history()
    assert [entry.text for entry in page.messages] == ["before", "meanwhile"]
    await alice.quit()


async def test_a_server_that_does_not_know_the_session_is_entered_anew(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Another server at the same address: a new session, and what was for the other is not sent by itself."""
    server = start_server(data=tmp_path / "one")
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    session = alice.session
    server.stop(signal.SIGKILL)
    alice.post("was it taken?")  # written to a connection whose end nobody has noticed
    async for _ in alice.batches():
        pass
    alice.post("later")
    start_server(data=tmp_path / "two", port=server.port)
    await alice.reconnect()
    assert alice.session != session
    assert [message.text for message in alice.failed] == ["was it taken?", "later"]
    assert not alice.unconfirmed
    await alice.quit()


async def test_a_shutdown_is_told(start_server: Callable[..., Server]) -> None:
    """Those who wait learn it, too."""
    server = start_server()
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    stopping = asyncio.create_task(asyncio.to_thread(server.stop))
    async for _ in alice.batches():
        pass
    assert isinstance(alice.ended, Lost)
    assert alice.ended.shutdown
    await stopping


async def test_what_can_not_be_a_message_is_refused_before_it_is_sent(server: Server) -> None:
    """Empty, or longer than a message may be."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        for text in ("", " \n", "x" * 20_000):
            with pytest.raises(Refused):
                alice.post(text)
        assert alice.unconfirmed == []


async def test_what_was_not_sent_outlives_the_client_and_is_sent_once(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Written while the server was away: the next client of that name has it, as the same person, and sends it."""
    server = start_server(data=tmp_path / "d")
    alice = Client("127.0.0.1", server.port, "alice", keep=tmp_path / "keep")
    await alice.connect()
    await alice.send("before")
    user = alice.user
    server.stop(signal.SIGKILL)
    alice.post("was it taken?")
    async for _ in alice.batches():
        pass
    alice.post("later")
    alice.keep_draft("half a")
    assert alice.keeps
    await alice.quit()

    again = Client("127.0.0.1", server.port, "alice", keep=tmp_path / "keep")
    again.remember()
    assert [message.text for message in again.unconfirmed] == ["was it taken?", "later"]
    start_server(data=tmp_path / "d", port=server.port)
    await again.connect()
    assert again.user == user
    assert again.draft() == "half a"
    await all_sent(again)
    page = await again.history()
    assert [message.text for message in page.messages] == ["before", "was it taken?", "later"]
    await again.quit()
    last = Client("127.0.0.1", server.port, "alice", keep=tmp_path / "keep")
    last.remember()
    assert not last.unconfirmed
    await last.quit()


async def test_what_another_process_holds_is_there_once_that_has_ended(server: Server, tmp_path: Path) -> None:
    """Until then nothing is kept, and that is said."""
    first_one = Client("127.0.0.1", server.port, "alice", keep=tmp_path)
    await first_one.connect()
    second = Client("127.0.0.1", server.port, "alice", keep=tmp_path)
    with pytest.raises(Refused):
        await second.connect()
    assert "Another chat-tui" in second.trouble
    user = first_one.user
    await first_one.quit()
    await second.close()
    await second.connect()
    assert (second.trouble, second.user) == ("", user)
    await second.quit()


async def test_the_outbox_stays_with_its_server(start_server: Callable[..., Server], tmp_path: Path) -> None:
    """Another server at the same address gets nothing of it, nor the session's secret; the first one gets all."""
    server = start_server(data=tmp_path / "one")
    alice = Client("127.0.0.1", server.port, "alice", keep=tmp_path / "keep")
    await alice.connect()
    session = alice.session
    server.stop()
    async for _ in alice.batches():
        pass
    alice.post("for the first")
    other = start_server(data=tmp_path / "two", port=server.port)
    welcome = await alice.reconnect()
    assert not welcome.resumed
    assert alice.session != session
    assert not alice.unconfirmed
    assert not alice.failed
    other.stop()
    async for _ in alice.batches():
        pass
    start_server(data=tmp_path / "one", port=server.port)
    await alice.reconnect()
    assert alice.session == session
    assert (await first(alice, frames.Message)).text == "for the first"
    await alice.quit()


async def test_a_message_is_taken_back_where_it_has_not_arrived(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """At once where it never left; else the server is asked when it is there again, and says what it knows."""
    server = start_server(data=tmp_path / "d")
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    server.stop(signal.SIGKILL)
    unknown = alice.post("written to a connection that is dead")
    async for _ in alice.batches():
        pass
    never = alice.post("never left")
    last = alice.post("last")
    assert alice.withdraw(never.id)
    assert not alice.withdraw(unknown.id)
    start_server(data=tmp_path / "d", port=server.port)
    await alice.reconnect()
    heard: list[frames.ServerFrame] = []
    async with asyncio.timeout(PATIENCE):
        async for batch in alice.batches():
            heard += batch
            if not alice.unconfirmed:
                break
    assert [frame.id for frame in heard if isinstance(frame, frames.Ok)] == [unknown.id]
    assert [frame.id for frame in heard if isinstance(frame, frames.Message)] == [last.id]
    assert [message.text for message in (await alice.history()).messages] == ["last"]
    await alice.quit()


async def test_an_older_copy_of_the_server_is_noticed_and_the_session_goes_on(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Grown past the cursor: nothing is gone on with, but who we are; what was on its way is sent, once."""
    server = start_server(data=tmp_path / "d")
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    await alice.send("in both")
    server.stop()
    copy = (tmp_path / "d" / "chat.db").read_bytes()
    async for _ in alice.batches():
        pass
    server = start_server(data=tmp_path / "d", port=server.port)
    await alice.reconnect()
    await alice.send("in the newer one alone")
    user = alice.user
    server.stop()
    async for _ in alice.batches():
        pass
    (tmp_path / "d" / "chat.db").write_bytes(copy)
    start_server(data=tmp_path / "d", port=server.port)
    async with Client("127.0.0.1", server.port, "bob") as bob:
        for number in range(5):
            await bob.send(f"other {number}")
    alice.post("after")
    welcome = await alice.reconnect()
    assert alice.replaced
    assert not welcome.resumed
    assert alice.user == user
    await all_sent(alice)
    texts = [message.text for message in (await alice.history()).messages]
    assert texts == ["in both", *(f"other {number}" for number in range(5)), "after"]
    await alice.quit()


async def test_more_than_the_rate_is_sent_later_in_order(start_server: Callable[..., Server]) -> None:
    """The client holds what the server does not take yet; nothing is lost or told as failed."""
    server = start_server("--limit", "rate=100", "--limit", "burst=5")
    async with Client("127.0.0.1", server.port, "alice") as alice:
        sent = await asyncio.gather(*(alice.send(str(number)) for number in range(30)))
        assert [one.seq for one in sent] == sorted(one.seq for one in sent)
        assert [message.text for message in (await alice.history()).messages] == [str(number) for number in range(30)]


async def test_an_answer_stays_one_over_a_kill_and_only_wanted_rooms_are_paged(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """What it answers is kept with it; a page comes of the rooms that are shown, and of no other."""
    server = start_server(data=tmp_path / "d")
    alice = Client("127.0.0.1", server.port, "alice", keep=tmp_path / "keep")
    await alice.connect()
    await alice.join("dev")
    root = await alice.send("root", room="dev")
    server.stop()
    async for _ in alice.batches():
        pass
    alice.post("answer", room="dev", reply=root.seq)
    await alice.quit()
    start_server(data=tmp_path / "d", port=server.port)
    again = Client("127.0.0.1", server.port, "alice", keep=tmp_path / "keep")
    again.show = ["dev"]
    await again.connect()
    page = await first(again, frames.History)
    assert page.room == "dev"
    await all_sent(again)
    answer = (await again.history("dev", thread=root.seq)).messages[-1]
    assert (answer.text, answer.reply, answer.thread) == ("answer", root.seq, root.seq)
    await again.quit()


async def test_an_invitation_does_not_move_the_cursor(server: Server) -> None:
    """It comes by itself: what was said before it may still be on its way."""
    async with Client("127.0.0.1", server.port, "alice") as alice, Client("127.0.0.1", server.port, "bob") as bob:
        await alice.make("plans", private=True)
        before = bob.seq
        await alice.invite("plans", "bob")
        invited = await first(bob, frames.Invited)
        assert (invited.room, invited.who) == ("plans", bob.user)
        assert bob.seq == before
        answer = await bob.ask_rooms()
        assert {info.room: info.member for info in answer.rooms} == {"general": True, "plans": False}


async def test_an_account_on_two_devices(start_server: Callable[..., Server], tmp_path: Path) -> None:
    """A guest registers and stays who they are, logs out, logs in; a second device ends the first within a second."""
    server = start_server("--limits", "off")
    keep, known = tmp_path / "keep", tmp_path / "known"
    first_one = Client("127.0.0.1", server.port, "alice", keep=keep, known=known, device_name="desk")
    await first_one.connect()
    user, sent = first_one.user, await first_one.send("as a guest")
    await first_one.register(PASSWORD)
    assert (first_one.user, first_one.account, first_one.secure) == (user, True, True)
    await first_one.logout()
    with pytest.raises(Refused) as refusal:
        await first_one.connect()
    assert refusal.value.code == "login_needed"
    first_one.password = PASSWORD
    await first_one.connect()
    assert (first_one.user, (await first_one.history()).messages[0].seq) == (user, sent.seq)
    await first_one.quit()

    first_one = Client("127.0.0.1", server.port, "alice", keep=keep, known=known)
    await first_one.connect()  # by what is kept, without a password
    assert (first_one.user, first_one.account) == (user, True)
    second = Client("127.0.0.1", server.port, "alice", known=known, device_name="lap")
    second.password = PASSWORD
    await second.connect()
    (other,) = [device for device in await second.devices() if not device.current]
    assert other.online
    listening = asyncio.create_task(all_heard(first_one))
    async with asyncio.timeout(1):
        await second.end(other.id)
        await listening
    assert isinstance(first_one.ended, Refused)
    assert (first_one.ended.code, first_one.session) == ("session_ended", "")
    await first_one.quit()
    await second.erase(password=PASSWORD)
    await all_heard(second)
    assert isinstance(second.ended, Refused)
    assert second.ended.code == "erased"
    await second.quit()


async def all_heard(chat: Client) -> None:
    """Wait until the connection has ended."""
    async for _ in chat.batches():
        pass
