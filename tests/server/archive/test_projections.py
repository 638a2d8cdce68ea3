"""What becomes of messages, against a model: any order of what people do to them, in the real log and archive.

The promises: a page is how things stood, whatever was asked; a page and the events after it make the page of now, each
change counted once; all tables are made from the log alone, also after texts were erased from it.
"""

import shutil
import tempfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from server.archive import standing
from server.archive.history import HistoryReader
from server.archive.projections import TABLES, load_directory, rebuild
from server.chat.ports import PageQuery, Reader, StandingQuery
from server.log.sqlite import SqliteLog
from server.protocol import frames
from server.protocol.errors import Code
from server.protocol.frames import Before
from server.record.directory import Directory
from server.record.entries import Draft, Erasing, Mark, Opening
from server.record.events import (
    FOREVER,
    ChangeBody,
    DeleteBody,
    EditBody,
    InviteBody,
    Kind,
    MessageBody,
    PinBody,
    ReactBody,
    RoomBody,
    RoomKind,
    Share,
    encode_body,
    time_text,
)

USERS = [1, 2, 3]
EMOJI = ["tada", "eyes"]
TEXTS = ["one", "two", "three @u1"]

Refusal = Code | None


@dataclass
class Place:
    """A room, as the model knows it."""

    handle: str
    kind: RoomKind = "public"
    before: Before = "all"
    owner: int = 0
    archived: bool = False
    members: dict[int, int] = field(default_factory=dict)
    """Each with the seq since which."""
    spans: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    invited: dict[int, int] = field(default_factory=dict)

    def has(self, user: int) -> bool:
        """Say whether someone is a member."""
        return self.handle == "general" or user in self.members

    def floor(self, user: int) -> int:
        """Return the seq up to which a member may read nothing."""
        return 0 if self.before == "all" else self.members[user]

    def share(self, user: int) -> list[tuple[int, int]]:
        """Return when someone was a member."""
        return [(0, FOREVER)] if self.handle == "general" else self.spans.get(user, [])


class Model:
    """Rooms and messages, in plain Python."""

    def __init__(self) -> None:
        self.rooms: dict[int, Place] = {}
        self.messages: dict[int, frames.Message] = {}
        self.room_of: dict[int, int] = {}
        self.edits: dict[int, list[str]] = {}
        """Per message all it said."""

    # What is refused: each returns why, or None.

    def stranger(self, room: Place, user: int) -> Refusal:
        """Say why someone can't act in a room that they are not in."""
        if room.has(user):
            return None
        return Code.NOT_A_MEMBER if room.kind == "public" or user in room.invited else Code.NO_SUCH_ROOM

    def target(self, number: int, user: int, seq: int) -> Refusal:
        """Say why a message can't be acted on: whether it is gone is not looked at."""
        room = self.rooms[number]
        refused = self.stranger(room, user)
        if refused is None and (self.room_of.get(seq) != number or seq <= room.floor(user)):
            refused = Code.NO_SUCH_MESSAGE
        return refused


def fold(held: dict[int, frames.Message], as_of: int, event: Any) -> None:
    """Let an event act on messages that are held, as a client does: the rule of the protocol."""
    if isinstance(event, frames.Message):
        if event.seq <= as_of:
            return
        held[event.seq] = event
        root = held.get(event.thread)
        if root is not None and event.seq > max(root.rev, as_of):
            root.replies += 1
            root.rev = event.seq
        return
    message = held.get(getattr(event, "target", 0))
    if message is None or event.seq <= max(message.rev, as_of):
        return
    message.rev = event.seq
    match event:
        case frames.Edited():
            message.text, message.mentions, message.here, message.edited = event.text, event.mentions, event.here, True
        case frames.Deleted():
            bury(message, event.author)
        case frames.Pinned():
            message.pinned = event.on
        case frames.Reacted():
            react(message, event.emoji, event.user, on=event.on)


def bury(message: frames.Message, author: str) -> None:
    """Leave of a message what a tombstone shows."""
    message.sender, message.deleted = author, True
    message.text, message.mentions, message.reactions = "", [], {}
    message.me = message.here = message.edited = message.pinned = False
    message.reply = 0


def react(message: frames.Message, emoji: str, user: int, *, on: bool) -> None:
    """Add or take away a reaction."""
    users = message.reactions.setdefault(emoji, [])
    if on:
        users.append(user)
    else:
        users.remove(user)
    if not users:
        del message.reactions[emoji]


def state(directory: Directory) -> dict[str, Any]:
    """Return all that a directory knows."""
    known = dict(vars(directory))
    known["_of_user"] = {user: sorted(rooms) for user, rooms in known["_of_user"].items() if rooms}
    del known["free"]  # what it has worked out already
    return known


def call(name: str, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Return calls of a method of `Conversation`."""
    return st.tuples(st.just(name), st.fixed_dictionaries(values))


ROOM = st.integers(0, 3)
USER = st.sampled_from(USERS)
AUTHOR = st.none() | USER
"""None for whoever said the message."""
SOME = st.integers(0, 30)
NAMED = st.lists(USER, max_size=2)
TEXT = st.sampled_from(TEXTS)
FLAG = st.booleans()

SENDING = call("send", number=ROOM, user=USER, text=TEXT, reply=st.none() | SOME, named=NAMED, here=FLAG, together=FLAG)
EDITING = call("edit", user=AUTHOR, some=SOME, text=TEXT, named=NAMED, together=FLAG)
REACTING = call("react", user=AUTHOR, some=SOME, emoji=st.sampled_from(EMOJI), on=FLAG, together=FLAG)
TALK = st.one_of(
    SENDING,
    SENDING,
    EDITING,
    EDITING,
    REACTING,
    REACTING,
    call("pin", user=AUTHOR, some=SOME, on=FLAG, together=FLAG),
    call("delete", user=AUTHOR, some=SOME, together=FLAG),
)
MOVES = st.one_of(
    call("join", number=ROOM, user=USER, together=FLAG),
    call("join", number=ROOM, user=USER, together=FLAG),
    call("leave", number=ROOM, user=USER),
    call("invite", number=ROOM, user=USER, who=USER, on=FLAG),
    call("archive", number=ROOM, on=FLAG),
    call("archive", number=ROOM, on=st.just(False)),
)
CHANGES_OF_THE_LOG = st.one_of(call("erase", some=SOME), call("restart"), call("rebuild"))
LOOKS = st.one_of(
    call("read", number=ROOM, user=USER, some=SOME, limit=st.integers(1, 8), behind=st.integers(0, 5)),
    call("hold", number=ROOM, user=USER, behind=st.integers(0, 5), limit=st.integers(1, 8)),
    call("catch_up", size=st.sampled_from([1, 300, 65536])),
    call("stand", number=ROOM, user=USER, read=SOME, unread=st.none() | SOME),
)


@dataclass
class Held:
    """A page that a client holds since a while."""

    room: int
    user: int
    as_of: int
    low: int
    """It holds all messages from this seq on."""
    messages: dict[int, frames.Message]


class Conversation(RuleBasedStateMachine):
    """What people do to messages."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "chat.db"
        self.model = Model()
        self.held: list[Held] = []
        self.deletes: list[int] = []
        self.waiting: list[tuple[Draft, Callable[[Draft], None], Refusal, bool]] = []
        self.log = SqliteLog(self.path)
        self.log.open()
        self.reader = HistoryReader(self.path)
        for user in USERS:
            self.log._writer.write([Opening(name=f"u{user}", secret=bytes([user]))])

    @initialize()
    def rooms(self) -> None:
        """One of each kind; everyone is in some."""
        self.model.rooms[1] = Place("general")
        kinds: list[tuple[str, RoomKind, Before]] = [
            ("open", "public", "all"),
            ("fresh", "public", "joined"),
            ("board", "private", "joined"),
        ]
        for handle, kind, before in kinds:
            draft = self.draft(Kind.ROOM, 0, 1, RoomBody(handle, handle, kind, before, "", [1]))
            self.log._writer.write([draft])
            place = Place(handle, kind, before, 1, members={1: draft.seq}, spans={1: [(draft.seq, FOREVER)]})
            self.model.rooms[draft.seq] = place
        self.invite(3, 1, 2, True)
        for number in range(4):
            for user in USERS:
                self.join(number, user, False)
            for user in USERS:
                self.send(number, user, "one", None if user == 1 else 0, [1], True, False)

    def run(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """Do these things, one after another."""
        for name, values in calls:
            getattr(self, name)(**values)

    @rule(calls=st.lists(TALK, min_size=1, max_size=12))
    def talk(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """They say things, and do things to what was said."""
        self.run(calls)

    @rule(calls=st.lists(MOVES, min_size=1, max_size=4))
    def move(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """They come and go."""
        self.run(calls)

    @rule(calls=st.lists(CHANGES_OF_THE_LOG, min_size=1, max_size=2))
    def happen(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """Something happens to the log."""
        self.run(calls)

    @rule(calls=st.lists(LOOKS, min_size=1, max_size=6))
    def look(self, calls: list[tuple[str, dict[str, Any]]]) -> None:
        """They read."""
        self.run(calls)

    def teardown(self) -> None:
        """Close all."""
        self.reader.close()
        self.log._writer.database.close()
        shutil.rmtree(self.folder)

    # Doing.

    def draft(self, kind: Kind, room: int, user: int, about: Any, names: tuple[str, ...] = ()) -> Draft:
        """Return an event that is to be."""
        body = encode_body(about) if about is not None else b"{}"
        return Draft(kind=kind, room=room, user=user, about=about, body=body, names=names)

    def do(self, draft: Draft, refused: Refusal, idle: bool, then: Callable[[Draft], None], together: bool) -> None:
        """Put an event into the transaction; unless more comes, commit it, and see that it is as the model says."""
        self.waiting.append((draft, then, refused, idle))
        if together and refused is None and not idle:
            # The model goes on by what it expects: a transaction's events build on each other.
            draft.seq = self.log._writer.written + sum(known is None and not same for _, _, known, same in self.waiting)
            then(draft)
            draft.seq = 0
            self.waiting[-1] = (draft, lambda _draft: None, refused, idle)
        if not together:
            self.commit()

    def commit(self) -> None:
        """Make a transaction of what waits."""
        waiting, self.waiting = self.waiting, []
        if waiting:
            self.log._writer.write([draft for draft, _, _, _ in waiting])
        for draft, then, refused, idle in waiting:
            assert (draft.code, draft.idle and draft.code is None) == (refused, idle and refused is None), draft
            assert bool(draft.seq) is (refused is None and not idle)
            if draft.seq:
                then(draft)
                message = self.model.messages.get(draft.seq)
                if message is not None:
                    message.time = time_text(draft.time).decode()

    def room(self, number: int) -> int:
        """Return one of the rooms."""
        return list(self.model.rooms)[number]

    def pick(self, some: int) -> int:
        """Return the seq of a message, one of the latest more often; now and then of something else."""
        known = sorted(self.model.messages)
        if not known or some == 30:
            return max(1, self.log._writer.written - 1)
        return known[-1 - some % len(known)]

    def author(self, seq: int) -> int:
        """Return who said something, or anyone where nothing was said."""
        return self.model.messages[seq].user if seq in self.model.messages else 1

    def join(self, number: int, user: int, together: bool) -> None:
        """Someone enters."""
        seq = self.room(number)
        place = self.model.rooms[seq]
        refused = Code.NO_SUCH_ROOM if place.kind == "private" and user not in place.invited else None
        inside = place.has(user)

        def entered(draft: Draft) -> None:
            place.members[user] = draft.seq
            place.spans.setdefault(user, []).append((draft.seq, FOREVER))
            place.invited.pop(user, None)

        self.do(self.draft(Kind.MEMBER, seq, user, None), None if inside else refused, inside, entered, together)

    def leave(self, number: int, user: int) -> None:
        """Someone leaves, or declines."""
        seq = self.room(number)
        place = self.model.rooms[seq]
        refused = Code.NOT_ALLOWED if place.handle == "general" else None
        if user not in place.invited:
            refused = refused or self.model.stranger(place, user)

        def left(draft: Draft) -> None:
            place.invited.pop(user, None)
            if place.members.pop(user, None) is not None:
                place.spans[user][-1] = (place.spans[user][-1][0], draft.seq)
            self.held = [held for held in self.held if (held.room, held.user) != (seq, user)]

        self.do(self.draft(Kind.UNMEMBER, seq, user, None), refused, False, left, False)

    def invite(self, number: int, user: int, who: int, on: bool) -> None:
        """Someone invites somebody, or takes that back."""
        seq = self.room(number)
        place = self.model.rooms[seq]
        refused = self.model.stranger(place, user)
        by = place.invited.get(who)
        if refused is None and (
            place.handle == "general" or (not on and by not in (None, user) and place.owner != user)
        ):
            refused = Code.NOT_ALLOWED
        if refused is None and on and place.archived:
            refused = Code.ARCHIVED
        idle = (by is not None or place.has(who)) if on else by is None

        def invited(_draft: Draft) -> None:
            if on:
                place.invited[who] = user
            else:
                place.invited.pop(who)

        body = InviteBody(f"u{user}", who, f"u{who}", place.handle, on)
        self.do(self.draft(Kind.INVITE, seq, user, body), refused, idle, invited, False)

    def archive(self, number: int, on: bool) -> None:
        """Its owner archives a room, or takes it up again."""
        seq = self.room(number)
        place = self.model.rooms[seq]
        refused = self.model.stranger(place, 1) or (Code.NOT_ALLOWED if place.owner != 1 else None)

        def archived(_draft: Draft) -> None:
            place.archived = on

        body = ChangeBody("u1", archived=on)
        self.do(self.draft(Kind.CHANGE, seq, 1, body), refused, place.archived is on, archived, False)

    def send(
        self, number: int, user: int, text: str, reply: int | None, named: list[int], here: bool, together: bool
    ) -> None:
        """Someone says something."""
        seq = self.room(number)
        place = self.model.rooms[seq]
        to = self.pick(reply) if reply is not None else 0
        refused = self.model.stranger(place, user) or (Code.ARCHIVED if place.archived else None)
        if refused is None and to:
            refused = self.model.target(seq, user, to)
            if refused is None and self.model.messages[to].deleted:
                refused = Code.NO_SUCH_MESSAGE
        body = MessageBody(f"u{user}", text, reply=to, here=here)
        draft = self.draft(Kind.MESSAGE, seq, user, body, tuple(f"U{who}" for who in named))
        if not (to or named or here):
            draft.about = None
        mentions, calls = self.named(place, user, named, here)

        def said(draft: Draft) -> None:
            thread = (self.model.messages[to].thread or to) if to else 0
            self.model.messages[draft.seq] = frames.Message(
                seq=draft.seq,
                room=place.handle,
                user=user,
                sender=f"u{user}",
                time=time_text(draft.time).decode(),
                text=text,
                reply=to,
                thread=thread,
                mentions=mentions,
                here=calls,
            )
            self.model.room_of[draft.seq] = seq
            self.model.edits[draft.seq] = [text]
            if thread:
                root = self.model.messages[thread]
                root.replies += 1
                root.rev = draft.seq

        self.do(draft, refused, False, said, together)

    def named(self, place: Place, user: int, named: list[int], here: bool) -> tuple[list[int], bool]:
        """Return whom a text names, of those it would, and whether everyone."""
        allowed = place.kind == "private" or (place.owner == user and user in place.members)
        return list(dict.fromkeys(who for who in named if place.has(who))), here and allowed

    def edit(self, user: int | None, some: int, text: str, named: list[int], together: bool) -> None:
        """Someone says a message otherwise."""
        seq = self.pick(some)
        user = user or self.author(seq)
        number = self.model.room_of.get(seq, 1)
        place, message = self.model.rooms[number], self.model.messages.get(seq)
        refused = self.model.target(number, user, seq)
        if refused is None and message is not None:
            refused = Code.NOT_ALLOWED if message.user != user else Code.ARCHIVED if place.archived else None
            refused = refused or (Code.NO_SUCH_MESSAGE if message.deleted else None)
        mentions, _ = self.named(place, user, named, False)

        def edited(draft: Draft) -> None:
            said = self.model.messages[seq]
            said.text, said.mentions, said.here, said.edited, said.rev = text, mentions, False, True, draft.seq
            self.model.edits[seq].append(text)

        body = EditBody(f"u{user}", seq, text)
        draft = self.draft(Kind.EDIT, number, user, body, tuple(f"u{who}" for who in named))
        self.do(draft, refused, message is not None and message.text == text, edited, together)

    def delete(self, user: int | None, some: int, together: bool) -> None:
        """Someone takes a message away."""
        seq = self.pick(some)
        user = user or self.author(seq)
        number = self.model.room_of.get(seq, 1)
        place, message = self.model.rooms[number], self.model.messages.get(seq)
        refused = self.model.target(number, user, seq)
        if refused is None and message is not None:
            refused = Code.NOT_ALLOWED if user not in (message.user, place.owner) else None  # archived or not

        def deleted(draft: Draft) -> None:
            said = self.model.messages[seq]
            bury(said, said.sender)
            said.rev = draft.seq
            self.deletes.append(draft.seq)

        body = DeleteBody(f"u{user}", seq)
        gone = message is not None and message.deleted
        self.do(self.draft(Kind.DELETE, number, user, body), refused, gone, deleted, together)

    def react(self, user: int | None, some: int, emoji: str, on: bool, together: bool) -> None:
        """Someone reacts, or takes it back."""
        seq = self.pick(some)
        user = user or self.author(seq)
        message = self.model.messages.get(seq)
        idle = message is not None and (user in message.reactions.get(emoji, ())) is on

        def reacted(draft: Draft) -> None:
            said = self.model.messages[seq]
            react(said, emoji, user, on=on)
            said.rev = draft.seq

        self.act(Kind.REACT, ReactBody(f"u{user}", seq, emoji, on), user, idle, reacted, together)

    def pin(self, user: int | None, some: int, on: bool, together: bool) -> None:
        """Someone pins a message, or takes it off."""
        seq = self.pick(some)
        user = user or self.author(seq)
        message = self.model.messages.get(seq)
        idle = message is not None and message.pinned is on

        def pinned(draft: Draft) -> None:
            said = self.model.messages[seq]
            said.pinned, said.rev = on, draft.seq

        self.act(Kind.PIN, PinBody(f"u{user}", seq, on), user, idle, pinned, together)

    def act(
        self,
        kind: Kind,
        body: ReactBody | PinBody,
        user: int,
        idle: bool,
        then: Callable[[Draft], None],
        together: bool,
    ) -> None:
        """Do what every member may do to a message."""
        number = self.model.room_of.get(body.target, 1)
        message = self.model.messages.get(body.target)
        refused = self.model.target(number, user, body.target)
        refused = refused or (Code.ARCHIVED if self.model.rooms[number].archived else None)
        if refused is None and message is not None and message.deleted:
            refused = Code.NO_SUCH_MESSAGE
        self.do(self.draft(kind, number, user, body), refused, idle, then, together)

    # What happens to the log.

    def erase(self, some: int) -> None:
        """Texts of deleted messages are erased; some of them were before."""
        self.commit()
        if self.deletes:
            self.log._writer.write([Erasing(seqs=self.deletes[-1 - some % len(self.deletes) :])])

    def restart(self) -> None:
        """The server ends and starts again."""
        self.commit()
        self.log._writer.database.close()
        self.log = SqliteLog(self.path)
        self.log.open()

    def rebuild(self) -> None:
        """All tables are made anew from the log: they are the same, and so is who may do what."""
        self.commit()
        before, directory = self.tables(), self.log._writer.directory
        made = rebuild(self.log._writer.database)
        assert self.tables() == before
        for known in (directory, load_directory(self.log._writer.database)):
            assert state(made) == state(known)

    def tables(self) -> dict[str, list[Any]]:
        """Return all rows of all projections."""
        return {
            table: sorted(self.log._writer.database.execute(f"SELECT * FROM {table}").fetchall(), key=repr)  # noqa: S608
            for table in TABLES
        }

    # What is read.

    def readable(self, number: int, user: int) -> list[frames.Message]:
        """Return the messages of a room that a member may read, as they stand now."""
        floor = self.model.rooms[number].floor(user)
        return [
            message for seq, message in self.model.messages.items() if seq > floor and self.model.room_of[seq] == number
        ]

    def page(self, number: int, user: int, **bounds: Any) -> frames.History:
        """Read a page."""
        place = self.model.rooms[number]
        values = {"limit": 5, "as_of": self.log._writer.written, **bounds}
        handle = encode_body(place.handle)
        query = PageQuery(room=number, name=place.handle, handle=handle, floor=place.floor(user), **values)
        return msgspec.json.decode(self.reader.page(query), type=frames.History)

    def read(self, number: int, user: int, some: int, limit: int, behind: int) -> None:
        """A page of any kind is what the model says; one of a while ago has nothing later."""
        self.commit()
        number = self.room(number)
        if not self.model.rooms[number].has(user):
            return
        as_of = max(0, self.log._writer.written - behind)
        known = [message for message in self.readable(number, user) if message.seq <= as_of]
        at = self.pick(some)

        def read(**bounds: Any) -> list[frames.Message]:
            return self.page(number, user, limit=limit, as_of=as_of, **bounds).messages

        assert read() == known[-limit:]
        assert read(before=at) == [message for message in known if message.seq < at][-limit:]
        assert read(after=at) == [message for message in known if message.seq > at][:limit]
        assert read(seqs=[at, at + 1]) == [message for message in known if message.seq in (at, at + 1)][-limit:]
        assert read(pinned=True) == [message for message in known if message.pinned][-limit:]
        thread = [message for message in known if at in (message.seq, message.thread)]
        assert read(thread=at) == thread[-limit:]
        query = PageQuery(
            room=number, name="", handle=b"", floor=self.model.rooms[number].floor(user), limit=1, as_of=as_of
        )
        query.around = at
        versions = msgspec.json.decode(self.reader.versions(query), type=frames.Versions)
        there = any(message.seq == at and not message.deleted for message in known)
        assert [version.text for version in versions.versions] == (self.model.edits[at] if there else [])

    def hold(self, number: int, user: int, behind: int, limit: int) -> None:
        """A client takes a page; it was asked for when the log had not come so far."""
        self.commit()
        number = self.room(number)
        place = self.model.rooms[number]
        if place.has(user):
            as_of = max(self.log._writer.written - behind, place.members.get(user, 0))
            page = self.page(number, user, as_of=as_of, limit=limit)
            low = page.messages[0].seq if page.messages and page.more else place.floor(user)
            self.held.append(Held(number, user, as_of, low, {message.seq: message for message in page.messages}))

    def catch_up(self, size: int) -> None:
        """What a client held, and all events after it, are what there is now: each change counted once."""
        self.commit()
        for held in self.held:
            place = self.model.rooms[held.room]
            share = Share({held.room: tuple(place.share(held.user))})
            handles = {held.room: encode_body(place.handle)}
            position, now = held.as_of, deepcopy(held.messages)
            while position < self.log._writer.written:
                lines, position = self.reader.events(share, handles, position, self.log._writer.written, size)
                for line in lines.splitlines():
                    event = msgspec.json.decode(line, type=frames.ServerFrame)
                    self.see_that_it_may_be_read(held, event)
                    fold(now, held.as_of, event)
            wanted = {
                message.seq: message for message in self.readable(held.room, held.user) if message.seq >= held.low
            }
            assert now == wanted

    def see_that_it_may_be_read(self, held: Held, event: Any) -> None:
        """Nothing that is gone is sent as it was, nor what a message says now to whom it had not been said."""
        if isinstance(event, frames.Message) and self.model.messages[event.seq].deleted:
            assert event.deleted
            assert not event.text
        if isinstance(event, frames.Edited):
            assert not self.model.messages[event.target].deleted
            place = self.model.rooms[held.room]
            members = any(since < event.target <= until for since, until in place.share(held.user))
            assert place.before == "all" or members

    def stand(self, number: int, user: int, read: int, unread: int | None) -> None:
        """How one stands in a room: what others said after what was read, and what of it names one."""
        self.commit()
        number = self.room(number)
        place = self.model.rooms[number]
        if not place.has(user):
            return
        mark = Mark(read=self.pick(read), unread=self.pick(unread) if unread is not None else 0)
        reader = Reader(user=user, rooms={number: place.floor(user)}, marks={number: mark})
        query = StandingQuery(reader=reader, rooms=[number], as_of=self.log._writer.written)
        (info,) = standing.standing(self.reader.database, query, [number])
        after = min(mark.read, mark.unread - 1) if mark.unread else mark.read
        known = self.readable(number, user)
        unread_ones = [message for message in known if message.seq > after and message.user != user]
        naming = [message for message in unread_ones if user in message.mentions or message.here]
        assert (info.count, info.mentions) == (len(unread_ones), len(naming))
        assert info.last == (known[-1].seq if known else 0)

    @invariant()
    def the_log_and_the_model_agree(self) -> None:
        """Who may do what is the same for both."""
        if self.waiting:
            return
        for number, place in self.model.rooms.items():
            directory = self.log._writer.directory
            assert (directory._members[number], directory._invited[number]) == (place.members, place.invited)


def test_what_becomes_of_messages() -> None:
    """Any order of it, in any transactions."""
    run_state_machine_as_test(
        Conversation,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
