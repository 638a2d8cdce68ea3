"""True histories, made up by dice: what an honest server and its clients might have lived through."""

import random
from collections import deque
from typing import Final

from faults.record import Client, History, spans_of

from server.record.events import FOREVER, GENERAL

ROOMS: Final = (GENERAL, "dev", "ops")
MOST_MISSED: Final = 6
"""More than these are told as a gap: few, so that gaps are frequent."""


class Truth:
    """An honest server in a few lines: what it took stands in its archive, and who is connected is shown it.

    Args:
        seed: decides everything.
        clients: how many there are.
    """

    def __init__(self, seed: int, clients: int = 4) -> None:
        self.dice = random.Random(seed)
        self.history = History()
        self.head = 0
        self.now = 0.0
        self._time = 0
        self._on_its_way: dict[Client, deque[tuple[int, int]]] = {}
        """What was sent and not taken: id and number of what was said."""
        self._to_ack: dict[Client, dict[int, int]] = {}
        self._cursor: dict[Client, int] = {}
        """All up to here was shown; negative while it is not connected."""
        for user in range(1, clients + 1):
            client = self.history.client(user)
            self._on_its_way[client], self._to_ack[client], self._cursor[client] = deque(), {}, 0
            client.connect(0)

    def live(self, steps: int) -> History:
        """Let this many things happen; in the end everyone comes back and is shown all."""
        clients = list(self.history.clients.values())
        what = [self._send, self._send, self._take, self._take, self._show, self._ok, self._come_and_go, self._move]
        for _ in range(steps):
            self.now += self.dice.random()
            self.dice.choice(what)(self.dice.choice(clients))
        for client in clients:
            if self._cursor[client] < 0:
                self._come_and_go(client)
            self._show(client, everything=True)
            client.until = self.head
        return self.history

    def _advance(self) -> int:
        self.head += self.dice.randint(1, 3)
        self._time += self.dice.randint(0, 5)
        return self.head

    def _rooms(self, client: Client) -> list[str]:
        spans = spans_of(self.history.archive, client.user)
        return [room for room in ROOMS if room in spans and spans[room][-1][1] == FOREVER]

    def _send(self, client: Client) -> None:
        room, id = self.dice.choice(self._rooms(client)), len(client.ids) + 1
        client.send(id, room, f"{client.user}.{id}", self.now)
        self._on_its_way[client].append((id, client.said[-1]))

    def _take(self, client: Client) -> None:
        if self._on_its_way[client]:
            id, said = self._on_its_way[client].popleft()
            if self.history.said[said].room not in self._rooms(client):
                client.fail(id)
                return
            self.history.archive.add(self._advance(), said, self._time)
            self._to_ack[client][id] = self.head

    def _ok(self, client: Client) -> None:
        if self._to_ack[client] and self._cursor[client] >= 0:
            id = self.dice.choice(list(self._to_ack[client]))
            client.ack(id, self._to_ack[client].pop(id), self.now)

    def _show(self, client: Client, everything: bool = False) -> None:
        if self._cursor[client] < 0:
            return
        due = self._due(client, self._cursor[client])
        for seq, said in due[: len(due) if everything else self.dice.randint(0, len(due))]:
            message = self.history.said[said]
            client.show(seq, *message)
            self._cursor[client] = seq
            if message.user == client.user:
                client.ack(message.id, seq, self.now)
                self._to_ack[client].pop(message.id, None)
        if not self._due(client, self._cursor[client]):
            client.reach(self.head)  # as a ping says it
            self._cursor[client] = self.head

    def _due(self, client: Client, after: int) -> list[tuple[int, int]]:
        spans, archive = spans_of(self.history.archive, client.user), self.history.archive
        gaps = client.connections[-1].gaps
        return [
            (seq, said)
            for seq, said in zip(archive.seqs, archive.said, strict=True)
            if seq > after
            for room in [self.history.said[said].room]
            if any(since < seq <= until for since, until in spans.get(room, []))
            and not any(gap.room == room and gap.after < seq < gap.before for gap in gaps)
        ]

    def _come_and_go(self, client: Client) -> None:
        if self._cursor[client] >= 0:
            self._cursor[client] = -1 - self._cursor[client]
            return
        self._cursor[client] = cursor = -1 - self._cursor[client]
        client.connect(cursor)
        missed = [self.history.said[said].room for _, said in self._due(client, cursor)]
        for room in ROOMS:
            if missed.count(room) > MOST_MISSED:
                client.gap(room, cursor, self.head + 1)

    def _move(self, client: Client) -> None:
        room = self.dice.choice(ROOMS[1:])
        if self._cursor[client] < 0:
            return
        spans = self.history.archive.members.setdefault(client.user, {}).setdefault(room, [])
        seq = self._advance()
        if spans and spans[-1][1] == FOREVER:
            spans[-1] = (spans[-1][0], seq)
            client.leave(room, seq)
        else:
            spans.append((seq, FOREVER))
            client.join(room, seq)
