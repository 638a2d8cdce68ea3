"""The checker finds every fault that is planted into a true history, and nothing in a true one."""

import itertools
import random
from collections.abc import Callable

import pytest
from faults.checker import Fault, check
from faults.record import Client, Connection, Gap, History, Said, spans_of
from faults.truth import MOST_MISSED, ROOMS, Truth
from hypothesis import assume, given, settings
from hypothesis import strategies as st

seeds = st.integers(0, 1 << 32)


def found(history: History) -> set[Fault]:
    """Return the kinds of all faults that the checker finds."""
    return {finding.fault for finding in check(history, most_missed=MOST_MISSED)}


@settings(max_examples=150, deadline=None)
@given(seeds, st.integers(0, 400))
def test_a_true_history_passes(seed: int, steps: int) -> None:
    """Cuts, gaps, joins, leaves, lost acks and refusals: an honest server is never accused."""
    assert check(Truth(seed).live(steps), most_missed=MOST_MISSED) == []


Plant = Callable[[History, random.Random], None]

PLANTED: list[tuple[Plant, Fault]] = []
"""What plants one fault into a history, and what must be found then."""


def plants(fault: Fault) -> Callable[[Plant], Plant]:
    """Add a function to `PLANTED`."""

    def add(plant: Plant) -> Plant:
        PLANTED.append((plant, fault))
        return plant

    return add


def pick_connection(history: History, dice: random.Random, shown: int = 1) -> Connection:
    """Return a connection that was shown at least so many messages."""
    fit = [c for client in history.clients.values() for c in client.connections if len(c.seqs) >= shown]
    assume(fit)
    return dice.choice(fit)


def pick_sender(history: History, dice: random.Random) -> Client:
    """Return a client that was told of something durable."""
    fit = [client for client in history.clients.values() if client.acked_ids]
    assume(fit)
    return dice.choice(fit)


@plants(Fault.LOST)
def drop_from_a_log(history: History, dice: random.Random) -> None:
    """A member is never shown one message."""
    connection = pick_connection(history, dice)
    at = dice.randrange(len(connection.seqs))
    del connection.seqs[at], connection.said[at]


@plants(Fault.LOST)
def drop_from_the_archive(history: History, dice: random.Random) -> None:
    """A message that was shown is gone from the archive."""
    connection, archive = pick_connection(history, dice), history.archive
    at = archive.seqs.index(dice.choice(connection.seqs))
    del archive.seqs[at], archive.said[at], archive.times[at]


@plants(Fault.LOST)
def drop_by_the_cursor(history: History, dice: random.Random) -> None:
    """A client comes back with a cursor beyond what it was shown."""
    fit = [
        (before, connection)
        for client in history.clients.values()
        for before, connection in itertools.pairwise(client.connections)
        if connection.seqs and not connection.gaps
    ]
    assume(fit)
    _, connection = dice.choice(fit)
    connection.cursor = connection.seqs.pop(0)
    connection.said.pop(0)


@plants(Fault.EARLY_ACK)
def early_ack(history: History, dice: random.Random) -> None:
    """A message is acked that never reaches the archive."""
    client = dice.choice(list(history.clients.values()))
    client.send(1000, ROOMS[0], "too early", 1e9)
    client.ack(1000, history.archive.seqs[-1] + 1 if history.archive.seqs else 1, 1e9 + 1)


@plants(Fault.DOUBLED)
def double_in_a_log(history: History, dice: random.Random) -> None:
    """A member is shown a message twice, at once or later."""
    connection = pick_connection(history, dice)
    at = dice.randrange(len(connection.seqs))
    to = dice.randint(at + 1, len(connection.seqs))
    connection.seqs.insert(to, connection.seqs[at])
    connection.said.insert(to, connection.said[at])


@plants(Fault.DOUBLED)
def double_in_the_archive(history: History, dice: random.Random) -> None:
    """A message that was sent again is taken again."""
    archive = history.archive
    assume(archive.seqs)
    archive.add(archive.seqs[-1] + 9, dice.choice(archive.said), archive.times[-1])


@plants(Fault.DOUBLED)
def shown_again_after_coming_back(history: History, dice: random.Random) -> None:
    """A connection begins with what its client had seen before."""
    fit = [
        (before, connection)
        for client in history.clients.values()
        for before, connection in itertools.pairwise(client.connections)
        if before.seqs
    ]
    assume(fit)
    before, connection = dice.choice(fit)
    connection.seqs.insert(0, before.seqs[-1])
    connection.said.insert(0, before.said[-1])


@plants(Fault.DISORDER)
def swap_in_a_log(history: History, dice: random.Random) -> None:
    """Two messages come in the other order."""
    connection = pick_connection(history, dice, 2)
    at = dice.randrange(len(connection.seqs) - 1)
    for row in (connection.seqs, connection.said):
        row[at], row[at + 1] = row[at + 1], row[at]


@plants(Fault.DISAGREEMENT)
def swap_places(history: History, dice: random.Random) -> None:
    """One client is shown two messages each at the other's seq."""
    connection = pick_connection(history, dice, 2)
    at = dice.randrange(len(connection.seqs) - 1)
    said = connection.said
    said[at], said[at + 1] = said[at + 1], said[at]


@plants(Fault.PHANTOM)
def phantom_in_a_log(history: History, dice: random.Random) -> None:
    """A member is shown what nobody sent."""
    connection = pick_connection(history, dice)
    connection.seqs.append(connection.seqs[-1] + 1)
    connection.said.append(history.number(Said(ROOMS[0], 99, 1, "boo")))


@plants(Fault.PHANTOM)
def phantom_in_the_archive(history: History, dice: random.Random) -> None:
    """What nobody sent stands in the archive, and everyone is shown it."""
    archive, said = history.archive, history.number(Said(ROOMS[0], dice.choice([1, 99]), 5000, "boo"))
    archive.add(10**6, said, 10**6)
    for client in history.clients.values():
        client.show(10**6, *history.said[said])


@plants(Fault.ALTERED)
def altered_in_a_log(history: History, dice: random.Random) -> None:
    """A member is shown another text."""
    connection = pick_connection(history, dice)
    at = dice.randrange(len(connection.seqs))
    said = history.said[connection.said[at]]
    connection.said[at] = history.number(said._replace(text=said.text + "!"))


@plants(Fault.ALTERED)
def altered_everywhere(history: History, dice: random.Random) -> None:
    """A message stands in another room than it was sent to."""
    assume(history.archive.seqs)
    at = dice.randrange(len(history.archive.seqs))
    said = history.said[history.archive.said[at]]
    history.archive.said[at] = history.number(said._replace(room="elsewhere"))


@plants(Fault.NEEDLESS_GAP)
def needless_gap(history: History, dice: random.Random) -> None:
    """A gap is told where few were missed, and these are not shown."""
    connection = pick_connection(history, dice)
    at = dice.randrange(len(connection.seqs))
    room, seq = history.said[connection.said[at]].room, connection.seqs[at]
    del connection.seqs[at], connection.said[at]
    connection.gaps.append(Gap(room, seq - 1, seq + 1))


@plants(Fault.MISSING_GAP)
def missing_gap(history: History, dice: random.Random) -> None:
    """Much is not shown, and nobody says so."""
    fit = [
        connection
        for client in history.clients.values()
        for connection in client.connections
        if any(gap.before <= connection.position for gap in connection.gaps)
    ]
    assume(fit)
    dice.choice(fit).gaps.clear()


@plants(Fault.WRONG_ACK)
def wrong_ack(history: History, dice: random.Random) -> None:
    """An ack names another seq."""
    client = pick_sender(history, dice)
    client.acked_seqs[dice.randrange(len(client.acked_seqs))] += dice.choice([-1, 1])


@plants(Fault.WRONG_ACK)
def ack_of_nothing(history: History, dice: random.Random) -> None:
    """An id is acked that was never sent."""
    pick_sender(history, dice).ack(4711, 1, 1.0)


def exchange(history: History, one: int, other: int) -> None:
    """Let two messages stand at each other's place, for everyone and from the start."""
    places = dict(zip(history.archive.said, history.archive.seqs, strict=True))
    to = {one: other, other: one}
    rows = [history.archive.said]
    for client in history.clients.values():
        rows += [connection.said for connection in client.connections]
        numbers = dict(zip(client.ids, client.said, strict=True))
        for at, id in enumerate(client.acked_ids):
            if numbers[id] in to:
                client.acked_seqs[at] = places[to[numbers[id]]]
    for row in rows:
        for at, number in enumerate(row):
            row[at] = to.get(number, number)


@plants(Fault.REAL_TIME)
def real_time_inversion(history: History, dice: random.Random) -> None:
    """Of two users' messages, one acked before the other was sent, the later one stands first: everyone agrees."""
    acked = [
        (at, said)
        for client in history.clients.values()
        for numbers in [dict(zip(client.ids, client.said, strict=True))]
        for said, at in zip((numbers[id] for id in client.acked_ids), client.acked_at, strict=True)
    ]
    sent = [
        (at, said)
        for client in history.clients.values()
        for said, at in zip(client.said, client.starts, strict=True)
        if said in history.archive.said
    ]
    room = {said: history.said[said].room for _, said in acked + sent}
    pairs = [(a, b) for end, a in acked for start, b in sent if end < start and room[a] == room[b]]
    pairs = [(a, b) for a, b in pairs if history.said[a].user != history.said[b].user]
    assume(pairs)
    exchange(history, *dice.choice(pairs))


@plants(Fault.SESSION_ORDER)
def reorder_within_a_session(history: History, dice: random.Random) -> None:
    """Two messages of one session stand in the other order, for everyone."""
    pairs = [
        (one, other)
        for client in history.clients.values()
        for taken in [[said for said in client.said if said in history.archive.said]]
        for one, other in itertools.pairwise(taken)
        if history.said[one].room == history.said[other].room
    ]
    assume(pairs)
    exchange(history, *dice.choice(pairs))


@plants(Fault.REFUSED_BUT_TAKEN)
def refused_but_taken(history: History, dice: random.Random) -> None:
    """A message is refused for good, and stands there all the same."""
    client = pick_sender(history, dice)
    client.fail(dice.choice(client.acked_ids))


@plants(Fault.TIME)
def time_goes_back(history: History, dice: random.Random) -> None:
    """A message is older than the one before it."""
    times = history.archive.times
    assume(len(times) > 1 and times[-1])
    at = dice.randrange(1, len(times))
    assume(times[at - 1])
    times[at] = times[at - 1] - 1


@plants(Fault.NEEDLESS_RESET)
def needless_reset(history: History, dice: random.Random) -> None:
    """A client is told to begin anew, for nothing."""
    dice.choice(list(history.clients.values())).reset("diverged")


@plants(Fault.INTRUSION)
def intrusion(history: History, dice: random.Random) -> None:
    """Someone is shown what was said where they were no member."""
    fit = []
    for client in history.clients.values():
        spans = spans_of(history.archive, client.user)
        for seq, number in zip(history.archive.seqs, history.archive.said, strict=True):
            if all(not since < seq <= until for since, until in spans.get(history.said[number].room, [])):
                fit.append((client, seq, number))
    assume(fit)
    client, seq, number = dice.choice(fit)
    for connection in client.connections:
        if connection.cursor < seq <= connection.position:
            at = sum(shown < seq for shown in connection.seqs)
            connection.seqs.insert(at, seq)
            connection.said.insert(at, number)
            return
    assume(False)


@plants(Fault.MEMBERSHIP)
def wrong_membership(history: History, dice: random.Random) -> None:
    """A client is told that it entered a room, which the archive does not know."""
    dice.choice(list(history.clients.values())).join("dev", 10**6)


@pytest.mark.parametrize(("plant", "fault"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_a_planted_fault_is_found(plant: Plant, fault: Fault, seed: int) -> None:
    """One fault in an otherwise true history is found, and called by its name."""
    history = Truth(seed).live(150)
    plant(history, random.Random(seed))
    assert fault in found(history)


def test_every_kind_of_fault_is_planted() -> None:
    """No check of the checker is without a test that makes it speak."""
    assert {fault for _, fault in PLANTED} == set(Fault)
