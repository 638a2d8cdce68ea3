"""Whom people hide from themselves."""

from functools import partial

from server.chat.answers import Answers, refusal_of, refused
from server.chat.names import Names
from server.chat.ports import Archive, Log
from server.chat.world import NOTHING, Peer, Person
from server.protocol.codec import encode
from server.protocol.errors import Code
from server.protocol.frames import Block, Blocked
from server.protocol.text import check_name
from server.record.entries import Blocking as BlockingEntry
from server.record.events import SERVER


class Blocking:
    """Keeps whom each has hidden: state of theirs, told to all their devices and nobody else."""

    def __init__(
        self, journal: Log, archive: Archive, names: Names, people: dict[int, Person], answers: Answers
    ) -> None:
        self._log = journal
        self._archive = archive
        self._names = names
        self._people = people
        self._answers = answers

    async def block(self, peer: Peer, frame: Block) -> bytes:
        """Hide somebody from oneself, or show them again."""
        here = peer.here
        name = check_name(frame.name)
        hidden = next((user for user, known in here.blocked.items() if known == name), 0)
        found = self._names.find(name)
        who = (not frame.on and hidden) or (found.user if found is not None else 0)
        who = who or (await self._archive.users([name])).get(name, 0)
        if not who:
            raise refused(Code.NO_SUCH_PERSON)
        if SERVER in (here.user, who) or who == here.user:
            raise refused(Code.NOT_ALLOWED)
        here.rate.check()
        peer.open += 1
        shown = found.name if found is not None and found.user == who else name
        then = partial(self._blocked, peer, frame, shown)
        self._log.append(BlockingEntry(peer=peer, user=here.user, who=who, on=frame.on, then=then))
        return b""

    def _blocked(self, peer: Peer, frame: Block, name: str, entry: BlockingEntry) -> None:
        peer.open -= 1
        if entry.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(entry))
            return
        person = peer.here
        if entry.on:
            person.blocked = {**person.blocked, entry.who: name}
        else:
            show(person, entry.who)
        self._answers.ok(peer, frame.ref)
        line = encode(Blocked(people=list(person.blocked.items())))
        for other in person.peers:
            self._answers.line(other, line)


def show(person: Person, who: int) -> None:
    """Let someone be hidden from a person no more."""
    if who in person.blocked:
        person.blocked = {user: name for user, name in person.blocked.items() if user != who} or NOTHING
