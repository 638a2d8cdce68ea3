"""Servers for one client that can talk as fast as a measurement wants. They have no loop: who measures turns it."""

import random
import socket
import time
from abc import ABC, abstractmethod

from server.protocol import codec, frames
from server.protocol.lines import LineSplitter

PEOPLE = [f"user{number:02}" for number in range(20)]
PROSE = (
    "the tide is out so we walk along the shore and look for glass that the sea has made round while the dog runs ahead"
    " barking at gulls bring tea and a jumper please since it gets cold once the sun is down see you at the pier"
)
WORDS = PROSE.split()
LENGTHS = (4, 6, 8, 8, 10, 12, 14, 30)
"""Words of a message: about one in eight needs a second line."""
READY = "Ready."
"""What is said first in the room."""
AT_ONCE = 1 << 18
"""Bytes written at once, at most."""


class Feed(ABC):
    """Listens on loopback and speaks to who comes, in words that a subclass knows."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.port: int = self.listening.getsockname()[1]
        self.client: socket.socket | None = None
        self.waiting = bytearray()
        """What has not been written yet."""
        self.rate = 0.0
        """Messages a second that it says by itself."""
        self._began = 0.0
        self._said = 0
        self._lines = LineSplitter()
        self._dice = random.Random(7)

    # What is said.

    def say(self, text: str = "") -> None:
        """Say something as someone; anything where no text is given."""
        text = text or " ".join(self._dice.choices(WORDS, k=self._dice.choice(LENGTHS)))
        self.waiting += self.message(self._dice.randrange(len(PEOPLE)), text)

    def pour(self, count: int, last: str) -> None:
        """Say much at once; `last` is the text of the last message."""
        for _ in range(count - 1):
            self.say()
        self.say(last)

    def talk(self, rate: float) -> None:
        """Say so many messages a second from now on; 0 ends it."""
        self.rate, self._began, self._said = rate, time.perf_counter(), 0

    # What the loop of who measures calls.

    def due(self) -> float:
        """Say what is due; return the seconds until the next message is."""
        if not self.rate:
            return 1.0
        while (wait := self._began + (self._said + 1) / self.rate - time.perf_counter()) <= 0:
            self._said += 1
            self.say()
        return wait

    def accept(self) -> None:
        """Take the client in."""
        self.client, _ = self.listening.accept()
        self.client.setblocking(False)
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self) -> None:
        """Answer what the client says."""
        assert self.client is not None
        try:
            data = self.client.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.client.close()
            self.client = None
            return
        for line in self._lines.feed(data):
            if line:
                self.answer(line)

    def write(self) -> None:
        """Write as much as the client takes."""
        assert self.client is not None
        try:
            del self.waiting[: self.client.send(self.waiting[:AT_ONCE])]
        except BlockingIOError:
            pass
        except ConnectionError:
            self.waiting.clear()

    def close(self) -> None:
        """End."""
        self.listening.close()
        if self.client is not None:
            self.client.close()

    # What a subclass knows.

    @abstractmethod
    def message(self, who: int, text: str) -> bytes:
        """Return the line by which one of `PEOPLE` says something."""

    @abstractmethod
    def answer(self, line: bytes) -> None:
        """Answer a line of the client's; once it is in, say `READY`."""


class ChatFeed(Feed):
    """Speaks the protocol of chat-server; the room is general."""

    def __init__(self) -> None:
        super().__init__()
        self._seq = 0

    def message(self, who: int, text: str) -> bytes:
        """Return a frame."""
        self._seq += 1
        said = frames.Message(seq=self._seq, room="general", user=who + 2, sender=PEOPLE[who], time=_now(), text=text)
        return codec.encode(said)

    def answer(self, line: bytes) -> None:
        """Answer as a server does that has one room, in which nothing was said."""
        match codec.decode_client(line):
            case frames.About(ref=ref):
                self._tell(frames.Server(ref=ref, id="-", server="feed"))
            case frames.RoomsRequest(ref=ref):
                general = frames.RoomInfo(room="general", title="general")
                self._tell(frames.Rooms(ref=ref, rooms=[general], as_of=self._seq))
            case frames.Hello(name=name):
                self._tell(frames.Welcome(name=name, user=1, session="-", epoch="-", seq=0, rooms=["general"]))
                self._tell(frames.Roster(room="general", names=[name, *PEOPLE]))
                self.say(READY)
            case frames.HistoryRequest(ref=ref, room=room):
                self._tell(frames.History(ref=ref, room=room, messages=[], more=False, as_of=self._seq))
            case frames.Ping():
                self._tell(frames.Pong())
            case _:
                pass

    def _tell(self, frame: frames.Frame) -> None:
        self.waiting += codec.encode(frame)


class IrcFeed(Feed):
    """Speaks IRC, as much as a client needs to stand in #general."""

    _name = "alice"

    def message(self, who: int, text: str) -> bytes:
        """Return a PRIVMSG."""
        return f":{PEOPLE[who]}!u@h PRIVMSG #general :{text}\r\n".encode()

    def answer(self, line: bytes) -> None:
        """Register the client, let it join, and answer what it asks about the room."""
        command, _, rest = line.decode(errors="replace").strip().partition(" ")
        name, first = self._name, rest.split(" ")[0]
        match command.upper():
            case "CAP" if first.upper() == "LS":
                self._tell("CAP * LS :")
            case "NICK":
                self._name = rest.lstrip(":")
            case "USER":
                self._tell(f"001 {name} :Welcome")
                self._tell(f"002 {name} :Your host is feed")
                self._tell(f"003 {name} :Created today")
                self._tell(f"004 {name} feed 1 o n")
                self._tell(f"005 {name} CHANTYPES=# PREFIX=(ov)@+ :are supported")
                self._tell(f"422 {name} :No message of the day")
            case "JOIN" if first.startswith("#"):
                self.waiting += f":{name}!u@h JOIN #general\r\n".encode()
                self._tell(f"353 {name} = #general :{' '.join([name, *PEOPLE])}")
                self._tell(f"366 {name} #general :End")
                self.say(READY)
            case "MODE" if first.startswith("#"):
                self._tell(f"324 {name} {first} +n")
            case "WHO":
                self._tell(f"315 {name} {first} :End")
            case "PING":
                self._tell(f"PONG feed {rest}")
            case _:
                pass

    def _tell(self, line: str) -> None:
        self.waiting += f":feed {line}\r\n".encode()


def _now() -> str:
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
