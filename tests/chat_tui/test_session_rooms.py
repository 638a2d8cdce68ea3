"""Rooms, threads, old messages and read state of sessions, against a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support import PATIENCE, Server

from chat_tui.client import Client, ClientError, Refused
from chat_tui.session import Session, reading
from chat_tui.state.chat import Changed, Chat
from chat_tui.state.entries import DELETED, EDITED, NOTICE, Entry, reply_of
from chat_tui.state.link import Address, Phase
from chat_tui.state.timeline import Timeline
from server.protocol import frames


class Desk:
    """A session that runs, without a screen."""

    def __init__(self, port: int, name: str, data: Path, device: str = "", *, see_all: bool = False) -> None:
        self.chat = Chat(name)
        self.known_when_seen: list[bool] = []
        if see_all:
            self.chat.current.timeline.listeners.append(self._see)
        self.session = Session(Address("127.0.0.1", port), self.chat, data, self._changed, device=device)
        self.changed: list[Changed] = []
        self._more = asyncio.Event()
        self._running = asyncio.create_task(self.session.run())

    def _changed(self, changed: Changed) -> None:
        self.changed.append(changed)
        self._more.set()

    def _see(self, _at: int, _removed: int, _added: int) -> None:
        """See whatever comes, as soon as it does."""
        self.known_when_seen.append(self.chat.current.known)
        self.session.seen(self.chat.current.timeline.newest)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something holds; looked at after each change, each message, and now and then."""
        heard: set[Timeline] = set()

        def more(_at: int, _removed: int, _added: int) -> None:
            self._more.set()

        async with asyncio.timeout(PATIENCE):
            while not true():
                for timeline in {room.shown for room in self.chat.rooms.values()} - heard:
                    timeline.listeners.append(more)
                    heard.add(timeline)
                self._more.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._more.wait(), 0.05)
        for timeline in heard:
            timeline.listeners.remove(more)

    def said(self, timeline: Timeline | None = None) -> list[str]:
        """Return the texts of messages: of what is shown, or of a timeline."""
        shown = timeline or self.chat.current.shown
        return [entry.text for entry in shown.entries if not entry.flags & NOTICE]

    def find(self, text: str) -> Entry:
        """Return the message that says something."""
        return next(entry for entry in self.chat.current.shown.entries if entry.text == text)

    async def say(self, text: str, reply: int = 0) -> int:
        """Say something; return its seq once it is durable."""
        self.session.say(text, reply=reply)
        await self.until(lambda: not self.chat.current.waiting())
        return self.find(text).seq

    async def leave(self) -> None:
        """Leave for good."""
        await self.session.quit()
        async with asyncio.timeout(PATIENCE):
            await self._running


Sit = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def sit(server: Server, tmp_path: Path) -> AsyncIterator[Sit]:
    """Sit someone down at a desk of their own; all leave with the test."""
    desks: list[Desk] = []

    async def sit_down(name: str = "alice", device: str = "", *, see_all: bool = False) -> Desk:
        desk = Desk(server.port, name, tmp_path, device, see_all=see_all)
        desks.append(desk)
        await desk.until(lambda: desk.chat.current.known and desk.chat.current.loaded)
        return desk

    yield sit_down
    for desk in desks:
        await desk.leave()


@pytest.fixture
async def two(sit: Sit) -> tuple[Desk, Desk]:
    """Alice and bob, in the room dev."""
    alice, bob = await sit("alice"), await sit("bob")
    await alice.session.make("dev", topic="builds")
    await bob.session.join("#Dev")
    return alice, bob


async def fill(server: Server, count: int, room: str = "general") -> list[int]:
    """Have someone say much in a room; return the seqs."""
    async with Client("127.0.0.1", server.port, "carol") as carol:
        await carol.join(room)
        return [sent.seq for sent in await asyncio.gather(*(carol.send(str(n), room=room) for n in range(count)))]


async def test_a_private_room_is_entered_by_invitation(sit: Sit) -> None:
    """Until then it does not exist for others; declined, it is gone."""
    alice, bob = await sit("alice"), await sit("bob")
    await alice.session.make("plans", title="Our plans", private=True)
    assert alice.chat.current.handle == "plans"
    await alice.until(lambda: alice.chat.current.title == "Our plans")
    with pytest.raises(Refused):
        await bob.session.join("plans")
    await alice.session.invite("plans", "bob")
    await bob.until(lambda: "plans" in bob.chat.rooms)
    assert bob.chat.ordered()[0].invited_by == "alice"
    await bob.session.leave("plans")
    assert [room.handle for room in bob.chat.ordered()] == ["general"]
    await alice.session.invite("plans", "bob")
    await bob.until(lambda: bob.chat.ordered()[0].invited_by)
    await bob.session.join("plans")
    assert bob.chat.current.title == "Our plans"
    await bob.session.leave("plans")
    await bob.until(lambda: bob.chat.current.handle == "general")
    listed = await alice.session.listing()
    assert {info.room for info in listed.rooms} == {"general", "plans"}
    assert [info.room for info in (await bob.session.listing()).rooms] == ["general"]


async def test_what_was_said_is_changed_and_others_see_it(two: tuple[Desk, Desk]) -> None:
    """Edited, reacted to, pinned, answered and deleted."""
    alice, bob = two
    seq = await alice.say("hello @bob")
    await bob.until(lambda: "hello @bob" in bob.said())
    assert bob.chat.current.mentions == 1
    await bob.session.react(seq, "tada")
    await alice.session.react(seq, "tada")
    await alice.until(lambda: (entry := alice.find("hello @bob")).more and entry.more.reactions.get("tada") == [2, 1])
    await bob.until(lambda: (entry := bob.find("hello @bob")).more and entry.more.reactions.get("tada") == [2, 1])
    assert await alice.session.called([1, 2, 99]) == {1: "alice", 2: "bob"}
    alice.chat.names.clear()
    assert await alice.session.called(range(1, 1002)) == {1: "alice", 2: "bob"}
    await bob.session.react(seq, "tada")
    await alice.session.pin(seq, True)
    assert [message.text for message in await bob.session.pins()] == ["hello @bob"]
    await alice.session.edit(seq, "hello you")
    await bob.until(lambda: "hello you" in bob.said())
    assert bob.find("hello you").flags & EDITED
    assert bob.chat.current.mentions == 0
    assert [version.text for version in (await bob.session.versions(seq)).versions] == ["hello @bob", "hello you"]
    with pytest.raises(Refused):
        await bob.session.edit(seq, "hello me")
    with pytest.raises(Refused):
        await alice.session.edit(seq, " ")
    await alice.session.delete(seq)
    await bob.until(lambda: bob.said() == [""])
    assert bob.find("").flags & DELETED


async def test_a_thread_grows_out_of_answers(two: tuple[Desk, Desk]) -> None:
    """It shows them alone; what is said in it answers what it grew out of; Esc leads back."""
    alice, bob = two
    root = await alice.say("who brings tea?")
    await alice.say("something else")
    await bob.until(lambda: "something else" in bob.said())
    answer = await bob.say("I do", reply=root)
    await alice.until(lambda: "I do" in alice.said())
    await alice.session.open_thread(answer)
    await alice.until(lambda: "who brings tea?" in alice.said())
    assert alice.said() == ["who brings tea?", "I do"]
    await alice.say("thanks")
    assert reply_of(alice.find("thanks")) == root
    await bob.until(lambda: (entry := bob.find("who brings tea?")).more and entry.more.replies == 2)
    alice.session.back()
    assert alice.said() == ["who brings tea?", "something else", "I do", "thanks"]
    with pytest.raises(ClientError):
        await alice.session.open_thread(10**9)
    assert alice.chat.current.thread is None


async def test_a_quote_of_what_is_not_held_is_fetched(server: Server, sit: Sit) -> None:
    """Once, and what is gone stays unknown."""
    seqs = await fill(server, 80)
    alice = await sit()
    assert alice.chat.current.timeline.message(seqs[0]) is None
    for seq in (seqs[0], seqs[1], 10**6):
        alice.chat.current.timeline.want(seq)
    await alice.until(lambda: not alice.chat.current.wanted())
    texts = [entry.text for seq in seqs[:2] if (entry := alice.chat.current.timeline.message(seq))]
    assert texts == ["0", "1"]
    gone = alice.chat.current.timeline.message(10**6)
    assert gone is not None
    assert gone.flags & DELETED


async def test_an_old_message_is_read_around_and_the_live_end_is_one_step_away(server: Server, sit: Sit) -> None:
    """By its seq or by a date, up and down from there, and back."""
    seqs = await fill(server, 200)
    alice = await sit()
    await alice.session.visit("general", seqs[60])
    assert alice.chat.current.shown is alice.chat.current.visit
    assert {"50", "60", "70"} <= set(alice.said())
    first, last = int(alice.said()[0]), int(alice.said()[-1])
    await alice.session.older()
    await alice.session.newer()
    assert (int(alice.said()[0]), int(alice.said()[-1])) == (max(0, first - 50), last + 50)
    while alice.chat.current.shown.more_after:
        await alice.session.newer()
    assert alice.said() == [str(number) for number in range(int(alice.said()[0]), 200)]
    await fill(server, 1)
    await alice.until(lambda: alice.said()[-1] == "0")
    alice.session.back()
    assert alice.chat.current.visit is None
    await alice.session.visit("general", seqs[190])
    assert alice.chat.current.visit is None  # it is held
    assert await alice.session.visit_date("general", "2020-01-01T00:00:00Z") == seqs[0]
    assert alice.said()[0] == "0"
    await alice.say("back here")
    assert alice.chat.current.visit is None
    with pytest.raises(Refused):
        await alice.session.visit("general", 10**9)
    with pytest.raises(Refused):
        await alice.session.visit("nowhere", 1)


async def test_reading_on_one_device_clears_the_other(two: tuple[Desk, Desk], sit: Sit) -> None:
    """Unread, mentions, and what one wants to be told of; a message between a few counts as naming each."""
    alice, bob = two
    bob.session.show("general")
    other = await sit("", await bob.session.device())
    assert other.chat.name == "bob"
    seq = await alice.say("one for @bob")
    await alice.say("two")
    for desk in (bob, other):
        await desk.until(lambda desk=desk: desk.chat.rooms["dev"].unread == 2)  # type: ignore[misc]
        assert (desk.chat.unread_total, desk.chat.mention_total) == (2, 1)
        assert desk.chat.next_unread() is desk.chat.rooms["dev"]
    bob.session.show("dev")
    bob.session.seen(bob.find("two").seq)
    assert bob.chat.unread_total == 0
    await other.until(lambda: not other.chat.unread_total)
    other.session.show("dev")
    other.session.unread_from(seq)
    other.session.seen(other.chat.current.last)  # it is still on the screen
    for desk in (bob, other):
        await desk.until(lambda desk=desk: desk.chat.rooms["dev"].unread == 2)  # type: ignore[misc]
    await bob.session.mark("dev", level="mentions", favourite=True, muted=True)
    await other.until(lambda: other.chat.rooms["dev"].muted)
    assert other.chat.ordered()[-1].handle == "dev"
    handle = await alice.session.direct(["bob"])
    assert alice.chat.rooms[handle].label("alice") == "bob"
    alice.session.show(handle)
    await alice.say("psst")
    await other.until(lambda: handle in other.chat.rooms and other.chat.rooms[handle].mentions == 1)
    other.session.read_all(handle)
    await bob.until(lambda: handle in bob.chat.rooms and bob.chat.rooms[handle].known)
    await bob.until(lambda: not bob.chat.rooms[handle].unread)


async def test_what_is_seen_before_the_server_says_how_far_it_is_read_counts_then(server: Server, sit: Sit) -> None:
    """And the line of what is new stands where it belongs all the same."""
    alice = await sit()
    alice.session.seen(await alice.say("read"))
    unread = await fill(server, 3)
    other = await sit("", await alice.session.device(), see_all=True)
    assert other.known_when_seen[0] is False
    await other.until(lambda: not other.chat.current.unread)
    assert other.chat.current.timeline.new_from == unread[0]
    await alice.until(lambda: not alice.chat.current.unread)


async def test_catching_up_shows_the_first_unread_messages_of_each_room(server: Server, two: tuple[Desk, Desk]) -> None:
    """Where one is named first; rooms without any are left out."""
    alice, bob = two
    bob.session.show("general")
    await alice.say("for @bob")
    numbers = await fill(server, 30)
    await bob.until(lambda: bob.chat.rooms["general"].unread == 30 and bob.chat.rooms["dev"].unread == 1)
    found = await bob.session.catch_up()
    assert [(room.handle, len(messages)) for room, messages in found] == [("dev", 1), ("general", 20)]
    assert [message.seq for message in found[1][1]] == numbers[:20]
    for room, _ in found:
        bob.session.read_all(room.handle)
    assert await bob.session.catch_up() == []


async def test_rooms_are_fetched_before_anybody_looks(server: Server, sit: Sit) -> None:
    """Switching shows what is held, at once."""
    for room in ("dev", "ops"):
        await fill(server, 60, room)
    alice = await sit()
    await alice.session.join("dev")
    await alice.session.join("ops")
    again = await sit("", await alice.session.device())
    await again.until(lambda: all(again.chat.rooms[room].loaded for room in ("dev", "ops")))
    again.session.show("dev")
    assert again.said() == [str(number) for number in range(10, 60)]
    assert again.chat.current.timeline.more


async def test_what_is_looked_at_is_fetched_anew_after_a_gap(two: tuple[Desk, Desk]) -> None:
    """Nobody has to leave the room for it."""
    alice, bob = two
    await alice.say("one")
    await bob.until(lambda: "one" in bob.said())
    bob.chat.apply(frames.Gap(room="dev", after=0, before=bob.chat.current.last + 1))
    assert bob.said() == []
    await alice.say("two")
    await bob.until(lambda: bob.said() == ["one", "two"])


async def test_a_room_that_is_refused_does_not_keep_others_from_being_fetched(
    server: Server, two: tuple[Desk, Desk]
) -> None:
    """We may not be in it any more."""
    _, bob = two
    await fill(server, 3)
    refused = bob.chat.room("nowhere")
    refused.last = 10**6
    bob.chat.rooms["general"].reset()
    bob.session.show("dev")
    await bob.until(lambda: bob.chat.rooms["general"].loaded)
    assert not refused.loaded


async def test_leaving_does_not_wait_for_a_server_that_does_not_answer(
    two: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is told with the next coming in, then."""
    alice, bob = two
    monkeypatch.setattr(reading, "LAST_WORDS", 0.01)
    bob.chat.current.marks.saw(await alice.say("one"))
    monkeypatch.setattr(bob.session.client, "_write", lambda _: None)
    async with asyncio.timeout(PATIENCE / 2):
        await bob.session.quit()


async def test_what_is_taken_back_returns_to_its_room(two: tuple[Desk, Desk]) -> None:
    """Whichever is shown by then."""
    alice, _ = two
    alice.chat.current.pend(7, "psst", 0)
    alice.session.show("general")
    alice.chat.apply(frames.Ok(id=7))
    assert [(room, message.raw) for room, message in alice.chat.returned] == [("dev", "psst")]


async def test_others_see_who_writes_and_who_is_away(two: tuple[Desk, Desk]) -> None:
    """Typing ends with the message."""
    alice, bob = two
    alice.session.typing()
    alice.session.typing()
    await bob.until(lambda: bob.chat.current.people.typing(bob.chat.clock()) == ["alice"])
    await alice.say("said")
    await bob.until(lambda: "said" in bob.said())
    assert bob.chat.current.people.typing(bob.chat.clock()) == []
    await alice.session.away(True, "tea")
    await bob.until(lambda: bob.chat.current.people.away == {"alice": "tea"})
    person = await bob.session.whois("alice")
    assert (person.away, person.text, "dev" in person.rooms) == (True, "tea", True)
    await alice.session.away(False)
    await bob.until(lambda: not bob.chat.current.people.away)


async def test_a_room_is_renamed_described_and_archived(two: tuple[Desk, Desk]) -> None:
    """Members are told in words; its handle stays."""
    alice, bob = two
    await alice.session.change("dev", title="Development", topic="nightly")
    await bob.until(lambda: bob.chat.current.topic == "nightly")
    assert bob.chat.current.label("bob") == "Development"
    await alice.session.change("dev", archived=True)
    await bob.until(lambda: bob.chat.current.archived)
    await bob.until(lambda: any(entry.text == "alice archived the room" for entry in bob.chat.current.timeline.entries))


async def test_what_happens_to_messages_while_one_is_away_is_right_afterwards(two: tuple[Desk, Desk]) -> None:
    """Counted once, however often the connection drops."""
    alice, bob = two
    seqs = [await alice.say(f"message {number}") for number in range(4)]
    await bob.until(lambda: len(bob.said()) == 4)
    for _ in range(2):
        await bob.session.client.close()
        await bob.until(lambda: bob.session.link.phase is Phase.WAITING)
        text = f"{alice.said()[0]}, changed"
        await alice.session.edit(seqs[0], text)
        await alice.until(lambda text=text: alice.said()[0] == text)  # type: ignore[misc]
        await alice.session.react(seqs[1], "tada")
        await alice.say(f"answer {len(alice.said())}", reply=seqs[2])
        bob.session.hurry()
        await bob.until(lambda: bob.said()[-1:] == alice.said()[-1:])
    await bob.session.client.close()
    await bob.until(lambda: bob.session.link.phase is Phase.WAITING)
    await alice.session.delete(seqs[3])
    bob.session.hurry()
    now = ["message 0, changed, changed", "message 1", "message 2", "", "answer 4", "answer 5"]
    for desk in two:
        await desk.until(lambda desk=desk: desk.said() == now)  # type: ignore[misc]
    reacted, root = (bob.chat.current.timeline.message(seq) for seq in seqs[1:3])
    assert reacted is not None
    assert root is not None
    assert reacted.more is not None
    assert root.more is not None
    assert (reacted.more.reactions, root.more.replies) == ({}, 2)


async def test_what_is_read_without_a_connection_is_told_with_the_next(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """It was read all the same."""
    server = start_server("--limits", "off", data=tmp_path / "d")
    bob = Desk(server.port, "bob", tmp_path)
    await bob.until(lambda: bob.chat.current.known and bob.chat.current.loaded)
    last = (await fill(server, 3))[-1]
    await bob.until(lambda: bob.chat.current.unread == 3)
    server.stop()
    await bob.until(lambda: bob.session.link.phase is Phase.WAITING)
    bob.session.seen(last)
    server = start_server("--limits", "off", data=tmp_path / "d", port=server.port)
    bob.session.hurry()
    await bob.until(lambda: bob.session.client.connected and not bob.chat.current.marks.untold)
    await bob.leave()
    async with Client("127.0.0.1", server.port, "bob") as again:
        assert again.user != bob.chat.user or (await again.ask_rooms(["general"])).rooms[0].read >= last


def test_links_to_messages_are_known_by_their_server(tmp_path: Path) -> None:
    """Another server's are none of ours; IPv6 has brackets, and the usual port may be left out."""

    def at(host: str, port: int) -> Session:
        return Session(Address(host, port), Chat("alice"), tmp_path, lambda _: None)

    session = at("chat.example", 7373)
    assert session.permalink(42) == "chat://chat.example:7373/general/42"
    assert session.parse_permalink(" chat://Chat.example:7373/dev/7 ") == ("dev", 7)
    assert session.parse_permalink("chat://chat.example/dev/7") == ("dev", 7)
    assert session.parse_permalink("chat://chat.example/caf%C3%A9/7") == ("café", 7)  # as a link in a text has it
    assert session.parse_permalink("chat://chat.example/%1b[2J/7") == ("␛[2J", 7)
    assert session.parse_permalink(f"chat://chat.example/dev/{2**53}") is None
    assert at("::1", 5).parse_permalink(at("::1", 5).permalink(3)) == ("general", 3)
    for other in ("chat://other:7373/dev/7", "chat://chat.example:1/dev/7", "chat://chat.example:7373/dev", "dev"):
        assert session.parse_permalink(other) is None
