"""What must hold of every history, whatever was cut, killed or stalled meanwhile.

The archive is what is true in the end. It must agree with what was sent, with what senders were told, with the order in
which things happened, and with what every member was shown.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from faults.record import NEVER, Client, Connection, Gap, History, Spans, spans_of

MOST_MISSED: Final = 10_000
"""Messages of a room that are delivered to who missed them; beyond, a gap is told."""

MOST_TOLD: Final = 50
"""Findings of one kind that are told."""


class Fault(StrEnum):
    """The ways in which a promise can be broken."""

    LOST = "lost"
    """Someone was shown it, but it is not in the archive; or it is, but a member was never shown it."""
    EARLY_ACK = "early ack"
    """Its sender was told that it is durable, but it is not in the archive."""
    DOUBLED = "doubled"
    """It is twice in the archive, or was shown twice to one who already had it."""
    PHANTOM = "phantom"
    """Nobody sent it."""
    ALTERED = "altered"
    """It was sent to another room, or with another text."""
    DISORDER = "disorder"
    """Shown after something later."""
    DISAGREEMENT = "disagreement"
    """Shown at another seq than where it stands."""
    SESSION_ORDER = "order within a session"
    """It stands before one that its sender had numbered lower."""
    REAL_TIME = "real-time order"
    """It was acked before the other was sent, but stands behind it."""
    WRONG_ACK = "wrong ack"
    """The ack names another seq, or what was never sent."""
    REFUSED_BUT_TAKEN = "refused but taken"
    """Its sender was told that it is not taken."""
    MISSING_GAP = "missing gap"
    """So much was not shown that a gap was to be told."""
    NEEDLESS_GAP = "needless gap"
    """So little was missed that it was to be shown, or it was shown all the same."""
    NEEDLESS_RESET = "needless reset"
    """A client was told that the history is another one, which it is not."""
    INTRUSION = "intrusion"
    """Shown to one who was no member then."""
    MEMBERSHIP = "membership"
    """The answer to a join or leave names a seq where nothing of that kind stands."""
    TIME = "time"
    """Its time is before that of the message before it."""


class Finding(NamedTuple):
    """A broken promise."""

    fault: Fault
    words: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.words}"


def check(history: History, *, most_missed: int = MOST_MISSED) -> list[Finding]:
    """Return all that is wrong with a history, `MOST_TOLD` findings of a kind at most.

    Args:
        history: the record of a run, with the archive as it stands in the end.
        most_missed: messages of one room that are shown to who comes back, however late.
    """
    return _Check(history, most_missed).run()


class _Check:
    """One pass over a history. What is said is known by its number; `place` is its seq in the archive, 0 for none."""

    def __init__(self, history: History, most_missed: int) -> None:
        self._history = history
        self._archive = history.archive
        self._most_missed = most_missed
        count = len(history.said)
        self._place = array("q", bytes(8 * count))
        self._start = array("d", [NEVER]) * count
        self._end = array("d", [NEVER]) * count
        self._sent = bytearray(count)
        self._findings: list[Finding] = []
        self._told: Counter[Fault] = Counter()
        self._shown: set[int] | None = None
        self._names: dict[tuple[int, int], int] | None = None

    def run(self) -> list[Finding]:
        """Check all."""
        clients = self._history.clients.values()
        for client in clients:
            for number, start in zip(client.said, client.starts, strict=True):
                self._sent[number] = 1
                self._start[number] = start
        self._check_archive()
        for client in clients:
            self._check_answers(client)
            self._check_memberships(client)
        self._check_real_time()
        for client in clients:
            self._check_shown(client)
        return self._findings

    # The archive against what was sent and answered.

    def _check_archive(self) -> None:
        """Each message was sent as it stands, once, and time never goes back."""
        before = 0
        for seq, number, time in zip(self._archive.seqs, self._archive.said, self._archive.times, strict=True):
            if time < before:
                self._find(
                    Fault.TIME, f"{self._said(number)}, seq {seq}, is {before - time} ms before the one before it"
                )
            before = time
            if not self._sent[number]:
                self._find(self._forged(number), f"{self._said(number)} stands in the archive at seq {seq}")
            if self._place[number]:
                self._find(Fault.DOUBLED, f"{self._said(number)} stands at seq {self._place[number]} and {seq}")
            else:
                self._place[number] = seq

    def _check_answers(self, client: Client) -> None:
        """What a sender was told is so, and its messages stand in the order in which it numbered them."""
        numbers = dict(zip(client.ids, client.said, strict=True))
        for id, seq, at in zip(client.acked_ids, client.acked_seqs, client.acked_at, strict=True):
            number = numbers.get(id)
            if number is None:
                self._find(
                    Fault.WRONG_ACK, f"user {client.user} was told that its {id} is seq {seq}, but never sent it"
                )
                continue
            self._end[number] = min(self._end[number], at)
            place = self._place[number]
            if place == seq:
                continue
            if place:
                self._find(Fault.WRONG_ACK, f"{self._said(number)} was acked as seq {seq}, but is seq {place}")
            else:
                fault = Fault.LOST if self._was_shown(number) else Fault.EARLY_ACK
                self._find(fault, f"{self._said(number)} was acked as seq {seq}, but is not in the archive")
        for id in client.failed:
            if id in numbers and self._place[numbers[id]]:
                self._find(Fault.REFUSED_BUT_TAKEN, self._said(numbers[id]))
        last = 0
        for number in client.said:
            place = self._place[number]
            if place and place < last:
                self._find(Fault.SESSION_ORDER, f"{self._said(number)} is seq {place}, one before it is seq {last}")
            last = max(last, place)

    def _check_real_time(self) -> None:
        """What was sent after another was acked stands behind it."""
        first, later = NEVER, 0
        for seq, number in zip(reversed(self._archive.seqs), reversed(self._archive.said), strict=True):
            if first < self._start[number] < NEVER:
                words = f"{self._said(number)}, seq {seq}, was sent {self._start[number] - first:.6f} s after"
                self._find(Fault.REAL_TIME, f"{words} {self._said(later)}, which stands behind it, was acked")
            if self._end[number] < first:
                first, later = self._end[number], number

    def _check_memberships(self, client: Client) -> None:
        """Rooms were entered and left where the answers said."""
        spans = spans_of(self._archive, client.user)
        for room, seq in client.joins:
            if all(since != seq for since, _ in spans.get(room, [])):
                self._find(Fault.MEMBERSHIP, f"user {client.user} was told it is in {room} from seq {seq} on")
        for room, seq in client.leaves:
            if all(until != seq for _, until in spans.get(room, [])):
                self._find(Fault.MEMBERSHIP, f"user {client.user} was told it is not in {room} from seq {seq} on")

    # What a client was shown against the archive.

    def _check_shown(self, client: Client) -> None:
        """Each connection was shown what stands between its cursor and its end: all of it, once, in order."""
        for why in client.resets:
            self._find(Fault.NEEDLESS_RESET, f"user {client.user}: {why}")
        if not client.connections:
            return
        seqs, said = self._due(spans_of(self._archive, client.user))
        covered = client.connections[0].cursor
        for number, connection in enumerate(client.connections, 1):
            upto = connection.position
            if client.until is not None and number == len(client.connections):
                upto = max(upto, client.until)
            # A cursor beyond what was shown is no excuse: what lies between was never shown.
            due = slice(bisect_right(seqs, min(connection.cursor, covered)), bisect_right(seqs, upto))
            if connection.gaps or seqs[due] != connection.seqs or said[due] != connection.said:
                self._compare(client.user, number, connection, seqs[due], said[due])
            for gap in connection.gaps:
                self._check_gap(client.user, number, connection, gap, seqs, said)
            covered = max(covered, connection.position)

    def _due(self, rooms: dict[str, Spans]) -> tuple["array[int]", "array[int]"]:
        """Return the messages that are for one who is in these rooms: their seqs and numbers."""
        seqs, said = array("q"), array("q")
        known = self._history.said
        for seq, number in zip(self._archive.seqs, self._archive.said, strict=True):
            spans = rooms.get(known[number].room)
            if spans is not None and _covers(spans, seq):
                seqs.append(seq)
                said.append(number)
        return seqs, said

    def _compare(self, user: int, nth: int, connection: Connection, seqs: "array[int]", said: "array[int]") -> None:
        """Find what differs between what a client's nth connection was shown and what was due."""
        name = f"user {user} on its connection {nth}"
        due = dict(zip(seqs, said, strict=True))
        shown: set[int] = set()
        last = connection.cursor
        for seq, number in zip(connection.seqs, connection.said, strict=True):
            if seq in shown or seq <= connection.cursor:
                self._find(Fault.DOUBLED, f"{name} was shown seq {seq} again: {self._said(number)}")
            elif seq <= last:
                self._find(Fault.DISORDER, f"{name} was shown seq {seq} after {last}: {self._said(number)}")
            shown.add(seq)
            last = max(last, seq)
            if due.get(seq) != number:
                self._misplaced(user, f"{name} was shown {self._said(number)} at seq {seq}", seq, number)
        holes = list(
            _holes(((seq, self._history.said[said].room) for seq, said in due.items()), shown, connection.gaps)
        )
        for room, first, end, count in holes:
            fault = Fault.MISSING_GAP if count > self._most_missed else Fault.LOST
            self._find(fault, f"{name} was not shown {count} messages of {room}, seq {first} to {end}")

    def _check_gap(
        self, user: int, nth: int, connection: Connection, gap: Gap, seqs: "array[int]", said: "array[int]"
    ) -> None:
        """A gap stands for more than is shown to who comes back, and for nothing that was shown all the same.

        It may be told, and the connection be cut before anything behind it was shown: `seqs` is all that is due ever.
        """
        between = range(bisect_right(seqs, gap.after), bisect_left(seqs, gap.before))
        inside = {seqs[at] for at in between if self._history.said[said[at]].room == gap.room}
        if len(inside) <= self._most_missed:
            self._find(
                Fault.NEEDLESS_GAP, f"user {user} on its connection {nth} was told {gap}, with {len(inside)} in it"
            )
        elif not inside.isdisjoint(connection.seqs):
            self._find(Fault.NEEDLESS_GAP, f"user {user} on its connection {nth} was told {gap}, but shown some of it")

    def _misplaced(self, user: int, words: str, seq: int, number: int) -> None:
        """Find out what is wrong with a message that was not due to a user at this seq."""
        place = self._place[number]
        if not self._sent[number]:
            self._find(self._forged(number), words)
        elif not place:
            self._find(Fault.LOST, f"{words}, but it is not in the archive")
        elif place != seq:
            self._find(Fault.DISAGREEMENT, f"{words}, but it is seq {place}")
        elif not _covers(spans_of(self._archive, user).get(self._history.said[number].room, []), seq):
            self._find(Fault.INTRUSION, words)

    # Helpers.

    def _forged(self, number: int) -> Fault:
        """Return what a message is that nobody sent as it stands."""
        if self._names is None:
            self._names = {}
            for client in self._history.clients.values():
                self._names.update(((client.user, id), said) for id, said in zip(client.ids, client.said, strict=True))
        said = self._history.said[number]
        return Fault.ALTERED if (said.user, said.id) in self._names else Fault.PHANTOM

    def _was_shown(self, number: int) -> bool:
        """Say whether anyone was shown this."""
        if self._shown is None:
            self._shown = set()
            for client in self._history.clients.values():
                for connection in client.connections:
                    self._shown.update(connection.said)
        return number in self._shown

    def _said(self, number: int) -> str:
        room, user, id, text = self._history.said[number]
        return f"user {user}'s {id} in {room} ({text[:40]!r})"

    def _find(self, fault: Fault, words: str) -> None:
        self._told[fault] += 1
        if self._told[fault] <= MOST_TOLD:
            self._findings.append(Finding(fault, words))


def _covers(spans: Spans, seq: int) -> bool:
    return any(since < seq <= until for since, until in spans)


def _lies_in(gap: Gap, seq: int, room: str) -> bool:
    return gap.room == room and gap.after < seq < gap.before


def _holes(due: Iterator[tuple[int, str]], shown: set[int], gaps: list[Gap]) -> Iterator[tuple[str, int, int, int]]:
    """Yield what of each room was neither shown nor told as a gap, in runs: room, first and last seq, how many."""
    runs: dict[str, tuple[int, int, int]] = {}
    for seq, room in due:
        if seq in shown or any(_lies_in(gap, seq, room) for gap in gaps):
            if room in runs:
                yield room, *runs.pop(room)
        else:
            first, _, count = runs.get(room, (seq, seq, 0))
            runs[room] = (first, seq, count + 1)
    for room, run in runs.items():
        yield room, *run
