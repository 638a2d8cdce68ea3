"""The load: a thousand clients in one process and one thread, which read much at once and look at little of it.

    python -m benchmarks.load '{"port": 7373, "pid": 4711, "clients": 1000, "rooms": 1, "senders": 100}'

Prints one JSON object. Each client checks sums over all message lines it gets. Members of a room must end with the same
sum; what one of them got is kept and checked line by line.
"""

import json
import selectors
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from zlib import crc32

from benchmarks.figures import cpu_seconds, quantile
from server.protocol import codec, frames

CHUNK = 1 << 18
"""Bytes read at once, at most."""
REMEMBERED = 256
"""Reads of others that a read is compared with, at most."""
PATIENCE = 60.0
"""Seconds after which a phase that does not come to its end is given up."""
TEXT = 64
"""Characters of a message's text."""
GENERAL = "general"
"""The room that everyone is in."""
_MESSAGE = b'{"type":"message"'
_SPACED = b'{"type": "message"'
"""As the standard library's json writes it."""

clock = time.perf_counter


@dataclass(frozen=True)
class Load:
    """What to do."""

    port: int
    pid: int
    """The server's process."""
    clients: int = 1000
    rooms: int = 1
    senders: int = 100
    """How many of the clients send; each sends its next message when it has got its last one back."""
    together: bool = False
    """The next message is sent when all members have got the last one."""
    seconds: float = 5.0
    """Length of what is measured; 0: coming in is all."""
    warm: float = 1.0
    """Seconds before that."""


@dataclass
class Result:
    """What came of it. Times are milliseconds."""

    deliveries_per_second: float = 0.0
    deliveries_per_cpu_second: float | None = None
    """Per second of the server's processor time; None where the system does not tell it."""
    load_cpu: float = 0.0
    """Share of a core that this process used: near 1 it was the limit, and only figures per CPU second count."""
    p50: float = 0.0
    p99: float = 0.0
    """From sending to one's own message coming back; with `together` until the last member has it."""
    sent: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    """Receivers that got something else, or in another order, than the others, and messages against the order."""
    all_in: float = 0.0
    """Until the last client had its welcome."""
    settled: float = 0.0
    """Until the last byte about who came in."""
    entry_cpu: float | None = None
    """Seconds of the server's processor time for that."""


@dataclass(slots=True)
class Client:
    """One connection."""

    number: int
    room: str
    socket: socket.socket
    welcomed: float = 0.0
    """When it was in; 0 while it is not."""
    rest: bytes = b""
    """The beginning of a line whose end has not come."""
    count: int = 0
    """Messages got."""
    sum: int = 0
    kept: list[bytes] | None = None
    """All it got, for one of each room."""
    id: int = 0
    """The number of its last message."""
    waits_for: bytes = b""
    """By what it knows its last message; empty while none is on its way."""
    sent_at: float = 0.0
    latencies: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Seen:
    """Lines that were looked at."""

    lines: bytes
    count: int
    """Messages among them."""
    sum: int
    """Over all messages up to their end."""


class Crowd:
    """The clients and their loop."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.clients: list[Client] = []
        self.received = 0
        """Messages got by all."""
        self.last_byte = 0.0
        self._selector = selectors.DefaultSelector()
        self._buffer = bytearray(CHUNK + (1 << 16))
        self._view = memoryview(self._buffer)
        self._known: dict[tuple[int, int], Seen] = {}
        """What was read last, by the sum before it and its length."""
        self._sending = False

    def come_in(self) -> float:
        """Connect all at once, and wait until all are in and nothing more is said; return when it began."""
        load, began = self.load, clock()
        for number in range(load.clients):
            room = f"r{number % load.rooms}" if load.rooms > 1 else GENERAL
            connection = socket.create_connection(("127.0.0.1", load.port), timeout=PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            hello = f'{{"type":"hello","name":"u{number:04}","backlog":0}}\n'
            join = f'{{"type":"join","room":"{room}","ref":"in","backlog":0}}\n'
            connection.sendall((hello if room == GENERAL else hello + join).encode())
            connection.setblocking(False)
            client = Client(number, room, connection, kept=[] if number < load.rooms else None)
            self.clients.append(client)
            self._selector.register(connection, selectors.EVENT_READ, client)
        self._run(lambda: all(client.welcomed for client in self.clients))
        self._run(lambda: clock() - self.last_byte > 0.5)
        return began

    def talk(self, seconds: float) -> None:
        """Keep the senders sending for a while."""
        self._sending = True
        end = clock() + seconds
        senders = self.clients[: self.load.senders]
        for client in senders:
            if not client.waits_for:
                self._send(client)
        self._run(lambda: clock() > end)
        self._sending = False

    def finish(self) -> None:
        """Wait until all has come that was sent, or nothing comes any more."""
        wanted = self._sent_by_room()
        self._run(lambda: all(c.count >= wanted[c.room] for c in self.clients) or clock() - self.last_byte > 5)
        self._run(lambda: clock() - self.last_byte > 0.2)

    def check(self, result: Result) -> None:
        """Count what is missing, what came twice and what came in a wrong order."""
        wanted = self._sent_by_room()
        result.sent = sum(wanted.values())
        for sample in self.clients[: self.load.rooms]:
            members = [client for client in self.clients if client.room == sample.room]
            for client in members:
                result.lost += max(0, wanted[client.room] - client.count)
                result.doubled += max(0, client.count - wanted[client.room])
                result.disordered += client.sum != sample.sum
            result.disordered += _disordered(b"".join(sample.kept or []))

    def _sent_by_room(self) -> dict[str, int]:
        sent: dict[str, int] = {}
        for client in self.clients:
            sent[client.room] = sent.get(client.room, 0) + client.id
        return sent

    def _run(self, done: Callable[[], bool]) -> None:
        """Turn the loop until something is so."""
        give_up = clock() + PATIENCE + self.load.seconds
        while not done() and clock() < give_up:
            for key, _ in self._selector.select(0.02):
                self._read(key.data)

    def _read(self, client: Client) -> None:
        """Take what one read brings. The rest of the last one stands before it: only whole lines are looked at."""
        buffer, rest = self._buffer, len(client.rest)
        buffer[:rest] = client.rest
        try:
            got = client.socket.recv_into(self._view[rest : rest + CHUNK])
        except BlockingIOError:
            return
        if not got:
            raise ConnectionError(f"client {client.number} was disconnected")
        self.last_byte = now = clock()
        end = buffer.rfind(b"\n", 0, rest + got) + 1
        client.rest = bytes(self._view[end : rest + got])
        if client.welcomed:
            self._take(client, end, now)
        elif buffer.find(b'"welcome"' if client.room == GENERAL else b'"ok"', 0, end) >= 0:
            client.welcomed = now

    def _take(self, client: Client, end: int, now: float) -> None:
        """Take whole lines. What another member has got at the same place is compared, which is quicker than summed."""
        buffer, place = self._buffer, (client.sum, end)
        known = self._known.get(place)
        if known is None or not buffer.startswith(known.lines, 0, end):
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[place] = _look_at(bytes(self._view[:end]), client.sum)
        if not known.count:
            return
        client.sum = known.sum
        client.count += known.count
        self.received += known.count
        if client.kept is not None:
            client.kept.append(known.lines)
        if client.waits_for and not self.load.together and buffer.find(client.waits_for, 0, end) >= 0:
            self._arrived(client, now)
        elif self.load.together and self.received % self.load.clients == 0:
            self._arrived(self.clients[0], now)

    def _arrived(self, client: Client, now: float) -> None:
        """A sender's message has come back."""
        client.latencies.append(now - client.sent_at)
        client.waits_for = b""
        if self._sending:
            self._send(client)

    def _send(self, client: Client) -> None:
        client.id += 1
        text = f"u{client.number:04}.{client.id}.".ljust(TEXT, "x")
        client.waits_for = f"u{client.number:04}.{client.id}.".encode()
        client.sent_at = clock()
        client.socket.send(f'{{"type":"send","id":{client.id},"room":"{client.room}","text":"{text}"}}\n'.encode())


def _look_at(lines: bytes, before: int) -> Seen:
    """Count the messages in whole lines, and add them to the sum of those before."""
    count = lines.count(_MESSAGE) or lines.count(_SPACED)
    messages = lines
    if count != lines.count(b"\n"):  # someone came or left, or this client was slow and is told anew who is here
        messages = b"".join(line for line in lines.splitlines(keepends=True) if line.startswith((_MESSAGE, _SPACED)))
    return Seen(lines, count, crc32(messages, before))


def _disordered(stream: bytes) -> int:
    """Return how many of a stream's messages stand where they must not: after a later one, or of their sender's."""
    wrong = last = 0
    ids: dict[int, int] = {}
    for line in stream.splitlines():
        frame = codec.decode_server(line)
        if isinstance(frame, frames.Message) and isinstance(frame.id, int):
            wrong += frame.seq <= last or frame.id != ids.get(frame.user, 0) + 1
            last, ids[frame.user] = frame.seq, frame.id
    return wrong


def run(load: Load) -> Result:
    """Come in, talk, check."""
    crowd, result = Crowd(load), Result()
    before = cpu_seconds(load.pid)
    began = crowd.come_in()
    after = cpu_seconds(load.pid)
    result.all_in = 1000 * (max(client.welcomed for client in crowd.clients) - began)
    result.settled = 1000 * (crowd.last_byte - began)
    result.entry_cpu = None if before is None or after is None else after - before
    if not load.seconds:
        return result
    crowd.talk(load.warm)
    for client in crowd.clients:
        client.latencies.clear()
    before, own, start, received = cpu_seconds(load.pid), time.process_time(), clock(), crowd.received
    crowd.talk(load.seconds)
    after, took, deliveries = cpu_seconds(load.pid), clock() - start, crowd.received - received
    result.load_cpu = (time.process_time() - own) / took
    result.deliveries_per_second = deliveries / took
    if before is not None and after is not None and after > before:
        result.deliveries_per_cpu_second = deliveries / (after - before)
    latencies = [1000 * latency for client in crowd.clients for latency in client.latencies]
    result.p50, result.p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
    crowd.finish()
    crowd.check(result)
    return result


if __name__ == "__main__":
    print(json.dumps(asdict(run(Load(**json.loads(sys.argv[1]))))))
