"""What is read on one device is read on all: two devices of one person, a server that orders what they say, delays.

The server keeps `read`, which only grows, and `unread`, which reading takes away; it tells both devices of each change,
in order. Whatever is on its way when a connection ends is lost, in either direction. In the end both devices, and the
server, agree on what is read and how much is not; and at no time does what was read fall back.
"""

from collections import deque
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chat_tui.state import unread
from chat_tui.state.rooms import Room
from server.protocol import frames

ME = 1
COUNTED = 4
"""Messages that are counted one by one: so few that it is always about the bound."""
TIME = "2026-11-21T09:00:00.000Z"


class House:
    """The server's side: messages, and where I stand."""

    def __init__(self) -> None:
        self.messages: list[frames.Message] = []
        self.head = 0
        self.read = self.unread = 0

    def take(self, request: frames.ClientFrame) -> tuple[frames.ServerFrame, bool]:
        """Return what a request leads to, and whether all devices are told."""
        if isinstance(request, frames.Mark):
            if isinstance(request.read, int):
                self.read, self.unread = max(self.read, request.read), 0
            if isinstance(request.unread, int):
                self.unread = request.unread
            return frames.Marked(room="dev", read=self.read, unread=self.unread), True
        return frames.Rooms(rooms=[self.info()], as_of=self.head), False

    def info(self) -> frames.RoomInfo:
        """Return where I stand."""
        after = min(self.read, self.unread - 1) if self.unread else self.read
        counted = [message for message in self.messages if message.seq > after and message.user != ME]
        return frames.RoomInfo(
            room="dev",
            title="dev",
            last=self.messages[-1].seq if self.messages else 0,
            read=self.read,
            unread=self.unread,
            count=min(len(counted), COUNTED),
            mentions=sum(ME in message.mentions for message in counted),
        )


class Device:
    """A device and its connection."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.room = Room("dev")
        self.room.call_me(ME, "me")
        self.up: deque[frames.ClientFrame] = deque()
        self.down: deque[frames.ServerFrame] = deque()
        self.untold: deque[tuple[int | None, int | None]] = deque()
        """What was said of `read`, and not answered yet."""
        self.position = 0
        """All messages up to here were delivered."""
        self.highest = 0
        self.asked = False
        self.ask()

    def tell(self) -> None:
        """Say what was read here."""
        if self.room.marks.untold:
            read, since = news = self.room.marks.take_untold()
            self.untold.append(news)
            if read is not None:
                self.up.append(frames.Mark(room="dev", read=read))
            if since is not None:
                self.up.append(frames.Mark(room="dev", unread=since))
            self.up.append(frames.Ping())  # its answer stands for that of the marks

    def ask(self) -> None:
        """Ask how things stand."""
        self.tell()
        self.room.marks.uncertain = False
        self.asked = True
        self.up.append(frames.RoomsRequest())

    def hear(self) -> None:
        """Take in the next thing that the server said."""
        match frame := self.down.popleft():
            case frames.Message():
                self.position = frame.seq
                self.room.add(frame)
            case frames.Marked():
                self.room.marked(frame)
            case frames.Rooms():
                self.asked = False
                self.room.told(frame.rooms[0], frame.as_of)
            case frames.Pong():
                self.untold.popleft()

    def come_back(self) -> None:
        """The connection ends, and there is another: what was missed follows."""
        self.up.clear()
        self.down.clear()
        while self.untold:
            self.room.marks.put_back(self.untold.pop())
        self.down += [message for message in self.house.messages if message.seq > self.position]
        self.ask()


devices = st.integers(0, 1)


class TwoDevices(RuleBasedStateMachine):
    """One person, one room."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(unread, "UNREAD", COUNTED)
        self.house = House()
        self.devices = [Device(self.house), Device(self.house)]
        self.id = 0

    def teardown(self) -> None:
        """Once nobody does anything any more, all agree."""
        steps = 0
        while self._go_on():
            steps += 1
            assert steps < 1000, "they never come to rest"
        info = self.house.info()
        for device in self.devices:
            room = device.room
            assert (room.read, room.unread_from) == (self.house.read, self.house.unread)
            assert (room.unread, room.mentions) == (info.count, info.mentions)
        self.patch.undo()

    @rule(naming=st.booleans(), mine=st.none() | devices)
    def say(self, naming: bool, mine: int | None) -> None:
        """Someone else says something, or I do on one of my devices."""
        self.house.head += 2
        given: dict[str, Any] = {"user": 2, "mentions": [ME] if naming else []}
        if mine is not None:
            self.id += 1
            self.devices[mine].room.pend(self.id, "mine", 0)
            given = {"user": ME, "id": self.id}
        message = frames.Message(seq=self.house.head, room="dev", sender="x", time=TIME, text="hi", **given)
        self.house.messages.append(message)
        for device in self.devices:
            device.down.append(message)

    @rule()
    def elsewhere(self) -> None:
        """Something happens in another room: the head of the log moves on."""
        self.house.head += 1

    @rule(who=devices, at=st.integers(0, 5))
    def see(self, who: int, at: int) -> None:
        """A device shows one of the messages it has."""
        device = self.devices[who]
        seqs = [message.seq for message in self.house.messages if message.seq <= device.position][-6:]
        if seqs:
            device.room.marks.saw(seqs[at % len(seqs)])

    @rule(who=devices, at=st.integers(0, 5))
    def leave_unread(self, who: int, at: int) -> None:
        """All from one of them on is to count as unread."""
        device = self.devices[who]
        seqs = [message.seq for message in self.house.messages if message.seq <= device.position][-6:]
        if seqs:
            device.room.marks.leave_unread(seqs[at % len(seqs)])

    @rule(who=devices, taken=st.booleans())
    def tell(self, who: int, taken: bool) -> None:
        """A device tells the server, which takes it at once, or later."""
        self.devices[who].tell()
        if taken:
            self.take(who, len(self.devices[who].up))

    @rule(who=devices, count=st.integers(1, 6))
    def take(self, who: int, count: int) -> None:
        """The server takes a device's next lines."""
        device = self.devices[who]
        for _ in range(min(count, len(device.up))):
            request = device.up.popleft()
            if isinstance(request, frames.Ping):
                device.down.append(frames.Pong())
                continue
            answer, to_all = self.house.take(request)
            for one in self.devices if to_all else [device]:
                one.down.append(answer)

    @rule(who=devices, count=st.integers(1, 8))
    def hear(self, who: int, count: int) -> None:
        """A device takes in the server's next lines."""
        device = self.devices[who]
        for _ in range(min(count, len(device.down))):
            device.hear()

    @rule(who=devices)
    def come_back(self, who: int) -> None:
        """A connection ends; what is on its way in either direction is lost."""
        self.devices[who].come_back()

    @invariant()
    def what_was_read_stays_read(self) -> None:
        """On each device."""
        for device in self.devices:
            assert device.room.read >= device.highest
            device.highest = device.room.read

    def _go_on(self) -> bool:
        """Let everything go one step further; return whether anything did."""
        busy = False
        for who, device in enumerate(self.devices):
            if device.room.marks.uncertain and not device.asked:
                device.ask()
            device.tell()
            busy |= bool(device.up or device.down)
            self.take(who, 1)
            self.hear(who, 1)
        return busy


TestTwoDevices = TwoDevices.TestCase
TestTwoDevices.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
